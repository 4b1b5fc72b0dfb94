//! A random stack as the manifest and the files that a person would write.

use crate::{part::Part, stacks::Sketch};
use std::{collections::BTreeMap, fmt::Write};

impl Sketch {
    /// The files beside the manifest, by path and content.
    pub fn files(&self) -> BTreeMap<String, String> {
        let of = |(name, part): (&&str, &Part)| {
            let (_, content) = part.file?;
            Some((format!("/srv/shop/{name}.conf"), format!("swordfish of {name}: {content}")))
        };
        self.parts.iter().filter_map(of).collect()
    }

    /// The manifest.
    pub fn manifest(&self) -> String {
        let mut text = String::from("apiVersion: evenkeel.dev/v1\nkind: Stack\nmetadata: {name: shop}\nspec:\n");
        let on_failure = if self.whole { "rollbackStack" } else { "rollback" };
        writeln!(text, "  prune: {}", self.prune).unwrap();
        write!(text, "  rollout: {{maxParallel: {}, onFailure: {on_failure}", self.parallel).unwrap();
        if self.ordered {
            let waves: Vec<String> = self.waves().into_iter().map(|wave| format!("[{}]", wave.join(", "))).collect();
            write!(text, ", order: [{}]", waves.join(", ")).unwrap();
        }
        text.push_str("}\n  services:\n");
        for (at, (name, part)) in self.parts.iter().enumerate() {
            self.service(&mut text, at, name, part);
        }
        text.push_str("  networks: {back: {}, outer: {external: true, name: foreign}}\n");
        text.push_str("  volumes: {data_a: {}, data_b: {}, data_c: {}, data_d: {}, data_e: {}, ");
        text.push_str("borrowed: {external: true, name: foreign}}\n");
        for kind in ["config", "secret"] {
            let of_kind = |(name, part): (&&str, &Part)| {
                part.file.filter(|(of, _)| *of == kind).map(|_| format!("{name}_file: {{file: ./{name}.conf}}"))
            };
            let all: Vec<String> = self.parts.iter().filter_map(of_kind).collect();
            if !all.is_empty() {
                writeln!(text, "  {kind}s: {{{}}}", all.join(", ")).unwrap();
            }
        }
        text
    }

    /// Units stand in one wave, so that no two services of one wait for each other.
    fn waves(&self) -> Vec<Vec<&'static str>> {
        let alone: Vec<&'static str> = self
            .parts
            .iter()
            .filter(|(name, part)| part.shares.is_none() && !self.parts.values().any(|p| p.shares == Some(name)))
            .map(|(name, _)| *name)
            .collect();
        if self.parts.values().any(|part| part.shares.is_some()) {
            return vec![alone];
        }
        let (first, second) = alone.split_at(alone.len() / 2);
        vec![first.to_vec(), second.to_vec()]
    }

    fn service(&self, text: &mut String, at: usize, name: &str, part: &Part) {
        writeln!(text, "    {name}:").unwrap();
        writeln!(text, "      image: '{}'", part.image).unwrap();
        writeln!(text, "      restart: {}", part.restart).unwrap();
        writeln!(text, "      environment: {{LEVEL: 'l{}', API_TOKEN: 'swordfish-{name}-{}'}}", part.level, part.level)
            .unwrap();
        if part.replicas != 1 {
            writeln!(text, "      deploy: {{replicas: {}}}", part.replicas).unwrap();
        }
        mounts(text, name, part);
        let networks: Vec<&str> = [(true, "default"), (part.back, "back"), (part.outer, "outer")]
            .into_iter()
            .filter_map(|(is, network)| is.then_some(network))
            .collect();
        match part.shares {
            Some(parent) => writeln!(text, "      network_mode: 'service:{parent}'").unwrap(),
            None => writeln!(text, "      networks: [{}]", networks.join(", ")).unwrap(),
        }
        if part.port {
            writeln!(text, "      ports: ['{}:80']", 8000 + at).unwrap();
        }
        if let Some(memory) = part.memory {
            writeln!(text, "      limits: {{memory: {memory}Mi}}").unwrap();
        }
        let probes: Vec<&str> = [
            (part.startup, "startup: {tcp: {port: 80}, period: 500ms}"),
            (part.probe, "readiness: {http: {port: 80, path: /}}"),
        ]
        .into_iter()
        .filter_map(|(is, probe)| is.then_some(probe))
        .collect();
        if !probes.is_empty() {
            writeln!(text, "      probes: {{{}}}", probes.join(", ")).unwrap();
        }
        let strategy = part.strategy.map(|strategy| format!(", strategy: {strategy}")).unwrap_or_default();
        writeln!(
            text,
            "      rollout: {{minReady: {}s, deadline: 20s, drain: {}s, sharedVolumes: {}{strategy}}}",
            part.min_ready, part.drain, part.shared_volumes
        )
        .unwrap();
        if !part.depends.is_empty() {
            let one = |(other, proven): (&&str, &bool)| {
                let target = &self.parts[*other];
                let condition = match (proven, target.is_job()) {
                    (true, true) => "service_completed_successfully",
                    (true, false) if target.image == "checked:1" => "service_healthy",
                    _ => "service_started",
                };
                format!("{other}: {{condition: {condition}}}")
            };
            let all: Vec<String> = part.depends.iter().map(one).collect();
            writeln!(text, "      depends_on: {{{}}}", all.join(", ")).unwrap();
        }
    }
}

fn mounts(text: &mut String, name: &str, part: &Part) {
    let mut volumes = Vec::new();
    if part.volume {
        volumes.push(format!("data_{name}:/data"));
    }
    if let Some(read_only) = part.borrowed {
        volumes.push(format!("borrowed:/borrowed{}", if read_only { ":ro" } else { "" }));
    }
    match part.file {
        Some(("bind", _)) => volumes.push(format!("./{name}.conf:/etc/{name}.conf:ro")),
        Some((kind, _)) => writeln!(text, "      {kind}s: [{name}_file]").unwrap(),
        None => {}
    }
    if !volumes.is_empty() {
        let quoted: Vec<String> = volumes.iter().map(|volume| format!("'{volume}'")).collect();
        writeln!(text, "      volumes: [{}]", quoted.join(", ")).unwrap();
    }
}

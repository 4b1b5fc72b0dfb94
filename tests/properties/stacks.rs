//! Random stacks, as manifests: what a person might write, and what they might change it to.

use crate::seed::Seed;
use std::{collections::BTreeMap, fmt::Write};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// One service of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub image: &'static str,
    pub replicas: u32,
    pub probe: bool,
    pub volume: bool,
    pub shared_volumes: bool,
    pub back: bool,
    pub port: bool,
    /// Whose network it uses.
    pub shares: Option<&'static str>,
    pub strategy: Option<&'static str>,
    pub memory: Option<u32>,
    pub level: u32,
    pub min_ready: u32,
    pub drain: u32,
    pub restart: &'static str,
    pub depends: BTreeMap<&'static str, bool>,
}

/// A stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Sketch {
    pub parts: BTreeMap<&'static str, Part>,
    pub ordered: bool,
    pub prune: bool,
    pub parallel: u32,
    pub whole: bool,
}

impl Part {
    pub fn is_job(&self) -> bool {
        self.image.starts_with("job")
    }

    /// Whether its image never gets through a gate.
    pub fn breaks(&self) -> bool {
        self.image.ends_with("broken") || self.image.ends_with("crash")
    }

    fn declares_volume(&self) -> bool {
        self.image.starts_with("db")
    }

    /// Whether two of it can run at once, and evenkeel knows it.
    pub fn starts_first(&self) -> bool {
        let exclusive = self.port || (self.volume || self.declares_volume()) && !self.shared_volumes;
        let chosen = match self.strategy {
            Some(declared) => declared == "startFirst",
            None => !exclusive,
        };
        !self.is_job() && chosen
    }

    /// Whether it says itself that two may write at once.
    pub fn allows_two_writers(&self) -> bool {
        self.shared_volumes || self.replicas > 1 && self.volume
    }

    fn tidy(&mut self) {
        if self.is_job() {
            (self.replicas, self.port, self.shares, self.probe) = (1, false, None, false);
            (self.restart, self.strategy) = ("'no'", None);
        } else if self.restart == "'no'" {
            self.restart = "always";
        }
        if self.image == "late:1" || self.image.ends_with(":broken") && !self.is_job() {
            self.probe = true;
        }
        if self.port || self.shares.is_some() {
            self.replicas = 1;
        }
        if self.shares.is_some() {
            (self.port, self.back) = (false, false);
        }
        // A declared startFirst does not go with what only one can hold.
        let exclusive = self.port || (self.volume || self.declares_volume()) && !self.shared_volumes;
        if exclusive && self.strategy == Some("startFirst") {
            self.strategy = None;
        }
    }
}

fn fine_image(seed: &mut Seed) -> &'static str {
    seed.pick(&["web:1", "web:1", "web:2", "db:1", "db:2", "checked:1", "late:1", "job:1", "job:2"])
}

fn broken_image(seed: &mut Seed) -> &'static str {
    seed.pick(&["web:broken", "web:crash", "db:broken", "job:broken"])
}

fn part(seed: &mut Seed) -> Part {
    Part {
        image: fine_image(seed),
        replicas: seed.pick(&[1, 1, 1, 2, 3]),
        probe: seed.percent(30),
        volume: seed.percent(20),
        shared_volumes: seed.percent(15),
        back: seed.percent(25),
        port: seed.percent(15),
        shares: None,
        strategy: seed.pick(&[None, None, None, Some("startFirst"), Some("stopFirst"), Some("recreate")]),
        memory: seed.pick(&[None, Some(64), Some(96)]),
        level: 0,
        min_ready: seed.pick(&[1, 2]),
        drain: seed.pick(&[0, 0, 1]),
        restart: seed.pick(&["always", "unless-stopped"]),
        depends: BTreeMap::new(),
    }
}

impl Sketch {
    /// A stack whose images are fine.
    pub fn fine(seed: &mut Seed) -> Sketch {
        let count = 2 + seed.below(3);
        let mut sketch = Sketch {
            parts: NAMES[..count].iter().map(|name| (*name, part(seed))).collect(),
            ordered: seed.percent(20),
            prune: seed.percent(50),
            parallel: seed.pick(&[1, 1, 2, 3]),
            whole: seed.percent(25),
        };
        for (at, name) in NAMES[..count].iter().enumerate().skip(1) {
            for other in &NAMES[..at] {
                if seed.percent(35) {
                    let proven = seed.percent(50);
                    sketch.parts.get_mut(name).unwrap().depends.insert(other, proven);
                }
            }
            if seed.percent(12) {
                sketch.parts.get_mut(name).unwrap().shares = Some(NAMES[seed.below(at)]);
            }
        }
        sketch.tidy();
        sketch
    }

    /// What it might be changed to.
    pub fn changed(&self, seed: &mut Seed) -> Sketch {
        let mut next = self.clone();
        for part in next.parts.values_mut() {
            if !seed.percent(70) {
                continue;
            }
            for _ in 0..1 + seed.below(2) {
                match seed.below(13) {
                    0..=2 => {
                        part.image = match part.image {
                            "web:1" => "web:2",
                            "db:1" => "db:2",
                            "db:2" => "db:1",
                            "job:1" => "job:2",
                            _ => "web:1",
                        }
                    }
                    3 => part.image = fine_image(seed),
                    4 | 5 => part.level += 1,
                    6 => part.replicas = seed.pick(&[1, 2, 3]),
                    7 => part.memory = seed.pick(&[None, Some(64), Some(96), Some(128)]),
                    8 => part.volume = !part.volume,
                    9 => part.back = !part.back,
                    10 => part.port = !part.port,
                    11 => part.restart = seed.pick(&["always", "unless-stopped"]),
                    _ => {
                        part.strategy = seed.pick(&[None, Some("startFirst"), Some("stopFirst"), Some("recreate")]);
                    }
                }
            }
        }
        if seed.percent(10) {
            let last = *next.parts.keys().last().unwrap();
            next.parts.remove(last);
        } else if seed.percent(10) && next.parts.len() < NAMES.len() {
            next.parts.insert(NAMES[next.parts.len()], part(seed));
        }
        if seed.percent(20) {
            next.parallel = seed.pick(&[1, 2, 3]);
        }
        next.tidy();
        next
    }

    /// With an image that never gets through its gate.
    pub fn broken(&self, seed: &mut Seed) -> Sketch {
        let mut next = self.clone();
        let names: Vec<&str> = next.parts.keys().copied().collect();
        let name = seed.pick(&names);
        let image = broken_image(seed);
        let part = next.parts.get_mut(name).unwrap();
        // A one-shot stays one, and others do not become one.
        part.image = match (part.is_job(), image) {
            (true, _) => "job:broken",
            (false, "job:broken") => "web:crash",
            (false, image) => image,
        };
        next.tidy();
        next
    }

    pub fn breaks(&self) -> bool {
        self.parts.values().any(Part::breaks)
    }

    fn tidy(&mut self) {
        let names: Vec<&str> = self.parts.keys().copied().collect();
        for name in &names {
            let parent = self.parts[name].shares.filter(|parent| {
                self.parts.get(parent).is_some_and(|parent| !parent.is_job() && parent.shares.is_none())
            });
            let part = self.parts.get_mut(name).unwrap();
            part.shares = parent;
            part.tidy();
            part.depends.retain(|other, _| names.contains(other) && other != name);
        }
        for parent in self.parts.values().filter_map(|part| part.shares).collect::<Vec<_>>() {
            self.parts.get_mut(parent).unwrap().replicas = 1;
        }
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
        text.push_str(
            "  networks: {back: {}}\n  volumes: {data_a: {}, data_b: {}, data_c: {}, data_d: {}, data_e: {}}\n",
        );
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
        if part.volume {
            writeln!(text, "      volumes: ['data_{name}:/data']").unwrap();
        }
        match part.shares {
            Some(parent) => writeln!(text, "      network_mode: 'service:{parent}'").unwrap(),
            None if part.back => writeln!(text, "      networks: [default, back]").unwrap(),
            None => {}
        }
        if part.port {
            writeln!(text, "      ports: ['{}:80']", 8000 + at).unwrap();
        }
        if let Some(memory) = part.memory {
            writeln!(text, "      limits: {{memory: {memory}Mi}}").unwrap();
        }
        if part.probe {
            text.push_str("      probes: {readiness: {http: {port: 80, path: /}}}\n");
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

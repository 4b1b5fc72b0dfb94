//! What is seen on an engine, as text in which ids, addresses and times are symbols, so that two engines can be compared.

use evenkeel::{
    engine::{Engine, EngineError, EngineResult},
    model::{
        container::{MountSource, NetworkMode},
        fields::fields,
        names::{ContainerId, NetworkName},
        observed::ObservedContainer,
        value::Value,
    },
};
use std::{collections::BTreeMap, fmt::Write};

/// Symbols for what the engine draws by itself, numbered as it first appears.
#[derive(Default)]
pub struct Symbols {
    containers: BTreeMap<ContainerId, usize>,
    volumes: BTreeMap<String, usize>,
}

impl Symbols {
    fn container(&mut self, id: &ContainerId) -> String {
        let next = self.containers.len() + 1;
        format!("container-{}", self.containers.entry(id.clone()).or_insert(next))
    }

    fn volume(&mut self, name: &str) -> String {
        let next = self.volumes.len() + 1;
        format!("anonymous-{}", self.volumes.entry(name.to_owned()).or_insert(next))
    }
}

/// What a call answered.
pub fn answer<T: std::fmt::Debug>(answer: &EngineResult<T>) -> String {
    match answer {
        Ok(value) => format!("answer: {value:?}"),
        Err(EngineError { kind, sent, .. }) => format!("answer: {kind:?}, {sent:?}"),
    }
}

/// All that is of the test: its containers, networks, volumes and tags.
pub async fn seen(engine: &dyn Engine, prefix: &str, symbols: &mut Symbols) -> String {
    let mut text = String::new();
    let mut listed = engine.list_containers().await.unwrap();
    listed.retain(|container| container.name.as_str().starts_with(prefix));
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    for summary in &listed {
        let container = engine.inspect_container(summary.id.as_str()).await.unwrap();
        // The oldest get the first symbols, whatever order their names are in.
        symbols.container(&container.id);
        show(&container, symbols, &mut text);
        let _ = writeln!(text, "  listed as running: {}", summary.running);
    }
    let all = engine.list_networks(&Default::default()).await.unwrap();
    let names = all.into_iter().map(|network| network.name).filter(|name| name.as_str().starts_with(prefix)).collect();
    for network in engine.list_networks(&names).await.unwrap() {
        if names.contains(&network.name) {
            let definition = &network.definition;
            let _ = writeln!(text, "network {} {} {:?}", network.name, network.ids.len(), network.labels);
            let (driver, pools) = (&definition.driver, definition.pools.len());
            let _ = writeln!(text, "  {driver:?} {:?} {:?} {pools}", definition.ipv6, definition.ipam_driver);
            let _ = writeln!(text, "  attached {:?}", network.attached);
        }
    }
    let mut volumes = std::collections::BTreeSet::new();
    for volume in engine.list_volumes().await.unwrap() {
        let name = volume.name.as_str();
        if name.starts_with(prefix) {
            volumes.insert(format!("volume {name} {:?} {:?}\n", volume.definition, volume.labels));
        } else if symbols.volumes.contains_key(name) {
            volumes.insert(format!("volume {}\n", symbols.volume(name)));
        }
    }
    text.extend(volumes);
    for tag in engine.list_tags().await.unwrap().into_keys() {
        if tag.as_str().starts_with(prefix) {
            let _ = writeln!(text, "tag {tag}");
        }
    }
    text.replace(prefix, "")
}

fn show(container: &ObservedContainer, symbols: &mut Symbols, text: &mut String) {
    let state = &container.state;
    let _ = writeln!(text, "container {} is {}", container.name, symbols.container(&container.id));
    // Not `oom_killed`: of the same course, the same engine notes it one day and the next day not.
    let _ = writeln!(text, "  {} exit {}", state.status, state.exit_code);
    let _ = writeln!(text, "  error {} restarted {}", !state.error.is_empty(), state.restart_count > 0);
    let _ = writeln!(text, "  started {} finished {}", state.started_at.is_some(), state.finished_at.is_some());
    let _ = writeln!(text, "  health {:?} pid {}", state.health, state.pid > 0);
    let on: Vec<&NetworkName> = container.addresses.keys().collect();
    let _ = writeln!(text, "  addresses on {on:?}");
    let mut spec = container.spec.clone();
    for (_, attachment) in spec.networks.iter_mut() {
        if attachment.aliases.remove(container.id.short()) {
            attachment.aliases.insert("itself".into());
        }
    }
    for mount in spec.mounts.values_mut() {
        if let MountSource::Anonymous(Some(name)) = &mut mount.source {
            *name = symbols.volume(name.as_str()).as_str().into();
        }
    }
    if let NetworkMode::Container(parent) = &spec.network_mode {
        // Networks that it was connected to in vain; among the aliases is the parent's short id, or not.
        spec.networks.iter_mut().for_each(|(_, attachment)| attachment.aliases.clear());
        spec.network_mode = NetworkMode::Container(ContainerId::new(symbols.container(parent)));
    }
    for (path, value) in fields(&spec) {
        let _ = writeln!(text, "  {path} = {}", Value::reveal(&value));
    }
}

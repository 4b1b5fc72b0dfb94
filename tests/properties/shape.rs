//! What is on an engine, without what differs between two runs of one story: ids, addresses, times.

use crate::support::Host;
use evenkeel::{
    engine::{Containers, Networks, Volumes, simulated::Snapshot},
    model::{
        container::{MountSource, NetworkMode},
        observed::Status,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// What is there, for comparing and for printing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// By name, what each container of the stack is.
    pub containers: BTreeMap<String, String>,
    pub networks: BTreeSet<String>,
    pub volumes: BTreeSet<String>,
    /// Volumes without a name of their own that no container has.
    pub left_over: usize,
}

impl Shape {
    pub async fn of(host: &Host) -> Shape {
        let engine = &host.engine;
        let tags: BTreeMap<_, _> = host.tags();
        let mut containers = BTreeMap::new();
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let snapshot = engine.snapshot();
        for seen in &snapshot.containers {
            names.insert(seen.id.to_string(), seen.name.to_string());
        }
        for seen in snapshot.containers.iter().filter(|seen| is_of_stack(seen)) {
            let there = engine.inspect_container(seen.id.as_str()).await.unwrap();
            let spec = &there.spec;
            let status = match there.state.status {
                Status::Exited => format!("exited {}", there.state.exit_code),
                status => status.to_string(),
            };
            let mounts: BTreeMap<&String, String> = spec
                .mounts
                .iter()
                .map(|(target, mount)| match &mount.source {
                    MountSource::Anonymous(_) => (target, "anonymous".to_owned()),
                    // A copy of a file is as good as the file: what counts is what it holds.
                    MountSource::Bind(path) => (target, format!("{:?}", engine.file(path).ok_or(path))),
                    source => (target, format!("{source:?}")),
                })
                .collect();
            let mode = match &spec.network_mode {
                NetworkMode::Container(id) => format!("with {}", names.get(id.as_str()).cloned().unwrap_or_default()),
                mode => format!("{mode:?}"),
            };
            let environment: BTreeMap<_, _> =
                spec.environment.iter().map(|(name, value)| (name, value.reveal())).collect();
            let networks: Vec<String> = spec.networks.keys().map(ToString::to_string).collect();
            let text = format!(
                "{} {status} {:?} memory {:?} {networks:?} {mode} {mounts:?} {environment:?} {:?}",
                tags.get(&there.image).cloned().unwrap_or_default(),
                spec.restart,
                spec.limits.memory,
                spec.ports,
            );
            containers.insert(there.name.to_string(), text);
        }
        let used: BTreeSet<String> =
            snapshot.containers.iter().flat_map(|seen| &seen.writable_volumes).map(ToString::to_string).collect();
        let all = engine.list_volumes().await.unwrap();
        let names: BTreeSet<String> = all.iter().map(|volume| volume.name.to_string()).collect();
        let left_over = names.iter().filter(|name| is_anonymous(name) && !used.contains(*name)).count();
        let networks = engine.list_networks(&BTreeSet::new()).await.unwrap();
        Shape {
            containers,
            networks: networks.iter().map(|network| network.name.to_string()).collect(),
            volumes: names.into_iter().filter(|name| !is_anonymous(name)).collect(),
            left_over,
        }
    }

    /// Without the containers of these services.
    pub fn without(mut self, services: &[&str]) -> Shape {
        self.containers.retain(|name, _| !services.iter().any(|service| name.starts_with(&format!("shop-{service}-"))));
        self
    }
}

/// Whether it is a volume without a name of its own.
pub fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether it is a container of the stack, and not one beside it.
pub fn is_of_stack(seen: &evenkeel::engine::simulated::Seen) -> bool {
    seen.stack.as_ref().is_some_and(|stack| stack.as_str() == "shop") && !seen.name.as_str().starts_with("foreign")
}

/// What is not ours: name, id and state of each container, and the networks and volumes.
pub async fn foreign(host: &Host) -> Vec<String> {
    let snapshot: Snapshot = host.engine.snapshot();
    let mut all: Vec<String> = snapshot
        .containers
        .iter()
        .filter(|seen| !is_of_stack(seen))
        .map(|seen| format!("{} {} {}", seen.name, seen.id, seen.status))
        .collect();
    let networks = host.engine.list_networks(&BTreeSet::new()).await.unwrap();
    let theirs = networks.iter().filter(|network| network.name.as_str().starts_with("foreign"));
    all.extend(theirs.map(|network| format!("{:?} {:?} {:?}", network.ids, network.definition, network.labels)));
    let volumes = host.engine.list_volumes().await.unwrap();
    all.extend(volumes.iter().filter(|v| v.name.as_str().starts_with("foreign")).map(|v| format!("{v:?}")));
    all.sort();
    all
}

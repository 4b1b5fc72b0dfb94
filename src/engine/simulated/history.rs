//! What was asked of the simulated engine and what it looked like after each change: what tests judge.

use crate::{
    engine::ErrorKind,
    model::{
        labels,
        names::{ContainerId, ContainerName, ImageId, ServiceName, StackName, VolumeName},
        observed::Status,
        units::Timestamp,
    },
};
use std::collections::BTreeSet;

use super::world::World;

/// One mutating call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub at: Timestamp,
    /// As in `EngineError::call`, such as `create container`.
    pub call: &'static str,
    /// Such as `webkit-core-1`.
    pub target: String,
    /// What evenkeel was told; `None`: it was killed before it was told anything.
    pub answer: Option<Result<(), ErrorKind>>,
    /// Whether it was done, whatever was told.
    pub done: bool,
}

/// The engine at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub at: Timestamp,
    /// The mutating call just before; `None`: something happened by itself (a crash, a restart, the engine's own start).
    pub after: Option<Call>,
    /// The call that is about to end a container (a stop or a removal), and its target. Only observers are shown these.
    pub before: Option<(&'static str, String)>,
    /// In the order of their creation.
    pub containers: Vec<Seen>,
}

/// One container in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: ContainerId,
    pub name: ContainerName,
    pub image: ImageId,
    /// docker compose's labels.
    pub stack: Option<StackName>,
    pub service: Option<ServiceName>,
    /// The replica that it is.
    pub number: u32,
    pub status: Status,
    /// Its process runs, can be reached and does its work, and Docker's health check (where there is one) says so.
    pub ready: bool,
    /// Volumes that it may write, named and anonymous.
    pub writable_volumes: BTreeSet<VolumeName>,
    /// Paths of the host that it may write.
    pub writable_binds: BTreeSet<String>,
}

impl Snapshot {
    pub(super) fn of(world: &World, after: Option<Call>) -> Snapshot {
        let seen = |container: &super::container::Container| {
            let observed = container.inspect(world.now);
            let volumes = container.volumes.iter().filter(|volume| volume.writable);
            Seen {
                stack: observed.label(labels::compose::PROJECT).map(StackName::from),
                service: observed.service(),
                number: observed.number(),
                status: observed.state.status,
                ready: container.is_ready(world.now) && world.is_connected(container),
                writable_volumes: volumes.map(|volume| volume.name.clone()).collect(),
                writable_binds: container.writable_binds().cloned().collect(),
                id: observed.id,
                name: observed.name,
                image: observed.image,
            }
        };
        Snapshot { at: world.now, after, before: None, containers: world.containers.values().map(seen).collect() }
    }

    /// Volumes and paths of the host that two running containers may write.
    pub fn shared_writers(&self) -> Vec<(String, &Seen, &Seen)> {
        let running: Vec<&Seen> = self.containers.iter().filter(|seen| seen.status == Status::Running).collect();
        let mut shared = Vec::new();
        for (place, one) in running.iter().enumerate() {
            for other in &running[place + 1..] {
                let volumes = one.writable_volumes.intersection(&other.writable_volumes).map(ToString::to_string);
                let binds = one.writable_binds.intersection(&other.writable_binds).cloned();
                let both = |what: String| (what, *one, *other);
                shared.extend(volumes.chain(binds).map(both));
            }
        }
        shared
    }

    /// How many containers of a service are ready.
    pub fn ready(&self, service: &ServiceName) -> usize {
        self.containers.iter().filter(|seen| seen.service.as_ref() == Some(service) && seen.ready).count()
    }
}

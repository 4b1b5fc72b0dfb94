//! All that is on the simulated engine, and the passing of its time. Plain data: no locks, no faults, no traits.

use super::{
    behaviour::Behaviour,
    container::{Container, PortHeld},
    no::{Answer, No, no_container},
};
use crate::engine::EngineEvent;
use crate::model::{
    container::ContainerSpec,
    desired::{Login, NetworkDefinition, VolumeDefinition},
    image::ImageConfig,
    names::{ContainerId, ContainerName, ImageId, ImageReference, NetworkName, VolumeName},
    observed::{EngineFacts, Health, Supports},
    units::{Bytes, Millis, NanoCpus, Timestamp},
};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

/// A container's place in the order of creation.
pub(super) type Key = u64;

/// The engine's own place in the agenda: it comes up again.
const ENGINE: Key = 0;

/// The simulated engine's whole state.
#[derive(Debug)]
pub(super) struct World {
    pub now: Timestamp,
    pub facts: EngineFacts,
    pub containers: BTreeMap<Key, Container>,
    pub by_name: BTreeMap<ContainerName, Key>,
    pub by_id: BTreeMap<ContainerId, Key>,
    /// By id. Two can have one name.
    pub networks: BTreeMap<String, SimulatedNetwork>,
    pub volumes: BTreeMap<VolumeName, SimulatedVolume>,
    pub images: BTreeMap<ImageId, SimulatedImage>,
    pub tags: BTreeMap<ImageReference, ImageId>,
    pub registry: BTreeMap<ImageReference, RegistryImage>,
    /// Content of files on the host, by path.
    pub files: BTreeMap<String, String>,
    /// Paths that are not there; any other is.
    pub missing_paths: BTreeSet<String>,
    /// What the engine does not hold of a new container.
    pub forgets: fn(&mut ContainerSpec),
    /// Host ports that a process outside of the engine has.
    pub foreign_ports: BTreeSet<PortHeld>,
    pub held_ports: BTreeMap<PortHeld, Key>,
    /// While the engine is down: when it is up again.
    pub down_until: Option<Timestamp>,
    /// The connection to it is cut until then.
    cut_until: Timestamp,
    seed: u64,
    drawn: u64,
    next_key: Key,
    /// Whether somebody watches, and what is to be told to them.
    pub watched: bool,
    pub told: Vec<EngineEvent>,
    /// What was last known of the health of each container, and of which of its starts.
    pub healths: BTreeMap<Key, (u32, Health)>,
    /// What happens by itself, and when.
    agenda: BTreeSet<(Timestamp, Key)>,
    /// The agenda's entry of each container.
    due: BTreeMap<Key, Timestamp>,
}

/// A network of the simulation.
#[derive(Clone, Debug)]
pub(super) struct SimulatedNetwork {
    pub name: NetworkName,
    pub definition: NetworkDefinition,
    pub labels: BTreeMap<String, String>,
    /// First address and prefix length.
    pub subnet: (Ipv4Addr, u8),
    /// Whether the subnet was asked for, so that fixed addresses are allowed.
    pub configured: bool,
    pub taken: BTreeMap<Ipv4Addr, Key>,
    /// Where the search for a free address goes on.
    pub next: u32,
    /// Containers that are on it now.
    pub attached: BTreeSet<Key>,
}

/// A volume of the simulation.
#[derive(Clone, Debug)]
pub(super) struct SimulatedVolume {
    pub definition: VolumeDefinition,
    pub labels: BTreeMap<String, String>,
    /// The containers that have it, running or not.
    pub users: BTreeSet<Key>,
}

/// An image on the engine.
#[derive(Clone, Debug)]
pub(super) struct SimulatedImage {
    pub config: ImageConfig,
    pub behaviour: Behaviour,
    pub digests: Vec<String>,
    /// How many containers are made from it.
    pub users: u64,
}

/// An image at a registry.
#[derive(Clone, Debug)]
pub(super) struct RegistryImage {
    pub id: ImageId,
    pub digest: String,
    pub size: Bytes,
    pub config: ImageConfig,
    pub behaviour: Behaviour,
    /// Who may pull it; `None`: everybody.
    pub login: Option<Login>,
}

impl World {
    pub fn new(now: Timestamp, seed: u64) -> World {
        let mut world = World {
            now,
            facts: EngineFacts::default(),
            containers: BTreeMap::new(),
            by_name: BTreeMap::new(),
            by_id: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            images: BTreeMap::new(),
            tags: BTreeMap::new(),
            registry: BTreeMap::new(),
            files: BTreeMap::new(),
            missing_paths: BTreeSet::new(),
            forgets: |_| {},
            foreign_ports: BTreeSet::new(),
            held_ports: BTreeMap::new(),
            down_until: None,
            cut_until: now,
            seed,
            drawn: 0,
            next_key: ENGINE + 1,
            watched: false,
            told: Vec::new(),
            healths: BTreeMap::new(),
            agenda: BTreeSet::new(),
            due: BTreeMap::new(),
        };
        world.facts = EngineFacts {
            id: world.draw_id("engine"),
            version: "20.10.24".to_owned(),
            api: (1, 41),
            host_name: "simulated".to_owned(),
            memory: Bytes(16 << 30),
            cpus: NanoCpus(4_000_000_000),
            logging_driver: "json-file".to_owned(),
            cgroup_version: 1,
            images_by_digest: false,
            supports: Supports { blkio_weight: false, ..Supports::default() },
        };
        world.add_predefined_networks();
        world
    }

    /// Sixty-four hex digits that nothing else has: the same ones in each run of one scenario.
    pub fn draw_id(&mut self, what: &str) -> String {
        self.drawn += 1;
        hex::encode(Sha256::digest(format!("{} {what} {}", self.seed, self.drawn)))
    }

    /// A number below `bound` (0 for 0), the same for the same container and start.
    pub fn draw(&self, key: Key, start: u32, bound: u64) -> u64 {
        let digest = Sha256::digest(format!("{} {key} {start}", self.seed));
        let number = digest.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        number.checked_rem(bound).unwrap_or(0)
    }

    /// The key of a container by its name, its id or the beginning of it.
    pub fn key(&self, id_or_name: &str) -> Answer<Key> {
        let name = ContainerName::from(id_or_name.trim_start_matches('/'));
        if let Some(key) = self.by_name.get(&name).or_else(|| self.by_id.get(&ContainerId::from(id_or_name))) {
            return Ok(*key);
        }
        let mut matches = self.by_id.range(ContainerId::from(id_or_name)..);
        match matches.next() {
            Some((id, key)) if id_or_name.len() >= 4 && id.as_str().starts_with(id_or_name) => Ok(*key),
            _ => Err(no_container(id_or_name)),
        }
    }

    /// A container by its key.
    pub fn at(&self, key: Key) -> Answer<&Container> {
        self.containers.get(&key).ok_or_else(|| no_container(&key.to_string()))
    }

    /// A container by its key, to change.
    pub fn at_mut(&mut self, key: Key) -> Answer<&mut Container> {
        self.containers.get_mut(&key).ok_or_else(|| no_container(&key.to_string()))
    }

    /// Takes up a new container.
    pub fn insert(&mut self, container: Container) -> Key {
        let key = self.next_key;
        self.next_key += 1;
        self.by_name.insert(container.name.clone(), key);
        self.by_id.insert(container.id.clone(), key);
        self.containers.insert(key, container);
        key
    }

    /// Writes into the agenda when this container changes next by itself; called after each of its changes.
    pub fn schedule(&mut self, key: Key) {
        if let Some(at) = self.due.remove(&key) {
            self.agenda.remove(&(at, key));
        }
        if let Some(at) = self.containers.get(&key).and_then(Container::due) {
            self.due.insert(key, at);
            self.agenda.insert((at, key));
        }
    }

    /// Lets time pass: everything that was due happens in its order. Says whether anything did.
    pub fn advance(&mut self, now: Timestamp) -> bool {
        let mut happened = false;
        while let Some((at, key)) = self.agenda.first().copied().filter(|(at, _)| *at <= now) {
            self.agenda.remove(&(at, key));
            self.due.remove(&key);
            self.now = self.now.max(at);
            match key {
                ENGINE => self.come_up(),
                key => self.happen(key),
            }
            happened = true;
        }
        self.now = self.now.max(now);
        happened
    }

    /// When the next thing happens by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// The engine goes away and comes back after `span`.
    pub fn go_down(&mut self, span: Millis) {
        let until = self.now.plus(span);
        if let Some(before) = self.down_until.replace(until) {
            self.agenda.remove(&(before, ENGINE));
        }
        self.agenda.insert((until, ENGINE));
    }

    /// No call gets through for `span`; what runs, runs on.
    pub fn cut_off(&mut self, span: Millis) {
        self.cut_until = self.now.plus(span);
    }

    /// Whether calls get through.
    pub fn is_reachable(&self) -> bool {
        self.down_until.is_none() && self.now >= self.cut_until
    }

    /// The one network of this name or id; `NotFound` when there is none, `Rejected` when there are twins.
    pub fn network_id(&self, name: &str) -> Answer<String> {
        if self.networks.contains_key(name) {
            return Ok(name.to_owned());
        }
        let mut ids = self.networks.iter().filter(|(_, network)| network.name.as_str() == name).map(|(id, _)| id);
        match (ids.next(), ids.count()) {
            (Some(id), 0) => Ok(id.clone()),
            (Some(_), more) => {
                Err(No::rejected(format!("network {name} is ambiguous ({} matches found on name)", more + 1)))
            }
            (None, _) => Err(No::missing(format!("network {name} not found"))),
        }
    }
}

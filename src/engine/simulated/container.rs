//! One simulated container: what it is made from, where in its life it is, and what follows from that at a given time.
//! Changes nothing by itself; `life` moves it on.

use super::behaviour::Behaviour;
use crate::model::{
    container::{Attachment, ContainerSpec, Healthcheck, MountSource, NetworkMode},
    names::{ContainerId, ContainerName, ImageId, NetworkName, VolumeName},
    observed::{ContainerState, Health, ObservedContainer, Status},
    units::{Bytes, Millis, Timestamp},
};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// The engine's own defaults of a health check.
const INTERVAL: Millis = Millis::seconds(30);
const RETRIES: u32 = 3;

/// A container of the simulation.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub id: ContainerId,
    pub name: ContainerName,
    pub image: ImageId,
    pub created: Timestamp,
    /// As inspect shows it, but for `networks`.
    pub spec: ContainerSpec,
    pub endpoints: BTreeMap<NetworkName, Endpoint>,
    pub volumes: Vec<MountedVolume>,
    pub behaviour: Behaviour,
    pub phase: Phase,
    pub exit_code: i64,
    pub oom_killed: bool,
    pub error: String,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub restart_count: u32,
    /// Before the next start by the restart policy.
    pub backoff: Millis,
    pub manually_stopped: bool,
    /// Starts so far, by whomever; also which incarnation of its namespaces exists.
    pub starts: u32,
    pub log: String,
    /// Content of the bound files that the process sees: that at its start.
    pub files: BTreeMap<String, String>,
    /// Content of the files that were written into it.
    pub written: BTreeMap<String, String>,
    /// The host ports that it holds while it runs.
    pub held_ports: BTreeSet<PortHeld>,
}

/// `(port, protocol, address)` on the host; an empty address is every one.
pub(super) type PortHeld = (u16, String, String);

/// Where in its life a container is.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Created,
    Running(Running),
    /// Waits for its restart policy.
    Restarting {
        until: Timestamp,
    },
    Exited,
}

/// A process that runs.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub started: Timestamp,
    pub ready_at: Option<Timestamp>,
    pub ends: Option<Ending>,
    /// Whose network it uses, and which incarnation of it: another one since then is no network at all.
    pub joined: Option<(ContainerId, u32)>,
    /// Frozen by `docker pause` since then.
    pub paused: Option<Timestamp>,
    /// How long it was frozen before that.
    pub frozen: Millis,
    /// When it last went on after it was frozen, in its own time.
    pub resumed: Option<Timestamp>,
}

impl Running {
    /// The time as its process has it, which stands still while it is frozen.
    pub fn own(&self, now: Timestamp) -> Timestamp {
        let now = self.paused.unwrap_or(now);
        Timestamp(now.0.saturating_sub(i64::try_from(self.frozen.0).unwrap_or(i64::MAX)))
    }
}

/// How a process will end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub at: Timestamp,
    pub code: i64,
    pub oom: bool,
}

/// A container on a network.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub attachment: Attachment,
    /// Known from the first start on; a network of the same name made later is another one.
    pub network: Option<String>,
    /// While it runs.
    pub address: Option<String>,
}

/// A volume in a container.
#[derive(Clone, Debug)]
pub(super) struct MountedVolume {
    pub name: VolumeName,
    pub target: String,
    /// It was made for this container (or carried with `volumes_from`): it goes with `remove volumes=true`. One that is
    /// named in the create request does not, even where its name is that of an anonymous one.
    pub anonymous: bool,
    pub writable: bool,
}

impl Container {
    pub fn running(&self) -> Option<&Running> {
        match &self.phase {
            Phase::Running(running) => Some(running),
            _ => None,
        }
    }

    /// What the engine's own lists call running.
    pub fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Running(_) | Phase::Restarting { .. })
    }

    /// What it is called on each network of the user's beside the aliases that were asked for.
    pub fn own_aliases(&self) -> Vec<SmolStr> {
        std::iter::once(self.id.short()).chain(self.spec.hostname.as_deref()).map(Into::into).collect()
    }

    /// When something happens to it next by itself.
    pub fn due(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Running(Running { paused: Some(_), .. }) => None,
            Phase::Running(running) => running.ends.map(|ending| ending.at),
            Phase::Restarting { until } => Some(*until),
            Phase::Created | Phase::Exited => None,
        }
    }

    /// Whether its process is frozen.
    pub fn is_paused(&self) -> bool {
        self.running().is_some_and(|running| running.paused.is_some())
    }

    /// Whether its process does its work at `now`.
    pub fn serves(&self, now: Timestamp) -> bool {
        self.listens(now) && !self.is_paused()
    }

    /// Whether a connection to it opens at `now`: the kernel takes it even for a process that is frozen.
    pub fn listens(&self, now: Timestamp) -> bool {
        let Some(running) = self.running() else { return false };
        let now = running.own(now);
        let ready = running.ready_at.is_some_and(|at| now >= at);
        let unwell = self.behaviour.unwell_after.is_some_and(|span| now >= running.started.plus(span));
        ready && !unwell
    }

    /// What a user of it would call ready: it works, and Docker says so too where it checks.
    pub fn is_ready(&self, now: Timestamp) -> bool {
        self.serves(now) && matches!(self.health(now), Health::None | Health::Healthy)
    }

    /// The check that Docker makes, where it makes one.
    fn check(&self) -> Option<&Healthcheck> {
        self.spec.healthcheck.as_ref().filter(|check| !check.is_none() && !check.test.is_empty())
    }

    /// What Docker says of its health at `now`: a check an interval after the start and after each interval.
    pub fn health(&self, now: Timestamp) -> Health {
        let Some(check) = self.check() else { return Health::None };
        let Some(running) = self.running() else {
            return if self.starts == 0 { Health::None } else { Health::Unhealthy };
        };
        let now = running.own(now);
        let interval = interval(check);
        // A monitor that was stopped leaves `unhealthy` behind, until its first check afterwards succeeds.
        let blind = |since: Timestamp| now.since(since).0 < interval;
        if running.paused.is_some() || running.resumed.is_some_and(blind) {
            return Health::Unhealthy;
        }
        match self.health_by_checks(check, running, now) {
            Health::Starting if running.resumed.is_some() => Health::Unhealthy,
            health => health,
        }
    }

    fn health_by_checks(&self, check: &Healthcheck, running: &Running, now: Timestamp) -> Health {
        let interval = interval(check);
        let start_period = check.start_period.unwrap_or_default().0;
        let retries = u64::from(check.retries.filter(|count| *count > 0).unwrap_or(RETRIES));
        let checks = now.since(running.started).0 / interval;
        let (first_good, last_good) = self.good_checks(check, running, interval);
        let failing = match (first_good, last_good) {
            (Some(first), _) if checks < first => None,
            (Some(_), Some(last)) if checks > last => Some(checks - last),
            (Some(_), _) => return Health::Healthy,
            (None, _) => None,
        };
        match failing {
            Some(streak) if streak >= retries => Health::Unhealthy,
            Some(_) => Health::Healthy,
            // Never good so far: failures within the start period do not count.
            None if checks.saturating_sub(start_period.saturating_sub(1) / interval) >= retries => Health::Unhealthy,
            None => Health::Starting,
        }
    }

    /// When the next check will have been made, where one is.
    pub fn next_check(&self, now: Timestamp) -> Option<Timestamp> {
        let (check, running) = (self.check()?, self.running()?);
        if running.paused.is_some() {
            return None;
        }
        let interval = interval(check);
        let base = running.resumed.unwrap_or(running.started);
        Some(now.plus(Millis(interval - running.own(now).since(base).0 % interval)))
    }

    /// The numbers of the first and the last check that succeed; `None`: there is no first, there is no last.
    fn good_checks(&self, check: &Healthcheck, running: &Running, interval: u64) -> (Option<u64>, Option<u64>) {
        let words: Vec<&str> = check.test.iter().map(|word| word.reveal()).collect();
        match super::exec::fixed_exit(words.get(1..).unwrap_or_default()) {
            Some(0) => return (Some(1), None),
            Some(_) => return (None, None),
            None => {}
        }
        let Some(ready_at) = running.ready_at else { return (None, None) };
        let first = ready_at.since(running.started).0.div_ceil(interval).max(1);
        let last = self.behaviour.unwell_after.map(|span| span.0.div_ceil(interval).saturating_sub(1));
        match last {
            Some(last) if last < first => (None, None),
            last => (Some(first), last),
        }
    }

    /// What its process uses at `now`.
    pub fn memory_used(&self, now: Timestamp) -> Bytes {
        match self.running() {
            Some(running) if running.ready_at.is_some_and(|at| running.own(now) >= at) => self.behaviour.memory,
            Some(_) => Bytes(self.behaviour.memory.0 / 4),
            None => Bytes(0),
        }
    }

    /// As inspect shows it at `now`.
    pub fn inspect(&self, now: Timestamp) -> ObservedContainer {
        let mut spec = self.spec.clone();
        // On the default network nothing is ever asked for, so it is not shown.
        let own = if spec.network_mode == NetworkMode::Bridge { super::networks::DEFAULT } else { "" };
        let shown = self.endpoints.iter().filter(|(name, _)| name.as_str() != own);
        spec.networks = shown.map(|(name, endpoint)| (name.clone(), endpoint.attachment.clone())).collect();
        let addresses = self
            .endpoints
            .iter()
            .filter_map(|(name, endpoint)| Some((name.clone(), endpoint.address.clone()?)))
            .collect();
        ObservedContainer {
            id: self.id.clone(),
            name: self.name.clone(),
            image: self.image.clone(),
            created: self.created,
            state: self.state(now),
            spec,
            addresses,
            memory_used: None,
        }
    }

    fn state(&self, now: Timestamp) -> ContainerState {
        let status = match self.phase {
            Phase::Created => Status::Created,
            Phase::Running(Running { paused: Some(_), .. }) => Status::Paused,
            Phase::Running(_) => Status::Running,
            Phase::Restarting { .. } => Status::Restarting,
            Phase::Exited => Status::Exited,
        };
        // Any number that is not 0, as long as it differs from start to start.
        let pid = if self.running().is_some() { 1000 + self.starts } else { 0 };
        ContainerState {
            status,
            exit_code: self.exit_code,
            oom_killed: self.oom_killed,
            error: self.error.clone(),
            started_at: self.started_at,
            finished_at: self.finished_at,
            restart_count: self.restart_count,
            health: self.health(now),
            pid,
        }
    }

    /// The paths of the host that it can write.
    pub fn writable_binds(&self) -> impl Iterator<Item = &String> {
        self.spec.mounts.values().filter(|mount| !mount.read_only).filter_map(|mount| match &mount.source {
            MountSource::Bind(path) => Some(path),
            _ => None,
        })
    }
}

/// Between two health checks, in milliseconds.
fn interval(check: &Healthcheck) -> u64 {
    check.interval.filter(|span| span.0 > 0).unwrap_or(INTERVAL).0
}

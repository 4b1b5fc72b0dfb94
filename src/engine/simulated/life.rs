//! The life of simulated containers: start, end, the engine's restart policy, stop, kill, removal, and the restart of the
//! engine itself. As Docker 20.10 does it, surprises included.

use super::{
    container::{Container, Ending, MountedVolume, Phase, PortHeld, Running},
    no::{Answer, No, no_container},
    world::{Key, World},
};
use crate::model::{
    container::{MountSource, NetworkMode, RestartPolicy},
    names::ContainerId,
    units::{Millis, Timestamp},
};
use std::collections::{BTreeMap, BTreeSet};

/// The restart policy waits so long at first, twice as long each time, and at most so long; a process that ran for so
/// long starts it over.
const BACKOFF_FIRST: Millis = Millis(100);
const BACKOFF_MAX: Millis = Millis::minutes(1);
const BACKOFF_OVER: Millis = Millis::seconds(10);
/// A stop without a grace of its own.
const GRACE: Millis = Millis::seconds(10);
/// What the kernel's kill gives.
const KILLED: i64 = 137;

impl World {
    /// Starts a container, as `docker start` does. One that is up already stays as it is.
    pub fn start(&mut self, key: Key) -> Answer<()> {
        if self.at(key)?.is_paused() {
            return Err(No::conflict("cannot start a paused container, try unpause instead"));
        }
        if self.at(key)?.is_up() {
            return Ok(());
        }
        self.run(key)?;
        let container = self.at_mut(key)?;
        container.restart_count = 0;
        container.backoff = Millis(0);
        container.manually_stopped = false;
        Ok(())
    }

    /// Freezes its process, as `docker pause` does.
    pub fn pause(&mut self, key: Key) -> Answer<()> {
        let now = self.now;
        let container = self.at_mut(key)?;
        let id = container.id.clone();
        match &mut container.phase {
            Phase::Running(Running { paused: Some(_), .. }) => {
                return Err(No::conflict(format!("Container {id} is already paused")));
            }
            Phase::Running(running) => running.paused = Some(now),
            Phase::Restarting { .. } => {
                return Err(No::conflict(format!("Container {id} is restarting, wait until the container is running")));
            }
            Phase::Created | Phase::Exited => return Err(No::conflict(format!("Container {id} is not running"))),
        }
        self.schedule(key);
        self.tell_of(key, "pause");
        Ok(())
    }

    /// Lets a paused container go on; what was to come comes as much later as it was frozen.
    pub fn unpause(&mut self, key: Key) -> Answer<()> {
        let now = self.now;
        let container = self.at_mut(key)?;
        let not_paused = No::internal(format!("Container {} is not paused", container.id));
        let Phase::Running(running) = &mut container.phase else { return Err(not_paused) };
        let Some(since) = running.paused.take() else { return Err(not_paused) };
        let span = now.since(since);
        running.frozen = Millis(running.frozen.0.saturating_add(span.0));
        running.resumed = Some(running.own(now));
        if let Some(ending) = &mut running.ends {
            ending.at = ending.at.plus(span);
        }
        self.schedule(key);
        self.tell_of(key, "unpause");
        Ok(())
    }

    /// Asks a container to stop, and says when it will have. `None`: it does not run.
    pub fn begin_stop(&mut self, key: Key, grace: Option<Millis>) -> Answer<Option<Timestamp>> {
        let now = self.now;
        if self.at(key)?.is_paused() {
            // Its signal waits for it, and the engine lets it go on to get it.
            self.unpause(key)?;
        }
        let container = self.at_mut(key)?;
        let running = match &mut container.phase {
            Phase::Running(running) => running,
            Phase::Restarting { .. } => {
                container.manually_stopped = true;
                container.phase = Phase::Exited;
                self.schedule(key);
                return Ok(None);
            }
            Phase::Created | Phase::Exited => return Ok(None),
        };
        container.manually_stopped = true;
        let grace = grace.or(container.spec.stop_grace).unwrap_or(GRACE);
        let kills =
            container.spec.stop_signal.as_deref().is_some_and(|signal| matches!(signal, "SIGKILL" | "KILL" | "9"));
        let stopped = match container.behaviour.stop_takes {
            _ if kills => Ending { at: now, code: KILLED, oom: false },
            Some(span) if span <= grace => {
                Ending { at: now.plus(span), code: container.behaviour.stop_code, oom: false }
            }
            _ => Ending { at: now.plus(grace), code: KILLED, oom: false },
        };
        let ending = running.ends.filter(|ending| ending.at < stopped.at).unwrap_or(stopped);
        running.ends = Some(ending);
        self.schedule(key);
        Ok(Some(ending.at))
    }

    /// Kills its process by hand: the restart policy does not act.
    pub fn kill(&mut self, key: Key) -> Answer<()> {
        let now = self.now;
        let container = self.at_mut(key)?;
        if container.running().is_none() {
            return Err(No::conflict(format!("Container {} is not running", container.id)));
        }
        container.manually_stopped = true;
        self.end(key, Ending { at: now, code: KILLED, oom: false });
        Ok(())
    }

    /// Ends a process that is being stopped, without waiting for it.
    pub fn end_now(&mut self, key: Key) {
        if let Some(Some(ending)) = self.containers.get(&key).and_then(Container::running).map(|running| running.ends) {
            self.end(key, Ending { at: self.now, ..ending });
        }
    }

    /// Its process dies by itself: the restart policy acts.
    pub fn die(&mut self, key: Key, code: i64, oom: bool) -> Answer<()> {
        if self.at(key)?.running().is_none() {
            return Err(No::conflict("it does not run"));
        }
        let at = self.now;
        self.end(key, Ending { at, code, oom });
        Ok(())
    }

    /// Removes a container.
    pub fn remove(&mut self, key: Key, force: bool, volumes: bool) -> Answer<()> {
        let container = self.at(key)?;
        if container.is_up() && !force {
            let (id, state) = (&container.id, if container.is_paused() { "paused" } else { "running" });
            return Err(No::conflict(format!("You cannot remove a {state} container {id}. Stop the container first")));
        }
        if container.running().is_some() {
            self.kill(key)?;
        }
        self.tell_of(key, "destroy");
        let Some(container) = self.containers.remove(&key) else { return Err(no_container("")) };
        self.schedule(key);
        self.by_name.remove(&container.name);
        self.by_id.remove(&container.id);
        if let Some(image) = self.images.get_mut(&container.image) {
            image.users = image.users.saturating_sub(1);
        }
        for mounted in &container.volumes {
            let Some(volume) = self.volumes.get_mut(&mounted.name) else { continue };
            volume.users.remove(&key);
            // Docker looks at how this container got it, not at whose it is: see `MountedVolume::anonymous`.
            if volumes && mounted.anonymous && volume.users.is_empty() {
                self.volumes.remove(&mounted.name);
            }
        }
        Ok(())
    }

    /// What was due for a container happens.
    pub fn happen(&mut self, key: Key) {
        match self.containers.get(&key).map(|container| container.phase.clone()) {
            Some(Phase::Running(Running { ends: Some(ending), .. })) => self.end(key, ending),
            Some(Phase::Restarting { .. }) => {
                if let Err(no) = self.run(key) {
                    self.fail_to_start(key, no.message);
                }
            }
            _ => {}
        }
    }

    /// The engine is shut down and comes back after `span`: its containers end, and then some of them start again.
    pub fn restart_engine(&mut self, span: Millis) {
        let now = self.now;
        for key in self.containers.keys().copied().collect::<Vec<_>>() {
            let Some(container) = self.containers.get_mut(&key) else { continue };
            match container.phase {
                Phase::Running(_) => {
                    let asked = container.behaviour.stop_takes.is_some();
                    let code = if asked { container.behaviour.stop_code } else { KILLED };
                    self.finish(key, Ending { at: now, code, oom: false });
                }
                Phase::Restarting { .. } => container.phase = Phase::Exited,
                Phase::Created | Phase::Exited => {}
            }
            self.schedule(key);
        }
        self.go_down(span);
    }

    /// The engine is there again and starts what its restart policy says: `always` even where it was stopped by hand, and
    /// `on-failure` too where the stop gave a code other than 0.
    pub fn come_up(&mut self) {
        self.down_until = None;
        for key in self.containers.keys().copied().collect::<Vec<_>>() {
            let Some(container) = self.containers.get(&key) else { continue };
            let starts = match container.spec.restart {
                _ if container.starts == 0 || container.is_up() => false,
                RestartPolicy::No => false,
                RestartPolicy::Always => true,
                RestartPolicy::UnlessStopped => !container.manually_stopped,
                RestartPolicy::OnFailure(max) => {
                    container.exit_code != 0 && (max == 0 || container.restart_count < max)
                }
            };
            if starts && let Err(no) = self.start(key) {
                self.fail_to_start(key, no.message);
            }
        }
    }

    /// Brings its process up, with all that it needs from its surroundings.
    fn run(&mut self, key: Key) -> Answer<()> {
        if let Err(no) = self.acquire(key) {
            self.release(key);
            let container = self.at_mut(key)?;
            if container.exit_code == 0 {
                container.exit_code = 128;
            }
            container.error = no.message.clone();
            return Err(no);
        }
        let joined = self.join(key)?;
        let now = self.now;
        let start = self.at(key)?.starts + 1;
        let jitter = self.draw(key, start, self.at(key)?.behaviour.jitter.0);
        let files = self.files_seen(key)?;
        let container = self.at_mut(key)?;
        container.starts = start;
        container.files = files;
        container.exit_code = 0;
        container.oom_killed = false;
        container.error.clear();
        container.started_at = Some(now);
        container.log.push_str(&container.behaviour.log);
        let ready_at = container.behaviour.ready_after.map(|span| now.plus(Millis(span.0 + jitter)));
        let ends = ending(container, now, ready_at);
        let fresh = Running { started: now, ready_at, ends, joined, paused: None, frozen: Millis(0), resumed: None };
        container.phase = Phase::Running(fresh);
        self.schedule(key);
        self.tell_of(key, "start");
        Ok(())
    }

    fn acquire(&mut self, key: Key) -> Answer<()> {
        self.join(key)?;
        self.attach_all(key)?;
        self.hold_ports(key)
    }

    /// Gives back what only a running container has.
    fn release(&mut self, key: Key) {
        self.detach_all(key);
        if let Some(container) = self.containers.get_mut(&key) {
            for port in std::mem::take(&mut container.held_ports) {
                self.held_ports.remove(&port);
            }
        }
    }

    /// Whose network it joins, and which incarnation of it.
    fn join(&self, key: Key) -> Answer<Option<(ContainerId, u32)>> {
        let NetworkMode::Container(parent) = &self.at(key)?.spec.network_mode else { return Ok(None) };
        let parent = self.key(parent.as_str())?;
        if parent == key {
            return Err(No::internal("cannot join own network"));
        }
        let parent = self.at(parent)?;
        match parent.running() {
            Some(_) => Ok(Some((parent.id.clone(), parent.starts))),
            None => Err(No::conflict(format!("cannot join network of a non running container: {}", parent.id))),
        }
    }

    fn files_seen(&self, key: Key) -> Answer<BTreeMap<String, String>> {
        let mounts = &self.at(key)?.spec.mounts;
        let seen = mounts.iter().filter_map(|(target, mount)| match &mount.source {
            MountSource::Bind(path) => Some((target.clone(), self.files.get(path)?.clone())),
            _ => None,
        });
        Ok(seen.collect())
    }

    /// Its process ended; the restart policy says what comes next.
    fn end(&mut self, key: Key, ending: Ending) {
        let Some(container) = self.containers.get(&key) else { return };
        let ran = container.running().map_or(Millis(0), |running| ending.at.since(running.started));
        let again = !container.manually_stopped
            && match container.spec.restart {
                RestartPolicy::No => false,
                RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
                RestartPolicy::OnFailure(max) => ending.code != 0 && (max == 0 || container.restart_count < max),
            };
        self.finish(key, ending);
        if again && let Some(container) = self.containers.get_mut(&key) {
            container.backoff = match container.backoff {
                _ if ran >= BACKOFF_OVER => BACKOFF_FIRST,
                Millis(0) => BACKOFF_FIRST,
                Millis(before) => Millis(before * 2).min(BACKOFF_MAX),
            };
            container.restart_count += 1;
            container.phase = Phase::Restarting { until: ending.at.plus(container.backoff) };
        }
        self.schedule(key);
    }

    fn finish(&mut self, key: Key, ending: Ending) {
        if ending.oom {
            self.tell_of(key, "oom");
        }
        self.tell_of(key, "die");
        self.release(key);
        if let Some(container) = self.containers.get_mut(&key) {
            container.phase = Phase::Exited;
            container.exit_code = ending.code;
            container.oom_killed = ending.oom;
            container.finished_at = Some(ending.at);
        }
    }

    /// A start by the restart policy or by the engine failed: it stays down.
    fn fail_to_start(&mut self, key: Key, message: String) {
        if let Some(container) = self.containers.get_mut(&key) {
            container.error = message;
            container.phase = Phase::Exited;
        }
        self.schedule(key);
    }

    fn hold_ports(&mut self, key: Key) -> Answer<()> {
        let container = self.at(key)?;
        let mut held = BTreeSet::new();
        for (place, bindings) in &container.spec.ports {
            let protocol = place.split_once('/').map_or("tcp", |(_, protocol)| protocol);
            for binding in bindings {
                let address = if binding.address == "0.0.0.0" { "" } else { binding.address.as_str() };
                let (first, last) = port_range(&binding.port);
                let free = (first..=last).find(|port| {
                    !held.contains(&(*port, protocol.to_owned(), address.to_owned()))
                        && !self.is_port_taken(*port, protocol, address)
                });
                let Some(free) = free else {
                    let shown = if address.is_empty() { "0.0.0.0" } else { address };
                    let port = &binding.port;
                    return Err(No::internal(format!("Bind for {shown}:{port} failed: port is already allocated")));
                };
                held.insert((free, protocol.to_owned(), address.to_owned()));
            }
        }
        self.held_ports.extend(held.iter().map(|port| (port.clone(), key)));
        self.at_mut(key)?.held_ports = held;
        Ok(())
    }

    fn is_port_taken(&self, port: u16, protocol: &str, address: &str) -> bool {
        let from = (port, protocol.to_owned(), String::new());
        let same = |held: &&PortHeld| held.0 == port && held.1 == protocol;
        let clashes = |held: &PortHeld| held.2 == address || held.2.is_empty() || address.is_empty();
        let ours = self.held_ports.range(from.clone()..).map(|(held, _)| held).take_while(same);
        let foreign = self.foreign_ports.range(from..).take_while(same);
        ours.chain(foreign).any(clashes)
    }

    /// Whether a container's network works: a shared one does not after a restart of the container that it belongs to.
    pub fn is_connected(&self, container: &Container) -> bool {
        match container.running().map(|running| &running.joined) {
            Some(Some((parent, start))) => self
                .by_id
                .get(parent)
                .and_then(|key| self.containers.get(key))
                .is_some_and(|parent| parent.starts == *start && parent.running().is_some()),
            Some(None) => true,
            None => false,
        }
    }

    /// The volumes that a container has from another one's `volumes_from`, as that one has them.
    pub fn volumes_from(&self, sources: &[String]) -> Answer<Vec<MountedVolume>> {
        let mut volumes = Vec::new();
        for source in sources {
            let (name, mode) = source.split_once(':').unwrap_or((source, "rw"));
            for volume in &self.at(self.key(name)?)?.volumes {
                volumes.push(MountedVolume { writable: volume.writable && mode != "ro", ..volume.clone() });
            }
        }
        Ok(volumes)
    }
}

/// How this start will end by itself.
fn ending(container: &Container, now: Timestamp, ready_at: Option<Timestamp>) -> Option<Ending> {
    let planned = container
        .behaviour
        .exit
        .filter(|exit| exit.times.is_none_or(|times| container.starts <= times))
        .map(|exit| Ending { at: now.plus(exit.after), code: exit.code, oom: exit.out_of_memory });
    let limit = container.spec.limits.memory.filter(|limit| limit.0 > 0);
    let starved = match (limit, ready_at) {
        (Some(limit), Some(at)) if container.behaviour.memory > limit => Some(Ending { at, code: KILLED, oom: true }),
        _ => None,
    };
    [planned, starved].into_iter().flatten().min_by_key(|ending| ending.at)
}

/// The host ports that a binding may take: one, a range, or any that the engine gives out.
fn port_range(text: &str) -> (u16, u16) {
    match text.split_once('-') {
        Some((first, last)) => (first.parse().unwrap_or(0), last.parse().unwrap_or(0)),
        None if text.is_empty() => (32768, u16::MAX),
        None => (text.parse().unwrap_or(0), text.parse().unwrap_or(0)),
    }
}

//! Probes of simulated containers: one attempt each, answered from the container's behaviour.

use super::{SimulatedEngine, container::Container, exec, world::World};
use crate::model::{
    container::NetworkMode,
    observed::{Health, ObservedContainer},
    policy::{Probe, ProbeKind},
    units::Timestamp,
};

/// What one attempt gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub ok: bool,
    /// For people.
    pub text: String,
}

impl SimulatedEngine {
    /// How a container answers one attempt of a probe now.
    pub fn answer(&self, probe: &Probe, container: &ObservedContainer) -> Answer {
        let inner = self.now();
        let world = &inner.world;
        let found = world.key(container.id.as_str()).ok().and_then(|key| world.containers.get(&key));
        match found {
            Some(found) => attempt(world, &probe.attempt, found, container),
            None => no("no such container"),
        }
    }
}

fn attempt(world: &World, kind: &ProbeKind, found: &Container, seen: &ObservedContainer) -> Answer {
    let now = world.now;
    match kind {
        ProbeKind::Docker {} => match found.health(now) {
            Health::Healthy => yes("healthy"),
            Health::Starting => no("starting"),
            Health::Unhealthy => no("unhealthy"),
            Health::None => no("there is no health check"),
        },
        ProbeKind::Exec(_) if found.running().is_none() => no("the container does not run"),
        ProbeKind::Exec(_) if found.is_paused() => no("the container is paused"),
        ProbeKind::Exec(probe) => {
            let command: Vec<String> = probe.command.iter().map(|word| word.reveal().to_owned()).collect();
            let answer = exec::answer(found, &command, now);
            let text = format!("exit {}: {}", answer.exit_code, answer.output.trim_end());
            Answer { ok: answer.exit_code == 0, text }
        }
        ProbeKind::Tcp(probe) => match reach(world, found, seen, probe.port, now) {
            Ok(()) => yes("connected"),
            Err(why) => no(why),
        },
        ProbeKind::Http(probe) => match reach(world, found, seen, probe.port, now) {
            Ok(()) if found.is_paused() => no("no answer"),
            Ok(()) => {
                let status = status(found, probe.port, &probe.path);
                Answer { ok: (200..400).contains(&status), text: status.to_string() }
            }
            Err(why) => no(why),
        },
    }
}

/// Whether a connection to a port opens.
fn reach(
    world: &World,
    found: &Container,
    seen: &ObservedContainer,
    port: u16,
    now: Timestamp,
) -> Result<(), &'static str> {
    if found.running().is_none() || !world.is_connected(found) {
        return Err("no route to host");
    }
    let on_networks = matches!(found.spec.network_mode, NetworkMode::Networks | NetworkMode::Bridge);
    let here = |address: &String| found.endpoints.values().any(|at| at.address.as_ref() == Some(address));
    if on_networks && !seen.addresses.values().any(here) {
        return Err("no route to host");
    }
    let answers = &found.behaviour.answers;
    let listens = answers.is_empty() || answers.keys().any(|(at, _)| *at == port);
    if listens && found.listens(now) { Ok(()) } else { Err("connection refused") }
}

fn status(found: &Container, port: u16, path: &str) -> u16 {
    let answers = &found.behaviour.answers;
    match answers.get(&(port, path.to_owned())) {
        Some(status) => *status,
        None if answers.is_empty() => 200,
        None => 404,
    }
}

fn yes(text: &str) -> Answer {
    Answer { ok: true, text: text.to_owned() }
}

fn no(text: &str) -> Answer {
    Answer { ok: false, text: text.to_owned() }
}

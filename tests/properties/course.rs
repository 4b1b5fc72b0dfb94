//! One apply with what goes wrong in it: faults, a kill and the start after it, a lost home.

use crate::{seed::Seed, shape::is_of_stack, stacks::Sketch, support::Host, watch::Watch};
use evenkeel::{
    controllers::stack::{Applied, Request, StackError},
    engine::{
        ErrorKind,
        simulated::{Fault, Foreign},
    },
    model::{
        container::{ContainerSpec, Limits, RestartPolicy},
        desired::{Network, Volume},
        units::Millis,
        value::Value,
    },
};
use std::collections::BTreeMap;

/// How an apply ended.
pub enum Ended {
    Applied(Box<Applied>),
    Refused(StackError),
    Killed,
}

impl Ended {
    /// In a line.
    pub fn told(&self) -> String {
        match self {
            Ended::Applied(applied) => format!("exit {} {:?} {:?}", applied.exit, applied.left, applied.held),
            Ended::Refused(error) => error.to_string(),
            Ended::Killed => "killed".to_owned(),
        }
    }

    /// Its exit code; `None`: it was killed.
    pub fn exit(&self) -> Option<u8> {
        match self {
            Ended::Applied(applied) => Some(applied.exit),
            Ended::Refused(_) => Some(3),
            Ended::Killed => None,
        }
    }
}

/// A host with what is not ours beside the stack.
pub async fn host() -> Host {
    let host = Host::new();
    let late = evenkeel::engine::simulated::Behaviour::ready_after(Millis::seconds(4));
    host.engine.add_image("late:1", Default::default(), late);
    let spec = |labels: &[(&str, &str)]| {
        Box::new(ContainerSpec {
            image: "web:1".into(),
            restart: RestartPolicy::Always,
            labels: labels.iter().map(|(name, text)| ((*name).to_owned(), Value::plain(*text))).collect(),
            ..ContainerSpec::default()
        })
    };
    let project = "com.docker.compose.project";
    let service = "com.docker.compose.service";
    for (name, labels) in [
        ("foreign-plain", &[][..]),
        ("foreign-other-a-1", &[(project, "other"), (service, "a")][..]),
        ("foreign-run-a", &[(project, "shop"), (service, "a"), ("com.docker.compose.oneoff", "True")][..]),
    ] {
        host.engine.meddle(&Foreign::Run(name.into(), spec(labels))).unwrap();
    }
    use evenkeel::engine::{Networks, Volumes};
    host.engine.create_network(&"foreign".into(), &Network::default()).await.unwrap();
    host.engine.create_volume(&"foreign".into(), &Volume::default()).await.unwrap();
    host
}

/// Applies with these faults. After a kill the engine answers again; with `wipe` the home is a new one then.
pub async fn apply(host: &mut Host, request: &Request, faults: Vec<Fault>, wipe: bool) -> Ended {
    match host.apply_with(request, faults, wipe).await {
        Some(Ok(applied)) => Ended::Applied(Box::new(applied)),
        Some(Err(error)) => Ended::Refused(error),
        None => Ended::Killed,
    }
}

/// Says to the watch what must hold while `from` becomes `to`.
pub fn expect(watch: &Watch, host: &Host, from: &Sketch, to: &Sketch, crashes: bool) {
    let snapshot = host.engine.snapshot();
    let mut floors = BTreeMap::new();
    for (name, part) in &to.parts {
        let before = from.parts.get(name);
        let alone = |sketch: &Sketch| {
            sketch.parts.get(name).is_none_or(|part| part.shares.is_none())
                && !sketch.parts.values().any(|part| part.shares == Some(name))
        };
        let first = part.starts_first() && before.is_some_and(crate::stacks::Part::starts_first);
        if !crashes && first && alone(from) && alone(to) {
            let ready = snapshot.containers.iter().filter(|seen| {
                is_of_stack(seen)
                    && seen.ready
                    && seen.service.as_ref().is_some_and(|service| service.as_str() == *name)
            });
            let wanted = part.replicas.min(before.map_or(0, |before| before.replicas)) as usize;
            floors.insert((*name).to_owned(), ready.count().min(wanted));
        }
    }
    let sharing = to
        .parts
        .iter()
        .chain(&from.parts)
        .filter(|(_, part)| part.allows_two_writers())
        .map(|(name, _)| (*name).to_owned())
        .collect();
    watch.expect(floors, sharing);
}

/// Something that goes wrong at one of the first `calls` mutating calls.
pub fn fault(seed: &mut Seed, calls: usize, names: &[String]) -> Fault {
    let at = 1 + seed.below(calls.max(1)) as u64;
    match seed.below(12) {
        0..=2 => Fault::KillBefore(at),
        3..=5 => Fault::KillAfter(at),
        6 | 7 => Fault::LoseReply(at),
        8 => Fault::Fail(at, seed.pick(&[ErrorKind::Rejected, ErrorKind::Conflict, ErrorKind::Refused])),
        9 => Fault::Disconnect(at, seed.pick(&[Millis(500), Millis::seconds(5), Millis::seconds(90)])),
        10 => Fault::RestartEngine(at, seed.pick(&[Millis::seconds(2), Millis::seconds(20), Millis::seconds(90)])),
        _ => Fault::Meddle(at, meddling(seed, names)),
    }
}

fn meddling(seed: &mut Seed, names: &[String]) -> Foreign {
    if names.is_empty() {
        return Foreign::RemoveNetwork("shop_back".into());
    }
    let name = seed.pick(names);
    let name = evenkeel::model::names::ContainerName::new(name);
    match seed.below(9) {
        0 => Foreign::Stop(name),
        1 => Foreign::Kill(name),
        2 => Foreign::Die(name, 1),
        3 => Foreign::Restart(name),
        4 => Foreign::Remove(name, false),
        5 => Foreign::Rename(name, "shop-renamed-by-hand".into()),
        6 => Foreign::Update(name, Box::new(Limits { pids: Some(7), ..Limits::default() }), None),
        7 => Foreign::Disconnect(name, "shop_default".into()),
        _ => Foreign::OutOfMemory(name),
    }
}

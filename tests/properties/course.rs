//! Where stories play, and what goes wrong in them: faults, a kill and the start after it, somebody else's hands.

use crate::{seed::Seed, support::Host};
use evenkeel::{
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
/// A host with what is not ours beside the stack.
pub async fn host() -> Host {
    let host = Host::new();
    let late = evenkeel::engine::simulated::Behaviour::ready_after(Millis::seconds(4));
    host.engine.add_image("late:1", Default::default(), late);
    let spec = |labels: &[(&str, &str)]| {
        Box::new(ContainerSpec {
            image: "web:1".into(),
            restart: RestartPolicy::Always,
            labels: labels.iter().map(|(name, text)| ((*name).into(), Value::plain(*text))).collect(),
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

/// Whether the service of this name is one that somebody else laid hands on.
pub fn is_meddled(fault: &Fault) -> bool {
    matches!(fault, Fault::Meddle(..))
}

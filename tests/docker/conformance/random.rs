//! A course drawn from a seed: any operation on any of a handful of names, sensible or not.

use super::operations::*;
use evenkeel::model::{
    container::{ContainerSpec, Limits, MountSource, RestartPolicy},
    units::{Bytes, NanoCpus},
};

const CONTAINERS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
const NETWORKS: [&str; 2] = ["net-a", "net-b"];
const VOLUMES: [&str; 2] = ["vol-a", "vol-b"];
const TAGS: [&str; 2] = ["tag:1", "tag:2"];
const POLICIES: [RestartPolicy; 4] =
    [RestartPolicy::No, RestartPolicy::Always, RestartPolicy::UnlessStopped, RestartPolicy::OnFailure(3)];

/// So many steps, always the same ones for the same seed.
pub fn course(seed: u64, steps: u64) -> Vec<Operation> {
    let mut dice = Dice(seed.max(1));
    (0..steps).map(|_| step(&mut dice)).collect()
}

/// Marsaglia's xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

fn step(dice: &mut Dice) -> Operation {
    use Operation::*;
    let name = dice.one(&CONTAINERS);
    match dice.below(24) {
        0..=4 => Create(name, Box::new(spec(dice))),
        5..=8 => Start(name),
        9 | 10 => Stop(name, 1),
        11 | 12 => Remove(name, dice.coin(), dice.coin()),
        13 => Rename(name, dice.one(&CONTAINERS)),
        14 => Connect(name, dice.one(&NETWORKS)),
        15 => Disconnect(name, dice.one(&NETWORKS)),
        16 => Update(name, Box::new(limits(dice)), dice.coin().then(|| dice.one(&POLICIES))),
        17 => CreateNetwork(dice.one(&NETWORKS), None),
        18 => RemoveNetwork(dice.one(&NETWORKS)),
        19 => CreateVolume(dice.one(&VOLUMES), dice.one(&["one", "two"])),
        20 => RemoveVolume(dice.one(&VOLUMES)),
        21 => Pause(name),
        22 => Unpause(name),
        _ if dice.coin() => Tag(dice.one(&[crate::support::IMAGE, "evenkeel-test/web:2"]), dice.one(&TAGS)),
        _ if dice.coin() => Untag(dice.one(&TAGS)),
        _ => Kill(name),
    }
}

fn spec(dice: &mut Dice) -> ContainerSpec {
    let spec = match dice.below(9) {
        0 => web(),
        1 => on(dice.one(&NETWORKS), None),
        2 => on(dice.one(&NETWORKS), None),
        3 => volume(dice.one(&VOLUMES)),
        4 => mounts(MountSource::Anonymous(None)),
        5 => with_image_volume(),
        6 => publishes("127.0.0.1", dice.one(&["39181", "39182"])),
        7 => shares(dice.one(&CONTAINERS)),
        _ => limited(memory(64, None)),
    };
    restarts(spec, dice.one(&POLICIES))
}

fn limits(dice: &mut Dice) -> Limits {
    match dice.below(7) {
        0 => memory(64, Some(128)),
        1 => memory(128, None),
        2 => Limits { memory: Some(Bytes(0)), cpus: Some(NanoCpus(0)), ..Limits::default() },
        3 => Limits { cpus: Some(NanoCpus(500_000_000)), ..Limits::default() },
        4 => Limits { pids: Some(50), ..Limits::default() },
        5 => Limits { pids: Some(-1), ..Limits::default() },
        _ => Limits::default(),
    }
}

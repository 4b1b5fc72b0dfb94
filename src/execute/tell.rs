//! Words for people: what a step does, in one line. Decides nothing.

use super::stage::Stage;
use crate::model::{
    names::Resource,
    step::{Does, Gate, Proof, Step},
};

/// What a step does, as an order: `stop webkit-core-1`.
pub(super) fn title(stage: &Stage<'_>, step: &Step) -> String {
    match &step.does {
        Does::Pull(pull) => match pull.size {
            Some(size) => format!("pull {}, {size}", pull.reference),
            None => format!("pull {}", pull.reference),
        },
        Does::CreateNetwork(_) => format!("create network {}", target(step)),
        Does::RemoveNetwork(name) => format!("remove network {name}"),
        Does::CreateVolume(_) => format!("create volume {}", target(step)),
        Does::RemoveVolume(name) => format!("remove volume {name}"),
        Does::Create(create) => format!("create {}", create.name),
        Does::Connect(connect) => format!("connect {} to {}", stage.name_of(&connect.container), connect.network),
        Does::Start { container, .. } => format!("start {}", stage.name_of(container)),
        Does::Unpause { container } => format!("unpause {}", stage.name_of(container)),
        Does::Put(put) => format!("write {} in {}", put.path, stage.name_of(&put.container)),
        Does::Exec(exec) => format!("run {} in {}", exec.hook.in_words(), stage.name_of(&exec.container)),
        Does::Gate(gate) => format!("wait until {} {}", stage.name_of(&gate.container), awaited(gate)),
        Does::Drain { wait } => format!("drain for {wait}"),
        Does::Stop(stop) => format!("stop {}", stage.name_of(&stop.container)),
        Does::Remove(remove) => format!("remove {}", stage.name_of(&remove.container)),
        Does::Rename(rename) => match stage.name_of(&rename.container) {
            name if name == rename.to => format!("give {name} its name back"),
            name => format!("rename {name} to {}", rename.to),
        },
        Does::Update(update) => format!("update {}: {}", stage.name_of(&update.container), update.in_words()),
    }
}

/// The name that a network or volume step is about.
pub(super) fn target(step: &Step) -> &str {
    match &step.target {
        Resource::Service(name) => name.as_str(),
        Resource::Container(name) => name.as_str(),
        Resource::Network(name) => name.as_str(),
        Resource::Volume(name) => name.as_str(),
        Resource::Image(name) => name.as_str(),
        Resource::Stack(name) => name.as_str(),
    }
}

fn awaited(gate: &Gate) -> String {
    match gate.proof {
        Proof::Completed {} => "exits with 0".to_owned(),
        Proof::Ready { .. } if gate.min_ready.0 == 0 => "is ready".to_owned(),
        Proof::Ready { .. } => format!("is ready for {}", gate.min_ready),
    }
}

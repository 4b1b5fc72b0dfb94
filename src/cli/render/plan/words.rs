//! Steps in words: `what` stands beside a step's id, which names the verb already; `sentence` stands alone.

use crate::cli::render::quantities::{image, transfer};
use crate::model::{
    names::{ContainerName, StepId},
    plan::{Plan, Rollout},
    policy::{Probe, ProbeHost, ProbeKind},
    step::{AnonymousVolumes, ContainerRef, Does, Exec, Gate, OnDeadline, Proof, Pull, Remove, Step, Stop},
    units::Millis,
};
use std::collections::BTreeMap;

/// Speaks of the steps of one plan.
pub struct Words<'a> {
    steps: BTreeMap<&'a StepId, &'a Step>,
    /// Container names that one of today's has or will have again: what is made beside it is `(next)`.
    replaced: std::collections::BTreeSet<&'a StepId>,
}

impl<'a> Words<'a> {
    /// Looks over the plan once, so that a step's words take no search.
    pub fn of(plan: &'a Plan) -> Words<'a> {
        let undo = plan.rollouts.iter().flat_map(|rollout| rollout.undo.iter().flat_map(|undo| undo.steps.iter()));
        let steps = plan.steps.iter().chain(undo).map(|step| (&step.id, step)).collect();
        let replacing = plan.rollouts.iter().filter(|rollout| rollout.replaces && rollout.strategy.is_some());
        let replaced = replacing.flat_map(|rollout| rollout.steps.iter()).collect();
        Words { steps, replaced }
    }

    /// The step of this id.
    pub fn step(&self, id: &StepId) -> Option<&'a Step> {
        self.steps.get(id).copied()
    }

    /// What a step is about, for a line that begins with its id; empty where the id says it all.
    pub fn what(&self, step: &Step) -> String {
        match &step.does {
            Does::Pull(pull) => pulled(pull),
            Does::CreateNetwork(network) => match &network.definition.driver {
                Some(driver) => format!("{}, {driver}", thing(step)),
                None => thing(step),
            },
            Does::RemoveNetwork(_) | Does::CreateVolume(_) => thing(step),
            Does::RemoveVolume(_) => format!("{} and its data", thing(step)),
            Does::Create(_) => self.made(&step.id),
            Does::Connect(connect) => format!("{} to network {}", self.container(&connect.container), connect.network),
            Does::Start { container: ContainerRef::Made { .. }, .. } => String::new(),
            Does::Start { container, .. } | Does::Unpause { container } => self.container(container),
            Does::Put(put) => self.container(&put.container),
            Does::Exec(exec) => self.ran(exec, step.deadline),
            Does::Gate(gate) => gated(gate, step.deadline, self.replaced.contains(&step.id)),
            Does::Drain { wait } => wait.to_string(),
            Does::Stop(stop) => self.stopped(stop),
            Does::Remove(remove) => self.removed(remove),
            Does::Rename(rename) => format!("{} to {}", self.container(&rename.container), rename.to),
            Does::Update(update) => update.in_words(),
        }
    }

    /// The step as the words of a sentence: `remove webkit-core-1 (next)`.
    pub fn sentence(&self, step: &Step) -> String {
        match &step.does {
            Does::Pull(_) => format!("pull {}", self.what(step)),
            Does::CreateNetwork(_) | Does::CreateVolume(_) | Does::Create(_) => format!("create {}", self.what(step)),
            Does::RemoveNetwork(_) | Does::RemoveVolume(_) | Does::Remove(_) => format!("remove {}", self.what(step)),
            Does::Connect(_) => format!("connect {}", self.what(step)),
            Does::Start { container, .. } => format!("start {}", self.container(container)),
            Does::Unpause { container } => format!("unpause {}", self.container(container)),
            Does::Put(put) => format!("write {} in {}", put.path, self.container(&put.container)),
            Does::Exec(exec) => format!("run {} in {}", exec.hook.in_words(), self.container(&exec.container)),
            Does::Gate(gate) => format!("wait for {}: {}", self.container(&gate.container), self.what(step)),
            Does::Drain { wait } => format!("wait {wait}"),
            Does::Stop(_) => format!("stop {}", self.what(step)),
            Does::Rename(_) => format!("rename {}", self.what(step)),
            Does::Update(update) => format!("set {} of {}", update.in_words(), self.container(&update.container)),
        }
    }

    /// `webkit-core-1 (8c1f0a1b2c3d)`, `webkit-core-1 (next)`, `webkit-core-1 (kept, 8c1f0a1b2c3d)`.
    fn container(&self, container: &ContainerRef) -> String {
        match container {
            ContainerRef::Made { by } => self.made(by),
            ContainerRef::Existing { id, name } => match final_name(name) {
                Some((prefix, rest)) if prefix == id.short() => format!("{rest} (kept, {prefix})"),
                Some((_, rest)) => format!("{rest} (next, {})", id.short()),
                None => format!("{name} ({})", id.short()),
            },
        }
    }

    fn made(&self, by: &StepId) -> String {
        match self.steps.get(by).map(|step| &step.does) {
            Some(Does::Create(create)) => match final_name(&create.name) {
                Some((_, rest)) => format!("{rest} (next)"),
                None if self.replaced.contains(by) => format!("{} (next)", create.name),
                None => create.name.to_string(),
            },
            _ => by.to_string(),
        }
    }

    fn ran(&self, exec: &Exec, deadline: Millis) -> String {
        let user = exec.hook.user.as_ref().map(|user| format!(" as {user}")).unwrap_or_default();
        let with = if exec.hook.privileged { ", privileged" } else { "" };
        let all_the_same = if exec.may_fail { ", its failure stops nothing" } else { "" };
        format!("{}{user}{with} within {deadline}{all_the_same}", exec.hook.in_words())
    }

    fn stopped(&self, stop: &Stop) -> String {
        match stop.grace {
            Some(grace) => format!("{}, killed after {grace}", self.container(&stop.container)),
            None => self.container(&stop.container),
        }
    }

    fn removed(&self, remove: &Remove) -> String {
        let mut text = self.container(&remove.container);
        match &remove.volumes {
            AnonymousVolumes::Keep => {}
            AnonymousVolumes::RemoveExcept { carried } if carried.is_empty() => {
                text.push_str(" with its anonymous volumes");
            }
            AnonymousVolumes::RemoveExcept { .. } => text.push_str(" with its anonymous volumes but the carried ones"),
        }
        if remove.keep_evidence {
            text.push_str(", its log kept");
        }
        text
    }
}

/// A probe: `http :4001/health`, `tcp :5432`, `exec pg_isready`, `docker's health`.
pub fn probed(probe: &Probe) -> String {
    let host = |host: ProbeHost| match host {
        ProbeHost::Container => "",
        ProbeHost::Loopback => "127.0.0.1",
    };
    match &probe.attempt {
        ProbeKind::Http(http) => format!("http {}:{}{}", host(http.host), http.port, http.path),
        ProbeKind::Tcp(tcp) => format!("tcp {}:{}", host(tcp.host), tcp.port),
        ProbeKind::Exec(exec) => {
            let words: Vec<&str> = exec.command.iter().map(|word| word.shown()).collect();
            format!("exec {}", words.join(" "))
        }
        ProbeKind::Docker {} => "docker's health".to_owned(),
    }
}

fn gated(gate: &Gate, deadline: Millis, replaces: bool) -> String {
    let else_left = match gate.on_deadline {
        OnDeadline::Undo => "",
        OnDeadline::Leave if replaces => ", else both are left as they are",
        OnDeadline::Leave => ", else it is left as it is",
    };
    let Proof::Ready { startup, readiness, docker } = &gate.proof else {
        return format!("exits 0 within {deadline}{else_left}");
    };
    let mut proofs = Vec::new();
    if let Some(probe) = startup {
        proofs.push(format!("startup {}", probed(probe)));
    }
    if let Some(probe) = readiness {
        proofs.push(probed(probe));
    }
    if *docker && !proofs.iter().any(|proof| proof == "docker's health") {
        proofs.push("docker's health".to_owned());
    }
    let state = if proofs.is_empty() { "runs" } else { "ready" };
    let long = if gate.min_ready.0 == 0 { String::new() } else { format!(" for {}", gate.min_ready) };
    proofs.push(format!("{state}{long} within {deadline}{else_left}"));
    proofs.join(", ")
}

fn pulled(pull: &Pull) -> String {
    match pull.size {
        Some(size) => format!("{}, {}", image(&pull.reference), transfer(size)),
        None => image(&pull.reference),
    }
}

/// `network webkit_edge`: the target with a space for its slash.
fn thing(step: &Step) -> String {
    step.target.to_string().replacen('/', " ", 1)
}

/// The id before a name that is not final yet, and the final name.
fn final_name(name: &ContainerName) -> Option<(&str, &str)> {
    let (prefix, rest) = name.as_str().split_once('_')?;
    (prefix.len() == 12 && prefix.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some((prefix, rest))
}

/// The ids of a rollout's steps without what they all begin with: `1/gate` or, with one container, `gate`.
pub fn short_ids<'a>(rollout: &'a Rollout) -> impl Fn(&'a StepId) -> &'a str {
    let prefix = format!("{}/", rollout.id);
    let after_prefix = move |id: &'a StepId| id.as_str().strip_prefix(prefix.as_str()).unwrap_or(id.as_str());
    let mut numbers = rollout.steps.iter().filter_map(|id| numbered(after_prefix(id)));
    let first = numbers.next().map(|(number, _)| number);
    let alone = first.is_some_and(|first| numbers.all(|(number, _)| number == first));
    move |id| match numbered(after_prefix(id)) {
        Some((_, rest)) if alone => rest,
        _ => after_prefix(id),
    }
}

fn numbered(id: &str) -> Option<(&str, &str)> {
    let (number, rest) = id.split_once('/')?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some((number, rest))
}

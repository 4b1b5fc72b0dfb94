//! What is there, sorted: each of our containers belongs to a slot of its service, or is left over. Recovery has no plan
//! to go by, so the sorting reads the inspected state alone; first match wins:
//!
//! - *foreign*: not ours (see `ownership`); never reaches here
//! - *kept*: named `<its own id, 12>_n`: the old container of an unfinished stopFirst rollout
//! - *candidate*: named `<another id, 12>_n`, or named n while a kept one of n exists: not proven yet. The only running
//!   container of n is current, though, unless it or the kept one is what is desired; so is the newest where nothing else
//!   of n is left
//! - *retired*: has stopped for a candidate that is current by now
//! - *finished one-shot*: exited 0
//! - *surplus*: number above `replicas`, no such service, or the older of two with one name and number
//! - *current*: all others

use super::{
    compare::{Comparison, Difference, compare},
    grouped::Grouped,
    order::Places,
    ownership::{Containers, Replica},
};
use crate::model::{
    container::{ContainerSpec, NetworkMode},
    content,
    desired::{Desired, Service},
    image::{ImageConfig, ResolvedImage},
    labels::{compose, ours},
    names::{ContainerId, ContainerName, NetworkName, ServiceName},
    observed::{Observed, ObservedContainer, Status},
    plan::PlanContext,
    value::Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// One replica of a service: the containers that hold its name, or want to.
pub(super) struct Slot<'a> {
    pub number: u32,
    /// The final name.
    pub name: ContainerName,
    pub current: Option<&'a ObservedContainer>,
    /// The old container of an unfinished stopFirst rollout.
    pub kept: Option<&'a ObservedContainer>,
    /// Started, on all its networks, and equal to what is desired: worth gating again.
    pub candidate: Option<&'a ObservedContainer>,
    /// Whether `current` is the new one of an unfinished rollout, not proven, which only serves until another does.
    pub unproven: bool,
    /// How `current`, or else `kept`, differs from what is desired.
    pub difference: Difference,
}

/// One service: its slots and what is left over.
pub(super) struct View<'a> {
    pub service: &'a Service,
    /// Its place among all services.
    pub place: usize,
    pub image: &'a ResolvedImage,
    pub slots: Vec<Slot<'a>>,
    /// Candidates of another desired state, or that never started: removed first.
    pub discarded: Vec<(&'a ObservedContainer, ContainerName)>,
    /// Old ones of a rollout that was cut off after its gate, whose place the new one has by now: removed first, too.
    pub retired: Vec<&'a ObservedContainer>,
    /// Replicas above the declared number, and doubles: removed last.
    pub surplus: Vec<&'a ObservedContainer>,
}

impl View<'_> {
    /// Whether any container of the service runs.
    pub fn runs(&self) -> bool {
        let of_slot = |slot: &Slot| [slot.current, slot.kept, slot.candidate].into_iter().flatten().any(is_up);
        self.slots.iter().any(of_slot) || self.surplus.iter().any(|container| is_up(container))
    }

    /// Whether an interrupted rollout keeps a container that served before it.
    pub fn keeps(&self) -> bool {
        self.slots.iter().any(|slot| slot.kept.is_some())
    }

    /// What a container of a slot would be made from now, complete with every label that depends on it.
    pub fn spec_of(&self, slot: &Slot, all: &All) -> ContainerSpec {
        let mut spec = self.service.container.clone();
        link(&mut spec, &all.desired.links_of(self.service, slot.number));
        // One that is named as the network mode has no alias of its own.
        for (_, attachment) in spec.networks.iter_mut().filter(|(_, attachment)| !attachment.aliases.is_empty()) {
            attachment.aliases.insert(slot.name.as_str().into());
        }
        let mut label = |key: &str, text: String| spec.labels.insert(key.into(), Value::plain(text));
        label(compose::NUMBER, slot.number.to_string());
        label(compose::IMAGE, self.image.id.to_string());
        label(ours::STACK, all.desired.stack.to_string());
        label(ours::ROLLOUT, format!("{}/{}", all.context.plan, self.service.name));
        if let Some(text) = content::label(&all.context.salt, &self.service.contents) {
            label(ours::CONTENT, text);
        }
        spec
    }

    /// Whether the service has any container at all.
    pub fn exists(&self) -> bool {
        let of_slot = |slot: &Slot| slot.current.or(slot.kept).or(slot.candidate).is_some();
        self.slots.iter().any(of_slot) || !self.surplus.is_empty()
    }
}

/// Whether the engine has to start it again and again: it may be seen running in between, and serves nothing.
fn falls(container: &ObservedContainer) -> bool {
    container.state.status == Status::Restarting || container.state.restart_count > 0
}

/// Whether a container holds on to what it has: it runs, or is about to again.
pub(super) fn is_up(container: &ObservedContainer) -> bool {
    matches!(container.state.status, Status::Running | Status::Restarting | Status::Paused)
}

/// A name's prefix of twelve hex digits and what follows it: `8c1f0a2b3c4d_webkit-core-1`.
pub(super) fn split_prefix(name: &ContainerName) -> (Option<&str>, &str) {
    match name.as_str().split_once('_') {
        Some((prefix, rest)) if prefix.len() == 12 && prefix.bytes().all(|b| b.is_ascii_hexdigit()) => {
            (Some(prefix), rest)
        }
        _ => (None, name.as_str()),
    }
}

/// By service whose namespaces others share, the container that stands for it.
pub(super) type Parents<'a> = BTreeMap<&'a ServiceName, &'a ContainerId>;

/// Sorts the containers of one service. `parents` are those that there are, and those that there will be where the
/// candidates of an interrupted rollout take their places.
pub(super) fn view<'a>(place: usize, image: &'a ResolvedImage, parents: [&Parents; 2], all: &All<'a>) -> View<'a> {
    let service = all.places.service(place);
    let (slots, discarded, retired, surplus) = Default::default();
    let mut view = View { service, place, image, slots, discarded, retired, surplus };
    let is_there = |replica: &&Replica| replica.container.state.status != Status::Removing;
    let mut there: Vec<Replica> = all.containers.declared.get(place).iter().filter(is_there).copied().collect();
    there.sort_by_key(|replica| replica.number);
    for number in 1..=service.replicas {
        let name = all.desired.container_name(service, number);
        let mine = there.partition_point(|replica| replica.number < number)
            ..there.partition_point(|replica| replica.number <= number);
        let slot = slot(name, number, &there[mine], parents, all, &mut view);
        view.slots.push(slot);
    }
    let surplus = there.iter().filter(|replica| !(1..=service.replicas).contains(&replica.number));
    view.surplus.extend(surplus.map(|replica| replica.container));
    view
}

/// What every service is sorted against, and what is said of all of it once.
pub(super) struct All<'a> {
    pub desired: &'a Desired,
    pub observed: &'a Observed,
    pub context: &'a PlanContext,
    pub places: Places<'a>,
    /// The places of each unit, each unit after those it waits for.
    pub units: Grouped<usize>,
    pub containers: Containers<'a>,
}

impl<'a> All<'a> {
    /// Looks at all of it.
    pub fn of(desired: &'a Desired, observed: &'a Observed, context: &'a PlanContext) -> All<'a> {
        let places = Places::of(desired);
        let (units, containers) = (places.units(), Containers::of(&places, observed));
        All { desired, observed, context, places, units, containers }
    }
}

/// Sorts the containers of one replica; what the slot has no place for goes to the view.
fn slot<'a>(
    name: ContainerName,
    number: u32,
    replicas: &[Replica<'a>],
    parents: [&Parents; 2],
    all: &All<'a>,
    view: &mut View<'a>,
) -> Slot<'a> {
    let View { service, image, discarded, retired, surplus, .. } = view;
    let (service, image) = (*service, *image);
    let [parents, next_parents] = parents;
    let links = all.desired.links_of(service, number);
    let difference_with = |container: &'a ObservedContainer, parents: &Parents| {
        let nothing = ImageConfig::default();
        let own_image = match all.observed.images.get(&container.image) {
            Some(config) => config,
            None if container.image == image.id => &image.config,
            None => &nothing,
        };
        let mut difference = compare(&Comparison {
            service,
            name: &name,
            image,
            container,
            own_image,
            engine: &all.observed.engine,
            links: &links,
            parents,
            current: all.context.facts.current.as_ref().map(|current| current.desired.as_ref()),
        });
        if let Some(fields) = all.context.facts.did_not_take.get(&container.id) {
            difference.without(fields);
        }
        difference
    };
    let difference = |container: &'a ObservedContainer| difference_with(container, parents);

    let mut all_kept = Vec::new();
    let mut candidates = Vec::new();
    let mut currents = Vec::new();
    for container in replicas.iter().map(|replica| replica.container) {
        let (prefix, rest) = split_prefix(&container.name);
        match prefix.filter(|_| rest == name.as_str()) {
            Some(prefix) if prefix == container.id.short() => all_kept.push(container),
            Some(_) => candidates.push(container),
            None => currents.push(container),
        }
    }
    if !all_kept.is_empty() {
        candidates.append(&mut currents);
    }
    // The one that runs is the current one, and among equals the newest.
    currents.sort_by_key(|container| (is_up(container), container.created));
    let mut current = currents.pop();
    surplus.append(&mut currents);

    let is_desired = |container: &'a ObservedContainer| difference_with(container, next_parents).is_empty();
    let may_return =
        |container: &'a ObservedContainer| difference(container).replace.is_empty() && can_start(container);
    let mut kept = kept_one(all_kept, may_return, name.clone(), discarded, surplus);

    candidates.sort_by_key(|container| container.created);
    let serving = kept.is_none_or(|kept| !is_up(kept) && !may_return(kept));
    let (mut candidate, mut unproven) = (None, false);
    for container in candidates {
        let is_of_today = is_complete(container) && is_desired(container);
        let alone = current.is_none() && candidate.is_none() && serving && is_up(container);
        if alone && (kept.is_none() || !is_of_today && !falls(container)) {
            // The only running container of n is never removed for a failed gate: it takes n, whatever it is.
            (current, unproven) = (Some(container), kept.is_some());
            surplus.extend(kept.take());
        } else if is_of_today && candidate.is_none() {
            candidate = Some(container);
        } else if let Some(old) = current.filter(|old| is_up(container) && !is_up(old) && !may_return(old)) {
            // It was proven, so the old one had stopped for it already; what is desired is a third.
            retired.push(old);
            current = Some(container);
        } else {
            discarded.push((container, name.clone()));
        }
    }
    if current.is_none() && kept.is_none() {
        // All that is left of n takes n, whatever it is: it may have the volumes without a name of the one before.
        let last = discarded.iter().rposition(|(container, of)| *of == name && container.number() == number);
        current = candidate.take().or_else(|| last.map(|last| discarded.remove(last).0));
    }
    let difference = current.or(kept).map(difference).unwrap_or_default();
    Slot { number, name, current, kept, candidate, unproven, difference }
}

/// Of the kept containers the one that the rollout goes on with: one that is what is desired, else the newest, which ran
/// last. There is more than one where a third desired state met an unfinished rollout and was cut off, too: those made
/// after the one that returns were never proven.
fn kept_one<'a>(
    mut all: Vec<&'a ObservedContainer>,
    may_return: impl Fn(&'a ObservedContainer) -> bool,
    name: ContainerName,
    discarded: &mut Vec<(&'a ObservedContainer, ContainerName)>,
    surplus: &mut Vec<&'a ObservedContainer>,
) -> Option<&'a ObservedContainer> {
    all.sort_by_key(|container| container.created);
    let chosen = all.iter().rposition(|container| may_return(container));
    let newer = all.split_off(chosen.map_or(all.len(), |chosen| chosen + 1));
    discarded.extend(newer.into_iter().map(|container| (container, name.clone())));
    let kept = all.pop();
    surplus.extend(all);
    kept
}

/// Whether a container that does not run may come up again. One whose last start failed may not: the engine remembers, for
/// one, networks by ids that exist no more when a network is made anew.
pub(super) fn can_start(container: &ObservedContainer) -> bool {
    is_up(container) || container.state.error.is_empty()
}

/// Whether a candidate was started, and is on a network where it should be.
fn is_complete(container: &ObservedContainer) -> bool {
    let on_networks = container.spec.network_mode != NetworkMode::Networks || !container.spec.networks.is_empty();
    container.state.status != Status::Created && container.state.started_at.is_some() && on_networks
}

/// Gives the spec of one replica its links, on every network that it is on.
pub(super) fn link(spec: &mut ContainerSpec, links: &BTreeSet<String>) {
    if links.is_empty() {
        return;
    }
    spec.networks.iter_mut().for_each(|(_, attachment)| attachment.links.extend(links.iter().cloned()));
    if spec.network_mode != NetworkMode::Networks {
        spec.links.extend(links.iter().cloned());
    }
}

/// In which order a container is connected to its networks: the highest priority first, then by name.
pub(super) fn network_order(spec: &ContainerSpec) -> Vec<NetworkName> {
    let mut networks: Vec<_> = spec.networks.iter().collect();
    networks.sort_by_key(|(name, attachment)| (std::cmp::Reverse(attachment.priority), (*name).clone()));
    networks.into_iter().map(|(name, _)| name.clone()).collect()
}

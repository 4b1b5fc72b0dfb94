//! The steps of one unit: a service with those that share its namespaces. Parents are created first, all are gated
//! together, dependants are stopped first.

use super::{
    draft::{CALL_DEADLINE, Draft, STOP_MARGIN},
    in_place::{in_place, rename},
    leftover::{self, Meanwhile, Until},
    lifecycle,
    making::{create_and_start, gate, gates, go_on_with},
    strategy::{Choice, choose},
    survey::{All, Slot, View, is_up},
    work::Work,
};
use crate::model::{
    container::RestartPolicy,
    desired::Service,
    names::{ContainerName, Resource, ServiceName, StepId},
    observed::{ObservedContainer, Status},
    policy::Strategy,
    step::{AnonymousVolumes, Cause, ContainerRef, Does, Remove, Rename, Update},
    units::Millis,
};
use std::collections::BTreeMap;

/// A service of the unit with what its slots ask for.
pub(super) struct Member<'a, 'v> {
    pub view: &'v View<'a>,
    pub work: Vec<(&'v Slot<'a>, Work<'a>)>,
    /// What is left over of interrupted rollouts stays too.
    pub keeps_leftovers: bool,
    /// Replicas above the declared number stay too.
    pub keeps_surplus: bool,
}

impl Member<'_, '_> {
    /// Nothing is done to any container of it.
    pub fn rest(&mut self) {
        self.work.iter_mut().for_each(|(_, work)| *work = Work::Nothing);
        (self.keeps_leftovers, self.keeps_surplus) = (true, true);
    }

    /// No container of it that runs is stopped.
    pub fn spare(&mut self) {
        let stops = |work: &Work| matches!(work, Work::Replace(old, _) if is_up(old));
        self.work.iter_mut().filter(|(_, work)| stops(work)).for_each(|(_, work)| *work = Work::Nothing);
        self.keeps_surplus = true;
    }

    /// Left over of interrupted rollouts, and to be removed.
    pub fn discards(&self) -> bool {
        let left_over = !self.view.discarded.is_empty() || !self.view.retired.is_empty();
        left_over && !self.keeps_leftovers
    }

    /// Replicas above the declared number, to be removed.
    pub fn removes_surplus(&self) -> bool {
        !self.keeps_surplus && !self.view.surplus.is_empty()
    }
}

/// One container to be replaced or made.
pub(super) struct Entry<'a, 'v> {
    pub view: &'v View<'a>,
    pub slot: &'v Slot<'a>,
    pub old: Option<&'a ObservedContainer>,
    /// Made by an interrupted rollout, and worth proving.
    pub candidate: Option<&'a ObservedContainer>,
    /// What an interrupted rollout left, and serves until this one is proven.
    pub meanwhile: Option<&'a ObservedContainer>,
}

impl Entry<'_, '_> {
    /// `core/2`
    pub fn path(&self) -> String {
        format!("{}/{}", self.view.service.name, self.slot.number)
    }

    pub fn target(&self) -> Resource {
        Resource::Container(self.slot.name.clone())
    }

    /// Whether the old container already has its kept name.
    fn old_is_kept(&self) -> bool {
        self.slot.kept.is_some() && self.slot.current.is_none()
    }
}

/// Builds a unit's rollout.
pub(super) fn build<'a>(draft: &mut Draft, members: &[Member<'a, '_>], all: &All<'a>) {
    let meanwhile = Meanwhile::of(members);
    members.iter().rev().for_each(|member| leftover::discard(draft, member, &meanwhile, None));
    for member in members {
        in_place(draft, member, &meanwhile, all);
    }
    leave(draft, members, &meanwhile, Until::Started);
    let replaced: Vec<Entry> = entries(members, &meanwhile, |work| match work {
        Work::Replace(old, _) => Some((Some(*old), None)),
        Work::Finish { candidate, old } => Some((Some(*old), Some(*candidate))),
        Work::Create(_) => Some((None, None)),
        _ => None,
    });
    let (one_shots, others): (Vec<_>, Vec<_>) =
        replaced.into_iter().partition(|entry| entry.view.service.one_shot && entry.old.is_some());
    // What shares a namespace with one that is missing is made after it, so they go together.
    let stays = |entry: &Entry| !entry.view.service.one_shot && entry.old.is_some();
    let together = members.len() > 1 && others.iter().any(stays);
    let (fresh, replaced): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|entry| entry.view.service.one_shot || entry.old.is_none() && !together);
    let mut refs =
        if replaced.is_empty() && one_shots.is_empty() && fresh.is_empty() { BTreeMap::new() } else { refs(members) };
    if !replaced.is_empty() {
        replace(draft, &replaced, &mut refs, all);
    }
    one_shots.iter().for_each(|entry| run_again(draft, entry, &mut refs, all));
    if !fresh.is_empty() {
        make(draft, &fresh, &mut refs, all);
    }
    leave(draft, members, &meanwhile, Until::Proven);
    members.iter().filter(|member| member.removes_surplus()).for_each(|member| remove_surplus(draft, member.view));
}

/// The container that stands for each service, as far as there is one.
fn refs(members: &[Member]) -> BTreeMap<ServiceName, ContainerRef> {
    let first = |member: &Member| {
        let slot = member.view.slots.first()?;
        Some((member.view.service.name.clone(), existing(slot.current.or(slot.kept)?)))
    };
    members.iter().filter_map(first).collect()
}

/// Removes what served until now, dependants first, and gives restored containers the names that it had.
fn leave(draft: &mut Draft, members: &[Member], meanwhile: &Meanwhile, until: Until) {
    members.iter().rev().for_each(|member| leftover::discard(draft, member, meanwhile, Some(until)));
    for member in members {
        for (slot, work) in &member.work {
            if let Work::Restore(kept) = work
                && meanwhile.of_slot(slot).is_some_and(|(_, served)| served == until)
            {
                rename(draft, slot, kept, &format!("{}/{}", member.view.service.name, slot.number));
            }
        }
    }
}

/// Takes the entries out of what the slots ask for.
fn entries<'a, 'v>(
    members: &[Member<'a, 'v>],
    meanwhile: &Meanwhile<'a>,
    pick: impl Fn(&Work<'a>) -> Option<(Option<&'a ObservedContainer>, Option<&'a ObservedContainer>)>,
) -> Vec<Entry<'a, 'v>> {
    let of_member = |member: &Member<'a, 'v>| {
        let view = member.view;
        let entry = |(slot, work): &(&'v Slot<'a>, Work<'a>)| {
            let meanwhile = meanwhile.of_slot(slot).map(|(container, _)| container);
            pick(work).map(|(old, candidate)| Entry { view, slot, old, candidate, meanwhile })
        };
        member.work.iter().filter_map(entry).collect::<Vec<_>>()
    };
    members.iter().flat_map(of_member).collect()
}

/// Replaces containers by the unit's strategy: one after another, or all at once where they share namespaces.
fn replace<'a>(
    draft: &mut Draft,
    entries: &[Entry<'a, '_>],
    refs: &mut BTreeMap<ServiceName, ContainerRef>,
    all: &All<'a>,
) {
    draft.replaces = true;
    let choice = unit_strategy(entries);
    draft.strategy = Some(choice.strategy);
    // What is restarted where it is has said why already, and is down meanwhile.
    if draft.why.is_empty() {
        draft.why = choice.why;
    }
    let one_service = entries.iter().all(|entry| entry.view.service.name == entries[0].view.service.name);
    let groups: Vec<&[Entry]> = match (one_service, choice.strategy) {
        (true, Strategy::StartFirst | Strategy::StopFirst) => entries.chunks(1).collect(),
        _ => vec![entries],
    };
    if choice.strategy == Strategy::StartFirst {
        draft.surging = surging(&groups);
    }
    for group in groups {
        // An unfinished rollout goes on as it began: its old container is kept, or still runs.
        let kept = group.iter().any(Entry::old_is_kept);
        let beside = group.iter().any(|entry| entry.candidate.is_some() && !entry.old_is_kept());
        match choice.strategy {
            _ if kept => stop_first(draft, group, refs, all),
            _ if beside => start_first(draft, group, refs, all),
            Strategy::StartFirst => start_first(draft, group, refs, all),
            Strategy::StopFirst | Strategy::Recreate => stop_first(draft, group, refs, all),
        }
    }
}

/// Of each service, so many containers as are replaced at once.
fn surging(groups: &[&[Entry]]) -> BTreeMap<ServiceName, u64> {
    let mut most = BTreeMap::new();
    for group in groups {
        let mut of_group: BTreeMap<ServiceName, u64> = BTreeMap::new();
        for entry in *group {
            *of_group.entry(entry.view.service.name.clone()).or_default() += 1;
        }
        for (name, count) in of_group {
            let known = most.entry(name).or_default();
            *known = count.max(*known);
        }
    }
    most
}

/// The most careful strategy of the members.
fn unit_strategy(entries: &[Entry]) -> Choice {
    let choices = entries.iter().map(|entry| choose(entry.view.service, &entry.view.image.config, entry.old));
    choices
        .max_by_key(|choice| choice.strategy)
        .unwrap_or(Choice { strategy: Strategy::StartFirst, why: String::new() })
}

fn start_first<'a>(
    draft: &mut Draft,
    group: &[Entry<'a, '_>],
    refs: &mut BTreeMap<ServiceName, ContainerRef>,
    all: &All<'a>,
) {
    let mut proven = Vec::new();
    for entry in group {
        let container = match entry.candidate {
            Some(candidate) => go_on_with(draft, entry, candidate, None),
            None => {
                // Named after the one whose place it takes: that of the old one is taken while another serves in its stead.
                let name = match entry.meanwhile.or(entry.old) {
                    Some(old) => ContainerName::new(format!("{}_{}", old.id.short(), entry.slot.name)),
                    None => entry.slot.name.clone(),
                };
                create_and_start(draft, entry, name, None, refs, all)
            }
        };
        if entry.slot.number == 1 {
            refs.insert(entry.view.service.name.clone(), container.clone());
        }
        proven.push((entry, container));
    }
    gates(draft, &proven);
    draft.commit();
    let runs = |entry: &&Entry| entry.meanwhile.is_some() || entry.old.is_some_and(is_up);
    let drain = group.iter().filter(runs).map(|entry| entry.view.service.rollout.drain).max().unwrap_or_default();
    if drain > Millis(0) {
        let id = format!("{}/drain", group[0].path());
        let deadline = Millis(drain.0 + STOP_MARGIN.0);
        draft.step(id, Does::Drain { wait: drain }, group[0].target(), deadline);
    }
    for entry in group.iter().rev() {
        if let Some(old) = entry.old.filter(|old| is_up(old)) {
            stop(draft, entry, old, all);
        }
    }
    group.iter().rev().for_each(|entry| remove_old(draft, entry));
    for (entry, container) in proven {
        if entry.old.is_some() {
            let rename = Rename { container, to: entry.slot.name.clone() };
            draft.step(format!("{}/rename", entry.path()), Does::Rename(rename), entry.target(), CALL_DEADLINE);
        }
    }
}

fn stop_first<'a>(
    draft: &mut Draft,
    group: &[Entry<'a, '_>],
    refs: &mut BTreeMap<ServiceName, ContainerRef>,
    all: &All<'a>,
) {
    for entry in group.iter().rev() {
        if let Some(old) = entry.old {
            keep(draft, entry, old, all);
        }
    }
    let mut proven = Vec::new();
    for entry in group {
        let container = match entry.candidate {
            Some(candidate) => go_on_with(draft, entry, candidate, entry.old.map(existing)),
            None => create_and_start(draft, entry, entry.slot.name.clone(), entry.old.map(existing), refs, all),
        };
        if entry.slot.number == 1 {
            refs.insert(entry.view.service.name.clone(), container.clone());
        }
        proven.push((entry, container));
    }
    gates(draft, &proven);
    draft.commit();
    group.iter().rev().for_each(|entry| remove_old(draft, entry));
    for (entry, container) in proven {
        if entry.candidate.is_some_and(|candidate| candidate.name != entry.slot.name) {
            let rename = Rename { container, to: entry.slot.name.clone() };
            draft.step(format!("{}/rename", entry.path()), Does::Rename(rename), entry.target(), CALL_DEADLINE);
        }
    }
}

/// Stops the old container and keeps it under its kept name. Its restart policy goes first: the engine would start it
/// again when it starts itself, beside the new one.
fn keep(draft: &mut Draft, entry: &Entry, old: &ObservedContainer, all: &All) {
    let path = entry.path();
    let container = existing(old);
    let policy = policy_of(entry, old, all);
    let update = |restart| {
        Does::Update(Box::new(Update {
            container: container.clone(),
            limits: Default::default(),
            restart: Some(restart),
        }))
    };
    // Should the new one not go, the old one must not write beside it.
    let new = match entry.candidate {
        Some(candidate) => existing(candidate),
        None => ContainerRef::Made { by: StepId::new(format!("{path}/create")) },
    };
    let back_start = lifecycle::start_again(draft, Some(before(entry, all)), &container, new, (&path, &entry.target()));
    let back_policy = draft.back(format!("{path}/undo/policy"), update(policy), entry.target(), CALL_DEADLINE);
    let rename = |to: &ContainerName| Does::Rename(Rename { container: container.clone(), to: to.clone() });
    let back_name = draft.back(format!("{path}/undo/rename"), rename(&entry.slot.name), entry.target(), CALL_DEADLINE);
    if entry.old_is_kept() {
        back_start.into_iter().rev().for_each(|step| draft.also_takes_back(step));
        draft.also_takes_back(back_policy);
        draft.also_takes_back(back_name);
        if is_up(old) {
            stop(draft, entry, old, all);
        }
        return;
    }
    // One without its policy was stopped by a rollout that was cut off: it served before.
    let was_held = old.spec.restart == RestartPolicy::No && policy != RestartPolicy::No;
    draft.serving |= was_held;
    if is_up(old) || was_held {
        back_start.into_iter().rev().for_each(|step| draft.also_takes_back(step));
    }
    if policy != RestartPolicy::No {
        draft.step_with_undo(
            format!("{path}/hold"),
            update(RestartPolicy::No),
            entry.target(),
            CALL_DEADLINE,
            back_policy,
        );
    }
    if is_up(old) {
        stop(draft, entry, old, all);
    }
    let kept = ContainerName::new(format!("{}_{}", old.id.short(), entry.slot.name));
    draft.step_with_undo(format!("{path}/keep"), rename(&kept), entry.target(), CALL_DEADLINE, back_name);
}

/// The restart policy to give back: the container's own; where an interrupted rollout took that, the current revision's,
/// or without one today's.
fn policy_of(entry: &Entry, old: &ObservedContainer, all: &All) -> RestartPolicy {
    if old.spec.restart != RestartPolicy::No {
        return old.spec.restart;
    }
    before(entry, all).container.restart
}

/// Replaces a one-shot: two of one never exist.
fn run_again<'a>(
    draft: &mut Draft,
    entry: &Entry<'a, '_>,
    refs: &mut BTreeMap<ServiceName, ContainerRef>,
    all: &All<'a>,
) {
    if let Some(old) = entry.old {
        if is_up(old) {
            stop(draft, entry, old, all);
        }
        remove_old(draft, entry);
    }
    make(draft, std::slice::from_ref(entry), refs, all);
}

/// Makes containers where there were none. Replicas of one service come up side by side; services that share
/// namespaces one after another, and are gated together.
fn make<'a>(
    draft: &mut Draft,
    entries: &[Entry<'a, '_>],
    refs: &mut BTreeMap<ServiceName, ContainerRef>,
    all: &All<'a>,
) {
    if draft.why.is_empty() {
        let once = entries.iter().all(|entry| entry.view.service.one_shot);
        draft.why = match draft.serving {
            true if once => "runs once more".into(),
            true => "replicas added".into(),
            false if matches!(draft.cause, Cause::Drift | Cause::Liveness) => "made again".into(),
            false => "first start".into(),
        };
    }
    let one_service = entries.iter().all(|entry| entry.view.service.name == entries[0].view.service.name);
    if one_service {
        draft.side_by_side(entries, |draft, entry| {
            let container = create_and_start(draft, entry, entry.slot.name.clone(), None, refs, all);
            gate(draft, entry.view, entry.slot, container);
        });
    } else {
        let mut proven = Vec::new();
        for entry in entries {
            let container = create_and_start(draft, entry, entry.slot.name.clone(), None, refs, all);
            if entry.slot.number == 1 {
                refs.insert(entry.view.service.name.clone(), container.clone());
            }
            proven.push((entry, container));
        }
        gates(draft, &proven);
    }
    draft.commit();
}

fn stop(draft: &mut Draft, entry: &Entry, old: &ObservedContainer, all: &All) {
    lifecycle::stop(draft, Some(before(entry, all)), old, (&entry.path(), &entry.target()));
}

/// The service as its old container has it: as in the current revision, or without one as today.
fn before<'a>(entry: &Entry<'a, '_>, all: &All<'a>) -> &'a Service {
    let current = all.context.facts.current.as_ref();
    current.and_then(|current| current.desired.services.get(&entry.view.service.name)).unwrap_or(entry.view.service)
}

/// Removes the proven one's predecessor. Its anonymous volumes stay: the new container has them, or they may hold data.
fn remove_old(draft: &mut Draft, entry: &Entry) {
    let Some(old) = entry.old else { return };
    let remove =
        Remove { container: existing(old), keep_evidence: false, force: false, volumes: AnonymousVolumes::Keep };
    draft.step(format!("{}/remove", entry.path()), Does::Remove(remove), entry.target(), CALL_DEADLINE);
}

fn remove_surplus(draft: &mut Draft, view: &View) {
    // The highest number first.
    let mut surplus: Vec<&&ObservedContainer> = view.surplus.iter().collect();
    surplus.sort_by_key(|container| (std::cmp::Reverse(container.number()), container.name.clone()));
    for container in surplus {
        let path = format!("{}/surplus/{}", view.service.name, container.id.short());
        remove_container(draft, Some(view.service), container, &path, AnonymousVolumes::Keep);
    }
}

/// Stops and removes a container that is not wanted any more. Its anonymous volumes hold data: only `down --volumes` names
/// them too.
pub(super) fn remove_container(
    draft: &mut Draft,
    service: Option<&Service>,
    container: &ObservedContainer,
    path: &str,
    volumes: AnonymousVolumes,
) {
    if is_up(container) && container.state.status != Status::Removing {
        lifecycle::stop(draft, service, container, (path, &Resource::Container(container.name.clone())));
    }
    remove_stopped(draft, container, path, volumes);
}

/// Removes a container that does not run by then.
pub(super) fn remove_stopped(draft: &mut Draft, container: &ObservedContainer, path: &str, volumes: AnonymousVolumes) {
    let target = Resource::Container(container.name.clone());
    let remove = Remove { container: existing(container), keep_evidence: false, force: false, volumes };
    draft.step(format!("{path}/remove"), Does::Remove(remove), target, CALL_DEADLINE);
}

pub(super) fn existing(container: &ObservedContainer) -> ContainerRef {
    ContainerRef::Existing { id: container.id.clone(), name: container.name.clone() }
}

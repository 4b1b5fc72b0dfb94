//! What each slot asks for. One table, read from the top; the rollout is built from its answers.

use super::survey::{Slot, View, can_start, is_up};
use crate::model::{
    desired::desired_hash,
    names::{ContainerId, DesiredHash, ServiceName},
    observed::{ObservedContainer, Status},
    plan::{Facts, Reason},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a slot asks for.
#[derive(Clone, Copy)]
pub(super) enum Work<'a> {
    /// It is as it should be.
    Nothing,
    /// There is no container: make one.
    Create(Reason),
    /// The container is right and does not run: start it, after what can be changed in place.
    Start(&'a ObservedContainer),
    /// The container is right and frozen: let it go on, after what can be changed in place.
    Unpause(&'a ObservedContainer),
    /// The container runs and its liveness probe failed, with this answer: stop and start it.
    Restart(&'a ObservedContainer, &'a str),
    /// The container shall not run, nor come back with the engine.
    Halt(&'a ObservedContainer),
    /// The container runs and can be put right where it is.
    InPlace(&'a ObservedContainer),
    /// The container must be replaced.
    Replace(&'a ObservedContainer, Reason),
    /// A candidate of an interrupted rollout is what is desired: prove it and let it take the place.
    Finish { candidate: &'a ObservedContainer, old: &'a ObservedContainer },
    /// The kept container of an interrupted rollout is what is desired: it gets name and policy back.
    Restore(&'a ObservedContainer),
    /// It runs, and nobody saw it come to its end, a one-shot, or pass its gate: wait for that.
    Await(&'a ObservedContainer),
}

/// What else decides over a slot's work.
pub(super) struct Wishes<'a, 'p> {
    pub facts: &'a Facts,
    /// Containers whose liveness probe failed, with its last answer.
    pub unwell: &'a BTreeMap<ContainerId, String>,
    /// Services of this unit that are replaced, so that those sharing with them must be too.
    pub replaced: &'p BTreeSet<ServiceName>,
    /// Those of them that get a container of which no candidate can know yet, or that are started again.
    pub renewed: &'p BTreeSet<ServiceName>,
    /// Whether the service is one that the user asked to restart.
    pub restart: bool,
    /// Whether what was accepted is kept, and nobody asked for anything.
    pub keeps: bool,
}

/// What a slot asks for.
pub(super) fn work<'a>(view: &View<'a>, slot: &Slot<'a>, wishes: &Wishes<'a, '_>) -> Work<'a> {
    if view.service.one_shot {
        return one_shot(view, slot, wishes);
    }
    let parent_goes = view.service.shares.iter().any(|parent| wishes.replaced.contains(parent));
    let parent_is_renewed = view.service.shares.iter().any(|parent| wishes.renewed.contains(parent));
    match (slot.current, slot.kept, slot.candidate) {
        (Some(old), _, Some(_)) | (None, Some(old), Some(_)) if parent_is_renewed => {
            Work::Replace(old, Reason::ParentReplaced)
        }
        (None, Some(kept), None) if parent_goes => Work::Replace(kept, Reason::ParentReplaced),
        (Some(old), _, Some(candidate)) | (None, Some(old), Some(candidate)) => Work::Finish { candidate, old },
        (None, Some(kept), None) if slot.difference.replace.is_empty() && can_start(kept) => Work::Restore(kept),
        (None, Some(kept), None) => Work::Replace(kept, Reason::Unfinished),
        (Some(current), _, None) => with_current(view, slot, current, wishes),
        (None, None, _) if wishes.facts_know(view) => Work::Create(Reason::Missing),
        (None, None, _) if view.exists() => Work::Create(Reason::Scaled),
        (None, None, _) => Work::Create(Reason::New),
    }
}

impl Wishes<'_, '_> {
    /// Whether a gate is still to be passed: the apply that started it was killed, or it was left at its deadline. The
    /// latter takes the time of who applies, not that of who repairs.
    fn wait_for(&self, view: &View, container: &ObservedContainer) -> bool {
        let name = &view.service.name;
        let Some(current) = &self.facts.current else { return false };
        let cut_off = self.facts.not_proven.contains(name) && container.created > current.made;
        let is_now = |hash: &DesiredHash| *hash == desired_hash(view.service, &view.image.id);
        cut_off || !self.keeps && self.facts.left.get(name).is_some_and(is_now)
    }

    /// Whether the current revision says that this service was there.
    fn facts_know(&self, view: &View) -> bool {
        self.facts.current.as_ref().is_some_and(|current| {
            let declared = current.desired.services.get(&view.service.name);
            declared.is_some_and(|service| service.replicas == view.service.replicas)
        })
    }
}

fn with_current<'a>(
    view: &View<'a>,
    slot: &Slot<'a>,
    current: &'a ObservedContainer,
    wishes: &Wishes<'a, '_>,
) -> Work<'a> {
    if wishes.restart {
        return Work::Replace(current, Reason::RestartRequested);
    }
    if let Some(reason) = slot.difference.replace.first() {
        return Work::Replace(current, *reason);
    }
    if view.service.shares.iter().any(|parent| wishes.replaced.contains(parent)) {
        return Work::Replace(current, Reason::ParentReplaced);
    }
    if slot.unproven {
        return Work::Replace(current, Reason::Unfinished);
    }
    let answer = wishes.unwell.get(&current.id).filter(|_| current.state.is_running());
    match current.state.status {
        Status::Dead => Work::Replace(current, Reason::NotRunning),
        Status::Paused => Work::Unpause(current),
        Status::Created | Status::Exited if can_start(current) => Work::Start(current),
        Status::Created | Status::Exited => Work::Replace(current, Reason::NotRunning),
        _ if let Some(answer) = answer => Work::Restart(current, answer),
        _ if !slot.difference.is_empty() || current.name != slot.name => Work::InPlace(current),
        _ if wishes.wait_for(view, current) => Work::Await(current),
        _ => Work::Nothing,
    }
}

/// A one-shot is done once it has exited 0 as what it is now; its container's absence or end is no drift.
fn one_shot<'a>(view: &View<'a>, slot: &Slot<'a>, wishes: &Wishes<'a, '_>) -> Work<'a> {
    let hash = desired_hash(view.service, &view.image.id);
    let current = slot.current.or(slot.kept).or(slot.candidate);
    if wishes.restart {
        return current
            .map_or(Work::Create(Reason::RestartRequested), |old| Work::Replace(old, Reason::RestartRequested));
    }
    let completed = wishes.facts.completed.get(&view.service.name) == Some(&hash);
    let Some(current) = current else { return if completed { Work::Nothing } else { Work::Create(Reason::New) } };
    // What completed may have been taken back since: then the container is another.
    let same = slot.difference.replace.is_empty();
    let done = Status::Exited == current.state.status
        && (completed || current.state.exit_code == 0 && current.state.started_at.is_some());
    match current.state.status {
        _ if same && done && current.name != slot.name => Work::InPlace(current),
        _ if same && done => Work::Nothing,
        _ if same && is_up(current) => Work::Await(current),
        _ => Work::Replace(current, slot.difference.replace.first().copied().unwrap_or(Reason::NotRunning)),
    }
}

//! What is no longer declared and has what a new service needs for itself: a volume that only one may write, a host port,
//! an address. With `prune` it makes room: it is stopped before the new one is made, started again should that one fail,
//! and removed last of all. Without, nothing is done: two databases on one volume are not to be mended.

use super::{
    draft::{CALL_DEADLINE, Draft},
    lifecycle, orphans,
    rollout::{Member, existing, remove_stopped},
    strategy,
    survey::{All, View, is_up},
    work::Work,
};
use crate::model::{
    container::RestartPolicy,
    names::{Resource, ServiceName, StepId},
    observed::ObservedContainer,
    plan::{Held, HeldCode, Purpose},
    step::{AnonymousVolumes, ContainerRef, Does, Update},
};
use std::collections::BTreeMap;

/// The services that make room, by the step after which they have.
pub(super) type Ousted = BTreeMap<ServiceName, StepId>;

/// A service that nothing declares any more, one of whose containers is in the way.
struct Rival<'a, 'v> {
    service: ServiceName,
    containers: Vec<&'a ObservedContainer>,
    /// The one that is in the way.
    holder: &'a ObservedContainer,
    /// In whose way.
    of: &'v View<'a>,
    taken: strategy::Taken,
}

/// What a unit does about those in its way.
#[derive(Default)]
pub(super) struct Room<'a> {
    /// Stopped first, and removed last.
    leaving: Vec<(ServiceName, Vec<&'a ObservedContainer>)>,
    /// Steps of earlier units, by which others make room for this one too.
    pub awaited: Vec<StepId>,
    /// Why nothing is done.
    pub held: Vec<Held>,
}

/// Has those in the way of a unit stopped first. They are of the unit from then on: what becomes of it becomes of them.
pub(super) fn make_room<'a>(
    all: &All<'a>,
    draft: &mut Draft,
    members: &[Member<'a, '_>],
    ousted: &mut Ousted,
) -> Room<'a> {
    let mut room = Room::default();
    for rival in rivals(all, members) {
        if let Some(step) = ousted.get(&rival.service) {
            room.awaited.push(step.clone());
        } else if orphans::goes(all, &rival.service) {
            ousted.insert(rival.service.clone(), oust(all, draft, &rival));
            room.leaving.push((rival.service, rival.containers));
        } else {
            room.held.push(in_the_way(all, &rival));
        }
    }
    room
}

/// Removes those that made room, once what they made room for is proven.
pub(super) fn leave(draft: &mut Draft, room: &Room) {
    for (service, containers) in &room.leaving {
        for container in containers {
            remove_stopped(draft, container, &path(service, container), AnonymousVolumes::Keep);
        }
    }
}

fn rivals<'a, 'v>(all: &All<'a>, members: &[Member<'a, 'v>]) -> Vec<Rival<'a, 'v>> {
    let accepts = matches!(all.context.purpose, Purpose::Apply | Purpose::Follow | Purpose::Rollback);
    let begins = |member: &&Member| !member.view.runs() && member.work.iter().any(|(_, work)| starts(work));
    let beginning: Vec<&View> = members.iter().filter(begins).map(|member| member.view).collect();
    if !accepts || beginning.is_empty() {
        return Vec::new();
    }
    let rival = |(service, containers): (&ServiceName, &Vec<&'a ObservedContainer>)| {
        let taken = |of: &'v View<'a>, container: &'a ObservedContainer| {
            Some((of, container, strategy::taken(of.service, &of.image.config, &container.spec)?))
        };
        let up = || containers.iter().copied().filter(|container| is_up(container));
        let found = beginning.iter().find_map(|of| up().find_map(|container| taken(of, container)));
        let (of, holder, taken) = found?;
        Some(Rival { service: service.clone(), containers: containers.clone(), holder, of, taken })
    };
    let dropped = all.context.dropped.iter().filter_map(|name| Some((name, all.places.find(name)?)));
    let dropped: Vec<_> = dropped.map(|(name, place)| (name, all.containers.of_place(place))).collect();
    let dropped = dropped.iter().map(|(name, containers)| (*name, containers));
    all.containers.not_declared.iter().chain(dropped).filter_map(rival).collect()
}

fn starts(work: &Work) -> bool {
    !matches!(work, Work::Nothing | Work::Halt(_) | Work::InPlace(_))
}

fn path(service: &ServiceName, container: &ObservedContainer) -> String {
    format!("{service}/orphan/{}", container.id.short())
}

/// Stops what runs of it, so that it does not come back with the engine, and starts it again where this unit fails.
fn oust(all: &All, draft: &mut Draft, rival: &Rival) -> StepId {
    let current = all.context.facts.current.as_ref();
    let before = current.and_then(|current| current.desired.services.get(&rival.service));
    draft.members.push(rival.service.clone());
    draft.serving = true;
    draft.why = format!("in the place of {}, no longer declared", rival.service);
    let mut last = StepId::new("");
    for container in rival.containers.iter().filter(|container| is_up(container)) {
        let path = path(&rival.service, container);
        let (target, policy) = (Resource::Container(container.name.clone()), container.spec.restart);
        let again = lifecycle::start_again(draft, before, &existing(container), newcomer(rival.of), (&path, &target));
        again.into_iter().rev().for_each(|step| draft.also_takes_back(step));
        if policy != RestartPolicy::No {
            let restart = |restart| {
                let (container, restart) = (existing(container), Some(restart));
                Does::Update(Box::new(Update { container, limits: Default::default(), restart }))
            };
            let back = draft.back(format!("{path}/undo/policy"), restart(policy), target.clone(), CALL_DEADLINE);
            let hold = restart(RestartPolicy::No);
            draft.step_with_undo(format!("{path}/hold"), hold, target.clone(), CALL_DEADLINE, back);
        }
        last = lifecycle::stop(draft, before, container, (&path, &target));
    }
    last
}

/// The container for which it makes room: beside that one it is not started again.
fn newcomer(view: &View) -> ContainerRef {
    let there = view.slots.iter().find_map(|slot| slot.current.or(slot.candidate));
    let made = || ContainerRef::Made { by: StepId::new(format!("{}/1/create", view.service.name)) };
    there.map_or_else(made, existing)
}

fn in_the_way(all: &All, rival: &Rival) -> Held {
    let name = &rival.holder.name;
    let shared = match rival.taken.written {
        true => ", `rollout.sharedVolumes: true` says that both may write",
        false => "",
    };
    // Where only some services are acted on, it stays declared, and would be started again.
    let room = match all.context.dropped.contains(&rival.service) {
        true => format!(
            "apply the whole manifest, which declares `{}` no more: with `spec.prune: true` it makes room by itself",
            rival.service
        ),
        // What keeps it from being pruned is held with a hint of its own.
        false if all.desired.policy.prune => {
            format!("`docker stop {name}` makes room; what keeps it from being pruned is held, too")
        }
        false => format!("`docker stop {name}` makes room, `spec.prune: true` does so by itself"),
    };
    Held {
        resource: Resource::Service(rival.of.service.name.clone()),
        code: HeldCode::InTheWay,
        reason: format!("{} by `{name}`, no longer declared", rival.taken.what),
        hint: format!("{room}{shared}"),
    }
}

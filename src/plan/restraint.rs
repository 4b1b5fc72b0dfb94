//! What keeps evenkeel from doing what a service asks for: a person paused or stopped it, its window is closed, or it was
//! restarted too often. Each is held, with a code, and says when time alone will end it.

use super::{
    budget,
    compare::Difference,
    in_place::would_come_back,
    rollout::Member,
    survey::{All, is_up},
    work::Work,
};
use crate::model::{
    desired::Service,
    names::{Resource, ServiceName},
    observed::ObservedContainer,
    plan::{Held, HeldCode, Purpose, Reason},
    policy::ApplyPolicy,
    revision::{Suspension, SuspensionKind},
    units::Timestamp,
    window::{self, WindowState},
};
use std::collections::BTreeSet;

/// What is held back of a unit, and when that ends by itself.
#[derive(Default)]
pub(super) struct Restraints {
    pub held: Vec<Held>,
    pub ends: Vec<Timestamp>,
    /// Members that a person wants stopped, or that can't run without one of them.
    pub stopped: BTreeSet<ServiceName>,
}

/// Takes away what may not be done now.
pub(super) fn restrain(all: &All, members: &mut [Member]) -> Restraints {
    let mut restraints = Restraints::default();
    stop(all, members, &mut restraints);
    pause(all, members, &mut restraints);
    guard(all, members, &mut restraints);
    back_off(all, members, &mut restraints);
    restraints
}

/// A stopped service's containers are stopped, and those of the services that live in its namespaces.
fn stop(all: &All, members: &mut [Member], restraints: &mut Restraints) {
    for member in members {
        let service = member.view.service;
        let own = suspended(all, &service.name, SuspensionKind::Stopped);
        let parent = service.shares.iter().find(|parent| restraints.stopped.contains(*parent));
        if own.is_none() && parent.is_none() {
            continue;
        }
        let would_change = would_change(member);
        restraints.stopped.insert(service.name.clone());
        restraints.ends.extend(own.and_then(|suspension| suspension.until));
        for (slot, work) in &mut member.work {
            let up = [slot.current, slot.kept, slot.candidate].into_iter().flatten().find(|one| comes_back(one));
            *work = up.map_or(Work::Nothing, Work::Halt);
        }
        if would_change {
            let name = &service.name;
            let (reason, hint) = match (own, parent) {
                (Some(suspension), _) => {
                    (in_words("stopped", suspension), format!("`evenkeel start {name}` ends that"))
                }
                (None, Some(parent)) => {
                    (format!("`{parent}`, whose namespaces it uses, is stopped"), format!("`evenkeel start {parent}`"))
                }
                (None, None) => continue,
            };
            restraints.held.push(held(name, HeldCode::Stopped, reason, hint));
        }
    }
}

/// Whether a stopped service differs from what is declared: then there is something to say.
fn would_change(member: &Member) -> bool {
    // Its restart policy was taken for the time being.
    let differs = |difference: &Difference| {
        !difference.replace.is_empty() || difference.limits.is_some() || !difference.connect.is_empty()
    };
    member.work.iter().any(|(slot, work)| matches!(work, Work::Replace(..)) || differs(&slot.difference))
}

/// Whether it runs, or would when the engine starts.
fn comes_back(container: &ObservedContainer) -> bool {
    is_up(container) || would_come_back(container)
}

/// Nothing is done to a paused service, nor to those in whose namespaces it lives or that live in its own.
fn pause(all: &All, members: &mut [Member], restraints: &mut Restraints) {
    let free = |member: &&Member| !restraints.stopped.contains(&member.view.service.name);
    let paused = members.iter().filter(free).find_map(|member| {
        let name = &member.view.service.name;
        suspended(all, name, SuspensionKind::Paused).map(|suspension| (name.clone(), suspension.clone()))
    });
    let Some((name, suspension)) = paused else { return };
    restraints.ends.extend(suspension.until);
    for member in members {
        if restraints.stopped.contains(&member.view.service.name) || !asks(member) {
            continue;
        }
        member.rest();
        let reason = in_words("paused", &suspension);
        let reason = if member.view.service.name == name {
            reason
        } else {
            format!("`{name}`, with which it goes, is {reason}")
        };
        let hint = format!("`evenkeel resume {name}` ends that");
        restraints.held.push(held(&member.view.service.name, HeldCode::Paused, reason, hint));
    }
}

/// A running container of a service that may be interrupted only in its window, or only by a person, is not stopped.
fn guard(all: &All, members: &mut [Member], restraints: &mut Restraints) {
    let named = |name: &ServiceName| all.context.selected.as_ref().is_some_and(|selected| selected.contains(name));
    if all.context.attended || members.iter().any(|member| named(&member.view.service.name)) {
        return;
    }
    let interrupted = members.iter().any(interrupts);
    let guarded = members.iter().find_map(|member| guarded(all, member.view.service));
    let (Some(guard), true) = (guarded, interrupted) else { return };
    restraints.ends.extend(guard.ends);
    // What is declared is accepted as a whole or not at all; what was accepted is repaired as far as it may be.
    let whole = matches!(all.context.purpose, Purpose::Apply | Purpose::Follow);
    for member in members {
        if !asks(member) || !(whole || interrupts(member)) {
            continue;
        }
        match whole {
            true => member.rest(),
            false => member.spare(),
        }
        let name = &member.view.service.name;
        let hint = format!("`evenkeel apply {name}` does it now");
        restraints.held.push(held(name, guard.code, guard.reason.clone(), hint));
    }
}

struct Guard {
    code: HeldCode,
    reason: String,
    ends: Option<Timestamp>,
}

fn guarded(all: &All, service: &Service) -> Option<Guard> {
    let policy = &service.rollout;
    match (policy.apply, &policy.window) {
        (ApplyPolicy::Auto, _) | (ApplyPolicy::Window, None) => None,
        (ApplyPolicy::Manual, _) => Some(Guard {
            code: HeldCode::Manual,
            reason: "a running container would be stopped, and `rollout.apply` is manual".into(),
            ends: None,
        }),
        (ApplyPolicy::Window, Some(window)) => match window::state(window, all.context.now) {
            WindowState::Open { .. } => None,
            WindowState::Closed { opens } => Some(Guard {
                code: HeldCode::OutsideWindow,
                reason: match opens {
                    Some(opens) => format!("a running container would be stopped, and its window opens at {opens}"),
                    None => "a running container would be stopped, and its window never opens".into(),
                },
                ends: opens,
            }),
        },
    }
}

/// Whether a container that runs would be stopped.
fn interrupts(member: &Member) -> bool {
    let stops = |work: &Work| match work {
        // What was begun is brought to its end.
        Work::Replace(_, Reason::Unfinished) => false,
        Work::Replace(old, _) => is_up(old),
        _ => false,
    };
    member.work.iter().any(|(_, work)| stops(work)) || member.view.surplus.iter().any(|container| is_up(container))
}

/// What was restarted too often waits; a person waits for nothing.
fn back_off(all: &All, members: &mut [Member], restraints: &mut Restraints) {
    if !matches!(all.context.purpose, Purpose::Keep | Purpose::Follow) || all.context.attended {
        return;
    }
    let mut waits = false;
    for member in members.iter_mut() {
        let service = member.view.service;
        let Some(restarts) = all.context.facts.restarts.get(&service.name) else { continue };
        let (budget, now) = (budget::of(service), all.context.now);
        let next = budget::not_before(restarts, budget, now);
        let starts = |work: &Work| matches!(work, Work::Start(_) | Work::Restart(..) | Work::Create(_));
        if next <= now || !member.work.iter().any(|(_, work)| starts(work)) {
            continue;
        }
        waits = true;
        restraints.ends.push(next);
        let reason = format!(
            "it was restarted {} within {}: the next attempt is at {next}",
            times(restarts.times.len()),
            budget.per
        );
        let hint =
            format!("`docker compose logs {0}` shows why it ends; `evenkeel apply {0}` tries at once", service.name);
        restraints.held.push(held(&service.name, HeldCode::BackOff, reason, hint));
    }
    let starts = |work: &Work| {
        matches!(work, Work::Start(_) | Work::Restart(..) | Work::Create(_) | Work::Replace(_, Reason::ParentReplaced))
    };
    let waiting =
        members.iter_mut().flat_map(|member| member.work.iter_mut()).filter(|(_, work)| waits && starts(work));
    waiting.for_each(|(_, work)| *work = Work::Nothing);
}

fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn asks(member: &Member) -> bool {
    let works = member.work.iter().any(|(_, work)| !matches!(work, Work::Nothing));
    works || !member.view.surplus.is_empty() || !member.view.discarded.is_empty()
}

pub(super) fn suspended<'a>(all: &'a All, name: &ServiceName, kind: SuspensionKind) -> Option<&'a Suspension> {
    let suspension = all.context.facts.suspensions.get(name)?;
    (suspension.kind == kind && suspension.holds(all.context.now)).then_some(suspension)
}

/// What is held of a service that a person paused.
pub(super) fn of_pause(name: &ServiceName, suspension: &Suspension) -> Held {
    held(name, HeldCode::Paused, in_words("paused", suspension), format!("`evenkeel resume {name}` ends that"))
}

/// `paused by ann@ci since …, until …: "looking at a leak"`.
fn in_words(what: &str, suspension: &Suspension) -> String {
    let until = suspension.until.map(|until| format!(", until {until}")).unwrap_or_default();
    let reason = suspension.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{what} by {} since {}{until}{reason}", suspension.actor, suspension.since)
}

fn held(service: &ServiceName, code: HeldCode, reason: String, hint: String) -> Held {
    Held { resource: Resource::Service(service.clone()), code, reason, hint }
}

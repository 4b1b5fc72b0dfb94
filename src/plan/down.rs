//! Removing what evenkeel made: dependants first and all others side by side, then networks, and volumes only when the
//! user names them.

use super::{
    draft::{CALL_DEADLINE, Draft},
    order,
    rollout::remove_container,
    survey::All,
};
use crate::model::{
    labels::{compose, ours},
    names::{Resource, ServiceName, StepId, VolumeName},
    observed::ObservedVolume,
    plan::{Action, Change, Held, HeldCode, Note, NoteCode, Plan, Reason},
    step::{AnonymousVolumes, Cause, Does, Step},
};
use std::collections::{BTreeMap, BTreeSet};

/// Plans the removal of the stack.
pub(super) fn plan_down(all: &All, volumes: bool, plan: &mut Plan) {
    if all.desired.policy.protect {
        plan.held.push(Held {
            resource: Resource::Stack(all.desired.stack.clone()),
            code: HeldCode::Protected,
            reason: "`metadata.protect` is set".into(),
            hint: "set it to false and apply, then try again".into(),
        });
    }
    let mut by_service = all.containers.by_service(&all.places);
    if !all.containers.of_none.is_empty() {
        by_service.entry(ServiceName::from("unknown")).or_default().extend(&all.containers.of_none);
    }
    let anonymous =
        if volumes { AnonymousVolumes::RemoveExcept { carried: Vec::new() } } else { AnonymousVolumes::Keep };
    let order: Vec<&ServiceName> = all.units.iter().flatten().rev().map(|place| &all.places.names()[*place]).collect();
    let undeclared: Vec<ServiceName> =
        by_service.keys().filter(|name| !all.desired.services.contains_key(*name)).cloned().collect();
    let mut remove = |service: &ServiceName, after: &[StepId]| -> Vec<StepId> {
        let Some(containers) = by_service.get(service) else { return after.to_vec() };
        let mut draft = Draft::new(service, vec![service.clone()], Cause::Down, &all.context.salt);
        draft.why = "down".into();
        draft.side_by_side(containers, |draft, container| {
            let path = format!("{service}/down/{}", container.id.short());
            remove_container(draft, all.desired.services.get(service), container, &path, anonymous.clone());
        });
        let ends = draft.ends().to_vec();
        plan.changes.push(removed(Resource::Service(service.clone())));
        let (rollout, steps) = draft.finish(after);
        plan.rollouts.push(rollout);
        plan.steps.extend(steps);
        ends
    };
    // Whom they need nobody knows, so they go before all others.
    let first: Vec<StepId> = undeclared.iter().flat_map(|service| remove(service, &[])).collect();
    let dependants = dependants(all);
    // By service the steps at whose end nobody who needs what it needs is there any more.
    let mut ends: BTreeMap<&ServiceName, Vec<StepId>> = BTreeMap::new();
    for service in order {
        let of_dependants: BTreeSet<&StepId> = dependants
            .get(service)
            .into_iter()
            .flatten()
            .filter_map(|dependant| ends.get(dependant))
            .flatten()
            .collect();
        let after = if of_dependants.is_empty() { first.clone() } else { of_dependants.into_iter().cloned().collect() };
        ends.insert(service, remove(service, &after));
    }
    let all_ends: BTreeSet<StepId> = first.iter().chain(ends.values().flatten()).cloned().collect();
    let after: Vec<StepId> = all_ends.into_iter().collect();
    remove_networks(all, &after, plan);
    if volumes {
        remove_volumes(all, &after, plan);
    }
}

/// By service, those that need it.
fn dependants<'a>(all: &All<'a>) -> BTreeMap<ServiceName, Vec<&'a ServiceName>> {
    let mut dependants: BTreeMap<ServiceName, Vec<&ServiceName>> = BTreeMap::new();
    for service in all.desired.services.values() {
        for name in order::needs_directly(all.desired, service) {
            dependants.entry(name.clone()).or_default().push(&service.name);
        }
    }
    dependants
}

fn remove_networks(all: &All, after: &[StepId], plan: &mut Plan) {
    let stack = all.desired.stack.as_str();
    for (name, network) in &all.observed.networks {
        let label = |key: &str| network.labels.get(key).map(String::as_str);
        let external = all.desired.networks.get(name).is_some_and(|network| network.external);
        let is_ours = label(ours::STACK) == Some(stack)
            || (label(compose::PROJECT) == Some(stack) && all.desired.networks.contains_key(name));
        if !external && is_ours {
            plan.changes.push(removed(Resource::Network(name.clone())));
            let id = format!("network:{name}/remove");
            plan.steps.push(step(id, after, Does::RemoveNetwork(name.clone()), Resource::Network(name.clone())));
        }
    }
}

fn remove_volumes(all: &All, after: &[StepId], plan: &mut Plan) {
    for (name, _) in all.desired.volumes.iter().filter(|(_, volume)| !volume.external) {
        let Some(seen) = all.observed.volumes.get(name) else { continue };
        let is = |label: &str| seen.labels.get(label).is_some_and(|stack| *stack == all.desired.stack.as_str());
        if !is(ours::STACK) && !is(compose::PROJECT) {
            plan.notes.push(stays(name, seen));
            continue;
        }
        plan.changes.push(removed(Resource::Volume(name.clone())));
        let id = format!("volume:{name}/remove");
        plan.steps.push(step(id, after, Does::RemoveVolume(name.clone()), Resource::Volume(name.clone())));
    }
}

/// A volume that was there before the stack, and is not of it: a name alone does not say whose data is in it.
fn stays(name: &VolumeName, seen: &ObservedVolume) -> Note {
    let whose = match seen.labels.get(compose::PROJECT) {
        Some(project) => format!("is of the project `{project}`"),
        None => "was not made by this stack".to_owned(),
    };
    Note {
        code: NoteCode::VolumeStays,
        text: format!("the volume {name} {whose}, and stays"),
        hint: Some(format!("if its data is to go too: `docker volume rm {name}`")),
    }
}

fn step(id: String, after: &[StepId], does: Does, target: Resource) -> Step {
    Step { id: StepId::new(id), after: after.to_vec(), does, target, cause: Cause::Down, deadline: CALL_DEADLINE }
}

fn removed(resource: Resource) -> Change {
    let (action, reason) = (Action::Remove, Reason::Down);
    Change { resource, action, reason, cause: Cause::Down, strategy: None, fields: Vec::new() }
}

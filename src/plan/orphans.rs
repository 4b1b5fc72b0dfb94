//! Containers and networks of ours that nothing declares any more: reported, and removed with `prune`.

use super::{
    draft::{CALL_DEADLINE, Draft},
    order::Places,
    ownership::Containers,
    restraint,
    rivals::Ousted,
    rollout::remove_container,
    survey::All,
};
use crate::model::{
    desired::Desired,
    labels,
    names::{NetworkName, Resource, ServiceName, StepId},
    observed::{Observed, ObservedContainer},
    plan::{Action, Change, Held, HeldCode, Note, NoteCode, Purpose, Reason, Rollout},
    revision::SuspensionKind,
    step::{AnonymousVolumes, Cause, Does, Step},
};
use std::collections::{BTreeMap, BTreeSet};

/// What is no longer declared.
#[derive(Default)]
pub(super) struct Orphans {
    pub changes: Vec<Change>,
    pub held: Vec<Held>,
    pub notes: Vec<Note>,
    pub rollouts: Vec<(Rollout, Vec<Step>)>,
    pub steps: Vec<Step>,
}

/// Looks for what is no longer declared, when the whole stack is planned. It goes after everything else.
/// Services that are held stay as the current revision has them, and so do their networks.
/// What makes room for a new service goes with that one's rollout.
pub(super) fn orphans(all: &All, rollouts: &[(Rollout, Vec<Step>)], ousted: &Ousted, held: &[Held]) -> Orphans {
    let mut orphans = Orphans::default();
    if all.context.selected.is_some() || all.context.purpose == Purpose::Restart {
        return orphans;
    }
    let by_service = &all.containers.not_declared;
    if !all.desired.policy.prune {
        orphans.notes.extend(by_service.iter().map(|(service, containers)| note(service, containers)));
        return orphans;
    }
    if !by_service.is_empty() && too_much(all) {
        orphans.held.push(Held {
            resource: Resource::Stack(all.desired.stack.clone()),
            code: HeldCode::PruneRefused,
            reason: format!("{} of the services that were there are not declared, more than half", by_service.len()),
            hint: "if that is meant, say `--yes`".into(),
        });
        return orphans;
    }
    let after: Vec<StepId> = rollouts.iter().flat_map(|(_, steps)| steps.iter().map(|step| step.id.clone())).collect();
    let cause = all.context.facts.cause_of_first();
    for (service, containers) in by_service {
        if let Some(suspension) = restraint::suspended(all, service, SuspensionKind::Paused) {
            orphans.held.push(restraint::of_pause(service, suspension));
            continue;
        }
        let current = all.context.facts.current.as_ref();
        let before = current.and_then(|current| current.desired.services.get(service));
        let mut draft = Draft::new(service, vec![service.clone()], cause, &all.context.salt);
        draft.why = "no longer declared".into();
        for container in containers {
            orphans.changes.push(removed(Resource::Container(container.name.clone()), cause));
            let path = format!("{service}/orphan/{}", container.id.short());
            remove_container(&mut draft, before, container, &path, AnonymousVolumes::Keep);
        }
        if !ousted.contains_key(service) {
            orphans.rollouts.push(draft.finish(&after));
        }
    }
    let held: Vec<Held> = held.iter().chain(&orphans.held).cloned().collect();
    remove_networks(all, cause, &after, &networks_of_held(all, &held), &mut orphans);
    orphans
}

/// Whether this plan removes what is left of a service that is no longer declared.
pub(super) fn goes(all: &All, service: &ServiceName) -> bool {
    let whole = all.context.selected.is_none() && all.context.purpose != Purpose::Restart;
    let is_paused = restraint::suspended(all, service, SuspensionKind::Paused).is_some();
    whole && all.desired.policy.prune && !too_much(all) && !is_paused
}

/// Our containers whose service is not in this desired state, by service.
pub fn not_declared<'a>(
    desired: &Desired,
    observed: &'a Observed,
) -> BTreeMap<ServiceName, Vec<&'a ObservedContainer>> {
    Containers::of(&Places::of(desired), observed).not_declared
}

/// An emptied manifest, or one of less than half the services, is more likely a slip than a wish.
fn too_much(all: &All) -> bool {
    // Before the first revision, what runs is what would become it.
    let before: BTreeSet<ServiceName> = match &all.context.facts.current {
        Some(current) => current.desired.services.keys().cloned().collect(),
        None => all.containers.by_service(&all.places).into_keys().collect(),
    };
    let left = before.iter().filter(|name| all.desired.services.contains_key(*name)).count();
    !all.context.yes && (all.desired.services.is_empty() || left * 2 < before.len())
}

/// The networks that held services are on in the current revision; one that does not run is not seen to be attached.
fn networks_of_held<'a>(all: &All<'a>, held: &[Held]) -> BTreeSet<&'a NetworkName> {
    let is_held = |name: &ServiceName| {
        let resource = Resource::Service(name.clone());
        held.iter().any(|held| held.resource == resource)
    };
    let current = all.context.facts.current.iter().flat_map(|current| &current.desired.services);
    current.filter(|(name, _)| is_held(name)).flat_map(|(_, service)| service.container.networks.keys()).collect()
}

fn remove_networks(all: &All, cause: Cause, after: &[StepId], needed: &BTreeSet<&NetworkName>, orphans: &mut Orphans) {
    let stack = all.desired.stack.as_str();
    for (name, network) in &all.observed.networks {
        let is_ours = network.labels.get(labels::ours::STACK).map(String::as_str) == Some(stack);
        let is_declared = all.desired.networks.contains_key(name) || needed.contains(name);
        if !is_ours || is_declared || !network.attached.is_empty() {
            continue;
        }
        orphans.changes.push(removed(Resource::Network(name.clone()), cause));
        orphans.steps.push(Step {
            id: StepId::new(format!("network:{name}/remove")),
            after: after.to_vec(),
            does: Does::RemoveNetwork(name.clone()),
            target: Resource::Network(name.clone()),
            cause,
            deadline: CALL_DEADLINE,
        });
    }
}

fn note(service: &ServiceName, containers: &[&ObservedContainer]) -> Note {
    let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
    Note {
        code: NoteCode::NotDeclared,
        text: format!("{service} is not declared, and {} is there", names.join(", ")),
        hint: Some("`spec.prune: true` removes such containers".into()),
    }
}

fn removed(resource: Resource, cause: Cause) -> Change {
    let reason = Reason::NotDeclared;
    Change { resource, action: Action::Remove, reason, cause, strategy: None, fields: Vec::new() }
}

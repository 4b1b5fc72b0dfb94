//! Which services a plan acts on, and which it leaves: those named and what they need to run, without those held.

use super::{
    order::Unit,
    survey::{All, View},
};
use crate::model::{
    desired::{Desired, desired_hash},
    names::{DesiredHash, Resource, ServiceName},
    plan::{Held, HeldCode, PlanContext, Purpose},
    revision::{Hold, SuspensionKind},
};
use std::{borrow::Cow, collections::BTreeSet};

/// The desired state of an apply that names services: those from the manifest with the networks and volumes they need;
/// everything else, stack policy included, as in the current revision.
pub fn merged(manifest: &Desired, current: &Desired, named: &BTreeSet<ServiceName>) -> Desired {
    let mut merged = current.clone();
    let units = super::order::units(manifest);
    for service in units.iter().filter(|unit| holds(unit, named)).flatten() {
        for network in service.container.networks.keys() {
            merged.networks.extend(manifest.networks.get(network).map(|found| (network.clone(), found.clone())));
        }
        for volume in service.volumes() {
            merged.volumes.extend(manifest.volumes.get(volume).map(|found| (volume.clone(), found.clone())));
        }
        merged.services.insert(service.name.clone(), (*service).clone());
    }
    // A dependency that the current revision does not know is taken from the manifest, so that it can be started.
    let missing: Vec<ServiceName> =
        dependencies(manifest, named).filter(|name| !merged.services.contains_key(name)).collect();
    if !missing.is_empty() {
        let named: BTreeSet<ServiceName> = missing.into_iter().collect();
        merged = self::merged(manifest, &merged, &named);
    }
    merged.source = manifest.source.clone();
    merged.overrides = manifest.overrides.clone();
    merged.registries = manifest.registries.clone();
    merged
}

/// Whether any service of a unit is named.
fn holds(unit: &Unit, named: &BTreeSet<ServiceName>) -> bool {
    unit.iter().any(|service| named.contains(&service.name))
}

/// All that the named services depend on, however far.
fn dependencies(desired: &Desired, named: &BTreeSet<ServiceName>) -> impl Iterator<Item = ServiceName> {
    let mut found: BTreeSet<ServiceName> = BTreeSet::new();
    let mut next: Vec<ServiceName> = named.iter().cloned().collect();
    while let Some(name) = next.pop() {
        let needs = desired.services.get(&name).into_iter().flat_map(|service| service.depends_on.keys());
        for name in needs.filter(|name| desired.services.contains_key(*name)) {
            if found.insert(name.clone()) {
                next.push(name.clone());
            }
        }
    }
    found.into_iter()
}

/// A service that a rollback moved stays as the current revision has it, whatever is declared, until its declaration changes
/// or an apply names it: kept so, and put right where it is not. Gives what is desired then, and what its images are.
pub(super) fn with_held<'a>(
    desired: &'a Desired,
    context: &'a PlanContext,
    held: &mut Vec<Held>,
) -> (Cow<'a, Desired>, Cow<'a, PlanContext>) {
    let as_declared = (Cow::Borrowed(desired), Cow::Borrowed(context));
    let (Purpose::Apply | Purpose::Follow, Some(current)) = (context.purpose, &context.facts.current) else {
        return as_declared;
    };
    let is_left = |name: &ServiceName, hold: &Hold| {
        let service = desired.services.get(name)?;
        let image = context.images.get(&service.container.image)?;
        hold.is_left(&desired_hash(service, &image.id), service.replicas).then_some(())
    };
    let is_named = |name: &ServiceName| context.selected.as_ref().is_some_and(|selected| selected.contains(name));
    let (mut names, mut images) = (BTreeSet::new(), context.images.clone());
    for (name, hold) in
        context.facts.holds.iter().filter(|(name, hold)| !is_named(name) && is_left(name, hold).is_some())
    {
        held.push(Held {
            resource: Resource::Service(name.clone()),
            code: HeldCode::RolledBack,
            reason: format!("rolled back by {} at {}: {}", hold.actor, hold.since, hold.reason),
            hint: format!("change it, or `evenkeel apply {name}` to try it again"),
        });
        if let Some(service) = current.desired.services.get(name) {
            let image = &service.container.image;
            images.extend(current.images.get(image).map(|found| (image.clone(), found.clone())));
            names.insert(name.clone());
        }
    }
    if names.is_empty() {
        return as_declared;
    }
    let mut kept = merged(&current.desired, desired, &names);
    (kept.source, kept.overrides) = (desired.source.clone(), desired.overrides.clone());
    kept.registries.clone_from(&desired.registries);
    (Cow::Owned(kept), Cow::Owned(PlanContext { images, ..context.clone() }))
}

/// The services to act on.
pub(super) struct Scope<'a> {
    /// Absent: all of them.
    named: Option<&'a BTreeSet<ServiceName>>,
    /// What the named ones depend on, however far.
    needed: BTreeSet<ServiceName>,
}

impl<'a> Scope<'a> {
    /// As the command line said.
    pub fn of(all: &All<'a>) -> Scope<'a> {
        let named = all.context.selected.as_ref();
        Scope { named, needed: named.into_iter().flat_map(|named| dependencies(all.desired, named)).collect() }
    }

    /// Those of a unit to act on; what holds the others back is told.
    pub fn of_unit<'v>(
        &self,
        all: &All<'a>,
        places: &[usize],
        views: &'v [View<'a>],
        held: &mut Vec<Held>,
    ) -> Vec<&'v View<'a>> {
        let is_named = |named: &&BTreeSet<ServiceName>| {
            places.iter().any(|place| named.contains(&all.places.service(*place).name))
        };
        let whole = self.named.as_ref().is_none_or(is_named);
        let down = |view: &View| !view.runs() && !view.service.one_shot;
        let takes = |view: &View| whole || self.needed.contains(&view.service.name) && down(view);
        let mut in_scope: Vec<&View> = views.iter().filter(|view| takes(view)).collect();
        in_scope.retain(|view| match hold(all, view) {
            None => true,
            Some(entry) => {
                held.extend(entry);
                false
            }
        });
        in_scope
    }
}

/// Why a service is left as it is: `None` when it is not, `Some(None)` when there is nothing to say about it.
fn hold(all: &All, view: &View) -> Option<Option<Held>> {
    let (facts, name) = (&all.context.facts, &view.service.name);
    let purpose = all.context.purpose;
    if purpose == Purpose::Keep && facts.not_started.contains(name) {
        return Some(None);
    }
    let is_now = |hash: &DesiredHash| *hash == desired_hash(view.service, &view.image.id);
    let resource = Resource::Service(name.clone());
    // What the user wants stopped is stopped, whatever became of it: a hook before its stop may have failed.
    let stops = super::restraint::suspended(all, name, SuspensionKind::Stopped).is_some();
    if matches!(purpose, Purpose::Keep | Purpose::Follow) && !stops && facts.failed.get(name).is_some_and(is_now) {
        return Some(Some(Held {
            resource,
            code: HeldCode::FailedBefore,
            reason: "this desired state failed and has not changed since".into(),
            hint: format!(
                "`evenkeel logs {name} --failed` shows why; change it, or `evenkeel apply {name}` tries again"
            ),
        }));
    }
    None
}

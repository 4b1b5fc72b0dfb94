//! Which units there are, and which waits for which.

use crate::model::{
    desired::{Desired, Service},
    names::ServiceName,
    policy::Condition,
};
use std::collections::{BTreeMap, BTreeSet};

/// Services that share namespaces or volumes, parents first. Most units are one service.
pub type Unit = Vec<ServiceName>;

/// What a service waits for at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wait {
    /// Its containers are started.
    Started,
    /// They are proven, or have completed.
    Proven,
}

/// The units, each after those it waits for. Cycles were refused by the loader; what is left of one comes last.
pub fn units(desired: &Desired) -> Vec<Unit> {
    let mut leader: BTreeMap<&ServiceName, &ServiceName> = desired.services.keys().map(|name| (name, name)).collect();
    for service in desired.services.values() {
        for parent in service.shares.iter().filter(|parent| desired.services.contains_key(*parent)) {
            let (a, b) = (root(&leader, &service.name), root(&leader, parent));
            if let (Some((low, _)), true) = (desired.services.get_key_value(a.min(b)), a != b) {
                let high = a.max(b).clone();
                leader.values_mut().filter(|name| **name == &high).for_each(|name| *name = low);
            }
        }
    }
    let mut groups: BTreeMap<&ServiceName, Vec<&Service>> = BTreeMap::new();
    for service in desired.services.values() {
        groups.entry(root(&leader, &service.name)).or_default().push(service);
    }
    let units: Vec<Unit> = groups.into_values().map(parents_first).collect();
    sorted(desired, units)
}

fn root<'a>(leader: &BTreeMap<&'a ServiceName, &'a ServiceName>, of: &'a ServiceName) -> &'a ServiceName {
    leader.get(of).copied().unwrap_or(of)
}

fn parents_first(mut services: Vec<&Service>) -> Unit {
    let mut unit = Unit::new();
    while !services.is_empty() {
        let ready = |service: &&&Service| {
            let inside = |parent: &&ServiceName| services.iter().any(|other| other.name == **parent);
            !service.shares.iter().filter(|parent| **parent != service.name).any(|parent| inside(&parent))
        };
        let next = services.iter().position(|service| ready(&service)).unwrap_or(0);
        unit.push(services.remove(next).name.clone());
    }
    unit
}

/// What a service waits for: `depends_on` with its condition, and `rollout.order` for proof.
pub(super) fn waits(desired: &Desired, service: &Service) -> BTreeMap<ServiceName, Wait> {
    let mut waits: BTreeMap<ServiceName, Wait> = BTreeMap::new();
    for (name, dependency) in &service.depends_on {
        let wait = match dependency.condition {
            Condition::ServiceStarted => Wait::Started,
            Condition::ServiceHealthy | Condition::ServiceCompletedSuccessfully => Wait::Proven,
        };
        waits.insert(name.clone(), wait);
    }
    let wave = desired.policy.order.iter().position(|wave| wave.contains(&service.name));
    if let Some(before) = wave.and_then(|wave| wave.checked_sub(1)) {
        waits.extend(desired.policy.order[before].iter().map(|name| (name.clone(), Wait::Proven)));
    }
    waits.retain(|name, _| desired.services.contains_key(name) && *name != service.name);
    waits
}

/// What a service can't be without: those it waits for, and those whose namespaces or volumes it shares.
pub(super) fn needs_directly(desired: &Desired, service: &Service) -> impl Iterator<Item = ServiceName> {
    waits(desired, service).into_keys().chain(service.shares.iter().cloned())
}

/// All that a service needs, and what those need.
pub fn needs(desired: &Desired, service: &ServiceName) -> BTreeSet<ServiceName> {
    let (mut found, mut ahead) = (BTreeSet::new(), vec![service.clone()]);
    while let Some(name) = ahead.pop() {
        let Some(service) = desired.services.get(&name) else { continue };
        ahead.extend(needs_directly(desired, service).filter(|name| found.insert(name.clone())));
    }
    found
}

fn sorted(desired: &Desired, mut units: Vec<Unit>) -> Vec<Unit> {
    let unit_of: BTreeMap<ServiceName, usize> =
        units.iter().enumerate().flat_map(|(at, unit)| unit.iter().map(move |name| (name.clone(), at))).collect();
    let mut waiting: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); units.len()];
    let mut awaited_by: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    for (at, unit) in units.iter().enumerate() {
        let services = unit.iter().filter_map(|name| desired.services.get(name));
        for name in services.flat_map(|service| waits(desired, service).into_keys()) {
            if let Some(&other) = unit_of.get(&name).filter(|other| **other != at)
                && waiting[at].insert(other)
            {
                awaited_by[other].push(at);
            }
        }
    }
    let mut ready: BTreeSet<usize> = (0..units.len()).filter(|at| waiting[*at].is_empty()).collect();
    let mut order = Vec::with_capacity(units.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for &next in &awaited_by[at] {
            waiting[next].remove(&at);
            if waiting[next].is_empty() {
                ready.insert(next);
            }
        }
    }
    let rest: Vec<usize> = (0..units.len()).filter(|at| !waiting[*at].is_empty()).collect();
    order.into_iter().chain(rest).map(|at| std::mem::take(&mut units[at])).collect()
}

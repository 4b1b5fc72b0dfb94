//! Which units there are, and which waits for which.

use crate::model::{
    desired::{Desired, Service},
    names::ServiceName,
    policy::Condition,
};
use std::collections::{BTreeMap, BTreeSet};

/// Services that share namespaces or volumes, parents first. Most units are one service.
pub type Unit<'a> = Vec<&'a Service>;

/// What a service waits for at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wait {
    /// Its containers are started.
    Started,
    /// They are proven, or have completed.
    Proven,
}

/// The units, each after those it waits for. Cycles were refused by the loader; what is left of one comes last.
pub fn units(desired: &Desired) -> Vec<Unit<'_>> {
    let services: Vec<&Service> = desired.services.values().collect();
    let places = services.iter().enumerate().map(|(place, service)| (&service.name, place));
    let places: BTreeMap<&ServiceName, usize> = places.collect();
    // The first of those that share leads them.
    let mut leaders: Vec<usize> = (0..services.len()).collect();
    for (place, service) in services.iter().enumerate() {
        for parent in service.shares.iter().filter_map(|parent| places.get(parent)) {
            let (a, b) = (leader(&mut leaders, place), leader(&mut leaders, *parent));
            leaders[a.max(b)] = a.min(b);
        }
    }
    let unit_of: Vec<usize> = (0..services.len()).map(|place| leader(&mut leaders, place)).collect();
    let mut units: Vec<Vec<&Service>> = vec![Vec::new(); services.len()];
    services.iter().zip(&unit_of).for_each(|(service, unit)| units[*unit].push(service));
    let awaited = |unit: usize| {
        let names = units[unit].iter().flat_map(|service| waits(desired, service).into_keys());
        let awaited: BTreeSet<usize> =
            names.filter_map(|name| places.get(&name)).map(|place| unit_of[*place]).collect();
        awaited.into_iter().filter(move |other| *other != unit)
    };
    let order = sorted((0..units.len()).map(|unit| awaited(unit).collect()).collect());
    order
        .into_iter()
        .map(|unit| parents_first(std::mem::take(&mut units[unit])))
        .filter(|unit| !unit.is_empty())
        .collect()
}

/// Who leads the one at this place; the way to it is shortened.
fn leader(leaders: &mut [usize], mut place: usize) -> usize {
    while leaders[place] != place {
        leaders[place] = leaders[leaders[place]];
        place = leaders[place];
    }
    place
}

fn parents_first(mut services: Vec<&Service>) -> Unit<'_> {
    let mut unit = Unit::new();
    while !services.is_empty() {
        let ready = |service: &&&Service| {
            let inside = |parent: &&ServiceName| services.iter().any(|other| other.name == **parent);
            !service.shares.iter().filter(|parent| **parent != service.name).any(|parent| inside(&parent))
        };
        let next = services.iter().position(|service| ready(&service)).unwrap_or(0);
        unit.push(services.remove(next));
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

/// Numbers in an order in which each comes after those it awaits, the lowest first where there is a choice.
fn sorted(awaited: Vec<Vec<usize>>) -> Vec<usize> {
    let mut awaited_by: Vec<Vec<usize>> = vec![Vec::new(); awaited.len()];
    for (at, others) in awaited.iter().enumerate() {
        others.iter().for_each(|other| awaited_by[*other].push(at));
    }
    let mut waiting: Vec<usize> = awaited.iter().map(Vec::len).collect();
    let mut ready: BTreeSet<usize> = (0..awaited.len()).filter(|at| waiting[*at] == 0).collect();
    let mut order = Vec::with_capacity(awaited.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for next in &awaited_by[at] {
            waiting[*next] -= 1;
            if waiting[*next] == 0 {
                ready.insert(*next);
            }
        }
    }
    let left = (0..awaited.len()).filter(|at| waiting[*at] > 0);
    order.iter().copied().chain(left).collect()
}

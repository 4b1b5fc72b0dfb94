//! Which units there are, and which waits for which.

use super::grouped::Grouped;
use crate::model::{
    desired::{Desired, Service},
    names::ServiceName,
    policy::Condition,
};
use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

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

/// The services of a desired state, each at its place in the order of names. The names stand close together, so that
/// finding one among thousands reads little memory.
pub(super) struct Places<'a> {
    pub desired: &'a Desired,
    services: Vec<&'a Service>,
    names: Vec<ServiceName>,
}

impl<'a> Places<'a> {
    /// Gives every service its place.
    pub fn of(desired: &'a Desired) -> Places<'a> {
        Places {
            desired,
            services: desired.services.values().collect(),
            names: desired.services.keys().cloned().collect(),
        }
    }

    /// Where the service of this name stands.
    pub fn find(&self, name: &ServiceName) -> Option<usize> {
        self.names.binary_search(name).ok()
    }

    /// The names, each at its place.
    pub fn names(&self) -> &[ServiceName] {
        &self.names
    }

    /// The service at a place.
    pub fn service(&self, place: usize) -> &'a Service {
        self.services[place]
    }

    /// The places of each unit, each unit after those it waits for. Cycles were refused by the loader; what is left of one
    /// comes last.
    pub fn units(&self) -> Grouped<usize> {
        let all = 0..self.services.len();
        // The first of those that share leads them.
        let mut leaders: Vec<usize> = all.clone().collect();
        for (place, service) in self.services.iter().enumerate() {
            for parent in service.shares.iter().filter_map(|parent| self.find(parent)) {
                let (a, b) = (leader(&mut leaders, place), leader(&mut leaders, parent));
                leaders[a.max(b)] = a.min(b);
            }
        }
        let leaders: Vec<usize> = all.clone().map(|place| leader(&mut leaders, place)).collect();
        let awaited = |place: usize| {
            let places = waits(self.desired, self.services[place]).filter_map(|(name, _)| self.find(name));
            let (unit, units) = (leaders[place], places.map(|place| leaders[place]));
            units.filter(move |other| *other != unit).map(move |other| (other, unit))
        };
        let order = sorted(self.services.len(), all.clone().flat_map(awaited).collect());
        let members = Grouped::of(self.services.len(), all.map(|place| (leaders[place], place)).collect());
        let mut units = Grouped::default();
        for unit in order {
            match members.get(unit) {
                [one] => units.push([*one]),
                some => units.push(self.parents_first(some.to_vec())),
            }
        }
        units
    }

    fn parents_first(&self, mut places: Vec<usize>) -> Vec<usize> {
        let mut unit = Vec::with_capacity(places.len());
        while !places.is_empty() {
            let is_left = |name: &ServiceName| places.iter().any(|place| self.names[*place] == *name);
            let ready = |place: &usize| {
                let own = &self.names[*place];
                !self.services[*place].shares.iter().any(|parent| parent != own && is_left(parent))
            };
            let next = places.iter().position(ready).unwrap_or(0);
            unit.push(places.remove(next));
        }
        unit
    }
}

/// The units, each after those it waits for.
pub fn units(desired: &Desired) -> Vec<Unit<'_>> {
    let places = Places::of(desired);
    places.units().iter().map(|unit| unit.iter().map(|place| places.service(*place)).collect()).collect()
}

/// Who leads the one at this place; the way to it is shortened.
fn leader(leaders: &mut [usize], mut place: usize) -> usize {
    while leaders[place] != place {
        leaders[place] = leaders[leaders[place]];
        place = leaders[place];
    }
    place
}

/// What a service waits for: `depends_on` with its condition, and `rollout.order` for proof. They need not be declared.
pub(super) fn waits<'a>(
    desired: &'a Desired,
    service: &'a Service,
) -> impl Iterator<Item = (&'a ServiceName, Wait)> + use<'a> {
    let waves = &desired.policy.order;
    let wave = waves.iter().position(|wave| wave.contains(&service.name));
    let before = wave.and_then(|wave| wave.checked_sub(1)).map_or(&[][..], |before| &waves[before]);
    let depends_on = service.depends_on.iter().filter(|(name, _)| !before.contains(name));
    let depends_on = depends_on.map(|(name, dependency)| match dependency.condition {
        Condition::ServiceStarted => (name, Wait::Started),
        Condition::ServiceHealthy | Condition::ServiceCompletedSuccessfully => (name, Wait::Proven),
    });
    let all = depends_on.chain(before.iter().map(|name| (name, Wait::Proven)));
    all.filter(|(name, _)| **name != service.name)
}

/// What a service can't be without: those it waits for, and those whose namespaces or volumes it shares.
pub(super) fn needs_directly<'a>(
    desired: &'a Desired,
    service: &'a Service,
) -> impl Iterator<Item = &'a ServiceName> + use<'a> {
    let awaited = waits(desired, service).map(|(name, _)| name);
    awaited.filter(|name| desired.services.contains_key(*name)).chain(&service.shares)
}

/// All that a service needs, and what those need.
pub fn needs(desired: &Desired, service: &ServiceName) -> BTreeSet<ServiceName> {
    let (mut found, mut ahead) = (BTreeSet::new(), vec![service.clone()]);
    while let Some(name) = ahead.pop() {
        let Some(service) = desired.services.get(&name) else { continue };
        ahead.extend(needs_directly(desired, service).filter(|name| found.insert((*name).clone())).cloned());
    }
    found
}

/// The numbers below `count` in an order in which each comes after those it awaits, the lowest first where there is a
/// choice. Of each pair the second awaits the first; what is left of a cycle comes last.
fn sorted(count: usize, mut pairs: Vec<(usize, usize)>) -> Vec<usize> {
    pairs.sort_unstable();
    pairs.dedup();
    let mut waiting = vec![0_usize; count];
    pairs.iter().for_each(|(_, waits)| waiting[*waits] += 1);
    let awaited_by = Grouped::of(count, pairs);
    let mut ready: BinaryHeap<Reverse<usize>> = (0..count).filter(|at| waiting[*at] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        for next in awaited_by.get(at) {
            waiting[*next] -= 1;
            if waiting[*next] == 0 {
                ready.push(Reverse(*next));
            }
        }
    }
    order.extend((0..count).filter(|at| waiting[*at] > 0));
    order
}

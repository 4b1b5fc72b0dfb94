//! Admission: what all of it may use, judged before the first step.

use super::survey::All;
use crate::model::{
    capacity::{Amount, Budget, CapacityReport},
    container::Limits,
    desired::{Desired, Service},
    names::{ContainerName, Resource, ServiceName},
    observed::EngineFacts,
    plan::{Held, HeldCode, Note, NoteCode},
    policy::Capacity,
    units::{Bytes, NanoCpus},
};
use std::collections::{BTreeMap, BTreeSet};

/// What admission says.
#[derive(Default)]
pub(super) struct Admission {
    pub report: CapacityReport,
    pub held: Vec<Held>,
    pub notes: Vec<Note>,
}

/// What the declared services ask for, added up as they are planned.
#[derive(Default)]
pub(super) struct Demand {
    declared: Amount,
    /// Limits of single containers that the host can't give.
    over_host: Vec<Held>,
}

impl Demand {
    /// Adds a service.
    pub fn add(&mut self, service: &Service, host: &EngineFacts) {
        self.declared = sum([self.declared, amount(service, u64::from(service.replicas))].into_iter());
        one_container(service, host, &mut self.over_host);
    }
}

/// Judges the limits. `surging` are the units whose containers this plan runs twice for a while: of each service so many.
/// `leaving` are the containers that go for good with this plan.
pub(super) fn admit(
    all: &All,
    demand: Demand,
    surging: &[BTreeMap<ServiceName, u64>],
    leaving: &BTreeSet<&ContainerName>,
) -> Admission {
    let desired = all.desired;
    let declared = demand.declared;
    let mut admission = Admission { held: demand.over_host, ..Admission::default() };
    let twice = |(name, times): (&ServiceName, &u64)| Some(amount(desired.services.get(name)?, *times));
    let surges: Vec<Amount> = surging.iter().map(|unit| sum(unit.iter().filter_map(twice))).collect();
    let most = usize::try_from(desired.policy.max_parallel.max(1)).unwrap_or(1);
    let peak = sum([declared, largest(&surges, most)].into_iter());
    let capacity = desired.policy.capacity.clone();
    admission.report = CapacityReport {
        declared,
        peak,
        budget: capacity.as_ref().map(|c| Budget { memory: c.memory, cpus: c.cpus, pids: c.pids }),
    };

    if let Some(capacity) = &capacity {
        let unlimited = desired
            .services
            .values()
            .flat_map(|service| lacking(service, capacity).map(move |(what, field)| (service, what, field)));
        let mut noted: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (service, what, field) in unlimited {
            match capacity.require_limits {
                true => admission.held.push(Held {
                    resource: Resource::Service(service.name.clone()),
                    code: HeldCode::LimitRequired,
                    reason: format!("`capacity.requireLimits` is set and it has no {what} limit"),
                    hint: format!("write `services.{}.limits.{field}`", service.name),
                }),
                false => noted.entry((what, field)).or_default().push(service.name.as_str()),
            }
        }
        admission.notes.extend(noted.into_iter().map(|((what, field), names)| no_limit(what, field, &names)));
    }
    if let Some(budget) = &admission.report.budget {
        admission.held.extend(over_budget(desired, budget, &peak));
    }
    over_host(all, &peak, leaving, &mut admission);
    admission
}

fn no_limit(what: &str, field: &str, names: &[&str]) -> Note {
    let (counts, of) = match names {
        [name] => ("it counts", (*name).to_owned()),
        _ => ("they count", "NAME".to_owned()),
    };
    Note {
        code: NoteCode::NoLimit,
        text: format!("{}: no {what} limit, so {counts} 0 against the capacity", names.join(", ")),
        hint: Some(format!("write `services.{of}.limits.{field}`")),
    }
}

fn amount(service: &Service, times: u64) -> Amount {
    let limits = &service.container.limits;
    Amount {
        memory: Bytes(limits.memory.unwrap_or_default().0.saturating_mul(times)),
        cpus: NanoCpus(cpus_of(limits).0.saturating_mul(times)),
        pids: limits.pids.and_then(|pids| u64::try_from(pids).ok()).unwrap_or(0).saturating_mul(times),
    }
}

/// The CPU limit, whether it is written as a number of CPUs or as quota and period.
fn cpus_of(limits: &Limits) -> NanoCpus {
    let by_quota = || {
        let (quota, period) = (limits.cpu_quota?, limits.cpu_period.unwrap_or(100_000));
        let nano = i128::from(quota) * 1_000_000_000 / i128::from(period.max(1));
        u64::try_from(nano).ok().map(NanoCpus)
    };
    limits.cpus.or_else(by_quota).unwrap_or_default()
}

fn sum(amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts.fold(Amount::default(), |total, one| Amount {
        memory: Bytes(total.memory.0.saturating_add(one.memory.0)),
        cpus: NanoCpus(total.cpus.0.saturating_add(one.cpus.0)),
        pids: total.pids.saturating_add(one.pids),
    })
}

/// The most that so many of them come to: of each quantity by itself, for which of them go together nobody knows before.
fn largest(amounts: &[Amount], most: usize) -> Amount {
    let of = |quantity: fn(&Amount) -> u64| {
        let mut all: Vec<u64> = amounts.iter().map(quantity).collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.into_iter().take(most).fold(0, u64::saturating_add)
    };
    Amount { memory: Bytes(of(|one| one.memory.0)), cpus: NanoCpus(of(|one| one.cpus.0)), pids: of(|one| one.pids) }
}

/// One container's limit above the host is always refused.
fn one_container(service: &Service, host: &EngineFacts, held: &mut Vec<Held>) {
    let limits = &service.container.limits;
    let mut refuse = |what: &str, wanted: String, there: String| {
        held.push(Held {
            resource: Resource::Service(service.name.clone()),
            code: HeldCode::OverHost,
            reason: format!("its {what} limit of {wanted} is more than the host's {there}"),
            hint: format!("lower `services.{}.limits.{what}`", service.name),
        });
    };
    if let Some(memory) = limits.memory.filter(|memory| host.memory.0 > 0 && *memory > host.memory) {
        refuse("memory", memory.to_string(), readable(host.memory));
    }
    let cpus = cpus_of(limits);
    if host.cpus.0 > 0 && cpus > host.cpus {
        refuse("cpus", cpus.to_string(), host.cpus.to_string());
    }
}

/// What a service has no limit of, and the limit's field: memory in any case, else what the capacity bounds.
fn lacking(service: &Service, capacity: &Capacity) -> impl Iterator<Item = (&'static str, &'static str)> {
    let has = amount(service, 1);
    let all = [
        ("memory", "memory", true, has.memory.0),
        ("CPU", "cpus", capacity.cpus.is_some(), has.cpus.0),
        ("process", "pids", capacity.pids.is_some(), has.pids),
    ];
    all.into_iter().filter(|(.., counts, limit)| *counts && *limit == 0).map(|(what, field, ..)| (what, field))
}

fn over_budget(desired: &Desired, budget: &Budget, peak: &Amount) -> Vec<Held> {
    let over = |what: &str, wanted: String, allowed: String| Held {
        resource: Resource::Stack(desired.stack.clone()),
        code: HeldCode::OverCapacity,
        reason: format!("it takes {wanted} of {what} at its peak, and `capacity.{what}` is {allowed}"),
        hint: "lower limits or replicas, or raise the capacity".into(),
    };
    let mut held = Vec::new();
    if let Some(memory) = budget.memory.filter(|memory| peak.memory > *memory) {
        held.push(over("memory", readable(peak.memory), memory.to_string()));
    }
    if let Some(cpus) = budget.cpus.filter(|cpus| peak.cpus > *cpus) {
        held.push(over("cpus", peak.cpus.to_string(), cpus.to_string()));
    }
    if let Some(pids) = budget.pids.filter(|pids| peak.pids > *pids) {
        held.push(over("pids", peak.pids.to_string(), pids.to_string()));
    }
    held
}

fn over_host(all: &All, peak: &Amount, leaving: &BTreeSet<&ContainerName>, admission: &mut Admission) {
    let All { desired, observed, containers, .. } = all;
    let taken = |limits: &Limits, used: Option<Bytes>| Amount {
        memory: limits.memory.or(used).unwrap_or_default(),
        cpus: cpus_of(limits),
        pids: 0,
    };
    let running = observed.others.values().filter(|other| other.running);
    let others = sum(running.map(|other| taken(&other.limits, other.memory_used)));
    // Of the stack's own project, and of no service that counts already: no longer declared, or run once by hand.
    let beside = containers.not_declared.values().flatten().chain(&containers.of_none).chain(&containers.foreign);
    let stays = beside.filter(|container| container.state.is_running() && !leaving.contains(&container.name));
    let beside = sum(stays.map(|container| taken(&container.spec.limits, container.memory_used)));
    let total = sum([*peak, others, beside].into_iter());
    let host = &observed.engine;
    let mut over = Vec::new();
    if host.memory.0 > 0 && total.memory > host.memory {
        over.push(format!("{} of {} memory", readable(total.memory), readable(host.memory)));
    }
    if host.cpus.0 > 0 && total.cpus > host.cpus {
        over.push(format!("{} of {} CPUs", total.cpus, host.cpus));
    }
    if over.is_empty() {
        return;
    }
    let text = format!("the limits of all containers here come to {}", over.join(" and "));
    let hint = "lower limits, or move something away".to_owned();
    if desired.policy.capacity.is_some() {
        let resource = Resource::Stack(desired.stack.clone());
        admission.held.push(Held { resource, code: HeldCode::OverHost, reason: text, hint });
    } else {
        admission.notes.push(Note { code: NoteCode::Overcommitted, text, hint: Some(hint) });
    }
}

/// A size for people: at most one decimal.
fn readable(size: Bytes) -> String {
    const GIB: u64 = 1 << 30;
    const MIB: u64 = 1 << 20;
    let tenths = |unit: u64| (size.0 + unit / 20) / (unit / 10);
    let written = |unit: u64, name: &str| match tenths(unit) % 10 {
        0 => format!("{}{name}", tenths(unit) / 10),
        part => format!("{}.{part}{name}", tenths(unit) / 10),
    };
    if size.0 >= GIB { written(GIB, "Gi") } else { written(MIB, "Mi") }
}

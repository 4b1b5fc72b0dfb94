//! Desired, observed and context → plan. PURE and total: the same inputs give the same bytes, and what can't be planned
//! is held, with a reason and a stable code. No I/O, no clock, no randomness, no hash map: all that comes in as context.
//!
//! The order of decisions is that of `plan` below.

mod adopt;
mod budget;
mod capacity;
mod compare;
mod down;
mod draft;
mod grouped;
mod in_place;
mod leftover;
mod lifecycle;
mod making;
mod normal;
mod order;
mod orphans;
mod ownership;
mod resources;
mod restraint;
mod rivals;
mod rollout;
mod scope;
mod services;
mod strategy;
mod survey;
mod work;

pub use adopt::as_it_runs;
pub use budget::{is_spent, of as budget_of, spent};
pub use compare::connected_by_hand;
pub use order::{needs, units};
pub use orphans::not_declared;
pub use scope::merged;
pub use strategy::{Choice, choose as strategy_of};

use crate::model::{
    desired::Desired,
    names::Resource,
    observed::Observed,
    plan::{API_VERSION, Action, Held, Plan, PlanContext, Purpose, SavedContext},
};
use survey::All;

/// What is to be done so that the engine is as desired.
pub fn plan(desired: &Desired, observed: &Observed, context: &PlanContext) -> Plan {
    let mut plan = empty(desired, context);
    let (desired, context) = scope::with_held(desired, context, &mut plan.held);
    let (desired, context) = (desired.as_ref(), context.as_ref());
    let all = All::of(desired, observed, context);

    plan.held.extend(ownership::refusals(&all));
    if let Purpose::Down { volumes } = context.purpose {
        down::plan_down(&all, volumes, &mut plan);
        return settled(plan);
    }

    let services = services::services(&all);
    let resources = services.resources;
    plan.changes.extend(resources.changes);
    plan.held.extend(resources.held);
    plan.changes.extend(services.changes);
    plan.held.extend(services.held);
    plan.notes.extend(services.notes);
    plan.changes_at = services.changes_at.into_iter().filter(|at| *at > context.now).min();
    let orphans = orphans::orphans(&all, &services.rollouts, &services.ousted, &plan.held);
    plan.changes.extend(orphans.changes);
    plan.held.extend(orphans.held);
    plan.notes.extend(orphans.notes);

    if context.purpose != Purpose::Keep {
        let leaving = plan.changes.iter().filter(|change| change.action == Action::Remove);
        let leaving = leaving.filter_map(|change| match &change.resource {
            Resource::Container(name) => Some(name),
            _ => None,
        });
        let admission = capacity::admit(&all, services.demand, &services.surging, &leaving.collect());
        // Who goes back, or makes anew what runs, asks for nothing that was not accepted before.
        if matches!(context.purpose, Purpose::Apply | Purpose::Follow) {
            plan.held.extend(admission.held);
        }
        plan.notes.extend(admission.notes);
        plan.capacity = Some(admission.report);
    }

    plan.steps.extend(resources.making.into_steps());
    for (rollout, steps) in services.rollouts.into_iter().chain(orphans.rollouts) {
        plan.rollouts.push(rollout);
        plan.steps.extend(steps);
    }
    plan.steps.extend(orphans.steps);
    settled(plan)
}

fn empty(desired: &Desired, context: &PlanContext) -> Plan {
    Plan {
        api_version: API_VERSION.to_owned(),
        kind: "Plan".to_owned(),
        stack: desired.stack.clone(),
        context: SavedContext {
            plan: context.plan.clone(),
            time: context.now,
            salt: context.salt.clone(),
            manifest_hash: desired.source.manifest_hash.clone(),
            images: context.images.clone(),
            selected: context.selected.clone(),
            revision: context.facts.current.as_ref().map(|current| current.number),
        },
        changes: Vec::new(),
        rollouts: Vec::new(),
        steps: Vec::new(),
        notes: Vec::new(),
        held: Vec::new(),
        capacity: None,
        changes_at: None,
    }
}

/// Sorts what means a set, commits what must not be shown, and takes the steps away where something forbids them all.
fn settled(mut plan: Plan) -> Plan {
    let salt = plan.context.salt.clone();
    for change in &mut plan.changes {
        change.fields.iter_mut().for_each(|field| field.commit(&salt));
    }
    plan.changes.sort_by(|a, b| a.resource.cmp(&b.resource));
    plan.notes.sort();
    plan.notes.dedup();
    plan.held.sort();
    plan.held.dedup();
    if plan.held.iter().any(|held: &Held| held.code.stops_everything().is_some()) {
        plan.rollouts.clear();
        plan.steps.clear();
    }
    plan
}

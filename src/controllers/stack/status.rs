//! `status`: what is, against the current revision.

use super::{
    Stack, StackError,
    round::{Aim, current_or_empty},
};
use crate::{
    home::Held,
    model::{
        desired::Desired,
        names::{NetworkName, Resource, ServiceName},
        observed::ObservedContainer,
        plan::{Action, Plan, Purpose},
        status::{ContainerStatusLine, NotDeclared, ServiceStatus, StackStatus, UnderWay},
    },
    plan::{connected_by_hand, not_declared},
};
use std::collections::{BTreeMap, BTreeSet};

impl Stack {
    /// The state of the stack: against the current revision, or before the first against what is declared, where that
    /// is given.
    pub async fn status(&self, declared: Option<&Desired>) -> Result<StackStatus, StackError> {
        let current = match &self.home {
            Some(home) => home.facts()?.current,
            None => None,
        };
        let revision = current.as_ref().map(|current| current.number);
        let desired = match (&current, declared) {
            (None, Some(declared)) => declared.clone(),
            (current, _) => current_or_empty(current.as_ref(), &self.name),
        };
        let observed = self.look(&desired).await?;
        let facts = self.facts(&observed)?;
        let aim = Aim::of(desired.clone(), Purpose::Keep);
        let round = self.round_from(&aim, facts.clone(), observed).await?;
        let last = match &self.home {
            Some(home) => home.last_rollouts()?,
            None => Default::default(),
        };
        let holder = self.home.as_ref().map(|home| home.holder()).transpose()?.flatten();
        let names = desired.services.keys();
        let mut services = Vec::new();
        for name in names {
            let containers = round.observed.containers.values().filter(|c| c.service().as_ref() == Some(name));
            services.push(service_status(name, &desired, &round.plan, containers.collect(), &facts));
        }
        for service in &mut services {
            service.last_rollout = last.get(&service.name).cloned();
        }
        // With `prune` it is drift. Of a manifest that is wrong, before the first apply, nothing is known.
        let left_alone = !desired.policy.prune && (revision.is_some() || !desired.services.is_empty());
        let found = if left_alone { not_declared(&desired, &round.observed) } else { BTreeMap::new() };
        let not_declared = found.into_iter().map(|(name, containers)| NotDeclared {
            name,
            containers: containers.into_iter().map(|container| line(container, BTreeSet::new())).collect(),
        });
        let elsewhere = |change: &&crate::model::plan::Change| !matches!(change.resource, Resource::Service(_));
        let words = |change: &crate::model::plan::Change| format!("{}: {}", change.resource, change.reason);
        let drift = round.plan.changes.iter().filter(elsewhere).map(words).collect();
        Ok(StackStatus {
            stack: self.name.clone(),
            converged: round.plan.steps.is_empty()
                && round.plan.held.is_empty()
                && revision.is_some()
                && desired
                    .services
                    .keys()
                    .all(|name| !facts.not_started.contains(name) && !facts.left.contains_key(name)),
            revision,
            under_way: holder.map(|Held { holder, since }| UnderWay {
                doing: holder.doing,
                actor: holder.actor,
                since,
            }),
            services,
            not_declared: not_declared.collect(),
            drift,
            held: round.plan.held,
            backups: Vec::new(),
            monitors: Vec::new(),
        })
    }
}

fn service_status(
    name: &ServiceName,
    desired: &Desired,
    plan: &Plan,
    mut containers: Vec<&ObservedContainer>,
    facts: &crate::model::plan::Facts,
) -> ServiceStatus {
    containers.sort_by_key(|container| (container.number(), container.name.clone()));
    let service = desired.services.get(name);
    let resource = Resource::Service(name.clone());
    let drifts = plan.changes.iter().filter(|change| change.resource == resource && change.action != Action::Adopt);
    let drift = drifts.flat_map(|change| {
        let paths: Vec<String> = change.fields.iter().map(|field| field.path.clone()).collect();
        let made_anew = change.action == Action::Create || paths.is_empty();
        if made_anew { vec![change.reason.to_string()] } else { paths }
    });
    let held = plan.held.iter().find(|held| held.resource == resource).cloned().or_else(|| {
        facts.holds.get(name).map(|hold| crate::model::plan::Held {
            resource: resource.clone(),
            code: crate::model::plan::HeldCode::RolledBack,
            reason: format!("{} by {} at {}", hold.reason, hold.actor, hold.since),
            hint: format!("change it, or `evenkeel apply {name}` to try it again"),
        })
    });
    let done = |container: &&&ObservedContainer| {
        service.is_some_and(|service| service.one_shot) && container.state.exit_code == 0
    };
    let ready = containers.iter().filter(|container| container.state.is_ready() || done(container)).count();
    let by_hand = |container: &ObservedContainer| {
        service.map(|service| connected_by_hand(service, container)).unwrap_or_default()
    };
    ServiceStatus {
        name: name.clone(),
        desired: service.map_or(0, |service| service.replicas),
        ready: u32::try_from(ready).unwrap_or(u32::MAX),
        image: service.map_or_else(|| "".into(), |service| service.container.image.clone()),
        drift: drift.collect(),
        held,
        suspension: facts.suspensions.get(name).filter(|one| one.holds(plan.context.time)).cloned(),
        containers: containers.into_iter().map(|container| line(container, by_hand(container))).collect(),
        last_rollout: None,
    }
}

fn line(container: &ObservedContainer, connected_by_hand: BTreeSet<NetworkName>) -> ContainerStatusLine {
    ContainerStatusLine {
        id: container.id.clone(),
        name: container.name.clone(),
        state: container.state.status,
        health: container.state.health,
        ready: container.state.is_ready(),
        started_at: container.state.started_at,
        restarts: container.state.restart_count,
        limits: container.spec.limits.clone(),
        connected_by_hand,
    }
}

//! `down`: removes what evenkeel made, makes an empty revision current, and lets the stack go.

use super::{
    Stack, StackError,
    apply::{Applied, gravest, refused},
    journal::Record,
    round::{Aim, current_or_empty},
};
use crate::{
    home::{Holder, Home, HomeError, NewRevision},
    model::{
        desired::Desired,
        plan::{Facts, Purpose},
        revision::Origin,
        units::Millis,
    },
};
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

/// What to remove.
#[derive(Clone)]
pub struct DownRequest {
    /// As loaded: what is declared may be removed too where no revision knows it.
    pub desired: Desired,
    /// Volumes too, and the data in them.
    pub volumes: bool,
    pub origin: Origin,
    pub lock_wait: Millis,
}

impl Stack {
    /// What `down` would do, to be shown before it is agreed to.
    pub async fn plan_down(&self, request: &DownRequest) -> Result<crate::model::plan::Plan, StackError> {
        let aim = self.aim_down(request)?;
        let observed = self.look(&aim.desired).await?;
        let facts = self.facts(&observed)?;
        Ok(self.round_from(&aim, facts, observed).await?.plan)
    }

    /// Makes an empty revision current, so that nobody keeps the stack. `from` is where it was declared.
    pub(super) fn make_empty(
        &self,
        home: &Home,
        facts: &Facts,
        from: &Desired,
        by: &Origin,
        reason: &str,
    ) -> Result<u64, HomeError> {
        home.make_current(NewRevision {
            made: self.clock.now(),
            by: by.clone(),
            reason: reason.to_owned(),
            desired: Desired { source: from.source.clone(), ..Desired::empty(self.name.clone()) },
            images: BTreeMap::new(),
            hashes: BTreeMap::new(),
            hold: BTreeMap::new(),
            release: facts.holds.keys().cloned().collect(),
        })
    }

    /// Removes the stack.
    pub async fn down(&self, request: &DownRequest) -> Result<Applied, StackError> {
        let home = self.home.clone().ok_or_else(|| StackError::NoHome(self.name.clone()))?;
        let holder = Holder { actor: request.origin.actor.clone(), doing: "down".into() };
        let _lock = home.lock(holder, request.lock_wait, self.clock.as_ref()).await?;
        let aim = self.aim_down(request)?;
        let observed = self.look(&aim.desired).await?;
        let facts = self.facts(&observed)?;
        let base = facts.current.as_ref().map(|current| current.number);
        let round = self.round_from(&aim, facts.clone(), observed).await?;
        let mut applied = Applied { notes: round.plan.notes.clone(), ..Applied::default() };
        if let Some(exit) = refused(&round.plan) {
            return Ok(Applied { exit, held: round.plan.held, revision: base, ..applied });
        }
        self.begin("down", &request.origin).await;
        self.make_empty(&home, &facts, &request.desired, &request.origin, "down")?;
        let journal = Arc::new(Record {
            home: home.clone(),
            clock: self.clock.clone(),
            base,
            rollback_stack: false,
            by: request.origin.clone(),
        });
        let current = home.current()?.map(|revision| revision.number);
        let outcome = self.act(&round, journal, current, CancellationToken::new()).await;
        for step in outcome.steps.iter().filter(|step| step.error.is_some()) {
            applied.left.push(format!("{}: {}", step.id, step.error.as_deref().unwrap_or_default()));
        }
        if outcome.succeeded() {
            for tag in self.let_go().await? {
                applied.left.push(format!("the tag {tag} stays: a container has that image"));
            }
        } else {
            let exit = if outcome.interrupted {
                130
            } else if outcome.engine_lost {
                3
            } else {
                5
            };
            applied.exit = gravest(applied.exit, exit);
        }
        applied.rounds.push((round.plan, outcome));
        self.say_end(&home, &mut applied).await?;
        Ok(applied)
    }

    fn aim_down(&self, request: &DownRequest) -> Result<Aim, StackError> {
        let current = match &self.home {
            Some(home) => home.facts()?.current,
            None => None,
        };
        let known = current_or_empty(current.as_ref(), &self.name);
        let mut desired = request.desired.clone();
        desired.services.extend(known.services);
        desired.networks.extend(known.networks);
        desired.volumes.extend(known.volumes);
        let purpose = Purpose::Down { volumes: request.volumes };
        Ok(Aim { yes: true, attended: true, ..Aim::of(desired, purpose) })
    }
}

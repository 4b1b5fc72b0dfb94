//! `restart`: each container replaced by an equal one, by its service's strategy. It makes no revision.

use super::{
    Stack, StackError,
    apply::{Applied, Course, refused},
    round::Aim,
};
use crate::{
    home::Holder,
    model::{names::ServiceName, plan::Purpose, revision::Origin, units::Millis},
};
use std::collections::BTreeSet;

/// What to restart.
#[derive(Clone)]
pub struct RestartRequest {
    /// The services named; `None`: all.
    pub selected: Option<BTreeSet<ServiceName>>,
    pub origin: Origin,
    pub lock_wait: Millis,
}

impl Stack {
    /// Restarts.
    pub async fn restart(&self, request: &RestartRequest) -> Result<Applied, StackError> {
        let home = self.home.clone().ok_or_else(|| StackError::NoHome(self.name.clone()))?;
        let what = super::named("restart", request.selected.as_ref());
        let holder = Holder { actor: request.origin.actor.clone(), doing: what.clone() };
        let _lock = home.lock(holder, request.lock_wait, self.clock.as_ref()).await?;
        let none = || StackError::NothingApplied(self.name.clone());
        let current = home.facts()?.current.ok_or_else(none)?;
        let unknown = |name: &&ServiceName| !current.desired.services.contains_key(*name);
        if let Some(name) = request.selected.iter().flatten().find(unknown) {
            return Err(StackError::no_service(name, current.desired.services.keys()));
        }
        let observed = self.look(&current.desired).await?;
        let facts = self.facts(&observed)?;
        let selected = request.selected.clone();
        let aim = Aim { selected, yes: true, attended: true, ..Aim::of(current.desired, Purpose::Restart) };
        let round = self.round_from(&aim, facts, observed).await?;
        let mut applied = Applied { notes: round.plan.notes.clone(), ..Applied::default() };
        if let Some(exit) = refused(&round.plan) {
            return Ok(Applied { exit, held: round.plan.held, revision: Some(current.number), ..applied });
        }
        self.begin(&what, &request.origin).await;
        let base = Some(current.number);
        let course = Course { aim, origin: request.origin.clone(), base, is_rollback: false, one_round: false };
        self.converge(&home, course, round, &mut applied).await?;
        self.finish(&home, &mut applied, None).await?;
        Ok(applied)
    }
}

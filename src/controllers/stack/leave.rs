//! `leave`: lets a stack go and leaves everything that it runs, for docker compose to go on with. Makes an empty revision
//! current, so that nobody keeps the stack, and takes away what evenkeel has on the engine for itself: the claim and the tags.

use super::{
    Stack, StackError,
    apply::{Applied, refused},
    round::Aim,
};
use crate::{
    home::Holder,
    model::{
        plan::{HeldCode, Purpose},
        revision::Origin,
        units::Millis,
    },
};

/// Who leaves.
#[derive(Clone)]
pub struct LeaveRequest {
    pub origin: Origin,
    /// How long to wait for another apply.
    pub lock_wait: Millis,
}

impl Stack {
    /// Lets the stack go. No container, network or volume of it is touched.
    pub async fn leave(&self, request: &LeaveRequest) -> Result<Applied, StackError> {
        let home = self.home.clone().ok_or_else(|| StackError::NoHome(self.name.clone()))?;
        let holder = Holder { actor: request.origin.actor.clone(), doing: "leave".into() };
        let _lock = home.lock(holder, request.lock_wait, self.clock.as_ref()).await?;
        let none = || StackError::NothingApplied(self.name.clone());
        let current = home.facts()?.current.ok_or_else(none)?;
        let observed = self.look(&current.desired).await?;
        let facts = self.facts(&observed)?;
        // Another home's stack is not let go from here; a protected one loses nothing.
        let aim = Aim { yes: true, ..Aim::of(current.desired.clone(), Purpose::Down { volumes: false }) };
        let mut plan = self.round_from(&aim, facts.clone(), observed).await?.plan;
        plan.held.retain(|held| held.code == HeldCode::OtherHome);
        if let Some(exit) = refused(&plan) {
            return Ok(Applied { exit, held: plan.held, revision: Some(current.number), ..Applied::default() });
        }
        self.begin("leave", &request.origin).await;
        let revision = self.make_empty(&home, &facts, &current.desired, &request.origin, "leave")?;
        let mut applied = Applied { revision: Some(revision), let_go: true, ..Applied::default() };
        for service in current.desired.services.values().filter(|service| home.mounts_copies(service)) {
            applied.left.push(format!(
                "{0} mounts a copy of a file that lies in the home: keep that until `docker compose up -d --force-recreate {0}`",
                service.name
            ));
        }
        for tag in self.let_go().await? {
            applied.left.push(format!("the tag {tag} is the only one of an image that runs, and stays"));
        }
        self.say_end(&home, &mut applied).await?;
        Ok(applied)
    }
}

//! Plan → effects. The progress of a plan is a pure state machine (`progress`), the driver that runs its steps is thin
//! (`driver`), and nothing here decides a policy: what happens when a step fails stands in the plan.

mod driver;
pub mod gate;
pub mod progress;
mod stage;
mod steps;
mod tell;
mod wait;

pub use crate::model::evidence::{Evidence, FailedRollout};
use crate::model::{
    event::Event,
    fields::FieldChange,
    names::{ContainerId, ServiceName},
    outcome::Outcome,
    plan::Plan,
    value::Secrets,
};
use crate::{
    engine::{Engine, clock::Clock},
    home::HomeError,
    probe::Prober,
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// One attempt at a plan. Gives what became of each rollout and step; it fails by no other way. Ends within the sum of
/// the plan's deadlines and the 60 s that an absent engine is waited for. Dropping the future leaves everything as it is
/// at that moment, which is safe: the next round observes again.
pub async fn execute(plan: &Plan, effects: &Effects, events: &EventSender) -> Outcome {
    driver::drive(plan, effects, events).await
}

/// Where events go. Bounded; a full queue makes the sender wait.
pub type EventSender = mpsc::Sender<Event>;

/// All that executing touches.
pub struct Effects {
    pub engine: Arc<dyn Engine>,
    pub clock: Arc<dyn Clock>,
    pub prober: Arc<dyn Prober>,
    /// What the commitments in the plan stand for.
    pub secrets: Secrets,
    /// Logins by registry host.
    pub logins: Arc<dyn Logins>,
    pub journal: Arc<dyn Journal>,
    /// First: nothing new begins, what is in flight is finished or undone. Second: leave at once.
    pub cancel: Cancel,
    /// Something else waits for the end of the plan: repairs are made, and not waited for where nothing stands on them.
    pub make_room: CancellationToken,
}

/// The user's wish to stop.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    /// Finish or undo what is in flight, begin nothing new.
    pub gently: CancellationToken,
    /// Leave at once.
    pub now: CancellationToken,
}

/// The login for an image reference, where there is one.
pub trait Logins: Send + Sync {
    /// Takes a reference, gives the login for its registry.
    fn login(&self, reference: &crate::model::names::ImageReference) -> Option<crate::model::desired::Login>;

    /// From now on these are declared, by host; what was found out elsewhere is asked anew.
    fn declare(&self, declared: &BTreeMap<String, crate::model::desired::Login>);
}

impl Logins for crate::engine::logins::RegistryLogins {
    fn login(&self, reference: &crate::model::names::ImageReference) -> Option<crate::model::desired::Login> {
        self.login(reference)
    }

    fn declare(&self, declared: &BTreeMap<String, crate::model::desired::Login>) {
        self.declare(declared);
    }
}

/// What must be on record before and after what is done.
pub trait Journal: Send + Sync {
    /// Before the first undo step of a rollout, in one transaction: its desired hashes failed, and the current revision
    /// becomes one in which they, and those not begun, are as they were.
    fn rollout_failed(&self, failed: &FailedRollout) -> Result<(), HomeError>;
    /// Nothing more begins, though no rollout failed by itself: the user stopped it, a step outside of any rollout failed,
    /// or a rollout waited for one that failed. The current revision becomes one in which those are as they were; no
    /// desired state counts as failed. Before the first undo step of those undone; may come more than once for one plan.
    fn stopped(&self, stopped: &Stopped) -> Result<(), HomeError>;
    /// Every step of a rollout succeeded.
    fn rollout_done(&self, members: &[ServiceName]) -> Result<(), HomeError>;
    /// The gate of a rollout did not pass in time, and what it waited for is left as it is.
    fn rollout_left(&self, members: &[ServiceName]) -> Result<(), HomeError>;
    /// A one-shot exited 0.
    fn completed(&self, service: &ServiceName) -> Result<(), HomeError>;
    /// What a failed container left behind.
    fn keep_evidence(&self, evidence: &Evidence) -> Result<(), HomeError>;
    /// Fields that read back otherwise right after they were set.
    fn did_not_take(&self, container: &ContainerId, fields: &[FieldChange]) -> Result<(), HomeError>;
}

/// What is as it was, though nothing of it failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// Services of a begun rollout that is taken back.
    pub undone: Vec<ServiceName>,
    /// Services of this plan whose rollout has not begun.
    pub not_begun: Vec<ServiceName>,
    /// A sentence for people.
    pub why: String,
}

#[cfg(test)]
mod tests;

//! Plan → effects. The progress of a plan is a pure state machine (`progress`), the driver that runs its steps is thin
//! (`driver`), and nothing here decides a policy: what happens when a step fails stands in the plan.

use crate::model::{
    event::Event,
    fields::FieldChange,
    names::{ContainerId, ContainerName, ServiceName, StepId},
    units::Timestamp,
    value::Secrets,
};
use crate::{
    engine::{Engine, clock::Clock},
    home::HomeError,
    probe::Prober,
};
use std::sync::Arc;
use tokio::sync::mpsc;

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
}

/// The user's wish to stop.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    /// Finish or undo what is in flight, begin nothing new.
    pub gently: tokio_util::sync::CancellationToken,
    /// Leave at once.
    pub now: tokio_util::sync::CancellationToken,
}

/// The login for an image reference, where there is one.
pub trait Logins: Send + Sync {
    /// Takes a reference, gives the login for its registry.
    fn login(&self, reference: &crate::model::names::ImageReference) -> Option<crate::model::desired::Login>;
}

impl Logins for crate::engine::logins::RegistryLogins {
    fn login(&self, reference: &crate::model::names::ImageReference) -> Option<crate::model::desired::Login> {
        self.login(reference)
    }
}

/// What must be on record before and after what is done.
pub trait Journal: Send + Sync {
    /// Before the first undo step of a rollout, in one transaction: its desired hashes failed, and the current revision
    /// becomes one in which they, and those not begun, are as they were.
    fn rollout_failed(&self, failed: &FailedRollout) -> Result<(), HomeError>;
    /// All gates of a rollout passed.
    fn rollout_done(&self, members: &[ServiceName]) -> Result<(), HomeError>;
    /// A one-shot exited 0.
    fn completed(&self, service: &ServiceName) -> Result<(), HomeError>;
    /// What a failed container left behind.
    fn keep_evidence(&self, evidence: &Evidence) -> Result<(), HomeError>;
    /// Fields that read back otherwise right after they were set.
    fn did_not_take(&self, container: &ContainerId, fields: &[FieldChange]) -> Result<(), HomeError>;
}

/// A rollout that failed, and what was not begun because of it.
#[derive(Clone, Debug)]
pub struct FailedRollout {
    pub members: Vec<ServiceName>,
    pub step: StepId,
    pub error: String,
    /// Services of this plan whose rollout has not begun.
    pub not_begun: Vec<ServiceName>,
}

/// What a failed container left behind; kept sealed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    pub at: Timestamp,
    pub service: ServiceName,
    pub container: ContainerId,
    pub name: ContainerName,
    /// Why it was given up.
    pub error: String,
    /// Its whole log, up to 4 MiB (the end of it).
    pub log: String,
    /// The last probe answers, the newest last.
    pub answers: Vec<String>,
    /// How it was at the end, as JSON of `ObservedContainer`.
    pub inspect: serde_json::Value,
}

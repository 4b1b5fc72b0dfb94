//! What a failed rollout leaves: what it was, and what its container left behind.

use super::{
    names::{ContainerId, ContainerName, ServiceName, StepId},
    units::Timestamp,
};

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

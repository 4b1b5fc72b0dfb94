//! What happened: one form for progress lines, history, the page and alerts.

use super::{
    names::{ServiceName, StackName, StepId},
    units::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that happened to a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Given by the home, rising; 0 before it was recorded.
    pub seq: u64,
    pub time: Timestamp,
    pub stack: StackName,
    /// The plan id of the round it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    pub kind: EventKind,
    pub severity: Severity,
    /// A sentence for a person; holds no sensitive value.
    pub text: String,
    /// What a program may want beside it.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// Every kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// An apply, rollback, restart or down began; `data.actor` says who asked for it, `data.reason` why.
    ApplyStarted,
    /// It ended; `data.exit` is its exit code.
    ApplyEnded,
    /// Images are built, before anything else is done.
    BuildStarted,
    /// A step of a build.
    BuildProgress,
    BuildDone,
    BuildFailed,
    RevisionMade,
    RolloutStarted,
    RolloutDone,
    RolloutFailed,
    RolloutUndone,
    /// All of it is started; nobody waited for its proof.
    RolloutUnproven,
    UndoFailed,
    StepStarted,
    /// Bytes pulled, a probe's answer.
    StepProgress,
    StepDone,
    StepFailed,
    DriftFound,
    Adopted,
    LockWaiting,
    EngineLost,
    EngineBack,
    /// `run` began to keep the stack, or ended.
    KeepStarted,
    KeepEnded,
    /// A container's liveness probe failed, as often in a row as it may.
    LivenessFailed,
    /// A service was restarted as often as its budget allows: a person should look.
    BudgetSpent,
    /// A person paused, resumed, stopped or started a service, or its time was over.
    Suspended,
    Resumed,
    /// The manifest that is followed is wrong; nothing is changed.
    ManifestRefused,
    /// The home was lost: a revision was made from what runs.
    HomeLost,
    /// A round made no progress within its bounds and was ended.
    RoundStuck,
    Warning,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Progress; not kept for long.
    Debug,
    Info,
    Warning,
    Error,
}

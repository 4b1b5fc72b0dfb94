//! What became of a plan.

use super::{
    names::{ServiceName, StepId},
    units::Millis,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one attempt at a plan came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// In the plan's order.
    pub rollouts: Vec<RolloutOutcome>,
    /// Every step that began, undo steps included, in the order in which they ended.
    pub steps: Vec<StepOutcome>,
    /// A step outside of any rollout that failed (a network, a volume).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_step: Option<StepId>,
    /// Whether the user or a signal ended it.
    pub interrupted: bool,
    /// Whether the engine went away and did not come back in time.
    pub engine_lost: bool,
}

impl Outcome {
    /// Whether every step of the plan succeeded.
    pub fn succeeded(&self) -> bool {
        !self.interrupted
            && !self.engine_lost
            && self.failed_step.is_none()
            && self.rollouts.iter().all(|rollout| rollout.result == RolloutResult::Done)
    }
}

/// What became of one rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutOutcome {
    /// As in the plan.
    pub id: String,
    pub service: ServiceName,
    pub result: RolloutResult,
    /// From its first step to its last.
    pub took: Millis,
}

/// How a rollout ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RolloutResult {
    /// Every step succeeded.
    Done,
    /// A step failed.
    Failed {
        /// Which.
        step: StepId,
        /// Why, in a sentence, with what to do.
        error: String,
        /// What became of what ran before.
        after: AfterFailure,
    },
    /// A repair of which all that could be was made and started; nobody waited for its proof.
    Unproven {
        /// Why, in words.
        why: String,
    },
    /// Something before it failed, or the user ended it: none of its steps was begun.
    NotBegun,
}

/// What became of what ran before a failed rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AfterFailure {
    /// It serves again, or never stopped.
    Restored,
    /// Nothing ran before; what was made is removed.
    Nothing,
    /// A stateful container that missed its deadline: both stay as they are.
    Left,
    /// The undo failed too: a person is needed.
    UndoFailed,
    /// It was cut off: the engine is gone, or the user left at once. The next apply finishes it or takes it back.
    Unfinished,
}

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepOutcome {
    pub id: StepId,
    pub took: Millis,
    /// Absent: it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

//! Accepted desired states, numbered. One of them is current, and that one is the truth.

use super::{
    desired::Desired,
    image::Images,
    names::{DesiredHash, ServiceName},
    units::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One accepted desired state. Stored sealed as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    pub number: u64,
    pub made: Timestamp,
    pub by: Origin,
    /// What made it, such as `apply`, `apply core`, `undone: core`, `rollback to 12`, `down`, `adopted`.
    pub reason: String,
    pub desired: Desired,
    pub images: Images,
    /// What each service was when this revision was made.
    pub hashes: BTreeMap<ServiceName, DesiredHash>,
    /// How each service fared under it.
    #[serde(default)]
    pub services: BTreeMap<ServiceName, ServiceRecord>,
}

/// Who made a revision, and from what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Origin {
    /// `--actor`, a CI variable, or `user@host`.
    pub actor: String,
    /// `--reason`: why, in the words of who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
    /// evenkeel's version.
    pub version: String,
}

/// How a service fared under a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceRecord {
    /// Its gates passed, or it ran so when it was adopted.
    Good,
    /// A first deploy of it failed: nothing is started for it.
    Failed,
}

/// What a person wants of a service until further notice, whatever is declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    pub kind: SuspensionKind,
    pub since: Timestamp,
    /// Absent: until a person ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    pub actor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Suspension {
    /// Whether it is in force.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// See `Suspension`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SuspensionKind {
    /// Nothing of it is changed, repaired or restarted.
    Paused,
    /// None of its containers runs.
    Stopped,
}

/// When evenkeel restarted a service by itself: what its budget is counted from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restarts {
    /// The newest last; those that no budget counts any more are left out.
    pub times: Vec<Timestamp>,
    /// How many of the newest came after the budget was spent, each one later than the one before.
    pub over: u32,
}

/// A service that stays as it is until something changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    pub since: Timestamp,
    pub actor: String,
    pub reason: String,
    /// The declared state that was left: the hold ends when the declaration is another.
    pub left: DesiredHash,
    /// How many containers were declared then; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_replicas: Option<u32>,
}

impl Hold {
    /// Whether what is declared is what was left.
    pub fn is_left(&self, hash: &DesiredHash, replicas: u32) -> bool {
        self.left == *hash && self.left_replicas.is_none_or(|left| left == replicas)
    }
}

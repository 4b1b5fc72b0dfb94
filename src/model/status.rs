//! What `status` says: the stack at a glance, for people and scripts.

use super::{
    container::Limits,
    names::{ContainerId, ContainerName, ImageReference, NetworkName, ServiceName, StackName},
    observed::{Health, Status as ContainerStatus},
    plan::Held,
    revision::Suspension,
    units::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The state of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StackStatus {
    pub stack: StackName,
    /// Nothing differs from the current revision, nothing is held, and no service's first deploy or gate has failed.
    pub converged: bool,
    /// Absent before the first apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// What changes it just now; absent where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_way: Option<UnderWay>,
    pub services: Vec<ServiceStatus>,
    /// What is there of services that are no longer declared; it is left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_declared: Vec<NotDeclared>,
    /// Networks and containers that differ outside of a service, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    pub held: Vec<Held>,
    pub backups: Vec<serde_json::Value>,
    pub monitors: Vec<serde_json::Value>,
}

/// Who has the stack's lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnderWay {
    /// Such as `apply` or `rollback`.
    pub doing: String,
    pub actor: String,
    pub since: Timestamp,
}

/// The state of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    pub name: ServiceName,
    /// Replicas.
    pub desired: u32,
    pub ready: u32,
    pub image: ImageReference,
    /// What differs from the current revision, field paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// What a person wants of it until further notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
    pub containers: Vec<ContainerStatusLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_rollout: Option<LastRollout>,
}

/// What is there of a service that is no longer declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotDeclared {
    /// The service.
    pub name: ServiceName,
    pub containers: Vec<ContainerStatusLine>,
}

/// One container of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerStatusLine {
    pub id: ContainerId,
    pub name: ContainerName,
    pub state: ContainerStatus,
    pub health: Health,
    pub ready: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    pub restarts: u32,
    pub limits: Limits,
    /// Networks that somebody connected it to; they are left.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub connected_by_hand: BTreeSet<NetworkName>,
}

/// How the last rollout of a service ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastRollout {
    pub at: Timestamp,
    /// `done`, `failed`, `undone`.
    pub result: String,
    pub text: String,
}

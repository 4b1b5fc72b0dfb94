//! What the plan takes of what there is.

use super::units::{Bytes, NanoCpus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sums that capacity admission judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CapacityReport {
    /// Replicas × limit over our services.
    pub declared: Amount,
    /// The same, with the largest units that this plan runs twice for a while.
    pub peak: Amount,
    /// What the manifest allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// So much memory, CPU and processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Amount {
    pub memory: Bytes,
    pub cpus: NanoCpus,
    pub pids: u64,
}

/// At most so much; absent is without bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Budget {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<NanoCpus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<u64>,
}

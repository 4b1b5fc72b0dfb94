//! A saved plan: a commitment, not a payload. `apply --plan` plans again with its context and compares the bytes.

use crate::model::plan::{Plan, SavedContext};
use serde::{Deserialize, Serialize};

/// What `diff --out` writes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The plan without its context.
    pub plan: serde_json::Value,
    pub context: SavedContext,
}

impl SavedPlan {
    /// Saves a plan.
    pub fn of(plan: &Plan) -> SavedPlan {
        let tree = serde_json::from_slice(&plan.canonical_bytes()).unwrap_or_default();
        SavedPlan { plan: tree, context: plan.context.clone() }
    }

    /// Why a plan is not this one; `None` when it is.
    pub fn differs_from(&self, now: &Plan) -> Option<String> {
        if self.context.manifest_hash != now.context.manifest_hash {
            return Some("the manifest or a file that it reads has changed".into());
        }
        let saved = serde_json_canonicalizer::to_vec(&self.plan).unwrap_or_default();
        if saved == now.canonical_bytes() {
            return None;
        }
        let now = serde_json::from_slice(&now.canonical_bytes()).unwrap_or_default();
        Some(format!("{} is different now", first_difference(&self.plan, &now, String::new()).unwrap_or("it".into())))
    }
}

/// The path of the first place where two trees differ.
fn first_difference(saved: &serde_json::Value, now: &serde_json::Value, path: String) -> Option<String> {
    use serde_json::Value;
    match (saved, now) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            keys.into_iter().find_map(|key| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => first_difference(a, b, path),
                    _ => Some(path),
                }
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let both = a.iter().zip(b).enumerate();
            both.into_iter().find_map(|(at, (a, b))| first_difference(a, b, format!("{path}[{at}]")))
        }
        (a, b) => (a != b).then_some(path),
    }
}

//! How the image of a service is built. What a build is *not*: part of what the service is. That is the image's id, and
//! only a build can tell it.

use super::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What builds the image of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    /// The folder or URL, to be shown: without the user and password of one.
    pub context: String,
    /// Anew at each apply (`pull_policy: build`), else where the engine lacks the image.
    #[serde(default)]
    pub always: bool,
    /// Its image has a name, so a registry is asked for it before it is built, as docker compose does.
    #[serde(default)]
    pub pull_first: bool,
    /// All but the arguments: a target of `docker buildx bake`, a JSON object.
    pub target: Value,
    /// The build arguments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, Value>,
    /// Variables that secrets of the build are read from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, Value>,
}

//! The Stack manifest as it is written: one type a section, each field described for the schema that editors complete
//! from. What it means is decided elsewhere (`load::policy`); Compose syntax inside it is read by `compose`.

pub mod inline;
pub mod scalars;
pub mod service;

use crate::model::policy::OnFailure;
use scalars::{Cpus, Size};
use schemars::JsonSchema;
use serde::Deserialize;
use service::ServicePolicy;
use std::collections::BTreeMap;

/// One stack: what should run on one engine, and how it changes.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stack {
    /// The version of this format.
    pub api_version: ApiVersion,
    /// What this document is.
    pub kind: Kind,
    /// Its name, and whether it is protected.
    pub metadata: Metadata,
    /// What should be.
    pub spec: Spec,
}

/// The versions of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The only one.
    #[serde(rename = "evenkeel.dev/v1")]
    V1,
}

/// The kinds of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Kind {
    /// A stack.
    Stack,
}

/// Who the stack is.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// The stack's name, which is the Compose project name.
    #[schemars(
        title = "a name of lower-case letters, digits, `-` and `_` that begins with a letter or digit",
        regex(pattern = "^[a-z0-9][a-z0-9_-]*$"),
        example = &"webkit"
    )]
    pub name: String,
    /// Refuses `down`. Default false.
    #[serde(default)]
    pub protect: bool,
}

/// What should be: the services, from Compose files or inline, and the policy beside them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Spec {
    /// The Compose files that declare the services. Without any they are inline, under `services`, `networks`, `volumes`,
    /// `configs` and `secrets`.
    pub compose: Option<ComposeFiles>,
    /// Images by service; they win over the Compose file's.
    #[schemars(example = serde_json::json!({"core": "ghcr.io/us/core:1.2.3"}))]
    pub images: BTreeMap<String, String>,
    /// Logins beside those of Docker's own configuration.
    pub registries: Vec<Registry>,
    /// Takes over a project of this name that was made from elsewhere. Default false.
    pub adopt: bool,
    /// Environment variables and labels that are never masked, as `NAME` or `SERVICE.NAME`.
    #[schemars(example = ["NODE_ENV", "core.LOG_LEVEL"])]
    pub show: Vec<String>,
    /// Environment variables and labels that are always masked, as `NAME` or `SERVICE.NAME`.
    #[schemars(example = ["LICENSE", "core.WEBHOOK"])]
    pub hide: Vec<String>,
    /// Removes the containers of services that are no longer declared. Default false.
    pub prune: bool,
    /// The same fields as under each service, for all of them.
    pub defaults: Option<ServicePolicy>,
    /// How services follow each other in a rollout.
    pub rollout: Option<StackRollout>,
    /// Policy by service; without `compose` also the services themselves, in Compose syntax.
    #[schemars(with = "BTreeMap<String, inline::ServiceEntry>")]
    pub services: BTreeMap<String, ServicePolicy>,
    /// Networks in Compose syntax, where the services are inline.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub networks: Option<serde_json::Value>,
    /// Volumes in Compose syntax, where the services are inline.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub volumes: Option<serde_json::Value>,
    /// Configs in Compose syntax, where the services are inline.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub configs: Option<serde_json::Value>,
    /// Secrets in Compose syntax, where the services are inline.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub secrets: Option<serde_json::Value>,
    /// What all services together may use; checked before anything starts.
    pub capacity: Option<Capacity>,
}

/// Compose files, as `docker compose` would be given them.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"files": ["compose.yaml"]}))]
pub struct ComposeFiles {
    /// The files, beside the manifest; later ones are merged over earlier ones. Without any, the services are inline.
    #[serde(default)]
    #[schemars(example = ["compose.yaml"])]
    pub files: Vec<String>,
    /// Files of variables for interpolation. Without it: `.env` beside the first Compose file.
    #[schemars(example = [".env"])]
    pub env_files: Option<Vec<String>>,
    /// The profiles that are on.
    #[serde(default)]
    #[schemars(example = ["worker"])]
    pub profiles: Vec<String>,
}

/// One registry's login.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({
    "host": "ghcr.io", "username": {"env": "GHCR_USER"}, "password": {"file": "/etc/evenkeel/ghcr"}
}))]
pub struct Registry {
    /// The registry's host, as in image references.
    #[schemars(length(min = 1), example = &"ghcr.io")]
    pub host: String,
    /// Where the user's name is kept.
    pub username: SecretSource,
    /// Where the password or token is kept.
    pub password: SecretSource,
}

/// Where a secret is kept: never in the manifest itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "`{env: NAME}` or `{file: PATH}`")]
pub enum SecretSource {
    /// A variable of the process environment, then of `envFiles`.
    Env(String),
    /// A file; one line break at its end is not part of the secret.
    File(String),
}

/// How services follow each other.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StackRollout {
    /// Waves of services: each service of one waits for each of the one before. `depends_on` holds as well.
    #[schemars(example = serde_json::json!([["postgres", "redis"], ["core"]]))]
    pub order: Vec<Vec<String>>,
    /// At most so many services are being replaced at once. Default 1.
    #[schemars(range(min = 1))]
    pub max_parallel: Option<u32>,
    /// What a failed rollout takes back. Default `rollback`.
    pub on_failure: Option<OnFailure>,
}

/// What all services together may use.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Capacity {
    /// Memory, over all replicas and what one rollout runs twice.
    pub memory: Option<Size>,
    /// CPUs, over all replicas and what one rollout runs twice.
    pub cpus: Option<Cpus>,
    /// Processes, over all replicas and what one rollout runs twice.
    #[schemars(range(min = 1))]
    pub pids: Option<u64>,
    /// Refuses a service without a memory limit, or without one of CPUs or processes where those are bounded here. Default false.
    pub require_limits: bool,
}

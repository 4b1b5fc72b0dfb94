//! What the manifest says of one service beside Compose: limits, probes, rollout. All optional: what is absent is taken
//! from `defaults`, then from the built-in defaults (`load::policy`).

use super::scalars::{Cpus, Duration, Size};
use crate::model::policy::{ApplyPolicy, LimitsPolicy, Strategy};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The policy of one service, or of all of them under `defaults`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ServicePolicy {
    /// What each of its containers may use; wins over `deploy.resources.limits` of the Compose file.
    pub limits: Option<Limits>,
    /// How evenkeel knows that a container is well.
    pub probes: Option<Probes>,
    /// How its containers are replaced.
    pub rollout: Option<Rollout>,
}

/// Limits of one container.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// At most this much memory.
    pub memory: Option<Size>,
    /// At most this many CPUs.
    pub cpus: Option<Cpus>,
    /// At most this many processes and threads.
    #[schemars(range(min = 1))]
    pub pids: Option<u32>,
}

/// The probes of one service. A declared Compose health check is a readiness probe without another word.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Probes {
    /// Tried until its first success; the readiness probe only after it.
    pub startup: Option<Probe>,
    /// Whether a container can serve.
    pub readiness: Option<Probe>,
    /// Whether a container still works: one that does not is restarted.
    pub liveness: Option<Liveness>,
}

/// One probe: exactly one of `http`, `tcp`, `exec`, `docker`, and how often it is tried.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Probe {
    /// A GET that answers 200 to 399.
    pub http: Option<HttpProbe>,
    /// A connection that opens.
    pub tcp: Option<TcpProbe>,
    /// A command in the container that exits 0.
    pub exec: Option<ExecProbe>,
    /// Docker's own health check says `healthy`.
    pub docker: Option<DockerProbe>,
    /// Between two attempts. Default `1s`.
    pub period: Option<Duration>,
    /// Of one attempt. Default `2s`.
    pub timeout: Option<Duration>,
    /// So many in a row to be ready. Default 1.
    #[schemars(range(min = 1))]
    pub successes: Option<u32>,
    /// So many in a row to be not ready. Default 3.
    #[schemars(range(min = 1))]
    pub failures: Option<u32>,
}

/// One probe as long as the container runs, and how often the service is restarted for it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Liveness {
    /// A GET that answers 200 to 399.
    pub http: Option<HttpProbe>,
    /// A connection that opens.
    pub tcp: Option<TcpProbe>,
    /// A command in the container that exits 0.
    pub exec: Option<ExecProbe>,
    /// Docker's own health check says `healthy`.
    pub docker: Option<DockerProbe>,
    /// Between two attempts. Default `10s`.
    pub period: Option<Duration>,
    /// Of one attempt. Default `2s`.
    pub timeout: Option<Duration>,
    /// So many in a row until the container is restarted. Default 3.
    #[schemars(range(min = 1))]
    pub failures: Option<u32>,
    /// How often it is restarted before each further restart waits, twice as long each time, up to 5 minutes.
    pub budget: Option<Budget>,
}

/// So many restarts in any span of this length.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(example = serde_json::json!({"restarts": 5, "per": "10m"}))]
pub struct Budget {
    /// Default 5.
    #[schemars(range(min = 1))]
    pub restarts: Option<u32>,
    /// Default `10m`.
    pub per: Option<Duration>,
}

/// An HTTP GET, from evenkeel to the container's address.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"port": 8080, "path": "/health"}))]
pub struct HttpProbe {
    /// The port in the container.
    #[schemars(range(min = 1))]
    pub port: u16,
    /// The path, with a leading slash. Default `/`.
    #[schemars(regex(pattern = "^/"), example = &"/health")]
    pub path: Option<String>,
    /// Headers that are sent.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValue>,
    /// `127.0.0.1`: from inside the container's network namespace; evenkeel must be root for it. Default: the
    /// container's address.
    pub host: Option<ProbeHost>,
}

/// A header's value: a text, or where a secret one is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(title = "a text, or `{env: NAME}` or `{file: PATH}` for a secret")]
pub enum HeaderValue {
    /// The value itself.
    Text(String),
    /// Where it is kept.
    Secret(super::SecretSource),
}

/// A TCP connection, from evenkeel to the container's address.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"port": 5432}))]
pub struct TcpProbe {
    /// The port in the container.
    #[schemars(range(min = 1))]
    pub port: u16,
    /// `127.0.0.1`: from inside the container's network namespace; evenkeel must be root for it. Default: the
    /// container's address.
    pub host: Option<ProbeHost>,
}

/// A command in the container.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"command": ["redis-cli", "ping"]}))]
pub struct ExecProbe {
    /// The command and its arguments; no shell reads them.
    #[schemars(length(min = 1), example = ["redis-cli", "ping"])]
    pub command: Vec<String>,
}

/// Docker's own health check; nothing more to say.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(example = serde_json::json!({}))]
pub struct DockerProbe {}

/// Where a probe connects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ProbeHost {
    /// Loopback inside the container's network namespace.
    #[serde(rename = "127.0.0.1")]
    Loopback,
}

/// How one service's containers are replaced.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rollout {
    /// In which order old and new live. Without it evenkeel chooses, and says why.
    pub strategy: Option<Strategy>,
    /// A new container must stay ready this long. Default `5s`.
    pub min_ready: Option<Duration>,
    /// A new container must be ready, and stay so for `minReady`, within this time of its start. Default `5m`, of a
    /// one-shot `1h`.
    pub deadline: Option<Duration>,
    /// Between the new container's readiness and the old one's stop. Default `0s`.
    pub drain: Option<Duration>,
    /// Two containers may write its volumes at once: start-first although it has writable volumes. Default false.
    pub shared_volumes: Option<bool>,
    /// When a running container may be stopped without a person who names the service: at any time, while `window` is
    /// open, or never. Default `auto`.
    pub apply: Option<ApplyPolicy>,
    /// With `apply: window`: when.
    pub window: Option<Window>,
    /// How a changed limit gets to a running container: where it is (`inPlace`), or with a new container (`replace`).
    /// A limit of the Compose file that was changed in place makes docker compose recreate the container at its next `up`.
    /// Default `inPlace`.
    pub limits: Option<LimitsPolicy>,
}

/// A span of time that comes again and again.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(example = serde_json::json!({"cron": "0 2 * * *", "duration": "2h", "timezone": "Australia/Sydney"}))]
pub struct Window {
    /// When it opens: minute, hour, day of month, month, day of week.
    #[schemars(example = &"0 2 * * *")]
    pub cron: Option<String>,
    /// How long it is open.
    pub duration: Option<Duration>,
    /// Whose clock `cron` is read on. Default `UTC`.
    #[schemars(example = &"Australia/Sydney")]
    pub timezone: Option<String>,
}

impl Probes {
    /// Each probe that is written, under its name.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, Probe)> {
        let liveness = self.liveness.as_ref().map(Liveness::probe);
        let named = [("startup", self.startup.clone()), ("readiness", self.readiness.clone()), ("liveness", liveness)];
        named.into_iter().filter_map(|(name, probe)| Some((name, probe?)))
    }
}

impl Liveness {
    /// The same without its budget. One success is enough to be alive.
    pub fn probe(&self) -> Probe {
        let Liveness { http, tcp, exec, docker, period, timeout, failures, budget: _ } = self.clone();
        Probe { http, tcp, exec, docker, period, timeout, successes: None, failures }
    }
}

impl Probe {
    /// The names of the kinds that it has; one, if it is right.
    pub fn kinds(&self) -> Vec<&'static str> {
        let kinds = [
            ("http", self.http.is_some()),
            ("tcp", self.tcp.is_some()),
            ("exec", self.exec.is_some()),
            ("docker", self.docker.is_some()),
        ];
        kinds.into_iter().filter(|(_, written)| *written).map(|(kind, _)| kind).collect()
    }
}

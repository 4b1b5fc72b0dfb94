//! What the manifest says beside Compose, with every default filled in.

use super::{
    names::ServiceName,
    units::{Bytes, Millis, NanoCpus},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The policy of the stack as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StackPolicy {
    /// Refuses `down`.
    pub protect: bool,
    /// Takes over a project of this name made from elsewhere.
    pub adopt: bool,
    /// Removes the containers of services that are no longer declared.
    pub prune: bool,
    /// Waves: each service of one waits for each of the one before.
    pub order: Vec<Vec<ServiceName>>,
    /// At most so many units are being replaced at once. Default 1.
    pub max_parallel: u32,
    pub on_failure: OnFailure,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
}

impl Default for StackPolicy {
    fn default() -> Self {
        StackPolicy {
            protect: false,
            adopt: false,
            prune: false,
            order: Vec::new(),
            max_parallel: 1,
            on_failure: OnFailure::Rollback,
            capacity: None,
        }
    }
}

/// What a failed rollout takes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnFailure {
    /// The service that failed.
    #[default]
    Rollback,
    /// Also those already rolled in this apply.
    RollbackStack,
}

/// What all services together may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Capacity {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<NanoCpus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<u64>,
    /// Refuses a service without a memory limit, or without one of CPUs or processes where those are bounded here.
    pub require_limits: bool,
}

/// How one service's containers are replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutPolicy {
    /// Absent: chosen by the planner, which says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// Must stay ready this long. Default 5 s.
    pub min_ready: Millis,
    /// Per container, from its start. Default 5 m; of a one-shot 1 h.
    pub deadline: Millis,
    /// Between the new container's readiness and the old one's stop. Default 0 s.
    pub drain: Millis,
    /// Two containers may write its volumes at once.
    pub shared_volumes: bool,
    /// When a running container may be stopped with nobody looking.
    #[serde(default)]
    pub apply: ApplyPolicy,
    /// For `ApplyPolicy::Window`: when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// How a changed limit gets to a running container.
    #[serde(default, skip_serializing_if = "LimitsPolicy::is_in_place")]
    pub limits: LimitsPolicy,
}

/// How a changed limit gets to a running container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LimitsPolicy {
    /// It is changed where the container is, when the engine can.
    #[default]
    InPlace,
    /// The container is replaced, so that docker compose's label of it stays true.
    Replace,
}

impl LimitsPolicy {
    fn is_in_place(&self) -> bool {
        *self == LimitsPolicy::InPlace
    }
}

impl Default for RolloutPolicy {
    fn default() -> Self {
        RolloutPolicy {
            strategy: None,
            min_ready: Millis::seconds(5),
            deadline: Millis::minutes(5),
            drain: Millis(0),
            shared_volumes: false,
            apply: ApplyPolicy::Auto,
            window: None,
            limits: LimitsPolicy::InPlace,
        }
    }
}

/// When evenkeel may stop a running container of a service without a person who named it. An `apply SERVICE`, a `restart`
/// and a `rollback` always may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ApplyPolicy {
    /// At any time.
    #[default]
    Auto,
    /// While its window is open.
    Window,
    /// Never.
    Manual,
}

/// A span of time that comes again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// When it opens: minute, hour, day of month, month, day of week.
    pub cron: String,
    /// How long it is open.
    pub duration: Millis,
    /// An IANA name, such as `Australia/Sydney`. Default `UTC`.
    pub timezone: String,
}

/// Asked of a container all the time; one that fails is restarted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Liveness {
    #[serde(flatten)]
    pub probe: Probe,
    #[serde(default)]
    pub budget: Budget,
}

/// How often evenkeel restarts a service by itself before it takes its time: then the next restart waits, twice as long
/// each time, up to 5 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Default 5.
    pub restarts: u32,
    /// In any span of this length. Default 10 m.
    pub per: Millis,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { restarts: 5, per: Millis::minutes(10) }
    }
}

/// In which order old and new containers live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Strategy {
    /// The new one beside the old one, which goes once the new one is proven: no downtime.
    StartFirst,
    /// The old one is stopped and kept until the new one is proven.
    StopFirst,
    /// As stopFirst, all replicas at once.
    Recreate,
}

impl std::fmt::Display for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Strategy::StartFirst => "start-first",
            Strategy::StopFirst => "stop-first",
            Strategy::Recreate => "recreate",
        })
    }
}

/// The probes of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Probes {
    /// Tried until its first success; the others only after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup: Option<Probe>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Probe>,
}

/// How to ask a container whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    #[serde(flatten)]
    pub attempt: ProbeKind,
    /// Between two attempts. Default 1 s.
    pub period: Millis,
    /// Of one attempt. Default 2 s.
    pub timeout: Millis,
    /// In a row to be ready. Default 1.
    pub successes: u32,
    /// In a row to be not ready. Default 3.
    pub failures: u32,
}

impl Probe {
    /// A probe of this kind with every default.
    pub fn of(attempt: ProbeKind) -> Probe {
        Probe { attempt, period: Millis::seconds(1), timeout: Millis::seconds(2), successes: 1, failures: 3 }
    }
}

/// One attempt of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProbeKind {
    /// A GET that answers 200 to 399.
    Http(HttpProbe),
    /// A connection that opens.
    Tcp(TcpProbe),
    /// A command in the container that exits 0.
    Exec(ExecProbe),
    /// Docker's own health check says `healthy`.
    Docker {},
}

/// A GET to the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpProbe {
    pub port: u16,
    /// Default `/`.
    pub path: String,
    /// Sent as given, after `Host`.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub headers: std::collections::BTreeMap<String, super::value::Value>,
    #[serde(default)]
    pub host: ProbeHost,
}

/// A connection to the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TcpProbe {
    pub port: u16,
    #[serde(default)]
    pub host: ProbeHost,
}

/// A command in the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecProbe {
    pub command: Vec<super::value::Value>,
}

/// Where a probe connects to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProbeHost {
    /// The container's address (host mode: loopback), from the host.
    #[default]
    Container,
    /// 127.0.0.1 inside the container's network namespace; evenkeel must be root.
    Loopback,
}

/// When a service that depends on another may start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dependency {
    pub condition: Condition,
    /// Restart when the dependency is replaced by docker compose; recorded for its label.
    pub restart: bool,
    /// False: a missing dependency is no fault.
    pub required: bool,
}

/// Compose's conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    ServiceStarted,
    ServiceHealthy,
    ServiceCompletedSuccessfully,
}

/// When an image is looked for at its registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PullPolicy {
    /// When it is not on the engine.
    #[default]
    Missing,
    /// At every apply.
    Always,
    /// Never: it must be on the engine.
    Never,
    /// At an apply, when it has been on the engine under its name for so long.
    Every(Millis),
}

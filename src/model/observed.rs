//! A snapshot of what the engine said, and when. It is already old when it is read.

use super::{
    container::{ContainerSpec, Limits},
    desired::{NetworkDefinition, VolumeDefinition},
    image::ImageConfig,
    labels,
    names::{ContainerId, ContainerName, ImageId, NetworkName, ServiceName, StackName, VolumeName},
    units::{Bytes, NanoCpus, Timestamp},
    value::Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What runs, for one stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Observed {
    pub at: Timestamp,
    pub engine: EngineFacts,
    /// Every container whose Compose project label is the stack's, whoever made it, by name.
    pub containers: BTreeMap<ContainerName, ObservedContainer>,
    /// Every other container on the engine, by name: for name clashes and capacity.
    pub others: BTreeMap<ContainerName, OtherContainer>,
    pub networks: BTreeMap<NetworkName, ObservedNetwork>,
    pub volumes: BTreeMap<VolumeName, ObservedVolume>,
    /// What the images of `containers` provide.
    pub images: BTreeMap<ImageId, ImageConfig>,
    /// The home that claimed the stack, where one did.
    pub claim: Option<Claim>,
}

/// The engine and its host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct EngineFacts {
    /// The engine's own id.
    pub id: String,
    /// The engine's version, such as `20.10.24`.
    pub version: String,
    /// The API version spoken, such as `1.41`, as two numbers.
    pub api: (u32, u32),
    pub host_name: String,
    pub memory: Bytes,
    pub cpus: NanoCpus,
    /// `json-file`, unless configured otherwise.
    pub logging_driver: String,
    pub cgroup_version: u32,
    /// Whether an image's id is the digest of what was pulled (the containerd image store), and not of its config.
    pub images_by_digest: bool,
    /// What the kernel can hold.
    pub supports: Supports,
}

/// Which limits the engine's kernel can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Supports {
    pub memory: bool,
    pub swap: bool,
    pub reservation: bool,
    pub swappiness: bool,
    pub cpus: bool,
    pub cpu_shares: bool,
    pub cpuset: bool,
    pub pids: bool,
    pub blkio_weight: bool,
    pub oom_kill_disable: bool,
}

impl Default for Supports {
    fn default() -> Self {
        Supports {
            memory: true,
            swap: true,
            reservation: true,
            swappiness: true,
            cpus: true,
            cpu_shares: true,
            cpuset: true,
            pids: true,
            blkio_weight: true,
            oom_kill_disable: true,
        }
    }
}

/// One container, inspected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObservedContainer {
    pub id: ContainerId,
    pub name: ContainerName,
    pub image: ImageId,
    pub created: Timestamp,
    pub state: ContainerState,
    /// As the engine says it, with what the image and the engine provided; the planner compares normalised forms.
    pub spec: ContainerSpec,
    /// Its address on each network it is on now.
    #[serde(default)]
    pub addresses: BTreeMap<NetworkName, String>,
    /// The memory it uses now, where that was asked for.
    #[serde(default)]
    pub memory_used: Option<Bytes>,
}

impl ObservedContainer {
    /// A label's text.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.spec.labels.get(name).map(Value::reveal)
    }

    /// The service that docker compose's label names.
    pub fn service(&self) -> Option<ServiceName> {
        self.label(labels::compose::SERVICE).map(ServiceName::from)
    }

    /// The replica's number that docker compose's label gives; 1 where it gives none.
    pub fn number(&self) -> u32 {
        replica_number(self.label(labels::compose::NUMBER))
    }
}

/// The number of a replica whose label says this; 1 where there is none, or it is no number.
pub fn replica_number(label: Option<&str>) -> u32 {
    label.and_then(|number| number.parse().ok()).unwrap_or(1)
}

/// What a container does now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerState {
    pub status: Status,
    pub exit_code: i64,
    pub oom_killed: bool,
    /// Why the last start failed; empty where it did not.
    pub error: String,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// How often the engine's restart policy started it again.
    pub restart_count: u32,
    pub health: Health,
    /// Of its first process on the host; 0 when it does not run.
    pub pid: u32,
}

impl ContainerState {
    /// Running, not restarting, and `healthy` or without a health check: ready, outside of a gate.
    pub fn is_ready(&self) -> bool {
        self.status == Status::Running && matches!(self.health, Health::None | Health::Healthy)
    }

    /// Whether its process runs (a paused or restarting one does not count).
    pub fn is_running(&self) -> bool {
        self.status == Status::Running
    }
}

/// The engine's words for it. `Running` is never said of a container that is restarting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    #[default]
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Status::Created => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Restarting => "restarting",
            Status::Removing => "removing",
            Status::Exited => "exited",
            Status::Dead => "dead",
        })
    }
}

/// What Docker's health check says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// There is no health check.
    #[default]
    None,
    Starting,
    Healthy,
    Unhealthy,
}

/// A container that is not of the stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OtherContainer {
    pub id: ContainerId,
    pub name: ContainerName,
    pub running: bool,
    /// Its Compose project, working directory and files, where it has them.
    #[serde(default)]
    pub project: Option<StackName>,
    #[serde(default)]
    pub working_dir: Option<String>,
    #[serde(default)]
    pub config_files: Option<String>,
    #[serde(default)]
    pub limits: Limits,
    /// What it uses now, where it has no memory limit and runs.
    #[serde(default)]
    pub memory_used: Option<Bytes>,
    /// `address:port/protocol` it publishes on the host.
    #[serde(default)]
    pub published: BTreeSet<String>,
}

/// One network, inspected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ObservedNetwork {
    pub name: NetworkName,
    /// More than one when the name is taken twice.
    pub ids: Vec<String>,
    pub definition: NetworkDefinition,
    pub labels: BTreeMap<String, String>,
    /// The names of the containers attached.
    pub attached: BTreeSet<ContainerName>,
}

impl Default for NetworkName {
    fn default() -> Self {
        NetworkName::new("")
    }
}

/// One volume, inspected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ObservedVolume {
    pub name: VolumeName,
    pub definition: VolumeDefinition,
    pub labels: BTreeMap<String, String>,
}

impl Default for VolumeName {
    fn default() -> Self {
        VolumeName::new("")
    }
}

/// Which home claimed the stack: the labels of the volume `evenkeel_home_<stack>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    pub stack: StackName,
    /// The home's path as mounted on the host, or `EVENKEEL_HOME_ID`.
    pub home: String,
    /// The host's machine id, or the engine's id.
    pub machine: String,
}

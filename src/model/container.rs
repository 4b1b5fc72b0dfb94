//! What a container is made from: our own form of a create request, and the form that an inspected container is read
//! back into. Both sides are this type, so that comparing them field by field is one function.
//!
//! Absent means "as the image or the engine provides". Keys are chosen so that one entry is one thing to a reader: mounts
//! by their target, ports by the container's port, networks by name.

use super::{
    labels::Labels,
    names::{ContainerId, ImageReference, NetworkName, ServiceName, VolumeName},
    units::{Bytes, Millis, NanoCpus},
    value::{Salt, Secrets, Value},
};
use litemap::LiteMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};

/// All that a create request says, but the name and the labels of evenkeel and docker compose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerSpec {
    /// The reference that the container was or will be made from. What it *is* is the image id, which stands beside.
    pub image: ImageReference,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Environment::is_empty")]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub environment: Environment,
    /// Variables of the image that the container does not have.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub unset: BTreeSet<String>,
    /// The user's labels and docker compose's and ours (see `labels`).
    #[serde(skip_serializing_if = "Labels::is_empty")]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub labels: Labels,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<SmolStr>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub group_add: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domainname: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<SmolStr>,
    /// How long a stop waits before it kills; the engine's default is 10 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_grace: Option<Millis>,
    #[serde(skip_serializing_if = "is_false")]
    pub tty: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub stdin_open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
    #[serde(skip_serializing_if = "is_false")]
    pub read_only: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub privileged: bool,
    #[serde(skip_serializing_if = "RestartPolicy::is_no")]
    pub restart: RestartPolicy,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    #[serde(skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ulimits: BTreeMap<String, Ulimit>,
    /// `container port/protocol` → where it is published on the host.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ports: BTreeMap<String, Vec<HostPort>>,
    /// Ports exposed without being published, as Compose writes them: `80`, `80/udp`, `3000-3002`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub expose: BTreeSet<String>,
    /// Path in the container → what is there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub mounts: BTreeMap<String, Mount>,
    /// Path in the container → what is written there before each start: secrets and configs that have no file on the host.
    /// Inspect does not tell of them; the label of the contents does.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, WrittenFile>,
    pub network_mode: NetworkMode,
    /// For `NetworkMode::Networks`: the engine's network names and how the container is on each.
    #[serde(skip_serializing_if = "Attachments::is_empty")]
    #[schemars(with = "BTreeMap<NetworkName, Attachment>")]
    pub networks: Attachments,
    /// Of a container that is on no network of `networks`; elsewhere it belongs to the attachments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipc: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uts: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userns: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroupns: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup_parent: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<SmolStr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<Bytes>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub cap_add: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub cap_drop: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub security_opt: BTreeSet<String>,
    /// Whether the kernel's own paths are neither hidden nor read-only (`systempaths=unconfined`).
    #[serde(skip_serializing_if = "is_false")]
    pub unmasked: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sysctls: BTreeMap<String, String>,
    /// Path in the container → path on the host and the permissions (`rwm`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub devices: BTreeMap<String, Device>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub device_cgroup_rules: BTreeSet<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_requests: Vec<DeviceRequest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_search: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_options: Vec<String>,
    /// `name:address`, as the engine takes them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub extra_hosts: BTreeSet<String>,
    /// `container:alias` on the engine's default bridge; elsewhere links belong to the attachments.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub links: BTreeSet<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes_from: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub storage_options: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,
}

impl Default for ImageReference {
    fn default() -> Self {
        ImageReference::new("")
    }
}

/// For serde: a flag that is off is not written.
fn is_false(flag: &bool) -> bool {
    !flag
}

/// When the engine starts a container again by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    #[default]
    No,
    Always,
    UnlessStopped,
    /// After a non-zero exit, at most so many times; 0 is without bound.
    OnFailure(u32),
}

impl RestartPolicy {
    fn is_no(&self) -> bool {
        matches!(self, RestartPolicy::No)
    }
}

impl std::fmt::Display for RestartPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RestartPolicy::No => f.write_str("no"),
            RestartPolicy::Always => f.write_str("always"),
            RestartPolicy::UnlessStopped => f.write_str("unless-stopped"),
            RestartPolicy::OnFailure(0) => f.write_str("on-failure"),
            RestartPolicy::OnFailure(times) => write!(f, "on-failure:{times}"),
        }
    }
}

impl std::str::FromStr for RestartPolicy {
    type Err = super::units::UnitError;

    /// Reads what Compose and the engine write: `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:3`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || super::units::UnitError {
            text: text.to_owned(),
            expected: "`no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`",
        };
        match text.split_once(':') {
            None => match text {
                "" | "no" => Ok(RestartPolicy::No),
                "always" => Ok(RestartPolicy::Always),
                "unless-stopped" => Ok(RestartPolicy::UnlessStopped),
                "on-failure" => Ok(RestartPolicy::OnFailure(0)),
                _ => Err(wrong()),
            },
            Some(("on-failure", times)) => times.parse().map(RestartPolicy::OnFailure).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }
}

super::units::written_as_text!(
    RestartPolicy,
    "RestartPolicy",
    "`no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`.",
    |text| text.parse().map_err(|error: super::units::UnitError| error.to_string())
);

/// Docker's own health check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Healthcheck {
    /// `["CMD", …]`, `["CMD-SHELL", …]`, `["NONE"]`; empty: the image's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<Value>,
    /// The engine's default is 30 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Millis>,
    /// The engine's default is 30 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_period: Option<Millis>,
    /// Kept by the engine from API 1.44 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_interval: Option<Millis>,
    /// The engine's default is 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
}

impl Healthcheck {
    /// Whether it switches off the image's check.
    pub fn is_none(&self) -> bool {
        self.test.first().is_some_and(|word| word.reveal() == "NONE")
    }
}

/// What a container may use. `None` is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// Memory and swap together; −1 is unlimited swap. The engine's default is twice the memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_swap: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reservation: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_swappiness: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<NanoCpus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_shares: Option<i64>,
    /// Microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_period: Option<i64>,
    /// Microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_quota: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_rt_period: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_rt_runtime: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpuset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blkio_weight: Option<u16>,
    /// Device → its weight.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub blkio_weight_device: BTreeMap<String, u16>,
    /// Device → bytes or operations a second, here and below.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub blkio_read_bytes: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub blkio_read_operations: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub blkio_write_bytes: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub blkio_write_operations: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_kill_disable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_score_adj: Option<i64>,
}

impl Limits {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Limits::default()
    }
}

/// A soft and a hard limit of one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ulimit {
    pub soft: i64,
    pub hard: i64,
}

/// Where a container's port is published.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HostPort {
    /// Empty: every address of the host.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Empty: one that the engine chooses; `8000-8010`: the first free one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub port: String,
}

/// What is mounted at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    pub source: MountSource,
    #[serde(default, skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// Bind: `rprivate`, `rshared`…; absent is the engine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propagation: Option<String>,
    /// Bind: what of the mounts below it comes along: `disabled`, `writable` or `readonly`; absent is all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recursive: Option<String>,
    /// Bind: the SELinux option `z` or `Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selinux: Option<String>,
    /// Bind: whether the engine makes a missing source folder.
    #[serde(default, skip_serializing_if = "is_false")]
    pub create_host_path: bool,
    /// Volume: whether the image's files at the target are not copied into a new volume.
    #[serde(default, skip_serializing_if = "is_false")]
    pub no_copy: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subpath: Option<String>,
    /// Tmpfs: at most so much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tmpfs_size: Option<Bytes>,
    /// Tmpfs: permissions, octal as a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tmpfs_mode: Option<u32>,
    /// Tmpfs: the options of the short form (`size=64m,mode=1777`), perhaps none; absent for the long form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tmpfs_options: Option<String>,
}

impl Mount {
    /// A mount of this source with no option.
    pub fn of(source: MountSource) -> Mount {
        Mount {
            source,
            read_only: false,
            propagation: None,
            recursive: None,
            selinux: None,
            create_host_path: false,
            no_copy: false,
            subpath: None,
            tmpfs_size: None,
            tmpfs_mode: None,
            tmpfs_options: None,
        }
    }
}

/// Where a mount's content is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MountSource {
    /// A path of the host.
    Bind(String),
    /// A named volume, by the engine's name.
    Volume(VolumeName),
    /// A volume that belongs to the container alone; its name once the engine has given one.
    Anonymous(Option<VolumeName>),
    /// Memory.
    Tmpfs,
    /// The files of an image, by its reference.
    Image(String),
    /// A named pipe (Windows).
    Pipe(String),
}

/// A file that is written into a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WrittenFile {
    pub content: Value,
    /// The permission bits, octal as a number.
    pub mode: u32,
    /// Absent: root's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
}

/// Whose a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
}

/// Whose network the container is on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NetworkMode {
    /// The engine's networks under `networks`.
    #[default]
    Networks,
    /// The host's.
    Host,
    /// Loopback only.
    None,
    /// That of another service's container.
    Service(ServiceName),
    /// That of one container.
    Container(ContainerId),
    /// The engine's default bridge.
    Bridge,
}

/// A container's variables by name: one list, as of its networks.
pub type Environment = LiteMap<SmolStr, Value>;

/// How a container is on each of its networks: one list, for most have one, and a tree has room for eleven.
pub type Attachments = LiteMap<NetworkName, Attachment>;

/// How a container is on a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Attachment {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(with = "BTreeSet<String>")]
    pub aliases: BTreeSet<SmolStr>,
    /// A fixed address; absent: one that the engine chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub link_local: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub driver_options: BTreeMap<String, String>,
    /// `container:alias`: another container, known to this one under that name.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub links: BTreeSet<String>,
    /// The network with the highest is the way out. Kept by the engine from API 1.48 on.
    #[serde(skip_serializing_if = "is_zero")]
    pub gateway_priority: i32,
    /// The network with the highest is connected first (docker compose's rule); not read back from the engine.
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i32,
}

fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// A device of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    pub source: String,
    pub permissions: String,
}

/// A request for devices such as GPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DeviceRequest {
    pub driver: String,
    /// −1 is all.
    pub count: i64,
    pub device_ids: Vec<String>,
    pub capabilities: Vec<String>,
    pub options: BTreeMap<String, String>,
}

/// Where the container's output goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Logging {
    /// Absent: the engine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<SmolStr>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, Value>,
}

impl ContainerSpec {
    /// Calls `change` on every value that can be sensitive, in a fixed order.
    pub fn for_each_value(&mut self, mut change: impl FnMut(&mut Value)) {
        let words = self.entrypoint.iter_mut().flatten().chain(self.command.iter_mut().flatten());
        let check = self.healthcheck.iter_mut().flat_map(|check| check.test.iter_mut());
        let options = self.logging.iter_mut().flat_map(|logging| logging.options.values_mut());
        words
            .chain(self.environment.iter_mut().map(|(_, value)| value))
            .chain(self.labels.values_mut())
            .chain(check)
            .chain(options)
            .chain(self.files.values_mut().map(|file| &mut file.content))
            .for_each(&mut change);
    }

    /// The spec as a plan may hold it: sensitive values replaced by their commitments.
    pub fn committed(&self, salt: &Salt) -> ContainerSpec {
        let mut spec = self.clone();
        spec.for_each_value(|value| *value = value.committed(salt));
        spec
    }

    /// The spec with its commitments turned back into texts; `None` where one is unknown.
    pub fn revealed(&self, secrets: &Secrets) -> Option<ContainerSpec> {
        let mut spec = self.clone();
        let mut known = true;
        spec.for_each_value(|value| match secrets.reveal(value) {
            Some(text) => *value = text,
            None => known = false,
        });
        known.then_some(spec)
    }
}

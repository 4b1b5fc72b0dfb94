//! A service: every field that docker compose 2.40 knows, in the order in which it writes them.

use std::collections::BTreeMap;

use super::build::{Build, Develop};
use super::deploy::{Deploy, DeviceRequest};
use super::extends::Extends;
use super::mounts::{Device, FileMount, Mount};
use super::network::{Attachment, Port};
use super::record::record;
use super::run::{
    BlkioConfig, CredentialSpec, Dependency, EnvFile, HealthCheck, Hook, Logging, Provider, ServiceModel,
};
use super::values::{Assignments, Bytes, Command, Duration, HostList, Numbers, Pairs, StringList, Ulimit};

record! {
    /// A service. An empty text, list or mapping and a zero mean "not set", except where a field is an `Option`.
    pub struct Service {
        /// The profiles that enable it; none: always enabled.
        "profiles" => profiles: Vec<String>,
        /// OCI annotations of the container.
        "annotations" => annotations: Pairs,
        /// Whether `up` shows its log.
        "attach" => attach: Option<bool>,
        /// How its image is built.
        "build" => build: Option<Build>,
        /// What `watch` does.
        "develop" => develop: Option<Develop>,
        /// Limits of block devices.
        "blkio_config" => blkio_config: Option<BlkioConfig>,
        /// Capabilities added.
        "cap_add" => cap_add: Vec<String>,
        /// Capabilities dropped.
        "cap_drop" => cap_drop: Vec<String>,
        /// The parent control group.
        "cgroup_parent" => cgroup_parent: String,
        /// `host` or `private`.
        "cgroup" => cgroup: String,
        /// Processors (Windows).
        "cpu_count" => cpu_count: i64,
        /// Percent of the processors (Windows).
        "cpu_percent" => cpu_percent: f32,
        /// The scheduler's period, in microseconds.
        "cpu_period" => cpu_period: i64,
        /// The scheduler's quota, in microseconds.
        "cpu_quota" => cpu_quota: i64,
        /// The real-time period, in microseconds.
        "cpu_rt_period" => cpu_rt_period: i64,
        /// The real-time runtime, in microseconds.
        "cpu_rt_runtime" => cpu_rt_runtime: i64,
        /// Processors, as a fraction.
        "cpus" => cpus: f32,
        /// Which processors (`0-3`, `0,1`).
        "cpuset" => cpuset: String,
        /// Relative weight.
        "cpu_shares" => cpu_shares: i64,
        /// The command; see [`Command`] for unset and empty.
        "command" => command: Command,
        /// Configs mounted.
        "configs" => configs: Vec<FileMount>,
        /// A fixed container name.
        "container_name" => container_name: String,
        /// The managed service account (Windows).
        "credential_spec" => credential_spec: Option<CredentialSpec>,
        /// Services started before it, what is implied by links, namespaces and `volumes_from` included.
        "depends_on" => depends_on: BTreeMap<String, Dependency>,
        /// Replicas, resources, restart policy.
        "deploy" => deploy: Option<Deploy>,
        /// Rules of the device control group.
        "device_cgroup_rules" => device_cgroup_rules: Vec<String>,
        /// Host devices.
        "devices" => devices: Vec<Device>,
        /// Name servers.
        "dns" => dns: StringList,
        /// Resolver options.
        "dns_opt" => dns_opt: Vec<String>,
        /// Search domains.
        "dns_search" => dns_search: StringList,
        /// Not a field of the current format; always empty.
        "dockerfile" => dockerfile: String,
        /// The domain name.
        "domainname" => domainname: String,
        /// The entrypoint; see [`Command`] for unset and empty.
        "entrypoint" => entrypoint: Command,
        /// A provider outside of the engine.
        "provider" => provider: Option<Provider>,
        /// The environment, what `env_file` gives included; `None` for a variable that is set nowhere.
        "environment" => environment: Assignments,
        /// The env files, as written (their content is in `environment`).
        "env_file" => env_file: Vec<EnvFile>,
        /// Ports exposed to other containers (`80`, `80/udp`, `3000-3005`).
        "expose" => expose: Numbers,
        /// What it extended; empty once loaded.
        "extends" => extends: Option<Extends>,
        /// Links to containers of other projects.
        "external_links" => external_links: Vec<String>,
        /// Lines of `/etc/hosts`.
        "extra_hosts" => extra_hosts: HostList,
        /// Groups added.
        "group_add" => group_add: Vec<String>,
        /// GPUs.
        "gpus" => gpus: Vec<DeviceRequest>,
        /// The host name.
        "hostname" => hostname: String,
        /// The healthcheck.
        "healthcheck" => healthcheck: Option<HealthCheck>,
        /// The image.
        "image" => image: String,
        /// Whether an init process runs first.
        "init" => init: Option<bool>,
        /// The IPC namespace (`host`, `private`, `shareable`, `service:x`, `container:x`).
        "ipc" => ipc: String,
        /// The isolation technology (Windows).
        "isolation" => isolation: String,
        /// Labels, what `label_file` gives included.
        "labels" => labels: Pairs,
        /// The label files, as written (their content is in `labels`).
        "label_file" => label_file: Vec<String>,
        /// Links to other services (`service` or `service:alias`).
        "links" => links: Vec<String>,
        /// The log driver.
        "logging" => logging: Option<Logging>,
        /// Not a field of the current format; always empty.
        "log_driver" => log_driver: String,
        /// Not a field of the current format; always empty.
        "log_opt" => log_opt: BTreeMap<String, String>,
        /// The memory limit.
        "mem_limit" => mem_limit: Bytes,
        /// The memory reservation.
        "mem_reservation" => mem_reservation: Bytes,
        /// Memory and swap together.
        "memswap_limit" => memswap_limit: Bytes,
        /// Swappiness, 0 to 100.
        "mem_swappiness" => mem_swappiness: Bytes,
        /// The MAC address.
        "mac_address" => mac_address: String,
        /// Language models used.
        "models" => models: BTreeMap<String, Option<ServiceModel>>,
        /// Not a field of the current format; always empty.
        "net" => net: String,
        /// `host`, `none`, `bridge`, `service:x`, `container:x` or a network's name.
        "network_mode" => network_mode: String,
        /// The networks, by key of the project's networks; `None` for one without settings.
        "networks" => networks: BTreeMap<String, Option<Attachment>>,
        /// Whether the kernel may not kill it when memory is out.
        "oom_kill_disable" => oom_kill_disable: bool,
        /// How soon the kernel kills it, −1000 to 1000.
        "oom_score_adj" => oom_score_adj: i64,
        /// The PID namespace (`host`, `service:x`, `container:x`).
        "pid" => pid: String,
        /// How many processes; −1 is unlimited.
        "pids_limit" => pids_limit: i64,
        /// The platform (`linux/amd64`).
        "platform" => platform: String,
        /// The ports, one entry a container port.
        "ports" => ports: Vec<Port>,
        /// Extended privileges.
        "privileged" => privileged: bool,
        /// `always`, `never`, `missing`, `build`, `daily`, `weekly`, `every_<duration>`.
        "pull_policy" => pull_policy: String,
        /// A read-only root file system.
        "read_only" => read_only: bool,
        /// The restart policy (`no`, `always`, `on-failure[:n]`, `unless-stopped`).
        "restart" => restart: String,
        /// The runtime.
        "runtime" => runtime: String,
        /// How many containers; `deploy.replicas` says the same.
        "scale" => scale: Option<i64>,
        /// Secrets mounted.
        "secrets" => secrets: Vec<FileMount>,
        /// Security options.
        "security_opt" => security_opt: Vec<String>,
        /// The size of `/dev/shm`.
        "shm_size" => shm_size: Bytes,
        /// Keeps standard input open.
        "stdin_open" => stdin_open: bool,
        /// How long a stop waits before the kill.
        "stop_grace_period" => stop_grace_period: Option<Duration>,
        /// The signal that stops it.
        "stop_signal" => stop_signal: String,
        /// Options of the storage driver.
        "storage_opt" => storage_opt: BTreeMap<String, String>,
        /// Kernel parameters.
        "sysctls" => sysctls: Pairs,
        /// Temporary file systems (`/run`, `/tmp:size=64m`).
        "tmpfs" => tmpfs: StringList,
        /// A terminal.
        "tty" => tty: bool,
        /// Ulimits.
        "ulimits" => ulimits: BTreeMap<String, Option<Ulimit>>,
        /// Gives it the engine's socket.
        "use_api_socket" => use_api_socket: bool,
        /// The user (`name`, `uid`, `uid:gid`).
        "user" => user: String,
        /// The user namespace.
        "userns_mode" => userns_mode: String,
        /// The UTS namespace.
        "uts" => uts: String,
        /// Not a field of the current format; always empty.
        "volume_driver" => volume_driver: String,
        /// What is mounted.
        "volumes" => volumes: Vec<Mount>,
        /// Services (`x[:ro]`) or containers (`container:x[:ro]`) whose mounts it takes.
        "volumes_from" => volumes_from: Vec<String>,
        /// The working directory.
        "working_dir" => working_dir: String,
        /// What runs after the start.
        "post_start" => post_start: Vec<Hook>,
        /// What runs before the stop.
        "pre_stop" => pre_stop: Vec<Hook>,
    }
}

impl Service {
    /// How many containers: `scale`, else `deploy.replicas`, else one.
    pub fn replicas(&self) -> i64 {
        let deployed = self.deploy.as_ref().and_then(|deploy| deploy.replicas);
        self.scale.or(deployed).unwrap_or(1)
    }

    /// The image that it runs: the one that is named, else what is built for it, `project-service`.
    pub fn image_name(&self, project: &str, service: &str) -> String {
        match self.image.as_str() {
            "" => format!("{project}-{service}"),
            image => image.to_owned(),
        }
    }

    /// True when one of the profiles (or `*`) enables it, or it has none.
    pub fn is_enabled(&self, profiles: &[String]) -> bool {
        self.profiles.is_empty() || profiles.iter().any(|p| p == "*" || self.profiles.contains(p))
    }

    /// Its networks, the one of the highest priority first, then by name.
    pub fn networks_by_priority(&self) -> Vec<&str> {
        let priority = |attachment: &Option<Attachment>| attachment.as_ref().map_or(0, |a| a.priority);
        let mut names: Vec<(i64, &str)> = self.networks.iter().map(|(name, a)| (-priority(a), name.as_str())).collect();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect()
    }
}

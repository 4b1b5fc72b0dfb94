//! An inspected container, from the engine's JSON to our own type. It gives the engine's truth, with what the image and
//! the engine provided; only spellings of "not set" are dropped (empty texts and lists, zeros where zero is no limit).
//!
//! Enumerations are read as texts, so that an engine newer than this program can't make a whole answer unreadable.

use super::mounts;
use crate::model::{
    container::{
        Attachment, ContainerSpec, Device, DeviceRequest, Healthcheck, HostPort, Limits, Logging, NetworkMode,
        RestartPolicy, Ulimit,
    },
    names::{ContainerId, ContainerName, ImageId, ImageReference, NetworkName},
    observed::{ContainerState, Health, ObservedContainer, Status},
    units::{Bytes, Millis, NanoCpus, Timestamp},
    value::Value,
};
use serde::{Deserialize, Deserializer};
use std::collections::{BTreeMap, BTreeSet};

/// Null and absent alike are the default.
fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

macro_rules! json {
    ($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(default, rename_all = "PascalCase")]
        pub(super) struct $name {
            $($(#[$attribute])* #[serde(deserialize_with = "nullable")] pub(super) $field: $type,)+
        }
    };
}

json! {
    /// One entry of the list.
    Listed {
        id: String,
        names: Vec<String>,
        labels: BTreeMap<String, String>,
        state: String,
    }
}
json! {
    /// One container.
    Inspected {
        id: String,
        name: String,
        created: String,
        image: String,
        restart_count: u32,
        state: State,
        config: Config,
        host_config: HostConfig,
        mounts: Vec<MountPoint>,
        network_settings: NetworkSettings,
    }
}
json! {
    State {
        status: String,
        running: bool,
        restarting: bool,
        #[serde(rename = "OOMKilled")]
        oom_killed: bool,
        pid: u32,
        exit_code: i64,
        error: String,
        started_at: String,
        finished_at: String,
        health: HealthState,
    }
}
json! {
    HealthState {
        status: String,
    }
}
json! {
    Config {
        hostname: String,
        domainname: String,
        user: String,
        exposed_ports: BTreeMap<String, serde::de::IgnoredAny>,
        tty: bool,
        open_stdin: bool,
        env: Vec<String>,
        cmd: Vec<String>,
        image: String,
        volumes: BTreeMap<String, serde::de::IgnoredAny>,
        working_dir: String,
        entrypoint: Option<Vec<String>>,
        labels: BTreeMap<String, String>,
        stop_signal: String,
        stop_timeout: Option<u64>,
        mac_address: String,
        healthcheck: Option<Check>,
    }
}
json! {
    /// Durations are in nanoseconds.
    Check {
        test: Vec<String>,
        interval: i64,
        timeout: i64,
        start_period: i64,
        start_interval: i64,
        retries: i64,
    }
}
json! {
    HostConfig {
        binds: Vec<String>,
        mounts: Vec<AskedMount>,
        tmpfs: BTreeMap<String, String>,
        volumes_from: Vec<String>,
        log_config: LogConfig,
        network_mode: String,
        port_bindings: BTreeMap<String, Option<Vec<Binding>>>,
        restart_policy: Restart,
        cap_add: Vec<String>,
        cap_drop: Vec<String>,
        cgroupns_mode: String,
        dns: Vec<String>,
        dns_options: Vec<String>,
        dns_search: Vec<String>,
        extra_hosts: Vec<String>,
        group_add: Vec<String>,
        ipc_mode: String,
        links: Vec<String>,
        oom_score_adj: i64,
        pid_mode: String,
        privileged: bool,
        readonly_rootfs: bool,
        security_opt: Vec<String>,
        storage_opt: BTreeMap<String, String>,
        #[serde(rename = "UTSMode")]
        uts_mode: String,
        userns_mode: String,
        shm_size: u64,
        sysctls: BTreeMap<String, String>,
        runtime: String,
        isolation: String,
        annotations: BTreeMap<String, String>,
        init: Option<bool>,
        cgroup_parent: String,
        memory: i64,
        memory_swap: i64,
        memory_reservation: i64,
        memory_swappiness: Option<i64>,
        nano_cpus: i64,
        cpu_shares: i64,
        cpu_period: i64,
        cpu_quota: i64,
        cpu_realtime_period: i64,
        cpu_realtime_runtime: i64,
        cpuset_cpus: String,
        cpu_count: i64,
        cpu_percent: i64,
        pids_limit: i64,
        blkio_weight: u16,
        oom_kill_disable: bool,
        ulimits: Vec<NamedUlimit>,
        devices: Vec<DeviceMapping>,
        device_cgroup_rules: Vec<String>,
        device_requests: Vec<Request>,
    }
}
json! {
    /// A mount as it was asked for; what became of it is a `MountPoint`.
    AskedMount {
        r#type: String,
        source: String,
        target: String,
        read_only: bool,
        bind_options: BindOptions,
        volume_options: VolumeOptions,
        tmpfs_options: TmpfsOptions,
    }
}
json! {
    BindOptions {
        propagation: String,
        create_mountpoint: bool,
    }
}
json! {
    VolumeOptions {
        no_copy: bool,
        subpath: String,
    }
}
json! {
    TmpfsOptions {
        size_bytes: u64,
        mode: u32,
    }
}
json! {
    MountPoint {
        r#type: String,
        name: String,
        source: String,
        destination: String,
        #[serde(rename = "RW")]
        rw: bool,
    }
}
json! {
    LogConfig {
        r#type: String,
        config: BTreeMap<String, String>,
    }
}
json! {
    Binding {
        host_ip: String,
        host_port: String,
    }
}
json! {
    Restart {
        name: String,
        maximum_retry_count: u32,
    }
}
json! {
    NamedUlimit {
        name: String,
        soft: i64,
        hard: i64,
    }
}
json! {
    DeviceMapping {
        path_on_host: String,
        path_in_container: String,
        cgroup_permissions: String,
    }
}
json! {
    Request {
        driver: String,
        count: i64,
        #[serde(rename = "DeviceIDs")]
        device_ids: Vec<String>,
        capabilities: Vec<Vec<String>>,
        options: BTreeMap<String, String>,
    }
}
json! {
    NetworkSettings {
        networks: BTreeMap<String, Endpoint>,
    }
}
json! {
    Endpoint {
        #[serde(rename = "IPAMConfig")]
        ipam_config: Fixed,
        links: Vec<String>,
        mac_address: String,
        aliases: Vec<String>,
        driver_opts: BTreeMap<String, String>,
        #[serde(rename = "IPAddress")]
        ip_address: String,
        #[serde(rename = "GlobalIPv6Address")]
        global_ipv6_address: String,
    }
}
json! {
    /// Addresses that were asked for.
    Fixed {
        #[serde(rename = "IPv4Address")]
        ipv4_address: String,
        #[serde(rename = "IPv6Address")]
        ipv6_address: String,
        #[serde(rename = "LinkLocalIPs")]
        link_local_ips: Vec<String>,
    }
}

/// The container, in our own type. `api` says which fields the engine can be believed on.
pub(super) fn observed(mut from: Inspected, api: (u32, u32)) -> ObservedContainer {
    let mode = network_mode(&from.host_config.network_mode);
    let addresses = addresses(&from.network_settings);
    let state = state(&from.state, from.restart_count);
    let networks = networks(&mut from, &mode, api);
    let id = ContainerId::new(std::mem::take(&mut from.id));
    let hostname = match &mode {
        // Taken over from the other container; it can't be set.
        NetworkMode::Container(_) => None,
        // The engine's default.
        _ => text(std::mem::take(&mut from.config.hostname)).filter(|name| name != id.short()),
    };
    ObservedContainer {
        name: ContainerName::new(from.name.trim_start_matches('/')),
        image: ImageId::new(std::mem::take(&mut from.image)),
        created: Timestamp::parse(&from.created).unwrap_or_default(),
        spec: ContainerSpec { hostname, network_mode: mode, networks, ..spec(from) },
        id,
        state,
        addresses,
    }
}

fn spec(from: Inspected) -> ContainerSpec {
    let mounts = mounts::observed(&from);
    let Inspected { config, host_config: host, network_settings, .. } = from;
    let ports = ports(host.port_bindings);
    let expose = config.exposed_ports.into_keys().filter(|port| !ports.contains_key(port)).collect();
    let links = network_settings
        .networks
        .into_values()
        .flat_map(|endpoint| endpoint.links)
        .chain(host.links.iter().map(|link| plain_link(link)));
    ContainerSpec {
        image: ImageReference::new(config.image),
        entrypoint: config.entrypoint.map(words),
        command: Some(config.cmd).filter(|words| !words.is_empty()).map(words),
        environment: environment(config.env),
        labels: config.labels.into_iter().map(|(name, label)| (name, Value::Plain(label))).collect(),
        working_dir: text(config.working_dir),
        user: text(config.user),
        group_add: host.group_add.into_iter().collect(),
        domainname: text(config.domainname),
        stop_signal: text(config.stop_signal),
        stop_grace: config.stop_timeout.map(Millis::seconds),
        tty: config.tty,
        stdin_open: config.open_stdin,
        init: host.init,
        read_only: host.readonly_rootfs,
        privileged: host.privileged,
        restart: restart(&host.restart_policy),
        healthcheck: config.healthcheck.map(healthcheck).filter(|check| *check != Healthcheck::default()),
        ports,
        expose,
        mounts,
        ipc: text(host.ipc_mode),
        pid: text(host.pid_mode),
        uts: text(host.uts_mode),
        userns: text(host.userns_mode),
        cgroupns: text(host.cgroupns_mode),
        cgroup_parent: text(host.cgroup_parent),
        isolation: text(host.isolation),
        runtime: text(host.runtime),
        shm_size: (host.shm_size > 0).then_some(Bytes(host.shm_size)),
        cap_add: host.cap_add.into_iter().collect(),
        cap_drop: host.cap_drop.into_iter().collect(),
        security_opt: host.security_opt.into_iter().collect(),
        sysctls: host.sysctls,
        device_cgroup_rules: host.device_cgroup_rules.into_iter().collect(),
        dns: host.dns,
        dns_search: host.dns_search,
        dns_options: host.dns_options,
        extra_hosts: host.extra_hosts.into_iter().collect(),
        links: links.collect::<BTreeSet<String>>().into_iter().collect(),
        volumes_from: host.volumes_from,
        storage_options: host.storage_opt,
        annotations: host.annotations,
        limits: Limits {
            memory: size(host.memory),
            memory_swap: number(host.memory_swap),
            memory_reservation: size(host.memory_reservation),
            memory_swappiness: host.memory_swappiness.filter(|share| *share >= 0),
            cpus: u64::try_from(host.nano_cpus).ok().filter(|cpus| *cpus > 0).map(NanoCpus),
            pids: number(host.pids_limit).filter(|pids| *pids > 0),
            cpu_shares: number(host.cpu_shares),
            cpu_period: number(host.cpu_period),
            cpu_quota: number(host.cpu_quota),
            cpu_rt_period: number(host.cpu_realtime_period),
            cpu_rt_runtime: number(host.cpu_realtime_runtime),
            cpuset: text(host.cpuset_cpus),
            cpu_count: number(host.cpu_count),
            cpu_percent: number(host.cpu_percent),
            blkio_weight: (host.blkio_weight > 0).then_some(host.blkio_weight),
            oom_kill_disable: host.oom_kill_disable.then_some(true),
            oom_score_adj: number(host.oom_score_adj),
        },
        ulimits: host
            .ulimits
            .into_iter()
            .map(|limit| (limit.name, Ulimit { soft: limit.soft, hard: limit.hard }))
            .collect(),
        devices: host
            .devices
            .into_iter()
            .map(|device| {
                let mapped = Device { source: device.path_on_host, permissions: device.cgroup_permissions };
                (device.path_in_container, mapped)
            })
            .collect(),
        device_requests: host.device_requests.into_iter().map(device_request).collect(),
        logging: logging(host.log_config),
        // The image id says what platform it is; networks and names are read beside.
        ..ContainerSpec::default()
    }
}

/// A health check as the engine says it, of a container or of an image.
pub(super) fn healthcheck(from: Check) -> Healthcheck {
    let span = |nanoseconds: i64| u64::try_from(nanoseconds / 1_000_000).ok().filter(|ms| *ms > 0).map(Millis);
    Healthcheck {
        test: words(from.test),
        interval: span(from.interval),
        timeout: span(from.timeout),
        start_period: span(from.start_period),
        start_interval: span(from.start_interval),
        retries: u32::try_from(from.retries).ok().filter(|times| *times > 0),
    }
}

fn state(from: &State, restart_count: u32) -> ContainerState {
    let status = match from.status.as_str() {
        _ if from.restarting => Status::Restarting,
        "created" => Status::Created,
        "paused" => Status::Paused,
        "removing" => Status::Removing,
        "exited" => Status::Exited,
        "dead" => Status::Dead,
        _ if from.running => Status::Running,
        _ => Status::Exited,
    };
    ContainerState {
        status,
        exit_code: from.exit_code,
        oom_killed: from.oom_killed,
        error: from.error.clone(),
        started_at: Timestamp::parse(&from.started_at),
        finished_at: Timestamp::parse(&from.finished_at),
        restart_count,
        health: match from.health.status.as_str() {
            "starting" => Health::Starting,
            "healthy" => Health::Healthy,
            "unhealthy" => Health::Unhealthy,
            _ => Health::None,
        },
        pid: from.pid,
    }
}

fn network_mode(mode: &str) -> NetworkMode {
    match mode {
        "host" => NetworkMode::Host,
        "none" => NetworkMode::None,
        "" | "default" | "bridge" => NetworkMode::Bridge,
        mode => match mode.strip_prefix("container:") {
            Some(id) => NetworkMode::Container(ContainerId::new(id)),
            None => NetworkMode::Networks,
        },
    }
}

fn networks(from: &mut Inspected, mode: &NetworkMode, api: (u32, u32)) -> BTreeMap<NetworkName, Attachment> {
    let own = match mode {
        NetworkMode::Host => "host",
        NetworkMode::None => "none",
        NetworkMode::Bridge => "bridge",
        _ => "",
    };
    let main = from.host_config.network_mode.clone();
    let asked_mac = text(from.config.mac_address.clone());
    let read = |(name, endpoint): (&String, &mut Endpoint)| {
        let mac = if api >= (1, 44) {
            // The address in use: from here on the engine no longer says whether it was asked for.
            text(endpoint.mac_address.clone())
        } else {
            asked_mac.clone().filter(|_| *name == main)
        };
        let fixed = std::mem::take(&mut endpoint.ipam_config);
        let attachment = Attachment {
            aliases: std::mem::take(&mut endpoint.aliases).into_iter().collect(),
            ipv4: text(fixed.ipv4_address),
            ipv6: text(fixed.ipv6_address),
            link_local: fixed.link_local_ips.into_iter().collect(),
            mac,
            driver_options: std::mem::take(&mut endpoint.driver_opts),
            priority: 0,
        };
        (NetworkName::new(name), attachment)
    };
    from.network_settings.networks.iter_mut().filter(|(name, _)| name.as_str() != own).map(read).collect()
}

fn addresses(from: &NetworkSettings) -> BTreeMap<NetworkName, String> {
    let address = |endpoint: &Endpoint| match endpoint.ip_address.as_str() {
        "" => endpoint.global_ipv6_address.clone(),
        address => address.to_owned(),
    };
    from.networks
        .iter()
        .map(|(name, endpoint)| (NetworkName::new(name), address(endpoint)))
        .filter(|(_, address)| !address.is_empty())
        .collect()
}

fn ports(bindings: BTreeMap<String, Option<Vec<Binding>>>) -> BTreeMap<String, Vec<HostPort>> {
    let host_port = |binding: Binding| HostPort {
        address: binding.host_ip,
        port: Some(binding.host_port).filter(|port| port != "0").unwrap_or_default(),
    };
    bindings.into_iter().map(|(port, on)| (port, on.unwrap_or_default().into_iter().map(host_port).collect())).collect()
}

fn restart(policy: &Restart) -> RestartPolicy {
    match policy.name.as_str() {
        "always" => RestartPolicy::Always,
        "unless-stopped" => RestartPolicy::UnlessStopped,
        "on-failure" => RestartPolicy::OnFailure(policy.maximum_retry_count),
        _ => RestartPolicy::No,
    }
}

fn logging(from: LogConfig) -> Option<Logging> {
    let options: BTreeMap<String, Value> =
        from.config.into_iter().map(|(name, option)| (name, Value::Plain(option))).collect();
    let driver = text(from.r#type);
    (driver.is_some() || !options.is_empty()).then_some(Logging { driver, options })
}

fn device_request(from: Request) -> DeviceRequest {
    DeviceRequest {
        driver: from.driver,
        count: from.count,
        device_ids: from.device_ids,
        capabilities: from.capabilities.into_iter().flatten().collect(),
        options: from.options,
    }
}

/// `/webkit-db-1:/webkit-web-1/db`, as the engine says a link on its default bridge, is `webkit-db-1:db`.
fn plain_link(link: &str) -> String {
    match link.split_once(':') {
        Some((to, alias)) => {
            format!("{}:{}", to.trim_start_matches('/'), alias.rsplit('/').next().unwrap_or(alias))
        }
        None => link.to_owned(),
    }
}

/// `NAME=value` entries by name. The engine keeps none without a `=`.
pub(super) fn environment(entries: Vec<String>) -> BTreeMap<String, Value> {
    let entry = |entry: String| entry.split_once('=').map(|(name, value)| (name.to_owned(), Value::plain(value)));
    entries.into_iter().filter_map(entry).collect()
}

fn words(words: Vec<String>) -> Vec<Value> {
    words.into_iter().map(Value::Plain).collect()
}

fn text(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn number(number: i64) -> Option<i64> {
    Some(number).filter(|number| *number != 0)
}

fn size(bytes: i64) -> Option<Bytes> {
    u64::try_from(bytes).ok().filter(|bytes| *bytes > 0).map(Bytes)
}

//! What we read of the engine's JSON, under its own names. Null and absent alike are the default, and
//! enumerations are texts, so that an engine newer than this program can't make a whole answer unreadable. A number is as
//! wide as the engine's own, negative where the engine takes that.

use crate::engine::image_config::{HealthcheckJson, nullable};
use serde::Deserialize;
use std::collections::BTreeMap;

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
        #[serde(rename = "ImageID")]
        image_id: String,
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
        stop_timeout: Option<i64>,
        mac_address: String,
        healthcheck: Option<HealthcheckJson>,
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
        blkio_weight_device: Vec<Weighted>,
        blkio_device_read_bps: Vec<Throttled>,
        #[serde(rename = "BlkioDeviceReadIOps")]
        blkio_device_read_iops: Vec<Throttled>,
        blkio_device_write_bps: Vec<Throttled>,
        #[serde(rename = "BlkioDeviceWriteIOps")]
        blkio_device_write_iops: Vec<Throttled>,
        masked_paths: Option<Vec<String>>,
        readonly_paths: Option<Vec<String>>,
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
        image_options: ImageOptions,
        tmpfs_options: TmpfsOptions,
    }
}
json! {
    BindOptions {
        propagation: String,
        create_mountpoint: bool,
        non_recursive: bool,
        read_only_non_recursive: bool,
        read_only_force_recursive: bool,
    }
}
json! {
    ImageOptions {
        subpath: String,
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
        size_bytes: i64,
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
        maximum_retry_count: i64,
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
    Weighted {
        path: String,
        weight: u16,
    }
}
json! {
    Throttled {
        path: String,
        rate: u64,
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
        gw_priority: i64,
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
json! {
    /// One network: what is attached to it.
    InspectedNetwork {
        containers: BTreeMap<String, Attached>,
    }
}
json! {
    Attached {
        name: String,
    }
}
json! {
    ListedImage {
        id: String,
        repo_tags: Vec<String>,
    }
}

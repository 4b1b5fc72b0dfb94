//! An inspected container, from the engine's JSON to our own type. It gives the engine's truth, with what the image and
//! the engine provided; only spellings of "not set" are dropped (empty texts and lists, zeros where zero is no limit).

use super::{
    json::{Binding, Endpoint, HostConfig, Inspected, LogConfig, NetworkSettings, Request, Restart, State, Throttled},
    mounts,
};
use crate::engine::image_config::{HealthcheckJson, environment};
use crate::model::{
    container::{
        Attachment, Attachments, ContainerSpec, Device, DeviceRequest, HostPort, Limits, Logging, NetworkMode,
        RestartPolicy, Ulimit,
    },
    names::{ContainerId, ContainerName, ImageId, ImageReference, NetworkName},
    observed::{ContainerState, Health, ObservedContainer, Status},
    units::{Bytes, Millis, NanoCpus, Timestamp},
    value::Value,
};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// The container, in our own type. `api` says which fields the engine can be believed on.
pub(super) fn observed(mut from: Inspected, api: (u32, u32)) -> ObservedContainer {
    let mode = network_mode(&from.host_config.network_mode);
    let addresses = addresses(&from.network_settings);
    let state = state(&from.state, from.restart_count);
    let networks = networks(&mut from, &mode, api);
    let id = ContainerId::new(std::mem::take(&mut from.id));
    let mac = text(from.config.mac_address.clone()).filter(|_| mode != NetworkMode::Networks);
    let hostname = match &mode {
        // Taken over from the other container; it can't be set.
        NetworkMode::Container(_) => None,
        // The engine's default.
        _ => text(std::mem::take(&mut from.config.hostname)).filter(|name: &SmolStr| name != id.short()),
    };
    ObservedContainer {
        name: ContainerName::new(from.name.trim_start_matches('/')),
        image: ImageId::new(std::mem::take(&mut from.image)),
        created: Timestamp::parse(&from.created).unwrap_or_default(),
        spec: ContainerSpec { hostname, network_mode: mode, networks, mac, ..spec(from) },
        id,
        state,
        addresses,
        memory_used: None,
    }
}

fn spec(from: Inspected) -> ContainerSpec {
    let mounts = mounts::observed(&from);
    let Inspected { config, host_config: host, .. } = from;
    let limits = limits(&host);
    let ports = ports(host.port_bindings);
    let expose = config.exposed_ports.into_keys().filter(|port| !ports.contains_key(port)).collect();
    let unset = config.env.iter().filter(|entry| !entry.contains('=')).cloned().collect();
    ContainerSpec {
        image: ImageReference::new(config.image),
        entrypoint: config.entrypoint.map(words),
        command: Some(config.cmd).filter(|words| !words.is_empty()).map(words),
        environment: environment(config.env).map(|(name, value)| (name.into(), Value::plain(value))).collect(),
        unset,
        labels: config.labels.into_iter().map(|(name, label)| (name.into(), Value::plain(label))).collect(),
        working_dir: text(config.working_dir),
        user: text(config.user),
        group_add: host.group_add.into_iter().collect(),
        domainname: text(config.domainname),
        stop_signal: text(config.stop_signal),
        // Below zero the engine waits without an end: no grace that could be said.
        stop_grace: config.stop_timeout.and_then(|seconds| u64::try_from(seconds).ok()).map(Millis::seconds),
        tty: config.tty,
        stdin_open: config.open_stdin,
        init: host.init,
        read_only: host.readonly_rootfs,
        privileged: host.privileged,
        restart: restart(&host.restart_policy),
        healthcheck: config.healthcheck.and_then(HealthcheckJson::read),
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
        // A privileged container has them open by itself; then there is no list.
        unmasked: [&host.masked_paths, &host.readonly_paths]
            .iter()
            .all(|paths| paths.as_ref().is_some_and(Vec::is_empty)),
        sysctls: host.sysctls,
        device_cgroup_rules: host.device_cgroup_rules.into_iter().collect(),
        dns: host.dns,
        dns_search: host.dns_search,
        dns_options: host.dns_options,
        extra_hosts: host.extra_hosts.into_iter().collect(),
        links: host.links.iter().map(|link| plain_link(link)).collect(),
        volumes_from: host.volumes_from,
        storage_options: host.storage_opt,
        annotations: host.annotations,
        limits,
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

fn limits(host: &HostConfig) -> Limits {
    Limits {
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
        cpuset: text(host.cpuset_cpus.clone()),
        cpu_count: number(host.cpu_count),
        cpu_percent: number(host.cpu_percent),
        blkio_weight: (host.blkio_weight > 0).then_some(host.blkio_weight),
        blkio_weight_device: host.blkio_weight_device.iter().map(|one| (one.path.clone(), one.weight)).collect(),
        blkio_read_bytes: rates(&host.blkio_device_read_bps),
        blkio_read_operations: rates(&host.blkio_device_read_iops),
        blkio_write_bytes: rates(&host.blkio_device_write_bps),
        blkio_write_operations: rates(&host.blkio_device_write_iops),
        oom_kill_disable: host.oom_kill_disable.then_some(true),
        oom_score_adj: number(host.oom_score_adj),
    }
}

fn rates(devices: &[Throttled]) -> BTreeMap<String, u64> {
    devices.iter().map(|device| (device.path.clone(), device.rate)).collect()
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

fn networks(from: &mut Inspected, mode: &NetworkMode, api: (u32, u32)) -> Attachments {
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
            aliases: std::mem::take(&mut endpoint.aliases).into_iter().map(Into::into).collect(),
            ipv4: text(fixed.ipv4_address),
            ipv6: text(fixed.ipv6_address),
            link_local: fixed.link_local_ips.into_iter().collect(),
            mac,
            driver_options: std::mem::take(&mut endpoint.driver_opts),
            gateway_priority: endpoint.gw_priority.clamp(i32::MIN.into(), i32::MAX.into()) as i32,
            links: std::mem::take(&mut endpoint.links).into_iter().collect(),
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
        "on-failure" => RestartPolicy::OnFailure(policy.maximum_retry_count.clamp(0, u32::MAX.into()) as u32),
        _ => RestartPolicy::No,
    }
}

fn logging(from: LogConfig) -> Option<Logging> {
    let options: BTreeMap<String, Value> =
        from.config.into_iter().map(|(name, option)| (name, Value::plain(option))).collect();
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

fn words(words: Vec<String>) -> Vec<Value> {
    words.into_iter().map(Value::plain).collect()
}

fn text<T: From<String>>(text: String) -> Option<T> {
    Some(text).filter(|text| !text.is_empty()).map(T::from)
}

fn number(number: i64) -> Option<i64> {
    Some(number).filter(|number| *number != 0)
}

fn size(bytes: i64) -> Option<Bytes> {
    u64::try_from(bytes).ok().filter(|bytes| *bytes > 0).map(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of them is what an engine took at a create.
    #[test]
    fn a_number_that_nobody_should_have_said_leaves_a_container_readable() {
        let read = |json: serde_json::Value| observed(serde_json::from_value(json).unwrap(), (1, 48)).spec;
        let grace = |seconds: i64| read(serde_json::json!({"Config": {"StopTimeout": seconds}})).stop_grace;
        assert_eq!((grace(-1), grace(3)), (None, Some(Millis::seconds(3))));
        assert!(grace(i64::MAX) > Some(Millis::seconds(1)));
        let policy = serde_json::json!({"Name": "on-failure", "MaximumRetryCount": -3});
        assert_eq!(
            read(serde_json::json!({"HostConfig": {"RestartPolicy": policy}})).restart,
            RestartPolicy::OnFailure(0)
        );
        let options = serde_json::json!({"SizeBytes": -5});
        let mounts = serde_json::json!([{"Type": "tmpfs", "Target": "/x", "TmpfsOptions": options}]);
        assert_eq!(read(serde_json::json!({"HostConfig": {"Mounts": mounts}})).mounts["/x"].tmpfs_size, None);
        let network = serde_json::json!({"Networks": {"n": {"GwPriority": 99_999_999_999_i64}}});
        let host = serde_json::json!({"NetworkMode": "n"});
        let spec = read(serde_json::json!({"HostConfig": host, "NetworkSettings": network}));
        assert_eq!(spec.networks[&NetworkName::from("n")].gateway_priority, i32::MAX);
    }
}

//! A container spec as a create request, field for field as docker compose 2.40 fills one in.

use super::mounts;
use crate::model::{
    container::{Attachment, ContainerSpec, Healthcheck, Limits, NetworkMode, RestartPolicy},
    names::NetworkName,
    units::Millis,
    value::Value,
};
use bollard::models;
use serde::de::DeserializeOwned;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The request's body; `image` is the reference or id to create from. An error says what can't be said to an engine.
pub(super) fn body(image: &str, spec: &ContainerSpec) -> Result<models::ContainerCreateBody, String> {
    let exposed: BTreeSet<&String> = spec.expose.iter().chain(spec.ports.keys()).collect();
    let environment = spec.environment.iter().map(|(name, value)| format!("{name}={}", value.reveal()));
    // A name alone takes the image's variable away.
    let environment = environment.chain(spec.unset.iter().cloned());
    Ok(models::ContainerCreateBody {
        hostname: text(&spec.hostname),
        domainname: text(&spec.domainname),
        user: text(&spec.user),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        exposed_ports: list(exposed.into_iter().cloned()),
        tty: Some(spec.tty),
        open_stdin: Some(spec.stdin_open),
        env: list(environment),
        cmd: spec.command.as_deref().map(words),
        healthcheck: spec.healthcheck.as_ref().map(healthcheck),
        image: Some(image.to_owned()),
        working_dir: text(&spec.working_dir),
        entrypoint: spec.entrypoint.as_deref().map(words),
        labels: Some(spec.labels.iter().map(|(name, label)| (name.to_string(), label.reveal().to_owned())).collect()),
        stop_signal: text(&spec.stop_signal),
        // Whole seconds, rounded down, as docker compose does.
        stop_timeout: spec.stop_grace.map(|grace| signed(grace.0 / 1000)),
        networking_config: networking(spec),
        host_config: Some(host(spec)?),
        ..Default::default()
    })
}

/// How a container is on a network, as a request says it.
pub(super) fn endpoint(attachment: &Attachment) -> models::EndpointSettings {
    let fixed = attachment.ipv4.is_some() || attachment.ipv6.is_some() || !attachment.link_local.is_empty();
    models::EndpointSettings {
        aliases: list(attachment.aliases.iter().map(ToString::to_string)),
        links: list(attachment.links.iter().cloned()),
        mac_address: attachment.mac.clone(),
        driver_opts: map(&attachment.driver_options),
        gw_priority: (attachment.gateway_priority != 0).then_some(attachment.gateway_priority.into()),
        ipam_config: fixed.then(|| models::EndpointIpamConfig {
            ipv4_address: attachment.ipv4.clone(),
            ipv6_address: attachment.ipv6.clone(),
            link_local_ips: list(attachment.link_local.iter().cloned()),
        }),
        ..Default::default()
    }
}

/// The restart policy, as a request says it.
pub(super) fn restart(policy: RestartPolicy) -> models::RestartPolicy {
    use models::RestartPolicyNameEnum as Name;
    let (name, times) = match policy {
        RestartPolicy::No => (Name::NO, 0),
        RestartPolicy::Always => (Name::ALWAYS, 0),
        RestartPolicy::UnlessStopped => (Name::UNLESS_STOPPED, 0),
        RestartPolicy::OnFailure(times) => (Name::ON_FAILURE, times),
    };
    models::RestartPolicy { name: Some(name), maximum_retry_count: (times > 0).then_some(i64::from(times)) }
}

/// Limits and restart policy, as an update says them. What is absent is not sent.
pub(super) fn update(limits: &Limits, policy: Option<RestartPolicy>) -> models::ContainerUpdateBody {
    models::ContainerUpdateBody {
        memory: limits.memory.map(|size| signed(size.0)),
        memory_swap: limits.memory_swap,
        memory_reservation: limits.memory_reservation.map(|size| signed(size.0)),
        memory_swappiness: limits.memory_swappiness,
        nano_cpus: limits.cpus.map(|cpus| signed(cpus.0)),
        pids_limit: limits.pids,
        cpu_shares: limits.cpu_shares,
        cpu_period: limits.cpu_period,
        cpu_quota: limits.cpu_quota,
        cpu_realtime_period: limits.cpu_rt_period,
        cpu_realtime_runtime: limits.cpu_rt_runtime,
        cpuset_cpus: limits.cpuset.clone(),
        blkio_weight: limits.blkio_weight,
        restart_policy: policy.map(restart),
        ..Default::default()
    }
}

/// One of the API's closed words.
pub(super) fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|_| format!("the engine knows no `{text}`"))
}

fn text(word: &Option<SmolStr>) -> Option<String> {
    word.as_ref().map(ToString::to_string)
}

/// A size for an API whose numbers have a sign.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn host(spec: &ContainerSpec) -> Result<models::HostConfig, String> {
    let mounts = mounts::asked(&spec.mounts)?;
    let host = models::HostConfig {
        binds: list(mounts.binds),
        mounts: list(mounts.mounts),
        tmpfs: Some(mounts.tmpfs).filter(|tmpfs| !tmpfs.is_empty()),
        network_mode: Some(network_mode(spec)?),
        port_bindings: port_bindings(spec),
        restart_policy: Some(restart(spec.restart)),
        log_config: spec.logging.as_ref().map(|logging| models::HostConfigLogConfig {
            // An empty name is the engine's own driver.
            typ: Some(text(&logging.driver).unwrap_or_default()),
            config: Some(logging.options.iter().map(|(name, value)| (name.clone(), value.reveal().into())).collect()),
        }),
        cap_add: list(spec.cap_add.iter().cloned()),
        cap_drop: list(spec.cap_drop.iter().cloned()),
        cgroupns_mode: spec.cgroupns.as_deref().map(word).transpose()?,
        dns: list(spec.dns.iter().cloned()),
        dns_options: list(spec.dns_options.iter().cloned()),
        dns_search: list(spec.dns_search.iter().cloned()),
        extra_hosts: list(spec.extra_hosts.iter().cloned()),
        group_add: list(spec.group_add.iter().cloned()),
        ipc_mode: text(&spec.ipc),
        links: list(spec.links.iter().cloned()),
        pid_mode: text(&spec.pid),
        privileged: Some(spec.privileged),
        readonly_rootfs: Some(spec.read_only),
        security_opt: list(spec.security_opt.iter().cloned()),
        masked_paths: spec.unmasked.then(Vec::new),
        readonly_paths: spec.unmasked.then(Vec::new),
        storage_opt: map(&spec.storage_options),
        uts_mode: text(&spec.uts),
        userns_mode: text(&spec.userns),
        shm_size: spec.shm_size.map(|size| signed(size.0)),
        sysctls: map(&spec.sysctls),
        runtime: text(&spec.runtime),
        isolation: spec.isolation.as_deref().map(word).transpose()?,
        annotations: map(&spec.annotations),
        volumes_from: list(spec.volumes_from.iter().map(|from| from.trim_start_matches("container:").to_owned())),
        init: spec.init,
        cgroup_parent: text(&spec.cgroup_parent),
        ..resources(spec)
    };
    Ok(host)
}

fn resources(spec: &ContainerSpec) -> models::HostConfig {
    let limits = &spec.limits;
    models::HostConfig {
        memory: limits.memory.map(|size| signed(size.0)),
        memory_swap: limits.memory_swap,
        memory_reservation: limits.memory_reservation.map(|size| signed(size.0)),
        memory_swappiness: limits.memory_swappiness,
        nano_cpus: limits.cpus.map(|cpus| signed(cpus.0)),
        pids_limit: limits.pids,
        cpu_shares: limits.cpu_shares,
        cpu_period: limits.cpu_period,
        cpu_quota: limits.cpu_quota,
        cpu_realtime_period: limits.cpu_rt_period,
        cpu_realtime_runtime: limits.cpu_rt_runtime,
        cpuset_cpus: limits.cpuset.clone(),
        cpu_count: limits.cpu_count,
        cpu_percent: limits.cpu_percent,
        blkio_weight: limits.blkio_weight,
        blkio_weight_device: list(limits.blkio_weight_device.iter().map(|(path, weight)| {
            models::ResourcesBlkioWeightDevice { path: Some(path.clone()), weight: Some(usize::from(*weight)) }
        })),
        blkio_device_read_bps: throttled(&limits.blkio_read_bytes),
        blkio_device_read_iops: throttled(&limits.blkio_read_operations),
        blkio_device_write_bps: throttled(&limits.blkio_write_bytes),
        blkio_device_write_iops: throttled(&limits.blkio_write_operations),
        oom_kill_disable: limits.oom_kill_disable,
        oom_score_adj: limits.oom_score_adj,
        ulimits: list(spec.ulimits.iter().map(|(name, limit)| models::ResourcesUlimits {
            name: Some(name.clone()),
            soft: Some(limit.soft),
            hard: Some(limit.hard),
        })),
        devices: list(spec.devices.iter().map(|(target, device)| models::DeviceMapping {
            path_on_host: Some(device.source.clone()),
            path_in_container: Some(target.clone()),
            cgroup_permissions: Some(device.permissions.clone()),
        })),
        device_cgroup_rules: list(spec.device_cgroup_rules.iter().cloned()),
        device_requests: list(spec.device_requests.iter().map(|request| models::DeviceRequest {
            driver: Some(request.driver.clone()),
            count: Some(request.count),
            device_ids: Some(request.device_ids.clone()),
            capabilities: Some(vec![request.capabilities.clone()]),
            options: Some(request.options.clone().into_iter().collect()),
        })),
        ..Default::default()
    }
}

fn throttled(rates: &BTreeMap<String, u64>) -> Option<Vec<models::ThrottleDevice>> {
    list(
        rates.iter().map(|(path, rate)| models::ThrottleDevice { path: Some(path.clone()), rate: Some(signed(*rate)) }),
    )
}

fn network_mode(spec: &ContainerSpec) -> Result<String, String> {
    Ok(match &spec.network_mode {
        NetworkMode::Networks => first_network(spec).map_or("none".to_owned(), |(name, _)| name.to_string()),
        NetworkMode::Host => "host".to_owned(),
        NetworkMode::None => "none".to_owned(),
        NetworkMode::Bridge => "bridge".to_owned(),
        NetworkMode::Container(id) => format!("container:{id}"),
        NetworkMode::Service(service) => return Err(format!("the container of the service `{service}` is not known")),
    })
}

/// The network that the container is created on: of the highest priority, then by name, as docker compose chooses.
fn first_network(spec: &ContainerSpec) -> Option<(&NetworkName, &Attachment)> {
    spec.networks.iter().min_by_key(|(name, attachment)| (std::cmp::Reverse(attachment.priority), name.as_str()))
}

fn networking(spec: &ContainerSpec) -> Option<models::NetworkingConfig> {
    let endpoint = |(name, attachment): (&NetworkName, &Attachment)| (name.to_string(), endpoint(attachment));
    if let Some(mac) = &spec.mac {
        // An engine that keeps it there takes it from the endpoint as well.
        let attachment = Attachment { mac: Some(mac.clone()), ..Attachment::default() };
        let endpoints = [("bridge".to_owned(), self::endpoint(&attachment))];
        return Some(models::NetworkingConfig { endpoints_config: Some(endpoints.into()) });
    }
    (spec.network_mode == NetworkMode::Networks && !spec.networks.is_empty())
        .then(|| models::NetworkingConfig { endpoints_config: Some(spec.networks.iter().map(endpoint).collect()) })
}

fn port_bindings(spec: &ContainerSpec) -> Option<models::PortMap> {
    let bindings = |on: &Vec<crate::model::container::HostPort>| {
        on.iter()
            .map(|host| models::PortBinding { host_ip: Some(host.address.clone()), host_port: Some(host.port.clone()) })
            .collect()
    };
    let ports: models::PortMap = spec.ports.iter().map(|(port, on)| (port.clone(), Some(bindings(on)))).collect();
    Some(ports).filter(|ports| !ports.is_empty())
}

fn healthcheck(check: &Healthcheck) -> models::HealthConfig {
    let nanoseconds = |span: Option<Millis>| span.map(|span| signed(span.0.saturating_mul(1_000_000)));
    models::HealthConfig {
        test: list(check.test.iter().map(|word| word.reveal().to_owned())),
        interval: nanoseconds(check.interval),
        timeout: nanoseconds(check.timeout),
        retries: check.retries.map(i64::from),
        start_period: nanoseconds(check.start_period),
        start_interval: nanoseconds(check.start_interval),
    }
}

fn words(words: &[Value]) -> Vec<String> {
    words.iter().map(|word| word.reveal().to_owned()).collect()
}

fn list<T>(items: impl IntoIterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.into_iter().collect();
    Some(items).filter(|items| !items.is_empty())
}

fn map(entries: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    (!entries.is_empty()).then(|| entries.clone().into_iter().collect())
}

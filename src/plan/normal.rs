//! The one table of what the image and the engine provide where a spec is silent. The desired and the observed spec are
//! both brought to the same normal form, in which "not set" and "set to what would be there anyway" are one; only then
//! are they compared.

use super::survey::Parents;
use crate::model::{
    container::{
        Attachment, Attachments, ContainerSpec, Device, Environment, Healthcheck, HostPort, Limits, Logging, Mount,
        MountSource, NetworkMode,
    },
    image::ImageConfig,
    labels::Labels,
    names::{ContainerId, NetworkName, ServiceName},
    observed::EngineFacts,
    units::{Bytes, Millis, NanoCpus},
    value::Value,
};
use smol_str::SmolStr;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// What surrounds a spec.
pub(super) struct Surroundings<'a> {
    /// The image it was or will be made from.
    pub image: &'a ImageConfig,
    pub engine: &'a EngineFacts,
    /// The container's id, for an observed spec.
    pub id: Option<&'a ContainerId>,
    /// Its final name, which is an alias on every network whether it is said or not.
    pub name: &'a str,
    /// For a declared spec: the containers of the services whose namespaces and volumes it shares.
    pub parents: Option<&'a Parents<'a>>,
}

/// The normal form of a spec. Bookkeeping labels and the image's reference are left out: what an image *is* is its id,
/// which is compared beside.
pub(super) fn normal(spec: &ContainerSpec, around: &Surroundings) -> ContainerSpec {
    let (image, engine) = (around.image, around.engine);
    let (entrypoint, command) = started(spec, image);
    let network_mode = network_mode(&spec.network_mode, around.parents);
    let (ipc, pid) = (shared(spec.ipc.as_deref(), around.parents), shared(spec.pid.as_deref(), around.parents));
    let unless = |text: &Option<SmolStr>, defaults: &[&str]| text.as_deref().and_then(|text| other(text, defaults));
    let cgroupns = if engine.cgroup_version >= 2 { "private" } else { "host" };
    let ports = ports(&spec.ports);
    ContainerSpec {
        image: "".into(),
        platform: None,
        entrypoint,
        command,
        environment: environment(&spec.environment, image),
        // What the image does not have can't be taken away from it.
        unset: spec.unset.iter().filter(|name| image.environment.contains_key(*name)).cloned().collect(),
        labels: labels(&spec.labels, image),
        working_dir: working_dir(spec, image),
        user: spec.user.clone().filter(|user| !user.is_empty() && Some(user.as_str()) != image.user.as_deref()),
        group_add: spec.group_add.clone(),
        hostname: hostname(spec, around),
        domainname: unless(&spec.domainname, &[]),
        stop_signal: stop_signal(spec, image),
        stop_grace: spec.stop_grace.filter(|grace| *grace != Millis::seconds(10)),
        tty: spec.tty,
        stdin_open: spec.stdin_open,
        init: spec.init.filter(|init| *init),
        read_only: spec.read_only,
        privileged: spec.privileged,
        restart: spec.restart,
        healthcheck: healthcheck(spec.healthcheck.as_ref(), around),
        limits: limits(&spec.limits, engine),
        ulimits: spec.ulimits.clone(),
        expose: expose(&spec.expose, &ports, image),
        ports,
        mounts: mounts(&spec.mounts, image),
        // What was written there is not seen; the label of the contents tells it.
        files: BTreeMap::new(),
        networks: if network_mode == NetworkMode::Networks { networks(spec, around) } else { Attachments::new() },
        network_mode,
        mac: spec.mac.as_deref().filter(|_| engine.api < MAC_OF_ENDPOINT).map(plain_mac),
        ipc: ipc.and_then(|text| other(&text, &["private", "shareable"])),
        pid: pid.and_then(|text| other(&text, &["private"])),
        uts: unless(&spec.uts, &[]),
        userns: unless(&spec.userns, &[]),
        cgroupns: unless(&spec.cgroupns, &[cgroupns]),
        cgroup_parent: unless(&spec.cgroup_parent, &[]),
        isolation: unless(&spec.isolation, &["default"]),
        runtime: unless(&spec.runtime, &["runc"]),
        shm_size: spec.shm_size.filter(|size| *size != Bytes::mebi(64) && size.0 > 0),
        cap_add: capabilities(&spec.cap_add),
        cap_drop: capabilities(&spec.cap_drop),
        security_opt: security_opt(spec),
        // A privileged container has the kernel's paths open anyway.
        unmasked: spec.unmasked && !spec.privileged,
        sysctls: spec.sysctls.clone(),
        devices: devices(&spec.devices),
        device_cgroup_rules: spec.device_cgroup_rules.clone(),
        device_requests: spec.device_requests.clone(),
        dns: spec.dns.clone(),
        dns_search: spec.dns_search.clone(),
        dns_options: spec.dns_options.clone(),
        extra_hosts: spec.extra_hosts.iter().map(|host| host.replacen('=', ":", 1)).collect(),
        links: spec.links.clone(),
        volumes_from: spec.volumes_from.iter().map(|from| volumes_from(from, around.parents)).collect(),
        storage_options: spec.storage_options.clone(),
        annotations: BTreeMap::new(),
        logging: logging(spec.logging.as_ref(), engine),
    }
}

/// A text that says something, and something else than what is there anyway.
fn other<T: for<'a> From<&'a str>>(text: &str, defaults: &[&str]) -> Option<T> {
    (!text.is_empty() && !defaults.contains(&text)).then(|| text.into())
}

/// The API versions from which on the engine keeps a MAC address, a gateway priority and an interface's name per network.
const MAC_OF_ENDPOINT: (u32, u32) = (1, 44);
const GATEWAY_PRIORITY: (u32, u32) = (1, 48);
const INTERFACE_NAME: (u32, u32) = (1, 49);
/// How an interface's name is said to the engine.
const INTERFACE_OPTION: &str = "com.docker.network.endpoint.ifname";

/// The first mount that this engine does not know: its target, what it needs, and since which API there is such a thing.
/// Without it the mount would be another one, so it is no matter of what can be compared.
pub(super) fn unknown_mount<'a>(
    spec: &'a ContainerSpec,
    engine: &EngineFacts,
) -> Option<(&'a str, &'static str, (u32, u32))> {
    let needs = |mount: &Mount| match &mount.source {
        MountSource::Image(_) => Some(("the files of an image", (1, 48))),
        MountSource::Volume(_) | MountSource::Anonymous(_) if mount.subpath.is_some() => {
            Some(("the folder of a volume", (1, 45)))
        }
        MountSource::Bind(_) if mount.recursive.as_deref() == Some("readonly") => {
            Some(("read-only mounts below it", (1, 44)))
        }
        _ => None,
    };
    spec.mounts.iter().find_map(|(target, mount)| {
        let (what, since) = needs(mount).filter(|(_, since)| engine.api < *since)?;
        Some((target.as_str(), what, since))
    })
}

fn later_macs(spec: &ContainerSpec) -> bool {
    let first = first_network(spec);
    spec.networks.iter().any(|(name, attachment)| Some(name) != first.as_ref() && attachment.mac.is_some())
}

/// The network that a container is made on.
fn first_network(spec: &ContainerSpec) -> Option<NetworkName> {
    let order =
        |(name, attachment): &(&NetworkName, &Attachment)| (std::cmp::Reverse(attachment.priority), (*name).clone());
    spec.networks.iter().min_by_key(order).map(|(name, _)| name.clone())
}

/// The fields of a spec that this engine or its kernel can't hold.
pub(super) fn not_held(spec: &ContainerSpec, engine: &EngineFacts) -> Vec<&'static str> {
    let (limits, can) = (&spec.limits, engine.supports);
    let start_interval = spec.healthcheck.as_ref().is_some_and(|check| check.start_interval.is_some());
    let gateways = spec.networks.values().any(|attachment| attachment.gateway_priority != 0);
    let interfaces = spec.networks.values().any(|attachment| attachment.driver_options.contains_key(INTERFACE_OPTION));
    let table = [
        (start_interval && engine.api < (1, 44), "healthcheck.startInterval"),
        (limits.memory.is_some() && !can.memory, "limits.memory"),
        (limits.memory_swap.is_some() && !can.swap, "limits.memorySwap"),
        (limits.memory_reservation.is_some() && !can.reservation, "limits.memoryReservation"),
        (limits.memory_swappiness.is_some() && !can.swappiness, "limits.memorySwappiness"),
        (limits.cpus.is_some() && !can.cpus, "limits.cpus"),
        (limits.cpu_shares.is_some() && !can.cpu_shares, "limits.cpuShares"),
        (limits.cpuset.is_some() && !can.cpuset, "limits.cpuset"),
        (limits.pids.is_some() && !can.pids, "limits.pids"),
        (limits.blkio_weight.is_some() && !can.blkio_weight, "limits.blkioWeight"),
        (!limits.blkio_weight_device.is_empty() && !can.blkio_weight, "limits.blkioWeightDevice"),
        (limits.oom_kill_disable == Some(true) && !can.oom_kill_disable, "limits.oomKillDisable"),
        (later_macs(spec) && engine.api < MAC_OF_ENDPOINT, "networks.mac of any but the first network"),
        (spec.mac.is_some() && engine.api >= MAC_OF_ENDPOINT, "mac"),
        (gateways && engine.api < GATEWAY_PRIORITY, "networks.gatewayPriority"),
        (interfaces && engine.api < INTERFACE_NAME, "the name of a network's interface"),
    ];
    table.into_iter().filter(|(lacks, _)| *lacks).map(|(_, field)| field).collect()
}

/// Whether the image does not provide a value as it is.
fn is_own(name: &str, value: &Value, of_image: &BTreeMap<String, String>) -> bool {
    of_image.get(name).map(String::as_str) != Some(value.reveal())
}

fn environment(values: &Environment, image: &ImageConfig) -> Environment {
    let own = values.iter().filter(|(name, value)| is_own(name, value, &image.environment));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn labels(labels: &Labels, image: &ImageConfig) -> Labels {
    let own = labels.users().filter(|(name, value)| is_own(name, value, &image.labels));
    own.map(|(name, value)| (name.into(), value.clone())).collect()
}

fn working_dir(spec: &ContainerSpec, image: &ImageConfig) -> Option<SmolStr> {
    let folder = plain_path(spec.working_dir.as_ref()?);
    let of_image = image.working_dir.as_deref().map(plain_path);
    (!folder.is_empty() && Some(&folder) != of_image.as_ref()).then(|| folder.into())
}

fn stop_signal(spec: &ContainerSpec, image: &ImageConfig) -> Option<SmolStr> {
    let signal = |text: &str| match text.trim_start_matches("SIG") {
        "" => "TERM".to_owned(),
        name => name.to_ascii_uppercase(),
    };
    let of_image = image.stop_signal.as_deref().unwrap_or("SIGTERM");
    let own = spec.stop_signal.as_ref()?;
    (!own.is_empty() && signal(own) != signal(of_image)).then(|| own.clone())
}

fn hostname(spec: &ContainerSpec, around: &Surroundings) -> Option<SmolStr> {
    let of_host = (spec.network_mode == NetworkMode::Host).then_some(around.engine.host_name.as_str());
    let given = [around.id.map(ContainerId::short), of_host];
    spec.hostname.clone().filter(|name| !name.is_empty() && !given.contains(&Some(name)))
}

/// What a container runs, where that is not what the image says: its own entrypoint drops the image's command.
fn started(spec: &ContainerSpec, image: &ImageConfig) -> (Option<Vec<Value>>, Option<Vec<Value>>) {
    let of_image = [&image.entrypoint, &image.command].map(|words| words.as_deref().unwrap_or_default());
    let inherited = [true, spec.entrypoint.is_none()];
    let own = [&spec.entrypoint, &spec.command].map(Option::as_deref);
    let is_the_images = |which: usize| match own[which] {
        Some(words) => words.iter().map(Value::reveal).eq(of_image[which].iter().map(String::as_str)),
        None => inherited[which] || of_image[which].is_empty(),
    };
    if is_the_images(0) && is_the_images(1) {
        return (None, None);
    }
    let words = |which: usize| {
        let words = match own[which] {
            Some(words) => words.to_vec(),
            None if inherited[which] => of_image[which].iter().map(Value::plain).collect(),
            None => Vec::new(),
        };
        (!words.is_empty()).then_some(words)
    };
    (words(0), words(1))
}

fn healthcheck(check: Option<&Healthcheck>, around: &Surroundings) -> Option<Healthcheck> {
    let of_image = around.image.healthcheck.as_ref();
    let settled = |check: &Healthcheck| Healthcheck {
        test: check.test.clone(),
        interval: check.interval.filter(|span| *span != Millis(0) && *span != Millis::seconds(30)),
        timeout: check.timeout.filter(|span| *span != Millis(0) && *span != Millis::seconds(30)),
        start_period: check.start_period.filter(|span| *span != Millis(0)),
        // Engines before API 1.44 drop it.
        start_interval: check.start_interval.filter(|span| *span != Millis(0) && around.engine.api >= (1, 44)),
        retries: check.retries.filter(|count| *count != 0 && *count != 3),
    };
    let check = check?;
    let mut merged = check.clone();
    if let Some(image) = of_image {
        if merged.test.is_empty() {
            merged.test = image.test.clone();
        }
        merged.interval = merged.interval.or(image.interval);
        merged.timeout = merged.timeout.or(image.timeout);
        merged.start_period = merged.start_period.or(image.start_period);
        merged.start_interval = merged.start_interval.or(image.start_interval);
        merged.retries = merged.retries.or(image.retries);
    }
    if merged.is_none() {
        // Switching off what is not there is nothing.
        return of_image.map(|_| Healthcheck { test: vec![Value::plain("NONE")], ..Healthcheck::default() });
    }
    let merged = settled(&merged);
    (!merged.test.is_empty() && of_image.map(settled).as_ref() != Some(&merged)).then_some(merged)
}

fn limits(limits: &Limits, engine: &EngineFacts) -> Limits {
    let can = engine.supports;
    let positive = |number: Option<i64>| number.filter(|number| *number > 0);
    let memory = limits.memory.filter(|size| can.memory && size.0 > 0);
    Limits {
        memory,
        memory_swap: limits.memory_swap.filter(|swap| {
            let twice = memory.map(|size| i64::try_from(size.0.saturating_mul(2)).unwrap_or(i64::MAX));
            can.swap && *swap != 0 && Some(*swap) != twice && (memory.is_some() || *swap > 0)
        }),
        memory_reservation: limits.memory_reservation.filter(|size| can.reservation && size.0 > 0),
        memory_swappiness: limits.memory_swappiness.filter(|number| can.swappiness && *number >= 0),
        cpus: limits.cpus.filter(|cpus| can.cpus && *cpus != NanoCpus(0)),
        pids: positive(limits.pids).filter(|_| can.pids),
        cpu_shares: positive(limits.cpu_shares).filter(|_| can.cpu_shares),
        cpu_period: positive(limits.cpu_period).filter(|_| can.cpus),
        cpu_quota: positive(limits.cpu_quota).filter(|_| can.cpus),
        cpu_rt_period: positive(limits.cpu_rt_period),
        cpu_rt_runtime: positive(limits.cpu_rt_runtime),
        cpuset: limits.cpuset.clone().filter(|set| can.cpuset && !set.is_empty()),
        cpu_count: positive(limits.cpu_count),
        cpu_percent: positive(limits.cpu_percent),
        blkio_weight: limits.blkio_weight.filter(|weight| can.blkio_weight && *weight > 0),
        // The same part of the kernel holds both.
        blkio_weight_device: Some(limits.blkio_weight_device.clone()).filter(|_| can.blkio_weight).unwrap_or_default(),
        blkio_read_bytes: limits.blkio_read_bytes.clone(),
        blkio_read_operations: limits.blkio_read_operations.clone(),
        blkio_write_bytes: limits.blkio_write_bytes.clone(),
        blkio_write_operations: limits.blkio_write_operations.clone(),
        oom_kill_disable: limits.oom_kill_disable.filter(|disable| can.oom_kill_disable && *disable),
        oom_score_adj: limits.oom_score_adj.filter(|score| *score != 0),
    }
}

fn ports(ports: &BTreeMap<String, Vec<HostPort>>) -> BTreeMap<String, Vec<HostPort>> {
    let settled = |bindings: &[HostPort]| {
        let mut bindings = bindings.to_vec();
        for binding in bindings.iter_mut().filter(|binding| binding.port == "0") {
            binding.port.clear();
        }
        bindings.sort();
        bindings.dedup();
        bindings
    };
    let published = ports.iter().filter(|(_, bindings)| !bindings.is_empty());
    published.map(|(port, bindings)| (port.clone(), settled(bindings))).collect()
}

fn expose(
    expose: &BTreeSet<String>,
    published: &BTreeMap<String, Vec<HostPort>>,
    image: &ImageConfig,
) -> BTreeSet<String> {
    let ports = expose.iter().flat_map(|port| single_ports(port));
    ports.filter(|port| !image.expose.contains(port) && !published.contains_key(port)).collect()
}

/// The ports that an exposed one stands for: the engine keeps `80` and `3000-3002` as they were sent.
fn single_ports(port: &str) -> Vec<String> {
    let (numbers, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let range =
        numbers.split_once('-').and_then(|(from, to)| Some((from.parse::<u16>().ok()?, to.parse::<u16>().ok()?)));
    match range {
        Some((from, to)) => (from..=to).map(|number| format!("{number}/{protocol}")).collect(),
        None => vec![format!("{numbers}/{protocol}")],
    }
}

fn mounts(mounts: &BTreeMap<String, Mount>, image: &ImageConfig) -> BTreeMap<String, Mount> {
    let settled = |mount: &Mount| Mount {
        source: match &mount.source {
            MountSource::Anonymous(_) => MountSource::Anonymous(None),
            MountSource::Bind(path) => MountSource::Bind(plain_path(path)),
            source => source.clone(),
        },
        propagation: mount.propagation.as_deref().and_then(|text| other(text, &["rprivate"])),
        // The files of an image can't be written anyway.
        read_only: mount.read_only && !matches!(mount.source, MountSource::Image(_)),
        tmpfs_options: mount.tmpfs_options.as_deref().and_then(|options| other(options, &[])),
        // These two matter when the container is made and can't be read back.
        create_host_path: false,
        no_copy: false,
        ..mount.clone()
    };
    let by_image = |target: &String, mount: &Mount| {
        matches!(mount.source, MountSource::Anonymous(_)) && image.volumes.contains(target)
    };
    let own = mounts.iter().filter(|(target, mount)| !by_image(target, mount));
    own.map(|(target, mount)| (target.clone(), settled(mount))).collect()
}

/// A MAC address as newer engines write it; older ones keep it as it was sent.
fn plain_mac(mac: &str) -> String {
    mac.to_ascii_lowercase().replace('-', ":")
}

/// A path as the engine keeps it: `/srv/data/` and `/srv/./x/../data` are `/srv/data`. Links are not looked at.
fn plain_path(path: &str) -> String {
    if !path.starts_with('/') {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The network of the container that has it, where a service of the stack shares its own.
fn network_mode(mode: &NetworkMode, parents: Option<&Parents>) -> NetworkMode {
    match mode {
        NetworkMode::Service(service) => parents
            .and_then(|parents| parents.get(service))
            .map_or_else(|| mode.clone(), |id| NetworkMode::Container((*id).clone())),
        mode => mode.clone(),
    }
}

/// The same of another namespace.
fn shared<'a>(text: Option<&'a str>, parents: Option<&Parents>) -> Option<Cow<'a, str>> {
    let text = text?;
    let id = text.strip_prefix("service:").and_then(|service| parents?.get(&ServiceName::from(service)));
    Some(id.map_or(text.into(), |id| format!("container:{id}").into()))
}

/// The same of volumes.
fn volumes_from(from: &str, parents: Option<&Parents>) -> String {
    let (name, mode) = from.split_once(':').map_or((from, None), |(name, mode)| (name, Some(mode)));
    match (parents.and_then(|parents| parents.get(&ServiceName::from(name))), mode) {
        (Some(id), Some(mode)) => format!("{id}:{mode}"),
        (Some(id), None) => id.to_string(),
        (None, _) => from.strip_prefix("container:").unwrap_or(from).to_owned(),
    }
}

fn networks(spec: &ContainerSpec, around: &Surroundings) -> Attachments {
    let engine = around.engine;
    let own = around.id.map(ContainerId::short);
    let hostname = hostname(spec, around);
    // The engine gives a container its own id, and its host name, as aliases.
    let given = [Some(around.name), own, hostname.as_deref()];
    let text = |text: &Option<String>| text.as_deref().and_then(|text| other(text, &[]));
    let has_mac = |name: &NetworkName| {
        engine.api >= MAC_OF_ENDPOINT || around.id.is_some() || first_network(spec).is_none_or(|first| *name == first)
    };
    let settled = |name: &NetworkName, attachment: &Attachment| Attachment {
        aliases: attachment.aliases.iter().filter(|alias| !given.contains(&Some(alias))).cloned().collect(),
        ipv4: text(&attachment.ipv4),
        ipv6: text(&attachment.ipv6),
        link_local: attachment.link_local.clone(),
        mac: text(&attachment.mac).filter(|_| has_mac(name)).map(|mac| plain_mac(&mac)),
        driver_options: attachment.driver_options.clone(),
        links: attachment.links.clone(),
        gateway_priority: if engine.api < GATEWAY_PRIORITY { 0 } else { attachment.gateway_priority },
        priority: 0,
    };
    spec.networks.iter().map(|(name, attachment)| (name.clone(), settled(name, attachment))).collect()
}

fn capabilities(names: &BTreeSet<String>) -> BTreeSet<String> {
    names.iter().map(|name| name.to_ascii_uppercase().trim_start_matches("CAP_").to_owned()).collect()
}

fn security_opt(spec: &ContainerSpec) -> BTreeSet<String> {
    let option = |text: &String| match text.split_once([':', '=']) {
        Some((name, value)) => format!("{name}={value}"),
        None if text == "no-new-privileges" => "no-new-privileges=true".to_owned(),
        None => text.clone(),
    };
    // The engine adds it by itself.
    let given = spec.privileged || spec.pid.as_deref() == Some("host") || spec.ipc.as_deref() == Some("host");
    spec.security_opt.iter().map(option).filter(|option| !given || option != "label=disable").collect()
}

fn devices(devices: &BTreeMap<String, Device>) -> BTreeMap<String, Device> {
    let settled = |device: &Device| match device.permissions.is_empty() {
        true => Device { permissions: "rwm".to_owned(), ..device.clone() },
        false => device.clone(),
    };
    devices.iter().map(|(path, device)| (path.clone(), settled(device))).collect()
}

fn logging(logging: Option<&Logging>, engine: &EngineFacts) -> Option<Logging> {
    let logging = logging?;
    let driver = logging.driver.as_deref().and_then(|driver| other(driver, &[&engine.logging_driver]));
    let logging = Logging { driver, options: logging.options.clone() };
    (logging != Logging::default()).then_some(logging)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> EngineFacts {
        EngineFacts {
            api: (1, 41),
            logging_driver: "json-file".into(),
            cgroup_version: 1,
            host_name: "vps".into(),
            ..EngineFacts::default()
        }
    }

    fn image() -> ImageConfig {
        ImageConfig {
            entrypoint: Some(vec!["/entry".into()]),
            command: Some(vec!["serve".into()]),
            environment: [("PATH".to_owned(), "/bin".to_owned())].into(),
            volumes: BTreeSet::from(["/data".to_owned()]),
            expose: BTreeSet::from(["80/tcp".to_owned()]),
            healthcheck: Some(Healthcheck {
                test: vec![Value::plain("CMD"), Value::plain("ok")],
                ..Healthcheck::default()
            }),
            ..ImageConfig::default()
        }
    }

    fn normal_of(spec: &ContainerSpec) -> ContainerSpec {
        let id = ContainerId::new("0123456789abcdef");
        let around = Surroundings { image: &image(), engine: &engine(), id: Some(&id), name: "s-web-1", parents: None };
        normal(spec, &around)
    }

    #[test]
    fn what_the_engine_fills_in_is_nothing() {
        let words = |words: &[&str]| Some(words.iter().map(|word| Value::plain(*word)).collect());
        let mut read = ContainerSpec {
            image: "web:1".into(),
            entrypoint: words(&["/entry"]),
            command: words(&["serve"]),
            hostname: Some("0123456789ab".into()),
            stop_signal: Some("SIGTERM".into()),
            ipc: Some("shareable".into()),
            cgroupns: Some("host".into()),
            runtime: Some("runc".into()),
            shm_size: Some(Bytes::mebi(64)),
            healthcheck: image().healthcheck,
            logging: Some(Logging { driver: Some("json-file".into()), options: BTreeMap::new() }),
            ..ContainerSpec::default()
        };
        read.environment.insert("PATH".into(), Value::plain("/bin"));
        read.expose.insert("80/tcp".into());
        read.labels.insert("com.docker.compose.project".into(), Value::plain("s"));
        read.mounts.insert("/data".into(), Mount::of(MountSource::Anonymous(Some("ab".into()))));
        let aliases = ["0123456789ab", "s-web-1", "web"].map(Into::into).into();
        read.networks.insert("s_default".into(), Attachment { aliases, ..Attachment::default() });

        let mut wanted = ContainerSpec { image: "web:1".into(), ..ContainerSpec::default() };
        let aliases = ["web".into()].into();
        wanted.networks.insert("s_default".into(), Attachment { aliases, ..Attachment::default() });
        assert_eq!(normal_of(&read), normal_of(&wanted));
    }

    #[test]
    fn the_hostname_is_an_alias_whether_it_is_said_or_not() {
        let spec = |aliases: &[&str]| {
            let mut spec = ContainerSpec { hostname: Some("core".into()), ..ContainerSpec::default() };
            let aliases = aliases.iter().map(|alias| (*alias).into()).collect();
            spec.networks.insert("s_default".into(), Attachment { aliases, ..Attachment::default() });
            spec
        };
        assert_eq!(normal_of(&spec(&["core", "web"])), normal_of(&spec(&["web"])));
    }

    #[test]
    fn an_entrypoint_of_its_own_drops_the_images_command() {
        let own = ContainerSpec { entrypoint: Some(vec![Value::plain("/entry")]), ..ContainerSpec::default() };
        let normal = normal_of(&own);
        assert_eq!(normal.entrypoint, Some(vec![Value::plain("/entry")]));
        assert_eq!(normal.command, None);
    }

    #[test]
    fn a_path_is_the_one_that_the_engine_keeps() {
        let of = |mut spec: ContainerSpec, from: &str| {
            spec.working_dir = Some(from.into());
            spec.mounts.insert("/data".into(), Mount::of(MountSource::Bind(from.into())));
            normal_of(&spec)
        };
        let read = of(ContainerSpec::default(), "/srv/data");
        for written in ["/srv/data/", "//srv/./data", "/srv/x/../data", "/../srv/data//"] {
            assert_eq!(of(ContainerSpec::default(), written), read, "{written}");
        }
        assert_ne!(of(ContainerSpec::default(), "/srv/date"), read);
        assert_eq!((plain_path("/"), plain_path("a/")), ("/".to_owned(), "a/".to_owned()));
    }

    #[test]
    fn a_mac_address_is_the_same_however_it_is_written() {
        let of = |mac: &str| {
            let mut spec = ContainerSpec { mac: Some(mac.to_owned()), ..ContainerSpec::default() };
            spec.networks.insert("n".into(), Attachment { mac: Some(mac.to_owned()), ..Attachment::default() });
            normal_of(&spec)
        };
        assert_eq!(of("02:42:AC:11:00:AB"), of("02:42:ac:11:00:ab"));
        assert_eq!(of("02-42-AC-11-00-AB"), of("02:42:ac:11:00:ab"));
        assert_ne!(of("02:42:AC:11:00:AB"), of("02:42:ac:11:00:ac"));
    }

    #[test]
    fn swap_that_is_twice_the_memory_is_the_default() {
        let mut spec = ContainerSpec::default();
        spec.limits.memory = Some(Bytes(100));
        spec.limits.memory_swap = Some(200);
        spec.limits.pids = Some(-1);
        assert_eq!(normal_of(&spec).limits, Limits { memory: Some(Bytes(100)), ..Limits::default() });
        spec.limits.memory_swap = Some(-1);
        assert_eq!(normal_of(&spec).limits.memory_swap, Some(-1));
    }

    #[test]
    fn a_check_with_one_field_takes_the_others_from_the_image() {
        let spec = ContainerSpec {
            healthcheck: Some(Healthcheck { interval: Some(Millis::seconds(2)), ..Healthcheck::default() }),
            ..ContainerSpec::default()
        };
        let check = normal_of(&spec).healthcheck.unwrap();
        assert_eq!(check.test, image().healthcheck.unwrap().test);
        assert_eq!(check.interval, Some(Millis::seconds(2)));
    }
}

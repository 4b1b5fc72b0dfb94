//! The one table of what the image and the engine provide where a spec is silent. The desired and the observed spec are
//! both brought to the same normal form, in which "not set" and "set to what would be there anyway" are one; only then
//! are they compared.

use crate::model::{
    container::{Attachment, ContainerSpec, Healthcheck, Limits, Logging, Mount, MountSource, NetworkMode},
    image::ImageConfig,
    labels,
    names::{ContainerId, NetworkName},
    observed::EngineFacts,
    units::{Bytes, Millis, NanoCpus},
    value::Value,
};
use std::collections::BTreeMap;

/// What surrounds a spec.
pub(super) struct Surroundings<'a> {
    /// The image it was or will be made from.
    pub image: &'a ImageConfig,
    pub engine: &'a EngineFacts,
    /// The container's id, for an observed spec.
    pub id: Option<&'a ContainerId>,
    /// Its final name, which is an alias on every network whether it is said or not.
    pub name: &'a str,
}

/// The normal form of a spec. Bookkeeping labels and the image's reference are left out: what an image *is* is its id,
/// which is compared beside.
pub(super) fn normal(mut spec: ContainerSpec, around: &Surroundings) -> ContainerSpec {
    spec.image = "".into();
    spec.platform = None;
    process(&mut spec, around);
    spec.healthcheck = healthcheck(spec.healthcheck.as_ref(), around);
    spec.limits = limits(&spec.limits, around.engine);
    ports(&mut spec, around.image);
    spec.mounts = mounts(spec.mounts, around.image);
    network(&mut spec, around);
    namespaces(&mut spec, around.engine);
    security(&mut spec);
    for from in &mut spec.volumes_from {
        *from = from.strip_prefix("container:").unwrap_or(from).to_owned();
    }
    spec.logging = logging(spec.logging, around.engine);
    spec.annotations.clear();
    spec.mac = spec.mac.filter(|_| around.engine.api < MAC_OF_ENDPOINT).map(|mac| plain_mac(&mac));
    // What was written there is not seen; the label of the contents tells it.
    spec.files.clear();
    spec
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

fn process(spec: &mut ContainerSpec, around: &Surroundings) {
    let image = around.image;
    let (entrypoint, command) = started(spec, image);
    let of_image = (image.entrypoint.clone().unwrap_or_default(), image.command.clone().unwrap_or_default());
    let texts = |words: &[Value]| words.iter().map(|word| word.reveal().to_owned()).collect::<Vec<_>>();
    if (texts(&entrypoint), texts(&command)) == of_image {
        (spec.entrypoint, spec.command) = (None, None);
    } else {
        spec.entrypoint = (!entrypoint.is_empty()).then_some(entrypoint);
        spec.command = (!command.is_empty()).then_some(command);
    }
    spec.environment.retain(|name, value| image.environment.get(name).map(String::as_str) != Some(value.reveal()));
    // What the image does not have can't be taken away from it.
    spec.unset.retain(|name| image.environment.contains_key(name));
    spec.labels.retain(|name, value| {
        !labels::is_bookkeeping(name.as_str())
            && image.labels.get(name.as_str()).map(String::as_str) != Some(value.reveal())
    });
    let provided = |value: Option<String>, image: &Option<String>| {
        value.filter(|text| !text.is_empty() && Some(text) != image.as_ref())
    };
    let plain = |path: &String| plain_path(path);
    let folder = spec.working_dir.as_ref().map(plain);
    spec.working_dir = provided(folder, &image.working_dir.as_ref().map(plain));
    spec.user = provided(spec.user.take(), &image.user);
    let signal = |text: &str| match text.trim_start_matches("SIG") {
        "" => "TERM".to_owned(),
        name => name.to_ascii_uppercase(),
    };
    let of_image = signal(image.stop_signal.as_deref().unwrap_or("SIGTERM"));
    spec.stop_signal = spec.stop_signal.take().filter(|text| signal(text) != of_image && !text.is_empty());
    spec.stop_grace = spec.stop_grace.filter(|grace| *grace != Millis::seconds(10));
    spec.init = spec.init.filter(|init| *init);
    let own = around.id.map(ContainerId::short);
    let given = |name: &String| !name.is_empty() && Some(name.as_str()) != own;
    spec.hostname = spec.hostname.take().filter(given);
    if spec.network_mode == NetworkMode::Host {
        spec.hostname = spec.hostname.take().filter(|name| *name != around.engine.host_name);
    }
    spec.domainname = spec.domainname.take().filter(|name| !name.is_empty());
}

/// What a container runs: its own entrypoint drops the image's command.
fn started(spec: &ContainerSpec, image: &ImageConfig) -> (Vec<Value>, Vec<Value>) {
    let plain = |words: &Option<Vec<String>>| words.iter().flatten().map(Value::plain).collect::<Vec<_>>();
    match &spec.entrypoint {
        Some(entrypoint) => (entrypoint.clone(), spec.command.clone().unwrap_or_default()),
        None => (plain(&image.entrypoint), spec.command.clone().unwrap_or_else(|| plain(&image.command))),
    }
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

fn ports(spec: &mut ContainerSpec, image: &ImageConfig) {
    for bindings in spec.ports.values_mut() {
        for binding in bindings.iter_mut() {
            if binding.port == "0" {
                binding.port.clear();
            }
        }
        bindings.sort();
        bindings.dedup();
    }
    spec.ports.retain(|_, bindings| !bindings.is_empty());
    spec.expose = spec.expose.iter().flat_map(|port| single_ports(port)).collect();
    spec.expose.retain(|port| !image.expose.contains(port));
    let published: Vec<String> = spec.ports.keys().cloned().collect();
    published.iter().for_each(|port| {
        spec.expose.remove(port);
    });
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

fn mounts(mounts: BTreeMap<String, Mount>, image: &ImageConfig) -> BTreeMap<String, Mount> {
    let settled = |mut mount: Mount| {
        if matches!(mount.source, MountSource::Anonymous(_)) {
            mount.source = MountSource::Anonymous(None);
        }
        if let MountSource::Bind(path) = &mut mount.source {
            *path = plain_path(path);
        }
        mount.propagation = mount.propagation.filter(|text| !text.is_empty() && text != "rprivate");
        // The files of an image can't be written anyway.
        mount.read_only &= !matches!(mount.source, MountSource::Image(_));
        mount.tmpfs_options = mount.tmpfs_options.filter(|options| !options.is_empty());
        // These two matter when the container is made and can't be read back.
        mount.create_host_path = false;
        mount.no_copy = false;
        mount
    };
    let by_image = |target: &String, mount: &Mount| {
        matches!(mount.source, MountSource::Anonymous(_)) && image.volumes.contains(target)
    };
    mounts
        .into_iter()
        .filter(|(target, mount)| !by_image(target, mount))
        .map(|(target, mount)| (target, settled(mount)))
        .collect()
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

fn network(spec: &mut ContainerSpec, around: &Surroundings) {
    if spec.network_mode != NetworkMode::Networks {
        spec.networks.clear();
    }
    let own = around.id.map(ContainerId::short);
    // The engine gives a container its own id, and its host name, as aliases.
    let given = [Some(around.name), own, spec.hostname.as_deref()].map(|name| name.map(str::to_owned));
    let first = first_network(spec);
    for (name, attachment) in &mut spec.networks {
        if around.engine.api < MAC_OF_ENDPOINT && Some(name) != first.as_ref() && around.id.is_none() {
            attachment.mac = None;
        }
        if around.engine.api < GATEWAY_PRIORITY {
            attachment.gateway_priority = 0;
        }
        attachment.aliases.retain(|alias| !given.iter().flatten().any(|name| name == alias));
        attachment.priority = 0;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        *attachment = Attachment {
            ipv4: given(attachment.ipv4.take()),
            ipv6: given(attachment.ipv6.take()),
            mac: given(attachment.mac.take()).map(|mac| plain_mac(&mac)),
            ..std::mem::take(attachment)
        };
    }
}

fn namespaces(spec: &mut ContainerSpec, engine: &EngineFacts) {
    let unless = |text: Option<String>, defaults: &[&str]| {
        text.filter(|text| !text.is_empty() && !defaults.contains(&text.as_str()))
    };
    spec.ipc = unless(spec.ipc.take(), &["private", "shareable"]);
    spec.pid = unless(spec.pid.take(), &["private"]);
    spec.uts = unless(spec.uts.take(), &[]);
    spec.userns = unless(spec.userns.take(), &[]);
    let default = if engine.cgroup_version >= 2 { "private" } else { "host" };
    spec.cgroupns = unless(spec.cgroupns.take(), &[default]);
    spec.cgroup_parent = unless(spec.cgroup_parent.take(), &[]);
    spec.isolation = unless(spec.isolation.take(), &["default"]);
    spec.runtime = unless(spec.runtime.take(), &["runc"]);
    spec.shm_size = spec.shm_size.filter(|size| *size != Bytes::mebi(64) && size.0 > 0);
}

fn security(spec: &mut ContainerSpec) {
    let capability = |name: &String| name.to_ascii_uppercase().trim_start_matches("CAP_").to_owned();
    spec.cap_add = spec.cap_add.iter().map(capability).collect();
    spec.cap_drop = spec.cap_drop.iter().map(capability).collect();
    let option = |text: &String| match text.split_once([':', '=']) {
        Some((name, value)) => format!("{name}={value}"),
        None if text == "no-new-privileges" => "no-new-privileges=true".to_owned(),
        None => text.clone(),
    };
    spec.security_opt = spec.security_opt.iter().map(option).collect();
    // A privileged container has the kernel's paths open anyway.
    spec.unmasked &= !spec.privileged;
    if spec.privileged || spec.pid.as_deref() == Some("host") || spec.ipc.as_deref() == Some("host") {
        // The engine adds it by itself.
        spec.security_opt.remove("label=disable");
    }
    spec.extra_hosts = spec.extra_hosts.iter().map(|host| host.replacen('=', ":", 1)).collect();
    for device in spec.devices.values_mut() {
        if device.permissions.is_empty() {
            device.permissions = "rwm".to_owned();
        }
    }
}

fn logging(logging: Option<Logging>, engine: &EngineFacts) -> Option<Logging> {
    let mut logging = logging?;
    let driver = logging.driver.take().filter(|driver| !driver.is_empty());
    logging.driver = driver.filter(|driver| *driver != engine.logging_driver);
    (logging != Logging::default()).then_some(logging)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

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
        normal(spec.clone(), &Surroundings { image: &image(), engine: &engine(), id: Some(&id), name: "s-web-1" })
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
        let aliases = ["0123456789ab", "s-web-1", "web"].map(str::to_owned).into();
        read.networks.insert("s_default".into(), Attachment { aliases, ..Attachment::default() });

        let mut wanted = ContainerSpec { image: "web:1".into(), ..ContainerSpec::default() };
        let aliases = ["web".to_owned()].into();
        wanted.networks.insert("s_default".into(), Attachment { aliases, ..Attachment::default() });
        assert_eq!(normal_of(&read), normal_of(&wanted));
    }

    #[test]
    fn the_hostname_is_an_alias_whether_it_is_said_or_not() {
        let spec = |aliases: &[&str]| {
            let mut spec = ContainerSpec { hostname: Some("core".into()), ..ContainerSpec::default() };
            let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
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
            spec.working_dir = Some(from.to_owned());
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

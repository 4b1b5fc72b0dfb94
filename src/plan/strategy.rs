//! How a service's containers are replaced when the manifest is silent: the new one first, unless two can't run at once.

use crate::model::{
    container::{Attachment, ContainerSpec, HostPort, Mount, MountSource},
    desired::Service,
    image::ImageConfig,
    names::NetworkName,
    observed::ObservedContainer,
    policy::Strategy,
    value::Value,
};

/// A strategy, and why it is this one.
pub struct Choice {
    pub strategy: Strategy,
    pub why: String,
}

/// The declared strategy, or the chosen one. Where two can't run at once, a declared start-first would fail or, worse,
/// have two write one volume: the old one is stopped first all the same.
pub fn choose(service: &Service, image: &ImageConfig, old: Option<&ObservedContainer>) -> Choice {
    let exclusive = || exclusive(service, image, old);
    match service.rollout.strategy {
        Some(Strategy::StartFirst) => match exclusive() {
            Some(why) => Choice { strategy: Strategy::StopFirst, why: format!("start-first is declared, but {why}") },
            None => Choice { strategy: Strategy::StartFirst, why: "declared".into() },
        },
        Some(strategy) => Choice { strategy, why: "declared".into() },
        None => match exclusive() {
            Some(why) => Choice { strategy: Strategy::StopFirst, why },
            None => Choice { strategy: Strategy::StartFirst, why: "no downtime".into() },
        },
    }
}

/// Why two containers of a service can't run at once; `None` when they can.
fn exclusive(service: &Service, image: &ImageConfig, old: Option<&ObservedContainer>) -> Option<String> {
    let spec = &service.container;
    if let Some((port, host)) = fixed_port(spec) {
        return Some(format!("host port {host} of {port} can be held only once"));
    }
    let fixed = |(name, at): (&_, &crate::model::container::Attachment)| {
        at.ipv4
            .as_ref()
            .or(at.ipv6.as_ref())
            .or(at.mac.as_ref())
            .map(|text| format!("{text} on {name} can be held only once"))
    };
    if let Some(why) = spec.networks.iter().find_map(fixed) {
        return Some(why);
    }
    if let Some(what) = written(service, image) {
        return Some(format!("only one may write {what}"));
    }
    let old = old?;
    let routing = |name: &str| name.starts_with("traefik.") || name.starts_with("caddy");
    let [new, old] = [&spec.labels, &old.spec.labels];
    let differs = |name: &&str| new.get(name).map(Value::reveal) != old.get(name).map(Value::reveal);
    let names = new.users().chain(old.users()).map(|(name, _)| name);
    let label = names.filter(|name| routing(name)).find(differs)?;
    Some(format!("a router would see two definitions of {label}"))
}

/// What a container has that only one can.
pub(super) struct Taken {
    /// `host port 80 of 80/tcp is held`
    pub what: String,
    /// Whether it is data, which both would write.
    pub written: bool,
}

/// What a container of another service has that this one needs for itself.
pub(super) fn taken(service: &Service, image: &ImageConfig, other: &ContainerSpec) -> Option<Taken> {
    let spec = &service.container;
    let held = |what: String| Taken { what: format!("{what} is held"), written: false };
    let of_port = |(port, host): (&str, &HostPort)| {
        let same = |(theirs, their): (&str, &HostPort)| {
            protocol(theirs) == protocol(port) && their.port == host.port && overlap(&their.address, &host.address)
        };
        fixed_ports(other).any(same).then(|| held(format!("host port {} of {port}", host.port)))
    };
    let of_address = |(network, at): (&NetworkName, &Attachment)| {
        let theirs = other.networks.get(network)?;
        let pairs = [(&at.ipv4, &theirs.ipv4), (&at.ipv6, &theirs.ipv6), (&at.mac, &theirs.mac)];
        let same = pairs.into_iter().find_map(|(ours, theirs)| ours.as_ref().filter(|_| ours == theirs))?;
        Some(held(format!("{same} on {network}")))
    };
    let of_mount = |mount: &Mount| {
        let what = shown_source(&mount.source)?;
        let same = |theirs: &&Mount| is_written(theirs) && shown_source(&theirs.source).as_ref() == Some(&what);
        other.mounts.values().find(same)?;
        Some(Taken { what: format!("{what}, which it would write, is written"), written: true })
    };
    let writes = written(service, image).is_some();
    let by_mount = || spec.mounts.values().filter(|mount| writes && is_written(mount)).find_map(of_mount);
    by_mount().or_else(|| fixed_ports(spec).find_map(of_port)).or_else(|| spec.networks.iter().find_map(of_address))
}

/// `volume shop_data`, `/srv/data` of the host; `None` for what no two containers share.
fn shown_source(source: &MountSource) -> Option<String> {
    match source {
        MountSource::Volume(name) => Some(format!("volume {name}")),
        MountSource::Bind(path) => Some(format!("{} of the host", path.trim_end_matches('/'))),
        MountSource::Anonymous(_) | MountSource::Tmpfs | MountSource::Image(_) | MountSource::Pipe(_) => None,
    }
}

fn protocol(port: &str) -> &str {
    port.split_once('/').map_or("tcp", |(_, protocol)| protocol)
}

/// Whether two addresses of the host can't both be bound to one port.
fn overlap(one: &str, other: &str) -> bool {
    let every = |address: &str| matches!(address, "" | "0.0.0.0" | "::");
    one == other || every(one) || every(other)
}

/// A host port that is written out: one number, not a range and not left to the engine.
pub(super) fn fixed_port(spec: &ContainerSpec) -> Option<(&str, &str)> {
    fixed_ports(spec).next().map(|(port, host)| (port, host.port.as_str()))
}

fn fixed_ports(spec: &ContainerSpec) -> impl Iterator<Item = (&str, &HostPort)> {
    let fixed = |host: &&HostPort| !host.port.is_empty() && host.port != "0" && !host.port.contains('-');
    spec.ports.iter().flat_map(move |(port, hosts)| hosts.iter().filter(fixed).map(move |host| (port.as_str(), host)))
}

/// The first volume that the service writes, by its target or by whose it is; `None` when it writes none, or says that two
/// may.
fn written(service: &Service, image: &ImageConfig) -> Option<String> {
    if service.rollout.shared_volumes {
        return None;
    }
    let spec = &service.container;
    let declared = spec.mounts.iter().find(|(_, mount)| is_written(mount)).map(|(target, _)| target);
    let by_image = || image.volumes.iter().find(|target| !spec.mounts.contains_key(*target));
    let of_others = || spec.volumes_from.iter().find(|from| !from.ends_with(":ro"));
    let own = declared.or_else(by_image).cloned();
    own.or_else(|| of_others().map(|from| format!("the volumes of {}", from.trim_end_matches(":rw"))))
}

/// Whether a service has data that it writes: it isn't killed in the middle of a recovery.
pub(super) fn is_stateful(service: &Service, image: &ImageConfig) -> bool {
    written(service, image).is_some()
}

/// Whether a container has data that it may be writing: it is asked to stop before it goes.
pub(super) fn holds_data(container: &ObservedContainer) -> bool {
    let spec = &container.spec;
    spec.mounts.values().any(is_written) || spec.volumes_from.iter().any(|from| !from.ends_with(":ro"))
}

fn is_written(mount: &Mount) -> bool {
    if mount.read_only {
        return false;
    }
    match &mount.source {
        MountSource::Volume(_) | MountSource::Anonymous(_) => true,
        // A socket is somebody else's, and what stands in /etc of the host is configuration.
        MountSource::Bind(path) => !path.ends_with(".sock") && !path.starts_with("/etc/"),
        MountSource::Tmpfs | MountSource::Image(_) | MountSource::Pipe(_) => false,
    }
}

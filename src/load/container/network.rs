//! Which networks a container is on, and what it publishes.

use super::Translation;
use crate::{
    compose::project::{self, Service},
    model::{
        container::{Attachment, ContainerSpec, HostPort, NetworkMode},
        names::{ContainerId, NetworkName, ServiceName},
    },
};

/// How an interface's name is said to the engine.
const INTERFACE_OPTION: &str = "com.docker.network.endpoint.ifname";

impl Translation<'_> {
    /// Fills in network mode, attachments, ports and exposed ports.
    pub(super) fn network(&mut self, name: &str, service: &Service, spec: &mut ContainerSpec) {
        spec.network_mode = mode(service);
        if let Some(network) = named(service) {
            // Nothing is said about how it is on it, so it has no alias there.
            spec.networks.insert(network, Attachment::default());
        }
        if spec.networks.is_empty() && service.networks.is_empty() {
            spec.mac = super::set(&service.mac_address);
        }
        let first = service.networks_by_priority().first().map(|key| (*key).to_owned());
        for (key, attachment) in &service.networks {
            let Some(network) = self.project.networks.get(key) else {
                continue;
            };
            let mut attached = attach(name, attachment.as_ref());
            // A service's own MAC address is that of its first network.
            let own = super::set(&service.mac_address);
            if first.as_deref() == Some(key.as_str()) && own.is_some() && attached.mac.is_some() && attached.mac != own
            {
                let message = format!("the MAC address of `{name}` is another one than that of its network `{key}`");
                self.faults.push(self.project.fault(&["services", name, "mac_address"], message).code("conflict"));
            }
            if attached.mac.is_none() && first.as_deref() == Some(key.as_str()) {
                attached.mac = super::set(&service.mac_address);
            }
            attached.links.extend(external_links(service));
            spec.networks.insert(NetworkName::new(&network.name), attached);
        }
        if spec.network_mode != NetworkMode::Networks {
            spec.links.extend(external_links(service));
        }
        for port in &service.ports {
            let published = HostPort { address: port.host_ip.clone(), port: port.published.clone() };
            let list = spec.ports.entry(format!("{}/{}", port.target, port.protocol)).or_default();
            if !list.contains(&published) {
                list.push(published);
            }
        }
        spec.ports.values_mut().for_each(|list| list.sort());
        spec.expose.extend(service.expose.0.iter().filter(|port| !spec.ports.contains_key(*port)).cloned());
    }
}

/// `container` or `container:alias`, of other projects.
fn external_links(service: &Service) -> impl Iterator<Item = String> {
    service.external_links.iter().map(|text| match text.split_once(':') {
        Some(_) => text.clone(),
        None => format!("{text}:{text}"),
    })
}

/// The network that a mode names, which is one of the engine's.
fn named(service: &Service) -> Option<NetworkName> {
    let mode = service.network_mode.as_str();
    let of_the_engine = matches!(mode, "" | "host" | "none" | "bridge" | "default") || mode.contains(':');
    (!of_the_engine).then(|| NetworkName::new(mode))
}

/// Whose network a container is on.
fn mode(service: &Service) -> NetworkMode {
    let mode = service.network_mode.as_str();
    match mode.split_once(':') {
        Some(("service", name)) => NetworkMode::Service(ServiceName::new(name)),
        Some(("container", id)) => NetworkMode::Container(ContainerId::new(id)),
        _ => match mode {
            "host" => NetworkMode::Host,
            "none" => NetworkMode::None,
            "bridge" | "default" => NetworkMode::Bridge,
            _ if named(service).is_some() => NetworkMode::Networks,
            _ if service.networks.is_empty() => NetworkMode::None,
            _ => NetworkMode::Networks,
        },
    }
}

/// The service's name is an alias everywhere; the alias that is the container's name is added for each replica when its
/// name is known.
fn attach(name: &str, attachment: Option<&project::Attachment>) -> Attachment {
    let mut attached = Attachment::default();
    attached.aliases.insert(name.into());
    if let Some(given) = attachment {
        attached.aliases.extend(given.aliases.iter().map(Into::into));
        attached.ipv4 = super::set(&given.ipv4_address);
        attached.ipv6 = super::set(&given.ipv6_address);
        attached.link_local = given.link_local_ips.iter().cloned().collect();
        attached.mac = super::set(&given.mac_address);
        attached.driver_options = super::texts(&given.driver_opts.0);
        if !given.interface_name.is_empty() {
            attached.driver_options.insert(INTERFACE_OPTION.to_owned(), given.interface_name.clone());
        }
        attached.gateway_priority = i32::try_from(given.gw_priority).unwrap_or(i32::MAX);
        attached.priority = i32::try_from(given.priority).unwrap_or(i32::MAX);
    }
    attached
}

//! Which networks a container is on, and what it publishes.

use super::Translation;
use crate::{
    compose::project::{self, Service},
    model::{
        container::{Attachment, ContainerSpec, HostPort, NetworkMode},
        names::{ContainerId, NetworkName, ServiceName},
    },
};

impl Translation<'_> {
    /// Fills in network mode, attachments, ports and exposed ports.
    pub(super) fn network(&mut self, name: &str, service: &Service, spec: &mut ContainerSpec) {
        spec.network_mode = mode(service);
        let first = service.networks_by_priority().first().map(|key| (*key).to_owned());
        for (key, attachment) in &service.networks {
            let Some(network) = self.project.networks.get(key) else {
                continue;
            };
            let mut attached = attach(name, attachment.as_ref());
            // A service's own MAC address is that of its first network.
            if attached.mac.is_none() && first.as_deref() == Some(key.as_str()) {
                attached.mac = super::set(&service.mac_address);
            }
            spec.networks.insert(NetworkName::new(&network.name), attached);
        }
        for port in &service.ports {
            let published = HostPort { address: port.host_ip.clone(), port: port.published.clone() };
            let list = spec.ports.entry(format!("{}/{}", port.target, port.protocol)).or_default();
            if !list.contains(&published) {
                list.push(published);
            }
        }
        spec.ports.values_mut().for_each(|list| list.sort());
        for text in &service.expose.0 {
            spec.expose.extend(exposed(text).into_iter().filter(|port| !spec.ports.contains_key(port)));
        }
    }
}

/// The mode, of those that are let through by `load::refused`.
fn mode(service: &Service) -> NetworkMode {
    let mode = service.network_mode.as_str();
    match mode.split_once(':') {
        Some(("service", name)) => NetworkMode::Service(ServiceName::new(name)),
        Some(("container", id)) => NetworkMode::Container(ContainerId::new(id)),
        _ => match mode {
            "host" => NetworkMode::Host,
            "none" => NetworkMode::None,
            "bridge" | "default" => NetworkMode::Bridge,
            _ if service.networks.is_empty() => NetworkMode::None,
            _ => NetworkMode::Networks,
        },
    }
}

/// The service's name is an alias everywhere; the alias that is the container's name is added for each replica when its
/// name is known.
fn attach(name: &str, attachment: Option<&project::Attachment>) -> Attachment {
    let mut attached = Attachment::default();
    attached.aliases.insert(name.to_owned());
    if let Some(given) = attachment {
        attached.aliases.extend(given.aliases.iter().cloned());
        attached.ipv4 = super::set(&given.ipv4_address);
        attached.ipv6 = super::set(&given.ipv6_address);
        attached.link_local = given.link_local_ips.iter().cloned().collect();
        attached.mac = super::set(&given.mac_address);
        attached.driver_options = super::texts(&given.driver_opts.0);
        attached.priority = i32::try_from(given.priority).unwrap_or(i32::MAX);
    }
    attached
}

/// `80`, `80/udp`, `3000-3005` as single ports with their protocol.
fn exposed(text: &str) -> Vec<String> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (low, high) = ports.split_once('-').unwrap_or((ports, ports));
    match (low.parse::<u16>(), high.parse::<u16>()) {
        (Ok(low), Ok(high)) => (low..=high).map(|port| format!("{port}/{protocol}")).collect(),
        _ => vec![format!("{ports}/{protocol}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exposed_ports_are_single_and_have_a_protocol() {
        assert_eq!(exposed("80"), ["80/tcp"]);
        assert_eq!(exposed("53/udp"), ["53/udp"]);
        assert_eq!(exposed("3000-3002"), ["3000/tcp", "3001/tcp", "3002/tcp"]);
    }
}

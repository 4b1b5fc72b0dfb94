//! How it can be known that a container of a service is ready. A wrong probe would fail the next rollout, so one is taken
//! only where it is known to answer.

use super::Use;
use crate::model::{
    container::{ContainerSpec, NetworkMode},
    desired::Service,
    image::ImageConfig,
    observed::Health,
};
use std::collections::BTreeSet;

/// So many ports of one container are tried at most.
const PORTS_MAX: usize = 8;

/// What is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It ends by itself: it is ready when it ended well.
    RunsOnce,
    /// Docker checks its health, as the Compose file or its image says.
    Healthcheck { of_image: bool, unhealthy: bool },
    /// A port of it took a connection.
    Answers(u16),
    /// It has this port, which did not take a connection.
    Silent(u16),
    /// It has this port, and nobody tried.
    Untried(u16),
    /// It has no port that is known.
    Unknown,
}

/// What is known of a service.
pub fn readiness(service: &Service, seen: Option<&Use>) -> Readiness {
    if service.one_shot {
        return Readiness::RunsOnce;
    }
    let image = seen.and_then(|seen| seen.image.as_ref());
    let of_image = image.and_then(|image| image.healthcheck.as_ref());
    if service.has_healthcheck(of_image) {
        let declared = service.container.healthcheck.as_ref().is_some_and(|check| !check.test.is_empty());
        let unhealthy = seen.is_some_and(|seen| seen.health == Health::Unhealthy);
        return Readiness::Healthcheck { of_image: !declared, unhealthy };
    }
    let ports = ports(service, image);
    let tried = |port: &&u16| seen.and_then(|seen| seen.ports.get(port)).copied();
    if let Some(port) = ports.iter().find(|port| tried(port) == Some(true)) {
        return Readiness::Answers(*port);
    }
    match ports.first() {
        Some(port) if tried(&port) == Some(false) => Readiness::Silent(*port),
        Some(port) => Readiness::Untried(*port),
        None => Readiness::Unknown,
    }
}

/// The TCP ports of a service in the order in which they are worth asking: published ones, exposed ones, the image's.
pub fn ports(service: &Service, image: Option<&ImageConfig>) -> Vec<u16> {
    if service.container.network_mode == NetworkMode::None {
        return Vec::new();
    }
    let spec: &ContainerSpec = &service.container;
    let number = |port: &String| {
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        number.parse::<u16>().ok().filter(|number| protocol == "tcp" && *number > 0)
    };
    let sorted = |ports: BTreeSet<u16>| ports.into_iter();
    let published = sorted(spec.ports.keys().filter_map(number).collect());
    let exposed = sorted(spec.expose.iter().filter_map(number).collect());
    let of_image = sorted(image.into_iter().flat_map(|image| &image.expose).filter_map(number).collect());
    let mut ports = Vec::new();
    for port in published.chain(exposed).chain(of_image) {
        if !ports.contains(&port) && ports.len() < PORTS_MAX {
            ports.push(port);
        }
    }
    ports
}

//! Where to connect to for a container: its address, the host's loopback, or 127.0.0.1 inside its network namespace.

use super::{Answer, DockerProber, namespace};
use crate::model::{container::NetworkMode, observed::ObservedContainer, policy::ProbeHost, units::Millis};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};
use tokio::net::TcpStream;

/// A container may share the network of one that shares another's; more links than this is a circle.
const SHARED_MAX: usize = 4;

/// A place to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Address(SocketAddr),
    /// A port on 127.0.0.1 in the network namespace of this process.
    Inside {
        pid: u32,
        port: u16,
    },
}

impl Place {
    /// What stands in `Host:`.
    pub fn host(self) -> String {
        match self {
            Place::Address(address) => address.to_string(),
            Place::Inside { port, .. } => format!("127.0.0.1:{port}"),
        }
    }
}

/// Finds the place, or says why there is none.
pub(super) async fn find(
    prober: &DockerProber,
    host: ProbeHost,
    port: u16,
    container: &ObservedContainer,
) -> Result<Place, Answer> {
    if !container.state.is_running() {
        return Err(Answer::no(format!("it is {}", container.state.status)));
    }
    if host == ProbeHost::Loopback || container.spec.network_mode == NetworkMode::None {
        return Ok(Place::Inside { pid: container.state.pid, port });
    }
    let mut owner = container.clone();
    for _ in 0..SHARED_MAX {
        let shared = match &owner.spec.network_mode {
            NetworkMode::Host => return Ok(Place::Address(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port))),
            NetworkMode::None => return Ok(Place::Inside { pid: container.state.pid, port }),
            NetworkMode::Container(id) => id.clone(),
            NetworkMode::Networks | NetworkMode::Bridge | NetworkMode::Service(_) => {
                return match address(&owner) {
                    Some(address) => Ok(Place::Address(SocketAddr::new(address, port))),
                    None => Err(Answer::no("it has no address yet")),
                };
            }
        };
        owner = match prober.engine.inspect_container(shared.as_str()).await {
            Ok(owner) => owner,
            Err(error) => return Err(Answer::no(error.message)),
        };
    }
    Err(Answer::no("it shares the network of too many others"))
}

/// Its address on any of its networks, the first by name.
fn address(container: &ObservedContainer) -> Option<IpAddr> {
    container.addresses.values().find_map(|address| address.split('/').next()?.parse().ok())
}

/// Connects.
pub(super) async fn connect(place: Place, timeout: Millis) -> io::Result<TcpStream> {
    match place {
        Place::Address(address) => TcpStream::connect(address).await,
        Place::Inside { pid, port } => namespace::connect(pid, port, timeout).await,
    }
}

/// A failed connection in words.
pub(super) fn refused(error: &io::Error) -> Answer {
    Answer::no(match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to the container".to_owned(),
        io::ErrorKind::NetworkUnreachable => "the network is unreachable".to_owned(),
        _ => error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        container::ContainerSpec,
        observed::{ContainerState, Status},
        units::Timestamp,
    };

    fn container(address: &str) -> ObservedContainer {
        ObservedContainer {
            id: "1".into(),
            name: "web".into(),
            image: "sha256:1".into(),
            created: Timestamp(1),
            state: ContainerState { status: Status::Running, pid: 7, ..ContainerState::default() },
            spec: ContainerSpec::default(),
            addresses: [("net".into(), address.to_owned())].into(),
            memory_used: None,
        }
    }

    #[test]
    fn its_address_is_the_first_that_is_one() {
        let mut web = container("");
        assert_eq!(address(&web), None);
        web.addresses.insert("other".into(), "172.18.0.3/16".into());
        assert_eq!(address(&web), Some(Ipv4Addr::new(172, 18, 0, 3).into()));
        assert_eq!(address(&container("fd00::3")), "fd00::3".parse().ok());
    }

    #[test]
    fn a_host_header_names_address_and_port() {
        let address: SocketAddr = "[fd00::3]:80".parse().unwrap();
        assert_eq!(Place::Address(address).host(), "[fd00::3]:80");
        assert_eq!(Place::Inside { pid: 7, port: 80 }.host(), "127.0.0.1:80");
    }
}

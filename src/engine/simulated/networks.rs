//! Simulated networks and who is on them.

use super::{
    container::Endpoint,
    no::{Answer, No},
    world::{Key, SimulatedNetwork, World},
};
use crate::{
    engine::Sent,
    model::{
        container::{Attachment, Attachments, NetworkMode},
        desired::{AddressPool, Network, NetworkDefinition},
        names::{ContainerName, NetworkName},
        observed::ObservedNetwork,
        value::Value,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

/// What the engine has from the start, and nobody can remove.
const PREDEFINED: [&str; 3] = ["bridge", "host", "none"];
/// The network of containers that name none.
pub(super) const DEFAULT: &str = "bridge";

impl World {
    pub fn add_predefined_networks(&mut self) {
        for name in PREDEFINED {
            let driver = if name == "none" { "null" } else { name };
            let mut network = Network::default();
            network.definition.driver = Some(driver.to_owned());
            self.insert_network(&NetworkName::from(name), &network);
        }
    }

    /// Whether a network of this name can be made. Making it is another moment: parallel calls make twins.
    pub fn check_network_name(&self, name: &NetworkName) -> Answer<()> {
        if PREDEFINED.contains(&name.as_str()) {
            return Err(No::rejected(format!("operation is not permitted on predefined {name} network")));
        }
        if self.networks.values().any(|network| network.name == *name) {
            return Err(No::conflict(format!("network with name {name} already exists")));
        }
        Ok(())
    }

    /// Makes a network, whether or not there is one of this name.
    pub fn insert_network(&mut self, name: &NetworkName, network: &Network) {
        let id = self.draw_id("network");
        let asked = network.definition.pools.first().and_then(|pool| pool.subnet.as_deref()).and_then(read_subnet);
        let number = u8::try_from(self.networks.len() % 256).unwrap_or(0);
        let subnet = asked.unwrap_or((Ipv4Addr::new(10, number, 0, 0), 16));
        let made = SimulatedNetwork {
            name: name.clone(),
            definition: as_inspected(&network.definition, subnet),
            labels: texts(&network.labels),
            subnet,
            configured: asked.is_some(),
            taken: BTreeMap::new(),
            next: 2,
            attached: BTreeSet::new(),
        };
        self.tell_of_thing(&made.labels, format!("create {name}"));
        self.networks.insert(id, made);
    }

    /// Removes a network that no running container is on. Containers that do not run are no obstacle, and can't start
    /// afterwards.
    pub fn remove_network(&mut self, name: &NetworkName) -> Answer<()> {
        if PREDEFINED.contains(&name.as_str()) {
            return Err(No::rejected(format!("{name} is a pre-defined network and cannot be removed")));
        }
        let id = self.network_id(name.as_str())?;
        if self.networks.get(&id).is_some_and(|network| !network.attached.is_empty()) {
            return Err(No::rejected(format!(
                "error while removing network: network {name} id {id} has active endpoints"
            )));
        }
        if let Some(network) = self.networks.remove(&id) {
            self.tell_of_thing(&network.labels, format!("destroy {name}"));
        }
        Ok(())
    }

    /// Every network; twins are one entry with two ids.
    pub fn list_networks(&self, inspect: &BTreeSet<NetworkName>) -> Vec<ObservedNetwork> {
        let mut listed: BTreeMap<NetworkName, ObservedNetwork> = BTreeMap::new();
        for (id, network) in &self.networks {
            let entry = listed.entry(network.name.clone()).or_insert_with(|| ObservedNetwork {
                name: network.name.clone(),
                labels: network.labels.clone(),
                definition: network.definition.clone(),
                ..ObservedNetwork::default()
            });
            entry.ids.push(id.clone());
            if inspect.contains(&network.name) {
                entry.attached.extend(self.names(&network.attached));
            }
        }
        listed.into_values().collect()
    }

    fn names(&self, keys: &BTreeSet<Key>) -> impl Iterator<Item = ContainerName> {
        keys.iter().filter_map(|key| self.containers.get(key)).map(|container| container.name.clone())
    }

    /// Connects a container. One that runs must not be on the network yet; of one that does not run hardly anything is
    /// checked, not even that the network exists.
    pub fn connect(&mut self, key: Key, name: &NetworkName, attachment: &Attachment) -> Answer<()> {
        let container = self.at(key)?;
        let own = container.own_aliases();
        let running = container.running().is_some();
        let shares = matches!(container.spec.network_mode, NetworkMode::Container(_));
        let mut endpoint = Endpoint { attachment: attachment.clone(), network: None, address: None };
        let network = match self.network_id(name.as_str()) {
            Ok(network) => network,
            Err(_) if !running && shares && container.endpoints.is_empty() => {
                // It has no list of networks to write it into, and the engine's handler dies of that.
                return Err(No::unreachable(Sent::MaybeSent, "the connection to the engine was lost"));
            }
            Err(_) if !running => {
                self.at_mut(key)?.endpoints.insert(name.clone(), endpoint);
                return Ok(());
            }
            Err(no) => return Err(no),
        };
        refuse_more_networks(&container.spec.network_mode, running)?;
        if container.endpoints.contains_key(name) {
            let taken = format!("endpoint with name {} already exists in network {name}", container.name);
            return if running { Err(No::rejected(taken)) } else { Ok(()) };
        }
        if name.as_str() != DEFAULT {
            endpoint.attachment.aliases.extend(own);
        }
        self.at_mut(key)?.endpoints.insert(name.clone(), endpoint);
        if running && let Err(no) = self.attach(key, name, &network) {
            self.at_mut(key)?.endpoints.remove(name);
            return Err(no);
        }
        Ok(())
    }

    /// Takes a container off a network.
    pub fn disconnect(&mut self, key: Key, name: &NetworkName) -> Answer<()> {
        if !self.at(key)?.endpoints.contains_key(name) {
            return Err(No::rejected(format!("container is not connected to network {name}")));
        }
        self.detach(key, name);
        self.at_mut(key)?.endpoints.remove(name);
        self.tell_of_place(key, "disconnect", name);
        Ok(())
    }

    /// Puts a starting container on each of its networks.
    pub fn attach_all(&mut self, key: Key) -> Answer<()> {
        let container = self.at(key)?;
        if matches!(container.spec.network_mode, NetworkMode::Container(_)) {
            // What was connected before its start is shown and does nothing.
            return Ok(());
        }
        let endpoints = &container.endpoints;
        let wanted: Vec<(NetworkName, Option<String>)> =
            endpoints.iter().map(|(name, endpoint)| (name.clone(), endpoint.network.clone())).collect();
        for (name, id) in wanted {
            let network = self.network_id(id.as_deref().unwrap_or(name.as_str()))?;
            self.attach(key, &name, &network)?;
        }
        Ok(())
    }

    /// Takes a container that ended off each of its networks; it remembers which.
    pub fn detach_all(&mut self, key: Key) {
        let Some(container) = self.containers.get(&key) else { return };
        for name in container.endpoints.keys().cloned().collect::<Vec<_>>() {
            self.detach(key, &name);
        }
    }

    fn attach(&mut self, key: Key, name: &NetworkName, id: &str) -> Answer<()> {
        let (fixed, own) = {
            let container = self.at(key)?;
            let attachment = container.endpoints.get(name).map(|endpoint| &endpoint.attachment);
            (attachment.and_then(|attachment| attachment.ipv4.clone()), container.own_aliases())
        };
        // Before it has an address, and even where it gets none.
        if name.as_str() != DEFAULT
            && let Some(endpoint) = self.at_mut(key)?.endpoints.get_mut(name)
        {
            endpoint.attachment.aliases.extend(own);
        }
        let no_network = || No::missing(format!("network {id} not found"));
        let network = self.networks.get_mut(id).ok_or_else(no_network)?;
        let address = match (fixed, network.has_addresses()) {
            (Some(fixed), _) => Some(network.take(&fixed, key)?),
            (None, true) => Some(network.take_next(key)?),
            (None, false) => None,
        };
        network.attached.insert(key);
        if let Some(endpoint) = self.at_mut(key)?.endpoints.get_mut(name) {
            endpoint.network = Some(id.to_owned());
            endpoint.address = address.map(|address| address.to_string());
        }
        self.tell_of_place(key, "connect", name);
        Ok(())
    }

    fn detach(&mut self, key: Key, name: &NetworkName) {
        let Some(endpoint) = self.containers.get_mut(&key).and_then(|container| container.endpoints.get_mut(name))
        else {
            return;
        };
        let address = endpoint.address.take().and_then(|address| address.parse().ok());
        let mut was_on = false;
        if let Some(network) = endpoint.network.as_ref().and_then(|id| self.networks.get_mut(id)) {
            was_on = network.attached.remove(&key);
            address.and_then(|address: Ipv4Addr| network.taken.remove(&address));
        }
        if was_on {
            self.tell_of_place(key, "disconnect", name);
        }
    }
}

impl SimulatedNetwork {
    fn has_addresses(&self) -> bool {
        !matches!(self.name.as_str(), "host" | "none")
    }

    fn take(&mut self, address: &str, key: Key) -> Answer<Ipv4Addr> {
        if !self.configured {
            return Err(No::rejected(
                "user specified IP address is supported only when connecting to networks with user configured subnets",
            ));
        }
        let address: Ipv4Addr =
            address.parse().map_err(|_| No::rejected(format!("invalid IPv4 address: {address}")))?;
        match self.taken.get(&address) {
            Some(holder) if *holder != key => Err(No::rejected("Address already in use")),
            _ => {
                self.taken.insert(address, key);
                Ok(address)
            }
        }
    }

    fn take_next(&mut self, key: Key) -> Answer<Ipv4Addr> {
        let (first, prefix) = self.subnet;
        let size = 1_u32.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(u32::MAX);
        for _ in 0..size {
            let place = self.next;
            self.next = if place + 2 >= size { 2 } else { place + 1 };
            let address = Ipv4Addr::from(u32::from(first).wrapping_add(place));
            if let std::collections::btree_map::Entry::Vacant(free) = self.taken.entry(address) {
                free.insert(key);
                return Ok(address);
            }
        }
        Err(No::rejected("no available IPv4 addresses on this network's address pools"))
    }
}

/// The endpoints of a new container: those that the create request names, or that on the default network.
pub(super) fn endpoints(mode: &NetworkMode, networks: &Attachments) -> BTreeMap<NetworkName, Endpoint> {
    let endpoint = |attachment: Attachment| Endpoint { attachment, network: None, address: None };
    match mode {
        NetworkMode::Networks => {
            networks.iter().map(|(name, attachment)| (name.clone(), endpoint(attachment.clone()))).collect()
        }
        NetworkMode::Bridge => BTreeMap::from([(NetworkName::from(DEFAULT), endpoint(Attachment::default()))]),
        NetworkMode::Host | NetworkMode::None | NetworkMode::Service(_) | NetworkMode::Container(_) => BTreeMap::new(),
    }
}

/// A container that has the host's network, another one's or none can't be connected; one that shares another's is only
/// refused while it runs.
fn refuse_more_networks(mode: &NetworkMode, running: bool) -> Answer<()> {
    match mode {
        NetworkMode::Container(_) if !running => Ok(()),
        NetworkMode::Host | NetworkMode::Container(_) => Err(No::rejected(
            "container sharing network namespace with another container or host cannot be connected to any other network",
        )),
        NetworkMode::None => Err(No::rejected(
            "container cannot be connected to multiple networks with one of the networks in private (none) mode",
        )),
        NetworkMode::Networks | NetworkMode::Bridge | NetworkMode::Service(_) => Ok(()),
    }
}

/// Labels as the engine keeps them.
pub(super) fn texts<'a>(values: impl IntoIterator<Item = (impl Into<String>, &'a Value)>) -> BTreeMap<String, String> {
    values.into_iter().map(|(name, value)| (name.into(), value.reveal().to_owned())).collect()
}

fn as_inspected(asked: &NetworkDefinition, (first, prefix): (Ipv4Addr, u8)) -> NetworkDefinition {
    let mut definition = asked.clone();
    definition.driver.get_or_insert_with(|| DEFAULT.to_owned());
    definition.ipam_driver = definition.ipam_driver.filter(|driver| driver != "default");
    definition.ipv6.get_or_insert(false);
    definition.ipv4 = None;
    if definition.pools.is_empty() {
        let gateway = Ipv4Addr::from(u32::from(first).wrapping_add(1)).to_string();
        definition.pools.push(AddressPool {
            subnet: Some(format!("{first}/{prefix}")),
            gateway: Some(gateway),
            ..AddressPool::default()
        });
    }
    definition
}

fn read_subnet(text: &str) -> Option<(Ipv4Addr, u8)> {
    let (address, prefix) = text.split_once('/')?;
    Some((address.parse().ok()?, prefix.parse().ok().filter(|prefix| *prefix <= 32)?))
}

//! Networks.

use super::{CHANGE, DockerEngine, json::InspectedNetwork, missing};
use crate::{
    engine::{EngineError, EngineResult, ErrorKind, Networks, Sent},
    model::{
        desired::{AddressPool, Network, NetworkDefinition},
        names::{ContainerName, NetworkName},
        observed::ObservedNetwork,
        value::Value,
    },
};
use async_trait::async_trait;
use bollard::models;
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How many networks are inspected at once.
const INSPECTED_AT_ONCE: usize = 8;

#[async_trait]
impl Networks for DockerEngine {
    async fn list_networks(&self, inspect: &BTreeSet<NetworkName>) -> EngineResult<Vec<ObservedNetwork>> {
        let mut listed: Vec<models::Network> = self.read("list", "networks", "/networks").await?;
        // Twins come in the order in which they were made, so that the same engine always reads the same.
        listed.sort_by(|one, other| (&one.created, &one.id).cmp(&(&other.created, &other.id)));
        let looked_at = stream::iter(listed).map(|from| async move {
            let name = NetworkName::new(from.name.clone().unwrap_or_default());
            let id = from.id.clone().unwrap_or_default();
            let attached = match inspect.contains(&name) {
                true => self.attached(&name, &id).await?,
                false => BTreeSet::new(),
            };
            EngineResult::Ok((name, id, from, attached))
        });
        let looked_at: Vec<_> = looked_at.buffered(INSPECTED_AT_ONCE).try_collect().await?;
        let mut networks: BTreeMap<NetworkName, ObservedNetwork> = BTreeMap::new();
        for (name, id, from, attached) in looked_at {
            let network = networks.entry(name.clone()).or_insert_with(|| observed(name, from));
            network.ids.push(id);
            network.attached.extend(attached);
        }
        Ok(networks.into_values().collect())
    }

    async fn create_network(&self, name: &NetworkName, network: &Network) -> EngineResult<()> {
        let call = "create network";
        let made = self.docker.create_network(request(name, network));
        let made = self.call(call, name, CHANGE, made).await?;
        // The engine may have been making another of this name when it was asked, for a program that is gone meanwhile or
        // at the same moment: theirs stays.
        if made.warning.contains("already exists") || self.has_twin(name, &made.id).await? {
            self.call(call, name, CHANGE, self.docker.remove_network(&made.id)).await?;
            return Err(EngineError {
                call,
                target: name.to_string(),
                kind: ErrorKind::Conflict,
                sent: Sent::NotSent,
                message: one_made_meanwhile(name),
            });
        }
        match made.id.is_empty() {
            true => Err(missing(call, name, "id")),
            false => Ok(()),
        }
    }

    async fn remove_network(&self, name: &NetworkName) -> EngineResult<()> {
        self.call("remove network", name, CHANGE, self.docker.remove_network(name.as_str())).await
    }
}

impl DockerEngine {
    /// Whether there is another network of this name.
    async fn has_twin(&self, name: &NetworkName, id: &str) -> EngineResult<bool> {
        let listed: Vec<models::Network> = self.read("list", "networks", "/networks").await?;
        let named = listed.iter().filter(|network| network.name.as_deref() == Some(name.as_str()));
        Ok(named.filter_map(|network| network.id.as_deref()).any(|other| other != id))
    }

    /// The names of the containers attached; none when the network is gone by now.
    async fn attached(&self, name: &NetworkName, id: &str) -> EngineResult<BTreeSet<ContainerName>> {
        let inspected = self.read("inspect network", name, &format!("/networks/{id}")).await;
        match inspected {
            Ok(InspectedNetwork { containers }) => {
                Ok(containers.into_values().map(|container| ContainerName::new(container.name)).collect())
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        }
    }
}

fn one_made_meanwhile(name: &NetworkName) -> String {
    format!("a network named {name} was made at the same moment")
}

fn observed(name: NetworkName, from: models::Network) -> ObservedNetwork {
    let ipam = from.ipam.unwrap_or_default();
    ObservedNetwork {
        name,
        ids: Vec::new(),
        definition: NetworkDefinition {
            driver: text(from.driver),
            options: sorted(from.options),
            internal: from.internal.unwrap_or_default(),
            attachable: from.attachable.unwrap_or_default(),
            ipv6: from.enable_ipv6,
            ipv4: from.enable_ipv4,
            // The engine's name for its own.
            ipam_driver: text(ipam.driver).filter(|driver| driver != "default"),
            ipam_options: sorted(ipam.options),
            pools: ipam.config.unwrap_or_default().into_iter().map(pool).collect(),
        },
        labels: sorted(from.labels),
        attached: BTreeSet::new(),
    }
}

fn pool(from: models::IpamConfig) -> AddressPool {
    AddressPool {
        subnet: text(from.subnet),
        ip_range: text(from.ip_range),
        gateway: text(from.gateway),
        auxiliary: sorted(from.auxiliary_addresses),
    }
}

fn request(name: &NetworkName, network: &Network) -> models::NetworkCreateRequest {
    let definition = &network.definition;
    let pool = |pool: &AddressPool| models::IpamConfig {
        subnet: pool.subnet.clone(),
        ip_range: pool.ip_range.clone(),
        gateway: pool.gateway.clone(),
        auxiliary_addresses: unsorted(&pool.auxiliary),
    };
    let has_ipam =
        definition.ipam_driver.is_some() || !definition.ipam_options.is_empty() || !definition.pools.is_empty();
    let labels = network.labels.iter().map(|(label, value): (&String, &Value)| (label.clone(), value.reveal().into()));
    models::NetworkCreateRequest {
        name: name.to_string(),
        driver: definition.driver.clone(),
        internal: Some(definition.internal),
        attachable: Some(definition.attachable),
        enable_ipv4: definition.ipv4,
        enable_ipv6: definition.ipv6,
        options: unsorted(&definition.options),
        labels: Some(labels.collect()),
        ipam: has_ipam.then(|| models::Ipam {
            driver: definition.ipam_driver.clone(),
            options: unsorted(&definition.ipam_options),
            config: Some(definition.pools.iter().map(pool).collect()),
        }),
        ..Default::default()
    }
}

fn text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn sorted(entries: Option<HashMap<String, String>>) -> BTreeMap<String, String> {
    entries.unwrap_or_default().into_iter().collect()
}

fn unsorted(entries: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    (!entries.is_empty()).then(|| entries.clone().into_iter().collect())
}

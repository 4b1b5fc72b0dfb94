//! The networks and volumes that the services use, by the engine's names.

use super::{labels, sensitive};
use crate::{
    compose::{self, project::Project},
    model::{
        desired::{AddressPool, Network, NetworkDefinition, Volume, VolumeDefinition},
        labels::compose as label,
        names::{NetworkName, VolumeName},
    },
};
use std::collections::BTreeMap;

/// The networks that an enabled service is on.
pub fn networks(project: &Project) -> BTreeMap<NetworkName, Network> {
    let mut networks = BTreeMap::new();
    for (key, written) in project.used().networks {
        let hash = compose::network_hash(written);
        let declared_at = project.positions.get(&["networks", key]).map(compose::Position::text);
        let network = if written.external {
            Network { key: key.clone(), external: true, declared_at, config_hash: hash, ..Network::default() }
        } else {
            Network {
                labels: labels::of_resource(project, &written.labels.0, label::NETWORK, key, &hash),
                key: key.clone(),
                external: false,
                declared_at,
                config_hash: hash,
                definition: network_definition(written),
            }
        };
        networks.insert(NetworkName::new(&written.name), network);
    }
    networks
}

fn network_definition(written: &compose::project::Network) -> NetworkDefinition {
    let texts = |pairs: &compose::project::Pairs| -> BTreeMap<String, String> {
        pairs.0.iter().map(|(name, text)| (name.clone(), text.as_str().to_owned())).collect()
    };
    let pools = written.ipam.config.iter().map(|pool| AddressPool {
        subnet: set(&pool.subnet),
        ip_range: set(&pool.ip_range),
        gateway: set(&pool.gateway),
        auxiliary: texts(&pool.aux_addresses),
    });
    NetworkDefinition {
        driver: set(&written.driver),
        options: texts(&written.driver_opts),
        internal: written.internal,
        attachable: written.attachable,
        ipv6: written.enable_ipv6,
        ipv4: written.enable_ipv4,
        ipam_driver: set(&written.ipam.driver),
        ipam_options: BTreeMap::new(),
        pools: pools.collect(),
    }
}

/// The volumes that an enabled service mounts.
pub fn volumes(project: &Project) -> BTreeMap<VolumeName, Volume> {
    let mut volumes = BTreeMap::new();
    for (key, written) in project.used().volumes {
        let hash = compose::volume_hash(written);
        let declared_at = project.positions.get(&["volumes", key]).map(compose::Position::text);
        let volume = if written.external {
            Volume { key: key.clone(), external: true, declared_at, config_hash: hash, ..Volume::default() }
        } else {
            let options = written.driver_opts.0.iter();
            Volume {
                labels: labels::of_resource(project, &written.labels.0, label::VOLUME, key, &hash),
                key: key.clone(),
                external: false,
                declared_at,
                config_hash: hash,
                definition: VolumeDefinition {
                    driver: set(&written.driver),
                    options: options.map(|(name, text)| (name.clone(), sensitive::option(name, text))).collect(),
                },
            }
        };
        volumes.insert(VolumeName::new(&written.name), volume);
    }
    volumes
}

fn set(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

//! The config hashes that docker compose puts on what it makes. Facts about its containers, never a reason of ours.

use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::go_json;
use super::project::record::Field as _;
use super::project::{Form, Network, Service, Volume};
use super::yaml::Origin;

/// The label `com.docker.compose.config-hash` that `up` writes on a service's containers.
///
/// It is the hash of the service's JSON without what does not make another container: build, pull policy, the number of
/// replicas, dependencies, profiles. Env files count by their content, label files by their content and their names.
pub fn config_hash(service: &Service) -> String {
    let mut service = hashed(service);
    service.env_file.clear();
    sha256(&service.tree(Form::Json))
}

/// The text that the label `com.docker.compose.config-hash` is the hash of, for a service that uses namespaces or mounts of
/// others: docker compose hashes it with the ids of their containers in it. Each id is left open as `\u0000service\u0000`,
/// which no text of a file can hold. `None` for a service that uses none.
pub fn config_text(service: &Service) -> Option<String> {
    let modes = [&service.network_mode, &service.ipc, &service.pid];
    if service.volumes_from.is_empty() && !modes.iter().any(|mode| mode.starts_with("service:")) {
        return None;
    }
    let mut service = hashed(service);
    service.env_file.clear();
    let place = |name: &str| format!("\0{name}\0");
    for mode in [&mut service.network_mode, &mut service.ipc, &mut service.pid] {
        if let Some(name) = mode.strip_prefix("service:") {
            *mode = format!("container:{}", place(name));
        }
    }
    for from in &mut service.volumes_from {
        // The rest, `ro` or `rw`, gets lost.
        let mut parts = from.split(':');
        *from = match (parts.next(), parts.next()) {
            (Some("container"), Some(name)) => name.to_owned(),
            (first, _) => place(first.unwrap_or_default()),
        };
    }
    Some(go_json::compact(&service.tree(Form::Json)))
}

/// The hash that `config --hash` prints. It differs from the label where a service has env files, which count by their
/// names here, or label files, which count by their content alone.
pub fn printed_hash(service: &Service) -> String {
    let mut service = hashed(service);
    service.label_file.clear();
    service.environment.0.retain(|_, value| value.as_ref().is_none_or(|text| text.origin != Origin::EnvFile));
    sha256(&service.tree(Form::Json))
}

fn hashed(service: &Service) -> Service {
    let mut service = service.clone();
    service.build = None;
    service.pull_policy.clear();
    service.scale = None;
    if let Some(deploy) = &mut service.deploy {
        deploy.replicas = None;
    }
    service.depends_on.clear();
    service.profiles.clear();
    service
}

/// The label `com.docker.compose.config-hash` of a network.
pub fn network_hash(network: &Network) -> String {
    sha256(&network.tree(Form::Json))
}

/// The label `com.docker.compose.config-hash` of a volume; no driver means `local`.
pub fn volume_hash(volume: &Volume) -> String {
    let mut volume = volume.clone();
    if volume.driver.is_empty() {
        "local".clone_into(&mut volume.driver);
    }
    sha256(&volume.tree(Form::Json))
}

fn sha256(value: &Json) -> String {
    hex::encode(Sha256::digest(go_json::compact(value).as_bytes()))
}

//! Project and policy, fully resolved: all that a plan needs to know about what should be.

use super::{
    build::Build,
    container::{ContainerSpec, MountSource},
    content::Content,
    image::{Images, ResolvedImage},
    names::{
        ContainerId, ContainerName, DesiredHash, ImageId, ImageReference, NetworkName, ServiceName, StackName,
        VolumeName,
    },
    policy::{Dependency, Liveness, Probes, PullPolicy, RolloutPolicy, StackPolicy},
    units::Millis,
    value::{Salt, Secrets, Value},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What should be on the engine for one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Desired {
    pub stack: StackName,
    pub services: BTreeMap<ServiceName, Service>,
    /// By the engine's name.
    pub networks: BTreeMap<NetworkName, Network>,
    /// By the engine's name.
    pub volumes: BTreeMap<VolumeName, Volume>,
    pub policy: StackPolicy,
    pub source: Source,
    pub overrides: Overrides,
    /// Logins beside those of Docker's own config: registry host → user and password.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub registries: BTreeMap<String, Login>,
}

/// Where a desired state was read from; what the labels of docker compose say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Source {
    /// The file that `-f` named.
    pub manifest: String,
    /// SHA-256 (hex) of the manifest and every file it pulls in, in order.
    pub manifest_hash: String,
    /// Absolute paths of the Compose files (inline services: the manifest).
    pub config_files: Vec<String>,
    pub working_dir: String,
    pub environment_files: Vec<String>,
}

/// What the command line changed, in force until it is given again or unset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Overrides {
    /// `--image SERVICE=REF`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<ServiceName, ImageReference>,
    /// `--set NAME=VALUE`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Value>,
}

/// A registry login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Login {
    pub username: Value,
    pub password: Value,
}

/// One service, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    pub name: ServiceName,
    /// What each of its containers is made from; see `slot`.
    pub container: ContainerSpec,
    /// Compose's `container_name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// How many containers; 1 by default.
    pub replicas: u32,
    /// How its image is built, where it is not only pulled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    #[serde(default)]
    pub pull_policy: PullPolicy,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub depends_on: BTreeMap<ServiceName, Dependency>,
    /// Services whose namespaces or volumes it uses (`network_mode`, `ipc`, `pid`: `service:x`; `volumes_from`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub shares: BTreeSet<ServiceName>,
    /// Other services that it knows under a name of its own; see `links_of`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    #[serde(default)]
    pub probes: Probes,
    /// Not part of what the service is: changing it needs no rollout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liveness: Option<Liveness>,
    pub rollout: RolloutPolicy,
    /// Awaited with `service_completed_successfully`, or its restart policy is written as `no` or `on-failure`.
    #[serde(default)]
    pub one_shot: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<Content>,
    /// Not part of what the service is: changing them needs no rollout.
    #[serde(default, skip_serializing_if = "Hooks::is_empty")]
    pub hooks: Hooks,
    /// docker compose's own hash of the service; it never decides anything for us.
    pub config_hash: String,
    /// For a service that shares: the text that docker compose hashes, see `shared_config_hash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_text: Option<Value>,
}

/// Commands that run in each container of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Hooks {
    /// After each start that evenkeel makes, one after another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_start: Vec<Hook>,
    /// Before each stop, one after another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pre_stop: Vec<Hook>,
}

impl Hooks {
    fn is_empty(&self) -> bool {
        *self == Hooks::default()
    }
}

/// A command in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Hook {
    pub command: Vec<Value>,
    /// Absent: the container's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub privileged: bool,
    /// Absent: the container's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Over the container's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, Value>,
    /// Variables of the container that it does not have.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub unset: BTreeSet<String>,
}

impl Hook {
    /// The hook as a plan may hold it.
    pub fn committed(&self, salt: &Salt) -> Hook {
        let mut hook = self.clone();
        hook.for_each_value(|value| *value = value.committed(salt));
        hook
    }

    /// The hook with its commitments turned back into texts; `None` where one is unknown.
    pub fn revealed(&self, secrets: &Secrets) -> Option<Hook> {
        let mut hook = self.clone();
        let mut known = true;
        hook.for_each_value(|value| match secrets.reveal(value) {
            Some(text) => *value = text,
            None => known = false,
        });
        known.then_some(hook)
    }

    fn for_each_value(&mut self, change: impl FnMut(&mut Value)) {
        self.command.iter_mut().chain(self.environment.values_mut()).for_each(change);
    }

    /// The command as one line, sensitive words as `***`.
    pub fn in_words(&self) -> String {
        self.command.iter().map(Value::shown).collect::<Vec<_>>().join(" ")
    }
}

/// docker compose's hash of a service that shares, from a text in which each `\u0000service\u0000` stands for the id of
/// that service's container. `None` where one is not known.
pub fn shared_config_hash<'a>(
    text: &str,
    container: impl Fn(&ServiceName) -> Option<&'a ContainerId>,
) -> Option<String> {
    let mut hash = Sha256::new();
    for (index, part) in text.split("\\u0000").enumerate() {
        match index % 2 {
            0 => hash.update(part),
            _ => hash.update(container(&ServiceName::new(part))?.as_str()),
        }
    }
    Some(hex::encode(hash.finalize()))
}

impl Service {
    /// The named volumes that it mounts.
    pub fn volumes(&self) -> impl Iterator<Item = &VolumeName> {
        self.container.mounts.values().filter_map(|mount| match &mount.source {
            MountSource::Volume(name) => Some(name),
            _ => None,
        })
    }

    /// Whether Docker itself checks its health, given what the image declares.
    pub fn has_healthcheck(&self, image: Option<&super::container::Healthcheck>) -> bool {
        match &self.container.healthcheck {
            Some(check) if check.is_none() => false,
            Some(check) if !check.test.is_empty() => true,
            _ => image.is_some_and(|check| !check.is_none()),
        }
    }
}

/// A link to another service of the stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    pub service: ServiceName,
    /// What it is called; without one in the file, the service's name.
    pub alias: String,
}

/// One network of the stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Network {
    /// The key in the file.
    pub key: String,
    /// Looked up by name; never created, changed or removed.
    pub external: bool,
    /// Where it is declared, `file:line:column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<String>,
    pub config_hash: String,
    pub definition: NetworkDefinition,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Value>,
}

/// What a network is; changing it means a new network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkDefinition {
    /// Absent: the engine's (`bridge`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    pub internal: bool,
    pub attachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<bool>,
    /// Absent from engines before API 1.46.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipam_driver: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ipam_options: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<AddressPool>,
}

/// A range of addresses of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AddressPool {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_range: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub auxiliary: BTreeMap<String, String>,
}

/// One volume of the stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Volume {
    /// The key in the file.
    pub key: String,
    /// Looked up by name; never created, changed or removed.
    pub external: bool,
    /// Where it is declared, `file:line:column`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_at: Option<String>,
    pub config_hash: String,
    pub definition: VolumeDefinition,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Value>,
}

/// What a volume is; changing it means a new volume, and its data moved by a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeDefinition {
    /// Absent: `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, Value>,
}

impl Desired {
    /// The final name of a service's container.
    pub fn container_name(&self, service: &Service, number: u32) -> ContainerName {
        match &service.container_name {
            Some(name) => ContainerName::new(name.clone()),
            None => ContainerName::new(format!("{}-{}-{number}", self.stack, service.name)),
        }
    }

    /// The links of one of a service's containers as the engine takes them: to every container of the linked service, under
    /// three names as docker compose gives them. The number in two of them is the linking container's own.
    pub fn links_of(&self, service: &Service, number: u32) -> BTreeSet<String> {
        let of = |link: &Link| {
            let linked = self.services.get(&link.service);
            let containers = linked
                .into_iter()
                .flat_map(|linked| (1..=linked.replicas).map(move |replica| self.container_name(linked, replica)));
            containers
                .flat_map(|container| {
                    let (stack, name) = (&self.stack, &link.service);
                    let names = [link.alias.clone(), format!("{name}-{number}"), format!("{stack}-{name}-{number}")];
                    names.map(|alias| format!("{container}:{alias}"))
                })
                .collect::<Vec<_>>()
        };
        service.links.iter().flat_map(of).collect()
    }

    /// Whether another one says the same, wherever it was read from.
    pub fn declares_as(&self, other: &Desired) -> bool {
        let Desired { stack, services, networks, volumes, policy, source: _, overrides, registries } = self;
        *stack == other.stack
            && *services == other.services
            && *networks == other.networks
            && *volumes == other.volumes
            && *policy == other.policy
            && *overrides == other.overrides
            && *registries == other.registries
    }

    /// A stack with nothing in it.
    pub fn empty(stack: StackName) -> Desired {
        Desired {
            stack,
            services: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            policy: StackPolicy::default(),
            source: Source::default(),
            overrides: Overrides::default(),
            registries: BTreeMap::new(),
        }
    }

    /// Gives services images of their own, whatever their references stand for. One reference can stand for two images
    /// then: that of a service with one of its own, and that of those without. The first names it by id, which stands for
    /// nothing else. Gives the services that do.
    pub fn give_images(
        &mut self,
        images: &mut Images,
        own: &BTreeMap<ServiceName, ResolvedImage>,
    ) -> BTreeSet<ServiceName> {
        let others = self.services.iter().filter(|(name, _)| !own.contains_key(*name));
        let others = others.map(|(_, service)| service.container.image.clone());
        let mut named: BTreeMap<ImageReference, ImageId> =
            others.filter_map(|reference| Some((reference.clone(), images.get(&reference)?.id.clone()))).collect();
        let mut by_id = BTreeSet::new();
        for (name, image) in own {
            let Some(service) = self.services.get_mut(name) else { continue };
            let id = named.entry(service.container.image.clone()).or_insert_with(|| image.id.clone());
            if *id != image.id {
                service.container.image = ImageReference::new(image.id.as_str());
                by_id.insert(name.clone());
            }
            images.insert(service.container.image.clone(), image.clone());
        }
        by_id
    }

    /// Every sensitive text in it, for the executor, by its commitment under this salt.
    pub fn secrets(&self, salt: &Salt) -> Secrets {
        let mut secrets = Secrets::default();
        for service in self.services.values() {
            let mut spec = service.container.clone();
            spec.for_each_value(|value| secrets.keep(salt, value));
            let build = service.build.iter().flat_map(|build| build.args.values().chain(build.environment.values()));
            build.for_each(|value| secrets.keep(salt, value));
            service.config_text.iter().for_each(|text| secrets.keep(salt, text));
            for hook in service.hooks.post_start.iter().chain(&service.hooks.pre_stop) {
                hook.clone().for_each_value(|value| secrets.keep(salt, value));
            }
            let liveness = service.liveness.as_ref().map(|liveness| &liveness.probe);
            let gates = [&service.probes.startup, &service.probes.readiness].into_iter().flatten();
            for probe in gates.chain(liveness) {
                probe.attempt.values().for_each(|value| secrets.keep(salt, value));
            }
        }
        let labels = self.networks.values().flat_map(|network| network.labels.values());
        let volumes =
            self.volumes.values().flat_map(|volume| volume.labels.values().chain(volume.definition.options.values()));
        labels.chain(volumes).for_each(|value| secrets.keep(salt, value));
        secrets
    }
}

impl super::policy::ProbeKind {
    /// Every value in it that can be sensitive.
    pub fn values(&self) -> Box<dyn Iterator<Item = &Value> + '_> {
        match self {
            Self::Http(http) => Box::new(http.headers.values()),
            Self::Exec(exec) => Box::new(exec.command.iter()),
            Self::Tcp(_) | Self::Docker {} => Box::new(std::iter::empty()),
        }
    }
}

/// What a service *is*: its container spec, image, contents, probes, minReady and deadline. Two desired states with one
/// hash need no rollout from one to the other. It covers sensitive values, so it is kept in the home and nowhere else.
pub fn desired_hash(service: &Service, image: &ImageId) -> DesiredHash {
    #[derive(Serialize)]
    struct Hashed<'a> {
        container: &'a ContainerSpec,
        container_name: &'a Option<String>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        links: &'a [Link],
        image: &'a ImageId,
        contents: BTreeMap<&'a str, &'a str>,
        probes: &'a Probes,
        min_ready: Millis,
        deadline: Millis,
    }
    let hashed = Hashed {
        container: &service.container,
        container_name: &service.container_name,
        links: &service.links,
        image,
        contents: service.contents.iter().map(|content| (content.target.as_str(), content.sha256.as_str())).collect(),
        probes: &service.probes,
        min_ready: service.rollout.min_ready,
        deadline: service.rollout.deadline,
    };
    // Every type in it serialises: maps have text keys and no number is a float.
    let json = serde_json_canonicalizer::to_vec(&hashed).unwrap_or_default();
    DesiredHash::new(hex::encode(Sha256::digest(json)))
}

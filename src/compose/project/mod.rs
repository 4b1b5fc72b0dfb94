//! The project: what the Compose files say once all is put in, merged and made canonical, with a type for each field.

mod build;
mod content;
mod deploy;
mod extends;
mod mounts;
mod network;
pub(crate) mod record;
mod run;
mod service;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub use build::{Build, Develop, Required, SshKeys, Trigger};
pub use content::FileObject;
pub(crate) use content::SECRET_VALUE;
pub use deploy::{
    Deploy, DeviceRequest, DiscreteResource, GenericResource, Placement, Preference, Resource, Resources,
    RestartPolicy, Update,
};
pub use extends::Extends;
pub use mounts::{BindOptions, Device, FileMount, ImageOptions, Mount, MountKind, TmpfsOptions, VolumeOptions};
pub use network::{Attachment, Ipam, IpamPool, Model, Network, Port, Volume};
pub use record::{Extensions, Form};
pub use run::{
    BlkioConfig, Condition, CredentialSpec, Dependency, EnvFile, HealthCheck, Hook, Logging, Provider, ServiceModel,
    ThrottleDevice, WeightDevice,
};
pub use service::Service;
pub use values::{
    Assignments, Bytes, Command, Cpus, DeviceCount, Duration, FileMode, HealthTest, HostList, MultiOptions, Numbers,
    Pairs, StringList, Ulimit,
};

use super::yaml::{Fault, Position};

/// What a project's enabled services use beside themselves.
pub struct Used<'a> {
    pub networks: BTreeMap<&'a String, &'a Network>,
    pub volumes: BTreeMap<&'a String, &'a Volume>,
    pub secrets: BTreeMap<&'a String, &'a FileObject>,
    pub configs: BTreeMap<&'a String, &'a FileObject>,
    pub models: BTreeMap<&'a String, &'a Model>,
}

/// A Compose project.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// The absolute folder that relative paths are in.
    pub working_dir: PathBuf,
    /// The files it was read from, absolute, without included and extended ones.
    pub files: Vec<PathBuf>,
    /// The profiles that were asked for.
    pub profiles: Vec<String>,
    /// The enabled services.
    pub services: BTreeMap<String, Service>,
    /// The services that no profile enables.
    pub disabled_services: BTreeMap<String, Service>,
    /// The networks, used or not (see [`Project::without_unused`]).
    pub networks: BTreeMap<String, Network>,
    /// The volumes.
    pub volumes: BTreeMap<String, Volume>,
    /// The secrets.
    pub secrets: BTreeMap<String, FileObject>,
    /// The configs.
    pub configs: BTreeMap<String, FileObject>,
    /// The language models.
    pub models: BTreeMap<String, Model>,
    /// The fields at the top that begin with `x-`.
    pub extensions: Extensions,
    /// Where each field is written.
    pub positions: Positions,
}

/// Where fields of the merged model are written: the key of a mapping, the item of a list.
#[derive(Clone, Debug, Default)]
pub struct Positions(pub(crate) BTreeMap<String, Place>);

/// The place of a field, and of what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub at: Position,
    pub inside: Positions,
}

impl Positions {
    /// The place of a field, by the keys that lead to it (`["services", "web", "ports", "0", "target"]`). Where the field
    /// itself is written nowhere (a default), the place of what it is in.
    pub fn get(&self, path: &[&str]) -> Option<&Position> {
        let (first, rest) = path.split_first()?;
        let place = self.0.get(*first)?;
        place.inside.get(rest).or(Some(&place.at))
    }
}

impl Project {
    /// A fault at a field of the project (see [`Positions::get`]).
    pub fn fault(&self, path: &[&str], message: impl Into<String>) -> Fault {
        match self.positions.get(path) {
            Some(position) => Fault::at(position, message),
            None => Fault::of_file("", message),
        }
    }

    /// The project with these services, enabled or not, and those that they depend on.
    ///
    /// # Errors
    /// The first name that no service has.
    pub fn selected<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<Self, &'n str> {
        let mut wanted: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = Vec::new();
        for name in names {
            open.push(self.any_service(name).map(|_| name).ok_or(name)?);
        }
        while let Some(name) = open.pop() {
            let dependencies = self.any_service(name).filter(|_| wanted.insert(name));
            open.extend(dependencies.into_iter().flat_map(|service| service.depends_on.keys().map(String::as_str)));
        }
        let mut project = self.clone();
        let disabled = std::mem::take(&mut project.disabled_services);
        project.services.extend(disabled);
        project.services.retain(|name, _| wanted.contains(name.as_str()));
        Ok(project)
    }

    /// The names of the enabled services, each behind those that it depends on.
    pub fn service_names_in_order(&self) -> Vec<&str> {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let mut order = Vec::new();
        for first in self.services.keys() {
            let mut open = vec![(first.as_str(), false)];
            while let Some((name, entered)) = open.pop() {
                let Some(service) = self.services.get(name) else { continue };
                if entered {
                    order.push(name);
                } else if known.insert(name) {
                    open.push((name, true));
                    open.extend(service.depends_on.keys().rev().map(|name| (name.as_str(), false)));
                }
            }
        }
        order
    }

    /// A service, enabled or not.
    pub fn any_service(&self, name: &str) -> Option<&Service> {
        self.services.get(name).or_else(|| self.disabled_services.get(name))
    }

    /// The project without the networks, volumes, secrets, configs and models that no enabled service uses, which is what
    /// docker compose prints and makes.
    pub fn without_unused(&self) -> Self {
        fn owned<T: Clone>(used: BTreeMap<&String, &T>) -> BTreeMap<String, T> {
            used.into_iter().map(|(key, written)| (key.clone(), written.clone())).collect()
        }
        let Used { networks, volumes, secrets, configs, models } = self.used();
        Self {
            networks: owned(networks),
            volumes: owned(volumes),
            secrets: owned(secrets),
            configs: owned(configs),
            models: owned(models),
            ..self.clone()
        }
    }

    /// The networks, volumes, secrets, configs and models that an enabled service uses.
    pub fn used(&self) -> Used<'_> {
        fn those<'a, T>(all: &'a BTreeMap<String, T>, named: &BTreeSet<&str>) -> BTreeMap<&'a String, &'a T> {
            all.iter().filter(|(key, _)| named.contains(key.as_str())).collect()
        }
        let mut named: [BTreeSet<&str>; 5] = Default::default();
        for service in self.services.values() {
            let [networks, volumes, secrets, configs, models] = &mut named;
            networks.extend(service.networks.keys().map(String::as_str));
            let mounted =
                service.volumes.iter().filter(|mount| mount.kind == MountKind::Volume && !mount.source.is_empty());
            volumes.extend(mounted.map(|mount| mount.source.as_str()));
            let build_secrets = service.build.iter().flat_map(|build| &build.secrets);
            secrets.extend(service.secrets.iter().chain(build_secrets).map(|mount| mount.source.as_str()));
            configs.extend(service.configs.iter().map(|mount| mount.source.as_str()));
            models.extend(service.models.keys().map(String::as_str));
        }
        let [networks, volumes, secrets, configs, models] = &named;
        Used {
            networks: those(&self.networks, networks),
            volumes: those(&self.volumes, volumes),
            secrets: those(&self.secrets, secrets),
            configs: those(&self.configs, configs),
            models: those(&self.models, models),
        }
    }
}

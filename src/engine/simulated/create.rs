//! Making simulated containers: what is checked, and what inspect shows afterwards, which is the request with all that
//! the image and the engine put where it was silent.

use super::{
    behaviour::{Behaviour, SIMULATE},
    container::{Container, MountedVolume, Phase},
    networks,
    no::{Answer, No},
    update,
    world::{Key, SimulatedVolume, World},
};
use crate::model::{
    container::{ContainerSpec, Healthcheck, Logging, Mount, MountSource, NetworkMode},
    desired::VolumeDefinition,
    image::ImageConfig,
    names::{ContainerId, ContainerName, ImageId, ImageReference, VolumeName},
    observed::EngineFacts,
    units::{Bytes, Millis},
    value::Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// The engine's default for `/dev/shm`.
const SHM: Bytes = Bytes::mebi(64);

impl World {
    /// Makes a container; gives its key and the engine's warnings.
    pub fn create(
        &mut self,
        name: &ContainerName,
        image_id: &ImageId,
        spec: &ContainerSpec,
    ) -> Answer<(Key, Vec<String>)> {
        check_name(name)?;
        let image = self.images.get(image_id).ok_or_else(|| No::missing(format!("No such image: {image_id}")))?;
        let (config, behaviour) = (image.config.clone(), image.behaviour.clone());
        if let Some(key) = self.by_name.get(name) {
            let holder = self.at(*key)?.id.clone();
            return Err(No::conflict(format!(
                "Conflict. The container name \"/{name}\" is already in use by container \"{holder}\". You have to \
                 remove (or rename) that container to be able to reuse that name."
            )));
        }
        check_networks(spec)?;
        self.check_binds(spec)?;
        let mut spec = spec.clone();
        (self.forgets)(&mut spec);
        let warnings = update::check_new(&mut spec.limits, &self.facts)?;
        self.resolve_namespaces(&mut spec);
        let id = ContainerId::new(self.draw_id("container"));
        let behaviour = behaviour_of(&spec, behaviour)?;
        let carried = self.volumes_from(&spec.volumes_from)?;
        let volumes = self.mount_volumes(&mut spec, &config, carried);
        fill_in(&mut spec, &config, &self.facts);
        if self.image(spec.image.as_str()).is_none_or(|named| named.id != *image_id) {
            spec.image = ImageReference::new(image_id.as_str());
        }
        let container = Container {
            id,
            name: name.clone(),
            image: image_id.clone(),
            created: self.now,
            endpoints: networks::endpoints(&spec.network_mode, &spec.networks),
            spec: without_networks(spec),
            volumes,
            behaviour,
            phase: Phase::Created,
            exit_code: 0,
            oom_killed: false,
            error: String::new(),
            started_at: None,
            finished_at: None,
            restart_count: 0,
            backoff: Millis(0),
            manually_stopped: false,
            starts: 0,
            log: String::new(),
            files: BTreeMap::new(),
            written: BTreeMap::new(),
            held_ports: BTreeSet::new(),
        };
        let names: Vec<VolumeName> = container.volumes.iter().map(|volume| volume.name.clone()).collect();
        let key = self.insert(container);
        for name in names {
            self.volumes.entry(name).or_insert_with(SimulatedVolume::local).users.insert(key);
        }
        if let Some(image) = self.images.get_mut(image_id) {
            image.users += 1;
        }
        Ok((key, warnings))
    }

    /// Gives a container another name.
    pub fn rename(&mut self, key: Key, to: &ContainerName) -> Answer<()> {
        let from = self.at(key)?.name.clone();
        if from == *to {
            return Err(No::rejected("Renaming a container with the same name as its current name"));
        }
        check_name(to)?;
        if let Some(holder) = self.by_name.get(to) {
            let holder = self.at(*holder)?.id.clone();
            return Err(No::conflict(format!(
                "Error when allocating new name: Conflict. The container name \"/{to}\" is already in use by container \
                 \"{holder}\". You have to remove (or rename) that container to be able to reuse that name."
            )));
        }
        self.by_name.remove(&from);
        self.by_name.insert(to.clone(), key);
        self.at_mut(key)?.name = to.clone();
        self.tell_of(key, "rename");
        Ok(())
    }

    fn check_binds(&self, spec: &ContainerSpec) -> Answer<()> {
        for mount in spec.mounts.values().filter(|mount| !mount.create_host_path) {
            if let MountSource::Bind(path) = &mount.source
                && self.missing_paths.contains(path)
            {
                return Err(No::rejected(format!(
                    "invalid mount config for type \"bind\": bind source path does not exist: {path}"
                )));
            }
        }
        Ok(())
    }

    /// The engine writes a container's full id where its name or the beginning of its id was given.
    fn resolve_namespaces(&self, spec: &mut ContainerSpec) {
        let full = |id: &str| self.key(id).ok().and_then(|key| self.containers.get(&key)).map(|found| found.id.clone());
        if let NetworkMode::Container(parent) = &spec.network_mode
            && let Some(id) = full(parent.as_str())
        {
            spec.network_mode = NetworkMode::Container(id);
        }
        for mode in [&mut spec.ipc, &mut spec.pid].into_iter().flatten() {
            if let Some(id) = mode.strip_prefix("container:").and_then(full) {
                *mode = format!("container:{id}").into();
            }
        }
    }

    /// The volumes of a new container: those it names, those that it shares, and those its image declares.
    fn mount_volumes(
        &mut self,
        spec: &mut ContainerSpec,
        image: &ImageConfig,
        carried: Vec<MountedVolume>,
    ) -> Vec<MountedVolume> {
        for target in &image.volumes {
            let taken = spec.mounts.contains_key(target) || carried.iter().any(|volume| volume.target == *target);
            if !taken {
                spec.mounts.insert(target.clone(), Mount::of(MountSource::Anonymous(None)));
            }
        }
        let mut volumes = carried;
        for (target, mount) in &mut spec.mounts {
            let (name, anonymous) = match &mount.source {
                MountSource::Volume(name) | MountSource::Anonymous(Some(name)) => (name.clone(), false),
                MountSource::Anonymous(None) => (VolumeName::new(self.draw_id("volume")), true),
                MountSource::Bind(_) | MountSource::Tmpfs | MountSource::Image(_) | MountSource::Pipe(_) => continue,
            };
            if anonymous {
                mount.source = MountSource::Anonymous(Some(name.clone()));
            }
            volumes.push(MountedVolume { name, target: target.clone(), anonymous, writable: !mount.read_only });
        }
        volumes
    }
}

impl SimulatedVolume {
    /// One that a container brought into being.
    pub fn local() -> SimulatedVolume {
        let definition = VolumeDefinition { driver: Some("local".to_owned()), options: BTreeMap::new() };
        SimulatedVolume { definition, labels: BTreeMap::new(), users: BTreeSet::new() }
    }
}

fn check_name(name: &ContainerName) -> Answer<()> {
    let mut letters = name.as_str().chars();
    let first = letters.next().is_some_and(|letter| letter.is_ascii_alphanumeric());
    let rest = letters.clone().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-'));
    // One letter alone is no name.
    if first && rest && letters.next().is_some() {
        return Ok(());
    }
    Err(No::rejected(format!("Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")))
}

fn check_networks(spec: &ContainerSpec) -> Answer<()> {
    if spec.networks.len() > 1 {
        let names: Vec<&str> = spec.networks.keys().map(|name| name.as_str()).collect();
        let names = names.join(", ");
        return Err(No::rejected(format!("Container cannot be connected to network endpoints: {names}")));
    }
    if matches!(spec.network_mode, NetworkMode::Service(_)) {
        return Err(No::rejected("the network of a service is that of one of its containers, which is not known"));
    }
    if spec.hostname.is_some() && matches!(spec.network_mode, NetworkMode::Container(_)) {
        return Err(No::rejected("conflicting options: hostname and the network mode"));
    }
    Ok(())
}

fn behaviour_of(spec: &ContainerSpec, image: Behaviour) -> Answer<Behaviour> {
    let words = [spec.labels.get(SIMULATE), spec.environment.get(SIMULATE)];
    words
        .into_iter()
        .flatten()
        .try_fold(image, |behaviour, words| behaviour.with(words.reveal()))
        .map_err(|message| No::rejected(format!("{SIMULATE}: {message}")))
}

fn without_networks(mut spec: ContainerSpec) -> ContainerSpec {
    spec.networks.clear();
    spec.files.clear();
    spec
}

/// What the image provides and what the engine defaults to.
fn fill_in(spec: &mut ContainerSpec, image: &ImageConfig, facts: &EngineFacts) {
    let plain = |words: &Vec<String>| words.iter().map(Value::plain).collect::<Vec<Value>>();
    // An entrypoint of one's own switches the image's command off.
    if spec.entrypoint.as_ref().is_none_or(Vec::is_empty) && spec.command.as_ref().is_none_or(Vec::is_empty) {
        spec.command = image.command.as_ref().map(plain);
    }
    spec.command = spec.command.take().filter(|words| !words.is_empty());
    if spec.entrypoint.is_none() {
        spec.entrypoint = image.entrypoint.as_ref().map(plain);
    }
    for (name, value) in image.environment.iter().filter(|(name, _)| !spec.unset.contains(*name)) {
        spec.environment.entry(name.into()).or_insert_with(|| Value::plain(value));
    }
    for (name, value) in &image.labels {
        spec.labels.provide(name.as_str().into(), || Value::plain(value));
    }
    spec.working_dir = spec.working_dir.take().or_else(|| image.working_dir.as_ref().map(Into::into));
    spec.user = spec.user.take().or_else(|| image.user.as_ref().map(Into::into));
    spec.stop_signal = spec.stop_signal.take().or_else(|| image.stop_signal.as_ref().map(Into::into));
    spec.healthcheck = merged_check(spec.healthcheck.take(), image.healthcheck.as_ref());
    spec.expose.extend(image.expose.iter().cloned());
    spec.expose.retain(|port| !spec.ports.contains_key(port));
    if spec.network_mode == NetworkMode::Networks && spec.networks.is_empty() {
        spec.network_mode = NetworkMode::None;
    }
    // Its own short id, which it has elsewhere, says nothing and is not shown.
    if spec.network_mode == NetworkMode::Host {
        spec.hostname.get_or_insert_with(|| facts.host_name.as_str().into());
    }
    spec.stop_grace = spec.stop_grace.map(|grace| Millis(grace.0 / 1000 * 1000));
    spec.ipc.get_or_insert_with(|| "private".into());
    let cgroups = if facts.cgroup_version == 2 { "private" } else { "host" };
    spec.cgroupns.get_or_insert_with(|| cgroups.into());
    spec.runtime.get_or_insert_with(|| "runc".into());
    spec.shm_size.get_or_insert(SHM);
    let log = spec.logging.get_or_insert_with(Logging::default);
    log.driver.get_or_insert_with(|| facts.logging_driver.as_str().into());
    // Nobody has told an engine what is secret.
    let check = spec.healthcheck.iter_mut().flat_map(|check| &mut check.test);
    let words = spec.entrypoint.iter_mut().chain(&mut spec.command).flatten().chain(check);
    let named = spec.environment.iter_mut().map(|(_, value)| value).chain(spec.labels.values_mut());
    let options = spec.logging.iter_mut().flat_map(|logging| logging.options.values_mut());
    words.chain(named).chain(options).for_each(|value| *value = Value::plain(value.reveal()));
}

fn merged_check(own: Option<Healthcheck>, image: Option<&Healthcheck>) -> Option<Healthcheck> {
    let mut check = match (own, image) {
        (None, image) => image.cloned()?,
        (Some(own), None) => own,
        (Some(own), Some(image)) => Healthcheck {
            test: if own.test.is_empty() { image.test.clone() } else { own.test },
            interval: own.interval.or(image.interval),
            timeout: own.timeout.or(image.timeout),
            start_period: own.start_period.or(image.start_period),
            start_interval: None,
            retries: own.retries.or(image.retries),
        },
    };
    // Older engines drop it without a word.
    check.start_interval = None;
    Some(check)
}

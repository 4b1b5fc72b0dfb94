//! The engine's traits on the simulated engine: each call finds what it names and leaves the rest to the world.

use super::{
    SimulatedEngine, exec,
    no::{Answer, No},
    world::{Key, World},
};
use crate::{
    engine::{
        ContainerSummary, Containers, Created, EngineEvents, EngineResult, ExecAnswer, Images, LocalImage, Networks,
        PullProgress, System, Volumes,
    },
    model::{
        container::{Attachment, ContainerSpec, Limits, RestartPolicy, WrittenFile},
        desired::{Hook, Login, Network, Volume},
        names::{ContainerId, ContainerName, ImageId, ImageReference, NetworkName, VolumeName},
        observed::{EngineFacts, ObservedContainer, ObservedNetwork, ObservedVolume},
        units::{Bytes, Millis},
    },
};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

/// The last bytes of a command's output that are kept.
const EXEC_BYTES_MAX: usize = 4096;

impl SimulatedEngine {
    /// The name of a container, for the call log; its id where there is none.
    fn name_of(&self, id: &ContainerId) -> String {
        let inner = self.lock();
        match inner.world.key(id.as_str()).and_then(|key| inner.world.at(key)) {
            Ok(container) => container.name.to_string(),
            Err(_) => id.short().to_owned(),
        }
    }

    async fn change_container<T>(
        &self,
        call: &'static str,
        id: &ContainerId,
        change: impl FnOnce(&mut World, Key) -> Answer<T>,
    ) -> EngineResult<T> {
        let target = self.name_of(id);
        self.change(call, &target, |world| change(world, world.key(id.as_str())?)).await
    }
}

#[async_trait]
impl System for SimulatedEngine {
    async fn facts(&self) -> EngineResult<EngineFacts> {
        self.read("ask", "the engine", |world| Ok(world.facts.clone())).await
    }

    async fn watch(&self) -> EngineResult<EngineEvents> {
        self.events().await
    }
}

#[async_trait]
impl Containers for SimulatedEngine {
    async fn list_containers(&self) -> EngineResult<Vec<ContainerSummary>> {
        self.read("list", "containers", |world| {
            let summary = |container: &super::container::Container| ContainerSummary {
                id: container.id.clone(),
                name: container.name.clone(),
                image: container.image.clone(),
                labels: super::networks::texts(&container.spec.labels),
                running: container.running().is_some() && !container.is_paused(),
            };
            Ok(world.containers.values().rev().map(summary).collect())
        })
        .await
    }

    async fn inspect_container(&self, id_or_name: &str) -> EngineResult<ObservedContainer> {
        self.read("inspect container", id_or_name, |world| Ok(world.at(world.key(id_or_name)?)?.inspect(world.now)))
            .await
    }

    async fn create_container(
        &self,
        name: &ContainerName,
        image: &ImageId,
        spec: &ContainerSpec,
    ) -> EngineResult<Created> {
        self.change("create container", name.as_str(), |world| {
            let (key, warnings) = world.create(name, image, spec)?;
            Ok(Created { id: world.at(key)?.id.clone(), warnings })
        })
        .await
    }

    async fn connect(
        &self,
        container: &ContainerId,
        network: &NetworkName,
        attachment: &Attachment,
    ) -> EngineResult<()> {
        self.change_container("connect container", container, |world, key| world.connect(key, network, attachment))
            .await
    }

    async fn put_file(&self, container: &ContainerId, path: &str, file: &WrittenFile) -> EngineResult<()> {
        self.change_container("write a file in", container, |world, key| {
            let container = world.at_mut(key)?;
            if container.spec.read_only {
                return Err(No::internal("container rootfs is marked read-only"));
            }
            container.written.insert(path.to_owned(), file.content.reveal().to_owned());
            Ok(())
        })
        .await
    }

    async fn start_container(&self, container: &ContainerId) -> EngineResult<()> {
        self.change_container("start container", container, World::start).await
    }

    async fn unpause_container(&self, container: &ContainerId) -> EngineResult<()> {
        self.change_container("unpause container", container, |world, key| world.unpause(key)).await
    }

    async fn stop_container(&self, container: &ContainerId, grace: Option<Millis>) -> EngineResult<()> {
        let (call, target) = ("stop container", self.name_of(container));
        let fate = self.before(call, &target).await?;
        let begun = {
            let world = &mut self.now().world;
            world.key(container.as_str()).and_then(|key| world.begin_stop(key, grace))
        };
        // The engine goes on with it even when its caller is gone.
        if let Ok(Some(at)) = &begun {
            let span = at.since(self.shared.clock.now());
            if span.0 > 0 {
                self.shared.clock.sleep(span).await;
            }
        }
        drop(self.now());
        self.after(fate, call, &target, begun.map(|_| ())).await
    }

    async fn remove_container(&self, container: &ContainerId, force: bool, volumes: bool) -> EngineResult<()> {
        self.change_container("remove container", container, |world, key| world.remove(key, force, volumes)).await
    }

    async fn rename_container(&self, container: &ContainerId, to: &ContainerName) -> EngineResult<()> {
        self.change_container("rename container", container, |world, key| world.rename(key, to)).await
    }

    async fn update_container(
        &self,
        container: &ContainerId,
        limits: &Limits,
        restart: Option<RestartPolicy>,
    ) -> EngineResult<()> {
        self.change_container("update container", container, |world, key| world.update(key, limits, restart)).await
    }

    async fn container_log(&self, container: &ContainerId, bytes_max: usize) -> EngineResult<String> {
        self.read("read the log of", container.short(), |world| {
            let log = &world.at(world.key(container.as_str())?)?.log;
            Ok(tail(log, bytes_max).to_owned())
        })
        .await
    }

    async fn memory_used(&self, container: &ContainerId) -> EngineResult<Bytes> {
        self.read("measure", container.short(), |world| {
            let container = world.at(world.key(container.as_str())?)?;
            match container.running() {
                Some(_) => Ok(container.memory_used(world.now)),
                None => Err(No::senseless("the engine's answer has no memory use")),
            }
        })
        .await
    }

    async fn run_hook(&self, container: &ContainerId, hook: &Hook) -> EngineResult<ExecAnswer> {
        let command: Vec<String> = hook.command.iter().map(|word| word.reveal().to_owned()).collect();
        self.change_container("run a command in", container, |world, key| {
            let container = world.at(key)?;
            if container.running().is_none() {
                return Err(No::conflict(format!("Container {} is not running", container.id)));
            }
            if container.is_paused() {
                let id = &container.id;
                return Err(No::conflict(format!("Container {id} is paused, unpause the container before exec")));
            }
            let mut answer = exec::answer(container, &command, world.now);
            answer.output = tail(&answer.output, EXEC_BYTES_MAX).to_owned();
            Ok(answer)
        })
        .await
    }
}

#[async_trait]
impl Networks for SimulatedEngine {
    async fn list_networks(&self, inspect: &BTreeSet<NetworkName>) -> EngineResult<Vec<ObservedNetwork>> {
        self.read("list", "networks", |world| Ok(world.list_networks(inspect))).await
    }

    async fn create_network(&self, name: &NetworkName, network: &Network) -> EngineResult<()> {
        let call = "create network";
        let fate = self.before(call, name.as_str()).await?;
        let answer = self.now().world.check_network_name(name);
        if answer.is_ok() {
            // Between the look and the deed the engine lets others look: so twins come about.
            tokio::task::yield_now().await;
            self.now().world.insert_network(name, network);
        }
        self.after(fate, call, name.as_str(), answer).await
    }

    async fn remove_network(&self, name: &NetworkName) -> EngineResult<()> {
        self.change("remove network", name.as_str(), |world| world.remove_network(name)).await
    }
}

#[async_trait]
impl Volumes for SimulatedEngine {
    async fn list_volumes(&self) -> EngineResult<Vec<ObservedVolume>> {
        self.read("list", "volumes", |world| {
            Ok(world.volumes.keys().filter_map(|name| world.observed_volume(name)).collect())
        })
        .await
    }

    async fn create_volume(&self, name: &VolumeName, volume: &Volume) -> EngineResult<ObservedVolume> {
        self.change("create volume", name.as_str(), |world| world.create_volume(name, volume)).await
    }

    async fn remove_volume(&self, name: &VolumeName) -> EngineResult<()> {
        self.change("remove volume", name.as_str(), |world| world.remove_volume(name)).await
    }
}

#[async_trait]
impl Images for SimulatedEngine {
    async fn inspect_image(&self, reference: &str) -> EngineResult<Option<LocalImage>> {
        self.read("inspect image", reference, |world| Ok(world.image(reference))).await
    }

    async fn pull_image(
        &self,
        reference: &ImageReference,
        _: Option<&str>,
        login: Option<&Login>,
        progress: &PullProgress,
    ) -> EngineResult<()> {
        let size = self.change("pull image", reference.as_str(), |world| world.pull(reference, login)).await?;
        for bytes in [0, size.0 / 2, size.0] {
            progress(bytes, Some(size.0));
        }
        Ok(())
    }

    async fn tag_image(&self, image: &ImageId, tag: &ImageReference) -> EngineResult<()> {
        self.change("tag image", tag.as_str(), |world| world.tag(image, tag)).await
    }

    async fn untag_image(&self, tag: &ImageReference) -> EngineResult<()> {
        self.change("untag image", tag.as_str(), |world| world.untag(tag)).await
    }

    async fn list_tags(&self) -> EngineResult<BTreeMap<ImageReference, ImageId>> {
        self.read("list", "images", |world| Ok(world.tags.clone())).await
    }
}

/// The last bytes of a text, from a whole character on.
fn tail(text: &str, bytes_max: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes_max);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

//! One snapshot of the engine for one stack. Already old when it is returned.

use crate::{
    engine::{ContainerSummary, Engine, EngineError, EngineResult, ErrorKind},
    model::{
        container::{ContainerSpec, HostPort},
        desired::Desired,
        image::ImageConfig,
        labels,
        names::{ContainerName, ImageId, NetworkName, ServiceName, StackName, VolumeName},
        observed::{Claim, Observed, ObservedContainer, ObservedNetwork, ObservedVolume, OtherContainer},
        units::{Bytes, Timestamp},
    },
};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, BTreeSet};

/// How many containers of the stack, or images, are inspected at once: the engine answers no sooner when it is asked for
/// more, and each is a connection.
const INSPECTED_AT_ONCE: usize = 6;
/// How many of the others: one whose memory use is asked for can take the engine a second.
const LOOKED_AT_AT_ONCE: usize = 16;

/// Networks and volumes to look at beside those that carry the stack's label: what the manifest names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub networks: BTreeSet<NetworkName>,
    pub volumes: BTreeSet<VolumeName>,
    /// The memory limits that services shall have: of a container whose limit is higher, or that has none, what it uses
    /// is read too.
    pub memory: BTreeMap<ServiceName, Bytes>,
}

impl Wanted {
    /// All that desired states name, external ones too.
    pub fn of<'a>(desired: impl IntoIterator<Item = &'a Desired>) -> Wanted {
        let mut wanted = Wanted::default();
        for desired in desired {
            wanted.networks.extend(desired.networks.keys().cloned());
            wanted.volumes.extend(desired.volumes.keys().cloned());
            let limits = desired.services.values().map(|service| (&service.name, service.container.limits.memory));
            wanted.memory.extend(limits.filter_map(|(name, memory)| Some((name.clone(), memory?))));
        }
        wanted
    }
}

/// The volume whose labels say which home claimed a stack.
pub fn claim_volume(stack: &StackName) -> VolumeName {
    VolumeName::new(format!("evenkeel_home_{stack}"))
}

/// Reads what there is. Containers of the stack's Compose project are inspected, and other running ones for their limits
/// and ports; one that disappears meanwhile is simply not there. Every network is listed; volumes only those of the
/// stack, those its containers mount and those wanted.
pub async fn observe(
    engine: &dyn Engine,
    stack: &StackName,
    wanted: &Wanted,
    now: Timestamp,
) -> EngineResult<Observed> {
    // The engine takes its time over its facts, and nothing waits for them.
    let (facts, containers, volumes, looked_at) = futures::try_join!(
        engine.facts(),
        containers(engine, stack, wanted),
        engine.list_volumes(),
        networks(engine, stack, wanted.networks.clone())
    )?;
    let Containers { containers, others, images } = containers;
    let joined = containers.values().flat_map(|container| container.spec.networks.keys());
    let missed: BTreeSet<NetworkName> = joined.filter(|name| !looked_at.inspected.contains(*name)).cloned().collect();
    let looked_at = match missed.is_empty() {
        true => looked_at,
        // Those that only a container names: seldom there.
        false => networks(engine, stack, missed.into_iter().chain(looked_at.inspected).collect()).await?,
    };

    let claim = claim(&volumes, stack);
    let mounted: BTreeSet<&VolumeName> =
        containers.values().flat_map(|container| volumes_of(&container.spec)).collect();
    let named = |volume: &ObservedVolume| {
        is_of(&volume.labels, stack) || wanted.volumes.contains(&volume.name) || mounted.contains(&volume.name)
    };
    let volumes = volumes.into_iter().filter(named).map(|volume| (volume.name.clone(), volume)).collect();
    Ok(Observed { at: now, engine: facts, containers, others, networks: looked_at.networks, volumes, images, claim })
}

/// Everything about containers.
struct Containers {
    containers: BTreeMap<ContainerName, ObservedContainer>,
    others: BTreeMap<ContainerName, OtherContainer>,
    images: BTreeMap<ImageId, ImageConfig>,
}

async fn containers(engine: &dyn Engine, stack: &StackName, wanted: &Wanted) -> EngineResult<Containers> {
    let listed = engine.list_containers().await?;
    let (ours, others): (Vec<_>, Vec<_>) = listed.into_iter().partition(|container| is_of(&container.labels, stack));
    let listed: BTreeSet<ImageId> = ours.iter().map(|container| container.image.clone()).collect();
    let (containers, others, mut images) = futures::try_join!(
        inspect_all(engine, ours, wanted),
        look_at_all(engine, others),
        image_configs(engine, listed.clone())
    )?;
    let used: BTreeSet<ImageId> = containers.values().map(|container| container.image.clone()).collect();
    images.retain(|id, _| used.contains(id));
    // Those that the engine's list calls otherwise than the containers do: seldom there.
    images.extend(image_configs(engine, used.difference(&listed).cloned().collect()).await?);
    Ok(Containers { containers, others, images })
}

fn is_of(labels: &BTreeMap<String, String>, stack: &StackName) -> bool {
    labels.get(labels::compose::PROJECT).is_some_and(|project| project == stack.as_str())
}

async fn inspect_all(
    engine: &dyn Engine,
    listed: Vec<ContainerSummary>,
    wanted: &Wanted,
) -> EngineResult<BTreeMap<ContainerName, ObservedContainer>> {
    let inspected = stream::iter(listed)
        .map(|container| async move {
            let found = if_there(engine.inspect_container(container.id.as_str()).await)?;
            Ok(match found {
                Some(found) => Some(with_memory(engine, found, wanted).await),
                None => None,
            })
        })
        .buffer_unordered(INSPECTED_AT_ONCE);
    inspected.try_filter_map(async |found| Ok(found.map(|found| (found.name.clone(), found)))).try_collect().await
}

/// Adds what a container uses, where its memory limit is about to be lowered. An engine that can't say is believed to
/// have room.
async fn with_memory(engine: &dyn Engine, mut container: ObservedContainer, wanted: &Wanted) -> ObservedContainer {
    let limit = container.service().and_then(|service| wanted.memory.get(&service).copied());
    let lowers = limit.is_some_and(|limit| container.spec.limits.memory.is_none_or(|now| now > limit));
    if lowers && container.state.is_running() {
        container.memory_used = engine.memory_used(&container.id).await.ok();
    }
    container
}

async fn look_at_all(
    engine: &dyn Engine,
    listed: Vec<ContainerSummary>,
) -> EngineResult<BTreeMap<ContainerName, OtherContainer>> {
    let looked_at =
        stream::iter(listed).map(|container| look_at(engine, container)).buffer_unordered(LOOKED_AT_AT_ONCE);
    looked_at.try_filter_map(async |found| Ok(found.map(|found| (found.name.clone(), found)))).try_collect().await
}

/// A container of somebody else: as much as names, ports and capacity need.
async fn look_at(engine: &dyn Engine, listed: ContainerSummary) -> EngineResult<Option<OtherContainer>> {
    let label = |name: &str| listed.labels.get(name).cloned();
    let mut other = OtherContainer {
        project: label(labels::compose::PROJECT).map(StackName::new),
        working_dir: label(labels::compose::WORKING_DIR),
        config_files: label(labels::compose::CONFIG_FILES),
        id: listed.id,
        name: listed.name,
        running: listed.running,
        limits: Default::default(),
        memory_used: None,
        published: BTreeSet::new(),
    };
    if !other.running {
        return Ok(Some(other));
    }
    let inspected = match engine.inspect_container(other.id.as_str()).await {
        Ok(inspected) => inspected,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind == ErrorKind::Unreachable => return Err(error),
        // A stranger that the engine hangs over, or that can't be read, must not stop what is ours.
        Err(_) => return Ok(Some(other)),
    };
    other.published = published(&inspected.spec);
    other.limits = inspected.spec.limits;
    if other.limits.memory.is_none() {
        other.memory_used = match engine.memory_used(&other.id).await {
            Ok(used) => Some(used),
            Err(error) if error.kind == ErrorKind::Unreachable => return Err(error),
            // Not every kernel counts, and the container may be gone: then its use is unknown, which stops nothing.
            Err(_) => None,
        };
    }
    Ok(Some(other))
}

async fn image_configs(engine: &dyn Engine, ids: BTreeSet<ImageId>) -> EngineResult<BTreeMap<ImageId, ImageConfig>> {
    let inspected = stream::iter(ids)
        .map(|id| async move { engine.inspect_image(id.as_str()).await.map(|found| (id, found)) })
        .buffer_unordered(INSPECTED_AT_ONCE);
    inspected.try_filter_map(async |(id, found)| Ok(found.map(|found| (id, found.config)))).try_collect().await
}

/// The networks, and those of them that were looked at closely.
struct Networks {
    networks: BTreeMap<NetworkName, ObservedNetwork>,
    inspected: BTreeSet<NetworkName>,
}

async fn networks(
    engine: &dyn Engine,
    stack: &StackName,
    mut inspect: BTreeSet<NetworkName>,
) -> EngineResult<Networks> {
    let networks = engine.list_networks(&inspect).await?;
    // The stack's own, which neither a container nor the manifest names: seen only now, and seldom there.
    let missed = |network: &&ObservedNetwork| is_of(&network.labels, stack) && !inspect.contains(&network.name);
    let missed: Vec<NetworkName> = networks.iter().filter(missed).map(|network| network.name.clone()).collect();
    let networks = match missed.is_empty() {
        true => networks,
        false => {
            inspect.extend(missed);
            engine.list_networks(&inspect).await?
        }
    };
    let networks = networks.into_iter().map(|network| (network.name.clone(), network)).collect();
    Ok(Networks { networks, inspected: inspect })
}

fn claim(volumes: &[ObservedVolume], stack: &StackName) -> Option<Claim> {
    let name = claim_volume(stack);
    let volume = volumes.iter().find(|volume| volume.name == name)?;
    let label = |name: &str| volume.labels.get(name).cloned().unwrap_or_default();
    Some(Claim {
        stack: StackName::new(label(labels::ours::STACK)),
        home: label(labels::ours::HOME),
        machine: label(labels::ours::MACHINE),
    })
}

fn volumes_of(spec: &ContainerSpec) -> impl Iterator<Item = &VolumeName> {
    use crate::model::container::MountSource;
    spec.mounts.values().filter_map(|mount| match &mount.source {
        MountSource::Volume(name) | MountSource::Anonymous(Some(name)) => Some(name),
        _ => None,
    })
}

/// Fixed ports on the host, as `address:port/protocol`; every address is `0.0.0.0`.
fn published(spec: &ContainerSpec) -> BTreeSet<String> {
    let text = |port: &str, on: &HostPort| {
        let protocol = port.rsplit_once('/').map_or("tcp", |(_, protocol)| protocol);
        let address = if on.address.is_empty() { "0.0.0.0" } else { &on.address };
        format!("{address}:{}/{protocol}", on.port)
    };
    let fixed = |(port, on): (&String, &Vec<HostPort>)| {
        on.iter().filter(|on| !on.port.is_empty()).map(|on| text(port, on)).collect::<Vec<_>>()
    };
    spec.ports.iter().flat_map(fixed).collect()
}

/// What was found; `None` when it disappeared meanwhile.
fn if_there<T>(found: Result<T, EngineError>) -> EngineResult<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::docker::DockerEngine;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{UnixListener, UnixStream},
    };

    /// An engine with one container of somebody else, whose inspection makes no sense.
    async fn serve(mut stream: UnixStream) {
        let mut request = [0_u8; 4096];
        while let Ok(length @ 1..) = stream.read(&mut request).await {
            let path = String::from_utf8_lossy(&request[..length]).into_owned();
            let body = match path.split(' ').nth(1).unwrap_or_default() {
                path if path.contains("/containers/json") => r#"[{"Id":"f00","Names":["/theirs"],"State":"running"}]"#,
                path if path.contains("/containers/f00/json") => r#"{"HostConfig":{"Memory":"much"}}"#,
                path if path.contains("/networks") => "[]",
                _ => "{}",
            };
            let head = format!("HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: {}\r\n\r\n", body.len());
            if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
                return;
            }
        }
    }

    #[tokio::test]
    async fn a_stranger_that_can_not_be_read_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        let engine = DockerEngine::connect(&socket).await.unwrap();
        let observed = observe(&engine, &"shop".into(), &Wanted::default(), Timestamp(1)).await.unwrap();
        let theirs = &observed.others[&ContainerName::from("theirs")];
        assert!(theirs.running && theirs.limits.memory.is_none());
    }
}

//! The engine as evenkeel needs it: traits in our own types, object-safe, so that planning and executing run on the real
//! engine and on the simulated one alike. This is no copy of an API: a call is here because something of ours makes it.
//!
//! Knows nothing of plans. Policy reads `EngineError::kind` and `EngineError::sent`, never a text.

pub mod build;
pub mod clock;
pub mod connect;
pub mod docker;
pub mod error;
pub mod image_config;
pub mod logins;
pub mod reference;
pub mod registry;
pub mod simulated;

use crate::model::{
    container::{Attachment, ContainerSpec, Limits, RestartPolicy, WrittenFile},
    desired::{Hook, Login, Network, Volume},
    image::ImageConfig,
    names::{ContainerId, ContainerName, ImageId, ImageReference, NetworkName, StackName, VolumeName},
    observed::{EngineFacts, ObservedContainer, ObservedNetwork, ObservedVolume},
    units::{Bytes, Millis, Timestamp},
    value::Value,
};
use async_trait::async_trait;
pub use error::{EngineError, ErrorKind, Sent};
use futures::stream::BoxStream;
use std::collections::{BTreeMap, BTreeSet};

/// What every call gives.
pub type EngineResult<T> = Result<T, EngineError>;

/// Everything that evenkeel asks of an engine.
pub trait Engine: System + Containers + Networks + Volumes + Images + Send + Sync {}

impl<T: System + Containers + Networks + Volumes + Images + Send + Sync> Engine for T {}

/// The engine itself.
#[async_trait]
pub trait System {
    /// Version, host and what its kernel can hold.
    async fn facts(&self) -> EngineResult<EngineFacts>;
    /// What changes from now on. Nothing between this call's answer and the first event is missed. The stream has no time
    /// limit; its last item is the error that broke it. One that can't be opened is `Unreachable`, `TimedOut` or `Refused`.
    async fn watch(&self) -> EngineResult<EngineEvents>;
}

/// A stream of events, see `System::watch`.
pub type EngineEvents = BoxStream<'static, EngineResult<EngineEvent>>;

/// A change on the engine: a reason to look, and no more than that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineEvent {
    /// Whose it is; `None`: perhaps everybody's.
    pub stack: Option<StackName>,
    /// For logs, such as `die webkit-core-1`.
    pub what: String,
}

/// Containers.
#[async_trait]
pub trait Containers {
    /// Every container on the engine, running or not.
    async fn list_containers(&self) -> EngineResult<Vec<ContainerSummary>>;
    /// One container; `NotFound` when there is none of this id or name.
    async fn inspect_container(&self, id_or_name: &str) -> EngineResult<ObservedContainer>;
    /// Makes a container without starting it. `spec.networks` holds at most one network where the API is older than
    /// 1.44, which refuses two: the others are connected one by one. Namespaces of others are already resolved to `NetworkMode::Container` and
    /// `container:<id>`. Values are revealed. `Conflict` when the name is taken.
    async fn create_container(
        &self,
        name: &ContainerName,
        image: &ImageId,
        spec: &ContainerSpec,
    ) -> EngineResult<Created>;
    /// Writes a file into a container, whether it runs or not, and makes the folders that it lies in. The content is
    /// revealed. `Rejected` when its root file system is read-only.
    async fn put_file(&self, container: &ContainerId, path: &str, file: &WrittenFile) -> EngineResult<()>;
    /// Connects a container to a network; `Rejected` when it is on it already.
    async fn connect(
        &self,
        container: &ContainerId,
        network: &NetworkName,
        attachment: &Attachment,
    ) -> EngineResult<()>;
    /// Starts a container; one that runs already is no error.
    async fn start_container(&self, container: &ContainerId) -> EngineResult<()>;
    /// Lets the processes of a container go on that `docker pause` froze; `Rejected` when it is not paused.
    async fn unpause_container(&self, container: &ContainerId) -> EngineResult<()>;
    /// Stops a container and waits until it has: its signal, then a kill after `grace` (absent: the container's own).
    /// One that does not run is no error.
    async fn stop_container(&self, container: &ContainerId, grace: Option<Millis>) -> EngineResult<()>;
    /// Removes a container: a running one only with `force`, its anonymous volumes only with `volumes`.
    async fn remove_container(&self, container: &ContainerId, force: bool, volumes: bool) -> EngineResult<()>;
    /// Gives a container another name; `Conflict` when it is taken.
    async fn rename_container(&self, container: &ContainerId, to: &ContainerName) -> EngineResult<()>;
    /// Changes limits and restart policy where the container is. What is absent stays. Memory and swap go together.
    /// The engine answers well and ignores what it can't do, so the caller reads back.
    async fn update_container(
        &self,
        container: &ContainerId,
        limits: &Limits,
        restart: Option<RestartPolicy>,
    ) -> EngineResult<()>;
    /// The last `bytes_max` bytes that the container wrote, standard output and error together.
    async fn container_log(&self, container: &ContainerId, bytes_max: usize) -> EngineResult<String>;
    /// The memory that it uses now, without the page cache that can be dropped at once.
    async fn memory_used(&self, container: &ContainerId) -> EngineResult<Bytes>;
    /// Runs a command in it and waits: the exit code, and the last 4 KiB of output.
    async fn exec(&self, container: &ContainerId, command: &[String]) -> EngineResult<ExecAnswer> {
        let command = command.iter().map(Value::plain).collect();
        self.run_hook(container, &Hook { command, ..Hook::default() }).await
    }
    /// The same as another user, with an environment and a folder of its own. Values are revealed.
    async fn run_hook(&self, container: &ContainerId, hook: &Hook) -> EngineResult<ExecAnswer>;
}

/// Networks.
#[async_trait]
pub trait Networks {
    /// Every network with its labels; those named in `inspect` with definition and attached containers too.
    async fn list_networks(&self, inspect: &BTreeSet<NetworkName>) -> EngineResult<Vec<ObservedNetwork>>;
    /// Makes a network. The engine refuses a name that exists (`Conflict`), but parallel calls can make twins: callers
    /// make one network at a time.
    async fn create_network(&self, name: &NetworkName, network: &Network) -> EngineResult<()>;
    /// Removes a network; `Rejected` while something is attached.
    async fn remove_network(&self, name: &NetworkName) -> EngineResult<()>;
}

/// Volumes.
#[async_trait]
pub trait Volumes {
    /// Every volume.
    async fn list_volumes(&self) -> EngineResult<Vec<ObservedVolume>>;
    /// Get-or-create: answers with the volume as it is then, which is an older one's definition and labels where one of
    /// this name was there.
    async fn create_volume(&self, name: &VolumeName, volume: &Volume) -> EngineResult<ObservedVolume>;
    /// Removes a volume and its data; `Conflict` while a container has it.
    async fn remove_volume(&self, name: &VolumeName) -> EngineResult<()>;
}

/// Images.
#[async_trait]
pub trait Images {
    /// The image of this reference or id on the engine; `None` when it is not there.
    async fn inspect_image(&self, reference: &str) -> EngineResult<Option<LocalImage>>;
    /// Pulls an image for a platform (absent: the engine's own), reporting bytes as they come.
    async fn pull_image(
        &self,
        reference: &ImageReference,
        platform: Option<&str>,
        login: Option<&Login>,
        progress: &PullProgress,
    ) -> EngineResult<()>;
    /// Gives an image one more tag.
    async fn tag_image(&self, image: &ImageId, tag: &ImageReference) -> EngineResult<()>;
    /// Takes a tag away; the image goes with its last one when nothing uses it.
    async fn untag_image(&self, tag: &ImageReference) -> EngineResult<()>;
    /// Every tag on the engine and the image it names.
    async fn list_tags(&self) -> EngineResult<BTreeMap<ImageReference, ImageId>>;
}

/// Told the bytes so far and, where known, the bytes in all.
pub type PullProgress = dyn Fn(u64, Option<u64>) + Send + Sync;

/// A container as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerSummary {
    pub id: ContainerId,
    pub name: ContainerName,
    pub image: ImageId,
    pub labels: BTreeMap<String, String>,
    pub running: bool,
}

/// The answer to a create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub id: ContainerId,
    /// What the engine could not do and did without.
    pub warnings: Vec<String>,
}

/// The answer of a command run in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecAnswer {
    pub exit_code: i64,
    pub output: String,
}

/// An image on the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalImage {
    pub id: ImageId,
    /// `repository@sha256:…`; empty for an image that was loaded or built.
    pub digests: Vec<String>,
    pub tags: Vec<ImageReference>,
    /// When it was given a name last, by a pull or by hand; absent where the engine does not know.
    pub tagged: Option<Timestamp>,
    pub config: ImageConfig,
}

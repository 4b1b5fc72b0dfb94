//! A step: one mutating engine call, or one bounded wait, with its cause. A step carries exactly what it needs, so the
//! executor chooses nothing.

use super::{
    container::{Attachment, ContainerSpec, Limits, RestartPolicy, WrittenFile},
    desired::{Hook, Network, Volume},
    fields::fields,
    names::{
        ContainerId, ContainerName, ImageId, ImageReference, NetworkName, Resource, ServiceName, StepId, VolumeName,
    },
    policy::Probe,
    units::{Bytes, Millis},
    value::Value,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// A path that stays when other services change: `core/2/gate`, `network:webkit_edge/create`.
    pub id: StepId,
    /// The steps that must have succeeded before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<StepId>,
    pub does: Does,
    /// What it acts on.
    pub target: Resource,
    pub cause: Cause,
    /// It fails when it is not done by then, counted from its beginning.
    #[serde(rename = "deadlineMs", with = "milliseconds")]
    #[schemars(with = "u64")]
    pub deadline: Millis,
}

mod milliseconds {
    use super::Millis;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(span: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(span.0)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
        u64::deserialize(deserializer).map(Millis)
    }
}

/// Why a change or a step is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The declared state differs from the current revision's.
    Manifest,
    /// What runs differs from what is declared, and the current revision does not.
    Drift,
    /// The user asked for a restart.
    Restart,
    /// Its liveness probe failed.
    Liveness,
    /// The user wants it stopped, or no longer stopped.
    Suspension,
    /// The user asked to go back to an older revision, or a failed rollout is being taken back.
    Rollback,
    /// The user asked for everything to be removed.
    Down,
    /// An interrupted rollout is finished or undone.
    Recovery,
    /// There is no home to compare with.
    Unknown,
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Cause::Manifest => "manifest",
            Cause::Drift => "drift",
            Cause::Restart => "restart",
            Cause::Liveness => "liveness",
            Cause::Suspension => "suspension",
            Cause::Rollback => "rollback",
            Cause::Down => "down",
            Cause::Recovery => "recovery",
            Cause::Unknown => "unknown",
        })
    }
}

/// A container that a step acts on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ContainerRef {
    /// One that was there when the plan was made.
    Existing {
        /// Its id.
        id: ContainerId,
        /// Its name then.
        name: ContainerName,
    },
    /// The one that this step makes.
    Made {
        /// A create step of the same plan.
        by: StepId,
    },
}

/// What a step does: an object with one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Does {
    /// Pulls an image. Fails where what came differs from what was planned.
    Pull(Pull),
    /// Makes a network. One of the same name and ours, made meanwhile, counts as made.
    CreateNetwork(Network),
    /// Removes a network that nothing is attached to.
    RemoveNetwork(NetworkName),
    /// Makes a volume.
    CreateVolume(Volume),
    /// Removes a volume and the data in it.
    RemoveVolume(VolumeName),
    /// Makes a container without starting it, connected to its first network.
    Create(Box<Create>),
    /// Connects a container to one more network.
    Connect(Connect),
    /// Writes a file into a container.
    Put(Box<Put>),
    /// Starts a container.
    Start {
        /// Which.
        container: ContainerRef,
        /// The one whose place it takes, where the two must not run at once. Fails where that one runs: somebody else has
        /// started it, or in an undo it could not be removed.
        #[serde(default, rename = "insteadOf", skip_serializing_if = "Option::is_none")]
        instead_of: Option<ContainerRef>,
    },
    /// Lets the frozen processes of a container go on.
    Unpause {
        /// Frozen by `docker pause`.
        container: ContainerRef,
    },
    /// Runs a command in a container and waits for it. Fails where it does not exit with 0.
    Exec(Box<Exec>),
    /// Waits until the container is proven, or fails.
    Gate(Box<Gate>),
    /// Waits, so that clients let go of the old container.
    Drain {
        /// So long.
        wait: Millis,
    },
    /// Stops a container: its stop signal, and after the grace a kill.
    Stop(Stop),
    /// Removes a container.
    Remove(Remove),
    /// Gives a container another name.
    Rename(Rename),
    /// Changes limits or restart policy of a container where it is.
    Update(Box<Update>),
}

/// See `Does::Pull`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pull {
    pub reference: ImageReference,
    /// What the reference stood for when it was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// For which platform, where the service says one; else the engine takes its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// What must be there afterwards.
    pub image: ImageId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Bytes>,
}

/// See `Does::Create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Create {
    pub service: ServiceName,
    pub name: ContainerName,
    /// The image by id, so that a tag that moved meanwhile changes nothing.
    pub image: ImageId,
    /// Complete, with every label, sensitive values as their commitments.
    pub spec: ContainerSpec,
    /// The container whose namespaces it shares, for `NetworkMode::Service` and `service:` modes.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub parents: std::collections::BTreeMap<ServiceName, ContainerRef>,
    /// The text that docker compose's label is the hash of, where the parents' ids are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_text: Option<Value>,
}

/// See `Does::Connect`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connect {
    pub container: ContainerRef,
    pub network: NetworkName,
    pub attachment: Attachment,
}

/// See `Does::Put`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Put {
    pub container: ContainerRef,
    /// In the container.
    pub path: String,
    /// Its content as a commitment.
    pub file: WrittenFile,
}

/// See `Does::Exec`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Exec {
    pub container: ContainerRef,
    /// The command, sensitive values as their commitments.
    pub hook: Hook,
    /// Whether its failure is told and stops nothing: the container is to be stopped because it is not well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_fail: bool,
}

/// See `Does::Gate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    pub service: ServiceName,
    pub container: ContainerRef,
    pub proof: Proof,
    /// Must stay ready this long.
    pub min_ready: Millis,
    /// What a passed deadline means.
    pub on_deadline: OnDeadline,
}

/// What proves a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Proof {
    /// It runs, was not restarted, and its probes say it is ready.
    Ready {
        /// Tried until its first success.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        startup: Option<Probe>,
        /// Tried after it; ready while it succeeds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        readiness: Option<Probe>,
        /// Docker itself must say `healthy` too.
        docker: bool,
    },
    /// It exits 0.
    Completed {},
}

/// What happens to a container that is not proven by its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnDeadline {
    /// The undo runs.
    Undo,
    /// Both containers stay as they are: a stateful one is not killed in the middle of its recovery.
    Leave,
}

/// See `Does::Stop`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    pub container: ContainerRef,
    /// Absent: the container's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<Millis>,
}

/// See `Does::Remove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Remove {
    pub container: ContainerRef,
    /// Keep its log, its inspect and its probe answers first: it failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_evidence: bool,
    /// Kill it if it runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Which of its anonymous volumes go with it.
    #[serde(default, skip_serializing_if = "AnonymousVolumes::is_keep")]
    pub volumes: AnonymousVolumes,
}

/// What happens to the anonymous volumes of a container that is removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AnonymousVolumes {
    /// They stay: another container has them, or they may hold data.
    #[default]
    Keep,
    /// Those that were made for it go, but the carried ones stay.
    RemoveExcept {
        /// Carried over from the container that it was to replace.
        carried: Vec<VolumeName>,
    },
}

impl AnonymousVolumes {
    fn is_keep(&self) -> bool {
        matches!(self, AnonymousVolumes::Keep)
    }
}

/// See `Does::Rename`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rename {
    pub container: ContainerRef,
    pub to: ContainerName,
}

/// See `Does::Update`. What is absent stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    pub container: ContainerRef,
    /// Those to set: memory and swap always together.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<RestartPolicy>,
}

impl Update {
    /// What it sets: `memory 1536Mi, memorySwap 3Gi, pids 256, restart always`.
    pub fn in_words(&self) -> String {
        let mut parts: Vec<String> = fields(&self.limits)
            .iter()
            .map(|(name, value)| match (name.as_str(), self.limits.memory_swap.map(u64::try_from)) {
                // The engine knows it as a number, for it can be less than none.
                ("memorySwap", Some(Ok(bytes))) => format!("{name} {}", Bytes(bytes)),
                ("memorySwap", Some(Err(_))) => format!("{name} unlimited"),
                _ => format!("{name} {}", value.shown()),
            })
            .collect();
        parts.extend(self.restart.map(|restart| format!("restart {restart}")));
        parts.join(", ")
    }
}

impl Does {
    /// The kind, as the key of its JSON form.
    pub fn kind(&self) -> &'static str {
        match self {
            Does::Pull(_) => "pull",
            Does::CreateNetwork(_) => "createNetwork",
            Does::RemoveNetwork(_) => "removeNetwork",
            Does::CreateVolume(_) => "createVolume",
            Does::RemoveVolume(_) => "removeVolume",
            Does::Create(_) => "create",
            Does::Connect(_) => "connect",
            Does::Put(_) => "put",
            Does::Start { .. } => "start",
            Does::Unpause { .. } => "unpause",
            Does::Exec(_) => "exec",
            Does::Gate(_) => "gate",
            Does::Drain { .. } => "drain",
            Does::Stop(_) => "stop",
            Does::Remove(_) => "remove",
            Does::Rename(_) => "rename",
            Does::Update(_) => "update",
        }
    }
}

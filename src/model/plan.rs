//! A plan: what differs, and the steps that make it so. What is not planned is held, with a reason and a stable code.

use super::{
    capacity::CapacityReport,
    desired::Desired,
    fields::FieldChange,
    image::Images,
    names::{DesiredHash, PlanId, Resource, ServiceName, StackName, StepId},
    observed::Claim,
    policy::Strategy,
    revision::{Hold, Restarts, Suspension},
    step::{Cause, Step},
    units::Timestamp,
    value::Salt,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What a plan is made from beside the desired and the observed state: all that would otherwise be read from a clock, a
/// random source or the home.
#[derive(Clone, Debug)]
pub struct PlanContext {
    pub plan: PlanId,
    pub now: Timestamp,
    pub salt: Salt,
    /// What every reference of the desired state stands for.
    pub images: Images,
    /// The services to act on; `None`: all, and the stack's networks, volumes and orphans.
    pub selected: Option<BTreeSet<ServiceName>>,
    /// Services of the current revision that the manifest declares no more: acting on others alone leaves them as they are.
    pub dropped: BTreeSet<ServiceName>,
    pub purpose: Purpose,
    /// The user agreed to removing much.
    pub yes: bool,
    /// The user means a second stack, though the same files run as one of another name.
    pub second_stack: bool,
    /// Whether evenkeel runs as root.
    pub root: bool,
    /// A person asked for just this, so no window is waited for.
    pub attended: bool,
    /// Containers whose liveness probe failed, with its last answer.
    pub unwell: BTreeMap<super::names::ContainerId, String>,
    pub facts: Facts,
}

/// What the plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A person or CI wants the manifest to be so: failed desired states are tried again.
    Apply,
    /// The manifest changed with nobody looking: as `Apply`, but a failed desired state is not tried again.
    Follow,
    /// The current revision is kept: a failed desired state is not tried again.
    Keep,
    /// The selected services' containers are replaced by equal ones.
    Restart,
    /// An older revision's services are brought back, or a failed rollout is taken back.
    Rollback,
    /// Everything that evenkeel made is removed; volumes too when the flag is set.
    Down { volumes: bool },
}

/// What the home remembers. Empty without a home: then every cause is `unknown`.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Who this home is; `None` without one.
    pub identity: Option<Claim>,
    /// The current revision.
    pub current: Option<CurrentRevision>,
    /// One-shots that completed, by what they were.
    pub completed: BTreeMap<ServiceName, DesiredHash>,
    /// Desired states whose rollout failed.
    pub failed: BTreeMap<ServiceName, DesiredHash>,
    /// Services of the current revision whose first deploy failed: nothing is started for them but by an apply.
    pub not_started: BTreeSet<ServiceName>,
    /// Services of the current revision whose gates have not passed in it, nor in one in which they were the same.
    pub not_proven: BTreeSet<ServiceName>,
    /// What was not ready in time and is left as it is, by what it was: an apply waits for it again.
    pub left: BTreeMap<ServiceName, DesiredHash>,
    pub holds: BTreeMap<ServiceName, Hold>,
    pub suspensions: BTreeMap<ServiceName, Suspension>,
    /// When evenkeel restarted services by itself.
    pub restarts: BTreeMap<ServiceName, Restarts>,
    /// Fields that read back otherwise right after they were set, by container id: never stepped again.
    pub did_not_take: BTreeMap<super::names::ContainerId, Vec<FieldChange>>,
    /// Containers whose startup probe succeeded since their process began, then.
    pub started: BTreeMap<super::names::ContainerId, Timestamp>,
}

impl Facts {
    /// The cause of what no current revision speaks of: where there is a home, the manifest is new to it.
    pub fn cause_of_first(&self) -> super::step::Cause {
        if self.identity.is_some() { super::step::Cause::Manifest } else { super::step::Cause::Unknown }
    }
}

/// The current revision, as a plan needs it.
#[derive(Clone, Debug)]
pub struct CurrentRevision {
    pub number: u64,
    pub made: Timestamp,
    pub desired: Arc<Desired>,
    pub images: Images,
}

/// The plan. Its canonical bytes are RFC 8785 JSON without `context`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub api_version: String,
    pub kind: String,
    pub stack: StackName,
    pub context: SavedContext,
    pub changes: Vec<Change>,
    pub rollouts: Vec<Rollout>,
    pub steps: Vec<Step>,
    pub notes: Vec<Note>,
    pub held: Vec<Held>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacityReport>,
    /// When time alone makes another plan of the same: a window opens, a pause ends. Not part of its bytes.
    #[serde(skip)]
    pub changes_at: Option<Timestamp>,
}

impl Plan {
    /// The changes that ask for something: what is taken over as it is differs in nothing.
    pub fn differences(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.action != Action::Adopt)
    }

    /// How many resources are taken over as they are.
    pub fn adopted(&self) -> usize {
        self.changes.len() - self.differences().count()
    }
}

/// What a saved plan is made again from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavedContext {
    pub plan: PlanId,
    pub time: Timestamp,
    pub salt: Salt,
    pub manifest_hash: String,
    pub images: Images,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<BTreeSet<ServiceName>>,
    /// The current revision, where there is a home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
}

/// One resource that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub resource: Resource,
    pub action: Action,
    pub reason: Reason,
    pub cause: Cause,
    /// How, for a service's replacement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    Create,
    /// In place, without a restart.
    Update,
    Replace,
    Remove,
    Adopt,
}

/// Why a resource changes: a closed list, in the order in which a reader wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It is declared and was never there.
    New,
    ImageChanged,
    ConfigurationChanged,
    ContentChanged,
    LimitChanged,
    /// Replaced with the service whose namespaces it shares.
    ParentReplaced,
    RestartRequested,
    /// It should be there and is not.
    Missing,
    /// It should run and does not.
    NotRunning,
    /// `docker pause` froze it.
    Frozen,
    /// It runs, and its liveness probe fails.
    NotLive,
    /// It should not run, and does.
    Stopped,
    /// More or fewer replicas.
    Scaled,
    /// A declared network that it is not on.
    NetworkMissing,
    /// Its name is not what it should be.
    Renamed,
    /// What an interrupted rollout left.
    Unfinished,
    /// It is no longer declared.
    NotDeclared,
    /// Everything goes.
    Down,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Reason::New => "new",
            Reason::ImageChanged => "image changed",
            Reason::ConfigurationChanged => "configuration changed",
            Reason::ContentChanged => "content changed",
            Reason::LimitChanged => "limit changed",
            Reason::ParentReplaced => "shares what is replaced",
            Reason::RestartRequested => "restart requested",
            Reason::Missing => "missing",
            Reason::NotRunning => "not running",
            Reason::Frozen => "paused by hand",
            Reason::NotLive => "liveness failed",
            Reason::Stopped => "to be stopped",
            Reason::Scaled => "scaled",
            Reason::NetworkMissing => "network missing",
            Reason::Renamed => "wrong name",
            Reason::Unfinished => "unfinished rollout",
            Reason::NotDeclared => "no longer declared",
            Reason::Down => "down",
        })
    }
}

/// The steps that take one unit from its old containers to its new ones, and those that undo it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// The name of the unit: its leading service.
    pub id: String,
    pub service: ServiceName,
    /// All services of the unit, the leading one first.
    pub members: Vec<ServiceName>,
    /// Absent where nothing is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// Why this strategy, or what is done, in words.
    pub why: String,
    /// Whether containers are replaced.
    pub replaces: bool,
    /// Whether containers of the unit run now: when it fails and the undo succeeds, what ran before serves again.
    pub serving: bool,
    /// Services whose budget of restarts it spends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spends: Vec<ServiceName>,
    /// Whether it makes or starts again what is current already, where nothing ran to go back to. The user's wish to stop
    /// is no reason to take it back then: it goes on until all is started, and is proven by the next round.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repairs: bool,
    pub steps: Vec<StepId>,
    pub undo: Vec<Undo>,
}

/// What to run when a step fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Undo {
    /// The step that failed.
    pub from: StepId,
    /// In order; each is tried, whatever became of those before.
    pub steps: Vec<Step>,
}

/// Something worth knowing that stops nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    pub code: NoteCode,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Something that is not done, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    pub resource: Resource,
    pub code: HeldCode,
    pub reason: String,
    pub hint: String,
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$code_doc:meta])* $code:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$code_doc])* #[serde(rename = $text)] $code,)+
        }

        impl $name {
            /// Every code, in order.
            pub const ALL: &'static [$name] = &[$($name::$code),+];

            /// The code as it is written.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$code => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

codes! {
    /// The codes of notes.
    NoteCode {
        /// A service without a memory limit counts 0 against the capacity.
        NoLimit = "no-limit",
        /// The limits of all containers are more than the host has.
        Overcommitted = "overcommitted",
        /// A tag names another image than the one that runs.
        UpdateAvailable = "update-available",
        /// An image is built by the apply, so what it will be is not known before.
        ToBeBuilt = "to-be-built",
        /// A volume that the stack uses is not of the stack, so `down --volumes` leaves it.
        VolumeStays = "volume-stays",
        /// No restart policy is written: it is taken as long-running.
        RestartNotWritten = "restart-not-written",
        /// A health check's interval makes every rollout slow.
        SlowGate = "slow-gate",
        /// A long-running service without a probe or a health check.
        NoProbe = "no-probe",
        /// Its log grows without bound.
        NoLogRotation = "no-log-rotation",
        /// A database that is killed after less than a minute.
        ShortGrace = "short-grace",
        /// A literal that looks like a secret.
        LiteralSecret = "literal-secret",
        /// A writable bound file: a change of its content does not roll the service.
        WritableFile = "writable-file",
        /// A bound file changed: taking the rollout back starts the old container with the new content.
        UndoHasNewContent = "undo-has-new-content",
        /// A container of a service that is not declared, and `prune` is off.
        NotDeclared = "not-declared",
        /// The engine cannot hold this field; it is not compared.
        EngineCannotHold = "engine-cannot-hold",
        /// Another Compose file lies beside the one that is read.
        OtherFile = "other-file",
        /// What the Compose file says of a service is not what its container's label says; docker compose goes by the label.
        ComposeRecreates = "compose-recreates",
        /// The engine's warning at a create.
        EngineWarning = "engine-warning",
        /// Something that docker compose warns of too.
        ComposeWarning = "compose-warning",
        /// The variable is not set: an empty text stands for it.
        VariableNotSet = "variable-not-set",
        /// An override of the command line is in force.
        OverrideInForce = "override-in-force",
    }
}

codes! {
    /// The codes of what is held back.
    HeldCode {
        /// The definition of a network changed; it must be made anew by hand.
        NetworkChanged = "network-changed",
        /// The definition of a volume changed; its data must be moved by hand.
        VolumeChanged = "volume-changed",
        /// A field read back otherwise right after it was set.
        DidNotTake = "did-not-take",
        /// A rollback moved this service; it stays until its declaration changes or it is named.
        RolledBack = "rolled-back",
        /// This desired state failed before and nothing has changed.
        FailedBefore = "failed-before",
        /// Somebody paused this service.
        Paused = "paused",
        /// Somebody stopped this service.
        Stopped = "stopped",
        /// A running container would be stopped, and the service's window is closed.
        OutsideWindow = "outside-window",
        /// A running container would be stopped, and only a person may do that to this service.
        Manual = "manual",
        /// It was restarted too often: the next attempt waits.
        BackOff = "back-off",
        /// It waits for a service that is held.
        DependencyHeld = "dependency-held",
        /// Removing so much needs `--yes`.
        PruneRefused = "prune-refused",
        /// The name of a container to be made is taken by one that is not ours.
        NameTaken = "name-taken",
        /// What is no longer declared still has what only one can: a volume that both would write, a port, an address.
        InTheWay = "in-the-way",
        /// A project of this name was made from elsewhere.
        ProjectElsewhere = "project-elsewhere",
        /// These files run as a project of another name.
        StackRenamed = "stack-renamed",
        /// Another home claimed this stack.
        OtherHome = "other-home",
        /// The stack is protected.
        Protected = "protected",
        /// The limits add up to more than the declared capacity.
        OverCapacity = "over-capacity",
        /// The limits add up to more than the host has.
        OverHost = "over-host",
        /// A limit is required and missing.
        LimitRequired = "limit-required",
        /// A probe inside a network namespace needs root.
        ProbeNeedsRoot = "probe-needs-root",
        /// The engine would ignore what a service can't do without.
        EngineTooOld = "engine-too-old",
        /// An external network or volume does not exist.
        ExternalMissing = "external-missing",
        /// An image could not be resolved.
        ImageMissing = "image-missing",
        /// Several networks have this name.
        NetworkAmbiguous = "network-ambiguous",
    }
}

impl HeldCode {
    /// Whether an apply leaves a service so held as the current revision has it, instead of accepting what is declared.
    pub fn keeps_what_was_accepted(self) -> bool {
        use HeldCode::{Manual, OutsideWindow, Paused, RolledBack, Stopped};
        matches!(self, RolledBack | Paused | Stopped | OutsideWindow | Manual)
    }

    /// The exit code when this stops the whole plan before its first step; `None` when the rest goes on (exit 9).
    pub fn stops_everything(self) -> Option<u8> {
        match self {
            HeldCode::NetworkChanged
            | HeldCode::VolumeChanged
            | HeldCode::DidNotTake
            | HeldCode::RolledBack
            | HeldCode::FailedBefore
            | HeldCode::Paused
            | HeldCode::Stopped
            | HeldCode::OutsideWindow
            | HeldCode::Manual
            | HeldCode::BackOff
            | HeldCode::DependencyHeld
            | HeldCode::PruneRefused => None,
            HeldCode::NameTaken
            | HeldCode::InTheWay
            | HeldCode::ProjectElsewhere
            | HeldCode::StackRenamed
            | HeldCode::OtherHome
            | HeldCode::Protected
            | HeldCode::OverCapacity
            | HeldCode::OverHost
            | HeldCode::LimitRequired
            | HeldCode::ProbeNeedsRoot => Some(8),
            HeldCode::EngineTooOld
            | HeldCode::ExternalMissing
            | HeldCode::ImageMissing
            | HeldCode::NetworkAmbiguous => Some(3),
        }
    }
}

/// `apiVersion` of everything that scripts may rely on.
pub const API_VERSION: &str = "evenkeel.dev/v1";

impl Plan {
    /// Whether nothing differs and nothing is held.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.steps.is_empty() && self.held.is_empty()
    }

    /// The step of this id, in the plan proper or in an undo.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        let undo = self.rollouts.iter().flat_map(|rollout| rollout.undo.iter().flat_map(|undo| undo.steps.iter()));
        self.steps.iter().chain(undo).find(|step| step.id == *id)
    }

    /// RFC 8785 JSON without `context`: what two plans are compared by. What others on the host use changes by itself, so
    /// the note about it is left out; it is judged again when the plan is applied.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut plan = self.clone();
        plan.notes.retain(|note| note.code != NoteCode::Overcommitted);
        let Ok(serde_json::Value::Object(mut tree)) = serde_json::to_value(plan) else {
            return Vec::new();
        };
        tree.remove("context");
        serde_json_canonicalizer::to_vec(&tree).unwrap_or_default()
    }

    /// The plan as anyone may see it: every commitment as `***`.
    pub fn masked(&self) -> serde_json::Value {
        let mut tree = serde_json::to_value(self).unwrap_or_default();
        mask(&mut tree);
        tree
    }
}

fn mask(tree: &mut serde_json::Value) {
    match tree {
        serde_json::Value::String(text) if is_commitment(text) => "***".clone_into(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(mask),
        serde_json::Value::Object(entries) => entries.values_mut().for_each(mask),
        _ => {}
    }
}

fn is_commitment(text: &str) -> bool {
    text.strip_prefix("hmac:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

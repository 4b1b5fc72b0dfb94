//! A manifest for what is there: from Compose files, and from what runs of them, to a commented text. What it declares is
//! what the files declare, so nothing that runs is changed by it; what would change something is commented out, with its
//! reason.
//!
//! `look` asks the engine, and only reads; `choose` says which project is meant. All else is pure: `manifest` writes the
//! page, `readiness`, `room` and `order` know what goes into it, `inline` writes services whose files are gone.

mod choose;
mod inline;
mod look;
mod manifest;
mod order;
mod page;
mod readiness;
mod room;

pub use choose::{Choice, Project, Unclear, choose, env_files_of, files_of, profiles_of};
pub use inline::{Inline, inline};
pub use look::{look, projects, what_runs};
pub use manifest::{manifest, skeleton};

use crate::model::{
    desired::Desired,
    image::ImageConfig,
    names::{ServiceName, StackName},
    observed::Health,
    units::Bytes,
};
use std::collections::{BTreeMap, BTreeSet};

/// Where the services are declared: paths as they shall stand in the manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    pub files: Vec<String>,
    /// Files of variables, where they are not the `.env` that is found anyway.
    pub env_files: Vec<String>,
    /// The profiles that are on.
    pub profiles: Vec<String>,
}

/// Where the services come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Files(Files),
    /// From what runs, for its files are gone.
    Inline(Inline),
}

/// What a manifest is written from.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    pub name: StackName,
    pub source: Source,
    /// What the source declares.
    pub desired: &'a Desired,
    /// What an engine showed of it; `None` where none answers.
    pub seen: Option<&'a Seen>,
    /// Services that no profile enables, with the profiles that would.
    pub disabled: BTreeMap<String, Vec<String>>,
    /// Variables that the files take from the environment of whoever calls.
    pub from_shell: BTreeSet<String>,
}

/// What an engine showed of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Of the host.
    pub memory: Bytes,
    pub services: BTreeMap<ServiceName, Use>,
}

/// What an engine showed of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// How many of its containers run.
    pub running: usize,
    /// The most memory that one of them uses.
    pub memory: Option<Bytes>,
    /// Ports that were tried in one of them, and whether they took a connection.
    pub ports: BTreeMap<u16, bool>,
    /// The worst that Docker's health check says of one.
    pub health: Health,
    /// What its image provides, where the engine has it.
    pub image: Option<ImageConfig>,
}

#[cfg(test)]
mod tests;

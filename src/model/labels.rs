//! The labels that containers, networks and volumes carry: docker compose's, so that its commands work on what evenkeel
//! runs, and evenkeel's own. None of them is ever compared as drift.

use super::value::Value;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::{borrow::Borrow, fmt};

/// The labels of a container, by name: one list, for they are few, and looked at of every container there is.
pub type Labels = LiteMap<LabelName, Value>;

/// A container's label's name. Those that every container carries are one text for all of them: a stack of thousands is
/// sorted by them, and that is a matter of how much memory is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct LabelName(SmolStr);

impl LabelName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for LabelName {
    fn from(text: &str) -> LabelName {
        let known = EVERYWHERE.into_iter().find(|known| *known == text);
        LabelName(known.map_or_else(|| SmolStr::new(text), SmolStr::new_static))
    }
}

impl From<String> for LabelName {
    fn from(text: String) -> LabelName {
        LabelName::from(text.as_str())
    }
}

impl fmt::Display for LabelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Borrow<str> for LabelName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// The labels of every container.
const EVERYWHERE: [&str; 14] = [
    compose::PROJECT,
    compose::SERVICE,
    compose::NUMBER,
    compose::ONEOFF,
    compose::CONFIG_HASH,
    compose::IMAGE,
    compose::DEPENDS_ON,
    compose::CONFIG_FILES,
    compose::WORKING_DIR,
    compose::ENVIRONMENT_FILE,
    compose::VERSION,
    ours::STACK,
    ours::ROLLOUT,
    ours::CONTENT,
];

/// docker compose's labels (`com.docker.compose.…`).
pub mod compose {
    pub const PREFIX: &str = "com.docker.compose.";
    pub const PROJECT: &str = "com.docker.compose.project";
    pub const SERVICE: &str = "com.docker.compose.service";
    pub const NUMBER: &str = "com.docker.compose.container-number";
    pub const ONEOFF: &str = "com.docker.compose.oneoff";
    pub const CONFIG_HASH: &str = "com.docker.compose.config-hash";
    pub const IMAGE: &str = "com.docker.compose.image";
    pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";
    pub const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
    pub const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
    pub const ENVIRONMENT_FILE: &str = "com.docker.compose.project.environment_file";
    pub const VERSION: &str = "com.docker.compose.version";
    pub const NETWORK: &str = "com.docker.compose.network";
    pub const VOLUME: &str = "com.docker.compose.volume";
    /// The docker compose whose model evenkeel follows.
    pub const VERSION_FOLLOWED: &str = "2.40.3";
}

/// evenkeel's labels (`dev.evenkeel.…`): facts fixed at creation.
pub mod ours {
    pub const PREFIX: &str = "dev.evenkeel.";
    /// On everything evenkeel makes: the stack.
    pub const STACK: &str = "dev.evenkeel.stack";
    /// On containers: `<plan id>/<unit>`, to find one again whose creation's reply was lost.
    pub const ROLLOUT: &str = "dev.evenkeel.rollout";
    /// On containers: `1:<salt>:<HMAC>` of the contents mounted; see `content::label`.
    pub const CONTENT: &str = "dev.evenkeel.content";
    /// On the claim volume: where the home is, as mounted on the host.
    pub const HOME: &str = "dev.evenkeel.home";
    /// On the claim volume: the host's machine id.
    pub const MACHINE: &str = "dev.evenkeel.machine";
}

/// Whether a label is docker compose's or ours: written by the tool, not by the user.
pub fn is_bookkeeping(label: &str) -> bool {
    label.starts_with(compose::PREFIX) || label.starts_with(ours::PREFIX)
}

//! The labels that containers, networks and volumes carry: docker compose's, so that its commands work on what evenkeel
//! runs, and evenkeel's own. None of them is ever compared as drift.

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

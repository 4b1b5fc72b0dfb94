//! `down`: removes what evenkeel made; asks for the stack's name first.

use super::arguments::{LockArguments, ManifestArguments, OriginArguments};
use clap::Args;

/// Remove what was made: containers, networks, and with --volumes the data
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Doesn't ask for the stack's name
    #[arg(long)]
    pub yes: bool,
    /// Removes the volumes and the data in them too
    #[arg(long)]
    pub volumes: bool,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub origin: OriginArguments,
}

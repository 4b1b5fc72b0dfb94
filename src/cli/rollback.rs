//! `rollback`: services back to where their gates passed last, or to a revision.

use super::arguments::{LockArguments, ManifestArguments, OriginArguments, ServiceArguments, revision};
use clap::Args;

/// Go back to the last good revision, or to another
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: ServiceArguments,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// The revision to go back to [default: the newest older one where the gates passed]
    #[arg(long, value_name = "REVISION", value_parser = revision)]
    pub to: Option<u64>,
    /// Shows the plan and asks before the first step
    #[arg(long)]
    pub confirm: bool,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub origin: OriginArguments,
}

//! `apply`: makes it so, with live progress, and waits.

use super::arguments::{LockArguments, ManifestArguments, OriginArguments, OverrideArguments, ServiceArguments};
use clap::Args;
use std::path::PathBuf;

/// Make it so, service by service behind health gates, and wait
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: ServiceArguments,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    #[command(flatten)]
    pub overrides: OverrideArguments,
    /// Exactly this plan, saved by `diff --out`; exit code 7 when it is stale
    #[arg(long, value_name = "FILE", conflicts_with_all = ["services", "images", "variables", "unset", "pull"])]
    pub plan: Option<PathBuf>,
    /// Shows the plan and asks before the first step
    #[arg(long)]
    pub confirm: bool,
    /// Removes even most of the services at once, where `prune` is on
    #[arg(long, conflicts_with = "confirm")]
    pub yes: bool,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub origin: OriginArguments,
}

//! `restart`: a rolling restart, each container replaced by an equal one by its service's strategy.

use super::arguments::{LockArguments, ManifestArguments, OriginArguments, ServiceArguments};
use clap::Args;

/// Restart services, each by its own strategy
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: ServiceArguments,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub origin: OriginArguments,
}

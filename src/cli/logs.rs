//! `logs`: what a failed container left behind. For the logs of what runs, docker compose is the tool, and is named.

use super::arguments::{Format, ManifestArguments, service_name};
use crate::model::names::ServiceName;
use clap::Args;

/// Show what a failed container left behind
#[derive(Debug, Args)]
pub struct Arguments {
    /// The service
    #[arg(value_parser = service_name)]
    pub service: ServiceName,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// The kept log, probe answers and state of the last failed container
    #[arg(long)]
    pub failed: bool,
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

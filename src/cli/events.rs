//! `events`: what happened, the newest last.

use super::arguments::{Format, ManifestArguments, count, service_name};
use crate::model::names::ServiceName;
use clap::Args;

/// List what happened, the newest last
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Only those of this service
    #[arg(long, value_name = "SERVICE", value_parser = service_name)]
    pub service: Option<ServiceName>,
    /// At most so many
    #[arg(long, value_name = "COUNT", value_parser = count, default_value_t = 100)]
    pub last: u64,
    /// How they are written; JSON is one object a line
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

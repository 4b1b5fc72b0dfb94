//! `history`: the revisions, the newest first.

use super::arguments::{Format, ManifestArguments, count};
use clap::Args;

/// List the revisions, the newest first
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// At most so many
    #[arg(long, value_name = "COUNT", value_parser = count, default_value_t = 20)]
    pub last: u64,
    /// How they are written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

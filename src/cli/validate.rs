//! `validate`: everything that can be checked without an engine.

use super::arguments::{Format, ManifestArguments};
use clap::Args;

/// Check everything that can be checked without an engine
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// How the notes are written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

//! `status`: the stack at a glance.

use super::arguments::{Format, ManifestArguments};
use clap::Args;

/// Show what is desired, ready, drifted and held
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Shows it again every two seconds, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// How it is written; JSON with --watch is one object a line
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

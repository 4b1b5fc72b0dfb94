//! `diff`: what the same `apply` would do. Changes nothing, claims nothing, needs no home.

use super::arguments::{ManifestArguments, OverrideArguments, ServiceArguments};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Show what would change, field by field, and the steps
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: ServiceArguments,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    #[command(flatten)]
    pub overrides: OverrideArguments,
    /// How the plan is written
    #[arg(long, value_enum, default_value_t)]
    pub format: PlanFormat,
    /// Saves the plan for `apply --plan`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Ends with exit code 1 when there are changes or something is held
    #[arg(long)]
    pub exit_code: bool,
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    #[default]
    Text,
    Json,
    /// For a comment on a pull request.
    Markdown,
}

//! Verbs of the design that are not built: not listed, and refused by name instead of being taken for a typing error.

use super::failure::Failure;
use clap::{Args, Subcommand};

/// Their names.
#[derive(Debug, Subcommand)]
pub enum Verb {
    #[command(hide = true)]
    Backup(Anything),
    #[command(hide = true)]
    Capacity(Anything),
    #[command(hide = true)]
    Gateway(Anything),
}

/// Whatever is written behind one.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Anything {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub words: Vec<String>,
}

impl Verb {
    /// The refusal.
    pub fn refuse(&self) -> Failure {
        let name = match self {
            Verb::Backup(_) => "backup",
            Verb::Capacity(_) => "capacity",
            Verb::Gateway(_) => "gateway",
        };
        Failure::usage(format!("not built yet: {name}")).hint("`evenkeel --help` lists what is there")
    }
}

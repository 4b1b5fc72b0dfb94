//! `pause`: a service is left alone until further notice.

use super::{
    arguments::{ManifestArguments, span},
    exit::Exit,
    failure::Failure,
    output::Output,
    suspend::{SuspendArguments, suspend},
};
use crate::{controllers::stack::Wish, model::units::Millis};
use clap::Args;

/// Leave services alone: nothing of them is changed, repaired or restarted
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub of: SuspendArguments,
    /// Ends by itself after so long [default: when a person ends it]
    #[arg(long = "for", value_name = "DURATION", value_parser = span)]
    pub lasts: Option<Millis>,
}

/// Pauses.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    suspend(Wish::Pause, arguments.lasts, &arguments.of, named, output)
}

//! `stop`: a service is stopped and stays so until further notice.

use super::{
    arguments::{ManifestArguments, span},
    exit::Exit,
    failure::Failure,
    output::Output,
    suspend::{SuspendArguments, suspend},
};
use crate::{controllers::stack::Wish, model::units::Millis};
use clap::Args;

/// Stop services and keep them stopped
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub of: SuspendArguments,
    /// Ends by itself after so long [default: when a person ends it]
    #[arg(long = "for", value_name = "DURATION", value_parser = span)]
    pub lasts: Option<Millis>,
}

/// Stops.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    suspend(Wish::Stop, arguments.lasts, &arguments.of, named, output)
}

//! `start`: a stop ends.

use super::{
    arguments::ManifestArguments,
    exit::Exit,
    failure::Failure,
    output::Output,
    suspend::{SuspendArguments, suspend},
};
use crate::controllers::stack::Wish;
use clap::Args;

/// Start services that were stopped
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub of: SuspendArguments,
}

/// Starts.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    suspend(Wish::Start, None, &arguments.of, named, output)
}

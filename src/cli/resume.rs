//! `resume`: a pause ends, and what a rollback holds.

use super::{
    arguments::ManifestArguments,
    exit::Exit,
    failure::Failure,
    output::Output,
    suspend::{SuspendArguments, suspend},
};
use crate::controllers::stack::Wish;
use clap::Args;

/// End a pause, and what a rollback holds
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub of: SuspendArguments,
}

/// Resumes.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    suspend(Wish::Resume, None, &arguments.of, named, output)
}

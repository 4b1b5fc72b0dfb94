//! `leave`: lets a stack go and leaves everything that it runs.

use super::{
    acting::{self, ActingArguments},
    arguments::ManifestArguments,
    exit::Exit,
    failure::Failure,
    output::Output,
};
use crate::controllers::stack::LeaveRequest;
use clap::Args;

/// Let the stack go and leave all that it runs, for docker compose to go on with
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub acting: ActingArguments,
}

/// Leaves.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let declared = arguments.acting.declared(named, output)?;
    let request = LeaveRequest { origin: arguments.acting.origin(), lock_wait: arguments.acting.lock_wait() };
    acting::act(&declared, None, output, async |stack| stack.leave(&request).await)
}

//! `leave`: lets a stack go and leaves everything that it runs.

use super::{
    acting,
    arguments::{LockArguments, ManifestArguments, OriginArguments, OverrideArguments},
    exit::Exit,
    failure::Failure,
    origin,
    output::Output,
    session,
};
use crate::controllers::stack::LeaveRequest;
use clap::Args;

/// Let the stack go and leave all that it runs, for docker compose to go on with
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub origin: OriginArguments,
}

/// Leaves.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let declared = session::for_acting(&named.and(&arguments.manifest), &OverrideArguments::default(), output)?;
    let request = LeaveRequest { origin: origin::of_process(&arguments.origin), lock_wait: arguments.lock.lock_wait };
    acting::act(&declared, output, async |stack| stack.leave(&request).await)
}

//! `resume`: a pause ends, and what a rollback holds.

use super::{
    acting,
    arguments::{LockArguments, ManifestArguments, NamedServiceArguments, OriginArguments, OverrideArguments},
    exit::Exit,
    failure::Failure,
    origin,
    output::Output,
    session,
};
use crate::controllers::stack::{SuspendRequest, Wish};
use clap::Args;

/// End a pause, and what a rollback holds
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: NamedServiceArguments,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub origin: OriginArguments,
}

/// Resumes.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let declared = session::for_acting(&named.and(&arguments.manifest), &OverrideArguments::default(), output)?;
    let request = SuspendRequest {
        wish: Wish::Resume,
        selected: arguments.services.selected(),
        lasts: None,
        origin: origin::of_process(&arguments.origin),
        lock_wait: arguments.lock.lock_wait,
    };
    acting::act(&declared, output, async |stack| stack.suspend(&request).await)
}

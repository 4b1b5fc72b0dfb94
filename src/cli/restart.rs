//! `restart`: a rolling restart, each container replaced by an equal one by its service's strategy.

use super::{
    acting,
    arguments::{LockArguments, ManifestArguments, OriginArguments, OverrideArguments, ServiceArguments},
    exit::Exit,
    failure::Failure,
    origin,
    output::Output,
    session,
};
use crate::controllers::stack::RestartRequest;
use clap::Args;

/// Restart services, each by its own strategy
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: ServiceArguments,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub origin: OriginArguments,
}

/// Restarts.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let declared = session::for_acting(&named.and(&arguments.manifest), &OverrideArguments::default(), output)?;
    let request = RestartRequest {
        selected: arguments.services.selected(),
        origin: origin::of_process(&arguments.origin),
        lock_wait: arguments.lock.lock_wait,
    };
    acting::act(&declared, output, async |stack| stack.restart(&request).await)
}

//! `restart`: a rolling restart, each container replaced by an equal one by its service's strategy.

use super::{
    acting::{self, ActingArguments},
    arguments::{ManifestArguments, ServiceArguments},
    exit::Exit,
    failure::Failure,
    output::Output,
};
use crate::controllers::stack::RestartRequest;
use clap::Args;

/// Restart services, each by its own strategy
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: ServiceArguments,
    #[command(flatten)]
    pub acting: ActingArguments,
}

/// Restarts.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let declared = arguments.acting.declared(named, output)?;
    let request = RestartRequest {
        selected: arguments.services.selected(),
        origin: arguments.acting.origin(),
        lock_wait: arguments.acting.lock_wait(),
    };
    acting::act(&declared, None, output, async |stack| stack.restart(&request).await)
}

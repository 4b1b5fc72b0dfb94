//! `rollback`: services back to where their gates passed last, or to a revision.

use super::{
    acting::{self, ActingArguments},
    arguments::{ManifestArguments, ServiceArguments, revision},
    exit::Exit,
    failure::Failure,
    output::Output,
};
use crate::controllers::stack::RollbackRequest;
use clap::Args;

/// Go back to the last good revision, or to another
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: ServiceArguments,
    /// The revision to go back to [default: the newest older one where the gates passed]
    #[arg(long, value_name = "REVISION", value_parser = revision)]
    pub to: Option<u64>,
    #[command(flatten)]
    pub acting: ActingArguments,
}

/// Goes back.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let declared = arguments.acting.declared(named, output)?;
    let request = RollbackRequest {
        selected: arguments.services.selected(),
        to: arguments.to,
        declared: declared.clone(),
        origin: arguments.acting.origin(),
        lock_wait: arguments.acting.lock_wait(),
    };
    acting::act(&declared, None, output, async |stack| stack.rollback(&request).await)
}

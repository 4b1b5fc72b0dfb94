//! `rollback`: services back to where their gates passed last, or to a revision.

use super::{
    acting,
    arguments::{LockArguments, ManifestArguments, OriginArguments, OverrideArguments, ServiceArguments, revision},
    exit::Exit,
    failure::Failure,
    origin,
    output::Output,
    session,
};
use crate::controllers::stack::RollbackRequest;
use clap::Args;

/// Go back to the last good revision, or to another
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: ServiceArguments,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// The revision to go back to [default: the newest older one where the gates passed]
    #[arg(long, value_name = "REVISION", value_parser = revision)]
    pub to: Option<u64>,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub origin: OriginArguments,
}

/// Goes back.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let declared = session::for_acting(&named.and(&arguments.manifest), &OverrideArguments::default(), output)?;
    let request = RollbackRequest {
        selected: arguments.services.selected(),
        to: arguments.to,
        declared: declared.clone(),
        origin: origin::of_process(&arguments.origin),
        lock_wait: arguments.lock.lock_wait,
    };
    acting::act(&declared, output, async |stack| stack.rollback(&request).await)
}

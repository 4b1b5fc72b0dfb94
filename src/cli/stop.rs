//! `stop`: a service is stopped and stays so until further notice.

use super::{
    acting,
    arguments::{LockArguments, ManifestArguments, NamedServiceArguments, OriginArguments, OverrideArguments, span},
    exit::Exit,
    failure::Failure,
    origin,
    output::Output,
    session,
};
use crate::{
    controllers::stack::{SuspendRequest, Wish},
    model::units::Millis,
};
use clap::Args;

/// Stop services and keep them stopped
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: NamedServiceArguments,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Ends by itself after so long [default: when a person ends it]
    #[arg(long = "for", value_name = "DURATION", value_parser = span)]
    pub lasts: Option<Millis>,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub origin: OriginArguments,
}

/// Stops.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let declared = session::for_acting(&named.and(&arguments.manifest), &OverrideArguments::default(), output)?;
    let request = SuspendRequest {
        wish: Wish::Stop,
        selected: arguments.services.selected(),
        lasts: arguments.lasts,
        origin: origin::of_process(&arguments.origin),
        lock_wait: arguments.lock.lock_wait,
    };
    acting::act(&declared, output, async |stack| stack.suspend(&request).await)
}

//! What `pause`, `resume`, `stop` and `start` have in common: services, and what a person wants of them until further notice.

use super::{
    acting,
    arguments::{LockArguments, ManifestArguments, NamedServiceArguments, OriginArguments, OverrideArguments},
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

#[derive(Debug, Args)]
pub struct SuspendArguments {
    #[command(flatten)]
    pub services: NamedServiceArguments,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub origin: OriginArguments,
}

/// Makes the wish known, for so long, and makes it so.
pub fn suspend(
    wish: Wish,
    lasts: Option<Millis>,
    of: &SuspendArguments,
    named: &ManifestArguments,
    output: &Output,
) -> Result<Exit, Failure> {
    let declared = session::for_acting(&named.and(&of.manifest), &OverrideArguments::default(), output)?;
    let request = SuspendRequest {
        wish,
        selected: of.services.selected(),
        lasts,
        origin: origin::of_process(&of.origin),
        lock_wait: of.lock.lock_wait,
    };
    acting::act(&declared, output, async |stack| stack.suspend(&request).await)
}

//! What `pause`, `resume`, `stop` and `start` have in common: services, and what a person wants of them until further notice.

use super::{
    acting::{self, ActingArguments},
    arguments::{ManifestArguments, NamedServiceArguments},
    exit::Exit,
    failure::Failure,
    output::Output,
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
    pub acting: ActingArguments,
}

/// Makes the wish known, for so long, and makes it so.
pub fn suspend(
    wish: Wish,
    lasts: Option<Millis>,
    of: &SuspendArguments,
    named: &ManifestArguments,
    output: &Output,
) -> Result<Exit, Failure> {
    let declared = of.acting.declared(named, output)?;
    let request = SuspendRequest {
        wish,
        selected: of.services.selected(),
        lasts,
        origin: of.acting.origin(),
        lock_wait: of.acting.lock_wait(),
    };
    acting::act(&declared, None, output, async |stack| stack.suspend(&request).await)
}

//! `run`: the current revision is kept. One round is what an apply's later rounds are; nothing here decides what is done.

use super::Stack;
use crate::{
    controllers::{Controller, ControllerError, EngineSince, Manifest, Requeue, Wake},
    model::{revision::Origin, units::Millis},
};
use async_trait::async_trait;
use std::sync::Arc;

/// What keeping a stack takes beside the stack.
pub struct KeepOptions {
    /// Who acts, in revisions and events.
    pub origin: Origin,
    /// No liveness restart for so long after evenkeel or the engine started.
    pub settle: Millis,
    /// Taken over as it changes; without one the current revision is all there is.
    pub manifest: Option<Arc<dyn Manifest>>,
    /// Rung when a probe finds something.
    pub wake: Wake,
    pub engine_since: EngineSince,
}

/// Keeps one stack.
pub struct Keeper {
    stack: Stack,
    options: KeepOptions,
}

impl Keeper {
    /// A keeper of this stack.
    pub fn new(stack: Stack, options: KeepOptions) -> Keeper {
        Keeper { stack, options }
    }

    /// A bound on the next round, for a watchdog: what its plan may take, and a minute.
    pub fn round_bound(&self) -> Millis {
        Millis::minutes(5)
    }
}

#[async_trait]
impl Controller for Keeper {
    async fn reconcile(&mut self) -> Result<Requeue, ControllerError> {
        let _ = (&self.stack, &self.options);
        Ok(Requeue::Idle)
    }
}

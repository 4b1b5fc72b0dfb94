//! Loops that make rounds, each for one concern. A controller takes no input: it observes, and what wakes it is only a
//! reason to look. It keeps nothing in memory that a restart would miss.

pub mod stack;

use crate::model::units::Timestamp;
use async_trait::async_trait;

/// One concern, kept as it should be.
#[async_trait]
pub trait Controller: Send {
    /// One round: observe, plan, execute. Dropping the future is safe at any moment.
    async fn reconcile(&mut self) -> Result<Requeue, ControllerError>;
}

/// When to look again, if nothing wakes the controller before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requeue {
    /// With the next resync.
    Idle,
    /// Then: time alone changes something.
    At(Timestamp),
    /// At once: something was done, so look whether it holds.
    Now,
}

/// Why a round came to nothing; the next one is made after a back-off.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ControllerError(#[from] pub stack::StackError);

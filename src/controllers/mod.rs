//! Loops that make rounds, each for one concern. A controller takes no input: it observes, and what wakes it is only a
//! reason to look. It keeps nothing in memory that a restart would miss.

pub mod stack;

use crate::model::{
    desired::{Desired, Overrides},
    plan::Note,
    units::Timestamp,
};
use async_trait::async_trait;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::sync::Notify;

/// One concern, kept as it should be. Controllers share one thread: each waits far more than it works.
#[async_trait(?Send)]
pub trait Controller {
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

/// What wakes a controller: a bell that anyone may ring, as often as they like; the reasons are for logs alone.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Bell>);

#[derive(Debug, Default)]
struct Bell {
    rung: Notify,
    reasons: Mutex<BTreeSet<String>>,
}

impl Wake {
    /// At most so many different reasons are kept for the log.
    const REASONS_MAX: usize = 8;

    /// Wakes the controller, or lets it look once more if it is at work.
    pub fn up(&self, reason: impl Into<String>) {
        let mut reasons = self.0.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        if reasons.len() < Wake::REASONS_MAX {
            reasons.insert(reason.into());
        }
        drop(reasons);
        self.0.rung.notify_one();
    }

    /// Waits until it is woken. Those who rang since the last call are answered at once, and together.
    pub async fn woken(&self) {
        self.0.rung.notified().await;
    }

    /// Why it was woken, since the last call.
    pub fn reasons(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.0.reasons.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Since when the engine is known to be up, as far as this process could see: its own start, or the engine's return.
#[derive(Clone, Debug)]
pub struct EngineSince(Arc<AtomicI64>);

impl EngineSince {
    /// Takes the time at which this process began to look.
    pub fn new(now: Timestamp) -> EngineSince {
        EngineSince(Arc::new(AtomicI64::new(now.0)))
    }

    /// The engine is back.
    pub fn back(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::Relaxed);
    }

    /// Since when.
    pub fn since(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// By when a round that is under way must be done, or say again by when: past that a watchdog ends it.
#[derive(Clone, Debug, Default)]
pub struct Patience(Arc<AtomicI64>);

impl Patience {
    /// From now on the round is waited for until then.
    pub fn until(&self, moment: Timestamp) {
        self.0.store(moment.0, Ordering::Relaxed);
    }

    /// Until when.
    pub fn ends(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Where a manifest that is followed comes from.
pub trait Manifest: Send + Sync {
    /// What it declares now, with these overrides in force.
    ///
    /// # Errors
    /// Every fault as text, where it can't be read or is wrong.
    fn load(&self, in_force: &Overrides) -> Result<(Desired, Vec<Note>), String>;
}

//! The engine's event stream, followed for ever: each event wakes whom it is about. A stream that breaks is opened again, and
//! everybody is woken, because what happened meanwhile is not known.

use super::{fleet::Fleet, health::Health, turn::chain};
use crate::{
    controllers::EngineSince,
    engine::{Engine, EngineError, clock::Clock},
    model::{
        event::{EventKind, Severity},
        units::{Millis, Timestamp},
    },
};
use futures::StreamExt;
use std::sync::Arc;

/// Before the stream is opened again; twice as long each time, up to the second.
const BACKOFF_FIRST: Millis = Millis(100);
const BACKOFF_MAX: Millis = Millis::seconds(5);
/// A stream that lasted so long was a good one.
const GOOD: Millis = Millis::seconds(10);

/// What watching takes.
pub struct Watching {
    pub engine: Arc<dyn Engine>,
    pub clock: Arc<dyn Clock>,
    pub fleet: Arc<Fleet>,
    pub health: Arc<Health>,
    pub since: EngineSince,
}

impl Watching {
    /// Watches for ever.
    pub async fn run(self) {
        let mut lost: Option<Timestamp> = None;
        let mut backoff = BACKOFF_FIRST;
        loop {
            let (opened, error) = self.follow(&mut lost).await;
            let now = self.clock.now();
            if opened.is_some_and(|opened| now.since(opened) >= GOOD) {
                backoff = BACKOFF_FIRST;
            }
            self.health.engine_is_lost(&error);
            if lost.is_none() {
                lost = Some(now);
                let text = format!("the engine is lost: {error}");
                self.fleet.tell_all(EventKind::EngineLost, Severity::Warning, &text).await;
            }
            self.clock.sleep(backoff).await;
            backoff = Millis(backoff.0 * 2).min(BACKOFF_MAX);
        }
    }

    /// One stream to its end: when it was opened, and what ended it.
    async fn follow(&self, lost: &mut Option<Timestamp>) -> (Option<Timestamp>, String) {
        let mut events = match self.engine.watch().await {
            Ok(events) => events,
            Err(error) => return (None, words(&error)),
        };
        let opened = self.clock.now();
        self.health.engine_is_back();
        if let Some(since) = lost.take() {
            self.since.back(opened);
            let text = format!("the engine is back after {}", opened.since(since));
            self.fleet.tell_all(EventKind::EngineBack, Severity::Info, &text).await;
        }
        self.fleet.wake_all("the engine is watched from now on");
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => self.fleet.wake(&event),
                Err(error) => return (Some(opened), words(&error)),
            }
        }
        (Some(opened), "the engine ended its stream of events".to_owned())
    }
}

fn words(error: &EngineError) -> String {
    chain(error)
}

#[cfg(test)]
mod tests;

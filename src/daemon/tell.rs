//! Telling what happens to a loop: into the stack's home, and to whoever listens.

use crate::{
    engine::clock::Clock,
    execute::EventSender,
    home::Home,
    model::{
        event::{Event, EventKind, Severity},
        names::StackName,
    },
};
use async_trait::async_trait;
use std::sync::Arc;

/// Somewhere to tell things.
#[async_trait]
pub trait Tell: Send + Sync {
    /// Takes a sentence for a person.
    async fn tell(&self, kind: EventKind, severity: Severity, text: String);
}

/// Tells as events of a stack.
pub struct StackTeller {
    pub stack: StackName,
    /// Where the event is recorded; a home that can't be written is told of elsewhere.
    pub home: Option<Arc<Home>>,
    pub events: EventSender,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Tell for StackTeller {
    async fn tell(&self, kind: EventKind, severity: Severity, text: String) {
        let mut event = Event {
            seq: 0,
            time: self.clock.now(),
            stack: self.stack.clone(),
            round: None,
            revision: None,
            service: None,
            rollout: None,
            step: None,
            kind,
            severity,
            text,
            data: serde_json::Map::new(),
        };
        let recorded = self.home.as_ref().and_then(|home| home.append(std::slice::from_ref(&event)).ok());
        event.seq = recorded.and_then(|numbers| numbers.first().copied()).unwrap_or(0);
        // Nobody listening is no reason to stop.
        let _ = self.events.send(event).await;
    }
}

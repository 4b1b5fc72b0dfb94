//! Events on their way: numbered and kept by the home, then passed on to whoever shows them. Progress that is worth
//! nothing afterwards is only passed on.

use super::Stack;
use crate::{
    execute::EventSender,
    home::Home,
    model::event::{Event, EventKind, Severity},
};
use std::sync::Arc;
use tokio::{sync::mpsc, task::JoinHandle};

/// At most so many events wait to be recorded; then their senders wait.
const QUEUE: usize = 1024;

/// Takes events until it is closed.
pub(super) struct Recorder {
    pub sender: EventSender,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Starts recording what belongs to one plan.
    pub fn start(home: Option<Arc<Home>>, on: EventSender, round: String, revision: Option<u64>) -> Recorder {
        let (sender, mut receiver) = mpsc::channel::<Event>(QUEUE);
        let task = tokio::spawn(async move {
            while let Some(mut event) = receiver.recv().await {
                event.round.get_or_insert_with(|| round.clone());
                event.revision = event.revision.or(revision);
                keep(home.as_deref(), &mut event);
                // Nobody listening is no reason to stop.
                let _ = on.send(event).await;
            }
        });
        Recorder { sender, task }
    }

    /// Waits until all is recorded and passed on.
    pub async fn close(self) {
        drop(self.sender);
        let _ = self.task.await;
    }
}

fn keep(home: Option<&Home>, event: &mut Event) {
    let fleeting = event.severity == Severity::Debug || event.kind == EventKind::StepProgress;
    let (Some(home), false) = (home, fleeting) else { return };
    if let Some(number) = home.append(std::slice::from_ref(event)).ok().and_then(|numbers| numbers.first().copied()) {
        event.seq = number;
    }
}

impl Stack {
    /// An event of the stack as a whole.
    pub(super) fn event(&self, kind: EventKind, severity: Severity, text: impl Into<String>) -> Event {
        Event {
            seq: 0,
            time: self.clock.now(),
            stack: self.name.clone(),
            round: None,
            revision: None,
            service: None,
            rollout: None,
            step: None,
            kind,
            severity,
            text: text.into(),
            data: serde_json::Map::new(),
        }
    }

    /// Records an event and passes it on.
    pub(super) async fn tell(&self, mut event: Event) {
        keep(self.home.as_deref(), &mut event);
        let _ = self.events.send(event).await;
    }
}

//! One line an event, for logs. An answer that repeats itself is left out, and so is one that comes within a second of
//! the last: a gate's or a pull's progress must not fill a CI log. A step is told once, when it has ended, with its time.

use crate::cli::render::{events::progress_line, quantities::took, style::Style};
use crate::model::{
    event::{Event, EventKind},
    names::StepId,
    units::{Millis, Timestamp},
};
use std::collections::BTreeMap;

const BETWEEN_PROGRESS_MIN: Millis = Millis::seconds(1);

/// What was last said of each step that goes on.
#[derive(Clone, Debug, Default)]
pub struct Lines(BTreeMap<StepId, (Timestamp, String)>);

impl Lines {
    /// The line for an event, or nothing.
    pub fn take(&mut self, event: &Event, style: Style) -> Option<String> {
        match (&event.step, event.kind) {
            (Some(_), EventKind::StepStarted) => return None,
            (Some(step), EventKind::StepProgress) => {
                if let Some((when, text)) = self.0.get(step)
                    && (*text == event.text || event.time.since(*when) < BETWEEN_PROGRESS_MIN)
                {
                    return None;
                }
                self.0.insert(step.clone(), (event.time, event.text.clone()));
            }
            (Some(step), EventKind::StepDone | EventKind::StepFailed) => {
                self.0.remove(step);
            }
            _ => {}
        }
        Some(progress_line(&timed(event), style))
    }
}

/// A step's end with the time that it took.
fn timed(event: &Event) -> Event {
    let mut event = event.clone();
    let span = event.data.get("tookMs").and_then(serde_json::Value::as_u64);
    if let (EventKind::StepDone, Some(span)) = (event.kind, span) {
        event.text = format!("{} ({})", event.text, took(Millis(span)));
    }
    event
}

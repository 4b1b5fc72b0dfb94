//! One line an event, for logs. An answer that repeats itself is left out, and so is one that comes within a second of
//! the last: a gate's or a pull's progress must not fill a CI log.

use crate::cli::render::{events::progress_line, style::Style};
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
        Some(progress_line(event, style))
    }
}

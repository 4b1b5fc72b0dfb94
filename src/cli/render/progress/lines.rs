//! One line an event, for logs. An answer that repeats itself is left out, and so is one that comes within a second of
//! the last: a gate's or a pull's progress must not fill a CI log. A step is told once, when it has ended, with its time.

use crate::cli::render::{
    events::progress_text,
    quantities::took,
    style::{Style, Tone},
};
use crate::model::{
    event::{Event, EventKind},
    names::StepId,
    units::{Millis, Timestamp},
};
use std::collections::BTreeMap;

const BETWEEN_PROGRESS_MIN: Millis = Millis::seconds(1);

/// What goes on.
#[derive(Clone, Debug, Default)]
pub struct Lines(BTreeMap<StepId, Going>);

/// A step that goes on: since when, and what was last said of it.
#[derive(Clone, Debug)]
struct Going {
    since: Timestamp,
    said: Option<(Timestamp, String)>,
}

impl Lines {
    /// The line for an event, or nothing.
    pub fn take(&mut self, event: &Event, style: Style) -> Option<String> {
        // The verb's own last words say it better.
        if event.kind == EventKind::ApplyEnded {
            return None;
        }
        let text = progress_text(event);
        let Some(step) = &event.step else { return Some(text.paint(style)) };
        match event.kind {
            EventKind::StepStarted => {
                self.0.insert(step.clone(), Going { since: event.time, said: None });
                return None;
            }
            EventKind::StepProgress => {
                let going = self.0.entry(step.clone()).or_insert(Going { since: event.time, said: None });
                if let Some((when, said)) = &going.said
                    && (*said == event.text || event.time.since(*when) < BETWEEN_PROGRESS_MIN)
                {
                    return None;
                }
                going.said = Some((event.time, event.text.clone()));
            }
            EventKind::StepDone | EventKind::StepFailed => {
                if let Some(going) = self.0.remove(step) {
                    let span = format!(", {}", took(event.time.since(going.since)));
                    return Some(text.and(Tone::Quiet, span).paint(style));
                }
            }
            _ => {}
        }
        Some(text.paint(style))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::Severity;

    fn said(lines: &mut Lines, kind: EventKind, at: i64, text: &str) -> Option<String> {
        let event = Event {
            seq: 0,
            time: Timestamp(at),
            stack: "webkit".into(),
            round: None,
            revision: None,
            service: Some("core".into()),
            rollout: Some("core".into()),
            step: Some("core/1/gate".into()),
            kind,
            severity: Severity::Info,
            text: text.into(),
            data: serde_json::Map::new(),
        };
        lines.take(&event, Style::PLAIN)
    }

    #[test]
    fn a_step_says_when_it_ends_how_long_it_took() {
        let mut lines = Lines::default();
        assert_eq!(said(&mut lines, EventKind::StepStarted, 0, "wait"), None);
        let ended = said(&mut lines, EventKind::StepDone, 3100, "wait");
        assert_eq!(ended.as_deref(), Some("00:00:03Z  core/1/gate  ✓ wait, 3.1s"));
        let alone = said(&mut lines, EventKind::StepFailed, 3200, "core: gone");
        assert_eq!(alone.as_deref(), Some("00:00:03Z  core/1/gate  ✗ gone"));
    }

    #[test]
    fn what_repeats_itself_or_comes_too_fast_is_left_out() {
        let mut lines = Lines::default();
        let progress = |lines: &mut Lines, at, text| said(lines, EventKind::StepProgress, at, text).is_some();
        assert!(progress(&mut lines, 0, "503"));
        assert!(!progress(&mut lines, 5000, "503"));
        assert!(progress(&mut lines, 5000, "refused"));
        assert!(!progress(&mut lines, 5500, "503"));
        assert!(progress(&mut lines, 6000, "503"));
    }
}

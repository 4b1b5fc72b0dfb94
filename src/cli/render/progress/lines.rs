//! One line an event, for logs. An answer that repeats itself is left out, and so is one that comes within a second of
//! the last: a gate's or a pull's progress must not fill a CI log. A step is told once, when it has ended, with its time.

use crate::cli::render::{
    events::{log_text, progress_text},
    quantities::took,
    style::{Style, Tone},
};
use crate::model::{
    event::{Event, EventKind},
    names::{StackName, StepId},
    units::{Millis, Timestamp},
};
use std::collections::BTreeMap;

const BETWEEN_PROGRESS_MIN: Millis = Millis::seconds(1);

/// What goes on.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    going: BTreeMap<(StackName, StepId), Going>,
    /// Each line has its date and its stack.
    whole: bool,
}

/// A step that goes on: since when, and what was last said of it.
#[derive(Clone, Debug)]
struct Going {
    since: Timestamp,
    said: Option<(Timestamp, String)>,
}

impl Lines {
    /// Lines of several stacks, with the date: for a process that goes on for ever.
    pub fn of_stacks() -> Lines {
        Lines { whole: true, ..Lines::default() }
    }

    /// The line for an event, or nothing.
    pub fn take(&mut self, event: &Event, style: Style) -> Option<String> {
        // A verb's own last words say it better.
        if event.kind == EventKind::ApplyEnded && !self.whole {
            return None;
        }
        let text = if self.whole { log_text(event) } else { progress_text(event) };
        let Some(step) = &event.step else { return Some(text.paint(style)) };
        let step = (event.stack.clone(), step.clone());
        match event.kind {
            EventKind::StepStarted => {
                self.going.insert(step, Going { since: event.time, said: None });
                return None;
            }
            EventKind::StepProgress => {
                let going = self.going.entry(step).or_insert(Going { since: event.time, said: None });
                if let Some((when, said)) = &going.said
                    && (*said == event.text || event.time.since(*when) < BETWEEN_PROGRESS_MIN)
                {
                    return None;
                }
                going.said = Some((event.time, event.text.clone()));
            }
            EventKind::StepDone | EventKind::StepFailed => {
                if let Some(going) = self.going.remove(&step) {
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
    fn a_log_names_the_stack() {
        let line = said(&mut Lines::of_stacks(), EventKind::StepDone, 3100, "core: ready");
        assert_eq!(line.as_deref(), Some("1970-01-01 00:00:03Z  webkit  core/1/gate  ✓ ready"));
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

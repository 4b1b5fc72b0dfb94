//! Events, a line each: what `events` prints, and progress where there is no terminal.

use super::{
    quantities::{moment, time_of_day},
    style::{Style, Text, Tone},
};
use crate::model::event::{Event, EventKind, Severity};

/// One recorded event with its date: `2026-11-23 20:14:03Z  core/1/gate  ready`.
pub fn event_line(event: &Event, style: Style) -> String {
    line(event, Text::toned(Tone::Quiet, moment(event.time))).paint(style)
}

/// One event as it happens, with the time of day.
pub fn progress_text(event: &Event) -> Text {
    line(event, Text::toned(Tone::Quiet, time_of_day(event.time)))
}

/// One event of one stack of several, as it happens, with its date.
pub fn log_text(event: &Event) -> Text {
    line(event, Text::toned(Tone::Quiet, moment(event.time)).space(2).plain(event.stack.as_str()))
}

/// The first line of what an event says, without the name of the rollout that stands before it anyway.
pub fn words(event: &Event) -> &str {
    let name = event.rollout.as_deref().unwrap_or_default();
    let text = event.text.lines().next().unwrap_or_default();
    text.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(text)
}

fn line(event: &Event, start: Text) -> Text {
    let tone = match event.severity {
        Severity::Debug => Tone::Quiet,
        Severity::Info => Tone::Plain,
        Severity::Warning => Tone::Change,
        Severity::Error => Tone::Bad,
    };
    let mut text = start.space(2);
    if let Some(subject) = subject(event) {
        text = text.and(Tone::Strong, subject).space(2);
    }
    // A colour alone must not say it.
    text = match (event.kind, event.severity) {
        (EventKind::StepDone | EventKind::RolloutDone, _) => text.and(Tone::Good, "✓ "),
        (EventKind::StepFailed | EventKind::RolloutFailed, _) => text.and(Tone::Bad, "✗ "),
        (_, Severity::Warning) => text.and(tone, "warning: "),
        (_, Severity::Error) => text.and(tone, "error: "),
        (_, Severity::Debug | Severity::Info) => text,
    };
    text.and(tone, words(event))
}

/// The step, else the rollout, else the service that it is about.
fn subject(event: &Event) -> Option<&str> {
    let step = event.step.as_ref().map(|step| step.as_str());
    step.or(event.rollout.as_deref()).or(event.service.as_ref().map(|service| service.as_str()))
}

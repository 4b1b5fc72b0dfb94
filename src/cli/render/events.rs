//! Events, a line each: what `events` prints, and progress where there is no terminal.

use super::{
    quantities::{moment, time_of_day},
    style::{Style, Text, Tone},
};
use crate::model::event::{Event, Severity};

/// One recorded event with its date: `2026-11-23 20:14:03Z  core/1/gate  ready`.
pub fn event_line(event: &Event, style: Style) -> String {
    line(event, moment(event.time)).paint(style)
}

/// One event as it happens, with the time of day.
pub fn progress_line(event: &Event, style: Style) -> String {
    line(event, time_of_day(event.time)).paint(style)
}

fn line(event: &Event, time: String) -> Text {
    let tone = match event.severity {
        Severity::Debug => Tone::Quiet,
        Severity::Info => Tone::Plain,
        Severity::Warning => Tone::Change,
        Severity::Error => Tone::Bad,
    };
    let text = Text::toned(Tone::Quiet, time).space(2);
    let text = match subject(event) {
        Some(subject) => text.and(Tone::Strong, subject).space(2),
        None => text,
    };
    match event.severity {
        // A colour alone must not say it.
        Severity::Warning => text.and(tone, "warning: "),
        Severity::Error => text.and(tone, "error: "),
        Severity::Debug | Severity::Info => text,
    }
    .and(tone, &event.text)
}

/// The step, else the rollout, else the service that it is about.
fn subject(event: &Event) -> Option<&str> {
    let step = event.step.as_ref().map(|step| step.as_str());
    step.or(event.rollout.as_deref()).or(event.service.as_ref().map(|service| service.as_str()))
}

//! What became of a plan: a line a rollout that is done, and for one that failed all that a person needs to see at once:
//! which step, the last answer, the last lines of the log, what was undone, and where the rest is.

use super::{
    plan::Words,
    quantities::took,
    style::{Style, Text, Tone},
};
use crate::cli::render::plan::undone_by;
use crate::model::{
    container::Limits,
    names::{ServiceName, StepId},
    outcome::{AfterFailure, Outcome, RolloutOutcome, RolloutResult},
    plan::{Action, Plan, Reason, Rollout},
    step::Does,
    units::Millis,
};

/// So many of the log's last lines are printed.
const LOG_LINES: usize = 10;

/// What a failed container left behind, as it may be printed: sensitive values are masked already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub service: Option<ServiceName>,
    /// The container's name.
    pub container: String,
    /// The last probe answers, the newest last.
    pub answers: Vec<String>,
    pub log: String,
}

/// The outcome as text, every line ended. `left` holds what the failed containers left behind, by service.
pub fn outcome_text(plan: &Plan, outcome: &Outcome, left: &[Left], style: Style) -> String {
    let words = Words::of(plan);
    let mut lines: Vec<Text> = Vec::new();
    let width = outcome.rollouts.iter().map(|result| result.id.chars().count()).max().unwrap_or_default();
    for result in &outcome.rollouts {
        let Some(rollout) = plan.rollouts.iter().find(|rollout| rollout.id == result.id) else { continue };
        match &result.result {
            RolloutResult::Done => {
                let words = done_in_words(plan, rollout, outcome, result.took);
                lines.push(column(Tone::Good, "✓", &result.id, width).plain(words));
            }
            RolloutResult::Unproven { why } => {
                let words = format!("started, and not waited for: {why}");
                lines.push(column(Tone::Change, "!", &result.id, width).plain(words));
            }
            RolloutResult::NotBegun => {
                lines.push(column(Tone::Quiet, "-", &result.id, width).plain("not begun"));
            }
            RolloutResult::Failed { step, error, after } => {
                let failure = Failed { rollout, result, step, error, after: *after, width };
                failure.write(&words, outcome, left, &mut lines);
            }
        }
    }
    if let Some(id) = &outcome.failed_step {
        let error = outcome.steps.iter().find(|step| step.id == *id).and_then(|step| step.error.as_deref());
        lines.push(failed_line(id.as_str(), error.unwrap_or("failed")));
    }
    if outcome.engine_lost {
        lines.push(failed_line("engine", "gone, and not back in time; the next apply recovers what was begun"));
    }
    if outcome.interrupted {
        lines.push(Text::toned(Tone::Change, "!").space(1).plain("interrupted"));
    }
    lines.iter().map(|line| line.paint(style) + "\n").collect()
}

/// A mark and a name, in a column that is as wide as the longest one.
fn column(tone: Tone, mark: &str, id: &str, width: usize) -> Text {
    Text::toned(tone, mark).space(1).and(Tone::Strong, id).space(width.saturating_sub(id.chars().count()) + 2)
}

/// `✓ core  replaced in 14.2s, ready after 3.1s`.
pub fn done_line(id: &str, words: &str) -> Text {
    Text::toned(Tone::Good, "✓").space(1).and(Tone::Strong, id).space(2).plain(words)
}

/// `✗ core  …`.
pub fn failed_line(id: &str, words: &str) -> Text {
    Text::toned(Tone::Bad, "✗").space(1).and(Tone::Strong, id).space(2).plain(words)
}

fn done_in_words(plan: &Plan, rollout: &Rollout, outcome: &Outcome, span: Millis) -> String {
    let about = |change: &&crate::model::plan::Change| match &change.resource {
        crate::model::names::Resource::Service(name) => rollout.members.contains(name),
        _ => false,
    };
    let change = plan.changes.iter().find(about);
    let verb = match change.map(|change| change.action) {
        Some(Action::Create) => "created",
        Some(Action::Update) if change.is_some_and(|change| change.reason == Reason::Scaled) => "scaled",
        Some(Action::Update) => updated(plan, rollout),
        Some(Action::Replace) => "replaced",
        Some(Action::Remove) => "removed",
        Some(Action::Adopt) => "adopted",
        None => "done",
    };
    let gates = rollout.steps.iter().filter(|id| plan.step(id).is_some_and(|step| matches!(step.does, Does::Gate(_))));
    let longest = gates.filter_map(|id| outcome.steps.iter().find(|step| step.id == *id)).map(|step| step.took).max();
    match longest {
        Some(gate) => format!("{verb} in {}, ready after {}", took(span), took(gate)),
        None => format!("{verb} in {}", took(span)),
    }
}

fn updated(plan: &Plan, rollout: &Rollout) -> &'static str {
    let does =
        |wanted: fn(&Does) -> bool| rollout.steps.iter().filter_map(|id| plan.step(id)).any(|one| wanted(&one.does));
    let (stops, starts) = (does(|does| matches!(does, Does::Stop(_))), does(|does| matches!(does, Does::Start { .. })));
    match (stops, starts) {
        (true, true) => "restarted in place",
        (true, false) => "stopped",
        (false, true) if !does(|does| matches!(does, Does::Update(update) if update.limits != Limits::default())) => {
            "started"
        }
        _ => "updated in place",
    }
}

struct Failed<'a> {
    rollout: &'a Rollout,
    result: &'a RolloutOutcome,
    step: &'a StepId,
    error: &'a str,
    after: AfterFailure,
    width: usize,
}

impl Failed<'_> {
    fn write(&self, words: &Words<'_>, outcome: &Outcome, left: &[Left], lines: &mut Vec<Text>) {
        let span = outcome.steps.iter().find(|step| step.id == *self.step).map_or(self.result.took, |step| step.took);
        let mut error = self.error.lines();
        let first = error.next().unwrap_or_default();
        let what = format!("{} failed after {}: {first}", self.step, took(span));
        lines.push(column(Tone::Bad, "✗", &self.result.id, self.width).plain(what));
        let below = |label: &str, text: &str| Text::new().space(4).and(Tone::Strong, label).space(1).plain(text);
        // Of what the user interrupted there is nothing to find out.
        let left = if outcome.interrupted { &[] } else { left };
        let left = left.iter().find(|left| left.service.as_ref().is_some_and(|s| self.rollout.members.contains(s)));
        if left.is_none() {
            lines.extend(error.map(|line| Text::new().space(4).plain(line.trim_end())));
        }
        // An answer is kept after the time it came at. Mostly the reason says it.
        let said = |answer: &&String| answer.split_once(' ').is_some_and(|(_, answer)| first.contains(answer));
        if let Some(answer) = left.and_then(|left| left.answers.last()).filter(|answer| !said(answer)) {
            lines.push(below("last answer:", answer));
        }
        if let Some(left) = left.filter(|left| !left.log.trim().is_empty()) {
            lines.push(below("log:", &format!("the end of what {} wrote", left.container)));
            let log: Vec<&str> = left.log.trim_end().lines().collect();
            for line in &log[log.len().saturating_sub(LOG_LINES)..] {
                lines.push(Text::new().space(6).and(Tone::Quiet, "|").space(1).plain(line));
            }
        }
        lines.push(below("after:", &self.undone(words)));
        let service = left.and_then(|left| left.service.as_ref()).unwrap_or(&self.result.service);
        if let AfterFailure::UndoFailed = self.after {
            for step in self.undo_errors(outcome) {
                lines.push(below("undo:", &step));
            }
        }
        if left.is_some() {
            lines.push(below("more:", &format!("evenkeel logs {service} --failed")));
        }
    }

    fn undone(&self, words: &Words<'_>) -> String {
        let undo = self.rollout.undo.iter().find(|undo| undo.from == *self.step);
        let steps = undo.map_or(String::new(), |undo| undone_by(self.rollout, self.step, &undo.steps, words));
        let service = &self.result.service;
        match self.after {
            AfterFailure::Restored if steps.is_empty() => "what ran before still serves".to_owned(),
            AfterFailure::Restored => format!("{steps}: done, what ran before serves"),
            AfterFailure::Nothing if steps.is_empty() => "nothing ran before".to_owned(),
            AfterFailure::Nothing => format!("{steps}: done, nothing ran before"),
            AfterFailure::Left => format!(
                "both containers stay as they are; the next apply waits for the new one again, `evenkeel rollback {service}` takes it back"
            ),
            AfterFailure::Unfinished => "cut off: the next apply finishes it or takes it back".to_owned(),
            AfterFailure::UndoFailed => "the undo failed too: a person is needed".to_owned(),
        }
    }

    fn undo_errors(&self, outcome: &Outcome) -> Vec<String> {
        let ids = self.rollout.undo.iter().filter(|undo| undo.from == *self.step).flat_map(|undo| &undo.steps);
        ids.filter_map(|step| {
            let error = outcome.steps.iter().find(|done| done.id == step.id)?.error.as_ref()?;
            Some(format!("{}: {error}", step.id))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests;

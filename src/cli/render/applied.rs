//! What an apply came to: each rollout's end, what is held, what is left, and one sentence that says it all.

use super::{
    outcome::{Left, outcome_text},
    plan::{changes_in_words, held_text},
    quantities::moment,
    style::{Style, Text, Tone},
};
use crate::{
    cli::exit::Exit,
    controllers::stack::Applied,
    model::{
        outcome::{Outcome, RolloutResult},
        plan::Plan,
        step::Cause,
    },
};

/// What was told already, and what is known beside.
pub struct Told<'a> {
    /// Progress showed the rollouts that are done.
    pub done_is_shown: bool,
    /// What failed containers left behind.
    pub left: &'a [Left],
}

/// The end of an apply as text, every line ended.
pub fn applied_text(applied: &Applied, told: &Told<'_>, style: Style) -> String {
    let mut text = String::new();
    if let Some(adopted) = &applied.adopted {
        text.push_str(&format!("{}\n", Text::from(adopted.as_str()).paint(style)));
    }
    for (plan, outcome) in &applied.rounds {
        let outcome = if told.done_is_shown { without_done(outcome) } else { outcome.clone() };
        text.push_str(&outcome_text(plan, &outcome, told.left, style));
    }
    if !applied.held.is_empty() {
        text.push_str(&held_text(&applied.held, style));
    }
    if !left(applied).is_empty() {
        text.push_str(&format!("{}\n", Text::toned(Tone::Strong, "left").paint(style)));
        for one in left(applied) {
            text.push_str(&format!("{}\n", Text::new().space(2).plain(one).paint(style)));
        }
    }
    for one in &applied.suspended {
        let until = one.until.map(|until| format!(" until {}", moment(until))).unwrap_or_default();
        let line = Text::toned(Tone::Strong, one.service.as_str()).plain(format!(" {}{until}", one.what));
        text.push_str(&format!("{}\n", line.paint(style)));
    }
    // A pause converges nothing.
    if applied.suspended.is_empty() || !applied.rounds.is_empty() || applied.exit != 0 {
        text.push_str(&format!("{}\n", sentence(applied).paint(style)));
    }
    text
}

/// What is left and was not said with its rollout.
fn left(applied: &Applied) -> Vec<&str> {
    let said = |line: &str| {
        let id = line.split(": ").next().unwrap_or(line);
        applied.rounds.iter().any(|(_, outcome)| outcome.rollouts.iter().any(|rollout| rollout.id == id))
    };
    applied.left.iter().map(String::as_str).filter(|line| !said(line)).collect()
}

fn without_done(outcome: &Outcome) -> Outcome {
    let mut outcome = outcome.clone();
    outcome.rollouts.retain(|rollout| rollout.result != RolloutResult::Done);
    outcome
}

fn is_down(applied: &Applied) -> bool {
    let changes = applied.rounds.iter().flat_map(|(plan, _)| &plan.changes);
    changes.into_iter().any(|change| change.cause == Cause::Down)
}

/// `revision 15: converged, 3 changes made`.
fn sentence(applied: &Applied) -> Text {
    let revision = match applied.revision {
        Some(revision) => format!("revision {revision}: "),
        None => String::new(),
    };
    let made = match applied.rounds.iter().map(|(plan, _)| plan).collect::<Vec<&Plan>>().as_slice() {
        [] => "nothing to do".to_owned(),
        [first, ..] => changes_in_words(first.differences().count()),
    };
    let (tone, words) = match Exit::from_code(applied.exit) {
        Exit::Done if applied.let_go => (Tone::Good, "let go, and what runs is left as it is".to_owned()),
        Exit::Done if applied.rounds.is_empty() => (Tone::Good, "converged, nothing to do".to_owned()),
        Exit::Done if is_down(applied) => (Tone::Good, format!("the stack is removed, {made}")),
        Exit::Done => (Tone::Good, format!("converged, {made}")),
        Exit::Held => (Tone::Change, format!("applied, except what is held: {made}")),
        Exit::RolledBack => (Tone::Bad, "failed and rolled back: what ran before serves".to_owned()),
        Exit::Degraded => (Tone::Bad, "degraded: a person is needed".to_owned()),
        Exit::Unreachable => (Tone::Bad, "the engine is gone or refused: the next apply goes on".to_owned()),
        Exit::Refused => (Tone::Bad, "refused, nothing was changed".to_owned()),
        Exit::Interrupted => {
            (Tone::Change, "interrupted: what was begun is finished or undone, apply again to go on".to_owned())
        }
        other => (Tone::Bad, format!("ended with exit code {}", other.code())),
    };
    Text::toned(Tone::Strong, revision).and(tone, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{controllers::stack::Suspended, model::units::Timestamp};

    #[test]
    fn a_pause_says_what_it_did_and_nothing_of_rounds() {
        let one = |service: &str, what, until| Suspended { service: service.into(), what, until };
        let applied = Applied {
            revision: Some(8),
            suspended: vec![one("core", "paused", Some(Timestamp(5_400_000))), one("web", "paused", None)],
            ..Applied::default()
        };
        let told = Told { done_is_shown: true, left: &[] };
        let text = applied_text(&applied, &told, Style::PLAIN);
        assert_eq!(text, "core paused until 1970-01-01 01:30:00Z\nweb paused\n");
        let refused = Applied { exit: 8, suspended: Vec::new(), ..applied };
        assert_eq!(applied_text(&refused, &told, Style::PLAIN), "revision 8: refused, nothing was changed\n");
    }
}

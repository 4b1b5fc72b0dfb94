//! The steps of a plan as a tree: those of no rollout first, then rollout by rollout, with what undoes them.

use super::words::{Words, short_ids};
use crate::cli::render::{
    sheet::Sheet,
    style::{Text, Tone},
};
use crate::model::{
    names::StepId,
    plan::{Plan, Rollout},
    step::{Does, Step},
};
use std::collections::BTreeSet;

/// Writes the section `steps`, or nothing where there are none.
pub fn write(plan: &Plan, sheet: &mut Sheet) {
    if plan.steps.is_empty() {
        return;
    }
    sheet.whole(Text::toned(Tone::Strong, "steps"));
    let words = Words::of(plan);
    let in_rollouts: BTreeSet<&StepId> = plan.rollouts.iter().flat_map(|rollout| rollout.steps.iter()).collect();
    for step in plan.steps.iter().filter(|step| !in_rollouts.contains(&step.id)) {
        let after = (!step.after.is_empty()).then(|| after(&step.after));
        write_step(2, step, after, &words, sheet);
    }
    for rollout in &plan.rollouts {
        write_rollout(rollout, &words, sheet);
    }
}

fn write_rollout(rollout: &Rollout, words: &Words<'_>, sheet: &mut Sheet) {
    let simple = rollout.steps.len() == 1 && rollout.strategy.is_none() && rollout.undo.is_empty();
    if !simple {
        let what = match rollout.strategy {
            Some(strategy) if rollout.why.is_empty() => strategy.to_string(),
            Some(strategy) => format!("{strategy}: {}", rollout.why),
            None => rollout.why.clone(),
        };
        sheet.row(Text::new().space(2).and(Tone::Strong, &rollout.id), what, "");
    }
    let mut before: Option<&StepId> = None;
    for id in &rollout.steps {
        let Some(step) = words.step(id) else { continue };
        write_step(if simple { 2 } else { 4 }, step, after_in_rollout(step, before), words, sheet);
        before = Some(id);
    }
    for line in undo_in_words(rollout, words) {
        sheet.whole(Text::new().space(4).and(Tone::Quiet, line));
    }
}

fn write_step(indent: usize, step: &Step, after: Option<String>, words: &Words<'_>, sheet: &mut Sheet) {
    let after = after.map_or_else(Text::new, |after| Text::toned(Tone::Quiet, after));
    sheet.row(Text::new().space(indent).plain(step.id.as_str()), words.what(step), after);
}

/// Said only where it is not the line above that a step waits for.
fn after_in_rollout(step: &Step, before: Option<&StepId>) -> Option<String> {
    match (before, step.after.as_slice()) {
        (Some(before), [only]) if only == before => None,
        (Some(_), []) => Some("at once".to_owned()),
        (None, []) => None,
        (_, ids) => Some(after(ids)),
    }
}

fn after(ids: &[StepId]) -> String {
    let ids: Vec<&str> = ids.iter().map(StepId::as_str).collect();
    format!("after {}", ids.join(", "))
}

/// What happens when a step fails, a line for all the steps that are undone alike.
pub fn undo_in_words(rollout: &Rollout, words: &Words<'_>) -> Vec<String> {
    let mut lines: Vec<(String, Vec<&StepId>)> = Vec::new();
    for undo in &rollout.undo {
        let text = undone_by(rollout, &undo.from, &undo.steps, words);
        match lines.iter_mut().find(|(line, _)| *line == text) {
            Some((_, from)) => from.push(&undo.from),
            None => lines.push((text, vec![&undo.from])),
        }
    }
    let short = short_ids(rollout);
    lines
        .into_iter()
        .map(|(text, from)| {
            let from: Vec<&str> = from.into_iter().map(&short).collect();
            // A long list of them is the whole rollout, or nearly.
            let which =
                if from.len() > 4 { format!("one of {} to {}", from[0], from[from.len() - 1]) } else { either(&from) };
            format!("if {which} fails: {text}")
        })
        .collect()
}

/// What is done when `from` fails, and what became of the old container.
pub fn undone_by(rollout: &Rollout, from: &StepId, undo: &[Step], words: &Words<'_>) -> String {
    if undo.is_empty() {
        return "nothing to undo".to_owned();
    }
    let sentences: Vec<String> = undo.iter().map(|step| words.sentence(step)).collect();
    let text = sentences.join(", then ");
    if old_never_stopped(rollout, from, words) { format!("{text}; the old one never stopped") } else { text }
}

fn old_never_stopped(rollout: &Rollout, from: &StepId, words: &Words<'_>) -> bool {
    let until: Vec<&Step> = rollout
        .steps
        .iter()
        .take_while(|id| *id != from)
        .chain(std::iter::once(from))
        .filter_map(|id| words.step(id))
        .collect();
    rollout.replaces
        && rollout.serving
        && rollout.strategy.is_some()
        && !until.iter().any(|step| matches!(step.does, Does::Stop(_) | Does::Remove(_)))
}

/// `a`, `a or b`, `a, b or c`.
fn either(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

//! A plan's text form: the one form, which the command line prints, tests compare whole and the page shows. The same plan
//! gives the same bytes; colour is added or not.

mod changes;
mod steps;
mod words;

use super::{
    quantities::gibibytes,
    sheet::Sheet,
    style::{Style, Text, Tone},
};
use crate::model::{
    capacity::CapacityReport,
    plan::{Held, Note, Plan},
    step::Cause,
};
pub use changes::{action_in_words, field_in_words, marker, reason_in_words};
pub use steps::undone_by;
pub use words::Words;

/// The plan as text, every line ended; its last line ends with the counts (`3 changes, 1 held`).
pub fn plan_text(plan: &Plan, style: Style) -> String {
    let mut sheet = Sheet::default();
    let counts = counts(plan);
    sheet.ends(
        Text::toned(Tone::Strong, plan.stack.as_str()).space(2).plain(revision_in_words(plan)),
        Text::toned(Tone::Strong, &counts),
    );
    if has_body(plan) {
        sheet.gap();
        changes::write(plan, &mut sheet);
        sheet.gap();
        steps::write(plan, &mut sheet);
        sheet.gap();
        write_notes(&plan.notes, &mut sheet);
        write_held(&plan.held, &mut sheet);
        if let Some(report) = &plan.capacity {
            capacity(report, &mut sheet);
        }
        sheet.gap();
        sheet.whole(Text::toned(Tone::Strong, counts));
    }
    sheet.paint(style)
}

/// The steps alone, as the plan's text has them, every line ended.
pub fn steps_text(plan: &Plan, style: Style) -> String {
    let mut sheet = Sheet::default();
    steps::write(plan, &mut sheet);
    sheet.paint(style)
}

/// Notes alone, as the plan's text has them, every line ended.
pub fn notes_text(notes: &[Note], style: Style) -> String {
    let mut sheet = Sheet::default();
    write_notes(notes, &mut sheet);
    sheet.paint(style)
}

/// What is held alone, as the plan's text has it, every line ended.
pub fn held_text(held: &[Held], style: Style) -> String {
    let mut sheet = Sheet::default();
    write_held(held, &mut sheet);
    sheet.paint(style)
}

/// `3 changes, 1 held`, `1 change`, `no changes`, `no changes, 3 to adopt untouched`.
pub fn counts(plan: &Plan) -> String {
    let changes = changes_in_words(plan.differences().count());
    let adopted = match plan.adopted() {
        0 => String::new(),
        adopted => format!(", {adopted} to adopt untouched"),
    };
    let held = match plan.held.len() {
        0 => String::new(),
        held => format!(", {held} held"),
    };
    format!("{changes}{adopted}{held}")
}

/// `3 changes`, `1 change`, `no changes`.
pub fn changes_in_words(changes: usize) -> String {
    match changes {
        0 => "no changes".to_owned(),
        1 => "1 change".to_owned(),
        many => format!("{many} changes"),
    }
}

/// From which revision to which: a change that was declared makes a new one, drift makes none.
pub fn revision_in_words(plan: &Plan) -> String {
    let makes_one = plan.changes.iter().any(|change| match change.cause {
        Cause::Manifest | Cause::Rollback | Cause::Down | Cause::Unknown => true,
        Cause::Drift | Cause::Restart | Cause::Liveness | Cause::Suspension | Cause::Recovery => false,
    });
    let unknown = plan.changes.iter().any(|change| change.cause == Cause::Unknown);
    match plan.context.revision {
        Some(current) if makes_one => format!("revision {current} → {}", current + 1),
        Some(current) => format!("revision {current}"),
        None if unknown => "no revision here".to_owned(),
        None if makes_one => "first revision".to_owned(),
        None => "no revision".to_owned(),
    }
}

/// What the capacity admission judged, a line for memory, CPUs and processes each.
pub fn capacity_in_words(report: &CapacityReport) -> Vec<String> {
    let budget = report.budget.unwrap_or_default();
    let (declared, peak) = (&report.declared, &report.peak);
    let line = |has: bool, now: String, of: Option<String>, unit: &str, peak: String| {
        if !has && of.is_none() {
            return None;
        }
        let limit = of.map(|of| format!(" of {of}")).unwrap_or_default();
        let surge = if peak == now { String::new() } else { format!(", {peak} at the peak of this rollout") };
        Some(format!("{now}{limit} {unit}{surge}"))
    };
    let memory = line(
        declared.memory.0 > 0 || peak.memory.0 > 0,
        gibibytes(declared.memory),
        budget.memory.map(gibibytes),
        "GiB",
        gibibytes(peak.memory),
    );
    let cpus = line(
        declared.cpus.0 > 0 || peak.cpus.0 > 0,
        declared.cpus.to_string(),
        budget.cpus.map(|cpus| cpus.to_string()),
        "CPUs",
        peak.cpus.to_string(),
    );
    let pids = line(
        budget.pids.is_some(),
        declared.pids.to_string(),
        budget.pids.map(|pids| pids.to_string()),
        "processes",
        peak.pids.to_string(),
    );
    [memory, cpus, pids].into_iter().flatten().collect()
}

fn has_body(plan: &Plan) -> bool {
    !plan.is_empty() || !plan.notes.is_empty()
}

fn write_notes(notes: &[Note], sheet: &mut Sheet) {
    if !notes.is_empty() {
        sheet.whole(Text::toned(Tone::Strong, "notes"));
    }
    for note in notes {
        sheet.row(Text::new().space(2).and(Tone::Change, note.code.as_str()), note.text.as_str(), "");
        if let Some(hint) = &note.hint {
            sheet.row("", hint_text(hint), "");
        }
    }
}

fn write_held(held: &[Held], sheet: &mut Sheet) {
    if !held.is_empty() {
        sheet.whole(Text::toned(Tone::Strong, "held"));
    }
    for one in held {
        let label = Text::new().space(2).and(Tone::Bad, one.resource.to_string());
        sheet.row(label, format!("{}: {}", one.code, one.reason), "");
        if !one.hint.is_empty() {
            sheet.row("", hint_text(&one.hint), "");
        }
    }
}

/// `hint: …`, as every hint looks.
pub(super) fn hint_text(hint: &str) -> Text {
    Text::toned(Tone::Note, "hint:").plain(" ").plain(hint)
}

fn capacity(report: &CapacityReport, sheet: &mut Sheet) {
    for (index, line) in capacity_in_words(report).into_iter().enumerate() {
        let label = if index == 0 { Text::toned(Tone::Strong, "capacity") } else { Text::new() };
        sheet.row(label, line, "");
    }
}

#[cfg(test)]
pub(in crate::cli::render) mod tests;

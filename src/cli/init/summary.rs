//! What `init` says when it is done: what was written, what that changes, and what to type next.

use super::{MANIFEST, Written, folder_of, relative, to_write};
use crate::{
    cli::{
        failure::Failure,
        render::{
            plan::{changes_in_words, notes_text},
            sheet::Table,
            style::{Style, Text, Tone},
        },
    },
    model::plan::{Action, Plan},
};
use std::path::Path;

/// What was written, what it gives, and what to type next, every line ended.
pub(super) fn summary(
    written: &Written,
    plan: &Result<Plan, Failure>,
    to_stdout: bool,
    current: &Path,
    style: Style,
) -> String {
    let folder = folder_of(&written.meant.files);
    let files: Vec<String> = written.meant.files.iter().map(|file| relative(file, folder)).collect();
    let files = match files.as_slice() {
        [] => "that run, without their Compose files".to_owned(),
        files => format!("of {}", files.join(", ")),
    };
    let count = match written.desired.services.len() {
        1 => "1 service".to_owned(),
        count => format!("{count} services"),
    };
    let path = &written.meant.path;
    let shown = if to_stdout { "a manifest".to_owned() } else { relative(path, current) };
    let wrote = Text::toned(Tone::Good, "wrote")
        .plain(" ")
        .and(Tone::Strong, shown)
        .plain(format!(" for {}: {count} {files}", written.desired.stack));
    let mut text = format!("{}\n", wrote.paint(style));
    for file in to_write(&written.meant).keys().filter(|_| !to_stdout) {
        let file = relative(file, current);
        text.push_str(&format!("wrote {file}, which holds an environment and only its owner can read\n"));
    }
    text.push_str(&format!("{}\n", runs(written, plan).paint(style)));
    if !written.notes.is_empty() {
        text.push_str(&format!("\n{}", notes_text(&written.notes, style)));
    }
    if !to_stdout {
        let file = match *path == current.join(MANIFEST) {
            true => String::new(),
            false => format!(" -f {}", relative(path, current)),
        };
        text.push_str(&format!("\n{}\n", Text::toned(Tone::Strong, "next").paint(style)));
        let mut table = Table::default();
        for (verb, does) in [("diff", "shows what an apply would do"), ("apply", "does it, and keeps a record of it")] {
            let command = Text::new().space(2).and(Tone::Strong, format!("evenkeel{file} {verb}"));
            table.row(vec![command, does.into()]);
        }
        text.push_str(&table.paint(style));
    }
    text
}

/// One line: what the manifest would change.
fn runs(written: &Written, plan: &Result<Plan, Failure>) -> Text {
    let stack = written.desired.stack.as_str();
    let plan = match plan {
        Ok(plan) => plan,
        Err(failure) => {
            let why = failure.sentence.lines().next().unwrap_or_default();
            return Text::from(format!("what runs is not known: {why}"));
        }
    };
    let gravest = plan.held.iter().find(|held| held.code.stops_everything().is_some());
    if let Some(held) = gravest.or(plan.held.first()) {
        return Text::toned(Tone::Bad, "held: ").plain(format!("{}: {}", held.code, held.reason));
    }
    let changes: Vec<_> = plan.differences().collect();
    match (changes.as_slice(), plan.adopted()) {
        ([], 0) => Text::from(format!("no changes: {stack} is as the manifest declares it")),
        ([], 1) => Text::from("no changes: 1 service that runs is taken over untouched"),
        ([], adopted) => Text::from(format!("no changes: {adopted} services that run are taken over untouched")),
        (changes, 0) if changes.iter().all(|change| change.action == Action::Create) => {
            Text::from(format!("nothing of {stack} runs here yet"))
        }
        (changes, _) => Text::toned(Tone::Change, changes_in_words(changes.len()))
            .plain(": what runs is not what its Compose files say now, whatever stands in the manifest"),
    }
}

//! A plan for a pull request: what a reviewer needs on top, the fields and the steps to unfold. GitHub, GitLab and Gitea
//! render it; read as it is, it makes sense too.

use super::{
    plan::{
        action_in_words, capacity_in_words, counts, field_in_words, marker, reason_in_words, revision_in_words,
        steps_text,
    },
    style::{Style, clean},
};
use crate::model::plan::{Change, Plan};

/// The plan as Markdown, every line ended.
pub fn plan_markdown(plan: &Plan) -> String {
    let mut out = format!("### {}: {}, {}\n", inline(plan.stack.as_str()), revision_in_words(plan), counts(plan));
    if !plan.changes.is_empty() {
        out.push_str("\n| | resource | action | reason |\n|---|---|---|---|\n");
        for change in &plan.changes {
            out.push_str(&format!(
                "| `{}` | `{}` | {} | {} |\n",
                marker(change.action).0,
                code(&change.resource.to_string()),
                inline(&action_in_words(change)),
                inline(&reason_in_words(change)),
            ));
        }
    }
    if !plan.held.is_empty() {
        out.push_str("\n**Held**\n\n");
        for held in &plan.held {
            out.push_str(&format!("- `{}` {}: {}", code(&held.resource.to_string()), held.code, inline(&held.reason)));
            if !held.hint.is_empty() {
                out.push_str(&format!("<br>hint: {}", inline(&held.hint)));
            }
            out.push('\n');
        }
    }
    for change in plan.changes.iter().filter(|change| !change.fields.is_empty()) {
        out.push_str(&fields(plan, change));
    }
    if !plan.steps.is_empty() {
        let count = plan.steps.len();
        let steps = steps_text(plan, Style::PLAIN);
        out.push_str(&unfolded(&format!("{count} {}", if count == 1 { "step" } else { "steps" }), "text", &steps));
    }
    if !plan.notes.is_empty() {
        out.push_str("\n**Notes**\n\n");
        for note in &plan.notes {
            let hint = note.hint.as_ref().map(|hint| format!("<br>hint: {}", inline(hint))).unwrap_or_default();
            out.push_str(&format!("- {}: {}{hint}\n", note.code, inline(&note.text)));
        }
    }
    if let Some(report) = &plan.capacity {
        let lines = capacity_in_words(report);
        if !lines.is_empty() {
            out.push_str(&format!("\nCapacity: {}\n", lines.join("; ")));
        }
    }
    out
}

/// A change's fields as a diff, which is coloured where Markdown is rendered.
fn fields(plan: &Plan, change: &Change) -> String {
    let mut body = String::new();
    for field in &change.fields {
        let (from, to) = field_in_words(plan, field);
        for (sign, value) in [('-', from), ('+', to)] {
            if let Some(value) = value {
                body.push_str(&format!("{sign} {}: {}\n", clean(&field.path), clean(&value)));
            }
        }
    }
    let count = change.fields.len();
    let summary = format!("{}: {count} {}", change.resource, if count == 1 { "field" } else { "fields" });
    unfolded(&summary, "diff", &body)
}

fn unfolded(summary: &str, language: &str, body: &str) -> String {
    // A fence longer than any in the body, so that no value ends the block.
    let mut fence = "```".to_owned();
    while body.contains(&fence) {
        fence.push('`');
    }
    format!("\n<details><summary>{}</summary>\n\n{fence}{language}\n{body}{fence}\n\n</details>\n", inline(summary))
}

/// Text that no renderer takes for a table, markup or a mention.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' => out.push_str("\\|"),
            '@' => out.push_str("&#64;"),
            '*' | '_' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Text inside backticks, in a table too.
fn code(text: &str) -> String {
    clean(text).replace('`', "'").replace('|', "\\|")
}

#[cfg(test)]
mod tests;

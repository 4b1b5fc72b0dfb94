//! `explain`: what a code means, why there is such a thing, and what to do. A code without a text does not compile.

mod exits;
mod held;
mod notes;

use super::{
    exit::Exit,
    failure::Failure,
    output::Output,
    render::style::{Style, Text, Tone},
};
use crate::model::plan::{HeldCode, NoteCode};
use clap::Args;

/// Explain a code: of a note, of what is held, or an exit code
#[derive(Debug, Args)]
pub struct Arguments {
    /// Such as `volume-changed`, `slow-gate`, `4`; `exit` for all exit codes [default: lists all codes]
    pub code: Option<String>,
}

/// What is said of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What it is.
    pub means: &'static str,
    /// Why evenkeel does so.
    pub why: &'static str,
    /// What a person can do.
    pub to_do: &'static str,
}

/// Prints the explanation.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Exit, Failure> {
    let style = output.data_style;
    let text = match arguments.code.as_deref() {
        None => overview(style),
        Some("exit") => exit_codes(style),
        Some(code) => explain(code, style)?,
    };
    output.data(&text);
    Ok(Exit::Done)
}

/// The explanation of one code as text, every line ended.
fn explain(code: &str, style: Style) -> Result<String, Failure> {
    if let Some(note) = NoteCode::ALL.iter().find(|note| note.as_str() == code) {
        return Ok(page(code, "a note: it stops nothing", notes::explanation(*note), style));
    }
    if let Some(held) = HeldCode::ALL.iter().find(|held| held.as_str() == code) {
        let kind = match held.stops_everything() {
            None => "held: the rest is applied, exit code 9".to_owned(),
            Some(exit) => format!("held: nothing is applied, exit code {exit}"),
        };
        return Ok(page(code, &kind, held::explanation(*held), style));
    }
    if let Some(exit) = code.parse().ok().and_then(|number: u8| Exit::ALL.iter().find(|exit| exit.code() == number)) {
        return Ok(page(code, "an exit code", exits::explanation(*exit), style));
    }
    let failure = Failure::usage(format!("no code `{code}`"));
    Err(match nearest(code) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("`evenkeel explain` lists all codes"),
    })
}

fn nearest(code: &str) -> Option<&'static str> {
    let all = NoteCode::ALL.iter().map(|note| note.as_str()).chain(HeldCode::ALL.iter().map(|held| held.as_str()));
    let near = all.map(|known| (strsim::jaro_winkler(code, known), known)).filter(|(likeness, _)| *likeness > 0.85);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

fn page(code: &str, kind: &str, explanation: Explanation, style: Style) -> String {
    let mut lines = vec![Text::toned(Tone::Strong, code).space(2).and(Tone::Quiet, format!("({kind})"))];
    for (title, text) in [("", explanation.means), ("Why", explanation.why), ("What to do", explanation.to_do)] {
        lines.push(Text::new());
        if !title.is_empty() {
            lines.push(Text::toned(Tone::Note, title));
        }
        lines.extend(wrapped(text, 96).into_iter().map(Text::from));
    }
    lines.iter().map(|line| line.paint(style) + "\n").collect()
}

/// Every code with its first sentence.
fn overview(style: Style) -> String {
    let mut lines = vec![Text::toned(Tone::Strong, "notes")];
    lines.extend(NoteCode::ALL.iter().map(|note| entry(note.as_str(), notes::explanation(*note))));
    lines.extend([Text::new(), Text::toned(Tone::Strong, "held")]);
    lines.extend(HeldCode::ALL.iter().map(|held| entry(held.as_str(), held::explanation(*held))));
    lines.extend([Text::new(), Text::toned(Tone::Strong, "exit codes")]);
    lines.extend(Exit::ALL.iter().map(|exit| entry(&exit.code().to_string(), exits::explanation(*exit))));
    lines.iter().map(|line| line.paint(style) + "\n").collect()
}

fn exit_codes(style: Style) -> String {
    Exit::ALL
        .iter()
        .map(|exit| entry(&exit.code().to_string(), exits::explanation(*exit)).paint(style) + "\n")
        .collect()
}

fn entry(code: &str, explanation: Explanation) -> Text {
    let first = explanation.means.split_inclusive(". ").next().unwrap_or_default().trim_end().trim_end_matches('.');
    Text::new().space(2).and(Tone::Note, format!("{code:<22}")).plain(first)
}

/// The words in lines of at most `width` characters, where no word is longer.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_in_sentences() {
        let notes = NoteCode::ALL.iter().map(|note| (note.as_str(), notes::explanation(*note)));
        let held = HeldCode::ALL.iter().map(|held| (held.as_str(), held::explanation(*held)));
        let exits = Exit::ALL.iter().map(|exit| ("exit", exits::explanation(*exit)));
        for (code, explanation) in notes.chain(held).chain(exits) {
            for text in [explanation.means, explanation.why, explanation.to_do] {
                assert!(text.ends_with('.') && text.len() > 15, "{code}: {text}");
                assert!(!text.contains("  "), "{code}: {text}");
            }
        }
    }

    #[test]
    fn an_unknown_code_names_the_nearest() {
        let failure = explain("volume-chnaged", Style::PLAIN).unwrap_err();
        assert_eq!(failure.hint.as_deref(), Some("did you mean `volume-changed`?"));
        assert_eq!(explain("10", Style::PLAIN).unwrap_err().exit, Exit::Usage);
    }
}

//! Faults as people read them: what is wrong, the line it is in, and what to do. A secret that stands in the line is not
//! shown with it.

use super::sensitive::{has_userinfo, is_secret_name};
use crate::compose::yaml::Fault;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

/// Every fault with its line, one after the other, with a line break at the end of each. With `colour`, ANSI styles are
/// used; nothing is said by colour alone.
pub fn render(faults: &[Fault], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for fault in faults {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&one(&renderer, fault));
        text.push('\n');
    }
    text
}

/// The first fault in one line, with its place and what to do, and how many more there are; for logs.
pub fn line(faults: &[Fault]) -> String {
    let Some(fault) = faults.first() else { return String::new() };
    let place = match (fault.file.as_str(), fault.line) {
        ("", _) => String::new(),
        (file, 0) => format!("{}: ", printable(file)),
        (file, line) => format!("{}:{line}:{}: ", printable(file), fault.column),
    };
    let hint = fault.hint.as_deref().map(|hint| format!("; {}", printable(hint))).unwrap_or_default();
    let more = match faults.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more: `evenkeel validate` shows all)"),
    };
    format!("{place}{}{hint}{more}", printable(&fault.message)).replace('\n', " ")
}

fn one(renderer: &Renderer, fault: &Fault) -> String {
    let message = printable(&fault.message);
    let file = printable(&fault.file);
    let hint = fault.hint.as_deref().map(printable);
    let line = fault.source_line().map(|line| masked(&printable(&line.replace('\t', " "))));
    let mut group = Level::ERROR.primary_title(message.as_str()).elements(Vec::<annotate_snippets::Message<'_>>::new());
    if let Some(line) = &line {
        let span = span(line, fault.column);
        let snippet = Snippet::source(line.as_str())
            .line_start(usize::try_from(fault.line).unwrap_or(1))
            .path(file.as_str())
            .annotation(AnnotationKind::Primary.span(span));
        group = group.element(snippet);
    } else if !file.is_empty() {
        group = group.element(Origin::path(file.as_str()));
    }
    match &hint {
        Some(hint) if line.is_none() => format!("{}\n  = hint: {hint}", renderer.render(&[group])),
        Some(hint) => renderer.render(&[group.element(Level::HELP.with_name("hint").message(hint.as_str()))]),
        None => renderer.render(&[group]),
    }
}

/// The bytes of the word at a column (counted from 1, in characters), at least one where there is one.
fn span(line: &str, column: u32) -> std::ops::Range<usize> {
    let skipped = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
    let start = line.char_indices().nth(skipped).map_or(line.len(), |(at, _)| at);
    let rest = &line[start..];
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
    let length = match quote {
        Some(quote) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
        None => {
            let end = |(at, character): &(usize, char)| {
                let next = rest[at + character.len_utf8()..].chars().next();
                matches!(character, ',' | ']' | '}' | '#') || *character == ':' && next.is_none_or(char::is_whitespace)
            };
            rest.char_indices().find(end).map_or(rest.trim_end().len(), |(at, _)| rest[..at].trim_end().len())
        }
    };
    let first = rest.chars().next().map_or(0, char::len_utf8);
    start..start + length.max(first)
}

/// The line with the value of a secret name, or a URL with a password, as `***`.
fn masked(line: &str) -> String {
    for (at, _) in line.match_indices([':', '=']) {
        let name = line[..at].trim_end().trim_end_matches(['"', '\'']);
        let name = name.rsplit([' ', '"', '\'', ',', '{', '[']).next().unwrap_or_default();
        let value = line[at + 1..].trim_start();
        let kept = line.len() - value.len();
        if is_secret_name(name) && !value.is_empty() && !value.starts_with(['{', '[', '$', '#']) {
            return format!("{}***", &line[..kept]);
        }
    }
    match line.find("://") {
        Some(at) if has_userinfo(line) => format!("{}***", &line[..at + 3]),
        _ => line.to_owned(),
    }
}

/// Without control characters, which would write elsewhere on a terminal.
fn printable(text: &str) -> String {
    let shown = |character: char| if character.is_control() && character != '\n' { '\u{fffd}' } else { character };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::yaml;

    fn faults_at(text: &str, path: &[&str], message: &str, hint: Option<&str>) -> String {
        let tree = yaml::parse("evenkeel.yaml", text).unwrap();
        let fault = Fault::at(crate::load::tree::key_position(&tree, path), message);
        let fault = match hint {
            Some(hint) => fault.hint(hint),
            None => fault,
        };
        render(&[fault], false)
    }

    #[test]
    fn a_fault_shows_its_line_and_points_at_the_word() {
        let text = "spec:\n  services:\n    core: {memroy: 512Mi}\n";
        let shown = faults_at(
            text,
            &["spec", "services", "core", "memroy"],
            "unknown field `memroy`",
            Some("did you mean `memory`?"),
        );
        insta::assert_snapshot!(shown, @r"
        error: unknown field `memroy`
         --> evenkeel.yaml:3:12
          |
        3 |     core: {memroy: 512Mi}
          |            ^^^^^^
          |
          = hint: did you mean `memory`?
        ");
    }

    #[test]
    fn a_fault_without_a_place_names_its_file() {
        let shown = render(&[Fault::of_file("/srv/a.yaml", "could not be read")], false);
        insta::assert_snapshot!(shown, @r"
        error: could not be read
        --> /srv/a.yaml
        ");
        assert_eq!(render(&[Fault::of_file("", "no file")], false), "error: no file\n");
    }

    #[test]
    fn a_secret_in_the_line_is_not_shown() {
        let text = "environment:\n  DB_PASSWORD: hunter2\n";
        assert!(!faults_at(text, &["environment", "DB_PASSWORD"], "no", None).contains("hunter2"));
        let text = "environment: [\"TOKEN=hunter2\"]\n";
        assert!(!faults_at(text, &["environment"], "no", None).contains("hunter2"));
        let text = "url: postgres://a:hunter2@db\n";
        assert!(!faults_at(text, &["url"], "no", None).contains("hunter2"));
    }

    #[test]
    fn what_would_move_the_cursor_is_not_printed() {
        let shown = render(&[Fault::of_file("a\u{1b}[2J", "b\u{7}\r")], true);
        assert!(!shown.contains("\u{1b}[2J") && !shown.contains('\u{7}') && !shown.contains('\r'));
    }
}

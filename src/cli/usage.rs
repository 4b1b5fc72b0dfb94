//! Errors of the command line itself, in the same form as every other error.

use super::failure::Failure;
use clap::error::ErrorKind;

/// What clap says, as our sentence and hint; `None` where it is no error (help, version).
pub fn failure(error: &clap::Error) -> Option<Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return None,
        _ => {}
    }
    let rendered = error.render().to_string();
    let mut lines = rendered.lines();
    let sentence: Vec<&str> = lines.by_ref().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
    let sentence = sentence.join(" ");
    let sentence = names_in_backticks(sentence.strip_prefix("error: ").unwrap_or(&sentence));
    let mut rest: Vec<&str> = lines.map(str::trim).collect();
    rest.retain(|line| !line.is_empty());
    let tip = rest.iter().find_map(|line| line.strip_prefix("tip: ")).map(names_in_backticks);
    let usage = rest.iter().find_map(|line| line.strip_prefix("Usage: "));
    let hint = tip.or_else(|| usage.map(|usage| format!("{usage}, see `{} --help`", command(usage))));
    let failure = Failure::usage(sentence.trim_end_matches('.'));
    Some(match hint {
        Some(hint) => failure.hint(hint),
        None => failure.hint("see `evenkeel --help`"),
    })
}

/// `evenkeel diff` of `evenkeel diff [OPTIONS] [SERVICE]...`.
fn command(usage: &str) -> String {
    let words = usage.split(' ').take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    words.take(2).collect::<Vec<_>>().join(" ")
}

/// clap quotes names with `'`.
fn names_in_backticks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let opens = !open && out.chars().last().is_none_or(|before| !before.is_alphanumeric());
        let closes = open && chars.peek().is_none_or(|after| !after.is_alphanumeric());
        if c == '\'' && (opens || closes) {
            open = !open;
            out.push('`');
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_become_backticks_and_apostrophes_stay() {
        assert_eq!(names_in_backticks("unexpected argument '--x' found"), "unexpected argument `--x` found");
        assert_eq!(names_in_backticks("a service's name 'a'"), "a service's name `a`");
    }

    #[test]
    fn the_command_is_what_stands_before_the_options() {
        assert_eq!(command("evenkeel diff [OPTIONS] [SERVICE]..."), "evenkeel diff");
        assert_eq!(command("evenkeel [OPTIONS] <COMMAND>"), "evenkeel");
    }
}

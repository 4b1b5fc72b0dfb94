//! Errors of the command line itself, in the same form as every other error.

use super::failure::Failure;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// What clap says of a command line with this verb, as our sentence and hint; `None` where it is no error (help, version).
pub fn failure(error: &clap::Error, verb: Option<&str>) -> Option<Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return None,
        _ => {}
    }
    let mut rendered = error.render().to_string();
    if let Some(secret) = secret_in(error) {
        rendered = rendered.replace(&secret, "***");
    }
    let mut lines = rendered.lines();
    let sentence: Vec<&str> = lines.by_ref().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
    let sentence = sentence.join(" ");
    let sentence = names_in_backticks(sentence.strip_prefix("error: ").unwrap_or(&sentence));
    let mut rest: Vec<&str> = lines.map(str::trim).collect();
    rest.retain(|line| !line.is_empty());
    let tip = rest.iter().find_map(|line| line.strip_prefix("tip: ")).map(names_in_backticks);
    let hint = tip.unwrap_or_else(|| match verb {
        Some(verb) => format!("see `evenkeel {verb} --help`"),
        None => "see `evenkeel --help`".to_owned(),
    });
    Some(Failure::usage(sentence.trim_end_matches('.')).hint(hint))
}

/// The value of a `--set` that was refused: it may be a password all the same.
fn secret_in(error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let value = text(ContextKind::InvalidValue)
        .filter(|_| text(ContextKind::InvalidArg).is_some_and(|argument| argument.starts_with("--set")))?;
    let secret = value.split_once('=').map_or(value.as_str(), |(_, secret)| secret);
    (!secret.is_empty()).then(|| secret.to_owned())
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
}

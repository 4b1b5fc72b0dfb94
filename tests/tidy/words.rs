//! Words that must not be there, and the head that must be.

use crate::source::Source;

/// What the planner must not even name: it is pure and total.
const IMPURE_IN_PLAN: &[&str] = &[
    "async",
    "await",
    "tokio",
    "futures",
    "HashMap",
    "HashSet",
    "rand",
    "getrandom",
    "tracing",
    "println",
    "eprintln",
    "print",
    "eprint",
    "SystemTime",
    "Instant",
    "thread",
    "fs",
    "net",
    "process",
    "env",
];

/// Nor the nouns: they do no I/O.
const IMPURE_IN_MODEL: &[&str] = &[
    "async",
    "await",
    "tokio",
    "HashMap",
    "HashSet",
    "getrandom",
    "tracing",
    "println",
    "eprintln",
    "SystemTime",
    "Instant",
    "File",
];

/// `std::…` that reads a clock or does I/O.
const IMPURE_STD: &[&str] = &["time", "fs", "net", "process", "env", "thread", "io"];

/// Faults against purity.
pub fn impure(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let words = match source.module().as_deref().and_then(<[String]>::first).map(String::as_str) {
            Some("plan") => IMPURE_IN_PLAN,
            Some("model") => IMPURE_IN_MODEL,
            _ => continue,
        };
        for (at, token) in source.live().filter(|(_, token)| token.is_word) {
            // Such words may be the user's: a field `process`, a function `print`. As a path, a macro or a keyword not.
            let text = token.text.as_str();
            let keyword = matches!(text, "async" | "await");
            let typed = text.starts_with(char::is_uppercase);
            let path = source.reads(at + 1, &["::"]) && !is_member(source, at);
            let called = source.reads(at + 1, &["!"]);
            if words.contains(&text) && (keyword || typed || path || called) {
                faults.push(format!("{}:{}: `{text}`", source.path, token.line));
            }
            if text == "std" && source.reads(at + 1, &["::"]) {
                faults.extend(std_faults(source, at));
            }
        }
    }
    faults
}

/// `.x` or `a::x` for another `a` than `std`.
fn is_member(source: &Source, at: usize) -> bool {
    at > 0 && matches!(source.tokens[at - 1].text.as_str(), "." | "::")
}

/// `std::fs`, and `std::{fs, …}`: a duration is a value and no clock.
fn std_faults(source: &Source, at: usize) -> Vec<String> {
    let mut depth = 0_usize;
    let mut faults = Vec::new();
    for (index, token) in source.tokens.iter().enumerate().skip(at + 2) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            ";" => break,
            text if token.is_word && (index == at + 2 || depth == 1) => {
                let duration = source.reads(index + 1, &["::", "Duration"]);
                let begins = index == at + 2 || matches!(source.tokens[index - 1].text.as_str(), "{" | ",");
                if IMPURE_STD.contains(&text) && begins && !duration {
                    faults.push(format!("{}:{}: `std::{text}`", source.path, token.line));
                }
            }
            _ => {}
        }
        if depth == 0 && index > at + 2 {
            break;
        }
    }
    faults
}

/// Words that no source may have.
pub fn forbidden(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        for (number, line) in source.text.lines().enumerate() {
            for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")] {
                if line.split(|c: char| !c.is_alphanumeric()).any(|part| part == word) {
                    faults.push(format!("{}:{}: {word}", source.path, number + 1));
                }
            }
        }
        for (at, token) in source.tokens.iter().enumerate() {
            let place = format!("{}:{}", source.path, token.line);
            match token.text.as_str() {
                "dbg" | "todo" | "unimplemented" if source.reads(at + 1, &["!"]) => {
                    faults.push(format!("{place}: {}!", token.text));
                }
                "ignore" if at > 1 && source.reads(at - 2, &["#", "["]) => {
                    faults.push(format!("{place}: a test is never skipped: #[ignore]"));
                }
                _ => {}
            }
            if token.test || !source.path.starts_with("src/") {
                continue;
            }
            match token.text.as_str() {
                "unwrap" if at > 0 && source.reads(at - 1, &[".", "unwrap", "(", ")"]) => {
                    faults.push(format!("{place}: .unwrap() outside of tests"));
                }
                "expect" if at > 0 && source.reads(at - 1, &[".", "expect", "(", "\"\"", ")"]) => {
                    faults.push(format!("{place}: .expect() outside of tests"));
                }
                "tokio" if is_tokio_time(source, at) && source.path != "src/engine/clock.rs" => {
                    faults.push(format!("{place}: time is an effect: use the clock, not tokio::time"));
                }
                // But for the home: a database is waited for by the thread that opens it, for milliseconds.
                "sleep"
                    if source.reads(at.saturating_sub(2), &["thread", "::"])
                        && !source.path.starts_with("src/home/") =>
                {
                    faults.push(format!("{place}: time is an effect: use the clock, not thread::sleep"));
                }
                "println" | "print" | "eprintln" | "eprint"
                    if source.reads(at + 1, &["!"]) && !source.path.starts_with("src/cli/") =>
                {
                    faults.push(format!("{place}: only the command line prints"));
                }
                _ => {}
            }
        }
    }
    faults
}

/// `tokio::time`, and `time` directly in `tokio::{…}`.
fn is_tokio_time(source: &Source, at: usize) -> bool {
    if source.reads(at + 1, &["::", "time"]) {
        return true;
    }
    if !source.reads(at + 1, &["::", "{"]) {
        return false;
    }
    let mut depth = 0_usize;
    for (index, token) in source.tokens.iter().enumerate().skip(at + 2) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => return false,
            "}" => depth -= 1,
            "time" if depth == 1 && matches!(source.tokens[index - 1].text.as_str(), "{" | ",") => return true,
            _ => {}
        }
    }
    false
}

/// Files whose first line is not `//! …`.
pub fn without_head(sources: &[Source]) -> Vec<String> {
    let head =
        |source: &&Source| source.text.lines().next().is_some_and(|line| line.len() > 10 && line.starts_with("//! "));
    sources.iter().filter(|source| !head(source)).map(|source| source.path.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Vec<Source> {
        Source::read_all(vec![(path.into(), text.into())])
    }

    #[test]
    fn what_is_impure_is_found_and_what_only_looks_so_is_not() {
        for text in [
            "async fn f() {}",
            "use std::time::Instant;",
            "use std::{collections::BTreeMap, fs};",
            "use std::collections::HashMap;",
            "fn f() { tracing::info!(a) }",
            "fn f() { println!(a) }",
            "fn f() { std::env::var(a) }",
        ] {
            assert!(!impure(&source("src/plan/a.rs", text)).is_empty(), "{text}");
            assert!(impure(&source("src/execute/a.rs", text)).is_empty(), "{text}");
        }
        for text in [
            "use std::time::Duration;",
            "use std::{collections::{BTreeMap, BTreeSet}, fmt};",
            "fn f(process: u8) { step.env.print(net) }",
            "#[cfg(test)] mod tests { use std::fs; }",
        ] {
            assert_eq!(impure(&source("src/plan/a.rs", text)), [""; 0], "{text}");
        }
    }

    #[test]
    fn forbidden_words_are_found_in_live_code_only() {
        for text in [
            "fn f() { a.unwrap() }",
            "fn f() { a.expect(\"b\") }",
            "fn f() { dbg!(a) }",
            "use tokio::time::sleep;",
            "use tokio::{sync::mpsc, time};",
            "fn f() { std::thread::sleep(a) }",
            "#[test]\n#[ignore]\nfn f() {}",
        ] {
            assert_eq!(forbidden(&source("src/plan/a.rs", text)).len(), 1, "{text}");
        }
        for text in [
            "fn f() { parser.expect(Token::Colon); a.unwrap_or(b) }",
            "#[cfg(test)] mod tests { fn f() { a.unwrap(); tokio::time::pause() } }",
            "use tokio::{sync::{time, mpsc}};",
            "// .unwrap() in a comment",
        ] {
            assert_eq!(forbidden(&source("src/plan/a.rs", text)), [""; 0], "{text}");
        }
    }
}

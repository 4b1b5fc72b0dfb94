//! YAML as docker compose prints it: two spaces, lists indented, quotes only where a plain text would be read otherwise.

use serde_json::Value as Json;

use crate::compose::yaml::{go_float, plain_is_text};

/// A tree as a YAML document.
pub(super) fn write(value: &Json) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

fn block(value: &Json, indent: usize, out: &mut String) {
    match value {
        Json::Object(map) => {
            for (index, (key, value)) in map.iter().enumerate() {
                // The first key of an item stands behind its dash.
                if index > 0 || !out.ends_with("- ") {
                    out.push_str(&" ".repeat(indent));
                }
                key_of(key, indent, out);
                entry(value, indent, out);
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 || !out.ends_with("- ") {
                    out.push_str(&" ".repeat(indent));
                }
                out.push_str("- ");
                match item {
                    Json::Object(map) if !map.is_empty() => block(item, indent + 2, out),
                    Json::Array(list) if !list.is_empty() => block(item, indent + 2, out),
                    _ => leaf(item, indent, out),
                }
            }
        }
        _ => leaf(value, indent, out),
    }
}

/// A key and its colon; one that is long or has several lines stands behind a question mark.
fn key_of(key: &str, indent: usize, out: &mut String) {
    const SIMPLE_BYTES_MAX: usize = 128;
    let text = scalar(key, indent);
    if key.len() > SIMPLE_BYTES_MAX || text.contains('\n') {
        out.push_str(&format!("? {text}\n{}:", " ".repeat(indent)));
    } else {
        out.push_str(&text);
        out.push(':');
    }
}

fn entry(value: &Json, indent: usize, out: &mut String) {
    let nested = match value {
        Json::Object(map) => !map.is_empty(),
        Json::Array(items) => !items.is_empty(),
        _ => false,
    };
    if nested {
        out.push('\n');
        block(value, indent + 2, out);
    } else {
        out.push(' ');
        leaf(value, indent, out);
    }
}

fn leaf(value: &Json, indent: usize, out: &mut String) {
    match value {
        Json::String(text) => out.push_str(&scalar(text, indent)),
        Json::Object(_) => out.push_str("{}"),
        Json::Array(_) => out.push_str("[]"),
        Json::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(value) => out.push_str(&go_float(value)),
            None => out.push_str(&number.to_string()),
        },
        other => out.push_str(&other.to_string()),
    }
    out.push('\n');
}

/// A text in the style that reads back as the same text.
fn scalar(text: &str, indent: usize) -> String {
    if text.contains('\n') && literal_fits(text) {
        return literal(text, indent);
    }
    if text.contains('\n') || !text.chars().all(is_printable) {
        return double_quoted(text);
    }
    if !plain_is_text(text) {
        return format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    if plain_fits(text) { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

fn literal_fits(text: &str) -> bool {
    text.chars().all(|c| is_printable(c) || c == '\t') && !text.lines().any(|line| line.ends_with([' ', '\t']))
}

/// What docker compose's YAML library writes as it is.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn literal(text: &str, indent: usize) -> String {
    let mut out = "|".to_owned();
    if text.starts_with([' ', '\n', '\t']) {
        out.push('2');
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text.ends_with("\n\n") || text == "\n" {
        out.push('+');
    }
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.push_str(&" ".repeat(indent + 2));
            out.push_str(line);
        }
    }
    out
}

fn double_quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            c if is_printable(c) => out.push(c),
            c => match u32::from(c) {
                code @ ..0x100 => out.push_str(&format!("\\x{code:02X}")),
                code @ ..0x1_0000 => out.push_str(&format!("\\u{code:04X}")),
                code => out.push_str(&format!("\\U{code:08X}")),
            },
        }
    }
    out.push('"');
    out
}

/// True when the text can stand without quotes.
fn plain_fits(text: &str) -> bool {
    let first = text.chars().next();
    let indicator = matches!(
        first,
        Some('#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`')
    );
    let lone = matches!(first, Some('-' | '?' | ':')) && text.chars().nth(1).is_none_or(char::is_whitespace);
    let inside = text.contains(": ") || text.contains(" #") || text.ends_with(':');
    let edges = text.starts_with(' ') || text.ends_with(' ');
    !(text.is_empty() || indicator || lone || inside || edges || text.starts_with("---") || text.starts_with("..."))
}

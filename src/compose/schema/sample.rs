//! Texts that follow the schema, more or less: what the property tests make files of. Each choice is a byte of what the
//! caller draws; where the bytes end, the shortest thing is chosen.

use super::parts;
use super::rules::{Object, Rule};

/// What fields with a meaning of their own hold, right and wrong.
const WORDS: [&str; 72] = [
    "a",
    "b",
    "x:1",
    "",
    "~",
    "null",
    "true",
    "no",
    "0",
    "1",
    "-1",
    "017",
    "0x1F",
    "1_000",
    "2.50",
    "1e400",
    ".nan",
    "2024-01-01",
    "80",
    "80:80",
    "1-9:11-19",
    "9-1",
    "127.0.0.1:80:80/udp",
    "'[::1]:1:2'",
    "70000",
    "a:b",
    "a:b:ro",
    "./a:/b:z,ro",
    "~/a:/b",
    "'C:\\a:/b'",
    "/a",
    "/a:/a",
    "a=b",
    "a=",
    "=b",
    "a",
    "10s",
    "1m30s",
    "-5s",
    "1gb",
    "64m",
    "-1",
    "1.5t",
    "service:a",
    "container:a",
    "service:b",
    "host",
    "bind",
    "volume",
    "tmpfs",
    "npipe",
    "service_healthy",
    "always",
    "on-failure:3",
    "on-failure:x",
    "$A",
    "${A}",
    "${A:-b}",
    "${A:?b}",
    "${A:-${B:-${C}}}",
    "'${'",
    "$$A",
    "'echo \"a b\" ''c'",
    "\"\\u0000\"",
    "\"\\n\\t\"",
    "é…",
    "&n a",
    "*n",
    "!reset a",
    "!override [a]",
    "!!str 1",
    "!!binary YQ==",
];

/// Draws bytes; zero once they are used up.
pub(crate) struct Draw<'a>(pub &'a [u8]);

impl Draw<'_> {
    fn byte(&mut self) -> usize {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                usize::from(*first)
            }
            None => 0,
        }
    }
}

/// A Compose file in flow style.
pub(crate) fn file(draw: &mut Draw<'_>) -> String {
    let mut out = String::new();
    text(&parts::FILE, draw, 0, &mut out);
    out
}

fn text(rule: &Rule, draw: &mut Draw<'_>, depth: usize, out: &mut String) {
    // One in sixteen is something else than the schema says.
    if draw.byte() % 16 == 15 || depth > 12 {
        return word(draw, out);
    }
    match rule {
        Rule::Any | Rule::Scalar(_) | Rule::Range(..) | Rule::Text(..) => word(draw, out),
        Rule::Words(words) => out.push_str(words[draw.byte() % words.len()]),
        Rule::List { item, .. } => {
            out.push('[');
            for index in 0..draw.byte() % 4 {
                out.push_str(if index > 0 { ", " } else { "" });
                text(item, draw, depth + 1, out);
            }
            out.push(']');
        }
        Rule::Object(object) => fields(object, draw, depth, out),
        Rule::Dict { value, .. } => {
            out.push('{');
            for index in 0..draw.byte() % 4 {
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(
                    ["a", "b", "c", "default", "x-e", "'d e'", "\"${A}\"", "<<"][(index + draw.byte() % 6) % 8],
                );
                out.push_str(": ");
                text(value, draw, depth + 1, out);
            }
            out.push('}');
        }
        Rule::OneOf(rules) => text(&rules[draw.byte() % rules.len()], draw, depth, out),
    }
}

fn fields(object: &Object, draw: &mut Draw<'_>, depth: usize, out: &mut String) {
    out.push('{');
    let mut known: Vec<&str> = Vec::new();
    let top = depth == 0;
    for _ in 0..1 + draw.byte() % 6 {
        // The services are most of a file.
        let chosen = match (top, known.is_empty(), object.fields.is_empty()) {
            (_, _, true) => break,
            (true, true, _) => 3,
            _ => draw.byte() % object.fields.len(),
        };
        let (name, rule) = &object.fields[chosen];
        if known.contains(name) {
            continue;
        }
        out.push_str(if known.is_empty() { "" } else { ", " });
        known.push(name);
        out.push_str(name);
        out.push_str(": ");
        text(rule, draw, depth + 1, out);
    }
    out.push('}');
}

fn word(draw: &mut Draw<'_>, out: &mut String) {
    out.push_str(match WORDS[draw.byte() % WORDS.len()] {
        "" => "''",
        word => word,
    });
}

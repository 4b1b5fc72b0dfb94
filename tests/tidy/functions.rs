//! The largest files and functions: somewhere to look, not a limit.

use crate::source::Source;

const SHOWN: usize = 10;

/// Prints them, without tests.
pub fn print_largest(sources: &[Source]) {
    let ours = || sources.iter().filter(|source| source.path.starts_with("src/"));
    let mut files: Vec<(usize, &str)> = ours().map(|source| (live_lines(source), source.path.as_str())).collect();
    files.sort_by(|a, b| b.cmp(a));
    let median = files.get(files.len() / 2).map_or(0, |(lines, _)| *lines);
    println!("largest files of {} (lines without tests; the median has {median})", files.len());
    for (lines, path) in files.iter().take(SHOWN) {
        println!("  {lines:>5}  {path}");
    }
    let mut functions: Vec<(usize, String)> = ours().flat_map(functions).collect();
    functions.sort_by(|a, b| b.cmp(a));
    println!("largest functions of {}", functions.len());
    for (lines, name) in functions.iter().take(SHOWN) {
        println!("  {lines:>5}  {name}");
    }
}

/// Up to the first line of test code at the end, as people put it.
fn live_lines(source: &Source) -> usize {
    match source.live().last() {
        Some((_, token)) => token.line,
        None => 0,
    }
}

/// Every live function with its lines, from `fn` to its closing brace.
fn functions(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, token) in source.live().filter(|(_, token)| token.text == "fn") {
        let Some(name) = source.tokens.get(at + 1).filter(|name| name.is_word) else { continue };
        if let Some(end) = end_of_body(source, at) {
            found.push((end - token.line + 1, format!("{}  {}", name.text, source.path)));
        }
    }
    found
}

/// The line of a function's closing brace; `None` for a declaration.
fn end_of_body(source: &Source, from: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for token in source.tokens.iter().skip(from) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.checked_sub(1)?;
                if depth == 0 && token.text == "}" {
                    return Some(token.line);
                }
            }
            ";" if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

//! No file left out: a source that no `mod` reaches is neither compiled nor tested, and nobody notices.

use crate::source::Source;
use std::collections::BTreeSet;

/// The files that nothing reaches.
pub fn left_out(sources: &[Source]) -> Vec<String> {
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut waiting: Vec<&Source> = sources.iter().filter(|source| is_root(&source.path)).collect();
    while let Some(source) = waiting.pop() {
        if !reached.insert(&source.path) {
            continue;
        }
        let declared: BTreeSet<&String> = source.declares.iter().flatten().collect();
        waiting.extend(sources.iter().filter(|other| declared.contains(&other.path)));
    }
    sources
        .iter()
        .map(|source| source.path.as_str())
        .filter(|path| ["src/", "tests/", "benches/", "examples/"].iter().any(|folder| path.starts_with(folder)))
        .filter(|path| !reached.contains(path))
        .map(str::to_owned)
        .collect()
}

/// What cargo compiles by itself.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["src", "lib.rs" | "main.rs"] | ["build.rs"] => true,
        ["src", "bin", _] => true,
        ["tests" | "benches", file] => file.ends_with(".rs"),
        ["tests" | "benches" | "examples", _, "main.rs"] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_mod_is_left_out() {
        let texts = [
            ("src/lib.rs", "mod a;"),
            ("src/a/mod.rs", "mod b; mod inner { mod d; }"),
            ("src/a/b.rs", "#[cfg(test)] mod tests;"),
            ("src/a/b/tests.rs", ""),
            ("src/a/inner/d.rs", ""),
            ("src/a/lost.rs", ""),
            ("tests/one/main.rs", "mod part;"),
            ("tests/one/part.rs", ""),
            ("tests/one/lost.rs", ""),
        ];
        let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec();
        assert_eq!(left_out(&Source::read_all(texts)), ["src/a/lost.rs", "tests/one/lost.rs"]);
    }
}

//! Which module may use which: the middle column of the design's table, and which outside crates belong to whom.

use crate::source::{Source, Token};
use std::collections::BTreeSet;

/// A module, and those that it may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("compose", &[]),
    ("load", &["model", "compose"]),
    ("engine", &["model"]),
    ("observe", &["model", "engine"]),
    ("plan", &["model"]),
    ("init", &["model", "compose", "load", "engine", "observe", "plan", "probe"]),
    ("execute", &["model", "engine", "probe", "home"]),
    ("probe", &["model", "engine"]),
    // Waiting for the lock takes time, and time is an effect: the clock's trait is all that it may see of the engine's.
    ("home", &["model", "engine::clock"]),
    ("gateway", &["model"]),
    ("controllers", BELOW_CONTROLLERS),
    ("daemon", ALL_BELOW),
    ("web", ALL_BELOW),
    ("cli", ALL_BELOW),
];

const BELOW_CONTROLLERS: &[&str] =
    &["model", "compose", "load", "engine", "observe", "plan", "execute", "probe", "home", "gateway"];

/// What the user meets may use everything, each other too: `run` is a verb of `cli` that starts `daemon` and `web`.
const ALL_BELOW: &[&str] = &[
    "model",
    "compose",
    "load",
    "engine",
    "observe",
    "plan",
    "execute",
    "probe",
    "home",
    "gateway",
    "controllers",
    "daemon",
    "web",
    "init",
];

/// An outside crate, and the paths that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("bollard", &["src/engine/docker"]),
    ("rusqlite", &["src/home/"]),
    ("chacha20poly1305", &["src/home/"]),
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("indicatif", &["src/cli/"]),
    ("axum", &["src/web/"]),
    ("notify", &["src/daemon/"]),
];

/// What the nouns and the planner may use beside std: nothing that does I/O. `jiff` is asked for no clock, and for the
/// time zones that are compiled in and no files; `croner` knows neither; `litemap` and `smol_str` only keep what they get.
const PURE_CRATES: &[&str] = &[
    "serde",
    "serde_json",
    "serde_json_canonicalizer",
    "schemars",
    "sha2",
    "hmac",
    "hex",
    "jiff",
    "croner",
    "litemap",
    "smol_str",
    "thiserror",
];

/// Every use of a module that the table does not allow.
pub fn faults(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for source in sources {
        let Some(file) = source.module() else { continue };
        let Some(layer) = file.first() else { continue };
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| name == layer) else {
            faults.push(format!("{}: no layer `{layer}` in the table", source.path));
            continue;
        };
        for (used, below, line) in modules_used(source, &file) {
            let whole = format!("{used}::{below}");
            let is_allowed = used == *layer || allowed.iter().any(|name| *name == used || *name == whole);
            if !is_allowed && LAYERS.iter().any(|(name, _)| *name == used) {
                faults.push(format!("{}:{line}: `{layer}` must not use `{used}`", source.path));
            }
        }
    }
    faults
}

/// Every outside crate named where it does not belong.
pub fn crate_faults(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    let dependencies = dependencies();
    for source in sources.iter().filter(|source| source.path.starts_with("src/")) {
        for (at, token) in source.live().filter(|(at, token)| token.is_word && names_a_crate(source, *at)) {
            if let Some((name, homes)) = CRATES.iter().find(|(name, _)| token.text == *name)
                && !homes.iter().any(|home| source.path.starts_with(home))
            {
                faults.push(format!("{}:{}: `{name}` belongs to {}", source.path, token.line, homes.join(", ")));
            }
            let pure = ["src/model/", "src/plan/"].iter().any(|folder| source.path.starts_with(folder));
            if pure && dependencies.contains(&token.text) && !PURE_CRATES.contains(&token.text.as_str()) {
                faults.push(format!("{}:{}: `{}` in a pure module", source.path, token.line, source.tokens[at].text));
            }
        }
    }
    faults
}

/// A word that begins a path: `bollard::…`, and not `x::bollard` or `x.bollard`.
fn names_a_crate(source: &Source, at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| source.tokens.get(at)).map(|token| token.text.as_str());
    let after = source.tokens.get(at + 1).map(|token| token.text.as_str());
    let used = before == Some("use") && matches!(after, Some(";" | "as"));
    used || (after == Some("::") && !matches!(before, Some("::" | ".")))
}

/// The names under `[dependencies]`, as code writes them.
fn dependencies() -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(crate::files::root().join("Cargo.toml")).unwrap_or_default();
    let lines = manifest.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('=').map(|(name, _)| name.trim().replace('-', "_")))
        .collect()
}

/// A top module, what is named in it (empty: itself), and the line.
type Used = (String, String, usize);

/// What live code of a file names, by `crate::`, `evenkeel::` or enough `super::`.
fn modules_used(source: &Source, file: &[String]) -> Vec<Used> {
    let mut used = Vec::new();
    for (at, token) in source.live() {
        if !matches!(token.text.as_str(), "crate" | "super" | "evenkeel") || !source.reads(at + 1, &["::"]) {
            continue;
        }
        // `super::super` is one path, begun at the first; `$crate` is the same crate.
        if at > 0 && source.tokens[at - 1].text == "::" {
            continue;
        }
        let base: Vec<String> = file.iter().chain(&token.inner).cloned().collect();
        walk(&source.tokens, at, base, &mut used);
    }
    used
}

/// Follows one path, groups included, and records what it names directly under the root. Gives the index behind it.
fn walk(tokens: &[Token], mut at: usize, mut base: Vec<String>, used: &mut Vec<Used>) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "crate" | "evenkeel" => base.clear(),
            "super" => {
                base.pop();
            }
            "self" | "*" => {
                if let [top] = base.as_slice() {
                    used.push((top.clone(), String::new(), token.line));
                }
            }
            "{" => {
                if base.len() == 1 && tokens.get(at + 1).is_some_and(|token| token.text == "}") {
                    used.push((base[0].clone(), String::new(), token.line));
                }
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = walk(tokens, at, base.clone(), used);
                    if tokens.get(at).is_some_and(|token| token.text == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            name if token.is_word => {
                base.push(name.to_owned());
                let goes_on = tokens.get(at + 1).is_some_and(|token| token.text == "::");
                match base.as_slice() {
                    [top] if !goes_on => used.push((top.clone(), String::new(), token.line)),
                    [top, below] => used.push((top.clone(), below.clone(), token.line)),
                    _ => {}
                }
            }
            // Nothing of a path: what called this must get on.
            _ => return at + 1,
        }
        at += 1;
        if tokens.get(at).is_some_and(|token| token.text == "as") {
            at += 2;
        }
        if tokens.get(at).is_none_or(|token| token.text != "::") {
            return at;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        faults(&Source::read_all(vec![(path.into(), text.into())]))
    }

    #[test]
    fn every_way_to_name_a_module_is_seen() {
        for text in [
            "use crate::engine::Engine;",
            "use crate::{model::plan, engine::{self}};",
            "use crate::engine::*;",
            "fn f() -> crate::engine::Sent { x }",
            "use super::engine;",
            "mod inner { use super::super::engine; }",
            "use evenkeel::engine;",
            "use super::{engine::Sent};",
        ] {
            let faults = found("src/plan/mod.rs", text);
            assert_eq!(faults, ["src/plan/mod.rs:1: `plan` must not use `engine`"], "{text}");
        }
    }

    #[test]
    fn what_is_allowed_is_no_fault() {
        for text in [
            "use crate::model::{plan, step::{self, Does}};",
            "use super::order; pub(in crate::plan) fn f() {}",
            "#[cfg(test)] mod tests { use crate::engine; }",
            "// use crate::engine;\nconst A: &str = \"crate::engine\";",
            "use self::engine::x;",
        ] {
            assert_eq!(found("src/plan/mod.rs", text), [""; 0], "{text}");
        }
        assert_eq!(found("src/home/lock.rs", "use crate::engine::clock::Clock;"), [""; 0]);
        assert_eq!(found("src/home/lock.rs", "use crate::engine::{clock::Clock, Engine};").len(), 1);
        assert_eq!(found("src/plan/deep/er.rs", "use super::super::super::home;").len(), 1);
        assert_eq!(found("src/plan/deep/er.rs", "use super::super::home;").len(), 0);
    }

    #[test]
    fn a_crate_is_told_from_a_module_of_its_name() {
        let sources = Source::read_all(vec![(
            "src/plan/mod.rs".into(),
            "use bollard::Docker; fn f() { a::bollard::x(); bollard.y() }".into(),
        )]);
        assert_eq!(crate_faults(&sources).iter().filter(|fault| fault.contains("belongs to")).count(), 1);
    }
}

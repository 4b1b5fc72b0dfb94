//! No input panics, and what is printed reads back as the same project. `EVENKEEL_FUZZ` is how many inputs are tried,
//! `EVENKEEL_FUZZ_SEED` (64 hex digits) tries those of an earlier run again; `make fuzz` says what it tried.

use std::path::{Path, PathBuf};
use std::time::Instant;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseResult, TestRng, TestRunner};

use super::*;
use crate::compose::schema::sample;

/// How many inputs are tried of all kinds together when nothing else is said.
const INPUTS: u32 = 2_000;

/// Tries one kind of input: `share` hundredths of all.
fn try_all<S: Strategy>(kind: &str, share: u32, strategy: &S, test: impl Fn(S::Value) -> TestCaseResult) {
    let wanted = std::env::var("EVENKEEL_FUZZ").ok().and_then(|wanted| wanted.parse().ok());
    let cases = wanted.unwrap_or(INPUTS) * share / 100;
    let mut seed = [0_u8; 32];
    match std::env::var("EVENKEEL_FUZZ_SEED") {
        Ok(given) => hex::decode_to_slice(given.trim(), &mut seed).expect("a seed of 64 hex digits"),
        Err(_) => getrandom::fill(&mut seed).expect("random bytes"),
    }
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let seed = hex::encode(seed);
    let begin = Instant::now();
    if let Err(error) = runner.run(strategy, test) {
        panic!("{kind}: EVENKEEL_FUZZ_SEED={seed}\n{error}");
    }
    if wanted.is_some() {
        println!("{kind}: {cases} inputs, seed {seed}, {:.1} s", begin.elapsed().as_secs_f64());
    }
}

/// Every text of the files under some folders, to be cut and mixed.
fn texts(folders: &[&str]) -> Vec<String> {
    fn walk(folder: &std::path::Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|extension| ["yaml", "yml", "env"].iter().any(|e| extension == *e)) {
                out.extend(std::fs::read_to_string(path));
            }
        }
    }
    let mut out = Vec::new();
    for folder in folders {
        walk(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut out);
    }
    out.sort();
    assert!(out.len() > 20, "the files are missing");
    out
}

/// A text with pieces of another put in or cut out, lines moved, and a few bytes changed.
fn mutated() -> impl Strategy<Value = String> {
    let texts = texts(&["tests/compose", "examples", "manifests"]);
    let text = prop::sample::select(texts.clone());
    let other = prop::sample::select(texts);
    (
        (text, other, 0_u8..4),
        any::<[prop::sample::Index; 3]>(),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    )
        .prop_map(|((text, other, way), [at, from, to], changes)| {
            let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
            let (mut parts, others) = match way {
                0 => (text.chars().map(String::from).collect(), other.chars().map(String::from).collect()),
                _ => (lines(&text), lines(&other)),
            };
            let (from, to) = (from.index(others.len() + 1), to.index(others.len() + 1));
            let piece = others[from.min(to)..from.max(to)].to_vec();
            let at = at.index(parts.len() + 1);
            match way {
                // A piece of another put in, in the place of what follows, or cut out.
                0 | 1 => drop(parts.splice(at..at, piece)),
                2 => drop(parts.splice(at..(at + piece.len()).min(parts.len()), piece)),
                _ => drop(parts.drain(at..(at + piece.len()).min(parts.len()))),
            }
            let mut bytes = parts.concat().into_bytes();
            for (at, byte) in changes {
                let at = at.index(bytes.len().max(1));
                if let Some(old) = bytes.get_mut(at) {
                    *old = byte;
                }
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
}

/// Loads a text as whatever a file can be: by itself, over and under another, included, extended, as env and label file.
fn load_any(text: &str) -> Option<Loaded> {
    let files = Memory::of([
        ("/srv/app/compose.yaml", text),
        ("/srv/app/o.yaml", "services: {a: {environment: {Z: 1}, ports: ['1:1'], networks: [q]}}\nnetworks: {q: }"),
        ("/srv/app/i.yaml", "include: [{path: [compose.yaml, o.yaml], env_file: a.env}]\nservices: {i: {image: x}}"),
        ("/srv/app/e.yaml", "services: {e: {extends: {file: compose.yaml, service: a}, label_file: a.env}}"),
        ("/srv/app/a.env", text),
        ("/srv/app/.env", text),
    ]);
    let variables = || Variables::new().with([("A".to_owned(), text.to_owned())]);
    for list in [&["o.yaml", "compose.yaml"][..], &["compose.yaml", "o.yaml"], &["i.yaml"], &["e.yaml"]] {
        let list: Vec<PathBuf> = list.iter().map(|name| Path::new("/srv/app").join(name)).collect();
        let _ = load(&Sources::new("/srv/app", list, variables(), &files));
    }
    let current = PathBuf::from("/srv/app");
    if let Ok(sources) = discover(&Request { current, ..Request::default() }, &files) {
        let _ = used_variables(&sources);
    }
    load(&Sources::new("/srv/app", ["/srv/app/compose.yaml"], Variables::new(), &files)).ok()
}

/// Loads a text; what is printed of it must read back as the same.
fn load_and_read_back(text: &str) -> TestCaseResult {
    let Some(first) = load_any(text) else { return Ok(()) };
    let printed = render::yaml(&first.project);
    let files = Memory::of([("/srv/app/compose.yaml", printed.as_str())]);
    let again = load(&Sources::new("/srv/app", ["/srv/app/compose.yaml"], Variables::new(), &files));
    // What no other project may have is refused in a printed one (`container:x` namespaces and such are not).
    if let Ok(again) = again {
        let printed_again = render::yaml(&again.project);
        // Three things docker compose does not read back either: a variable `x-e` is one where a list has it, and an
        // extension in the mapping that is printed; a `$` is printed twice, in keys too, where it is read as it is; a
        // build whose context is an empty text is printed without one, and read as one of the folder.
        let quirks = |text: &str| (text.matches("#extensions").count(), text.matches('$').count());
        let without_context = |service: &Service| service.build.as_ref().is_some_and(|build| build.context.is_empty());
        if quirks(&printed) == quirks(&printed_again) && !first.project.services.values().any(without_context) {
            prop_assert_eq!(printed, printed_again);
        }
    }
    render::hashes(&first.project, "*");
    render::variables(&first.variables);
    render::images(&first.project);
    let _ = render::json(&first.project);
    Ok(())
}

#[test]
fn arbitrary_bytes_do_not_panic() {
    try_all("arbitrary bytes", 15, &prop::collection::vec(any::<u8>(), 0..300), |bytes| {
        load_any(&String::from_utf8_lossy(&bytes));
        Ok(())
    });
}

#[test]
fn arbitrary_texts_do_not_panic() {
    try_all("arbitrary texts", 15, &".{0,200}", |text| {
        load_any(&text);
        load_any(&format!(
            "services:\n  a:\n    image: x\n    command: {text:?}\n    ports: [{text:?}]\n    volumes: [{text:?}]\n    env_file: a.env\n"
        ));
        Ok(())
    });
}

#[test]
fn arbitrary_yaml_does_not_panic() {
    try_all("arbitrary YAML", 30, &prop::collection::vec(any::<u8>(), 0..400), |bytes| {
        load_and_read_back(&sample::file(&mut sample::Draw(&bytes)))
    });
}

#[test]
fn mutated_files_do_not_panic_and_print_what_reads_back() {
    try_all("mutated files", 40, &mutated(), |text| load_and_read_back(&text));
}

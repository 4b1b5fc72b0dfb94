//! No input panics, and what is printed reads back as the same project.

use proptest::prelude::*;

use super::*;

/// Every text of every case, to be cut and mixed.
fn corpus() -> Vec<String> {
    fn walk(folder: &std::path::Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "env") {
                out.extend(std::fs::read_to_string(path));
            }
        }
    }
    let mut out = Vec::new();
    walk(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose"), &mut out);
    out.sort();
    out
}

/// A text with pieces of another put in, and a few bytes changed.
fn mutated() -> impl Strategy<Value = String> {
    let texts = corpus();
    let text = prop::sample::select(texts.clone());
    let other = prop::sample::select(texts);
    (
        text,
        other,
        any::<[prop::sample::Index; 3]>(),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    )
        .prop_map(|(text, other, [at, from, to], changes)| {
            let mut bytes = text.into_bytes();
            let other = other.into_bytes();
            let (from, to) = (from.index(other.len() + 1), to.index(other.len() + 1));
            let piece = other[from.min(to)..from.max(to)].to_vec();
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, piece);
            for (at, byte) in changes {
                let at = at.index(bytes.len().max(1));
                if let Some(old) = bytes.get_mut(at) {
                    *old = byte;
                }
            }
            String::from_utf8_lossy(&bytes).into_owned()
        })
}

/// How many cases each property tries; `EVENKEEL_FUZZ` asks for more.
fn config() -> ProptestConfig {
    let cases = std::env::var("EVENKEEL_FUZZ").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256);
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

fn load_any(text: &str) -> Option<Loaded> {
    let files = Memory::of([
        ("/srv/app/compose.yaml", text),
        ("/srv/app/o.yaml", "services: {a: {environment: {Z: 1}, ports: ['1:1'], networks: [q]}}\nnetworks: {q: }"),
        ("/srv/app/a.env", text),
    ]);
    let sources = Sources::new("/srv/app", ["/srv/app/o.yaml", "/srv/app/compose.yaml"], Variables::new(), &files);
    let _ = load(&sources);
    load(&Sources::new("/srv/app", ["/srv/app/compose.yaml"], Variables::new(), &files)).ok()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn arbitrary_texts_do_not_panic(text in ".{0,200}") {
        load_any(&text);
        load_any(&format!("services:\n  a:\n    image: x\n    command: {text:?}\n    ports: [{text:?}]\n    volumes: [{text:?}]\n    env_file: a.env\n"));
    }

    #[test]
    fn mutated_files_do_not_panic_and_print_what_reads_back(text in mutated()) {
        let Some(first) = load_any(&text) else { return Ok(()) };
        let printed = render::yaml(&first.project);
        let files = Memory::of([("/srv/app/compose.yaml", printed.as_str())]);
        let again = load(&Sources::new("/srv/app", ["/srv/app/compose.yaml"], Variables::new(), &files));
        // What no other project may have is refused in a printed one (`container:x` namespaces and such are not).
        if let Ok(again) = again {
            let printed_again = render::yaml(&again.project);
            // Two things docker compose does not read back either: a variable `x-e` is one where a list has it, and an
            // extension in the mapping that is printed; a `$` is printed twice, in keys too, where it is read as it is.
            let quirks = |text: &str| (text.matches("#extensions").count(), text.matches('$').count());
            if quirks(&printed) == quirks(&printed_again) {
                prop_assert_eq!(printed, printed_again);
            }
        }
        render::hashes(&first.project, "*");
        let _ = render::json(&first.project);
    }
}

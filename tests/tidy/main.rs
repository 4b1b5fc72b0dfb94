//! The house rules as tests: which module may use which, what no module may do, a head on every file, no test left out.
//! Reads sources as tokens; comments and strings are never taken for code.

mod files;
mod functions;
mod layers;
mod reached;
mod source;
mod words;

use source::Source;

/// Every Rust source of the package, read.
fn sources() -> Vec<Source> {
    let texts: Vec<(String, String)> = files::tracked()
        .into_iter()
        .filter(|path| path.ends_with(".rs"))
        .filter_map(|path| std::fs::read_to_string(files::root().join(&path)).ok().map(|text| (path, text)))
        .collect();
    assert!(texts.iter().any(|(path, _)| path == "src/lib.rs"), "not run in the package's folder");
    Source::read_all(texts)
}

/// Fails with every fault at once.
fn none(what: &str, faults: Vec<String>) {
    assert!(faults.is_empty(), "{what}:\n  {}", faults.join("\n  "));
}

#[test]
fn every_module_uses_only_the_layers_below_it() {
    none("layers", layers::faults(&sources()));
}

#[test]
fn outside_crates_stay_where_they_belong() {
    none("crates", layers::crate_faults(&sources()));
}

#[test]
fn the_planner_and_the_nouns_are_pure() {
    none("purity", words::impure(&sources()));
}

#[test]
fn forbidden_words_are_nowhere() {
    none("words", words::forbidden(&sources()));
}

#[test]
fn every_file_says_what_it_is_for() {
    none("heads", words::without_head(&sources()));
}

#[test]
fn every_file_is_reached() {
    none("files that no `mod` reaches", reached::left_out(&sources()));
}

#[test]
fn nothing_tracked_names_a_place_on_this_machine() {
    none("paths of this machine", files::machine_paths());
}

/// Somewhere to look, not a limit: run with `--nocapture`.
#[test]
fn the_largest_files_and_functions() {
    functions::print_largest(&sources());
}

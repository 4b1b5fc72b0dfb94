//! What a release leaves for those after it: what an engine says of a stack with many kinds of fields that was applied, and
//! the revision that says so. `make observed` writes it to `tests/observed`, where a scenario finds nothing to do about it.

use crate::{
    adoption,
    private::PrivateEngine,
    stack::{Place, Stack, setting},
};
use evenkeel::{
    engine::docker::DockerEngine,
    home::Home,
    model::{
        names::StackName,
        observed::{EngineFacts, Observed},
        revision::{Origin, Revision},
        units::{Bytes, NanoCpus},
    },
    observe::{Wanted, observe},
};
use std::{fs, path::Path};

/// What the stack and its folder are called in what is left.
const NAME: &str = "fixture";
const FOLDER: &str = "/srv/fixture";

/// Applies the stack and gives what is left of it, by file name, without a word about this machine.
fn left_by(stack: &Stack) -> (EngineFacts, Vec<(String, String)>) {
    adoption::declare(stack, "evenkeel-test/web:1");
    stack.evenkeel(&["apply"]).exits(0);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    let name = StackName::from(stack.name.as_str());
    let current = Home::read(&stack.home(), &name).unwrap().unwrap().current().unwrap().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let observed = runtime.block_on(async {
        let engine = DockerEngine::connect(Path::new(stack.place.host.trim_start_matches("unix://"))).await.unwrap();
        observe(&engine, &name, &Wanted::of([&current.desired]), current.made).await.unwrap()
    });
    let (engine, observed, revision) = (observed.engine.clone(), anonymous(stack, observed), unsigned(current));
    let mut files = vec![
        ("observed.json".to_owned(), serde_json::to_string_pretty(&observed).unwrap()),
        ("revision.json".to_owned(), serde_json::to_string_pretty(&revision).unwrap()),
    ];
    for entry in fs::read_dir(stack.folder.path()).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        files.push((entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()));
    }
    for (_, text) in &mut files {
        *text = text.replace(&stack.folder.path().display().to_string(), FOLDER).replace(&stack.name, NAME);
    }
    (engine, files)
}

/// Without what is of this machine, and of others on it.
fn anonymous(stack: &Stack, mut observed: Observed) -> Observed {
    observed.engine.id = "engine".into();
    observed.engine.host_name = "host".into();
    (observed.engine.memory, observed.engine.cpus) = (Bytes::mebi(8192), NanoCpus(4_000_000_000));
    observed.others.clear();
    observed.networks.retain(|name, _| name.as_str().starts_with(&stack.name));
    if let Some(claim) = &mut observed.claim {
        claim.machine = "machine".into();
    }
    observed
}

fn unsigned(mut revision: Revision) -> Revision {
    revision.by = Origin { actor: "ann".into(), version: revision.by.version, ..Origin::default() };
    revision
}

/// Writes it where that is asked for.
fn leave(place: Place) {
    let stack = Stack::at("left", place);
    let (engine, files) = left_by(&stack);
    for (file, text) in &files {
        for told in [engine.id.as_str(), engine.host_name.as_str(), "/tmp/", stack.name.as_str()] {
            assert!(!text.contains(told), "`{told}` in {file}: {text}");
        }
    }
    if std::env::var_os("EVENKEEL_LEAVE_OBSERVED").is_some() {
        let version = engine.version.split('.').take(2).collect::<Vec<_>>().join(".");
        let observed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/observed").join(env!("CARGO_PKG_VERSION"));
        let folder = observed.join(format!("docker-{version}"));
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in files {
            fs::write(folder.join(file), text.trim_end().to_owned() + "\n").unwrap();
        }
    }
}

#[test]
fn what_is_left_of_this_engine_says_nothing_about_the_machine() {
    leave(Place::here());
}

#[test]
fn what_is_left_of_a_newer_engine_says_nothing_about_the_machine() {
    let engine = PrivateEngine::start("newer", &["--dockerd", &setting("EVENKEEL_TEST_DOCKERD")]);
    leave(engine.place());
}

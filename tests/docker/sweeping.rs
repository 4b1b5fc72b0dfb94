//! What a run of these tests leaves when it is killed is removed before the next one, which could stumble over it.

use crate::stack::{Ran, Stack};
use std::process::{Command, Stdio};

#[test]
fn what_a_killed_run_left_is_gone_and_what_is_in_use_stays() {
    let mut ended = Command::new("true").stdin(Stdio::null()).spawn().unwrap();
    ended.wait().unwrap();
    let stack = Stack::new("sweeping");
    let (left, own) = (format!("e2e{}x0-left", ended.id()), format!("{}_own", stack.name));
    let home = format!("evenkeel_home_{left}");
    let others = [format!("shop_{left}"), format!("e2e{}_data", ended.id()), format!("evkbench{}", ended.id())];
    stack.docker(&["network", "create", &left]);
    stack.docker(&["volume", "create", &home]);
    stack.docker(&[
        "run",
        "-d",
        "--name",
        &left,
        "--network",
        &left,
        "-v",
        &format!("{home}:/home"),
        crate::support::IMAGE,
    ]);
    for name in others.iter().chain([&own]) {
        stack.docker(&["volume", "create", name]);
    }

    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/sweep");
    // Those of other tests are being made and ended meanwhile.
    let no_engines = stack.path("engines");
    let mut sweep = stack.place.command(&script.display().to_string());
    let output = sweep.env("EVENKEEL_ENGINES", no_engines).output().unwrap();
    Ran::of("scripts/sweep".to_owned(), output).exits(0);

    let listed = |words: &[&str], name: &str| stack.docker(words).lines().any(|line| line == name);
    let volumes = ["volume", "ls", "--format", "{{.Name}}"];
    assert!(!listed(&["ps", "-a", "--format", "{{.Names}}"], &left));
    assert!(!listed(&["network", "ls", "--format", "{{.Name}}"], &left));
    assert!(!listed(&volumes, &home));
    assert!(listed(&volumes, &own), "this run goes on");
    for name in &others {
        assert!(listed(&volumes, name), "somebody else's");
        stack.docker(&["volume", "rm", name]);
    }
}

//! evenkeel is killed around each call that could change something, of an update of two services: one rolls start-first, the
//! other has data and rolls stop-first. In half of the runs its home is lost too. The next apply always comes to the same
//! end, with nothing left over.

use crate::{
    private::PrivateEngine,
    proxy::{Cut, Proxy},
    stack::{Place, Stack},
};
use std::{collections::BTreeSet, fs, process::Stdio};

const COMPOSE: &str = r#"
services:
  web:
    image: evenkeel-test/web:<version>
    restart: unless-stopped
  store:
    image: evenkeel-test/web:volume
    environment: {VERSION: "<version>"}
    volumes: ["named:/named"]
    restart: always
volumes: {named: }
"#;
const SPEC: &str = r#"services: {
  web: {probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms}}, rollout: {minReady: 200ms, deadline: 20s}},
  store: {probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms}}, rollout: {minReady: 200ms, deadline: 20s}}}"#;

/// The next version after one.
fn next(version: u32) -> u32 {
    version % 3 + 1
}

fn declare(stack: &Stack, version: u32) {
    stack.declare(&COMPOSE.replace("<version>", &version.to_string()), SPEC);
}

/// What every end must be like.
fn check(stack: &Stack, version: u32, what: &str) {
    let containers = stack.containers();
    assert_eq!(containers.keys().collect::<Vec<_>>(), ["store-1", "web-1"], "{what}: {containers:?}");
    assert!(containers.values().all(|container| container.state == "running"), "{what}: {containers:?}");
    assert_eq!(containers["web-1"].image, format!("evenkeel-test/web:{version}"), "{what}");
    assert_eq!(containers["web-1"].policy, "unless-stopped", "{what}");
    assert_eq!(containers["store-1"].policy, "always", "{what}");
    assert_eq!(stack.answers("store-1", "/version"), version.to_string(), "{what}");
    assert_eq!(stack.exec("store-1", &["cat", "/named/kept", "/data/kept"]), "in the named one\nin the anonymous one");
    let log = stack.exec("store-1", &["cat", "/data/log"]);
    assert!(!log.contains("overlap"), "{what}: two ran on one volume: {log}");
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
}

/// Cuts one update after the other, each one call later, until one is through before it is cut. How many were cut.
fn cut_each(place: &Place, what: &str, cut: fn(usize) -> Cut, wiped: usize) -> (Stack, usize) {
    let stack = Stack::at(what, place.clone());
    let proxy = Proxy::before(&place.host);
    let mut version = 1;
    declare(&stack, version);
    stack.evenkeel(&["apply"]).exits(0);
    stack.exec("store-1", &["sh", "-c", "echo in the named one >/named/kept; echo in the anonymous one >/data/kept"]);
    for number in 1..60 {
        version = next(version);
        declare(&stack, version);
        let was_cut = proxy.cut(cut(number), || {
            let mut command = stack.command(&["apply"]);
            command.env("DOCKER_HOST", proxy.host()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        });
        let what = format!("{:?}, {:?}", cut(number), proxy.calls().last());
        if was_cut && number % 2 == wiped {
            fs::remove_dir_all(stack.home()).unwrap();
        }
        stack.evenkeel(&["apply"]).exits(0);
        check(&stack, version, &what);
        if !was_cut {
            return (stack, number - 1);
        }
    }
    panic!("an update has no end");
}

#[test]
fn killed_around_any_call_the_next_apply_comes_to_the_same_end() {
    let engine = PrivateEngine::start("cuts", &[]);
    let place = engine.place();
    let (before, after) = std::thread::scope(|scope| {
        let before = scope.spawn(|| cut_each(&place, "before", Cut::Before, 0));
        let after = scope.spawn(|| cut_each(&place, "after", Cut::After, 1));
        (before.join(), after.join())
    });
    let ((before, calls), (after, calls_after)) = (before.unwrap(), after.unwrap());
    assert_eq!(calls, calls_after);
    // create, start, stop, remove, rename of the one; policy, stop, rename, create, start, remove of the other.
    assert!(calls >= 11, "an update has {calls} calls");

    // This engine has nothing else, so every volume that nobody mounts was left over.
    let all = |words: &[&str]| -> BTreeSet<String> { place.docker(words).lines().map(str::to_owned).collect() };
    let mut known: BTreeSet<String> = [&before, &after].map(|stack| format!("evenkeel_home_{}", stack.name)).into();
    for stack in [&before, &after] {
        let form = "{{range .Mounts}}{{println .Name}}{{end}}";
        let mounted = place.docker(&["inspect", "-f", form, &stack.full("store-1"), &stack.full("web-1")]);
        known.extend(mounted.split_whitespace().map(str::to_owned));
    }
    assert_eq!(all(&["volume", "ls", "-q"]), known);
    assert_eq!(all(&["ps", "-aq"]).len(), 4);
}

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
    environment: {VERSION: "<version>", FAIL: "<fail>"}
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

/// `fail` is what the one with data does at its start, empty for nothing.
fn declare(stack: &Stack, version: u32, fail: &str) {
    stack.declare(&COMPOSE.replace("<version>", &version.to_string()).replace("<fail>", fail), SPEC);
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

/// How a series of updates is cut.
struct Series {
    name: &'static str,
    cut: fn(usize) -> Cut,
    /// Whether the home is lost after the cuts of odd numbers, or of even ones.
    wiped: usize,
    /// What the one with data does at its start in the update that is cut: then the undo is cut too.
    fail: &'static str,
}

/// Cuts one update after the other, each one call later, until one is through before it is cut. The next apply, of what
/// works, must come to its end. How many were cut.
fn cut_each(place: &Place, series: &Series) -> (Stack, usize) {
    let stack = Stack::at(series.name, place.clone());
    let proxy = Proxy::before(&place.host);
    let mut version = 1;
    declare(&stack, version, "");
    stack.evenkeel(&["apply"]).exits(0);
    stack.exec("store-1", &["sh", "-c", "echo in the named one >/named/kept; echo in the anonymous one >/data/kept"]);
    for number in 1..60 {
        version = next(version);
        declare(&stack, version, series.fail);
        let was_cut = proxy.cut((series.cut)(number), || {
            let mut command = stack.command(&["apply"]);
            command.env("DOCKER_HOST", proxy.host()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        });
        let what = format!("{} {:?}, {:?}", series.name, (series.cut)(number), proxy.calls().last());
        if was_cut && number % 2 == series.wiped {
            fs::remove_dir_all(stack.home()).unwrap();
        }
        declare(&stack, version, "");
        let ran = stack.evenkeel(&["apply"]);
        assert_eq!(ran.code, 0, "{what}: {}", ran.all());
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
    let all_series = [
        Series { name: "before", cut: Cut::Before, wiped: 0, fail: "" },
        Series { name: "after", cut: Cut::After, wiped: 1, fail: "" },
        Series { name: "undone", cut: Cut::After, wiped: 0, fail: "exit:1" },
    ];
    let ended: Vec<(Stack, usize)> = std::thread::scope(|scope| {
        let started: Vec<_> = all_series.iter().map(|series| scope.spawn(|| cut_each(&place, series))).collect();
        // All are waited for before one that failed is told, so that none is left behind.
        let ended: Vec<_> = started.into_iter().map(|thread| thread.join()).collect();
        ended.into_iter().map(|ended| ended.unwrap_or_else(|failed| std::panic::resume_unwind(failed))).collect()
    });
    let calls: Vec<usize> = ended.iter().map(|(_, calls)| *calls).collect();
    // create, start, stop, remove, rename of the one; policy, stop, rename, create, start, remove of the other; and the
    // image tags, whose number depends on what a home remembers.
    assert!(calls[0] >= 11 && calls[1] >= 11 && calls[2] >= 8, "an update has {calls:?} calls");

    // This engine has nothing else, so every volume that nobody mounts was left over.
    let all = |words: &[&str]| -> BTreeSet<String> { place.docker(words).lines().map(str::to_owned).collect() };
    let mut known = BTreeSet::new();
    for (stack, _) in &ended {
        known.insert(format!("evenkeel_home_{}", stack.name));
        let form = "{{range .Mounts}}{{println .Name}}{{end}}";
        let mounted = place.docker(&["inspect", "-f", form, &stack.full("store-1"), &stack.full("web-1")]);
        known.extend(mounted.split_whitespace().map(str::to_owned));
    }
    assert_eq!(all(&["volume", "ls", "-q"]), known);
    assert_eq!(all(&["ps", "-aq"]).len(), 2 * ended.len());
}

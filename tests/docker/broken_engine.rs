//! The engine itself gets into trouble: its disk is full, it is killed in the middle of an apply, it stays away.

use crate::{
    private::PrivateEngine,
    stack::{Stack, finish, wait_until},
};

const COMPOSE: &str = r#"
services:
  web:
    image: evenkeel-test/web:1
    restart: always
  store:
    image: evenkeel-test/web:volume
    environment: {VERSION: "1"}
    restart: always
"#;
const SPEC: &str = r#"services: {
  web: {probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms}}, rollout: {minReady: 200ms, deadline: 60s}},
  store: {probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms}}, rollout: {minReady: 200ms, deadline: 60s}}}"#;

/// Both at version 2, and the one that is new takes its time to be ready.
fn updated() -> String {
    let slow = "web:2\n    environment: {READY_AFTER: \"2\"}";
    COMPOSE.replace("web:1", slow).replace("VERSION: \"1\"", "VERSION: \"2\"")
}

#[test]
fn on_a_full_disk_an_update_is_taken_back() {
    let engine = PrivateEngine::start("disk", &["--disk", "64m"]);
    let stack = Stack::at("disk", engine.place());
    let compose = "services: {web: {image: evenkeel-test/web:1, restart: always}}";
    stack.declare(compose, "defaults: {rollout: {minReady: 200ms, deadline: 20s}}");
    stack.evenkeel(&["apply"]).exits(0);
    let before = stack.containers();
    let name = stack.full("web-1");
    let filled = stack.place.try_docker(&["exec", &name, "dd", "if=/dev/zero", "of=/fill", "bs=4k"]);
    assert!(filled.all().contains("No space"), "{}", filled.all());
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:2"]).exits(4).says("no space left");
    assert_eq!(stack.containers(), before);
    stack.exec("web-1", &["rm", "/fill"]);
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:2"]).exits(0);
    assert_eq!(stack.answers("web-1", "/version"), "2");
}

#[test]
fn an_engine_that_is_killed_in_the_middle_and_comes_back_costs_nothing() {
    let engine = PrivateEngine::start("killed", &[]);
    let stack = Stack::at("killed", engine.place());
    stack.declare(COMPOSE, SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    stack.exec("store-1", &["sh", "-c", "echo kept >/data/kept"]);

    stack.declare(&updated(), SPEC);
    let child = stack.start(&["apply"]);
    wait_until("the new one runs", || {
        stack.containers().values().any(|container| container.image.ends_with("web:2") && container.state == "running")
    });
    engine.tell("kill", &[]);
    engine.tell("restart", &[]);
    let ran = finish(&["apply"], child);
    assert!([0, 3, 4].contains(&ran.code), "{}: {}", ran.code, ran.all());
    stack.evenkeel(&["apply"]).exits(0);
    the_end(&stack);
}

#[test]
fn an_engine_that_stays_away_ends_the_apply_and_the_next_one_recovers() {
    let engine = PrivateEngine::start("away", &[]);
    let stack = Stack::at("away", engine.place());
    stack.declare(COMPOSE, SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    stack.exec("store-1", &["sh", "-c", "echo kept >/data/kept"]);

    stack.declare(&updated(), SPEC);
    let child = stack.start(&["apply"]);
    wait_until("the new one runs", || {
        stack.containers().values().any(|container| container.image.ends_with("web:2") && container.state == "running")
    });
    engine.tell("halt", &[]);
    finish(&["apply"], child).exits(3).says("the next apply");
    engine.tell("restart", &[]);
    stack.evenkeel(&["apply"]).exits(0);
    the_end(&stack);
}

fn the_end(stack: &Stack) {
    let containers = stack.containers();
    assert_eq!(containers.keys().collect::<Vec<_>>(), ["store-1", "web-1"], "{containers:?}");
    assert!(containers.values().all(|container| container.state == "running"), "{containers:?}");
    assert_eq!(stack.answers("web-1", "/version"), "2");
    assert_eq!(stack.answers("store-1", "/version"), "2");
    assert_eq!(stack.exec("store-1", &["cat", "/data/kept"]), "kept");
    assert!(!stack.exec("store-1", &["cat", "/data/log"]).contains("overlap"));
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
}

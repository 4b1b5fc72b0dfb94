//! The machine restarts in the middle of a rollout: the engine brings back what it should, and `run` finishes or undoes the
//! rest without touching what came back.

use crate::{
    going::{Going, events, told, wait_for},
    private::PrivateEngine,
    proxy::{Cut, Proxy},
    stack::{Stack, wait_until},
};
use std::process::Stdio;

const COMPOSE: &str = r#"
services:
  db: {image: "evenkeel-test/web:1", restart: unless-stopped}
  store: {image: "evenkeel-test/web:volume", restart: always, environment: {VERSION: "1"}}
  web: {image: "evenkeel-test/web:1", restart: always, environment: {READY_AFTER: "600"}}
"#;
const SPEC: &str = "defaults: {rollout: {minReady: 200ms, deadline: 60s}, probes: {readiness: {http: {port: 8080, path: /version}, period: 100ms}}},
  services: {web: {probes: {liveness: {http: {port: 8080, path: /health}, period: 200ms, failures: 2}}}}";
const ALL: [&str; 3] = ["db-1", "store-1", "web-1"];

#[test]
fn after_a_restart_of_the_machine_all_is_as_it_was_and_a_rollout_comes_to_its_end() {
    let engine = PrivateEngine::start("reboot", &[]);
    let stack = Stack::at("reboot", engine.place());
    stack.declare(COMPOSE, SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    stack.exec("store-1", &["sh", "-c", "echo kept >/data/kept"]);
    let before = stack.ids();

    // Its policy is taken, it is stopped and renamed, the new one is made and started.
    stack.declare(&COMPOSE.replace("VERSION: \"1\"", "VERSION: \"2\""), SPEC);
    let proxy = Proxy::before(&stack.place.host);
    let was_cut = proxy.cut(Cut::After(5), || {
        let mut command = stack.command(&["apply"]);
        command.env("DOCKER_HOST", proxy.host()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    });
    assert!(was_cut);
    assert_eq!(stack.containers().len(), 4, "one is kept beside the new one");

    engine.tell("halt", &[]);
    engine.tell("restart", &[]);
    let started = |name: &str| stack.inspect(name)["State"]["StartedAt"].clone();
    wait_until("the engine starts them", || {
        let containers = stack.containers();
        ["db-1", "web-1"].iter().all(|name| containers[*name].state == "running")
    });
    let by_the_engine = [started("db-1"), started("web-1")];
    let going = Going::start(&stack, &[]);
    wait_until("the rollout comes to its end", || {
        let containers = stack.containers();
        containers.keys().eq(ALL) && containers.values().all(|container| container.state == "running")
    });
    wait_for(&stack, "liveness-failed", 0, "web-1");
    // A repair of another one shows that it looked since then.
    let known = told(&stack, "drift-found").len();
    stack.docker(&["rename", &stack.full("db-1"), &stack.full("away")]);
    wait_for(&stack, "drift-found", known, "service/db: wrong name");
    wait_until("it has its name", || stack.containers().contains_key("db-1"));
    assert_eq!([started("db-1"), started("web-1")], by_the_engine, "nothing was restarted");
    let ids = stack.ids();
    assert_eq!((&ids["db-1"], &ids["web-1"]), (&before["db-1"], &before["web-1"]), "nothing was replaced");
    going.end();
    let log = stack.exec("store-1", &["cat", "/data/log", "/data/kept"]);
    assert!(!log.contains("overlap") && log.ends_with("kept"), "{log}");
    assert_eq!(told(&stack, "step-failed"), [""; 0], "{:#?}", events(&stack));
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.answers("store-1", "/version"), "2");
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
}

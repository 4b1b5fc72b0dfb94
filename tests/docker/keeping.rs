//! `run` on a real engine: what somebody does by hand is put right and told, and what a person wants of a service holds
//! beside it, another terminal's apply included.

use crate::{
    going::{Going, events, is_whole, nothing_is_left_over, told, wait_for},
    stack::{Stack, finish, wait_until},
};
use evenkeel::{home::Home, model::names::StackName};

const COMPOSE: &str = r#"
services:
  db: {image: "evenkeel-test/web:1", restart: unless-stopped}
  web: {image: "evenkeel-test/web:1", restart: always, mem_limit: 64m, memswap_limit: 64m}
"#;
const SPEC: &str =
    "defaults: {rollout: {minReady: 200ms, deadline: 60s}, probes: {readiness: {tcp: {port: 8080}, period: 100ms}}}";
const BOTH: [&str; 2] = ["db-1", "web-1"];

fn running(what: &str) -> Stack {
    let stack = Stack::new(what);
    stack.declare(COMPOSE, SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    stack
}

#[test]
fn what_is_done_by_hand_is_put_right_and_told() {
    let stack = running("byhand");
    let going = Going::start(&stack, &[]);
    let (name, away, network) = (stack.full("web-1"), stack.full("away"), format!("{}_default", stack.name));
    let not_running = "service/web: not running; it is started again, `evenkeel stop web` keeps it stopped";
    let deeds: [(&[&str], &str); 7] = [
        (&["kill", &name], not_running),
        (&["stop", &name], not_running),
        (&["pause", &name], "service/web: "),
        (&["update", "--memory", "128m", "--memory-swap", "128m", &name], "limits.memory"),
        (&["network", "disconnect", &network, &name], "service/web: network missing"),
        (&["rename", &name, &away], "service/web: wrong name"),
        (&["rm", "-f", &name], "service/web: missing"),
    ];
    let before = stack.ids();
    for (deed, text) in deeds {
        let known = told(&stack, "drift-found").len();
        let replaced = deed[0] == "rm";
        stack.docker(deed);
        wait_for(&stack, "drift-found", known, text);
        wait_until(&format!("{} is put right", deed[0]), || is_whole(&stack, &BOTH));
        let drift = told(&stack, "drift-found").split_off(known);
        println!("{}: {drift:?}", deed[0]);
        assert_eq!(drift.len(), 1, "told once: {drift:?}");
        let ids = stack.ids();
        assert_eq!((ids["db-1"] == before["db-1"], ids["web-1"] == before["web-1"]), (true, !replaced), "{deed:?}");
    }
    going.end();
    nothing_is_left_over(&stack, &BOTH, &[]);
    assert_eq!(told(&stack, "revision-made").len(), 1);
    assert_eq!(told(&stack, "step-failed"), [""; 0]);
}

/// The other service is taken away by hand: when it is back, `run` has looked at all.
fn it_has_looked(stack: &Stack) {
    let before = told(stack, "drift-found").len();
    stack.docker(&["rm", "-f", &stack.full("db-1")]);
    wait_for(stack, "drift-found", before, "service/db: missing");
    wait_until("the other one is back", || {
        stack.containers().get("db-1").is_some_and(|container| container.state == "running")
    });
}

#[test]
fn what_a_person_wants_of_a_service_holds_beside_it() {
    let stack = running("wanted");
    let _going = Going::start(&stack, &["--resync", "1h"]);
    let (name, id) = (stack.full("web-1"), stack.ids()["web-1"].clone());
    let state = || stack.containers().get("web-1").map(|container| (container.state.clone(), container.policy.clone()));
    let is = |state: &str, policy: &str| Some((state.to_owned(), policy.to_owned()));

    stack.evenkeel(&["pause", "web", "--reason", "a leak"]).exits(0);
    stack.docker(&["kill", &name]);
    it_has_looked(&stack);
    assert_eq!(state(), is("exited", "always"), "paused is left as it is");
    stack.evenkeel(&["resume", "web"]).exits(0);
    wait_until("it is put right then", || state() == is("running", "always"));

    stack.evenkeel(&["stop", "web"]).exits(0).says("✓ web  stopped in ");
    it_has_looked(&stack);
    assert_eq!(state().unwrap().0, "exited");
    stack.docker(&["start", &name]);
    wait_until("stopped stays stopped", || state().unwrap().0 == "exited");
    stack.evenkeel(&["start", "web"]).exits(0).says("✓ web  started in ");
    wait_until("it is back with its policy", || state() == is("running", "always"));
    assert_eq!(stack.ids()["web-1"], id);
    wait_until("all is whole", || is_whole(&stack, &BOTH));
    nothing_is_left_over(&stack, &BOTH, &[]);
}

#[test]
fn an_apply_from_another_terminal_is_followed_and_one_that_waits_goes_first() {
    let stack = running("terminals");
    let _going = Going::start(&stack, &[]);
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:2"]).exits(0);
    let before = told(&stack, "drift-found").len();
    stack.docker(&["rm", "-f", &stack.full("web-1")]);
    wait_for(&stack, "drift-found", before, "service/web: missing");
    wait_until("it is made anew", || stack.containers().contains_key("web-1"));
    assert_eq!(stack.containers()["web-1"].image, "evenkeel-test/web:2");
    wait_until("all is whole", || is_whole(&stack, &BOTH));

    // One stands in its gate, one waits for the lock, and there is something to repair.
    let slow = COMPOSE.replace("restart: always", "restart: always, environment: {LISTEN_AFTER: \"3\"}");
    stack.declare(&slow, SPEC);
    let first = stack.start(&["apply", "web", "--actor", "first"]);
    wait_until("it stands in its gate", || stack.containers().len() == 3);
    let second = stack.start(&["apply", "web", "--actor", "second"]);
    let home = Home::read(&stack.home(), &StackName::from(stack.name.as_str())).unwrap().unwrap();
    wait_until("the other one waits", || home.is_awaited().unwrap());
    stack.docker(&["kill", &stack.full("db-1")]);
    finish(&["apply"], first).exits(0);
    finish(&["apply"], second).exits(0);
    wait_until("all is whole", || is_whole(&stack, &BOTH));
    let all = events(&stack);
    let of =
        |actor: &str| all.iter().position(|event| event["kind"] == "apply-started" && event["data"]["actor"] == actor);
    let repaired = all.iter().position(|event| {
        event["kind"] == "drift-found" && event["text"].as_str().unwrap().starts_with("service/db: not running")
    });
    let (first, second) = (of("first").unwrap(), of("second").unwrap());
    assert!(first < second && second < repaired.unwrap(), "{first} {second} {repaired:?}: {all:#?}");
}

#[test]
fn what_is_not_ready_for_long_holds_up_no_other_repair() {
    let stack = Stack::new("holdup");
    let slow = COMPOSE.replace("restart: always", "restart: always, environment: {LISTEN_AFTER: \"10\"}");
    stack.declare(&slow, SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    let _going = Going::start(&stack, &[]);
    let runs = |name: &str| stack.containers().get(name).is_some_and(|container| container.state == "running");
    stack.docker(&["rm", "-f", &stack.full("web-1")]);
    wait_until("the slow one is made anew", || runs("web-1"));
    let web = stack.ids()["web-1"].clone();
    stack.docker(&["rm", "-f", &stack.full("db-1")]);
    wait_until("the other one is made anew", || runs("db-1"));
    wait_for(&stack, "rollout-unproven", 0, "web: started, and not waited for: something else is to be repaired");
    wait_until("all is whole", || is_whole(&stack, &BOTH));
    assert_eq!(stack.ids()["web-1"], web);
    nothing_is_left_over(&stack, &BOTH, &[]);
}

#[test]
fn a_stack_that_is_left_is_kept_no_more_and_runs_on() {
    let stack = running("left");
    let going = Going::start(&stack, &[]);
    let before = stack.ids();
    stack.evenkeel(&["leave", "--reason", "back to docker compose"]).exits(0).says("let go, and what runs is left");
    wait_for(&stack, "keep-ended", 0, "was let go");
    stack.docker(&["rm", "-f", &stack.full("web-1")]);
    going.end();
    assert_eq!(stack.ids(), [("db-1".to_owned(), before["db-1"].clone())].into());
    assert_eq!(told(&stack, "drift-found"), [""; 0]);
    stack.compose(&["up", "-d"]).exits(0);
    assert_eq!(stack.ids()["db-1"], before["db-1"]);
}

//! Services that never get well: `run` restarts them, first at once and then ever later, and never runs hot for it.

use crate::{
    going::{Going, events, told, wait_for},
    proxy::Proxy,
    stack::{Stack, wait_until},
};
use serde_json::Value as Json;
use std::time::Instant;

const LIVENESS: &str = "liveness: {http: {port: 8080, path: /health}, period: 200ms, failures: 2}";

#[test]
fn what_fails_its_liveness_probe_is_restarted_where_it_is() {
    let stack = Stack::new("sick");
    let spec = format!("defaults: {{rollout: {{minReady: 200ms}}}}, services: {{web: {{probes: {{{LIVENESS}}}}}}}");
    stack.declare("services: {web: {image: \"evenkeel-test/web:1\", restart: always}}", &spec);
    stack.evenkeel(&["apply"]).exits(0);
    let started = || stack.inspect("web-1")["State"]["StartedAt"].clone();
    let (ids, before) = (stack.ids(), started());
    let _going = Going::start(&stack, &["--settle", "0s"]);
    stack.answers("web-1", "/sick");
    wait_until("it is restarted", || {
        let web = &stack.inspect("web-1")["State"];
        web["StartedAt"] != before && web["Running"] == true
    });
    wait_for(&stack, "liveness-failed", 0, "failed its liveness probe: 503");
    wait_for(&stack, "drift-found", 0, "service/web: liveness failed");
    wait_until("it is well", || {
        let check = ["exec", &stack.full("web-1"), "wget", "-qO-", "http://127.0.0.1:8080/health"];
        stack.place.try_docker(&check).code == 0
    });
    assert_eq!(stack.ids(), ids, "restarted, not replaced");
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    assert_eq!(told(&stack, "drift-found").len(), 1);
}

/// When the drift of this service was found, in the order of time, in milliseconds.
fn attempts(all: &[Json], service: &str) -> Vec<i64> {
    let of = |event: &&Json| event["kind"] == "drift-found" && event["service"] == service;
    all.iter().filter(of).map(millis).collect()
}

fn millis(event: &Json) -> i64 {
    let time: evenkeel::model::units::Timestamp = serde_json::from_value(event["time"].clone()).unwrap();
    time.0
}

#[test]
fn what_never_gets_well_is_tried_ever_later_and_costs_few_calls() {
    let mut stack = Stack::new("loops");
    let compose = r#"
services:
  dying: {image: "evenkeel-test/web:1", environment: {STOP_AFTER: "1", EXIT_CODE: "1"}}
  sick: {image: "evenkeel-test/web:1", restart: always, environment: {SICK_AFTER: "0.5"}}
"#;
    let spec = format!("defaults: {{rollout: {{minReady: 200ms}}}}, services: {{sick: {{probes: {{{LIVENESS}}}}}}}");
    stack.declare(compose, &spec);
    stack.evenkeel(&["apply"]).exits(0);
    let proxy = Proxy::before(&stack.place.host);
    let engine = stack.place.host.clone();
    stack.place.host = proxy.host();
    let begun = Instant::now();
    let going = Going::start(&stack, &["--settle", "0s"]);
    // Whether it is alerted, and tried again after that, the first time later than at once.
    let waited = |service: &str| {
        let all = events(&stack);
        let spent = all.iter().find(|event| event["kind"] == "budget-spent" && event["service"] == service).map(millis);
        spent.and_then(|spent| attempts(&all, service).into_iter().find(|time| *time > spent).map(|time| time - spent))
    };
    for service in ["dying", "sick"] {
        wait_until(&format!("{service} is tried later"), || waited(service).is_some());
        let waited = waited(service).unwrap();
        assert!((8_000..30_000).contains(&waited), "{service}: {waited} ms after the budget was spent");
    }
    let took = begun.elapsed();
    going.end();
    let calls = proxy.calls();
    stack.place.host = engine;
    let all = events(&stack);
    let [dying, sick] = ["dying", "sick"].map(|service| {
        let alerts = all.iter().filter(|event| event["kind"] == "budget-spent" && event["service"] == service).count();
        assert_eq!(alerts, 1, "{service}");
        attempts(&all, service).len()
    });
    let rate = calls.len() as f64 * 60.0 / took.as_secs_f64();
    println!("{dying} and {sick} restarts in {took:?}, {} changing calls, {rate:.0} a minute", calls.len());
    assert!((6..=7).contains(&dying) && (6..=7).contains(&sick), "five at once, then ever later: {dying}, {sick}");
    // The first is started, the other one stopped and started.
    assert!(calls.len() <= dying + 2 * sick, "{calls:?}");
}

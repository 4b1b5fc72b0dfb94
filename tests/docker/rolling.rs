//! Updates of a service that is being used, and those that fail.

use crate::stack::{Stack, free_port, get};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

/// The quickstart's shape: a proxy that stays, and replicas behind it that roll.
const COMPOSE: &str = r#"
services:
  front:
    image: evenkeel-test/nginx:1
    ports: ["127.0.0.1:PORT:80"]
    volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro"]
    depends_on: [web]
    restart: unless-stopped
  web:
    image: evenkeel-test/web:1
    deploy: {replicas: 2}
    environment: {TERM_AFTER: "1.5"}
    restart: unless-stopped
"#;
const SPEC: &str = r#"defaults: {rollout: {minReady: 1s, deadline: 6s}},
  services: {
    front: {probes: {readiness: {http: {port: 80, path: /front-health}, period: 200ms}}},
    web: {probes: {readiness: {http: {port: 8080, path: /health}, period: 200ms}}, rollout: {strategy: startFirst}}}"#;

fn front(what: &str) -> (Stack, u16) {
    let (stack, port) = (Stack::new(what), free_port());
    stack.write("nginx.conf", include_str!("../../examples/quickstart/nginx.conf"));
    stack.declare(&COMPOSE.replace("PORT", &port.to_string()), SPEC);
    (stack, port)
}

/// Three visitors that ask for the front page without a pause, until they are told to stop.
struct Visitors {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Vec<Result<String, String>>>>,
}

impl Visitors {
    fn start(port: u16) -> Visitors {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..3).map(|_| {
            let stop = stop.clone();
            std::thread::spawn(move || visit(port, &stop))
        });
        Visitors { threads: threads.collect(), stop }
    }

    /// Ends them: the versions that answered. Not one request may have failed.
    #[track_caller]
    fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let got: Vec<_> = self.threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let failed: Vec<_> = got.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert!(
            failed.is_empty(),
            "{} of {} requests failed: {:?}",
            failed.len(),
            got.len(),
            &failed[..failed.len().min(3)]
        );
        let mut versions: Vec<String> = got.into_iter().flatten().collect();
        assert!(versions.len() > 20, "they had time to ask");
        versions.sort();
        versions.dedup();
        versions
    }
}

fn visit(port: u16, stop: &AtomicBool) -> Vec<Result<String, String>> {
    let mut got = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        got.push(match get(port, "/") {
            Ok((200, body)) => Ok(body.split(' ').nth(1).unwrap_or_default().to_owned()),
            Ok((status, body)) => Err(format!("{status} {body}")),
            Err(error) => Err(error),
        });
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    got
}

#[test]
fn an_update_under_load_loses_no_request() {
    let (stack, port) = front("load");
    stack.evenkeel(&["apply"]).exits(0);
    let before = stack.ids();

    let visitors = Visitors::start(port);
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:2"]).exits(0);
    assert_eq!(visitors.end(), ["1", "2"]);
    let after = stack.containers();
    assert_eq!(after.keys().collect::<Vec<_>>(), ["front-1", "web-1", "web-2"]);
    assert_eq!(after["front-1"].id, before["front-1"], "what does not change is left alone");
    for replica in ["web-1", "web-2"] {
        assert_eq!(after[replica].image, "evenkeel-test/web:2");
        assert_ne!(after[replica].id, before[replica]);
    }
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);

    let visitors = Visitors::start(port);
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:broken"]).exits(4).says("web");
    assert_eq!(visitors.end(), ["2"], "nobody saw the broken one");
    assert_eq!(stack.containers(), after, "taken back: not one container differs");
}

#[test]
fn an_update_that_crashes_is_taken_back_and_its_log_is_kept() {
    let stack = Stack::new("crash");
    let compose = "services: {web: {image: evenkeel-test/web:1, restart: always}}";
    stack.declare(compose, "defaults: {rollout: {minReady: 500ms, deadline: 20s}}");
    stack.evenkeel(&["apply"]).exits(0);
    let before = stack.containers();

    let failed = stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:crash"]).exits(4);
    assert!(failed.all().contains("told to fail"), "the failure shows the log: {}", failed.all());
    assert_eq!(stack.containers(), before);
    stack.evenkeel(&["logs", "web", "--failed"]).exits(0).says("told to fail with 1");
    let events = stack.evenkeel(&["events"]).exits(0).all();
    assert!(events.contains("web"), "{events}");

    // The override was taken back too: the manifest as it stands is converged.
    stack.evenkeel(&["diff", "--exit-code"]);
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:3"]).exits(0);
    assert_eq!(stack.answers("web-1", "/version"), "3");
}

#[test]
fn a_first_deploy_that_fails_leaves_no_container_but_its_log() {
    let stack = Stack::new("firstfail");
    let compose = "services: {web: {image: evenkeel-test/web:crash, restart: always}}";
    stack.declare(compose, "defaults: {rollout: {minReady: 500ms, deadline: 20s}}");
    stack.evenkeel(&["apply"]).exits(5).says("web");
    assert_eq!(stack.ids().len(), 0, "{:?}", stack.containers());
    stack.evenkeel(&["logs", "web", "--failed"]).exits(0).says("told to fail with 1");

    stack.declare(&compose.replace("web:crash", "web:1"), "defaults: {rollout: {minReady: 500ms, deadline: 20s}}");
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.containers()["web-1"].state, "running");
}

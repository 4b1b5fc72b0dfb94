//! What a manifest asks for beside a rollout: limits in place, units, one-shots, content, the whole stack back, capacity,
//! saved plans.

use crate::stack::Stack;
use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::PathBuf,
};

const QUICK: &str = "defaults: {rollout: {minReady: 300ms, deadline: 20s}}";

fn up(what: &str, compose: &str, spec: &str) -> (Stack, BTreeMap<String, String>) {
    let stack = Stack::new(what);
    stack.declare(compose, spec);
    stack.evenkeel(&["apply"]).exits(0);
    let ids = stack.ids();
    (stack, ids)
}

/// Where a file in a container is on the host.
fn bound(stack: &Stack, target: &str) -> PathBuf {
    let mounts = stack.inspect("web-1")["Mounts"].clone();
    let mount = mounts.as_array().unwrap().iter().find(|mount| mount["Destination"] == target).unwrap();
    PathBuf::from(mount["Source"].as_str().unwrap())
}

#[test]
fn limits_and_restart_policy_change_in_place() {
    let compose =
        "services: {web: {image: evenkeel-test/web:1, restart: always, mem_limit: 64m, pids_limit: 64, cpus: 0.5}}";
    let (stack, before) = up("inplace", compose, QUICK);
    let started = stack.inspect("web-1")["State"]["StartedAt"].clone();
    let more = compose.replace("64m", "96m").replace("pids_limit: 64", "pids_limit: 80").replace("0.5", "0.75");
    stack.declare(&more.replace("always", "unless-stopped"), QUICK);
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.ids(), before);
    let now = stack.inspect("web-1");
    assert_eq!(now["State"]["StartedAt"], started, "it was not restarted");
    assert_eq!(now["HostConfig"]["Memory"], 96 << 20);
    assert_eq!(now["HostConfig"]["PidsLimit"], 80);
    assert_eq!(now["HostConfig"]["NanoCpus"], 750_000_000);
    assert_eq!(now["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped");
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
}

/// The file is another user's, and nobody else may read it; the container runs as that user.
#[test]
fn a_rollback_has_the_old_content_of_a_bound_file_back() {
    let mut stack = Stack::new("copies");
    let compose = r#"services: {web: {image: "evenkeel-test/web:1", restart: always, user: "4711", volumes: ["./bound:/etc/bound:ro"]}}"#;
    let write = |stack: &Stack, text: &str| {
        stack.write("bound", text);
        chown(stack.path("bound"), Some(4711), Some(4712)).unwrap();
        fs::set_permissions(stack.path("bound"), Permissions::from_mode(0o400)).unwrap();
    };
    stack.declare(compose, QUICK);
    for text in ["one\n", "two\n"] {
        write(&stack, text);
        stack.evenkeel(&["apply"]).exits(0);
    }
    stack.evenkeel(&["rollback", "web"]).exits(0);
    let read = |stack: &Stack| stack.exec("web-1", &["cat", "/etc/bound"]);
    assert_eq!(read(&stack), "one");
    let copy = bound(&stack, "/etc/bound");
    assert!(copy.starts_with(stack.home().canonicalize().unwrap()), "{}", copy.display());

    // What is lost of it is there again after any apply, and nothing is replaced for that.
    let ids = stack.ids();
    fs::remove_file(&copy).unwrap();
    stack.evenkeel(&["apply"]).exits(9).says("rolled-back");
    stack.docker(&["restart", "--time", "0", &stack.full("web-1")]);
    assert_eq!((read(&stack).as_str(), stack.ids()), ("one", ids));

    // A home that is moved takes it along.
    let moved = stack.path("moved");
    fs::rename(stack.home(), &moved).unwrap();
    stack.variables.insert("EVENKEEL_STATE_DIR".into(), moved.display().to_string());
    stack.docker(&["volume", "rm", &format!("evenkeel_home_{}", stack.name)]);
    stack.evenkeel(&["status"]).exits(0).says("mounts./etc/bound");
    stack.evenkeel(&["restart", "web"]).exits(0);
    assert_eq!(read(&stack), "one");
    assert!(bound(&stack, "/etc/bound").starts_with(moved.canonicalize().unwrap()));

    write(&stack, "three\n");
    stack.evenkeel(&["diff"]).exits(0).says("/bound");
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(
        (read(&stack).as_str(), bound(&stack, "/etc/bound")),
        ("three", stack.path("bound").canonicalize().unwrap())
    );
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
}

#[test]
fn services_that_share_a_network_namespace_roll_as_one() {
    let compose = r#"
services:
  web: {image: "evenkeel-test/web:1", restart: always}
  beside: {image: "evenkeel-test/web:1", restart: always, environment: {PORT: "8081"}, network_mode: "service:web"}
"#;
    let (stack, before) = up("unit", compose, QUICK);
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:2"]).exits(0);
    let after = stack.ids();
    assert!(
        after.len() == 2 && after["web-1"] != before["web-1"] && after["beside-1"] != before["beside-1"],
        "{after:?}"
    );
    assert_eq!(stack.answers("beside-1", "/version"), "2", "it sees what its neighbour serves");
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    // A failure of the one that depends takes both back.
    stack.evenkeel(&["apply", "--image", "beside=evenkeel-test/web:crash"]).exits(4);
    assert_eq!(stack.ids(), after);
    assert_eq!(stack.answers("beside-1", "/version"), "2");
}

#[test]
fn a_one_shot_runs_once_before_what_awaits_it_and_stops_it_when_it_fails() {
    let compose = r#"
services:
  migrate: {image: "evenkeel-test/web:oneshot", restart: "no", environment: {SAY: first, EXIT_CODE: "0"}}
  web:
    image: evenkeel-test/web:1
    restart: always
    environment: {A: "1"}
    depends_on: {migrate: {condition: service_completed_successfully}}
"#;
    let (stack, before) = up("oneshot", compose, QUICK);
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.ids(), before, "done is done");
    // Both change and the one-shot fails: what awaits it is not touched.
    let bad = compose.replace("EXIT_CODE: \"0\"", "EXIT_CODE: \"3\"").replace("A: \"1\"", "A: \"2\"");
    stack.declare(&bad, QUICK);
    let failed = stack.evenkeel(&["apply"]);
    assert!([4, 5].contains(&failed.code), "{}: {}", failed.code, failed.all());
    assert_eq!(stack.ids()["web-1"], before["web-1"]);
    stack.declare(&compose.replace("A: \"1\"", "A: \"2\""), QUICK);
    stack.evenkeel(&["apply"]).exits(0);
    assert_ne!(stack.ids()["web-1"], before["web-1"]);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
}

#[test]
fn new_content_of_a_file_rolls_what_reads_it() {
    let stack = Stack::new("content");
    let compose = r#"
services:
  web: {image: "evenkeel-test/web:1", restart: always, configs: [{source: c, target: /etc/c}], volumes: ["./bound:/etc/bound:ro"]}
  other: {image: "evenkeel-test/web:1", restart: always}
configs: {c: {file: ./c}}
"#;
    stack.write("c", "one\n");
    stack.write("bound", "one\n");
    stack.declare(compose, QUICK);
    stack.evenkeel(&["apply"]).exits(0);
    for file in ["c", "bound"] {
        let before = stack.ids();
        stack.write(file, "two\n");
        stack.evenkeel(&["diff", "--exit-code"]).exits(1);
        stack.evenkeel(&["apply"]).exits(0);
        let after = stack.ids();
        assert_ne!(after["web-1"], before["web-1"]);
        assert_eq!(after["other-1"], before["other-1"]);
        assert_eq!(stack.exec("web-1", &["cat", &format!("/etc/{file}")]), "two");
        stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    }
}

#[test]
fn with_rollback_stack_the_services_that_rolled_go_back_too() {
    let compose = r#"
services:
  store: {image: "evenkeel-test/web:volume", restart: always, environment: {VERSION: "1"}}
  web: {image: "evenkeel-test/web:1", restart: always, depends_on: [store]}
"#;
    let spec = "rollout: {onFailure: rollbackStack}, defaults: {rollout: {minReady: 300ms, deadline: 20s}}";
    let (stack, _) = up("stackback", compose, spec);
    stack.exec("store-1", &["sh", "-c", "echo kept >/data/kept"]);
    stack.declare(&compose.replace("VERSION: \"1\"", "VERSION: \"2\"").replace("web:1", "web:crash"), spec);
    stack.evenkeel(&["apply"]).exits(4);
    let back = stack.containers();
    assert_eq!(back.keys().collect::<Vec<_>>(), ["store-1", "web-1"], "{back:?}");
    assert!(back.values().all(|container| container.state == "running" && container.policy == "always"), "{back:?}");
    assert_eq!(stack.answers("store-1", "/version"), "1");
    assert_eq!(stack.answers("web-1", "/version"), "1");
    assert_eq!(stack.exec("store-1", &["cat", "/data/kept"]), "kept");
}

#[test]
fn services_no_longer_declared_are_left_until_prune_is_on() {
    let compose = "services: {web: {image: evenkeel-test/web:1, restart: always}, old: {image: evenkeel-test/web:1, restart: always}}";
    let (stack, before) = up("prune", compose, QUICK);
    let less = "services: {web: {image: evenkeel-test/web:1, restart: always}}";
    stack.declare(less, QUICK);
    stack.evenkeel(&["apply"]);
    assert_eq!(stack.ids(), before, "reported, not removed");
    stack.evenkeel(&["diff"]).exits(0).says("old");
    let beside = stack.full("debug");
    stack.docker(&["network", "create", &beside]);
    stack.docker(&["network", "connect", &beside, &stack.full("web-1")]);
    let status = stack.evenkeel(&["status", "--format", "json"]).exits(0).json();
    assert_eq!(status["notDeclared"][0]["containers"][0]["name"], stack.full("old-1"), "{status:#}");
    assert_eq!(status["services"][0]["containers"][0]["connectedByHand"][0], beside, "{status:#}");
    stack.evenkeel(&["status"]).exits(0).says("connected by hand").says("old-1 running");
    stack.declare(less, &format!("prune: true, {QUICK}"));
    stack.evenkeel(&["apply", "--yes"]).exits(0);
    assert_eq!(stack.ids().into_iter().collect::<Vec<_>>(), [("web-1".to_owned(), before["web-1"].clone())]);
}

#[test]
fn more_than_the_budget_or_the_host_has_is_refused_before_anything_starts() {
    let stack = Stack::new("capacity");
    let compose = "services: {web: {image: evenkeel-test/web:1, restart: always, mem_limit: 64m}}";
    stack.declare(compose, &format!("capacity: {{memory: 32Mi}}, {QUICK}"));
    stack.evenkeel(&["apply"]).exits(8).says("memory");
    stack.declare(&compose.replace("64m", "900g"), QUICK);
    stack.evenkeel(&["apply"]).exits(8);
    stack.declare(
        &compose.replace(", mem_limit: 64m", ""),
        &format!("capacity: {{memory: 1Gi, requireLimits: true}}, {QUICK}"),
    );
    stack.evenkeel(&["apply"]).exits(8).says("web");
    assert_eq!(stack.ids().len(), 0);
}

#[test]
fn a_saved_plan_is_applied_as_reviewed_or_not_at_all() {
    let compose = "services: {web: {image: evenkeel-test/web:1, restart: always, environment: {A: \"1\"}}}";
    let (stack, before) = up("saved", compose, QUICK);
    stack.declare(&compose.replace("\"1\"", "\"2\""), QUICK);
    stack.evenkeel(&["diff", "--out", "plan.json"]).exits(0);
    stack.docker(&["update", "--pids-limit", "50", &stack.full("web-1")]);
    stack.evenkeel(&["apply", "--plan", "plan.json"]).exits(7);
    assert_eq!(stack.ids(), before);
    stack.docker(&["update", "--pids-limit", "0", &stack.full("web-1")]);
    stack.evenkeel(&["diff", "--out", "plan.json"]).exits(0);
    stack.evenkeel(&["apply", "--plan", "plan.json"]).exits(0);
    assert_ne!(stack.ids(), before);
    assert_eq!(stack.answers("web-1", "/env?A"), "2");
}

#[test]
fn a_plain_compose_file_is_a_manifest_and_restart_replaces_with_an_equal_one() {
    let stack = Stack::new("plain");
    stack.write("compose.yaml", "name: NAME\nservices: {web: {image: evenkeel-test/web:1, restart: always}}\n");
    stack.compose(&["up", "-d"]).exits(0);
    let before = stack.ids();
    stack.evenkeel(&["diff"]).exits(0);
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.ids(), before);
    stack.evenkeel(&["restart", "web"]).exits(0);
    let after = stack.containers();
    assert!(after.len() == 1 && after["web-1"].id != before["web-1"] && after["web-1"].state == "running", "{after:?}");
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
}

//! Services with data: never two on one volume, and the data survives whatever happens to the container.

use crate::stack::Stack;

const POSTGRES: &str = r#"
services:
  db:
    image: evenkeel-test/postgres:1
    environment: {POSTGRES_PASSWORD: none, PGPASSWORD: none, NOTE: "1"}
    volumes: ["data:/var/lib/postgresql/data"]
    stop_grace_period: 30s
    restart: unless-stopped
    healthcheck: {test: [CMD, pg_isready, -U, postgres], interval: 500ms, timeout: 3s, retries: 40}
volumes: {data: }
"#;

#[test]
fn postgres_keeps_its_rows_through_an_update_and_one_that_is_taken_back() {
    let stack = Stack::new("postgres");
    let spec = "defaults: {rollout: {minReady: 300ms, deadline: 60s}}";
    stack.declare(POSTGRES, spec);
    stack.evenkeel(&["apply"]).exits(0);
    let sql = |statement: &str| stack.exec("db-1", &["psql", "-U", "postgres", "-h", "127.0.0.1", "-tAc", statement]);
    sql("create table kept (n int); insert into kept values (41), (1)");

    stack.declare(&POSTGRES.replace(r#"NOTE: "1""#, r#"NOTE: "2""#), spec);
    let before = stack.containers();
    stack.evenkeel(&["diff"]).exits(0).says("stop-first");
    stack.evenkeel(&["apply"]).exits(0);
    let updated = stack.containers();
    assert_ne!(updated, before);
    assert_eq!(sql("select sum(n) from kept"), "42");

    // A start that fails by itself: the old one gets its place back.
    stack.declare(&POSTGRES.replace("restart: unless", "command: [sh, -c, exit 3]\n    restart: unless"), spec);
    stack.evenkeel(&["apply"]).exits(4);
    assert_eq!(stack.containers(), updated, "the same container, its name and restart policy");
    crate::stack::wait_until("postgres answers again", || {
        let name = stack.full("db-1");
        stack.place.try_docker(&["exec", &name, "pg_isready", "-U", "postgres"]).code == 0
    });
    assert_eq!(sql("select sum(n) from kept"), "42");
}

/// The image declares a volume, and says in its log when two of it run on one.
#[test]
fn never_two_on_one_volume() {
    let stack = Stack::new("overlap");
    let compose =
        r#"services: {store: {image: "evenkeel-test/web:volume", restart: always, environment: {VERSION: "1"}}}"#;
    let spec = "services: {store: {probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms}},
      rollout: {minReady: 300ms, deadline: 2s}}}";
    stack.declare(compose, spec);
    stack.evenkeel(&["apply"]).exits(0);
    for version in ["2", "3"] {
        stack.declare(&compose.replace(r#""1""#, &format!("{version:?}")), spec);
        stack.evenkeel(&["apply"]).exits(0);
    }
    let updated = stack.containers();
    // It exits by itself: taken back.
    stack.declare(&compose.replace(r#"VERSION: "1""#, r#"VERSION: "4", FAIL: "exit:7""#), spec);
    stack.evenkeel(&["apply"]).exits(4);
    assert_eq!(stack.containers(), updated);
    let log = stack.exec("store-1", &["cat", "/data/log"]);
    for line in ["start 1", "stop 1", "start 2", "stop 2", "start 3", "stop 3"] {
        assert!(log.contains(line), "{log}");
    }
    assert!(!log.contains("overlap"), "{log}");
    assert_eq!(log.matches("start 3").count(), 2, "started, stopped, and started again: {log}");
}

/// A stateful service that only does not get ready is not killed: both stay, and a person decides.
#[test]
fn a_stateful_service_that_is_late_is_kept_and_rollback_takes_it_back() {
    let stack = Stack::new("late");
    let compose =
        r#"services: {store: {image: "evenkeel-test/web:volume", restart: always, environment: {VERSION: "1"}}}"#;
    let spec = "services: {store: {probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms}},
      rollout: {minReady: 300ms, deadline: 2s}}}";
    stack.declare(compose, spec);
    stack.evenkeel(&["apply"]).exits(0);
    let before = stack.containers();
    stack.declare(&compose.replace(r#"VERSION: "1""#, r#"VERSION: "2", FAIL: health"#), spec);
    stack.evenkeel(&["apply"]).exits(5);
    let both = stack.containers();
    assert_eq!(both.len(), 2, "{both:?}");
    let kept = both.values().find(|container| container.id == before["store-1"].id).unwrap();
    assert_eq!((kept.state.as_str(), kept.policy.as_str()), ("exited", "no"));

    stack.evenkeel(&["rollback", "store"]).exits(0);
    assert_eq!(stack.containers(), before);
    assert!(!stack.exec("store-1", &["cat", "/data/log"]).contains("overlap"));
}

#[test]
fn recreate_replaces_all_replicas_at_once_and_takes_them_back() {
    let stack = Stack::new("recreate");
    let compose = "services: {web: {image: evenkeel-test/web:1, restart: always, deploy: {replicas: 2}}}";
    let spec = "services: {web: {rollout: {strategy: recreate, minReady: 300ms, deadline: 20s}}}";
    stack.declare(compose, spec);
    stack.evenkeel(&["apply"]).exits(0);
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:2"]).exits(0);
    let updated = stack.containers();
    assert!(updated.len() == 2 && updated.values().all(|container| container.image == "evenkeel-test/web:2"));
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:crash"]).exits(4);
    assert_eq!(stack.containers(), updated);
}

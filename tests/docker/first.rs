//! A stack comes up, stays as it is, and docker compose works on it.

use crate::stack::Stack;

const COMPOSE: &str = r#"
services:
  web:
    image: evenkeel-test/web:1
    environment: {LOG_LEVEL: debug}
    volumes: ["data:/var/lib/web"]
    depends_on: [store]
    restart: unless-stopped
  store:
    image: evenkeel-test/redis:1
    restart: unless-stopped
volumes: {data: }
"#;
const SPEC: &str = r#"defaults: {rollout: {minReady: 300ms, deadline: 30s}},
  services: {web: {probes: {readiness: {http: {port: 8080, path: /health}, period: 200ms}}}}"#;

#[test]
fn a_second_apply_and_docker_compose_up_change_nothing() {
    let stack = Stack::new("first");
    stack.declare(COMPOSE, SPEC);
    stack.evenkeel(&["diff", "--exit-code"]).exits(1).says("service/web");
    stack.evenkeel(&["apply"]).exits(0);
    let first = stack.containers();
    assert_eq!(first.keys().collect::<Vec<_>>(), ["store-1", "web-1"]);
    assert!(first.values().all(|container| container.state == "running"), "{first:?}");

    stack.evenkeel(&["apply"]).exits(0);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    assert_eq!(stack.containers(), first);
    let status = stack.evenkeel(&["status", "--format", "json"]).exits(0).json();
    assert_eq!(status["converged"], true, "{status}");

    let listed = stack.compose(&["ps", "--format", "json"]).exits(0).out;
    assert!(listed.contains(&stack.full("web-1")) && listed.contains(&stack.full("store-1")), "{listed}");
    stack.compose(&["logs", "web"]).exits(0).says("web 1 listening");
    stack.compose(&["exec", "-T", "web", "echo", "hello"]).exits(0).says("hello");
    stack.compose(&["up", "-d"]).exits(0);
    assert_eq!(stack.containers(), first, "docker compose up -d recreates nothing");
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);

    let anonymous = stack.docker(&["inspect", "-f", "{{(index .Mounts 0).Name}}", &stack.full("store-1")]);
    stack.docker(&["volume", "inspect", &anonymous]);
    stack.evenkeel(&["down", "--yes", "--volumes"]).exits(0);
    assert_eq!(stack.place.try_docker(&["volume", "inspect", &anonymous]).code, 1, "as docker compose down -v");
    assert_eq!(stack.ids().len(), 0);
    let label = format!("label=com.docker.compose.project={}", stack.name);
    for kind in ["network", "volume"] {
        assert_eq!(stack.docker(&[kind, "ls", "-q", "--filter", &label]), "");
    }
}

#[test]
fn an_image_override_holds_until_it_is_unset_and_rollback_goes_back() {
    let stack = Stack::new("override");
    stack.declare(COMPOSE, SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:2"]).exits(0);
    assert_eq!(stack.answers("web-1", "/version"), "2");
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    stack.evenkeel(&["rollback", "web"]).exits(0);
    assert_eq!(stack.answers("web-1", "/version"), "1");
    stack.evenkeel(&["history"]).exits(0).says("rollback");
}

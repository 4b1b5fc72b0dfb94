//! What goes wrong around evenkeel: each gets a clear sentence, its exit code, and leaves what ran running.

use crate::stack::{Container, Stack, finish, free_port, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::{Child, Command},
};

const COMPOSE: &str = "services: {web: {image: evenkeel-test/web:1, restart: always}}";
const SPEC: &str = "services: {web: {probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms}},
  rollout: {minReady: 200ms, deadline: 60s}}}";

fn running(what: &str) -> (Stack, Container) {
    let stack = Stack::new(what);
    stack.declare(COMPOSE, SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    let web = stack.containers()["web-1"].clone();
    (stack, web)
}

/// Ctrl-C.
fn interrupt(child: &Child) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
}

/// An apply that stands in the gate of a container that never gets ready.
fn in_a_gate(stack: &Stack, words: &[&str]) -> Child {
    let child = stack.start(&[words, &["--image", "web=evenkeel-test/web:broken"]].concat());
    wait_until("the new one runs", || {
        stack
            .containers()
            .values()
            .any(|container| container.image.ends_with(":broken") && container.state == "running")
    });
    child
}

#[test]
fn without_an_engine_it_says_so() {
    let mut stack = Stack::new("nobody");
    stack.declare(COMPOSE, SPEC);
    stack.variables.insert("DOCKER_HOST".to_owned(), "unix:///nonexistent/docker.sock".to_owned());
    for verb in ["diff", "apply"] {
        stack.evenkeel(&[verb]).exits(3).says("/nonexistent/docker.sock").says("hint: ");
    }
    // What needs no engine works.
    stack.evenkeel(&["validate"]).exits(0);
    // A manifest that is wrong is refused before the engine is missed.
    stack.declare(COMPOSE, "services: {web: {limits: {memroy: 1g}}}");
    stack.evenkeel(&["apply"]).exits(2).says("memroy").says("memory");
}

#[test]
fn a_socket_that_is_not_ours_to_use_is_permission_denied() {
    let stack = Stack::new("denied");
    stack.declare(COMPOSE, SPEC);
    let socket = stack.path("docker.sock");
    let _engine = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(stack.folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let program = stack.path("evenkeel");
    fs::copy(crate::stack::EVENKEEL, &program).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program).arg("apply");
    command.current_dir(stack.folder.path()).envs(&stack.variables);
    command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    let ran = crate::stack::Ran::of("evenkeel apply, as nobody".to_owned(), command.output().unwrap());
    ran.exits(3).says("permission denied").says("hint: ");
}

#[test]
fn an_image_that_does_not_exist_changes_nothing() {
    let (stack, before) = running("noimage");
    stack.evenkeel(&["apply", "--image", "web=127.0.0.1:1/us/nothing:1"]).exits(3).says("127.0.0.1:1");
    assert_eq!(stack.containers()["web-1"], before);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
}

#[test]
fn a_port_that_another_process_holds_takes_the_update_back() {
    let (stack, before) = running("port");
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let compose = COMPOSE.replace("restart", &format!("ports: [\"127.0.0.1:{port}:8080\"], restart"));
    stack.declare(&compose, SPEC);
    stack.evenkeel(&["apply"]).exits(4).says(&port);
    assert_eq!(stack.containers(), [("web-1".to_owned(), before)].into());

    let first = Stack::new("portfirst");
    first.declare(&compose, SPEC);
    first.evenkeel(&["apply"]).exits(5).says(&port);
    assert_eq!(first.ids().len(), 0);
    drop(held);
    stack.evenkeel(&["apply"]).exits(0);
    // A fixed port changes hands: the old one must let go of it first.
    let other = free_port().to_string();
    stack.declare(&compose.replace(&port, &other), SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    stack.declare(&compose.replace(&port, &other).replace("web:1", "web:crash"), SPEC);
    stack.evenkeel(&["apply"]).exits(4);
    assert_eq!(crate::stack::get(other.parse().unwrap(), "/version").unwrap().0, 200, "the old one has its port again");
}

#[test]
fn a_foreign_container_of_the_same_name_is_refused_and_left() {
    let stack = Stack::new("clash");
    stack.declare(COMPOSE, SPEC);
    let name = stack.full("web-1");
    let foreign = stack.docker(&["run", "-d", "--name", &name, "evenkeel-test/web:1"]);
    stack.evenkeel(&["apply"]).exits(8).says(&name);
    assert_eq!(stack.docker(&["inspect", "-f", "{{.Id}} {{.State.Running}}", &name]), format!("{foreign} true"));
}

#[test]
fn a_home_that_cannot_be_written_stops_an_apply_before_its_first_step() {
    let mut stack = Stack::new("readonly");
    stack.declare(COMPOSE, SPEC);
    stack.variables.insert("EVENKEEL_STATE_DIR".to_owned(), "/proc/evenkeel".to_owned());
    stack.evenkeel(&["apply"]).exits(3).says("/proc/evenkeel").says("hint: ");
    assert_eq!(stack.ids().len(), 0);

    let (stack, before) = running("readonly2");
    let home = stack.home().display().to_string();
    let mut command = stack.place.command("unshare");
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"";
    command.args(["--mount", "sh", "-c", script, &home, crate::stack::EVENKEEL, "apply", "--image"]);
    command.arg("web=evenkeel-test/web:2").current_dir(stack.folder.path()).envs(&stack.variables);
    let ran = crate::stack::Ran::of("evenkeel apply, home read-only".to_owned(), command.output().unwrap());
    ran.exits(3).says(&home);
    assert_eq!(stack.containers(), [("web-1".to_owned(), before)].into());
}

#[test]
fn ctrl_c_in_a_gate_undoes_the_step_and_the_old_one_serves() {
    let (stack, before) = running("ctrlc");
    let child = in_a_gate(&stack, &["apply"]);
    interrupt(&child);
    finish(&["apply"], child).exits(130);
    assert_eq!(stack.containers(), [("web-1".to_owned(), before.clone())].into());
    assert_eq!(stack.answers("web-1", "/version"), "1");
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.containers()["web-1"], before, "what was interrupted is not in force");

    // Twice leaves at once; the next apply cleans up.
    let child = in_a_gate(&stack, &["apply"]);
    interrupt(&child);
    interrupt(&child);
    finish(&["apply"], child).exits(130);
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:2"]).exits(0);
    let after = stack.containers();
    assert!(after.len() == 1 && after["web-1"].image == "evenkeel-test/web:2", "{after:?}");
}

#[test]
fn a_second_apply_waits_for_the_lock_and_says_who_has_it() {
    let (stack, before) = running("lock");
    let child = in_a_gate(&stack, &["apply", "--actor", "alice"]);
    stack.evenkeel(&["apply", "--lock-wait", "200ms", "--actor", "bob"]).exits(6).says("alice");
    // Looking needs no lock.
    stack.evenkeel(&["status"]).exits(0);
    interrupt(&child);
    finish(&["apply"], child).exits(130);
    assert_eq!(stack.containers(), [("web-1".to_owned(), before)].into());
}

#[test]
fn a_container_that_somebody_removes_in_its_gate_fails_the_rollout() {
    let (stack, before) = running("meddled");
    let child = in_a_gate(&stack, &["apply"]);
    let new = stack.containers().into_values().find(|container| container.image.ends_with(":broken")).unwrap();
    stack.docker(&["rm", "-f", &new.id]);
    finish(&["apply"], child).exits(4);
    assert_eq!(stack.containers(), [("web-1".to_owned(), before)].into());
}

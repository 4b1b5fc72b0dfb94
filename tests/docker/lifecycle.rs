//! What goes on in a container around its start and its stop: files with a content of their own are written into it, hooks
//! run; as docker compose does it.

use crate::stack::{Ran, Stack};

const SPEC: &str = "defaults: {rollout: {minReady: 100ms, deadline: 20s}}";

const FILES: &str = r#"
services:
  web:
    image: evenkeel-test/web:1
    restart: unless-stopped
    configs: [inline, {source: inline, target: /etc/deep/inline, mode: 0440}, {source: variable, target: relative}]
    secrets: [token, {source: token, target: renamed, uid: "5", gid: "6", mode: 0400}]
configs:
  inline: {content: "for WHOM\n"}
  variable: {environment: GIVEN}
secrets: {token: {environment: GIVEN}}
"#;

const PLACES: [&str; 5] = ["/inline", "/etc/deep/inline", "/relative", "/run/secrets/token", "/run/secrets/renamed"];

/// What is at each place: rights, owner, content.
fn written(stack: &Stack) -> Vec<String> {
    let look = |place: &&str| stack.exec("web-1", &["sh", "-c", &format!("stat -c '%a %u:%g' {place}; cat {place}")]);
    PLACES.iter().map(look).collect()
}

fn with_files(what: &str) -> Stack {
    let mut stack = Stack::new(what);
    stack.variables.insert("GIVEN".into(), "hunter2hunter2".into());
    stack.declare(&FILES.replace("WHOM", "one"), SPEC);
    stack
}

#[test]
fn secrets_and_configs_without_a_file_are_written_as_docker_compose_writes_them() {
    let mut stack = with_files("written");
    stack.compose(&["up", "-d"]).exits(0);
    let by_compose = written(&stack);
    assert_eq!(by_compose[0], "444 0:0\nfor one");
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(written(&stack), by_compose, "adopted");
    stack.compose(&["down", "-t", "0"]).exits(0);
    let applied = stack.evenkeel(&["apply"]).exits(0);
    assert!(!applied.all().contains("hunter2"), "{}", applied.all());
    assert_eq!(written(&stack), by_compose);
    let id = stack.ids()["web-1"].clone();
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);

    // A repair writes them again.
    stack.docker(&["stop", "-t", "0", &id]);
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!((stack.ids()["web-1"].as_str(), written(&stack)), (id.as_str(), by_compose));

    // A change of a content rolls the service, and the way back has what was there before.
    stack.declare(&FILES.replace("WHOM", "two"), SPEC);
    let shown = stack.evenkeel(&["diff", "--exit-code"]).exits(1).says("content");
    assert!(!shown.all().contains("hunter2") && !shown.all().contains("for two"), "{}", shown.all());
    stack.evenkeel(&["apply"]).exits(0);
    assert_ne!(stack.ids()["web-1"], id);
    assert_eq!(written(&stack)[0], "444 0:0\nfor two");
    stack.evenkeel(&["rollback"]).exits(0);
    assert_eq!(written(&stack)[0], "444 0:0\nfor one");
    assert_eq!(crate::stack::holds(&stack.home(), b"hunter2hunter2"), None, "it is sealed in the home");

    stack.variables.insert("GIVEN".into(), "another value".into());
    stack.evenkeel(&["diff", "--exit-code"]).exits(1).says("/run/secrets/token");
    stack.variables.remove("GIVEN");
    stack.evenkeel(&["diff"]).exits(2).says("the variable `GIVEN`");
}

fn hooks(post_start: &str, pre_stop: &str) -> String {
    format!(
        "services:
  web:
    image: evenkeel-test/web:1
    restart: unless-stopped
    environment: {{VERSION: 'ONE'}}
    volumes: ['log:/log']
    post_start: [{post_start}]
    pre_stop: [{pre_stop}]
volumes: {{log: {{}}}}
"
    )
}

fn line(text: &str) -> String {
    format!(
        "{{command: [sh, -c, 'echo {text} $$VERSION $$EXTRA $$(pwd) >> /log/lines'], working_dir: /tmp, environment: {{EXTRA: more}}}}"
    )
}

fn log(stack: &Stack) -> Vec<String> {
    stack.exec("web-1", &["cat", "/log/lines"]).lines().map(str::to_owned).collect()
}

#[test]
fn hooks_run_after_each_start_and_before_each_stop() {
    let stack = Stack::new("hooks");
    let compose = hooks(&format!("{}, {}", line("a"), line("b")), &line("bye"));
    stack.declare(&compose, SPEC);
    let dry = stack.evenkeel(&["diff"]).exits(0);
    dry.says("web/1/post-start:2").says("echo b");
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(log(&stack), ["a ONE more /tmp", "b ONE more /tmp"]);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);

    stack.declare(&compose.replace("ONE", "TWO"), SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    let all = ["a ONE more /tmp", "b ONE more /tmp", "bye ONE more /tmp", "a TWO more /tmp", "b TWO more /tmp"];
    assert_eq!(log(&stack), all, "the old one is asked before it stops, the new one after its start");

    stack.docker(&["kill", &stack.full("web-1")]);
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(log(&stack)[5..], ["a TWO more /tmp", "b TWO more /tmp"], "a repair that starts it runs them too");
    stack.evenkeel(&["stop", "web"]).exits(0);
    stack.evenkeel(&["start", "web"]).exits(0);
    assert_eq!(log(&stack)[7..], ["bye TWO more /tmp", "a TWO more /tmp", "b TWO more /tmp"]);

    // Another hook is no reason to make another container, but docker compose would.
    let id = stack.ids()["web-1"].clone();
    stack.declare(&compose.replace("ONE", "TWO").replace("bye", "farewell"), SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.ids()["web-1"], id);
    stack.evenkeel(&["diff"]).exits(0).says("compose-recreates");
}

#[test]
fn a_hook_that_fails_after_a_start_takes_the_rollout_back() {
    let stack = Stack::new("hookfails");
    stack.declare(&hooks(&line("a"), ""), SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    let id = stack.ids()["web-1"].clone();
    let failing = hooks("{command: [sh, -c, 'echo no good >&2; exit 3']}, {command: [touch, /log/second]}", "");
    stack.declare(&failing.replace("ONE", "TWO"), SPEC);
    let ran: Ran = stack.evenkeel(&["apply"]).exits(4);
    ran.says("exited with 3; it said: no good");
    assert_eq!(stack.ids()["web-1"], id, "the old one serves again");
    assert_eq!(log(&stack).first().map(String::as_str), Some("a ONE more /tmp"));
    assert_eq!(stack.exec("web-1", &["sh", "-c", "ls /log"]), "lines", "the hook after it did not run");
}

/// As docker compose: what can't be prepared for its stop is not stopped.
#[test]
fn a_hook_that_fails_before_a_stop_keeps_the_container_running() {
    let stack = Stack::new("hookkeeps");
    stack.declare(&hooks("", "{command: [sh, -c, 'test -e /log/may-stop']}"), SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    let id = stack.ids()["web-1"].clone();
    let stopped = stack.evenkeel(&["stop", "web"]);
    assert_ne!(stopped.code, 0, "{}", stopped.all());
    stopped.says("test -e /log/may-stop` exited with 1");
    assert_eq!((stack.containers()["web-1"].state.as_str(), stack.ids()["web-1"].as_str()), ("running", id.as_str()));
    stack.exec("web-1", &["touch", "/log/may-stop"]);
    stack.evenkeel(&["stop", "web"]).exits(0);
    assert_eq!(stack.containers()["web-1"].state, "exited");
}

/// A limit of the Compose file: changed in place docker compose would recreate the container, and `diff` says so.
#[test]
fn a_limit_changes_in_place_or_with_the_container() {
    let stack = Stack::new("limits");
    let compose = |memory: &str| {
        format!(
            "services: {{web: {{image: evenkeel-test/web:1, restart: always, deploy: {{resources: {{limits: {{memory: {memory}}}}}}}}}}}"
        )
    };
    stack.declare(&compose("64M"), SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    let id = stack.ids()["web-1"].clone();
    stack.declare(&compose("96M"), SPEC);
    stack.evenkeel(&["diff"]).exits(0).says("update in place").says("compose-recreates");
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.ids()["web-1"], id);
    stack.evenkeel(&["explain", "compose-recreates"]).exits(0);

    let replace = "defaults: {rollout: {minReady: 100ms, deadline: 20s, limits: replace}}";
    stack.declare(&compose("128M"), replace);
    let shown = stack.evenkeel(&["diff"]).exits(0).says("replace");
    assert!(!shown.all().contains("compose-recreates"), "{}", shown.all());
    stack.evenkeel(&["apply"]).exits(0);
    let replaced = stack.ids()["web-1"].clone();
    assert_ne!(replaced, id);
    stack.compose(&["up", "-d"]).exits(0);
    assert_eq!(stack.ids()["web-1"], replaced, "its label is true");
}

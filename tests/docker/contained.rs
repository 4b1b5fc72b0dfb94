//! evenkeel in a container of the engine that it keeps, by the Compose file in `manifests/evenkeel`: an apply on the host
//! and it have one home, and it looks into the network namespaces of others.

use crate::{
    going::{told, wait_for},
    private::PrivateEngine,
    stack::{EVENKEEL, Ran, Stack, setting, wait_until},
};
use std::{fs, path::Path, process::Command};

const COMPOSE: &str = r#"
services:
  web: {image: "evenkeel-test/web:1", restart: unless-stopped}
"#;
/// It can be asked in its own network namespace only.
const SPEC: &str = "defaults: {rollout: {minReady: 200ms}, probes: {readiness: {http: {host: 127.0.0.1, port: 8080, path: /health}, period: 100ms}}}";
const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/evenkeel/compose.yaml");

/// The program, with the C library that it was built with, as a folder to build an image of.
fn image(folder: &Path) {
    let run = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output().unwrap();
        Ran::of(format!("{program} {words:?}"), output).exits(0).out
    };
    fs::create_dir_all(folder.join("root/usr/local/bin")).unwrap();
    let program = folder.join("root/usr/local/bin/evenkeel").display().to_string();
    run("strip", &["-o", &program, EVENKEEL]);
    let libraries = run("ldd", &[EVENKEEL]);
    for library in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
        let copy = folder.join("root").join(library.trim_start_matches('/'));
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(library, copy).unwrap();
    }
    fs::write(folder.join("Dockerfile"), "FROM scratch\nCOPY root /\nENTRYPOINT [\"/usr/local/bin/evenkeel\"]\n")
        .unwrap();
}

#[test]
fn in_a_container_it_keeps_what_an_apply_on_the_host_made() {
    let engine = PrivateEngine::start("contained", &[]);
    let mut stack = Stack::at("contained", engine.place());
    let home = stack.home().display().to_string();
    stack.variables.insert("EVENKEEL_HOME_ID".into(), home.clone());
    image(&stack.path("image"));
    stack.docker(&["build", "-q", "-t", "evenkeel:local", &stack.path("image").display().to_string()]);
    stack.declare(COMPOSE, SPEC);
    stack.evenkeel(&["apply"]).exits(0);

    // The same file, but for the places that are this test's own.
    let socket = stack.place.host.trim_start_matches("unix://");
    let machine = "/etc/machine-id";
    let machine = if Path::new(machine).exists() { format!(", '{machine}:{machine}:ro'") } else { String::new() };
    stack.write(
        "here.yaml",
        &format!(
            "services:\n  evenkeel:\n    environment: {{EVENKEEL_STATE_DIR: '{home}', EVENKEEL_HOME_ID: '{home}'}}\n    \
             volumes: !override ['{socket}:/var/run/docker.sock', '{home}:{home}'{machine}]\n"
        ),
    );
    let compose = |words: &[&str]| {
        let here = stack.path("here.yaml").display().to_string();
        let mut command = stack.place.command(&setting("EVENKEEL_TEST_COMPOSE"));
        command.args(["-f", OURS, "-f", &here]).args(words);
        Ran::of(format!("docker compose {words:?}"), command.output().unwrap()).exits(0)
    };
    compose(&["up", "-d"]);
    wait_until("it is ready", || {
        let ask = ["run", "--rm", "--network", "host", "evenkeel-test/web:1", "wget", "-qO-"];
        let ran = stack.place.try_docker(&[ask.as_slice(), &["http://127.0.0.1:9440/readyz"]].concat());
        ran.code == 0
    });
    let done = told(&stack, "rollout-done").len();
    stack.docker(&["rm", "-f", &stack.full("web-1")]);
    wait_for(&stack, "drift-found", 0, "service/web: missing");
    wait_until("it is back", || told(&stack, "rollout-done").len() > done);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);

    compose(&["stop"]);
    assert_eq!(
        stack.docker(&["inspect", "-f", "{{.State.ExitCode}}", "evenkeel-evenkeel-1"]),
        "0",
        "it ended by itself"
    );
    stack.evenkeel(&["apply"]).exits(0).says("nothing to do");
    assert_eq!(told(&stack, "step-failed"), [""; 0]);
}

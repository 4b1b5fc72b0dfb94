//! Images built by the docker buildx that users have, on the engine under test.

use crate::stack::{Ran, Stack, setting};
use evenkeel::{
    engine::build::{Order, bake_file},
    load::{Disk, Sources, load},
};
use serde_json::Value as Json;
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::symlink,
    path::Path,
    process::Stdio,
};

/// A stack whose docker finds buildx as an installed plugin, in a Docker config of its own.
fn stack(what: &str) -> Stack {
    let mut stack = Stack::new(what);
    let config = stack.path("docker");
    fs::create_dir_all(config.join("cli-plugins")).unwrap();
    symlink(setting("EVENKEEL_TEST_BUILDX"), config.join("cli-plugins/docker-buildx")).unwrap();
    stack.variables.insert("DOCKER_CONFIG".into(), config.display().to_string());
    let docker = Path::new(&setting("EVENKEEL_TEST_DOCKER")).parent().unwrap().display().to_string();
    stack.variables.insert("PATH".into(), format!("{docker}:{}", std::env::var("PATH").unwrap_or_default()));
    stack
}

/// Removes what a test built, whatever becomes of it.
struct Built<'a>(&'a Stack, Vec<String>);

impl Drop for Built<'_> {
    fn drop(&mut self) {
        self.0.evenkeel(&["down", "--yes"]);
        for image in &self.1 {
            self.0.place.try_docker(&["rmi", "--force", image]);
        }
    }
}

const COMPOSE: &str = r#"
name: NAME
services:
  web:
    build: {context: web, args: {GREETING: "${GREETING:-hello}"}, labels: {team: a}}
    stop_signal: SIGKILL
    restart: always
"#;
const DOCKERFILE: &str = "FROM evenkeel-test/web:1\nARG GREETING\nRUN echo \"said $GREETING\" >/greeting\n";
const SPEC: &str = "defaults: {rollout: {minReady: 0s}}";

fn image_of(stack: &Stack) -> String {
    stack.docker(&["inspect", "-f", "{{.Image}}", &stack.full("web-1")])
}

#[test]
fn an_apply_builds_what_the_engine_lacks_as_docker_compose_does() {
    let stack = stack("build");
    let _built = Built(&stack, vec![format!("{}-web", stack.name)]);
    stack.declare(COMPOSE, SPEC);
    stack.write("web/Dockerfile", DOCKERFILE);
    stack.evenkeel(&["diff"]).exits(0).says("(to be built)").says("apply builds its image from");
    stack.evenkeel(&["diff", "--out", "plan.json"]).exits(2).says("can't be agreed to");
    assert_eq!(stack.place.try_docker(&["image", "inspect", &format!("{}-web", stack.name)]).code, 1);

    stack.evenkeel(&["apply"]).exits(0).says("RUN echo");
    assert_eq!(stack.exec("web-1", &["cat", "/greeting"]), "said hello");
    let labels = stack.docker(&["inspect", "-f", "{{json .Config.Labels}}", &image_of(&stack)]);
    let labels: Json = serde_json::from_str(&labels).unwrap();
    assert_eq!(labels["com.docker.compose.project"], stack.name.as_str());
    assert_eq!((&labels["com.docker.compose.service"], &labels["team"]), (&"web".into(), &"a".into()));
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    let first = stack.ids();
    stack.compose(&["up", "-d"]).exits(0);
    assert_eq!(stack.ids(), first, "docker compose takes it for its own");

    stack.write("web/Dockerfile", &format!("{DOCKERFILE}RUN echo again >/again\n"));
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.ids(), first, "what is there is not built again");
    stack.evenkeel(&["apply", "--build"]).exits(0);
    assert_eq!(stack.exec("web-1", &["cat", "/again"]), "again");
    stack.evenkeel(&["rollback"]).exits(0);
    assert_eq!(stack.exec("web-1", &["cat", "/greeting"]), "said hello");
    assert!(!stack.exec("web-1", &["ls", "/"]).contains("again"));
}

#[test]
fn a_build_that_fails_ends_the_apply_and_its_secrets_are_not_told() {
    let mut stack = stack("build-fails");
    stack.variables.insert("GREETING".into(), "hunter2hunter2".into());
    stack.declare(COMPOSE, SPEC);
    stack.write("web/Dockerfile", "FROM evenkeel-test/web:1\nARG GREETING\nRUN echo \"said $GREETING\" && exit 7\n");
    let ran: Ran = stack.evenkeel(&["apply"]).exits(3).says("the build of web failed").says("exit code: 7");
    assert!(!ran.all().contains("hunter2"), "{}", ran.all());
    assert!(stack.ids().is_empty());
}

#[test]
fn without_buildx_it_says_what_to_install() {
    let mut stack = stack("build-missing");
    let empty = stack.path("empty");
    fs::create_dir_all(&empty).unwrap();
    stack.variables.insert("DOCKER_CONFIG".into(), empty.display().to_string());
    // A machine that has buildx installed for all finds it without a config.
    stack.variables.insert("PATH".into(), empty.display().to_string());
    stack.declare(COMPOSE, SPEC);
    stack.write("web/Dockerfile", DOCKERFILE);
    stack.evenkeel(&["apply"]).exits(3).says("`docker buildx` is not there").says("docker-buildx-plugin");
}

#[test]
fn an_interrupt_ends_the_build() {
    let stack = stack("build-interrupt");
    stack.declare(COMPOSE, SPEC);
    stack.write("web/Dockerfile", "FROM evenkeel-test/web:1\nRUN sleep 987\n");
    let mut child = stack.command(&["apply"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("RUN sleep 987")), "it never began to build");
    // SAFETY: the process is our child and not waited for yet.
    assert_eq!(unsafe { libc::kill(i32::try_from(child.id()).unwrap(), libc::SIGINT) }, 0);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let sleeps = || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let lines = processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok());
        lines.filter(|line| line.starts_with("sleep\0987")).count()
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while sleeps() > 0 {
        assert!(std::time::Instant::now() < deadline, "the engine still builds");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// Every field of `build`, in what docker compose itself hands to buildx.
#[test]
fn buildx_is_asked_what_docker_compose_asks() {
    let stack = stack("build-fields");
    stack.write(
        "compose.yaml",
        r#"
name: NAME
services:
  full:
    image: reg.example.com/full:1
    platform: linux/amd64
    build:
      context: ./sub
      dockerfile: D/ockerfile
      args: {A: "b $$X $${Y}", N: 1, E: , "Z": ""}
      target: stage
      labels: {a: b, c: d}
      cache_from: ["type=registry,ref=x/y", "z"]
      cache_to: ["type=inline"]
      no_cache: true
      pull: true
      network: host
      shm_size: 1gb
      extra_hosts: ["a:1.1.1.1", "b=::1", "a=2.2.2.2"]
      additional_contexts: {x: ./q, y: "docker-image://alpine", z: "service:dep", g: "https://github.com/a/b.git"}
      entitlements: [network.host]
      privileged: true
      ulimits: {nofile: {soft: 1, hard: 2}, nproc: 5}
      tags: ["full:extra", "b:2"]
      ssh: [default, "k=./key"]
      secrets: [s, {source: e, target: env-target}, {source: s, target: /run/x, uid: '1', mode: 0400}]
      platforms: [linux/amd64]
      provenance: mode=max
      sbom: true
  dep: {build: ./q}
  inline: {build: {dockerfile_inline: "FROM x\nRUN echo $${A} $$B\n"}}
  git: {build: "https://github.com/a/b.git#main:dir"}
  gitd: {build: {context: "https://github.com/a/b.git", dockerfile: x/D}}
  abs: {build: {context: ., dockerfile: /abs/D}}
  dotted.name: {build: {context: ., network: none}, pull_policy: build}
  argless: {build: {context: ., args: [A, B=c], provenance: false}}
  placed: {build: ., platform: linux/amd64}
secrets: {s: {file: ./sfile}, e: {environment: HOME}}
"#,
    );
    stack.write("sfile", "secret");
    let mut theirs: Json = stack.compose(&["build", "--print"]).exits(0).json();
    let mut sources = Sources::new(stack.folder.path(), ["compose.yaml"], &Disk);
    sources.environment.insert("HOME".into(), std::env::var("HOME").unwrap());
    let (desired, _) = load(&sources).unwrap_or_else(|error| panic!("{error}"));
    let services = desired.services.into_values();
    let known = services.filter_map(|s| Some((s.name, (s.container.image, s.build?)))).collect();
    let mut ours = bake_file(&Order { known, wanted: Default::default() });
    for file in [&mut theirs, &mut ours] {
        file.as_object_mut().unwrap().remove("group");
        // Lists in the order of a map that has none.
        for list in ["ulimits", "ssh"] {
            file["target"]["full"][list].as_array_mut().unwrap().sort_by_key(Json::to_string);
        }
    }
    assert_eq!(ours, theirs, "{ours:#}\n{theirs:#}");
}

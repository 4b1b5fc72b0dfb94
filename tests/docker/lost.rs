//! The home is lost, or the program is replaced, while a stack is kept: nothing that runs is replaced for either.

use crate::{
    going::{Going, events, is_whole, nothing_is_left_over, told, wait_for},
    stack::{EVENKEEL, Stack, wait_until},
};
use serde_json::Value as Json;
use std::{collections::BTreeMap, fs, path::Path, process::Command};

const COMPOSE: &str = r#"
services:
  db: {image: "evenkeel-test/web:1", restart: unless-stopped}
  web: {image: "evenkeel-test/web:1", restart: always}
"#;
const SPEC: &str = "defaults: {rollout: {minReady: 200ms, deadline: 60s}, probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms}}}";
const BOTH: [&str; 2] = ["db-1", "web-1"];

fn running(what: &str) -> Stack {
    let stack = Stack::new(what);
    stack.declare(COMPOSE, SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    stack
}

/// By container: its id, and since when it runs.
fn since(stack: &Stack) -> BTreeMap<&'static str, (Json, Json)> {
    let of = |name| {
        let found = stack.inspect(name);
        (found["Id"].clone(), found["State"]["StartedAt"].clone())
    };
    BOTH.map(|name| (name, of(name))).into()
}

#[test]
fn a_home_that_is_lost_while_it_runs_or_while_it_does_not_costs_nothing_and_is_told() {
    let stack = running("lost");
    let mut going = Going::start(&stack, &["--resync", "1s"]);
    for again in [false, true] {
        let before = since(&stack);
        if again {
            going.end();
            fs::remove_dir_all(stack.home()).unwrap();
            going = Going::start(&stack, &["--resync", "1s"]);
        } else {
            fs::remove_dir_all(stack.home()).unwrap();
        }
        wait_for(&stack, "home-lost", 0, "revision 0 is what runs now, 2 services; nothing is replaced");
        assert_eq!(since(&stack), before);
        stack.docker(&["rm", "-f", &stack.full("web-1")]);
        wait_for(&stack, "drift-found", 0, "service/web: missing");
        wait_for(&stack, "rollout-done", 0, "web: done");
        assert_eq!(since(&stack)["db-1"], before["db-1"]);
        assert_eq!(told(&stack, "home-lost").len(), 1);
    }
    // With the next apply all is as it was; the containers stay.
    let before = since(&stack);
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(since(&stack), before);
    assert!(is_whole(&stack, &BOTH));
    going.end();
    nothing_is_left_over(&stack, &BOTH, &[]);
}

/// A disk of its own for the home, gone with the value.
struct Disk<'s>(&'s Stack);

impl Disk<'_> {
    fn of(stack: &Stack) -> Disk<'_> {
        fs::create_dir_all(stack.home()).unwrap();
        let disk = Disk(stack);
        disk.mount(&["-t", "tmpfs", "-o", "size=16m", "tmpfs"]);
        disk
    }

    fn mount(&self, words: &[&str]) {
        let status = Command::new("mount").args(words).arg(self.0.home()).status().unwrap();
        assert!(status.success(), "mount {words:?}");
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // Whoever still uses it keeps it for that time.
        let _ = Command::new("umount").arg("-l").arg(self.0.home()).status();
    }
}

#[test]
fn a_home_that_nobody_can_write_stops_no_repair_and_evenkeel_starts_on_it() {
    let stack = Stack::new("unwritable");
    let disk = Disk::of(&stack);
    stack.declare(COMPOSE, SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    // It ends while that can't be put on record.
    stack.evenkeel(&["pause", "web", "--for", "1s"]).exits(0);
    let full = || fs::write(stack.home().join("full"), vec![0; 64 << 20]).unwrap_err();
    for read_only in [true, false] {
        if read_only {
            disk.mount(&["-o", "remount,ro"]);
        } else {
            disk.mount(&["-o", "remount,rw"]);
            full();
        }
        let before = since(&stack);
        let going = Going::begin(Path::new(EVENKEEL), &stack, &[]);
        stack.docker(&["kill", &stack.full("web-1")]);
        wait_until("it is started again", || {
            stack.containers()["web-1"].state == "running" && since(&stack)["web-1"] != before["web-1"]
        });
        stack.docker(&["rm", "-f", &stack.full("db-1")]);
        wait_until("it is made again", || stack.containers().get("db-1").is_some_and(|one| one.state == "running"));
        stack.evenkeel(&["pause", "web"]).exits(3);
        let said = going.said();
        going.end();
        assert!(said.contains("what runs is kept, and every apply is refused"), "{said}");
        assert!(!said.contains("the rounds"), "{said}");
    }
}

#[test]
fn another_copy_of_the_program_takes_over_and_nothing_happens() {
    let stack = running("upgrade");
    let copies = ["old", "new"].map(|name| stack.path(name));
    for copy in &copies {
        fs::copy(EVENKEEL, copy).unwrap();
    }
    let before = since(&stack);
    let count = events(&stack).len();
    Going::of(&copies[0], &stack, &[]).end();
    let going = Going::of(&copies[1], &stack, &[]);
    wait_for(&stack, "keep-started", 1, "");
    // A round of the new one is over when it repairs something, and that is all it does.
    stack.docker(&["kill", &stack.full("db-1")]);
    wait_for(&stack, "drift-found", 0, "service/db: not running");
    wait_until("it is put right", || is_whole(&stack, &BOTH));
    going.end();
    assert_eq!(since(&stack)["web-1"], before["web-1"]);
    let kinds: Vec<Json> = events(&stack).split_off(count).into_iter().map(|event| event["kind"].clone()).collect();
    let repair = kinds.iter().position(|kind| kind == "drift-found").unwrap();
    assert_eq!(kinds[..repair], ["keep-started", "keep-ended", "keep-started"]);
    assert_eq!(kinds.iter().filter(|kind| *kind == "drift-found").count(), 1);
}

#[test]
fn ended_in_the_middle_of_a_rollout_the_next_one_finishes_it() {
    let stack = running("midway");
    let before = since(&stack);
    let going = Going::start(&stack, &["--follow"]);
    let slow =
        COMPOSE.replace("web:1\", restart: always", "web:2\", restart: always, environment: {READY_AFTER: \"5\"}");
    stack.declare(&slow, SPEC);
    let new = || stack.containers().into_values().any(|one| one.image.ends_with("web:2") && one.state == "running");
    wait_until("the new one runs", new);
    going.end();
    assert_eq!(since(&stack)["web-1"], before["web-1"], "what ran serves on");
    assert!(stack.containers().values().all(|container| container.state == "running"));
    let going = Going::start(&stack, &["--follow"]);
    wait_until("it is finished", || is_whole(&stack, &BOTH));
    going.end();
    assert_eq!(stack.containers()["web-1"].image, "evenkeel-test/web:2");
    assert_eq!(since(&stack)["db-1"], before["db-1"]);
    nothing_is_left_over(&stack, &BOTH, &[]);
}

//! A stack is tormented at random while `run` keeps it, the engine and evenkeel themselves included. At the end all is as
//! declared, every repair was told, nothing is left over, and the program has not grown.
//!
//! `EVENKEEL_SOAK` says for how many seconds (45; `make soak`: 600), `EVENKEEL_SOAK_SEED` which seed chooses the deeds.

use crate::{
    going::{Going, events, is_whole, nothing_is_left_over, of_kind, told},
    private::PrivateEngine,
    stack::{Stack, wait_until},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, Instant},
};

const COMPOSE: &str = r#"
services:
  db: {image: "evenkeel-test/web:1", restart: unless-stopped, mem_limit: 64m, memswap_limit: 64m}
  store: {image: "evenkeel-test/web:volume", restart: always, mem_limit: 64m, memswap_limit: 64m, volumes: ["data:/data"]}
  web: {image: "evenkeel-test/web:1", restart: always, mem_limit: 64m, memswap_limit: 64m, deploy: {replicas: 2}}
volumes: {data: }
"#;
const SPEC: &str = "defaults: {rollout: {minReady: 200ms, deadline: 10s}, probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms},
  liveness: {http: {port: 8080, path: /health}, period: 1s, failures: 3, budget: {restarts: 1000, per: 1h}}}}";
const ALL: [&str; 4] = ["db-1", "store-1", "web-1", "web-2"];
/// How evenkeel is run: a resync finds what an engine's stream may have missed while it was away.
const RUN: [&str; 4] = ["--settle", "5s", "--resync", "10s"];
/// What a program may grow by over a soak, in KiB, and how many more files it may have open: buffers, connections in use.
const GROWTH: u64 = 4096;
const FILES: usize = 4;

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// xorshift64*: enough to choose deeds, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    fn one_of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Resident memory in KiB, and open files.
fn size(pid: u32) -> (u64, usize) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let memory = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    (memory, fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count())
}

/// None is sick, and about to be restarted for it.
fn is_well(stack: &Stack) -> bool {
    let check = |name: &&str| {
        let words = ["exec", &stack.full(name), "wget", "-qO-", "http://127.0.0.1:8080/health"];
        stack.place.try_docker(&words).code == 0
    };
    ALL.iter().all(check)
}

struct Torment<'s> {
    stack: &'s Stack,
    engine: &'s PrivateEngine,
    dice: Dice,
    going: Option<Going<'s>>,
    deeds: BTreeMap<&'static str, usize>,
    begun: Instant,
}

impl Drop for Torment<'_> {
    fn drop(&mut self) {
        println!("--- {:?}\n{}", self.deeds, fs::read_to_string(self.stack.path("run.log")).unwrap_or_default());
    }
}

impl Torment<'_> {
    /// One deed to one container. It may find none there: then it does nothing, as a person would.
    fn torment(&mut self) {
        let deeds = ["kill", "rm", "pause", "update", "disconnect", "rename", "stop", "sick"];
        let (deed, name) = (self.dice.one_of(&deeds), self.stack.full(self.dice.one_of(&ALL)));
        let (away, network) = (self.stack.full("away"), format!("{}_default", self.stack.name));
        let words: &[&str] = match deed {
            "kill" => &["kill", &name],
            "rm" => &["rm", "-f", &name],
            "pause" => &["pause", &name],
            "update" => &["update", "--memory", "96m", "--memory-swap", "96m", &name],
            "disconnect" => &["network", "disconnect", &network, &name],
            "rename" => &["rename", &name, &away],
            "stop" => &["stop", &name],
            _ => &["exec", &name, "wget", "-qO-", "http://127.0.0.1:8080/sick"],
        };
        if self.stack.place.try_docker(words).code == 0 {
            println!("{:?} {deed} {name}", self.begun.elapsed());
            *self.deeds.entry(deed).or_default() += 1;
        }
    }

    fn restart_engine(&mut self) {
        *self.deeds.entry("engine").or_default() += 1;
        println!("{:?} engine", self.begun.elapsed());
        self.engine.tell("restart", &[]);
    }

    fn kill_evenkeel(&mut self) {
        *self.deeds.entry("evenkeel").or_default() += 1;
        println!("{:?} evenkeel", self.begun.elapsed());
        self.going.take().unwrap().kill();
        self.going = Some(Going::start(self.stack, &RUN));
    }

    /// For so long, with the great ones now and then.
    fn go_on(&mut self, span: Duration, great: bool) {
        let begun = Instant::now();
        let mut next = Duration::from_secs(5);
        while begun.elapsed() < span {
            self.torment();
            if great && begun.elapsed() > next {
                match self.dice.below(2) {
                    0 => self.restart_engine(),
                    _ => self.kill_evenkeel(),
                }
                next = begun.elapsed() + Duration::from_secs(5 + self.dice.below(10));
            }
            // The next deed comes into the middle of a repair, or after it.
            std::thread::sleep(Duration::from_millis(50 + self.dice.below(1500)));
        }
    }
}

#[test]
fn whatever_is_done_at_random_all_is_as_declared_in_the_end() {
    let (span, seed) = (Duration::from_secs(setting("EVENKEEL_SOAK", 45)), setting("EVENKEEL_SOAK_SEED", 20_261_125));
    let engine = PrivateEngine::start("chaos", &[]);
    let stack = Stack::at("chaos", engine.place());
    stack.declare(COMPOSE, SPEC);
    stack.evenkeel(&["apply"]).exits(0);
    stack.exec("store-1", &["sh", "-c", "echo kept >/data/kept"]);
    let going = Some(Going::start(&stack, &RUN));
    let mut torment = Torment {
        stack: &stack,
        engine: &engine,
        dice: Dice(seed),
        going,
        deeds: BTreeMap::new(),
        begun: Instant::now(),
    };

    // Both kinds of greater trouble come at least once; in the second half the program lives on and must not grow.
    torment.kill_evenkeel();
    torment.restart_engine();
    torment.go_on(span / 2, true);
    wait_until("it is whole again", || is_whole(&stack, &ALL) && is_well(&stack));
    let pid = torment.going.as_ref().unwrap().pid();
    let before = size(pid);
    torment.go_on(span / 2, false);
    wait_until("it is whole in the end", || is_whole(&stack, &ALL) && is_well(&stack));
    let after = size(pid);
    println!("seed {seed}, {span:?}: {:?}; memory in KiB and open files {before:?} -> {after:?}", torment.deeds);
    torment.going.take().unwrap().end();

    assert!(after.0 < before.0 + GROWTH && after.1 <= before.1 + FILES, "{before:?} -> {after:?}");
    assert_eq!(stack.exec("store-1", &["cat", "/data/kept"]), "kept");
    assert!(!stack.exec("store-1", &["cat", "/data/log"]).contains("overlap"));
    nothing_is_left_over(&stack, &ALL, &[format!("{}_data", stack.name)]);
    every_repair_was_told(&stack);
}

/// Each round that did something to a service comes after what was found of it, and nothing was held or gave up.
#[track_caller]
fn every_repair_was_told(stack: &Stack) {
    let all = events(stack);
    let keeping = all.iter().position(|event| event["kind"] == "keep-started").unwrap();
    let mut found = BTreeSet::new();
    let mut repairs = 0;
    for event in &all[keeping..] {
        let service = event["service"].as_str().unwrap_or_default().to_owned();
        match event["kind"].as_str().unwrap() {
            "drift-found" => drop(found.insert(service)),
            "rollout-started" => {
                repairs += 1;
                assert!(
                    found.remove(&service),
                    "{event:#} without a reason: {}",
                    told(stack, "drift-found").join("\n")
                );
            }
            _ => {}
        }
    }
    println!("{repairs} repairs, {} drifts, {} events", of_kind(&all, "drift-found").count(), all.len());
    assert!(repairs > 0);
    for kind in ["round-stuck", "undo-failed"] {
        assert_eq!(told(stack, kind), [""; 0]);
    }
    assert_eq!(told(stack, "revision-made").len(), 1, "it is the first one that was kept");
}

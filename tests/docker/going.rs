//! An `evenkeel run` that goes on beside a test, and what it told. It is gone with the value; a test that fails shows what it
//! said.

use crate::stack::{EVENKEEL, Ran, Stack, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::Path,
    process::{Child, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// SIGTERM ends it within so long.
const ENDING: Duration = Duration::from_secs(10);

/// See the head of this file.
pub struct Going<'s> {
    stack: &'s Stack,
    child: Child,
}

impl<'s> Going<'s> {
    /// Starts it, and waits until it keeps the stack.
    pub fn start(stack: &'s Stack, more: &[&str]) -> Going<'s> {
        Going::of(Path::new(EVENKEEL), stack, more)
    }

    /// The same of another copy of the program.
    pub fn of(program: &Path, stack: &'s Stack, more: &[&str]) -> Going<'s> {
        let before = told(stack, "keep-started").len();
        let going = Going::begin(program, stack, more);
        wait_until("it keeps the stack", || told(stack, "keep-started").len() > before);
        going
    }

    /// Starts one, and waits for nothing.
    pub fn begin(program: &Path, stack: &'s Stack, more: &[&str]) -> Going<'s> {
        let said = File::options().create(true).append(true).open(stack.path("run.log")).unwrap();
        let mut command = stack.place.command(program.to_str().unwrap());
        command.current_dir(stack.folder.path()).envs(&stack.variables);
        command.args(["run", "--listen", "none"]).args(more);
        let child = command.stdout(Stdio::null()).stderr(said).spawn().unwrap();
        Going { stack, child }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM; it must end well, and in time.
    #[track_caller]
    pub fn end(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let begun = Instant::now();
        let status: ExitStatus = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(begun.elapsed() < ENDING, "it does not end"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!(status.code(), Some(0), "{}", self.said());
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// All that this stack's runs wrote.
    pub fn said(&self) -> String {
        fs::read_to_string(self.stack.path("run.log")).unwrap_or_default()
    }
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        // One that has ended already is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- what `run` said\n{}", self.said());
        }
    }
}

/// The stack's events, the oldest first; none where there is no home yet.
pub fn events(stack: &Stack) -> Vec<Json> {
    let ran: Ran = stack.evenkeel(&["events", "--format", "json", "--last", "100000"]);
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The texts of those of one kind.
pub fn told(stack: &Stack, kind: &str) -> Vec<String> {
    of_kind(&events(stack), kind).map(|event| event["text"].as_str().unwrap_or_default().to_owned()).collect()
}

pub fn of_kind<'e>(events: &'e [Json], kind: &'e str) -> impl Iterator<Item = &'e Json> {
    events.iter().filter(move |event| event["kind"] == kind)
}

/// Waits until one of this kind says this, beyond the first `before`.
#[track_caller]
pub fn wait_for(stack: &Stack, kind: &str, before: usize, text: &str) {
    wait_until(&format!("{kind}: {text}"), || told(stack, kind).iter().skip(before).any(|told| told.contains(text)));
}

/// Exactly these containers are there, running; nothing differs from what is declared, and nothing is under way.
pub fn is_whole(stack: &Stack, names: &[&str]) -> bool {
    let containers = stack.containers();
    containers.keys().eq(names)
        && containers.values().all(|container| container.state == "running")
        && stack.evenkeel(&["diff", "--exit-code"]).code == 0
        && is_at_rest(&events(stack))
}

/// Every rollout that was begun since it was started last has come to its end.
fn is_at_rest(all: &[Json]) -> bool {
    let mut begun = BTreeSet::new();
    for event in all {
        let service = event["service"].as_str();
        match event["kind"].as_str().unwrap_or_default() {
            "keep-started" => begun.clear(),
            "rollout-started" => drop(begun.insert(service)),
            "rollout-done" | "rollout-undone" | "rollout-unproven" | "undo-failed" => drop(begun.remove(&service)),
            _ => {}
        }
    }
    begun.is_empty()
}

/// Of the stack there is nothing but these containers, its network, its claim and these volumes.
#[track_caller]
pub fn nothing_is_left_over(stack: &Stack, containers: &[&str], volumes: &[String]) {
    let listed = |words: &[&str]| {
        let mut lines: Vec<String> = stack.docker(words).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let named = format!("name={}", stack.name);
    let names: Vec<String> = containers.iter().map(|name| stack.full(name)).collect();
    assert_eq!(listed(&["ps", "-a", "--format", "{{.Names}}", "--filter", &named]), names);
    let network = format!("{}_default", stack.name);
    assert_eq!(listed(&["network", "ls", "--format", "{{.Name}}", "--filter", &named]), [network]);
    let mut known = [&[format!("evenkeel_home_{}", stack.name)], volumes].concat();
    known.sort();
    assert_eq!(listed(&["volume", "ls", "-q", "--filter", &named]), known);
}

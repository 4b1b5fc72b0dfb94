//! Time and memory, side by side with docker compose on the same engine in the same run. Figures are medians, and what is
//! judged is a ratio: machines differ, and are noisy. Needs what `scripts/setup` exports; `make bench` does all of it.

mod measure;
mod planning;

use measure::{Figures, alternate, once};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// How many services the stacks of the benches have.
const SERVICES: usize = 50;
const RUNS: usize = 9;

/// A Compose project in a folder of its own, with evenkeel's home beside it; removed when it is dropped.
struct Project {
    name: String,
    folder: tempfile::TempDir,
    compose: PathBuf,
}

impl Project {
    fn new(name: &str, compose_file: &str) -> Project {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("compose.yaml"), compose_file).expect("written");
        let compose = std::env::var_os("EVENKEEL_TEST_COMPOSE").expect("EVENKEEL_TEST_COMPOSE: run `make bench`");
        Project { name: name.to_owned(), folder, compose: compose.into() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("written");
    }

    fn evenkeel(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
        command.args(words).current_dir(self.path()).env("EVENKEEL_STATE_DIR", self.path().join("home"));
        command
    }

    fn docker_compose(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.compose);
        command.args(["-p", &self.name]).args(words).current_dir(self.path());
        command
    }

    fn docker(&self, words: &[&str]) {
        let docker = std::env::var_os("EVENKEEL_TEST_DOCKER").unwrap_or_else(|| "docker".into());
        let done = Command::new(docker).args(words).output().expect("docker runs");
        assert!(done.status.success(), "docker {words:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// What `diff` finds, as text.
    fn diff(&self) -> String {
        let done = self.evenkeel(&["diff"]).output().expect("evenkeel runs");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.docker_compose(&["down", "--volumes", "--timeout", "0"]).output();
        let _ = self.evenkeel(&["down", "--yes", "--volumes"]).output();
    }
}

fn services(name: &str) -> String {
    let one = |number: usize| {
        format!(
            "  s{number:02}:\n    image: evenkeel-test/web:1\n    restart: unless-stopped\n    environment: {{A: '1', B: '{number}'}}\n    labels: {{team: bench}}\n    mem_limit: 64m\n"
        )
    };
    format!("name: {name}\nservices:\n{}", (0..SERVICES).map(one).collect::<String>())
}

fn main() {
    // `cargo bench` passes `--bench`; a filter narrows the run.
    let filter = std::env::args().skip(1).find(|word| !word.starts_with("--")).unwrap_or_default();
    let benches: [(&str, fn()); 4] = [
        ("nothing-to-do", nothing_to_do),
        ("first-apply", first_apply),
        ("rolling-update", rolling_update),
        ("planning", planning::grows_linearly),
    ];
    for (name, bench) in benches.into_iter().filter(|(name, _)| name.contains(&filter)) {
        println!("\n{name}");
        bench();
    }
}

/// An apply that changes nothing on 50 services that docker compose made, and the drift that it must see all the same.
fn nothing_to_do() {
    let project = Project::new("evkbench1", &services("evkbench1"));
    once(project.docker_compose(&["up", "-d"]));
    once(project.evenkeel(&["apply"]));
    let [ours, theirs] = alternate(RUNS, || project.evenkeel(&["apply"]), || project.docker_compose(&["up", "-d"]));
    report("evenkeel apply", &ours, "docker compose up -d", &theirs);

    project.docker(&["update", "--memory", "32m", "--memory-swap", "64m", "evkbench1-s00-1"]);
    project.docker(&["network", "disconnect", "evkbench1_default", "evkbench1-s01-1"]);
    project.docker(&["rename", "evkbench1-s02-1", "evkbench1-elsewhere"]);
    project.write("compose.yaml", &services("evkbench1").replace("B: '3'}", "B: 'three'}"));
    let diff = project.diff();
    let seen = |service: &str, what: &str| {
        let part = diff.split("service/").find(|part| part.starts_with(service)).unwrap_or_default();
        println!("  drift seen: {service} {what}: {}", if part.contains(what) { "yes" } else { "NO" });
    };
    seen("s00", "limits.memory");
    seen("s01", "aliases");
    seen("s02", "name");
    seen("s03", "environment");
}

/// The first apply of 50 services.
fn first_apply() {
    let manifest = "apiVersion: evenkeel.dev/v1\nkind: Stack\nmetadata: {name: evkbench2}\nspec:\n  compose: {files: [compose.yaml]}\n  defaults: {rollout: {minReady: 0s}}\n";
    let project = Project::new("evkbench2", &services("evkbench2"));
    project.write("evenkeel.yaml", manifest);
    let (mut ours, mut theirs) = (Figures::default(), Figures::default());
    for _ in 0..3 {
        ours.add(once(project.evenkeel(&["apply"])));
        once(project.evenkeel(&["down", "--yes"]));
        theirs.add(once(project.docker_compose(&["-f", "compose.yaml", "up", "-d"])));
        once(project.docker_compose(&["-f", "compose.yaml", "down", "--timeout", "0"]));
    }
    report("evenkeel apply", &ours, "docker compose up -d", &theirs);
}

/// What a rolling update takes beside its container's own create, start, readiness and stop.
fn rolling_update() {
    let manifest = "apiVersion: evenkeel.dev/v1\nkind: Stack\nmetadata: {name: evkbench3}\nspec:\n  services:\n    web:\n      image: evenkeel-test/web:1\n      restart: always\n      probes: {readiness: {http: {port: 8080, path: /health}}}\n      rollout: {minReady: 0s, drain: 0s}\n";
    let project = Project::new("evkbench3", "services: {}\n");
    project.write("evenkeel.yaml", manifest);
    once(project.evenkeel(&["apply"]));
    let mut beyond = Vec::new();
    for run in 0..RUNS {
        let next = manifest.replace("web:1", if run % 2 == 0 { "web:2" } else { "web:1" });
        project.write("evenkeel.yaml", &next);
        let whole = once(project.evenkeel(&["apply"])).seconds;
        let events = project.evenkeel(&["events", "--format", "json", "--last", "40"]).output().expect("events");
        beyond.push(whole - own_time(&String::from_utf8_lossy(&events.stdout)));
    }
    beyond.sort_by(f64::total_cmp);
    println!(
        "  beyond the container's own times: median {:.3} s, most {:.3} s (bound 0.5)",
        beyond[RUNS / 2],
        beyond[RUNS - 1]
    );
}

/// Seconds that the last rollout's steps took.
fn own_time(events: &str) -> f64 {
    let lines: Vec<serde_json::Value> = events.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let last = lines.iter().rev().find_map(|event| event["round"].as_str()).unwrap_or_default().to_owned();
    let done = lines.iter().filter(|event| event["round"] == last.as_str() && event["kind"] == "step-done");
    done.filter_map(|event| event["data"]["tookMs"].as_f64()).sum::<f64>() / 1000.0
}

fn report(our_name: &str, ours: &Figures, their_name: &str, theirs: &Figures) {
    for (name, figures) in [(our_name, ours), (their_name, theirs)] {
        println!(
            "  {name:<22} median {:.3} s (least {:.3}, most {:.3}), {:.1} MB",
            figures.median(),
            figures.least(),
            figures.most(),
            figures.megabytes()
        );
    }
    println!("  ratio                  {:.2}", ours.median() / theirs.median());
}

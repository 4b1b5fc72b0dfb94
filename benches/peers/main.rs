//! Time and memory, side by side with docker compose on the same engine in the same run. Figures are medians, and what is
//! judged is a ratio: machines differ, and are noisy. Needs what `scripts/setup` exports; `make bench` does all of it.
//! Ends with exit code 1 when a drift was not seen, a repair was missed, or a service takes more work to plan where there
//! are more of them.

mod between;
mod config;
mod keeping;
mod measure;
mod own;
mod planning;
mod report;

use measure::{Figures, Spread, alternate, once};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// How many services the stacks of the benches have.
const SERVICES: usize = 50;
/// How often what takes moments is run, each in turn with docker compose.
const RUNS: usize = 21;
/// How often what takes seconds is.
const LONG_RUNS: usize = 5;
/// The folder of the docker client's config, which names docker compose, in a project's.
const DOCKER_CONFIG: &str = "docker-config";

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
        let plugins = folder.path().join(DOCKER_CONFIG).join("cli-plugins");
        fs::create_dir_all(&plugins).expect("made");
        std::os::unix::fs::symlink(&compose, plugins.join("docker-compose")).expect("linked");
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

    /// As people type it: the docker client, which starts docker compose.
    fn docker_compose_typed(&self, words: &[&str]) -> Command {
        let docker = std::env::var_os("EVENKEEL_TEST_DOCKER").unwrap_or_else(|| "docker".into());
        let mut command = Command::new(docker);
        command.args(["compose", "-p", &self.name]).args(words).current_dir(self.path());
        command.env("DOCKER_CONFIG", self.path().join(DOCKER_CONFIG));
        command
    }

    /// Its program alone, without the docker client in front.
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

    /// What a docker command prints; nothing where it fails.
    fn docker_says(&self, words: &[&str]) -> String {
        let docker = std::env::var_os("EVENKEEL_TEST_DOCKER").unwrap_or_else(|| "docker".into());
        let done = Command::new(docker).args(words).output().expect("docker runs");
        let text = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        if done.status.success() { text } else { String::new() }
    }

    /// What `diff` finds, as text.
    fn diff(&self) -> String {
        let done = self.evenkeel(&["diff"]).output().expect("evenkeel runs");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.docker_compose(&["-f", "compose.yaml", "down", "--volumes", "--timeout", "0"]).output();
        let _ = self.evenkeel(&["down", "--yes", "--volumes"]).output();
        // It stays where the engine keeps a network: then the stack is not gone.
        self.docker_says(&["volume", "rm", "--force", &format!("evenkeel_home_{}", self.name)]);
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

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some((planning::ALONE, rest)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        planning::alone(rest);
        return ExitCode::SUCCESS;
    }
    // `cargo bench` passes `--bench`; a filter narrows the run.
    let filter = words.into_iter().find(|word| !word.starts_with("--")).unwrap_or_default();
    let benches: [(&str, fn()); 8] = [
        ("config", config::prints),
        ("nothing-to-do", nothing_to_do),
        ("first-apply", first_apply),
        ("rolling-update", rolling_update),
        ("planning", planning::grows_linearly),
        ("run-idle", keeping::idle),
        ("run-repairs", keeping::repairs),
        ("run-storm", keeping::storm),
    ];
    for (name, bench) in benches.into_iter().filter(|(name, _)| name.contains(&filter)) {
        println!("\n{name}");
        bench();
    }
    if report::failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// An apply that changes nothing on 50 services that docker compose made, and the drift that it must see all the same.
fn nothing_to_do() {
    let project = Project::new("evkbench1", &services("evkbench1"));
    once(project.docker_compose(&["up", "-d"]));
    once(project.evenkeel(&["apply"]));
    let apply = || project.evenkeel(&["apply"]);
    let [alone, program] = alternate(RUNS, apply, || project.docker_compose(&["up", "-d"]));
    report::beside(("evenkeel apply", &alone), ("docker-compose alone", &program));
    let share = alone.seconds().median / program.seconds().median;
    println!("  of its program's time, without the docker client in front: {share:.3}");
    let [ours, theirs] = alternate(RUNS, apply, || project.docker_compose_typed(&["up", "-d"]));
    report::beside(("evenkeel apply", &ours), ("docker compose up -d", &theirs));
    report::held_to("of docker compose's time", ours.seconds().median / theirs.seconds().median, "", 0.25);
    let engine = own::look("evkbench1", RUNS);
    let share = engine.median / theirs.seconds().median;
    println!("  the engine's answers alone: median {:.3} s, {share:.3} of docker compose's time", engine.median);
    report::held_to("memory", ours.megabytes(), " MB", 25.0);
    assert_eq!(project.diff().matches("service/").count(), 0, "nothing differs before something is changed");

    project.docker(&["update", "--memory", "32m", "--memory-swap", "64m", "evkbench1-s00-1"]);
    project.docker(&["network", "disconnect", "evkbench1_default", "evkbench1-s01-1"]);
    project.docker(&["rename", "evkbench1-s02-1", "evkbench1-elsewhere"]);
    // The container is another one then, of the same service and with the same labels, and the files say what they said.
    project.write("changed.yaml", "services: {s03: {environment: {B: changed}}}\n");
    once(project.docker_compose(&["-f", "compose.yaml", "-f", "changed.yaml", "up", "-d", "--no-deps", "s03"]));
    let diff = project.diff();
    for (service, what) in [("s00", "limits.memory"), ("s01", "aliases"), ("s02", "name"), ("s03", "environment")] {
        let part = diff.split("service/").find(|part| part.starts_with(service)).unwrap_or_default();
        report::must(&format!("drift of {service} is seen: {what}"), part.contains(what));
    }
}

/// The first apply of 50 services, each time under another name: an engine that is hurried through fifty removals can keep
/// a network that it takes for used.
fn first_apply() {
    let (mut ours, mut theirs) = (Figures::default(), Figures::default());
    for run in 0..LONG_RUNS {
        let name = format!("evkbench2-{run}-ours");
        let project = Project::new(&name, &services(&name));
        project.write(
            "evenkeel.yaml",
            &format!("apiVersion: evenkeel.dev/v1\nkind: Stack\nmetadata: {{name: {name}}}\nspec:\n  compose: {{files: [compose.yaml]}}\n  defaults: {{rollout: {{minReady: 0s}}}}\n"),
        );
        ours.add(once(project.evenkeel(&["apply"])));
        drop(project);
        let name = format!("evkbench2-{run}-theirs");
        let project = Project::new(&name, &services(&name));
        theirs.add(once(project.docker_compose_typed(&["up", "-d"])));
    }
    report::beside(("evenkeel apply", &ours), ("docker compose up -d", &theirs));
    report::held_to("of docker compose's time", ours.seconds().median / theirs.seconds().median, "", 1.0);
}

/// What a rolling update takes beside its container's own create, start, readiness and stop.
fn rolling_update() {
    let manifest = "apiVersion: evenkeel.dev/v1\nkind: Stack\nmetadata: {name: evkbench3}\nspec:\n  services:\n    web:\n      image: evenkeel-test/web:1\n      restart: always\n      probes: {readiness: {http: {port: 8080, path: /health}}}\n      rollout: {minReady: 0s, drain: 0s}\n";
    let project = Project::new("evkbench3", "services: {}\n");
    project.write("evenkeel.yaml", manifest);
    once(project.evenkeel(&["apply"]));
    let (mut whole, mut own) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        let image = if run % 2 == 0 { "evenkeel-test/web:2" } else { "evenkeel-test/web:1" };
        project.write("evenkeel.yaml", &manifest.replace("evenkeel-test/web:1", image));
        whole.push(once(project.evenkeel(&["apply"])).seconds);
        own.push(own::seconds(image, "evkbench3_default"));
    }
    let (whole, own) = (Spread::of(whole), Spread::of(own));
    for (name, taken) in [("evenkeel apply", whole), ("its container by itself", own)] {
        println!("  {name:<24} median {:.3} s (least {:.3}, most {:.3})", taken.median, taken.least, taken.most);
    }
    report::held_to("beyond the container's own times", whole.median - own.median, " s", 0.5);
}

//! What `run` costs while nothing happens, and how soon it puts right what somebody did by hand.

use crate::{Project, SERVICES, measure::Spread, once, report, services};
use std::{
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long an idle `run` is watched.
const IDLE: Duration = Duration::from_secs(120);
/// How often each thing is done by hand.
const DEEDS: usize = 20;
/// Between two looks at the engine.
const PAUSE: Duration = Duration::from_millis(10);
/// A repair that takes longer does not come.
const LOOKS_MAX: usize = 6_000;

/// `evenkeel run`, until this is dropped.
struct Running(Child);

impl Running {
    fn start(project: &Project) -> Running {
        let mut command = project.evenkeel(&["run", "--listen", "none"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        // Until it has looked for the first time, and has come to rest.
        std::thread::sleep(Duration::from_secs(10));
        Running(child)
    }

    /// Its processor time so far, in seconds.
    fn processor(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id())).expect("it runs");
        let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
        let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
        // Of the kernel's hundred a second; user and system.
        (ticks(11) + ticks(12)) / 100.0
    }

    /// A line of its status, in megabytes.
    fn megabytes(&self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of it");
        line.trim_start_matches(':').trim().trim_end_matches(" kB").trim().parse::<f64>().expect("a number") / 1024.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// 50 services, and nothing happens for two minutes.
pub fn idle() {
    let project = Project::new("evkbench4", &services("evkbench4"));
    once(project.docker_compose(&["up", "-d"]));
    once(project.evenkeel(&["apply"]));
    let running = Running::start(&project);
    let before = running.processor();
    std::thread::sleep(IDLE);
    let used = running.processor() - before;
    println!("  {SERVICES} services, {} s: {used:.2} s of processor time", IDLE.as_secs());
    report::held_to("of one processor", used / IDLE.as_secs_f64() * 100.0, " %", 0.2);
    report::held_to("resident memory", running.megabytes("VmRSS"), " MB", 20.0);
    println!("  of it not pages of the program: {:.1} MB", running.megabytes("RssAnon"));
}

/// From somebody's deed to the container as it should be, beyond what the container's own start takes.
pub fn repairs() {
    let name = "evkbench5";
    let manifest = format!(
        "apiVersion: evenkeel.dev/v1\nkind: Stack\nmetadata: {{name: {name}}}\nspec:\n  defaults: {{rollout: {{minReady: 0s}}}}\n  services:\n    web: {{image: 'evenkeel-test/web:1', restart: unless-stopped, stop_grace_period: 1s, mem_limit: 64m}}\n"
    );
    let project = Project::new(name, "services: {}\n");
    project.write("evenkeel.yaml", &manifest);
    once(project.evenkeel(&["apply"]));
    let container = format!("{name}-web-1");
    let own = Spread::of((0..5).map(|_| own_start(&project)).collect::<Vec<f64>>());
    println!("  a container's own create and start: median {:.3} s", own.median);
    let _running = Running::start(&project);
    let is = |format: &str| project.docker_says(&["inspect", "--format", format, &container]);
    let network = format!("{name}_default");
    let deeds: [(&str, Vec<&str>, &str); 4] = [
        ("docker kill", vec!["kill", &container], "{{.State.StartedAt}}"),
        ("docker rm -f", vec!["rm", "-f", &container], "{{.State.StartedAt}}"),
        (
            "docker update",
            vec!["update", "--memory", "32m", "--memory-swap", "64m", &container],
            "{{.HostConfig.Memory}}",
        ),
        (
            "network disconnect",
            vec!["network", "disconnect", &network, &container],
            "{{len .NetworkSettings.Networks}}",
        ),
    ];
    for (what, deed, format) in deeds {
        let mut took = Vec::new();
        for _ in 0..DEEDS {
            let (good, starts) = (is(format), what.starts_with("docker kill") || what.starts_with("docker rm"));
            project.docker(&deed);
            let begin = Instant::now();
            let is_right = || {
                let now = is(format);
                let up = is("{{.State.Running}}") == "true";
                up && !now.is_empty() && if starts { now != good } else { now == good }
            };
            assert!((0..LOOKS_MAX).any(|_| is_right() || rest()), "{what} is never put right");
            took.push(begin.elapsed().as_secs_f64() - if starts { own.median } else { 0.0 });
        }
        let took = Spread::of(took);
        println!("  {what}, {DEEDS} times: median {:.3} s", took.median);
        report::held_to("at the most, beyond the container's own start", took.most, " s", 1.0);
    }
}

fn rest() -> bool {
    std::thread::sleep(PAUSE);
    false
}

/// Seconds that the engine needs to make and start such a container.
fn own_start(project: &Project) -> f64 {
    let name = format!("{}-own", project.name);
    let begin = Instant::now();
    let network = format!("{}_default", project.name);
    project.docker(&["run", "-d", "--name", &name, "--network", &network, "-m", "64m", "evenkeel-test/web:1"]);
    let took = begin.elapsed().as_secs_f64();
    project.docker(&["rm", "-f", &name]);
    took
}

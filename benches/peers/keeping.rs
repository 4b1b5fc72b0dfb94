//! What `run` costs while nothing happens, how soon it puts right what somebody did by hand, and what it does when that is
//! much at once.

use crate::{Project, SERVICES, between::Between, measure::Spread, once, own, report, services};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long an idle `run` is watched.
const IDLE: Duration = Duration::from_secs(120);
/// As `run` looks without a reason.
const RESYNC: Duration = Duration::from_secs(60);
/// Calls that are further apart belong to two looks.
const APART: Duration = Duration::from_secs(1);
/// So many containers somebody restarts and kills within this time.
const STORM: usize = 200;
const STORM_TIME: Duration = Duration::from_secs(10);
/// And all of it so often.
const STORMS: usize = 3;
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
        Running::of(project.evenkeel(&["run", "--listen", "none"]))
    }

    fn of(mut command: Command) -> Running {
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
    let between = Between::engine();
    let mut run = project.evenkeel(&["run", "--listen", "none"]);
    run.env("DOCKER_HOST", between.host());
    let running = Running::of(run);
    between.asked();
    let before = running.processor();
    std::thread::sleep(IDLE);
    let used = running.processor() - before;
    let asked = between.asked();
    println!("  {SERVICES} services, {} s: {used:.2} s of processor time", IDLE.as_secs());
    report::held_to("of one processor", used / IDLE.as_secs_f64() * 100.0, " %", 0.2);
    report::held_to("resident memory", running.megabytes("VmRSS"), " MB", 20.0);
    println!("  of it not pages of the program: {:.1} MB", running.megabytes("RssAnon"));
    let most = IDLE.as_secs() / RESYNC.as_secs() + 1;
    report::held_to("looks at the engine, one a resync", looks(&asked) as f64, "", most as f64);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (_, call) in &asked {
        // The version and the ids say nothing here.
        let words: Vec<&str> = call.split('/').skip(2).filter(|word| !is_id(word)).collect();
        *kinds.entry(format!("{} /{}", call.split(' ').next().unwrap_or_default(), words.join("/"))).or_default() += 1;
    }
    kinds.iter().for_each(|(call, count)| println!("    {count:>4} {call}"));
}

fn is_id(word: &str) -> bool {
    word.len() == 64 || word.starts_with("sha256:") || word.starts_with("evkbench")
}

/// How many looks at the engine these calls are.
fn looks(asked: &[(Instant, String)]) -> usize {
    let apart = asked.windows(2).filter(|pair| pair[1].0 - pair[0].0 > APART).count();
    apart + usize::from(!asked.is_empty())
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

/// Two hundred containers, and somebody restarts every other one and kills the rest in ten seconds, three times.
pub fn storm() {
    // Another each time, as for the first applies: an engine that is hurried through so many removals can keep a network.
    let name = &format!("evkbench6x{}", std::process::id());
    let one = |number| format!("  s{number:03}: {{image: 'evenkeel-test/web:1', restart: unless-stopped}}\n");
    let project = Project::new(name, &format!("name: {name}\nservices:\n{}", (0..STORM).map(one).collect::<String>()));
    once(project.docker_compose(&["up", "-d"]));
    once(project.evenkeel(&["apply"]));
    let running = Running::start(&project);
    println!("  before: {:.1} MB", running.megabytes("VmRSS"));
    let mut after = Vec::new();
    for number in 1..=STORMS {
        let started = starts(&project);
        let begin = Instant::now();
        let (asked, done) = torment(name);
        let all_anew = || {
            let now = starts(&project);
            now.len() == STORM && now.iter().all(|(name, at)| started.get(name) != Some(at))
        };
        let in_time = (0..LOOKS_MAX).any(|_| all_anew() || rest());
        report::must("every container runs again", in_time);
        let took = begin.elapsed().as_secs_f64();
        // What is under way is put on record.
        std::thread::sleep(Duration::from_secs(5));
        after.push(running.megabytes("VmRSS"));
        println!(
            "  storm {number}: asked for in {asked:.1} s, done by the engine after {done:.1} s, all run after {took:.1} s, {:.1} MB",
            after[number - 1]
        );
        report::must("asked for in the time of a storm", asked < STORM_TIME.as_secs_f64() + 1.0);
    }
    report::must("nothing is left to do", project.diff().matches("service/").count() == 0);
    let rounds = rounds(&project);
    let known: BTreeSet<&String> = rounds.iter().collect();
    println!("  {} rounds", known.len());
    report::must("one round at a time", known.len() == rounds.len());
    report::held_to("memory after the last storm beyond the first", after[STORMS - 1] - after[0], " MB", 1.0);
    // What was free already goes back to the system when nothing is to be done for a while.
    std::thread::sleep(RESYNC);
    println!("  a minute later: {:.1} MB", running.megabytes("VmRSS"));
}

/// Restarts every other container and kills the rest, evenly over the time that a storm has, whether or not the engine
/// keeps up. Seconds until all was asked for, and until the engine had done it.
fn torment(name: &str) -> (f64, f64) {
    let begin = Instant::now();
    let asked = std::thread::scope(|scope| {
        for number in 0..STORM {
            let due = STORM_TIME * u32::try_from(number).unwrap_or_default() / STORM as u32;
            std::thread::sleep(due.saturating_sub(begin.elapsed()));
            let deed = if number % 2 == 0 { "restart?t=0" } else { "kill" };
            scope.spawn(move || own::post(&format!("/containers/{name}-s{number:03}-1/{deed}")));
        }
        begin.elapsed().as_secs_f64()
    });
    (asked, begin.elapsed().as_secs_f64())
}

/// Since when each of its containers runs.
fn starts(project: &Project) -> BTreeMap<String, String> {
    let label = format!("label=com.docker.compose.project={}", project.name);
    let ids = project.docker_says(&["ps", "-q", "--filter", &label]);
    let form = "{{.Name}} {{.State.StartedAt}} {{.State.Running}}";
    let words = ["inspect", "--format", form].into_iter().chain(ids.lines()).collect::<Vec<_>>();
    let text = project.docker_says(&words);
    let running = text.lines().filter_map(|line| line.strip_suffix(" true")?.split_once(' '));
    running.map(|(name, at)| (name.to_owned(), at.to_owned())).collect()
}

/// The rounds of its events, each as often as it was begun or gone on with.
fn rounds(project: &Project) -> Vec<String> {
    let told = project.evenkeel(&["events", "--format", "json", "--last", "100000"]).output().expect("evenkeel runs");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let events = told.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut rounds: Vec<String> = events.filter_map(|event| Some(event.get("round")?.as_str()?.to_owned())).collect();
    rounds.dedup();
    rounds
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

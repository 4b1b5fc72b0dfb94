//! Planning on the simulated engine: from a hundred services to ten thousand.

use crate::{measure::Spread, report};
use evenkeel::{
    engine::{
        Containers, Images as _, Networks,
        clock::SystemClock,
        simulated::{Behaviour, SimulatedEngine},
    },
    load::{Memory, Sources, load},
    model::{
        desired::Desired,
        image::{ImageConfig, Images, ResolvedImage},
        names::{ImageReference, PlanId, Resource},
        observed::Observed,
        plan::{Facts, Plan, PlanContext, Purpose},
        step::Does,
        units::{Millis, Timestamp},
        value::Salt,
    },
    observe::{Wanted, observe},
    plan::plan,
};
use std::{hint::black_box, process::Command, sync::Arc, time::Instant};

/// How often each size is planned.
const RUNS: usize = 9;
/// So many bytes are read before a plan that shall find nothing in a cache: several times of what the largest one holds.
const FORGOTTEN_AFTER: usize = 256 << 20;
/// Linear but for the depth of the maps and what no cache holds any more.
const GROWTH_MAX: f64 = 2.0;
/// Of the instructions: no machine's caches have a part in them.
const WORK_GROWTH_MAX: f64 = 1.2;
/// The argument that makes this program plan and do nothing else: `--plan WHAT COUNT TIMES`.
pub const ALONE: &str = "--plan";
const FIRST: &str = "the first apply";
const NOTHING: &str = "nothing to do";

/// Prints the time a service takes at each size, of a first apply and of one that changes nothing: planned again and again,
/// which few services spend in the caches and many do not, and planned with nothing in a cache, as it is where a plan is
/// made once. Beside it stands a copy of what is planned from: one pass over it.
pub fn grows_linearly() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let each = [100_usize, 1_000, 10_000].map(|count| {
        let times = runtime.block_on(seconds_to_plan(count));
        let [first, nothing, copy] = times.map(|times| times.map(|seconds| seconds * 1e6 / count as f64));
        println!("  {count:>6} services, each, in µs again and again (and with nothing in a cache):");
        for (what, [again, cold]) in [(FIRST, first), (NOTHING, nothing), ("a copy", copy)] {
            println!("         {what:<16} {again:>6.1} ({cold:.1})");
        }
        [first, nothing, copy]
    });
    let grown = |what: usize, how: usize| each[2][what][how] / each[0][what][how];
    for (number, what) in [FIRST, NOTHING].into_iter().enumerate() {
        let (growth, copy) = (grown(number, 0), grown(2, 0));
        println!("  {what}: grows by {:.2} of what the copy does, which is {copy:.2}", growth / copy);
        report::held_to(&format!("{what}: one of 10,000 by one of 100"), growth, "", GROWTH_MAX);
        report::held_to(&format!("{what}: the same, nothing in a cache"), grown(number, 1), "", GROWTH_MAX);
    }
    for what in [FIRST, NOTHING] {
        let [few, many] = [100, 10_000].map(|count| instructions(what, count));
        println!("  {what}: {few:.0} instructions for each of 100 services, {many:.0} for each of 10,000");
        report::held_to(&format!("{what}: the work, by that of 100"), many / few, "", WORK_GROWTH_MAX);
        report::must(&format!("{what}: the work is linear"), many / few <= WORK_GROWTH_MAX);
    }
}

/// How many instructions one service takes: what this program needs to plan three times, without what it needs for once.
fn instructions(what: &str, count: usize) -> f64 {
    let program = std::env::current_exe().expect("this program");
    let planned = |times: usize| {
        let mut command = Command::new("valgrind");
        command.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]).arg(&program);
        let counted = command.args([ALONE, what]).args([count, times].map(|number| number.to_string())).output();
        let said = counted.expect("valgrind runs: `make bench` installs it").stderr;
        let said = String::from_utf8_lossy(&said).into_owned();
        let refs = said.lines().find_map(|line| line.split_once(" refs:")).unwrap_or_else(|| panic!("{said}")).1;
        refs.trim().replace(',', "").parse::<f64>().expect("a number")
    };
    (planned(3) - planned(1)) / 2.0 / count as f64
}

/// Plans as often as said.
pub fn alone(words: &[String]) {
    let [what, count, times] = words else { panic!("{ALONE} WHAT COUNT TIMES") };
    let [count, times] = [count, times].map(|number| number.parse::<usize>().expect("a number"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (engine, desired) = (engine(), &declared(count));
        let context = &context(&engine).await;
        let mut observed = seen(&engine, desired).await;
        let first = plan(desired, &observed, context);
        if what == NOTHING {
            make(&engine, &first).await;
            observed = seen(&engine, desired).await;
        }
        (0..times).for_each(|_| drop(plan(desired, &observed, context)));
    });
}

fn engine() -> SimulatedEngine {
    let engine = SimulatedEngine::new(Arc::new(SystemClock::start_at(Timestamp(1))), 7);
    let config = ImageConfig { command: Some(vec!["serve".into()]), ..ImageConfig::default() };
    engine.add_image("web:1", config, Behaviour::ready_after(Millis(0)));
    engine
}

async fn seen(engine: &SimulatedEngine, desired: &Desired) -> Observed {
    observe(engine, &desired.stack, &Wanted::of([desired]), Timestamp(1)).await.expect("observed")
}

/// Seconds to plan the first apply, to plan when all of it is there, and to copy what that is planned from: each again and
/// again, and with nothing in a cache.
async fn seconds_to_plan(count: usize) -> [[f64; 2]; 3] {
    let (engine, desired) = (engine(), &declared(count));
    let before = seen(&engine, desired).await;
    let context = &context(&engine).await;
    let (first, seconds_first) = timed(|| plan(desired, &before, context));
    assert_eq!(first.rollouts.len(), count);
    make(&engine, &first).await;
    let after = seen(&engine, desired).await;
    let (nothing, seconds_nothing) = timed(|| plan(desired, &after, context));
    assert_eq!((after.containers.len(), nothing.steps.len()), (count, 0));
    let (_, seconds_copy) = timed(|| (desired.clone(), after.clone()));
    [seconds_first, seconds_nothing, seconds_copy]
}

/// What the work gives, and its least times, again and again and with nothing in a cache: what came between on a busy
/// machine is not its own.
fn timed<T>(work: impl Fn() -> T) -> (T, [f64; 2]) {
    let once = || {
        let begin = Instant::now();
        let given = work();
        (given, begin.elapsed().as_secs_f64())
    };
    let again = Spread::of((0..RUNS).map(|_| once().1)).least;
    let other = vec![1_u8; FORGOTTEN_AFTER];
    let forget = || black_box(other.iter().step_by(64).map(|byte| u64::from(*byte)).sum::<u64>());
    let cold = Spread::of((0..RUNS).map(|_| {
        forget();
        once().1
    }));
    (once().0, [again, cold.least])
}

fn declared(count: usize) -> Desired {
    let one = |number: usize| {
        let after =
            if number.is_multiple_of(10) { String::new() } else { format!("\n    depends_on: [s{}]", number - 1) };
        format!("  s{number}:\n    image: web:1\n    restart: always\n    environment: {{A: '1'}}{after}\n")
    };
    let file = format!("name: many\nservices:\n{}", (0..count).map(one).collect::<String>());
    let files = Memory::of([("/srv/many/compose.yaml", file.as_str())]);
    let sources = Sources::new("/srv/many", ["/srv/many/compose.yaml"], &files);
    load(&sources).unwrap_or_else(|error| panic!("{error}")).0
}

async fn context(engine: &SimulatedEngine) -> PlanContext {
    let local = engine.inspect_image("web:1").await.expect("asked").expect("added");
    let image = ResolvedImage { id: local.id, config: local.config, ..ResolvedImage::default() };
    PlanContext {
        plan: PlanId::from("p-000000000000"),
        now: Timestamp(1),
        salt: Salt::new("00"),
        images: Images::from([(ImageReference::from("web:1"), image)]),
        selected: None,
        purpose: Purpose::Apply,
        yes: false,
        second_stack: false,
        dropped: Default::default(),
        root: true,
        attended: false,
        unwell: Default::default(),
        facts: Facts::default(),
    }
}

/// What the plan of a first apply makes, without the waits of executing it.
async fn make(engine: &SimulatedEngine, plan: &Plan) {
    for step in &plan.steps {
        match (&step.does, &step.target) {
            (Does::CreateNetwork(network), Resource::Network(name)) => {
                engine.create_network(name, network).await.expect("made");
            }
            (Does::Create(create), _) => {
                let made = engine.create_container(&create.name, &create.image, &create.spec).await.expect("made");
                engine.start_container(&made.id).await.expect("started");
            }
            _ => {}
        }
    }
}

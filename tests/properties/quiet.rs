//! What must hold whatever the engine does: no sensitive value gets out, and every apply ends.

use crate::{
    course,
    seed::{Seed, seeds},
    stacks::Sketch,
    story::request,
    support::{Host, SHOP},
};
use evenkeel::{
    controllers::stack::{Applied, SavedPlan, Stack},
    engine::clock::Clock,
    model::{observed::ObservedContainer, plan::Plan, policy::Probe, units::Millis},
    probe::{Answer, Prober},
};
use std::sync::{Arc, Mutex};

const SECRET: &str = "swordfish";

/// A prober that never answers.
struct Silent;

#[async_trait::async_trait]
impl Prober for Silent {
    async fn attempt(&self, _: &Probe, _: &ObservedContainer) -> Answer {
        std::future::pending().await
    }
}

/// The sum of the deadlines of all plans, their undos included, and a minute.
fn at_most(applied: &Applied) -> Millis {
    let of = |plan: &Plan| -> u64 {
        let undo = plan.rollouts.iter().flat_map(|rollout| rollout.undo.iter().flat_map(|undo| &undo.steps));
        plan.steps.iter().chain(undo).map(|step| step.deadline.0).sum()
    };
    Millis(applied.rounds.iter().map(|(plan, _)| of(plan)).sum::<u64>() + 60_000)
}

async fn ends(host: &Host, stack: &Stack, manifest: &str) -> Applied {
    let began = host.clock.now();
    let applied = stack.apply(&host.request(manifest, &[])).await.unwrap();
    let took = host.clock.now().since(began);
    assert!(took <= at_most(&applied), "{took} is more than {}: {:?}", at_most(&applied), applied.left);
    applied
}

#[tokio::test(start_paused = true)]
async fn with_a_probe_that_never_answers_every_apply_ends() {
    let host = Host::new();
    let probed = SHOP.replace("image: web:1", "image: web:1\n      probes: {readiness: {http: {port: 80}}}");
    host.settle(&probed).await;
    let stack = Stack { prober: Arc::new(Silent), ..host.stack() };
    let applied = ends(&host, &stack, &probed.replace("web:1", "web:2")).await;
    assert_eq!(applied.exit, 4, "{:?}", applied.left);
    host.assert_settled(&probed).await;
}

#[tokio::test(start_paused = true)]
async fn with_an_engine_whose_changes_never_end_every_apply_ends() {
    for from in [None, Some(SHOP)] {
        let host = Host::new();
        if let Some(from) = from {
            host.settle(from).await;
        }
        let request = host.request(&SHOP.replace("web:1", "web:2").replace("db:1", "db:2"), &[]);
        host.engine.set_latency(Millis::minutes(60 * 24));
        let began = host.clock.now();
        let ended = host.stack().apply(&request).await;
        let took = host.clock.now().since(began);
        match &ended {
            Ok(applied) => {
                assert!(took <= at_most(applied), "{took} is more than {}: {:?}", at_most(applied), applied.left);
                assert_ne!(applied.exit, 0);
            }
            Err(error) => assert!(took <= Millis::minutes(1), "{took}: {error}"),
        }
    }
}

#[test]
fn no_sensitive_value_gets_out() {
    for number in seeds(3_000_000, 40) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(quiet(number));
    }
}

/// Every token of these stacks begins with `swordfish`.
async fn quiet(number: u64) {
    let mut seed = Seed::new(number);
    let from = Sketch::fine(&mut seed);
    let next = from.changed(&mut seed);
    let to = if seed.percent(50) { next.broken(&mut seed) } else { next };
    let mut host = course::host().await;
    let clean = |what: &str, text: &str| {
        assert!(!text.contains(SECRET), "EVENKEEL_SEED={number}: {what} has a sensitive value");
    };
    let heard = Arc::new(Mutex::new(String::new()));
    for sketch in [&from, &to] {
        let (events, mut shown) = tokio::sync::mpsc::channel(64);
        let sink = heard.clone();
        let listening = tokio::spawn(async move {
            while let Some(event) = shown.recv().await {
                let event: evenkeel::model::event::Event = event;
                let text = format!("{event:?} {}", serde_json::to_string(&event).unwrap());
                sink.lock().unwrap().push_str(&text);
            }
        });
        let request = request(&mut host, sketch);
        clean("the desired state's debug output", &format!("{:?}", request.desired));
        let stack = Stack { events, ..host.stack() };
        let plan = stack.diff(&request).await.unwrap();
        clean("a plan", &serde_json::to_string(&plan).unwrap());
        clean("a masked plan", &plan.masked().to_string());
        clean("a saved plan", &serde_json::to_string(&SavedPlan::of(&plan)).unwrap());
        clean("a plan's debug output", &format!("{plan:?}"));
        let applied = stack.apply(&request).await.unwrap();
        clean("an outcome", &format!("{applied:?}"));
        for (_, outcome) in &applied.rounds {
            clean("an outcome", &serde_json::to_string(outcome).unwrap());
        }
        let status = stack.status(None).await.unwrap();
        clean("the status", &serde_json::to_string(&status).unwrap());
        drop(stack);
        listening.await.unwrap();
    }
    clean("an event", &heard.lock().unwrap());
    assert!(!heard.lock().unwrap().is_empty());
    for seen in host.engine.snapshot().containers {
        use evenkeel::engine::Containers;
        let there = host.engine.inspect_container(seen.id.as_str()).await.unwrap();
        for (name, value) in &there.spec.labels {
            clean(&format!("the label {name}"), value.reveal());
        }
    }
    host.cancel = Default::default();
}

#[tokio::test(start_paused = true)]
async fn a_home_on_disk_holds_no_sensitive_value_unsealed() {
    use evenkeel::{home::Home, model::names::StackName};
    let folder = tempfile::tempdir().unwrap();
    let mut host = course::host().await;
    host.home = Arc::new(Home::open(folder.path(), &StackName::from("shop")).unwrap());
    let mut seed = Seed::new(11);
    for _ in 0..6 {
        let from = Sketch::fine(&mut seed);
        for sketch in [from.broken(&mut seed), from] {
            let request = request(&mut host, &sketch);
            host.stack().apply(&request).await.unwrap();
        }
    }
    let mut files = vec![folder.path().to_owned()];
    let mut read = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        read += bytes.len();
        let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!found, "{} holds a sensitive value", path.display());
    }
    assert!(read > 4096);
}

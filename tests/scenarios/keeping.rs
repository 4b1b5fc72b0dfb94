//! `run`: the current revision is kept. What somebody does by hand is put right and told; what a person paused or stopped
//! is left; what fails again and again waits; a manifest that is followed is taken once it is whole.

use crate::support::{Host, SHOP, shop};
use evenkeel::{
    controllers::{
        Controller, EngineSince, Manifest, Requeue, Wake,
        stack::{KeepOptions, Keeper},
    },
    engine::{
        Containers, ErrorKind,
        clock::Clock,
        simulated::{Behaviour, Fault, Foreign},
    },
    home::Home,
    model::{
        container::{Limits, RestartPolicy},
        desired::{Desired, Overrides},
        event::EventKind,
        image::ImageConfig,
        names::{ServiceName, StackName},
        observed::ObservedContainer,
        plan::Note,
        policy::{ApplyPolicy, Budget, HttpProbe, Liveness, Probe, ProbeHost, ProbeKind},
        revision::{Origin, Suspension, SuspensionKind},
        units::Millis,
    },
    probe::{Answer, Prober},
};
use std::sync::{Arc, Mutex};

const SETTLE: Millis = Millis::minutes(2);

fn keeper(host: &Host) -> Keeper {
    keeper_of(host, None)
}

fn keeper_of(host: &Host, manifest: Option<Arc<dyn Manifest>>) -> Keeper {
    Keeper::new(host.stack(), options_of(host, manifest))
}

fn options_of(host: &Host, manifest: Option<Arc<dyn Manifest>>) -> KeepOptions {
    KeepOptions {
        origin: Origin { actor: "run".into(), ..Origin::default() },
        settle: SETTLE,
        manifest,
        wake: Wake::default(),
        engine_since: EngineSince::new(host.clock.now()),
    }
}

/// Rounds until there is nothing to do but to wait; how many, and for what.
async fn rounds(keeper: &mut Keeper) -> (usize, Requeue) {
    for count in 1..20 {
        match keeper.reconcile().await.unwrap() {
            Requeue::Now => {}
            other => return (count, other),
        }
    }
    panic!("it never comes to rest");
}

/// Keeps for so long, looking every second, or a hundred times, as a resync would.
async fn keep_for(host: &Host, keeper: &mut Keeper, span: Millis) -> usize {
    let end = host.clock.now().plus(span);
    let mut count = 0;
    while host.clock.now() < end {
        count += rounds(keeper).await.0;
        host.clock.sleep(Millis(span.0 / 100).max(Millis::seconds(1))).await;
    }
    count
}

fn events(host: &Host, kind: EventKind) -> Vec<String> {
    let all = host.home.events(&evenkeel::home::EventQuery::default()).unwrap();
    all.into_iter().filter(|event| event.kind == kind).map(|event| event.text).collect()
}

fn service(name: &str) -> ServiceName {
    ServiceName::from(name)
}

fn by_hand(host: &Host, action: Foreign) {
    host.engine.meddle(&action).unwrap();
}

const RUNNING: [&str; 2] = ["shop-db-1 db:1 running", "shop-web-1 web:1 running"];

#[tokio::test(start_paused = true)]
async fn nothing_to_do_is_nothing_done() {
    let host = Host::new();
    host.settle(SHOP).await;
    let (calls, mut keeper) = (host.engine.calls().len(), keeper(&host));
    assert_eq!(rounds(&mut keeper).await, (1, Requeue::Idle));
    assert_eq!(host.engine.calls().len(), calls);
}

/// Whoever holds the lock can't be told from nobody then.
#[tokio::test(start_paused = true)]
async fn nothing_is_repaired_while_the_lock_is_in_trouble() {
    let dir = tempfile::tempdir().unwrap();
    let mut host = Host::new();
    host.home = Arc::new(evenkeel::home::Home::open(dir.path(), &"shop".into()).unwrap());
    host.settle(SHOP).await;
    let lock = dir.path().join("stacks/shop/lock");
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    by_hand(&host, Foreign::Stop("shop-web-1".into()));
    let mut keeper = keeper(&host);
    assert!(keeper.reconcile().await.is_err());
    assert_eq!(host.containers()[1], "shop-web-1 web:1 exited");
    std::fs::remove_dir(&lock).unwrap();
    rounds(&mut keeper).await;
    assert_eq!(host.containers(), RUNNING);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_does_by_hand_is_put_right_and_told() {
    let host = Host::new();
    host.settle(SHOP).await;
    let mut keeper = keeper(&host);
    let name = || "shop-web-1".into();
    let limits = Limits { pids: Some(7), ..Limits::default() };
    let deeds = [
        (Foreign::Stop(name()), "not running; it is started again, `evenkeel stop web` keeps it stopped"),
        (Foreign::Kill(name()), "not running; it is started again, `evenkeel stop web` keeps it stopped"),
        (Foreign::Remove(name(), false), "missing; it is made again"),
        (Foreign::Rename(name(), "elsewhere".into()), "wrong name `elsewhere`"),
        (Foreign::Update(name(), Box::new(limits), None), "limit changed: limits.pids"),
        (Foreign::Disconnect(name(), "shop_default".into()), "network missing"),
    ];
    for (deed, told) in deeds {
        let before = events(&host, EventKind::DriftFound).len();
        by_hand(&host, deed.clone());
        assert_eq!(rounds(&mut keeper).await.1, Requeue::Idle, "{deed:?}");
        assert_eq!(host.containers(), RUNNING, "{deed:?}");
        host.assert_settled(SHOP).await;
        let drift = events(&host, EventKind::DriftFound);
        assert_eq!(drift.len(), before + 1, "{deed:?}: {drift:?}");
        assert!(drift.iter().any(|text| text.contains(told)), "{deed:?}: {drift:?}");
    }
    assert_eq!(host.home.current().unwrap().unwrap().number, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_says_what_comes_of_it_and_what_to_do() {
    let host = Host::new();
    host.settle(SHOP).await;
    let mut keeper = keeper(&host);
    by_hand(&host, Foreign::Remove("shop-db-1".into(), false));
    by_hand(&host, Foreign::RemoveVolume("shop_data".into()));
    rounds(&mut keeper).await;
    assert_eq!(
        events(&host, EventKind::DriftFound),
        [
            "service/db: missing; it is made again, `evenkeel stop db` keeps it stopped",
            "volume/shop_data: missing; an empty one is made, and what it held is to be restored from a backup"
        ]
    );
    assert_eq!(events(&host, EventKind::RolloutStarted).last().map(String::as_str), Some("db: made again"));
    host.home.suspend(&service("web"), &suspension(&host, SuspensionKind::Stopped, None)).unwrap();
    rounds(&mut keeper).await;
    by_hand(&host, Foreign::Start("shop-web-1".into()));
    rounds(&mut keeper).await;
    let stopped = "service/web: to be stopped; ann wants that; `evenkeel start web` lets it run";
    assert_eq!(events(&host, EventKind::DriftFound)[2..], [stopped; 2]);
    assert_eq!(
        events(&host, EventKind::RolloutStarted).last().map(String::as_str),
        Some("web: no container is replaced")
    );
}

#[tokio::test(start_paused = true)]
async fn an_apply_under_way_and_one_that_waits_are_left_alone() {
    let host = Host::new();
    host.settle(SHOP).await;
    let mut keeper = keeper(&host);
    by_hand(&host, Foreign::Remove("shop-web-1".into(), false));
    let holder = evenkeel::home::Holder { actor: "ann".into(), doing: "apply".into() };
    let lock = host.home.lock(holder, Millis(0), host.clock.as_ref()).await.unwrap();
    assert!(matches!(rounds(&mut keeper).await.1, Requeue::At(_)));
    assert_eq!(host.containers(), ["shop-db-1 db:1 running"]);
    drop(lock);
    rounds(&mut keeper).await;
    assert_eq!(host.containers(), RUNNING);
}

/// The shop, applied, with a web service that is asked whether it lives.
async fn with_liveness(host: &Host, behaviour: Behaviour) {
    let config = ImageConfig { command: Some(vec!["serve".into()]), ..ImageConfig::default() };
    host.engine.add_image("web:1", config, behaviour);
    let mut request = host.request(SHOP, &[]);
    alive_by_http(Arc::make_mut(&mut request.desired));
    let applied = host.stack().apply(&request).await.unwrap();
    assert_eq!(applied.exit, 0, "{applied:?}");
}

/// Asks the web service whether it lives.
fn alive_by_http(desired: &mut Desired) {
    let http = HttpProbe { port: 80, path: "/".into(), headers: Default::default(), host: ProbeHost::Container };
    let probe = Probe { period: Millis::seconds(10), ..Probe::of(ProbeKind::Http(http)) };
    let web = desired.services.get_mut(&service("web")).unwrap();
    web.liveness = Some(Liveness { probe, budget: Budget::default() });
}

#[tokio::test(start_paused = true)]
async fn what_fails_liveness_is_restarted_where_it_is_but_not_before_things_have_settled() {
    let host = Host::new();
    with_liveness(&host, Behaviour { unwell_after: Some(Millis::seconds(40)), ..Behaviour::default() }).await;
    let (id, mut keeper) = (host.id_of("shop-web-1"), keeper(&host));
    keep_for(&host, &mut keeper, Millis::seconds(110)).await;
    assert_eq!(events(&host, EventKind::LivenessFailed).len(), 1);
    assert_eq!(events(&host, EventKind::DriftFound), [] as [String; 0]);
    keep_for(&host, &mut keeper, Millis::seconds(20)).await;
    let drift = events(&host, EventKind::DriftFound);
    assert_eq!(drift, ["service/web: liveness failed"]);
    assert_eq!(host.id_of("shop-web-1"), id, "restarted, not replaced");
    assert_eq!(host.home.facts().unwrap().restarts[&service("web")].times.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_starts_slowly_is_not_asked_whether_it_lives_before_docker_says_that_it_has_started() {
    let host = Host::new();
    let check = "{test: [CMD, check], interval: 10s, start_period: 10m}";
    let manifest = SHOP.replace("image: web:1", &format!("image: web:1\n      healthcheck: {check}"));
    let config = ImageConfig { command: Some(vec!["serve".into()]), ..ImageConfig::default() };
    host.engine.add_image("web:1", config, Behaviour::ready_after(Millis::minutes(3)));
    let mut request = host.request(&manifest, &[]);
    let desired = Arc::make_mut(&mut request.desired);
    alive_by_http(desired);
    let web = desired.services.get_mut(&service("web")).unwrap();
    web.probes.startup = Some(Probe::of(ProbeKind::Docker {}));
    assert_eq!(host.stack().apply(&request).await.unwrap().exit, 0);
    let mut keeper = keeper(&host);
    keep_for(&host, &mut keeper, Millis::minutes(4)).await;
    // The engine starts it again.
    by_hand(&host, Foreign::Die("shop-web-1".into(), 1));
    keep_for(&host, &mut keeper, Millis::minutes(10)).await;
    assert_eq!(events(&host, EventKind::LivenessFailed), [] as [String; 0]);
    assert_eq!(host.containers(), RUNNING);
}

#[tokio::test(start_paused = true)]
async fn what_has_started_once_is_asked_whether_it_lives_by_the_next_evenkeel_and_after_what_is_done_about_others() {
    let host = Host::new();
    let unwell = Behaviour { unwell_after: Some(Millis::minutes(5)), ..Behaviour::default() };
    let config = ImageConfig { command: Some(vec!["serve".into()]), ..ImageConfig::default() };
    host.engine.add_image("web:1", config, unwell);
    let mut request = host.request(SHOP, &[]);
    let desired = Arc::make_mut(&mut request.desired);
    alive_by_http(desired);
    let web = desired.services.get_mut(&service("web")).unwrap();
    web.probes.startup = web.liveness.as_ref().map(|liveness| liveness.probe.clone());
    assert_eq!(host.stack().apply(&request).await.unwrap().exit, 0);
    let mut first = keeper(&host);
    keep_for(&host, &mut first, Millis::minutes(4)).await;
    drop(first);
    // Nobody asks when it hangs.
    host.clock.sleep(Millis::minutes(2)).await;
    let mut next = keeper(&host);
    keep_for(&host, &mut next, Millis(SETTLE.0 + 60_000)).await;
    assert_eq!(events(&host, EventKind::LivenessFailed).len(), 1);

    // It was started again. When it hangs once more its failures are counted anew for a while, but not from its start.
    keep_for(&host, &mut next, Millis::seconds(200)).await;
    for _ in 0..10 {
        by_hand(&host, Foreign::Remove("shop-db-1".into(), false));
        keep_for(&host, &mut next, Millis::seconds(15)).await;
    }
    keep_for(&host, &mut next, Millis::minutes(2)).await;
    assert_eq!(events(&host, EventKind::LivenessFailed).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn within_the_budget_then_one_alert_then_ever_later_and_never_a_last_time() {
    let host = Host::new();
    with_liveness(&host, Behaviour { unwell_after: Some(Millis::seconds(1)), ..Behaviour::default() }).await;
    let mut keeper = keeper(&host);
    keep_for(&host, &mut keeper, Millis::minutes(60)).await;
    let restarts = events(&host, EventKind::DriftFound).len();
    assert!((12..=24).contains(&restarts), "{restarts} in an hour: five at once, then one each five minutes");
    assert_eq!(events(&host, EventKind::BudgetSpent).len(), 1);
    keep_for(&host, &mut keeper, Millis::minutes(11)).await;
    assert!(events(&host, EventKind::DriftFound).len() > restarts, "never a last time");
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_without_a_restart_policy_does_not_run_hot() {
    let host = Host::new();
    let manifest = shop("      image: web:1\n      restart: unless-stopped\n", "      image: web:1\n");
    host.settle(&manifest).await;
    let dying = Behaviour::exits(Millis::seconds(6), 1);
    let config = ImageConfig { command: Some(vec!["serve".into()]), ..ImageConfig::default() };
    host.engine.add_image("web:dying", config, dying);
    let applied = host.apply(&manifest.replace("web:1", "web:dying")).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    let (before, mut keeper) = (host.engine.calls().len(), keeper(&host));
    keep_for(&host, &mut keeper, Millis::minutes(60)).await;
    let changes = host.engine.calls().len() - before;
    assert!((10..80).contains(&changes), "{changes} changing calls in an hour");
    assert_eq!(events(&host, EventKind::BudgetSpent).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repair_that_fails_is_tried_again_when_its_gates_had_passed_before() {
    let host = Host::new();
    host.settle(SHOP).await;
    let mut keeper = keeper(&host);
    let image = host.tags().into_iter().find(|(_, tag)| tag.ends_with("web:1")).unwrap().0;
    host.engine.set_behaviour(&image, Behaviour::exits(Millis(10), 1));
    by_hand(&host, Foreign::Remove("shop-web-1".into(), false));
    keep_for(&host, &mut keeper, Millis::minutes(10)).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running"]);
    assert_eq!(events(&host, EventKind::BudgetSpent).len(), 1);
    host.engine.set_behaviour(&image, Behaviour::default());
    keep_for(&host, &mut keeper, Millis::minutes(6)).await;
    assert_eq!(host.containers(), RUNNING);
    host.assert_settled(SHOP).await;
}

#[tokio::test(start_paused = true)]
async fn what_fails_to_start_again_is_not_said_to_be_removed() {
    let host = Host::new();
    host.settle(SHOP).await;
    let mut keeper = keeper(&host);
    host.engine.arm([Fault::Fail(1, ErrorKind::Rejected)]);
    by_hand(&host, Foreign::Stop("shop-web-1".into()));
    keeper.reconcile().await.unwrap();
    assert_eq!(events(&host, EventKind::RolloutUndone), ["web: what it was tried with stays as it is"]);
    rounds(&mut keeper).await;
    assert_eq!(host.containers(), RUNNING);
}

fn suspension(host: &Host, kind: SuspensionKind, span: Option<Millis>) -> Suspension {
    let since = host.clock.now();
    let until = span.map(|span| since.plus(span));
    Suspension { kind, since, until, actor: "ann".into(), reason: Some("a leak".into()) }
}

#[tokio::test(start_paused = true)]
async fn what_is_paused_is_left_as_it_is_until_its_time_is_over() {
    let host = Host::new();
    host.settle(SHOP).await;
    let mut keeper = keeper(&host);
    let pause = suspension(&host, SuspensionKind::Paused, Some(Millis::minutes(10)));
    host.home.suspend(&service("web"), &pause).unwrap();
    by_hand(&host, Foreign::Stop("shop-web-1".into()));
    by_hand(&host, Foreign::Stop("shop-db-1".into()));
    let (_, next) = rounds(&mut keeper).await;
    assert_eq!(next, Requeue::At(pause.until.unwrap()));
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 exited"]);
    let changed = shop("LOG_LEVEL: info", "LOG_LEVEL: debug");
    let applied = host.apply(&changed).await;
    assert_eq!((applied.exit, applied.held[0].code.as_str()), (9, "paused"), "{applied:?}");
    assert!(applied.held[0].reason.contains("paused by ann since"), "{applied:?}");
    assert_eq!(host.containers()[1], "shop-web-1 web:1 exited");
    keep_for(&host, &mut keeper, Millis::minutes(10)).await;
    rounds(&mut keeper).await;
    assert_eq!(host.containers(), RUNNING);
    assert_eq!(events(&host, EventKind::Resumed), ["the pause by ann is over: a leak"]);
    // What was declared meanwhile was not accepted.
    let spec = host.engine.inspect_container("shop-web-1").await.unwrap().spec;
    assert_eq!(spec.environment.get("LOG_LEVEL").unwrap().reveal(), "info");
    host.settle(&changed).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_stays_stopped_over_a_restart_of_the_engine_and_comes_back_with_its_policy() {
    let host = Host::new();
    let manifest = SHOP.replace("unless-stopped", "always");
    host.settle(&manifest).await;
    let (id, mut keeper) = (host.id_of("shop-db-1"), keeper(&host));
    host.home.suspend(&service("db"), &suspension(&host, SuspensionKind::Stopped, None)).unwrap();
    assert_eq!(rounds(&mut keeper).await.1, Requeue::Idle);
    assert_eq!(host.containers(), ["shop-db-1 db:1 exited", "shop-web-1 web:1 running"]);
    host.engine.restart_engine(Millis::seconds(1));
    host.clock.sleep(Millis::seconds(2)).await;
    assert_eq!(rounds(&mut keeper).await.1, Requeue::Idle);
    assert_eq!(host.containers(), ["shop-db-1 db:1 exited", "shop-web-1 web:1 running"]);
    let changed = manifest.replace("image: db:1", "image: db:2");
    assert_eq!(host.apply(&changed).await.held[0].code.as_str(), "stopped");
    host.settle(&manifest).await;
    host.home.end_suspension(&service("db")).unwrap();
    rounds(&mut keeper).await;
    assert_eq!(host.containers(), RUNNING);
    assert_eq!(host.id_of("shop-db-1"), id);
    let policy = host.engine.inspect_container("shop-db-1").await.unwrap().spec.restart;
    assert_eq!(policy, RestartPolicy::Always);
    host.settle(&manifest).await;
}

#[tokio::test(start_paused = true)]
async fn a_manual_service_is_interrupted_by_who_names_it_alone() {
    let host = Host::new();
    let manual = |manifest: &str, named: &[&str]| {
        let mut request = host.request(manifest, named);
        Arc::make_mut(&mut request.desired).services.get_mut(&service("db")).unwrap().rollout.apply =
            ApplyPolicy::Manual;
        request
    };
    let stack = host.stack();
    let first = stack.apply(&manual(SHOP, &[])).await.unwrap();
    assert_eq!(first.exit, 0, "a first deploy interrupts nothing: {first:?}");
    let next = SHOP.replace("image: db:1", "image: db:2").replace("image: web:1", "image: web:2");
    let applied = stack.apply(&manual(&next, &[])).await.unwrap();
    assert_eq!((applied.exit, applied.held[0].code.as_str()), (9, "manual"), "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:2 running"]);
    let mut keeper = keeper(&host);
    assert_eq!(rounds(&mut keeper).await, (1, Requeue::Idle), "the revision has what was accepted");
    by_hand(&host, Foreign::Remove("shop-db-1".into(), false));
    rounds(&mut keeper).await;
    assert_eq!(host.containers()[0], "shop-db-1 db:1 running", "what is gone is made as it was accepted");
    let named = stack.apply(&manual(&next, &["db"])).await.unwrap();
    assert_eq!(named.exit, 0, "{named:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:2 running"]);
}

/// A file that somebody edits.
struct Edited<'h>(&'h Host, Mutex<Result<String, String>>);

impl Manifest for Edited<'_> {
    fn load(&self, in_force: &Overrides) -> Result<(Desired, Vec<Note>), String> {
        let text = self.1.lock().unwrap().clone()?;
        Ok(self.0.load_with(&text, Overrides::default(), in_force.clone()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_manifest_is_followed_once_it_is_whole_and_a_wrong_one_is_told_once() {
    let host: &'static Host = Box::leak(Box::new(Host::new()));
    host.settle(SHOP).await;
    let file = Arc::new(Edited(host, Mutex::new(Ok(SHOP.to_owned()))));
    let mut keeper = keeper_of(host, Some(file.clone()));
    let second = Millis::seconds(1);
    let save = |text: Result<String, String>| *file.1.lock().unwrap() = text;
    keep_for(host, &mut keeper, Millis::seconds(5)).await;
    assert_eq!(host.home.current().unwrap().unwrap().number, 1, "what is known is not applied again");

    save(Err("evenkeel.yaml:4:1: half a line".into()));
    keep_for(host, &mut keeper, Millis::seconds(30)).await;
    assert_eq!(events(host, EventKind::ManifestRefused).len(), 1);
    assert_eq!(host.containers(), RUNNING);

    save(Ok(shop("image: web:1", "image: web:2")));
    assert!(matches!(rounds(&mut keeper).await.1, Requeue::At(_)), "it must stay as it is first");
    assert_eq!(host.containers(), RUNNING);
    host.clock.sleep(second).await;
    keep_for(host, &mut keeper, Millis::seconds(3)).await;
    assert_eq!(host.containers()[1], "shop-web-1 web:2 running");

    save(Ok(shop("image: web:1", "image: web:crash")));
    keep_for(host, &mut keeper, Millis::minutes(30)).await;
    assert_eq!(host.containers()[1], "shop-web-1 web:2 running");
    assert_eq!(events(host, EventKind::RolloutFailed).len(), 1, "what failed is not tried again by itself");
}

#[tokio::test(start_paused = true)]
async fn what_a_pause_held_back_of_a_manifest_is_done_when_somebody_ends_it() {
    let host: &'static Host = Box::leak(Box::new(Host::new()));
    host.settle(SHOP).await;
    let file = Arc::new(Edited(host, Mutex::new(Ok(SHOP.to_owned()))));
    let mut keeper = keeper_of(host, Some(file.clone()));
    host.home.suspend(&service("web"), &suspension(host, SuspensionKind::Paused, None)).unwrap();
    keep_for(host, &mut keeper, Millis::seconds(5)).await;
    *file.1.lock().unwrap() = Ok(shop("image: web:1", "image: web:2"));
    keep_for(host, &mut keeper, Millis::minutes(5)).await;
    assert_eq!(host.containers(), RUNNING);
    let applies = events(host, EventKind::ApplyEnded).len();
    assert_eq!(applies, 2, "the first one, and one that held it");
    host.home.end_suspension(&service("web")).unwrap();
    keep_for(host, &mut keeper, Millis::minutes(5)).await;
    assert_eq!(host.containers()[1], "shop-web-1 web:2 running");
    assert_eq!(events(host, EventKind::ApplyEnded).len(), applies + 1);
}

#[tokio::test(start_paused = true)]
async fn a_manifest_that_cannot_be_applied_is_told_and_stops_no_repair() {
    let host: &'static Host = Box::leak(Box::new(Host::new()));
    host.settle(SHOP).await;
    let file = Arc::new(Edited(host, Mutex::new(Ok(shop("image: web:1", "image: web:nowhere")))));
    let mut keeper = keeper_of(host, Some(file.clone()));
    let mut failures = 0;
    for _ in 0..4 {
        failures += usize::from(keeper.reconcile().await.is_err());
        by_hand(host, Foreign::Stop("shop-web-1".into()));
        host.clock.sleep(Millis::seconds(2)).await;
    }
    assert!(failures >= 2, "the image does not exist: {failures}");
    keeper.reconcile().await.unwrap_err();
    assert_eq!(host.containers(), RUNNING, "repaired all the same");

    let too_much = SHOP.replace("spec:\n", "spec:\n  capacity: {memory: 1Mi, requireLimits: true}\n");
    *file.1.lock().unwrap() = Ok(too_much);
    keep_for(host, &mut keeper, Millis::seconds(20)).await;
    let refused = events(host, EventKind::ManifestRefused);
    assert!(!refused.is_empty() && refused.iter().all(|text| text.contains("nothing is changed")), "{refused:?}");
    let count = refused.len();
    keep_for(host, &mut keeper, Millis::minutes(10)).await;
    assert_eq!(events(host, EventKind::ManifestRefused).len(), count, "once");
    assert_eq!(host.home.current().unwrap().unwrap().number, 1);
}

#[tokio::test(start_paused = true)]
async fn an_end_in_the_middle_of_a_repair_leaves_the_revision_and_the_next_run_finishes() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    by_hand(&host, Foreign::Remove("shop-web-1".into(), false));
    host.cancel.gently.cancel();
    let mut ending = keeper(&host);
    ending.reconcile().await.unwrap();
    assert_eq!(host.home.current().unwrap().unwrap().number, 1);
    host.cancel = Default::default();
    let mut next = keeper(&host);
    rounds(&mut next).await;
    assert_eq!(host.containers(), RUNNING);
}

#[tokio::test(start_paused = true)]
async fn what_a_window_holds_back_is_done_when_it_opens_and_not_before() {
    let host: &'static Host = Box::leak(Box::new(Host::new()));
    // It is six past eleven.
    let window = "      rollout: {apply: window, window: {cron: '0 12 * * *', duration: 1h}}\n";
    let first = SHOP.replace("    web:\n", &format!("    web:\n{window}"));
    host.settle(&first).await;
    let next = first.replace("image: web:1", "image: web:2");
    let file = Arc::new(Edited(host, Mutex::new(Ok(next.clone()))));
    let mut keeper = keeper_of(host, Some(file));
    keep_for(host, &mut keeper, Millis::minutes(50)).await;
    assert_eq!(host.containers(), RUNNING);
    // Not even drift stops what runs, but what is gone is made again.
    let limits = Limits { pids: Some(7), ..Limits::default() };
    by_hand(host, Foreign::Update("shop-web-1".into(), Box::new(limits), None));
    by_hand(host, Foreign::Remove("shop-db-1".into(), false));
    keep_for(host, &mut keeper, Millis::seconds(30)).await;
    assert_eq!(host.containers(), RUNNING);
    let Requeue::At(next_look) = rounds(&mut keeper).await.1 else { panic!("it knows when the window opens") };
    assert_eq!(next_look.to_string(), "2026-11-18T12:00:00.000Z");
    keep_for(host, &mut keeper, Millis::minutes(5)).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:2 running"]);
    host.settle(&next).await;
}

#[tokio::test(start_paused = true)]
async fn what_shares_a_namespace_is_stopped_and_paused_together() {
    let host = Host::new();
    let manifest = SHOP.replace("      depends_on: [db]\n", "      network_mode: 'service:db'\n");
    host.settle(&manifest).await;
    let mut keeper = keeper(&host);
    host.home.suspend(&service("db"), &suspension(&host, SuspensionKind::Stopped, None)).unwrap();
    assert_eq!(rounds(&mut keeper).await.1, Requeue::Idle);
    assert_eq!(host.containers(), ["shop-db-1 db:1 exited", "shop-web-1 web:1 exited"]);
    host.home.end_suspension(&service("db")).unwrap();
    rounds(&mut keeper).await;
    assert_eq!(host.containers(), RUNNING);
    host.home.suspend(&service("web"), &suspension(&host, SuspensionKind::Paused, None)).unwrap();
    let applied = host.apply(&manifest.replace("image: db:1", "image: db:2")).await;
    assert_eq!(applied.exit, 9, "a new parent would leave the paused one without a network: {applied:?}");
    assert_eq!(host.containers(), RUNNING);
    host.home.end_suspension(&service("web")).unwrap();
    host.settle(&manifest).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_home_is_made_from_what_runs_and_nothing_is_replaced() {
    let mut host = Host::new();
    let job = "    job:\n      image: job:1\n      restart: 'no'\n    db:\n";
    let manifest = SHOP.replace("    db:\n", job);
    host.settle(&manifest).await;
    let ids = [host.id_of("shop-web-1"), host.id_of("shop-db-1"), host.id_of("shop-job-1")];
    host.home = Arc::new(Home::in_memory(&StackName::from("shop")).unwrap());
    let mut keeper = keeper(&host);
    assert_eq!(rounds(&mut keeper).await, (1, Requeue::Idle));
    assert_eq!(events(&host, EventKind::HomeLost).len(), 1);
    assert_eq!([host.id_of("shop-web-1"), host.id_of("shop-db-1"), host.id_of("shop-job-1")], ids);
    by_hand(&host, Foreign::Remove("shop-web-1".into(), false));
    rounds(&mut keeper).await;
    let all = ["shop-db-1 db:1 running", "shop-job-1 job:1 exited", "shop-web-1 web:1 running"];
    assert_eq!(host.containers(), all);
    let applied = host.settle(&manifest).await;
    assert_eq!([host.id_of("shop-db-1"), host.id_of("shop-job-1")], ids[1..], "{applied:?}");
}

#[tokio::test(start_paused = true)]
async fn an_oom_kill_is_the_engines_to_restart() {
    let host = Host::new();
    host.settle(SHOP).await;
    let mut keeper = keeper(&host);
    by_hand(&host, Foreign::OutOfMemory("shop-web-1".into()));
    let before = host.engine.calls().len();
    keep_for(&host, &mut keeper, Millis::seconds(3)).await;
    assert_eq!(host.engine.calls().len(), before);
    assert_eq!(host.containers(), RUNNING);
}

/// A round that is ended by who watches it would leave a rollout in the middle.
#[tokio::test(start_paused = true)]
async fn a_manifest_whose_rollout_takes_long_is_waited_for() {
    let host: &'static Host = Box::leak(Box::new(Host::new()));
    host.settle(SHOP).await;
    let slow = Behaviour::ready_after(Millis::minutes(12));
    let config = ImageConfig { command: Some(vec!["serve".into()]), ..ImageConfig::default() };
    host.engine.add_image("web:later", config, slow);
    let later = shop(
        "image: web:1",
        "image: web:later\n      probes: {readiness: {http: {port: 80, path: /}}}\n      rollout: {deadline: 20m}",
    );
    let stack = host.stack();
    let patience = stack.patience.clone();
    let options = options_of(host, Some(Arc::new(Edited(host, Mutex::new(Ok(later))))));
    let mut keeper = Keeper::new(stack, options);
    let mut watched = async || {
        let impatient = async {
            loop {
                host.clock.sleep(Millis::seconds(1)).await;
                assert!(patience.ends() > host.clock.now(), "the round would have been ended");
            }
        };
        tokio::select! {
            round = keeper.reconcile() => drop(round.unwrap()),
            () = impatient => {}
        }
    };
    for _ in 0..4 {
        watched().await;
        host.clock.sleep(Millis::seconds(2)).await;
    }
    assert_eq!(host.containers()[1], "shop-web-1 web:later running");
}

#[tokio::test(start_paused = true)]
async fn what_a_window_holds_back_is_done_when_it_opens_though_evenkeel_was_started_again() {
    let host: &'static Host = Box::leak(Box::new(Host::new()));
    // It is six past eleven.
    let window = "      rollout: {apply: window, window: {cron: '0 12 * * *', duration: 1h}}\n";
    let first = SHOP.replace("    web:\n", &format!("    web:\n{window}"));
    host.settle(&first).await;
    let next = first.replace("image: web:1", "image: web:2").replace("image: db:1", "image: db:2");
    let file = Arc::new(Edited(host, Mutex::new(Ok(next.clone()))));
    let mut before = keeper_of(host, Some(file.clone()));
    keep_for(host, &mut before, Millis::minutes(5)).await;
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:1 running"]);
    drop(before);
    let mut after = keeper_of(host, Some(file));
    let applies = events(host, EventKind::ApplyStarted).len();
    keep_for(host, &mut after, Millis::minutes(5)).await;
    assert_eq!(events(host, EventKind::ApplyStarted).len(), applies, "nothing is to be done yet");
    keep_for(host, &mut after, Millis::minutes(50)).await;
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:2 running"]);
    host.settle(&next).await;
}

#[tokio::test(start_paused = true)]
async fn a_manifest_that_was_refused_is_taken_once_what_it_lacks_is_there() {
    use evenkeel::engine::Networks;
    let host: &'static Host = Box::leak(Box::new(Host::new()));
    host.settle(SHOP).await;
    let outside = shop("image: web:1", "image: web:2\n      networks: [edge]")
        .replace("  volumes: {data: {}}", "  volumes: {data: {}}\n  networks: {edge: {external: true, name: edge}}");
    let mut keeper = keeper_of(host, Some(Arc::new(Edited(host, Mutex::new(Ok(outside))))));
    keep_for(host, &mut keeper, Millis::minutes(10)).await;
    assert_eq!(host.containers(), RUNNING);
    let refused = events(host, EventKind::ManifestRefused);
    assert!(refused.len() == 1 && refused[0].contains("docker network create edge"), "{refused:?}");
    host.engine.create_network(&"edge".into(), &Default::default()).await.unwrap();
    keep_for(host, &mut keeper, Millis::minutes(3)).await;
    assert_eq!(host.containers()[1], "shop-web-1 web:2 running");
}

/// Makes a round, and ends it gently when the engine has had so many calls.
async fn ended_at(host: &mut Host, keeper: &mut Keeper, calls: usize) {
    let (until, cancel, engine) = (host.engine.mutations() + calls, host.cancel.clone(), host.engine.clone());
    let mut seen = engine.mutations();
    host.engine.observe(move |snapshot| {
        seen += usize::from(snapshot.after.is_some());
        if seen >= until {
            cancel.gently.cancel();
        }
    });
    keeper.reconcile().await.unwrap();
    assert!(host.cancel.gently.is_cancelled());
    host.engine.observe(|_| {});
    host.cancel = Default::default();
}

#[tokio::test(start_paused = true)]
async fn an_end_in_the_middle_of_a_repair_leaves_what_was_made() {
    // Made, and started.
    for calls in [1, 2] {
        let mut host = Host::new();
        let probed = shop("image: web:1", "image: web:1\n      probes: {readiness: {http: {port: 80, path: /}}}");
        host.settle(&probed).await;
        by_hand(&host, Foreign::Remove("shop-web-1".into(), false));
        let mut ending = keeper(&host);
        ended_at(&mut host, &mut ending, calls).await;
        assert_eq!(host.containers(), RUNNING, "after {calls}");
        assert_eq!(host.home.current().unwrap().unwrap().number, 1);
        let facts = host.home.facts().unwrap();
        assert!(facts.failed.is_empty() && facts.restarts.is_empty(), "an end is no failure: {facts:?}");
        let web = host.id_of("shop-web-1");
        let mut next = keeper(&host);
        rounds(&mut next).await;
        assert_eq!(host.id_of("shop-web-1"), web);
        host.assert_settled(&probed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_between_the_stop_and_the_start_of_a_liveness_restart_leaves_it_running() {
    let mut host = Host::new();
    with_liveness(&host, Behaviour { unwell_after: Some(Millis::seconds(40)), ..Behaviour::default() }).await;
    let mut ending = keeper(&host);
    keep_for(&host, &mut ending, Millis::seconds(115)).await;
    host.clock.sleep(Millis::seconds(10)).await;
    ended_at(&mut host, &mut ending, 1).await;
    assert_eq!(host.containers(), RUNNING);
}

/// A hook before a stop is for an orderly end; what does not live has none.
#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_does_not_keep_what_is_unwell_from_its_restart() {
    let host = Host::new();
    let hooked = shop("image: web:1", "image: web:1\n      pre_stop: [{command: ['false']}]");
    let config = ImageConfig { command: Some(vec!["serve".into()]), ..ImageConfig::default() };
    host.engine.add_image(
        "web:1",
        config,
        Behaviour { unwell_after: Some(Millis::seconds(40)), ..Behaviour::default() },
    );
    let mut request = host.request(&hooked, &[]);
    alive_by_http(Arc::make_mut(&mut request.desired));
    assert_eq!(host.stack().apply(&request).await.unwrap().exit, 0);
    let (id, mut keeper) = (host.id_of("shop-web-1"), keeper(&host));
    let started = async || host.engine.inspect_container("shop-web-1").await.unwrap().state.started_at;
    let before = started().await;
    keep_for(&host, &mut keeper, Millis::seconds(140)).await;
    assert!(started().await > before, "it was restarted");
    assert_eq!(host.id_of("shop-web-1"), id);
    assert_eq!(events(&host, EventKind::RolloutFailed), [] as [String; 0]);
    assert!(events(&host, EventKind::Warning).iter().any(|text| text.contains("`false` exited with 1")), "it is told");
    // One that is well is not stopped without it.
    let applied = host.apply(&hooked.replace("image: web:1", "image: web:2")).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.id_of("shop-web-1"), id);
}

/// The apply that would have taken it back is gone.
#[tokio::test(start_paused = true)]
async fn what_a_killed_apply_began_and_what_fails_then_is_taken_back_for_good() {
    let next = shop("image: web:1", "image: web:crash").replace("image: db:1", "image: db:2");
    for calls in 2..10 {
        let mut host = Host::new();
        host.settle(SHOP).await;
        host.killed(&next, Fault::KillAfter(calls), false).await;
        let mut keeper = keeper(&host);
        keep_for(&host, &mut keeper, Millis::minutes(2)).await;
        let kept = ["shop-db-1 db:2 running", "shop-web-1 web:1 running"];
        assert_eq!(host.containers(), kept, "{calls}");
        assert_eq!(host.home.current().unwrap().unwrap().reason, "undone: web", "{calls}");
        assert_eq!(events(&host, EventKind::RolloutFailed).len(), 1, "{calls}: what failed is not tried again");
        by_hand(&host, Foreign::Remove("shop-web-1".into(), false));
        keep_for(&host, &mut keeper, Millis::minutes(2)).await;
        assert_eq!(host.containers(), kept, "{calls}: what is current is kept");
    }
}

/// On a network as elsewhere: it is on it, and not as it was asked for.
#[tokio::test(start_paused = true)]
async fn what_is_not_held_on_a_network_is_not_tried_again_either() {
    let host = Host::new();
    host.settle(SHOP).await;
    host.engine.forget(|spec| {
        spec.networks.iter_mut().for_each(|(_, attachment)| attachment.ipv4 = None);
    });
    let fixed = "image: db:1\n      networks: {back: {ipv4_address: 10.7.0.9}}";
    let next = shop("image: db:1", fixed).replace(
        "  volumes: {data: {}}",
        "  networks: {back: {ipam: {config: [{subnet: 10.7.0.0/24}]}}}\n  volumes: {data: {}}",
    );
    let applied = host.apply(&next).await;
    assert_eq!(applied.exit, 9, "{applied:?}");
    let (db, mut keeper) = (host.id_of("shop-db-1"), keeper(&host));
    keep_for(&host, &mut keeper, Millis::minutes(10)).await;
    assert_eq!(host.id_of("shop-db-1"), db);
}

/// A field that the engine takes and does not hold must not have a container replaced for ever.
#[tokio::test(start_paused = true)]
async fn what_a_new_container_does_not_hold_is_held_back_and_not_tried_again() {
    let host = Host::new();
    host.settle(SHOP).await;
    host.engine.forget(|spec| {
        spec.hostname = None;
        spec.environment.remove("PASSWORD");
    });
    let forgotten = "image: db:1\n      hostname: db.test\n      environment: {PASSWORD: hunter22}";
    let next = shop("image: db:1", forgotten);
    let applied = host.apply(&next).await;
    assert_eq!(applied.exit, 9, "{applied:?}");
    let held: Vec<String> = applied.held.iter().map(|held| format!("{} {}", held.code, held.reason)).collect();
    assert_eq!(
        held,
        [
            "did-not-take environment.PASSWORD was set to *** and reads none",
            "did-not-take hostname was set to db.test and reads none"
        ]
    );
    let (db, calls) = (host.id_of("shop-db-1"), host.engine.mutations());
    let mut keeper = keeper(&host);
    keep_for(&host, &mut keeper, Millis::minutes(10)).await;
    assert_eq!((host.id_of("shop-db-1"), host.engine.mutations()), (db, calls));
    // What `run` itself makes.
    by_hand(&host, Foreign::Remove("shop-db-1".into(), false));
    keep_for(&host, &mut keeper, Millis::minutes(10)).await;
    let db = host.id_of("shop-db-1");
    keep_for(&host, &mut keeper, Millis::minutes(10)).await;
    assert_eq!(host.id_of("shop-db-1"), db);
    // Another value is another wish.
    host.engine.forget(|_| {});
    host.settle(&next.replace("db.test", "data.test")).await;
    assert_ne!(host.id_of("shop-db-1"), db);
}

/// Says what it was given, as a program that can't log in does.
struct Leaky;

#[async_trait::async_trait]
impl Prober for Leaky {
    async fn attempt(&self, _: &Probe, _: &ObservedContainer) -> Answer {
        Answer { ok: false, text: "exit 1: could not log in with hunter22".into() }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_liveness_probe_answers_is_told_without_secrets() {
    let host = Host::new();
    let secret = shop("{LOG_LEVEL: info}", "{PASSWORD: hunter22}");
    let mut request = host.request(&secret, &[]);
    alive_by_http(Arc::make_mut(&mut request.desired));
    assert_eq!(host.stack().apply(&request).await.unwrap().exit, 0);
    let stack = evenkeel::controllers::stack::Stack { prober: Arc::new(Leaky), ..host.stack() };
    let mut keeper = Keeper::new(stack, options_of(&host, None));
    keep_for(&host, &mut keeper, Millis::minutes(4)).await;
    assert!(events(&host, EventKind::LivenessFailed)[0].contains("could not log in with ***"));
    let all = host.home.events(&evenkeel::home::EventQuery::default()).unwrap();
    let told = all.iter().find(|event| serde_json::to_string(event).unwrap().contains("hunter22"));
    assert!(told.is_none(), "{told:?}");
}

//! What an interrupted rollout left, row by row: recovery has no plan to go by and classifies from inspect alone.
//!
//! The calls of a rollout, which the kills count: start-first is create, start, stop, remove, rename; stop-first is update
//! (the restart policy), stop, rename, create, start, remove.

use crate::support::{Host, SHOP, shop};
use evenkeel::{
    engine::{
        Containers,
        simulated::{Fault, Foreign},
    },
    model::container::RestartPolicy,
};

const AFTER: [&str; 2] = ["shop-db-1 db:1 running", "shop-web-1 web:2 running"];

fn next_web() -> String {
    shop("image: web:1", "image: web:2")
}

fn next_db() -> String {
    shop("image: db:1", "image: db:2")
}

/// The id of the container whose name ends so and begins with another's id.
fn beside(host: &Host, name: &str) -> String {
    let seen = host.engine.snapshot().containers;
    let named = |name_of: &str| name_of.ends_with(&format!("_{name}"));
    seen.iter().find(|seen| named(seen.name.as_str())).map(|seen| seen.id.to_string()).unwrap_or_default()
}

async fn policy_of(host: &Host, name: &str) -> RestartPolicy {
    host.engine.inspect_container(name).await.unwrap().spec.restart
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_by_its_labels_is_left() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    let mut spec = host.engine.inspect_container("shop-web-1").await.unwrap().spec;
    spec.labels.insert("com.docker.compose.oneoff".into(), evenkeel::model::value::Value::plain("True"));
    host.engine.meddle(&Foreign::Run("shop-web-run-1".into(), Box::new(spec))).unwrap();
    let id = host.id_of("shop-web-run-1");
    host.killed(&next_web(), Fault::KillAfter(3), false).await;
    host.settle(&next_web()).await;
    assert_eq!(host.id_of("shop-web-run-1"), id);
}

#[tokio::test(start_paused = true)]
async fn a_kept_one_alone_that_is_declared_gets_name_and_policy_back() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    let db = host.id_of("shop-db-1");
    host.killed(&next_db(), Fault::KillAfter(3), false).await;
    assert_eq!(beside(&host, "shop-db-1"), db);
    assert_eq!(policy_of(&host, &db).await, RestartPolicy::No);
    host.settle(SHOP).await;
    assert_eq!(host.id_of("shop-db-1"), db);
    assert_eq!(policy_of(&host, &db).await, RestartPolicy::UnlessStopped);
}

#[tokio::test(start_paused = true)]
async fn a_kept_one_alone_that_is_not_declared_is_the_old_one_of_a_rollout_that_goes_on() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    let db = host.id_of("shop-db-1");
    host.killed(&next_db(), Fault::KillAfter(3), false).await;
    host.settle(&next_db()).await;
    assert_ne!(host.id_of("shop-db-1"), db);
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn a_kept_one_whose_rollout_fails_again_gets_the_policy_of_its_revision_back() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    let db = host.id_of("shop-db-1");
    let broken = shop("image: db:1", "image: web:crash");
    host.killed(&broken, Fault::KillAfter(3), false).await;
    let applied = host.apply(&broken).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.id_of("shop-db-1"), db);
    assert_eq!(policy_of(&host, &db).await, RestartPolicy::UnlessStopped);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    host.settle(SHOP).await;
    assert_eq!(host.id_of("shop-db-1"), db);
}

#[tokio::test(start_paused = true)]
async fn one_stopped_and_not_yet_kept_is_started_again_when_the_rollout_fails() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    let db = host.id_of("shop-db-1");
    let broken = shop("image: db:1", "image: web:crash");
    host.killed(&broken, Fault::KillAfter(2), false).await;
    host.apply(&broken).await;
    assert_eq!(host.id_of("shop-db-1"), db);
    assert_eq!(policy_of(&host, &db).await, RestartPolicy::UnlessStopped);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_home_the_policy_given_back_is_the_declared_one() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    let db = host.id_of("shop-db-1");
    host.killed(&next_db(), Fault::KillAfter(3), true).await;
    let always = SHOP.replace("db:1\n      restart: unless-stopped", "db:1\n      restart: always");
    host.settle(&always).await;
    assert_eq!(host.id_of("shop-db-1"), db);
    assert_eq!(policy_of(&host, &db).await, RestartPolicy::Always);
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_never_started_is_removed() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    host.killed(&next_web(), Fault::KillAfter(1), false).await;
    let candidate = beside(&host, "shop-web-1");
    assert!(!candidate.is_empty());
    host.settle(&next_web()).await;
    assert_ne!(host.id_of("shop-web-1"), candidate);
    assert_eq!(host.containers(), AFTER);
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_lacks_a_network_is_removed() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    host.killed(&next_web(), Fault::KillAfter(2), false).await;
    let candidate = beside(&host, "shop-web-1");
    let name = host
        .containers()
        .iter()
        .find(|line| line.contains("_shop-web-1"))
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    host.engine.meddle(&Foreign::Disconnect(name.as_str().into(), "shop_default".into())).unwrap();
    host.settle(&next_web()).await;
    assert_ne!(host.id_of("shop-web-1"), candidate);
    assert_eq!(host.containers(), AFTER);
}

#[tokio::test(start_paused = true)]
async fn a_candidate_of_today_is_gated_again_and_takes_the_name() {
    for call in [2, 3] {
        let mut host = Host::new();
        host.settle(SHOP).await;
        host.killed(&next_web(), Fault::KillAfter(call), false).await;
        let candidate = beside(&host, "shop-web-1");
        let plan = host.plan(&next_web()).await;
        assert!(plan.steps.iter().any(|step| step.id.as_str() == "web/1/gate"), "{plan:?}");
        host.settle(&next_web()).await;
        assert_eq!(host.id_of("shop-web-1"), candidate);
        assert_eq!(host.containers(), AFTER);
    }
}

#[tokio::test(start_paused = true)]
async fn a_candidate_of_today_beside_a_kept_one_is_gated_again() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    host.killed(&next_db(), Fault::KillAfter(5), false).await;
    let candidate = host.id_of("shop-db-1");
    host.settle(&next_db()).await;
    assert_eq!(host.id_of("shop-db-1"), candidate);
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:1 running"]);
}

/// The host went down while it was gated, and the engine does not start what has no restart policy.
#[tokio::test(start_paused = true)]
async fn a_candidate_of_today_that_went_down_is_started_and_gated_again() {
    let bare = SHOP.replace("\n      restart: unless-stopped", "");
    for next in ["db", "web"] {
        let mut host = Host::new();
        host.settle(&bare).await;
        let (wanted, calls) =
            (bare.replace(&format!("{next}:1"), &format!("{next}:2")), if next == "db" { 4 } else { 2 });
        host.killed(&wanted, Fault::KillAfter(calls), false).await;
        for line in host.containers().iter().filter(|line| line.ends_with(" running")) {
            host.engine.meddle(&Foreign::Stop(line.split(' ').next().unwrap().into())).unwrap();
        }
        let candidate = match next {
            "db" => host.id_of("shop-db-1"),
            _ => beside(&host, "shop-web-1"),
        };
        host.settle(&wanted).await;
        assert_eq!(host.id_of(&format!("shop-{next}-1")), candidate);
        assert!(host.containers().iter().all(|line| line.ends_with(" running")), "{:?}", host.containers());
    }
}

/// Its first deploy was not ready in time, and is left as it is for its data. Trying again does not make it good.
#[tokio::test(start_paused = true)]
async fn what_was_left_at_its_deadline_is_gated_again_by_each_apply() {
    let probes = "probes: {readiness: {tcp: {port: 5432}}}\n      rollout: {deadline: 20s}";
    let broken = SHOP.replace("db:1", &format!("db:broken\n      {probes}"));
    let host = Host::new();
    assert_eq!(host.apply(&broken).await.exit, 5);
    for _ in 0..2 {
        let applied = host.apply(&broken).await;
        assert_eq!(applied.exit, 5, "{applied:?}");
        assert_eq!(host.containers()[0], "shop-db-1 db:broken running");
    }
    let status = host.stack().status(None).await.unwrap();
    assert!(!status.converged, "{status:?}");
    host.settle(&broken.replace("db:broken", "db:1")).await;
    assert!(host.stack().status(None).await.unwrap().converged);
}

/// Nobody saw it ready: a CI job that is cut off and begun anew is not green for that.
#[tokio::test(start_paused = true)]
async fn what_a_killed_apply_started_and_did_not_prove_is_gated() {
    for image in ["web:broken", "web:1"] {
        let probe = "\n      probes: {readiness: {http: {port: 80, path: /}}}\n      rollout: {deadline: 20s}";
        let manifest = shop("image: web:1", &format!("image: {image}{probe}"))
            .replace("image: db:1", "image: checked:1")
            .replace("depends_on: [db]", "depends_on: {db: {condition: service_healthy}}");
        let mut host = Host::new();
        for call in 1.. {
            host = Host::new();
            host.killed(&manifest, Fault::KillAfter(call), false).await;
            if host.containers().last().is_some_and(|last| *last == format!("shop-web-1 {image} running")) {
                break;
            }
        }
        let applied = host.apply(&manifest).await;
        assert_eq!(applied.exit, if image == "web:1" { 0 } else { 5 }, "{applied:?}");
        let (plan, _) = &applied.rounds[0];
        assert!(plan.steps.iter().any(|step| step.id.as_str() == "web/1/gate"), "{:?}", plan.steps);
    }
}

/// It had all its time, and exits by itself: what ran before takes its place.
#[tokio::test(start_paused = true)]
async fn a_candidate_that_was_left_at_its_deadline_and_exits_is_taken_back() {
    let bare = SHOP.replace("\n      restart: unless-stopped", "");
    let probes = "probes: {readiness: {tcp: {port: 5432}}}\n      rollout: {deadline: 20s}";
    let bare = bare.replace("db:1", &format!("db:1\n      {probes}"));
    let host = Host::new();
    host.settle(&bare).await;
    let db = host.id_of("shop-db-1");
    let broken = bare.replace("db:1", "db:broken");
    assert_eq!(host.apply(&broken).await.exit, 5);
    assert_ne!(host.id_of("shop-db-1"), db);
    host.engine.meddle(&Foreign::Die("shop-db-1".into(), 1)).unwrap();
    let applied = host.apply(&broken).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.id_of("shop-db-1"), db);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn a_candidate_of_another_desired_is_removed() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    let web = host.id_of("shop-web-1");
    host.killed(&next_web(), Fault::KillAfter(2), false).await;
    host.settle(SHOP).await;
    assert_eq!(host.id_of("shop-web-1"), web);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn a_candidate_that_serves_while_the_old_one_is_stopped_goes_after_that_is_up() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    let web = host.id_of("shop-web-1");
    host.killed(&next_web(), Fault::KillAfter(3), false).await;
    host.engine.keep_history();
    host.settle(SHOP).await;
    assert_eq!(host.id_of("shop-web-1"), web);
    assert!(host.engine.history().iter().all(|seen| seen.ready(&"web".into()) > 0), "at some moment no web was ready");
}

#[tokio::test(start_paused = true)]
async fn the_only_running_one_takes_the_name() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    host.killed(&next_web(), Fault::KillAfter(4), false).await;
    let candidate = beside(&host, "shop-web-1");
    host.settle(&next_web()).await;
    assert_eq!(host.id_of("shop-web-1"), candidate);
    assert_eq!(host.containers(), AFTER);
}

#[tokio::test(start_paused = true)]
async fn the_only_running_one_of_another_desired_takes_the_name_and_is_replaced() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    host.killed(&next_web(), Fault::KillAfter(4), false).await;
    let candidate = beside(&host, "shop-web-1");
    host.engine.keep_history();
    host.settle(SHOP).await;
    assert_ne!(host.id_of("shop-web-1"), candidate);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    assert!(host.engine.history().iter().all(|seen| seen.ready(&"web".into()) > 0), "at some moment no web was ready");
}

#[tokio::test(start_paused = true)]
async fn surplus_goes() {
    let mut host = Host::new();
    let three = shop("image: web:1", "image: web:1\n      deploy: {replicas: 3}");
    host.settle(&three).await;
    host.killed(SHOP, Fault::KillAfter(1), false).await;
    host.settle(SHOP).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn of_two_with_one_number_the_older_goes() {
    let host = Host::new();
    host.settle(SHOP).await;
    let web = host.id_of("shop-web-1");
    let spec = host.engine.inspect_container("shop-web-1").await.unwrap().spec;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    host.engine.meddle(&Foreign::Run("shop-web-copy".into(), Box::new(spec))).unwrap();
    let copy = host.id_of("shop-web-copy");
    host.apply(SHOP).await;
    host.settle(SHOP).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    assert_ne!(web, copy);
    assert_ne!(host.id_of("shop-web-1"), web);
}

#[tokio::test(start_paused = true)]
async fn a_finished_one_shot_does_not_run_again() {
    let manifest = shop("image: web:1\n      restart: unless-stopped", "image: job:1\n      restart: 'no'");
    for wipe in [false, true] {
        let mut host = Host::new();
        host.settle(&manifest).await;
        let next = manifest.replace("job:1", "job:2");
        // Remove, create, start.
        host.killed(&next, Fault::KillAfter(3), wipe).await;
        let job = host.id_of("shop-web-1");
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        host.settle(&next).await;
        assert_eq!(host.id_of("shop-web-1"), job);
        assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 job:2 exited"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_a_create_is_answered_by_looking() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    let request = host.request(&next_web(), &[]);
    let before = host.engine.mutations();
    let applied = host.apply_with(&request, [Fault::LoseReply(1)], false).await.unwrap().unwrap();
    assert_eq!(applied.exit, 0, "{applied:?}");
    let creates = host.engine.calls()[before..].iter().filter(|call| call.call == "create container").count();
    assert_eq!(creates, 1);
    assert_eq!(host.containers(), AFTER);
    host.assert_settled(&next_web()).await;
}

/// Seen running between two of its falls, it is not taken for what serves.
#[tokio::test(start_paused = true)]
async fn a_candidate_that_falls_again_and_again_is_removed() {
    let mut seen_up = 0;
    for wait in (0..6000).step_by(100) {
        let mut host = Host::new();
        host.settle(SHOP).await;
        let db = host.id_of("shop-db-1");
        let falling = shop("image: db:1", "image: web:crash");
        host.killed(&falling, Fault::KillAfter(5), false).await;
        tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
        let state = host.engine.inspect_container("shop-db-1").await.unwrap().state;
        if state.is_running() && state.restart_count > 0 {
            seen_up += 1;
            let plan = host.diff(&next_db()).await;
            assert!(plan.contains("db/discard/"), "{plan}");
        }
        host.settle(&next_db()).await;
        assert_ne!(host.id_of("shop-db-1"), db);
        assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:1 running"]);
    }
    assert!(seen_up > 0);
}

/// What an old container wrote into a volume without a name is in the new one's hands before that has the name.
#[tokio::test(start_paused = true)]
async fn what_is_all_that_is_left_takes_the_name_and_keeps_its_data() {
    use evenkeel::engine::Volumes;
    let shared = shop("image: web:1", "image: db:1\n      rollout: {sharedVolumes: true}");
    let next = shared.replacen("db:1", "db:2", 1);
    for wanted in [&next, &shared] {
        let mut host = Host::new();
        host.settle(&shared).await;
        let volumes = host.engine.list_volumes().await.unwrap();
        // Create, start, stop, remove and the image's tag; then the host goes down, and the new one does not come up.
        host.killed(&next, Fault::KillAfter(5), false).await;
        let candidate = beside(&host, "shop-web-1");
        let (left, name) = (host.containers().len(), host.containers()[0].clone());
        assert!(left == 2 && name.contains("_shop-web-1 db:2 running"), "{:?}", host.containers());
        host.engine.meddle(&Foreign::Stop(name.split(' ').next().unwrap().into())).unwrap();
        host.settle(wanted).await;
        assert_eq!(host.id_of("shop-web-1") == candidate, *wanted == next);
        let names = |volumes: &[evenkeel::model::observed::ObservedVolume]| -> std::collections::BTreeSet<_> {
            volumes.iter().map(|volume| volume.name.clone()).collect()
        };
        assert_eq!(names(&host.engine.list_volumes().await.unwrap()), names(&volumes), "what it wrote is gone");
    }
}

/// docker compose makes the new one beside the old one, removes that, and only then gives the new one its name.
#[tokio::test(start_paused = true)]
async fn what_docker_compose_is_about_to_rename_keeps_its_data() {
    use evenkeel::engine::Volumes;
    let shared = shop("image: web:1", "image: db:1\n      rollout: {sharedVolumes: true}");
    let mut host = Host::new();
    host.settle(&shared).await;
    let volumes = host.engine.list_volumes().await.unwrap().len();
    host.killed(&shared.replacen("db:1", "db:2", 1), Fault::KillAfter(1), false).await;
    assert!(host.containers()[0].contains("_shop-web-1 db:2 created"), "{:?}", host.containers());
    host.remove("shop-web-1");
    host.settle(&shared).await;
    assert_eq!(host.engine.list_volumes().await.unwrap().len(), volumes, "what it wrote is gone");
}

/// docker compose starts what it made while evenkeel, which saw it before, is about to remove it.
#[tokio::test(start_paused = true)]
async fn what_somebody_starts_meanwhile_is_not_killed() {
    let shared = shop("image: web:1", "image: db:1\n      rollout: {sharedVolumes: true}");
    let mut host = Host::new();
    host.settle(&shared).await;
    host.killed(&shared.replacen("db:1", "db:2", 1), Fault::KillAfter(1), false).await;
    let made = host.containers()[0].split(' ').next().unwrap().to_owned();
    let request = host.request(&shared, &[]);
    let calls = host.engine.calls().len();
    // The revision's claim and tags are there already: it is the first call.
    let start = Fault::Meddle(1, Foreign::Start(made.as_str().into()));
    host.apply_with(&request, [start], false).await.unwrap().unwrap();
    host.settle(&shared).await;
    let calls: Vec<String> =
        host.engine.calls()[calls..].iter().map(|call| format!("{} {}", call.call, call.done)).collect();
    let first = |call: &str| calls.iter().position(|other| other == call).unwrap_or(usize::MAX);
    assert!(first("stop container true") < first("remove container true"), "{calls:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 db:1 running"]);
}

//! What all services together may use: judged before the first step of an apply. The host has 16 GiB and four CPUs.

use crate::support::{Host, shop};
use evenkeel::model::plan::{HeldCode, NoteCode, Plan};

/// Two services that start first, and what all may use.
fn stack(capacity: &str, wide: &str, busy: &str) -> String {
    format!(
        "
apiVersion: evenkeel.dev/v1
kind: Stack
metadata: {{name: shop}}
spec:
  capacity: {capacity}
  services:
    busy: {{image: 'web:1', restart: always, limits: {busy}}}
    wide: {{image: 'web:1', restart: always, limits: {wide}}}
"
    )
}

fn held(plan: &Plan) -> Vec<(HeldCode, &str)> {
    plan.held.iter().map(|held| (held.code, held.reason.as_str())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_peak_is_that_of_each_quantity() {
    let host = Host::new();
    // With one at a time, at most 576Mi + 512Mi of memory and 2.1 + 2 CPUs.
    let of = |capacity: &str| stack(capacity, "{memory: 512Mi, cpus: 0.1}", "{memory: 64Mi, cpus: 1.5}");
    host.settle(&of("{cpus: 3}")).await;
    let calls = host.engine.mutations();
    let next = of("{cpus: 3}").replace("web:1", "web:2");
    let applied = host.apply(&next).await;
    assert_eq!(applied.exit, 8, "{applied:?}");
    let why = "it takes 3.1 of cpus at its peak, and `capacity.cpus` is 3";
    assert_eq!(held(&host.plan(&next).await), [(HeldCode::OverCapacity, why)]);
    assert_eq!(host.engine.mutations(), calls);
    host.settle(&of("{memory: 1088Mi, cpus: 3.1}").replace("web:1", "web:2")).await;
}

#[tokio::test(start_paused = true)]
async fn replicas_that_are_replaced_all_at_once_surge_all_at_once() {
    let host = Host::new();
    let unit = |capacity: &str| {
        shop("image: web:1", "image: web:1\n      scale: 3\n      limits: {memory: 100Mi}")
            .replace("      depends_on: [db]\n", "")
            .replace(
                "    db:\n      image: db:1\n      restart: unless-stopped\n      volumes: ['data:/data']\n",
                "    side: {image: 'web:1', restart: always, network_mode: 'service:web', limits: {memory: 50Mi}}\n",
            )
            .replace("  services:\n", &format!("  capacity: {{memory: {capacity}}}\n  services:\n"))
    };
    host.settle(&unit("350Mi")).await;
    let next = |capacity: &str| unit(capacity).replace("web:1", "web:2");
    assert_eq!(host.apply(&next("699Mi")).await.exit, 8);
    host.engine.keep_history();
    host.settle(&next("700Mi")).await;
    let most = host.engine.history().iter().map(|seen| seen.containers.len()).max();
    assert_eq!(most, Some(8), "all of them run twice for a while");
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_required_of_memory_and_of_what_is_bounded() {
    let host = Host::new();
    let of = |capacity: &str| stack(capacity, "{memory: 64Mi}", "{cpus: 0.5}");
    let required = of("{memory: 1Gi, cpus: 2, requireLimits: true}");
    assert_eq!(host.apply(&required).await.exit, 8);
    let lacks = |what: &str| format!("`capacity.requireLimits` is set and it has no {what} limit");
    let expected = [("busy", lacks("memory")), ("wide", lacks("CPU"))];
    let plan = host.plan(&required).await;
    let found: Vec<_> = plan.held.iter().map(|held| (held.resource.to_string(), held.reason.clone())).collect();
    assert_eq!(found, expected.map(|(name, reason)| (format!("service/{name}"), reason)));
    host.settle(&stack("{cpus: 2, requireLimits: true}", "{memory: 64Mi, cpus: 1}", "{memory: 64Mi, cpus: 1}")).await;
    host.settle(&stack("{requireLimits: true}", "{memory: 64Mi}", "{memory: 64Mi}")).await;
}

#[tokio::test(start_paused = true)]
async fn what_counts_nothing_against_the_budget_is_noted() {
    let host = Host::new();
    let of = |capacity: &str| stack(capacity, "{memory: 64Mi, pids: 7}", "{cpus: 0.5}");
    let noted = async |capacity: &str| {
        let plan = host.plan(&of(capacity)).await;
        let notes = plan.notes.iter().filter(|note| note.code == NoteCode::NoLimit);
        notes.map(|note| note.text.clone()).collect::<Vec<_>>()
    };
    let text = |name: &str, what: &str| format!("{name}: no {what} limit, so it counts 0 against the capacity");
    assert_eq!(noted("{memory: 1Gi}").await, [text("busy", "memory")]);
    assert_eq!(noted("{cpus: 2}").await, [text("busy", "memory"), text("wide", "CPU")]);
    assert_eq!(noted("{pids: 100}").await, [text("busy", "memory"), text("busy", "process")]);
    let both = stack("{memory: 1Gi}", "{}", "{}");
    let notes = host.plan(&both).await.notes.into_iter().filter(|note| note.code == NoteCode::NoLimit);
    let notes: Vec<(String, String)> = notes.map(|note| (note.text, note.hint.unwrap())).collect();
    let (text, hint) =
        ("busy, wide: no memory limit, so they count 0 against the capacity", "write `services.NAME.limits.memory`");
    assert_eq!(notes, [(text.to_owned(), hint.to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_longer_declared_and_stays_takes_room_on_the_host() {
    let host = Host::new();
    let of = |capacity: &str| stack(capacity, "{memory: 10Gi}", "{memory: 1Gi}");
    host.settle(&of("{memory: 14Gi}")).await;
    let limit = |limit: &str| {
        let all = stack("{memory: 14Gi}", "{}", &format!("{{memory: {limit}}}"));
        all.split_once("    wide:").unwrap().0.to_owned()
    };
    let plan = host.plan(&limit("7Gi")).await;
    let why = "the limits of all containers here come to 17Gi of 16Gi memory";
    assert_eq!(held(&plan), [(HeldCode::OverHost, why)]);
    host.settle(&limit("6Gi")).await;
    // What goes with this apply takes none.
    let pruned = limit("7Gi").replace("  capacity:", "  prune: true\n  capacity:");
    host.settle(&pruned).await;
    assert_eq!(host.containers(), ["shop-busy-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_before_is_gone_back_to_though_the_host_is_full_by_now() {
    use evenkeel::{
        controllers::stack::RestartRequest,
        engine::simulated::Foreign,
        model::{
            container::{ContainerSpec, Limits},
            units::{Bytes, Millis},
        },
    };
    let host = Host::new();
    let of = |image: &str| stack("{memory: 1Gi}", "{memory: 64Mi}", "{memory: 64Mi}").replace("web:1", image);
    host.settle(&of("web:1")).await;
    host.settle(&of("web:2")).await;
    let limits = Limits { memory: Some(Bytes(16 << 30)), ..Limits::default() };
    let spec = ContainerSpec { image: "web:1".into(), limits, ..ContainerSpec::default() };
    host.engine.meddle(&Foreign::Run("theirs".into(), Box::new(spec))).unwrap();
    assert_eq!(host.apply(&of("checked:1")).await.exit, 8);
    let restart = RestartRequest { selected: None, origin: Default::default(), lock_wait: Millis(0) };
    assert_eq!(host.stack().restart(&restart).await.unwrap().exit, 0);
    assert_eq!(host.rollback(&of("web:2"), &[], None).await.exit, 0);
    let ours = ["shop-busy-1 web:1 running", "shop-wide-1 web:1 running", "theirs web:1 running"];
    assert_eq!(host.containers(), ours);
}

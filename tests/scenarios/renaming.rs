//! A service under a new name: what ran under the old one is no longer declared and still there. Never do the two write
//! one volume, or fight for one port.

use crate::support::{Host, SHOP};
use evenkeel::{
    engine::{Containers, simulated::Foreign},
    model::plan::HeldCode,
};

/// `db` is `store` from now on, on the same volume.
fn renamed() -> String {
    SHOP.replace("    db:\n", "    store:\n").replace("depends_on: [db]", "depends_on: [store]")
}

fn pruned(manifest: &str) -> String {
    manifest.replace("  services:\n", "  prune: true\n  services:\n")
}

/// Only its port is its own.
const PROXY: &str = "
apiVersion: evenkeel.dev/v1
kind: Stack
metadata: {name: shop}
spec:
  services:
    proxy: {image: web:1, restart: always, ports: ['8080:80']}
    api: {image: web:1, restart: always}
    other: {image: web:1, restart: always}
";

#[tokio::test(start_paused = true)]
async fn without_prune_nothing_is_done_while_the_old_one_writes_the_volume() {
    let host = Host::new();
    host.settle(SHOP).await;
    let before = host.containers();
    let applied = host.apply(&renamed()).await;
    assert_eq!(applied.exit, 8, "{applied:?}");
    let held = &applied.held[0];
    assert_eq!((held.code, held.resource.to_string()), (HeldCode::InTheWay, "service/store".into()));
    assert_eq!(held.reason, "volume shop_data, which it would write, is written by `shop-db-1`, no longer declared");
    assert_eq!(
        held.hint,
        "`docker stop shop-db-1` makes room, `spec.prune: true` does so by itself, `rollout.sharedVolumes: true` says that both may write"
    );
    assert_eq!(host.containers(), before);

    // Stopped by hand, it is in nobody's way.
    host.engine.meddle(&Foreign::Stop("shop-db-1".into())).unwrap();
    let applied = host.apply(&renamed()).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    assert_eq!(host.containers()[1], "shop-store-1 db:1 running");
}

#[tokio::test(start_paused = true)]
async fn an_apply_of_the_new_name_alone_leaves_the_old_one_its_volume() {
    let host = Host::new();
    host.settle(SHOP).await;
    let before = host.containers();
    for manifest in [renamed(), pruned(&renamed())] {
        let applied = host.try_apply(&manifest, &["store"]).await.unwrap();
        assert_eq!((applied.exit, applied.held[0].code), (8, HeldCode::InTheWay), "{applied:?}");
        assert_eq!(
            applied.held[0].hint,
            "apply the whole manifest, which declares `db` no more: with `spec.prune: true` it makes room by itself, \
             `rollout.sharedVolumes: true` says that both may write"
        );
        assert_eq!(host.containers(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn without_prune_nothing_is_done_while_the_old_one_holds_the_port() {
    let host = Host::new();
    host.settle(PROXY).await;
    let applied = host.apply(&PROXY.replace("    proxy:", "    edge:")).await;
    assert_eq!(applied.exit, 8, "{applied:?}");
    assert_eq!(applied.held[0].reason, "host port 8080 of 80/tcp is held by `shop-proxy-1`, no longer declared");
    assert_eq!(applied.held[0].hint, "`docker stop shop-proxy-1` makes room, `spec.prune: true` does so by itself");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_pruned_though_it_could_be_says_why() {
    let host = Host::new();
    let alone = "    api: {image: web:1, restart: always}\n    other: {image: web:1, restart: always}\n";
    let manifest = pruned(&PROXY.replace(alone, ""));
    host.settle(&manifest).await;
    let applied = host.apply(&manifest.replace("    proxy:", "    edge:")).await;
    let held: Vec<HeldCode> = applied.held.iter().map(|held| held.code).collect();
    assert_eq!((applied.exit, held), (8, vec![HeldCode::InTheWay, HeldCode::PruneRefused]), "{applied:?}");
    let hints: Vec<&str> = applied.held.iter().map(|held| held.hint.as_str()).collect();
    assert_eq!(
        hints,
        [
            "`docker stop shop-proxy-1` makes room; what keeps it from being pruned is held, too",
            "if that is meant, say `--yes`"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn with_prune_the_old_one_is_stopped_first_and_goes_when_the_new_one_is_proven() {
    let host = Host::new();
    host.settle(SHOP).await;
    let next = pruned(&renamed());
    insta::assert_snapshot!(host.diff(&next).await);
    host.settle(&next).await;
    assert_eq!(host.containers(), ["shop-store-1 db:1 running", "shop-web-1 web:1 running"]);
    assert!(host.engine.history().iter().all(|seen| seen.shared_writers().is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_new_name_that_fails_gives_the_old_one_back_and_nobody_prunes_it() {
    let host = Host::new();
    host.settle(PROXY).await;
    let before = host.id_of("shop-proxy-1");
    let next = pruned(&PROXY.replace("    proxy: {image: web:1", "    edge: {image: web:crash"));
    let applied = host.apply(&next).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.id_of("shop-proxy-1"), before);
    assert!(host.containers().contains(&"shop-proxy-1 web:1 running".to_owned()), "{:?}", host.containers());
    let restart = host.engine.inspect_container("shop-proxy-1").await.unwrap().spec.restart;
    assert_eq!(restart, evenkeel::model::container::RestartPolicy::Always);
    // What `run` would do.
    let kept = host.stack().status(None).await.unwrap();
    assert_eq!(kept.drift, [""; 0]);
    let good = next.replace("web:crash", "web:1");
    host.settle(&good).await;
    assert_eq!(host.containers()[1], "shop-edge-1 web:1 running");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_shared_a_volume_before_is_in_nobodys_way() {
    let host = Host::new();
    let both =
        SHOP.replace("    web:\n      image: web:1", "    web:\n      volumes: ['data:/data']\n      image: web:1");
    host.settle(&both).await;
    let alone: String = both.replace("      depends_on: [db]\n", "");
    let without_db =
        alone.replace("    db:\n      image: db:1\n      restart: unless-stopped\n      volumes: ['data:/data']\n", "");
    assert_ne!(alone, without_db);
    let plan = host.plan(&without_db).await;
    assert_eq!(plan.held, []);
    assert_eq!(plan.changes, []);
}

/// Its gate leaves both as they are: the new one runs, so the old one must not be started by anybody.
#[tokio::test(start_paused = true)]
async fn a_new_name_that_is_not_ready_in_time_is_left_and_the_old_one_is_not_started_beside_it() {
    let host = Host::new();
    host.settle(SHOP).await;
    let probe =
        "      probes: {readiness: {http: {port: 80, path: /}}}\n      rollout: {minReady: 1s, deadline: 20s}\n";
    let broken = pruned(&renamed()).replace("      image: db:1\n", &format!("      image: db:broken\n{probe}"));
    let applied = host.apply(&broken).await;
    assert_eq!(applied.exit, 5, "{applied:?}");
    assert!(host.containers().contains(&"shop-db-1 db:1 exited".to_owned()), "{:?}", host.containers());
    let revision = host.home.current().unwrap().unwrap();
    assert!(!revision.desired.services.contains_key(&"db".into()), "{:?}", revision.desired.services.keys());
    // What `run` would do next.
    let status = host.stack().status(None).await.unwrap();
    assert_eq!(status.services.iter().find(|service| service.name.as_str() == "db"), None);
    host.apply(&broken).await;
    // And the way back: the old one takes the new one's place again.
    let back = host.rollback(&broken, &[], None).await;
    assert_eq!(back.exit, 0, "{back:?}");
    assert!(host.containers().contains(&"shop-db-1 db:1 running".to_owned()), "{:?}", host.containers());
    assert!(host.engine.history().iter().all(|seen| seen.shared_writers().is_empty()));
}

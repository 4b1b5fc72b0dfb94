//! Rollouts that fail, and what is there afterwards.

use crate::support::{Host, SHOP, shop};
use evenkeel::{controllers::stack::Request, model::desired::Overrides};

#[tokio::test(start_paused = true)]
async fn an_update_that_is_never_ready_is_taken_back() {
    let host = Host::new();
    let probed = shop(
        "image: web:1",
        "image: web:1\n      probes: {readiness: {http: {port: 80, path: /}}}\n      rollout: {deadline: 20s}",
    );
    host.settle(&probed).await;
    let web = host.id_of("shop-web-1");
    let applied = host.apply(&probed.replace("web:1", "web:broken")).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.id_of("shop-web-1"), web, "the old one never stopped");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    let current = host.home.current().unwrap().unwrap();
    assert_eq!((current.number, current.reason.as_str()), (3, "undone: web"));
    assert!(host.home.evidence_of(&"web".into()).unwrap().is_some());
    host.assert_settled(&probed).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_replica_that_fails_takes_the_first_one_back_too() {
    let host = Host::new();
    let two = shop("image: web:1", "image: web:1\n      deploy: {replicas: 2}");
    host.settle(&two).await;
    // create, start, stop, remove, rename of the first; create, start of the second.
    host.engine.arm([evenkeel::engine::simulated::Fault::Fail(7, evenkeel::engine::ErrorKind::Rejected)]);
    let applied = host.apply(&two.replace("web:1", "web:2")).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running", "shop-web-2 web:1 running"]);
    host.assert_settled(&two).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_proven_replica_wrote_stays_and_what_an_unproven_one_got_goes() {
    use evenkeel::engine::{ErrorKind, Volumes, simulated::Fault};
    let host = Host::new();
    let two = shop("image: web:1", "image: web:1\n      deploy: {replicas: 2}");
    host.settle(&two).await;
    let before = host.engine.list_volumes().await.unwrap().len();
    // Update, stop, rename, create, start, remove of the first; update, stop, rename, create, start of the second.
    host.engine.arm([Fault::Fail(11, ErrorKind::Rejected)]);
    let applied = host.apply(&two.replace("image: web:1", "image: db:2")).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running", "shop-web-2 web:1 running"]);
    // Only the first one's volume without a name is left.
    assert_eq!(host.engine.list_volumes().await.unwrap().len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_crashes_gives_way_to_the_one_before() {
    let host = Host::new();
    host.settle(SHOP).await;
    let db = host.id_of("shop-db-1");
    let applied = host.apply(&shop("image: db:1", "image: web:crash")).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.id_of("shop-db-1"), db);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    host.assert_settled(SHOP).await;
}

#[tokio::test(start_paused = true)]
async fn a_stateful_one_is_not_killed_at_its_deadline() {
    let host = Host::new();
    let probed = shop(
        "image: db:1",
        "image: db:1\n      probes: {readiness: {tcp: {port: 5432}}}\n      rollout: {deadline: 20s}",
    );
    host.settle(&probed).await;
    let db = host.id_of("shop-db-1");
    let broken = probed.replace("db:1", "db:broken");
    let applied = host.apply(&broken).await;
    assert_eq!(applied.exit, 5, "{applied:?}");
    let kept = format!("{}_shop-db-1 db:1 exited", &db[..12]);
    assert_eq!(host.containers(), [kept.as_str(), "shop-db-1 db:broken running", "shop-web-1 web:1 running"]);
    // The next round gates the new one again; a rollback takes it back.
    let applied = host.rollback(&broken, &["db"], None).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    assert_eq!(host.id_of("shop-db-1"), db);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_nothing_else_begins() {
    let host = Host::new();
    let ordered = SHOP.replace("  services:\n", "  rollout: {order: [[db], [web]]}\n  services:\n");
    host.settle(&ordered).await;
    let next = ordered.replace("db:1", "job:broken").replace("web:1", "web:2");
    let web = host.id_of("shop-web-1");
    let applied = host.apply(&next).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.id_of("shop-web-1"), web);
    assert!(applied.left.iter().any(|left| left == "web: not begun"), "{:?}", applied.left);
    host.assert_settled(&ordered).await;
}

#[tokio::test(start_paused = true)]
async fn rollback_stack_takes_all_of_them_back() {
    let host = Host::new();
    let ordered =
        SHOP.replace("  services:\n", "  rollout: {order: [[db], [web]], onFailure: rollbackStack}\n  services:\n");
    host.settle(&ordered).await;
    let next = ordered.replace("db:1", "db:2").replace("web:1", "web:crash");
    let applied = host.apply(&next).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    host.assert_settled(&ordered).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_is_held_until_the_declaration_changes() {
    let host = Host::new();
    host.settle(SHOP).await;
    let next = shop("image: web:1", "image: web:2");
    host.settle(&next).await;
    let applied = host.rollback(&next, &[], None).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);

    let applied = host.apply(&next).await;
    assert_eq!(applied.exit, 9, "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);

    let applied = host.try_apply(&next, &["web"]).await.unwrap();
    assert_eq!(applied.exit, 0, "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:2 running"]);
    host.settle(&next).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_was_rolled_back_keeps_its_network() {
    use evenkeel::{controllers::stack::RestartRequest, engine::simulated::Foreign, model::units::Millis};
    let host = Host::new();
    let next = SHOP.replace("  services:\n", "  prune: true\n  services:\n");
    let from = next
        .replace("image: web:1", "image: web:1\n      networks: [default, back]")
        .replace("  volumes: {data: {}}", "  networks: {back: {}}\n  volumes: {data: {}}");
    host.settle(&from).await;
    host.settle(&next).await;
    let request = evenkeel::controllers::stack::RollbackRequest {
        selected: None,
        to: None,
        declared: evenkeel::model::desired::Desired::empty("shop".into()),
        origin: Default::default(),
        lock_wait: Millis(0),
    };
    assert_eq!(host.stack().rollback(&request).await.unwrap().exit, 0);
    // The engine says that nothing is attached to a network while what is on it is stopped.
    host.engine.meddle(&Foreign::Stop("shop-web-1".into())).unwrap();
    assert_eq!(host.apply(&next).await.exit, 9);
    let restart = RestartRequest { selected: None, origin: Default::default(), lock_wait: Millis(0) };
    assert_eq!(host.stack().restart(&restart).await.unwrap().exit, 0);
    // And when both are gone, they are made anew.
    host.remove("shop-web-1");
    host.engine.meddle(&Foreign::RemoveNetwork("shop_back".into())).unwrap();
    let restarted = host.stack().restart(&restart).await.unwrap();
    assert_eq!(restarted.exit, 0, "{restarted:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn an_apply_of_another_service_does_not_end_a_hold() {
    let host = Host::new();
    host.settle(SHOP).await;
    let next = shop("image: web:1", "image: web:2");
    host.settle(&next).await;
    assert_eq!(host.rollback(&next, &["web"], None).await.exit, 0);
    let both = next.replace("db:1", "db:2");
    assert_eq!(host.try_apply(&both, &["db"]).await.unwrap().exit, 0);
    assert_eq!(host.apply(&both).await.exit, 9);
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_ends_where_the_rollback_took_what_was_left_out_of_the_declaration() {
    let host = Host::new();
    host.settle(SHOP).await;
    let images = [("web".into(), "web:2".into())].into();
    let overrides = Overrides { images, ..Overrides::default() };
    let (desired, notes) = host.load_with(SHOP, overrides.clone(), Overrides::default());
    let request = Request { desired: desired.into(), overrides, notes, ..host.request(SHOP, &[]) };
    assert_eq!(host.stack().apply(&request).await.unwrap().exit, 0);
    assert_eq!(host.rollback(SHOP, &["web"], None).await.exit, 0);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    let held = async || host.stack().status(None).await.unwrap().services.iter().any(|one| one.held.is_some());
    assert!(held().await);
    // The image came from the command line and went with it: what the manifest declares was never left.
    let applied = host.apply(SHOP).await;
    assert_eq!((applied.exit, applied.rounds.len(), applied.revision), (0, 0, Some(3)));
    assert!(!held().await);
}

#[tokio::test(start_paused = true)]
async fn an_old_one_is_not_started_beside_a_new_one_that_could_not_be_removed() {
    use evenkeel::engine::{ErrorKind, simulated::Fault};
    let host = Host::new();
    let hooked = shop("image: db:1", "image: db:1\n      post_start: [{command: ['true']}]");
    host.settle(&hooked).await;
    let db = host.id_of("shop-db-1");
    host.engine.keep_history();
    // Update, stop, rename, create, start and the hook of the new one; then it can't be removed.
    host.engine.arm([Fault::Fail(7, ErrorKind::Rejected)]);
    let applied = host.apply(&hooked.replace("db:1", "db:2").replace("['true']", "['false']")).await;
    assert_eq!(applied.exit, 5, "{applied:?}");
    let two = host.engine.history().into_iter().find(|seen| !seen.shared_writers().is_empty());
    assert!(two.is_none(), "two write at once: {two:?}");
    host.settle(&hooked).await;
    assert_eq!(host.id_of("shop-db-1"), db);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn what_writes_data_is_asked_to_stop_before_it_is_taken_back() {
    let host = Host::new();
    let hooked = shop("image: db:1", "image: db:1\n      post_start: [{command: ['true']}]");
    host.settle(&hooked).await;
    let calls = host.engine.calls().len();
    let applied = host.apply(&hooked.replace("db:1", "db:2").replace("['true']", "['false']")).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    let calls: Vec<String> = host.engine.calls()[calls..].iter().map(|call| call.call.to_owned()).collect();
    let at = |call: &str| calls.iter().rposition(|other| other.starts_with(call)).unwrap();
    assert!(
        at("stop container") < at("remove container") && at("create container") < at("stop container"),
        "{calls:?}"
    );
    host.assert_settled(&hooked).await;
}

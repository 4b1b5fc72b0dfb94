//! A stack that runs, and a manifest that says otherwise.

use crate::support::{Host, SHOP, shop};
use evenkeel::engine::simulated::{Fault, Foreign};

#[tokio::test(start_paused = true)]
async fn a_stateless_service_is_replaced_without_a_gap() {
    let host = Host::new();
    host.settle(SHOP).await;
    let next = shop("image: web:1", "image: web:2").replace("LOG_LEVEL: info", "LOG_LEVEL: debug");
    insta::assert_snapshot!(host.diff(&next).await);
    host.engine.keep_history();
    host.settle(&next).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:2 running"]);
    let gap = host.engine.history().iter().any(|seen| {
        !seen.containers.iter().any(|container| container.service == Some("web".into()) && container.ready)
    });
    assert!(!gap, "at some moment no web was ready");
}

#[tokio::test(start_paused = true)]
async fn a_service_with_a_volume_is_stopped_first_and_two_never_write() {
    let host = Host::new();
    host.settle(SHOP).await;
    let next = shop("image: db:1", "image: db:2");
    insta::assert_snapshot!(host.diff(&next).await);
    host.engine.keep_history();
    host.settle(&next).await;
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:1 running"]);
    for seen in host.engine.history() {
        let writers = seen.containers.iter().filter(|container| {
            container.service == Some("db".into()) && container.status == evenkeel::model::observed::Status::Running
        });
        assert!(writers.count() <= 1, "two write at once: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_change_in_place() {
    let host = Host::new();
    let limited = shop("image: web:1", "image: web:1\n      mem_limit: 64m\n      pids_limit: 50");
    host.settle(&limited).await;
    let (web, db) = (host.id_of("shop-web-1"), host.id_of("shop-db-1"));
    let more = limited.replace("64m", "128m").replace("50", "100");
    insta::assert_snapshot!(host.diff(&more).await);
    host.settle(&more).await;
    assert_eq!((host.id_of("shop-web-1"), host.id_of("shop-db-1")), (web.clone(), db));

    // A limit can't be taken away in place.
    host.settle(SHOP).await;
    assert_ne!(host.id_of("shop-web-1"), web);
}

#[tokio::test(start_paused = true)]
async fn replicas_are_replaced_one_by_one() {
    let host = Host::new();
    let three = shop("image: web:1", "image: web:1\n      deploy: {replicas: 3}");
    host.settle(&three).await;
    host.engine.keep_history();
    let next = three.replace("web:1", "web:2");
    insta::assert_snapshot!(host.diff(&next).await);
    host.settle(&next).await;
    for seen in host.engine.history() {
        let ready =
            seen.containers.iter().filter(|container| container.service == Some("web".into()) && container.ready);
        assert!(ready.count() >= 3, "fewer than three ready: {seen:?}");
    }
    // Fewer: the highest numbers go.
    host.settle(&next.replace("replicas: 3", "replicas: 1")).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:2 running"]);
}

#[tokio::test(start_paused = true)]
async fn recreate_treats_all_replicas_at_once() {
    let host = Host::new();
    let with_policy =
        shop("image: web:1", "image: web:1\n      deploy: {replicas: 2}\n      rollout: {strategy: recreate}");
    host.settle(&with_policy).await;
    insta::assert_snapshot!(host.diff(&with_policy.replace("web:1", "web:2")).await);
    host.settle(&with_policy.replace("web:1", "web:2")).await;
}

#[tokio::test(start_paused = true)]
async fn an_update_rolls_only_what_is_named() {
    let host = Host::new();
    host.settle(SHOP).await;
    let db = host.id_of("shop-db-1");
    let next = shop("image: web:1", "image: web:2").replace("db:1", "db:2");
    let applied = host.try_apply(&next, &["web"]).await.unwrap();
    assert_eq!(applied.exit, 0, "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:2 running"]);
    assert_eq!(host.id_of("shop-db-1"), db);
    let current = host.home.current().unwrap().unwrap();
    assert_eq!(current.desired.services[&"db".into()].container.image.as_str(), "db:1");
    assert_eq!(current.desired.services[&"web".into()].container.image.as_str(), "web:2");
}

#[tokio::test(start_paused = true)]
async fn drift_is_seen_and_repaired_without_a_new_revision() {
    use evenkeel::engine::simulated::Foreign;
    let host = Host::new();
    host.settle(SHOP).await;
    let meddle = |action: Foreign| host.engine.meddle(&action).unwrap();
    let limits = evenkeel::model::container::Limits { pids: Some(7), ..Default::default() };
    meddle(Foreign::Update("shop-web-1".into(), Box::new(limits), None));
    meddle(Foreign::Disconnect("shop-web-1".into(), "shop_default".into()));
    meddle(Foreign::Rename("shop-web-1".into(), "other".into()));
    meddle(Foreign::Stop("shop-db-1".into()));
    insta::assert_snapshot!(host.diff(SHOP).await);
    host.settle(SHOP).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    assert_eq!(host.home.current().unwrap().unwrap().number, 1);
}

#[tokio::test(start_paused = true)]
async fn a_declared_start_first_never_makes_two_write_one_volume() {
    let host = Host::new();
    let declared = shop("image: db:1", "image: db:1\n      rollout: {strategy: startFirst}");
    host.settle(&declared).await;
    host.engine.keep_history();
    let plan = host.diff(&declared.replace("db:1", "db:2")).await;
    assert!(plan.contains("stop-first: start-first is declared, but only one may write /data"), "{plan}");
    host.settle(&declared.replace("db:1", "db:2")).await;
    assert!(host.engine.history().iter().all(|seen| seen.shared_writers().is_empty()));
}

#[tokio::test(start_paused = true)]
async fn an_old_one_that_somebody_starts_again_never_writes_beside_the_new_one() {
    let mut host = Host::new();
    host.settle(SHOP).await;
    let old = host.id_of("shop-db-1");
    host.engine.keep_history();
    let next = shop("image: db:1", "image: db:2");
    let request = host.request(&next, &[]);
    // It is stopped, and about to be renamed.
    let hand = Fault::Meddle(3, Foreign::Restart("shop-db-1".into()));
    let applied = host.apply_with(&request, [hand], false).await.unwrap().unwrap();
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert!(format!("{:?}", applied.left).contains("was started again"), "{:?}", applied.left);
    assert_eq!(host.id_of("shop-db-1"), old);
    host.settle(&next).await;
    assert!(host.engine.history().iter().all(|seen| seen.shared_writers().is_empty()));
}

#[tokio::test(start_paused = true)]
async fn what_was_secret_is_not_shown_when_something_plain_takes_its_place() {
    let host = Host::new();
    let secret = shop("LOG_LEVEL: info", "CACHE: 'redis://:hunter2@cache', LOG_LEVEL: info");
    host.settle(&secret).await;
    let plain = secret.replace("redis://:hunter2@cache", "redis://cache");
    let diff = host.diff(&plain).await;
    assert!(diff.contains("CACHE") && diff.contains("redis://cache") && !diff.contains("hunter2"), "{diff}");
}

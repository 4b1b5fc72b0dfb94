//! `rollback`: where each service goes, and what stays where it is.

use crate::support::{Host, SHOP, shop};
use evenkeel::{
    controllers::stack::{BuildWish, Request, RestartRequest, SuspendRequest, Wish},
    model::{names::ServiceName, units::Millis},
};
use std::collections::BTreeSet;

#[tokio::test(start_paused = true)]
async fn of_the_whole_stack_leaves_what_the_last_good_revision_had_already() {
    let host = Host::new();
    host.settle(SHOP).await;
    let db_2 = shop("image: db:1", "image: db:2");
    host.settle(&db_2).await;
    let both = db_2.replace("image: web:1", "image: web:2");
    host.settle(&both).await;
    let db = host.id_of("shop-db-1");
    let applied = host.rollback(&both, &[], None).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:1 running"]);
    assert_eq!(host.id_of("shop-db-1"), db);
    assert_eq!(holds(&host), ["web"]);
    // What was left passed its gates too, and is the newest one that is another now.
    assert_eq!(host.rollback(&both, &[], None).await.exit, 0);
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:2 running"]);
    assert_eq!(holds(&host), [""; 0], "it is as it is declared");
    host.settle(&both).await;
}

fn holds(host: &Host) -> Vec<String> {
    host.home.facts().unwrap().holds.into_keys().map(|name| name.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn to_a_revision_holds_what_it_moves_and_nothing_else() {
    let host = Host::new();
    host.settle(SHOP).await;
    let next = shop("image: web:1", "image: web:2");
    host.settle(&next).await;
    assert_eq!(host.rollback(&next, &[], Some(1)).await.exit, 0);
    assert_eq!(holds(&host), ["web"]);
    // The same again changes nothing, and what is declared is held still.
    assert_eq!(host.rollback(&next, &[], Some(1)).await.exit, 0);
    assert_eq!(holds(&host), ["web"]);
    assert_eq!(host.apply(&next).await.exit, 9);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn further_back_holds_what_is_declared_still() {
    let host = Host::new();
    host.settle(SHOP).await;
    host.settle(&shop("image: web:1", "image: web:2")).await;
    let last = shop("image: web:1", "image: checked:1");
    host.settle(&last).await;
    assert_eq!(host.rollback(&last, &["web"], None).await.exit, 0);
    assert_eq!(host.rollback(&last, &["web"], Some(1)).await.exit, 0);
    assert_eq!(host.apply(&last).await.exit, 9);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    host.settle(&last.replace("checked:1", "web:2")).await;
}

#[tokio::test(start_paused = true)]
async fn takes_the_image_that_it_had_though_its_tag_names_another_by_now() {
    use evenkeel::engine::simulated::Behaviour;
    let host = Host::new();
    host.settle(SHOP).await;
    let first = images(&host);
    let next = shop("image: web:1", "image: web:2");
    host.settle(&next).await;
    host.engine.add_image("web:1", Default::default(), Behaviour::ready_after(Millis(300)));
    assert_eq!(host.rollback(&next, &["web"], None).await.exit, 0);
    assert_eq!(images(&host), first);
}

#[tokio::test(start_paused = true)]
async fn of_the_whole_stack_goes_past_what_never_passed_its_gates() {
    let host = Host::new();
    host.settle(SHOP).await;
    let broken = shop("image: db:1", "image: db:2").replace("image: web:1", "image: web:crash");
    assert_eq!(host.apply(&broken).await.exit, 4);
    let next = shop("image: db:1", "image: db:2").replace("image: web:1", "image: web:2");
    host.settle(&next).await;
    assert_eq!(host.rollback(&next, &[], None).await.exit, 0);
    assert_eq!(host.containers()[1], "shop-web-1 web:1 running");
}

/// Two services of one image, which one of them builds.
const SHARING: &str = "
apiVersion: evenkeel.dev/v1
kind: Stack
metadata: {name: shop}
spec:
  defaults: {rollout: {minReady: 0s}}
  services:
    web: {image: 'app:latest', build: {context: /src}, restart: always}
    worker: {image: 'app:latest', restart: always}
";

/// The image of each service's container.
fn images(host: &Host) -> Vec<String> {
    let seen = host.engine.snapshot().containers;
    let mut images: Vec<(String, String)> =
        seen.iter().map(|seen| (seen.name.to_string(), seen.image.to_string())).collect();
    images.sort();
    images.into_iter().map(|(_, image)| image).collect()
}

fn built(host: &Host) -> Request {
    Request { build: BuildWish::Services(BTreeSet::from(["web".into()])), ..host.request(SHARING, &[]) }
}

/// Nothing is left to do for who keeps the current revision.
async fn is_kept(host: &Host) -> bool {
    let status = host.stack().status(None).await.unwrap();
    status.drift.is_empty() && status.services.iter().all(|service| service.drift.is_empty())
}

/// The web service's image, where it has another than at first and the worker has not.
#[track_caller]
fn only_web_is_new(host: &Host, first: &[String]) -> String {
    let images = images(host);
    assert_eq!((images[0] != first[0], images[1] == first[1]), (true, true), "{images:?}");
    images[0].clone()
}

/// It stays so until an apply gives both what is declared.
async fn both_become(host: &Host, image: &str) {
    assert!(is_kept(host).await, "{:?}", host.stack().status(None).await);
    host.settle(SHARING).await;
    assert_eq!(images(host), [image, image]);
}

#[tokio::test(start_paused = true)]
async fn of_one_service_leaves_another_of_the_same_image_where_it_is() {
    let host = Host::new();
    host.settle(SHARING).await;
    let first = images(&host);
    assert_eq!(host.stack().apply(&built(&host)).await.unwrap().exit, 0);
    let second = images(&host);
    assert_eq!((second[0] == second[1], second[0] == first[0]), (true, false));
    let applied = host.rollback(SHARING, &["web"], None).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    assert_eq!(images(&host), [first[0].clone(), second[1].clone()]);
    assert!(is_kept(&host).await, "{:?}", host.stack().status(None).await);
    let restart = RestartRequest { selected: None, origin: Default::default(), lock_wait: Millis(0) };
    assert_eq!(host.stack().restart(&restart).await.unwrap().exit, 0);
    assert_eq!(images(&host), [first[0].clone(), second[1].clone()]);
    assert_eq!(host.apply(SHARING).await.exit, 9);
    assert_eq!(images(&host), [first[0].clone(), second[1].clone()]);
    // And where both go back, both have it by its name again.
    assert_eq!(host.rollback(SHARING, &["worker"], None).await.exit, 0);
    assert_eq!(images(&host), first);
    assert!(is_kept(&host).await);
}

#[tokio::test(start_paused = true)]
async fn a_paused_service_keeps_its_image_when_another_of_the_same_gets_a_new_one() {
    let host = Host::new();
    host.settle(SHARING).await;
    let first = images(&host);
    let pause = SuspendRequest {
        wish: Wish::Pause,
        selected: Some([ServiceName::from("worker")].into()),
        lasts: None,
        origin: Default::default(),
        lock_wait: Millis(0),
    };
    host.stack().suspend(&pause).await.unwrap();
    let applied = host.stack().apply(&built(&host)).await.unwrap();
    assert_eq!(applied.exit, 9, "{applied:?}");
    let second = only_web_is_new(&host, &first);
    let resume = SuspendRequest { wish: Wish::Resume, ..pause };
    host.stack().suspend(&resume).await.unwrap();
    both_become(&host, &second).await;
}

#[tokio::test(start_paused = true)]
async fn an_apply_of_one_service_leaves_another_of_the_same_image_where_it_is() {
    let host = Host::new();
    host.settle(SHARING).await;
    let first = images(&host);
    let request = Request { selected: Some([ServiceName::from("web")].into()), ..built(&host) };
    let applied = host.stack().apply(&request).await.unwrap();
    assert_eq!(applied.exit, 0, "{applied:?}");
    let second = only_web_is_new(&host, &first);
    both_become(&host, &second).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_service_takes_what_shares_its_namespaces_to_the_image_that_it_had() {
    let host = Host::new();
    let unit = SHARING.replace("worker: {", "side: {network_mode: 'service:web', ");
    host.settle(&unit).await;
    let first = images(&host);
    let request = Request { build: BuildWish::Services(BTreeSet::from(["web".into()])), ..host.request(&unit, &[]) };
    assert_eq!(host.stack().apply(&request).await.unwrap().exit, 0);
    assert_eq!(host.rollback(&unit, &["web"], None).await.exit, 0);
    assert_eq!(images(&host), first);
    assert!(is_kept(&host).await);
}

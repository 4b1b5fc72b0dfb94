//! What can be asked afterwards: who did what and why, and what is there beside what is declared.

use crate::support::{Host, SHOP, shop};
use evenkeel::{
    controllers::stack::{DownRequest, Request, RestartRequest},
    engine::{Networks, simulated::Foreign},
    home::EventQuery,
    model::{event::EventKind, revision::Origin, units::Millis},
};

fn because(reason: &str) -> Origin {
    Origin { actor: "ann".into(), reason: Some(reason.to_owned()), ..Origin::default() }
}

/// What began, as the events say, the newest last.
fn begun(host: &Host) -> Vec<String> {
    let events = host.home.events(&EventQuery::default()).unwrap();
    events.into_iter().filter(|event| event.kind == EventKind::ApplyStarted).map(|event| event.text).collect()
}

#[tokio::test(start_paused = true)]
async fn why_something_was_asked_for_is_in_the_revision_and_the_events() {
    let host = Host::new();
    let request = Request { origin: because("a first try"), ..host.request(SHOP, &[]) };
    assert_eq!(host.stack().apply(&request).await.unwrap().exit, 0);
    assert_eq!(host.home.current().unwrap().unwrap().by, because("a first try"));

    let request =
        RestartRequest { selected: Some(["web".into()].into()), origin: because("it leaks"), lock_wait: Millis(0) };
    assert_eq!(host.stack().restart(&request).await.unwrap().exit, 0);
    let request = DownRequest {
        desired: host.load(SHOP).0,
        volumes: false,
        origin: because("no longer needed"),
        lock_wait: Millis(0),
    };
    assert_eq!(host.stack().down(&request).await.unwrap().exit, 0);
    assert_eq!(host.home.current().unwrap().unwrap().by, because("no longer needed"));
    assert_eq!(
        begun(&host),
        ["apply by ann: a first try", "restart web by ann: it leaks", "down by ann: no longer needed"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_back_does_not_say_why_it_was_asked_for() {
    let host = Host::new();
    host.settle(SHOP).await;
    let broken = shop("image: web:1", "image: web:crash");
    let request = Request { origin: because("faster"), ..host.request(&broken, &[]) };
    assert_eq!(host.stack().apply(&request).await.unwrap().exit, 4);
    let reasons: Vec<_> = host.home.list().unwrap().into_iter().map(|made| (made.reason, made.by.reason)).collect();
    let expected = [("undone: web", None), ("apply", Some("faster")), ("apply", None)];
    assert_eq!(reasons, expected.map(|(what, why)| (what.to_owned(), why.map(str::to_owned))));
}

#[tokio::test(start_paused = true)]
async fn status_shows_what_is_no_longer_declared_and_what_was_connected_by_hand() {
    let host = Host::new();
    host.settle(SHOP).await;
    let without_db = SHOP.split("    db:\n").next().unwrap().replace("      depends_on: [db]\n", "");
    host.settle(&without_db).await;
    host.engine.create_network(&"debug".into(), &Default::default()).await.unwrap();
    host.engine.meddle(&Foreign::Connect("shop-web-1".into(), "debug".into())).unwrap();

    let status = host.stack().status(None).await.unwrap();
    assert!(status.converged && status.drift.is_empty() && status.held.is_empty(), "{status:?}");
    let shown: Vec<_> = status.services.iter().map(|service| (service.name.as_str(), &service.containers)).collect();
    let [("web", web)] = shown.as_slice() else { panic!("{status:?}") };
    assert_eq!(web[0].connected_by_hand, ["debug".into()].into());
    assert_eq!((status.not_declared.len(), status.not_declared[0].name.as_str()), (1, "db"));
    assert_eq!(status.not_declared[0].containers[0].name, "shop-db-1".into());
}

#[tokio::test(start_paused = true)]
async fn before_the_first_apply_there_is_nothing_to_restart_and_the_hint_says_what_to_do() {
    let host = Host::new();
    let request = RestartRequest { selected: None, origin: Origin::default(), lock_wait: Millis(0) };
    let error = host.stack().restart(&request).await.unwrap_err();
    assert_eq!(error.to_string(), "stack `shop` has no revision yet");
    assert_eq!(error.hint().as_deref(), Some("`evenkeel apply` makes the first"));
}

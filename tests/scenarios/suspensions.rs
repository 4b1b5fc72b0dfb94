//! `pause`, `resume`, `stop`, `start`: what is written down, for whom, and what contradicts what.

use crate::support::{Host, SHOP, shop};
use evenkeel::{
    controllers::stack::{Applied, RollbackRequest, StackError, SuspendRequest, Wish},
    home::{EventQuery, NewRevision},
    model::{
        event::{Event, EventKind},
        names::{DesiredHash, ServiceName},
        revision::{Origin, SuspensionKind},
        units::Millis,
    },
};

async fn wish(host: &Host, wish: Wish, services: &[&str]) -> Result<Applied, StackError> {
    let named = services.iter().map(|name| ServiceName::from(*name)).collect();
    host.stack().suspend(&request(wish, Some(named))).await
}

fn request(wish: Wish, selected: Option<std::collections::BTreeSet<ServiceName>>) -> SuspendRequest {
    SuspendRequest {
        wish,
        selected,
        lasts: None,
        origin: Origin { actor: "ann".into(), ..Origin::default() },
        lock_wait: Millis(0),
    }
}

fn suspended(host: &Host) -> Vec<(String, SuspensionKind)> {
    let suspensions = host.home.facts().unwrap().suspensions;
    suspensions.into_iter().map(|(name, suspension)| (name.to_string(), suspension.kind)).collect()
}

fn told(host: &Host) -> Vec<String> {
    let events = host.home.events(&EventQuery { since: Some(0), ..EventQuery::default() }).unwrap();
    let of_suspensions = |event: &&Event| matches!(event.kind, EventKind::Suspended | EventKind::Resumed);
    let words = |event: &Event| format!("{} {}", event.service.as_ref().unwrap(), event.text);
    events.iter().filter(of_suspensions).map(words).collect()
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_written_down_and_told_and_ends_by_a_word() {
    let host = Host::new();
    host.settle(SHOP).await;
    let before = host.containers();
    let mut pause = request(Wish::Pause, Some([ServiceName::from("web")].into()));
    pause.lasts = Some(Millis::minutes(60));
    pause.origin.reason = Some("looking at a leak".into());
    let applied = host.stack().suspend(&pause).await.unwrap();
    assert_eq!((applied.exit, applied.rounds.len()), (0, 0));
    let suspension = host.home.facts().unwrap().suspensions[&ServiceName::from("web")].clone();
    assert_eq!(suspension.until, Some(suspension.since.plus(Millis::minutes(60))));
    assert_eq!((suspension.actor.as_str(), suspension.reason.as_deref()), ("ann", Some("looking at a leak")));
    let status = host.stack().status(None).await.unwrap();
    let shown = status.services.iter().map(|service| service.suspension.clone());
    assert_eq!(shown.collect::<Vec<_>>(), [None, Some(suspension.clone())]);
    tokio::time::advance(Millis::minutes(60).duration()).await;
    let status = host.stack().status(None).await.unwrap();
    assert!(status.services.iter().all(|service| service.suspension.is_none()), "its time is over");

    wish(&host, Wish::Pause, &["web"]).await.unwrap();
    let resumed = wish(&host, Wish::Resume, &["web", "db"]).await.unwrap();
    let what: Vec<_> = resumed.suspended.iter().map(|one| format!("{} {}", one.service, one.what)).collect();
    assert_eq!(what, ["db was not paused", "web resumed"]);
    assert_eq!(suspended(&host), []);
    assert_eq!(host.containers(), before);
    let until = suspension.until.unwrap();
    let expected = [
        format!("web paused by ann until {until}: looking at a leak"),
        "web paused by ann".into(),
        "web resumed by ann".into(),
    ];
    assert_eq!(told(&host), expected);
}

#[tokio::test(start_paused = true)]
async fn a_stop_is_ended_by_a_start() {
    let host = Host::new();
    host.settle(SHOP).await;
    assert_eq!(wish(&host, Wish::Stop, &["web"]).await.unwrap().suspended[0].what, "stopped");
    assert_eq!(suspended(&host), [("web".to_owned(), SuspensionKind::Stopped)]);
    assert_eq!(wish(&host, Wish::Start, &["web"]).await.unwrap().suspended[0].what, "started");
    assert_eq!(suspended(&host), []);
    assert_eq!(wish(&host, Wish::Start, &["web"]).await.unwrap().suspended[0].what, "was not stopped");
    host.assert_settled(SHOP).await;
}

#[tokio::test(start_paused = true)]
async fn what_contradicts_is_refused_and_nothing_is_done() {
    let host = Host::new();
    host.settle(SHOP).await;
    wish(&host, Wish::Stop, &["web"]).await.unwrap();
    let refused = |error: StackError| format!("{} {error}; {}", error.exit(), error.hint().unwrap());
    for verb in [Wish::Pause, Wish::Resume] {
        let error = wish(&host, verb, &["db", "web"]).await.unwrap_err();
        assert_eq!(refused(error), "2 `web` is stopped; `evenkeel start web` starts it");
    }
    wish(&host, Wish::Pause, &["db"]).await.unwrap();
    let error = wish(&host, Wish::Start, &["web", "db"]).await.unwrap_err();
    assert_eq!(refused(error), "2 `db` is paused, not stopped; `evenkeel resume db` ends the pause");
    let both = [("db".to_owned(), SuspensionKind::Paused), ("web".to_owned(), SuspensionKind::Stopped)];
    assert_eq!(suspended(&host), both);
    let error = wish(&host, Wish::Pause, &["wbe"]).await.unwrap_err();
    assert_eq!(refused(error), "2 there is no service `wbe`; did you mean `web`?");
}

#[tokio::test(start_paused = true)]
async fn all_means_those_of_which_it_can_be_wished() {
    let host = Host::new();
    assert!(matches!(host.stack().suspend(&request(Wish::Pause, None)).await, Err(StackError::NothingApplied(_))));
    host.settle(SHOP).await;
    wish(&host, Wish::Stop, &["web"]).await.unwrap();
    host.stack().suspend(&request(Wish::Pause, None)).await.unwrap();
    let both = [("db".to_owned(), SuspensionKind::Paused), ("web".to_owned(), SuspensionKind::Stopped)];
    assert_eq!(suspended(&host), both);
    host.stack().suspend(&request(Wish::Resume, None)).await.unwrap();
    assert_eq!(suspended(&host), [("web".to_owned(), SuspensionKind::Stopped)]);
    host.stack().suspend(&request(Wish::Start, None)).await.unwrap();
    assert_eq!(suspended(&host), []);
}

#[tokio::test(start_paused = true)]
async fn a_resume_ends_what_a_rollback_holds() {
    let host = Host::new();
    host.settle(SHOP).await;
    host.settle(&shop("image: web:1", "image: web:2")).await;
    let rollback = RollbackRequest {
        selected: None,
        to: None,
        origin: Origin { actor: "ann".into(), ..Origin::default() },
        lock_wait: Millis(0),
        declared: host.load(SHOP).0,
    };
    assert_eq!(host.stack().rollback(&rollback).await.unwrap().exit, 0);
    assert_eq!(host.home.facts().unwrap().holds.len(), 1);
    assert_eq!(wish(&host, Wish::Resume, &["web"]).await.unwrap().suspended[0].what, "resumed");
    assert_eq!(host.home.facts().unwrap().holds.len(), 0);
}

/// A revision whose gates nobody passed does not become good because its service no longer runs.
#[tokio::test(start_paused = true)]
async fn what_is_stopped_is_not_proven() {
    let host = Host::new();
    host.settle(SHOP).await;
    let web = ServiceName::from("web");
    let current = host.home.current().unwrap().unwrap();
    let (mut desired, mut hashes) = (current.desired, current.hashes);
    desired.services.get_mut(&web).unwrap().rollout.min_ready = Millis::seconds(7);
    hashes.insert(web.clone(), DesiredHash::new("other"));
    let (made, by, images, reason) = (current.made, current.by, current.images, "apply".to_owned());
    let new = NewRevision {
        made,
        by,
        reason,
        desired,
        images,
        hashes,
        hold: Default::default(),
        release: Default::default(),
    };
    host.home.make_current(new).unwrap();
    assert_eq!(wish(&host, Wish::Stop, &["web"]).await.unwrap().exit, 0);
    assert_eq!(host.home.current().unwrap().unwrap().services.get(&web), None);
}

#[tokio::test(start_paused = true)]
async fn a_paused_service_that_is_no_longer_declared_is_left_alone_until_the_pause_ends() {
    let host = Host::new();
    let all = SHOP.replace("  services:\n", "  prune: true\n  services:\n").replace("      depends_on: [db]\n", "");
    host.settle(&all).await;
    let before = host.containers();
    wish(&host, Wish::Pause, &["web"]).await.unwrap();
    let (head, rest) = (all.split_once("    web:").unwrap().0, all.split_once("    db:").unwrap().1);
    let without = format!("{head}    db:{rest}");
    let applied = host.apply(&without).await;
    assert_eq!((applied.exit, applied.held[0].code.as_str()), (9, "paused"), "{applied:?}");
    assert_eq!(host.containers(), before);
    assert!(host.home.current().unwrap().unwrap().desired.services.contains_key(&ServiceName::from("web")));
    wish(&host, Wish::Resume, &["web"]).await.unwrap();
    host.settle(&without).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running"]);
}

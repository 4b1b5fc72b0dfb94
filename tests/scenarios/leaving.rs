//! `leave`: nothing that runs is touched, nothing of evenkeel's is left on the engine, and one can come back.

use crate::support::{Host, SHOP, shop};
use evenkeel::{
    controllers::stack::{Applied, LeaveRequest, StackError},
    engine::{Images, Volumes},
    home::Identity,
    model::{plan::HeldCode, revision::Origin, units::Millis},
};
use std::sync::Arc;

async fn leave(host: &Host) -> Result<Applied, StackError> {
    let origin = Origin { actor: "ann".into(), ..Origin::default() };
    host.stack().leave(&LeaveRequest { origin, lock_wait: Millis(0) }).await
}

async fn on_engine(host: &Host) -> (Vec<String>, Vec<String>) {
    let tags = host.engine.list_tags().await.unwrap().into_keys().map(|tag| tag.to_string());
    let volumes = host.engine.list_volumes().await.unwrap().into_iter().map(|volume| volume.name.to_string());
    (
        tags.filter(|tag| tag.starts_with("evenkeel.local/")).collect(),
        volumes.filter(|name| name.starts_with("evenkeel_home_")).collect(),
    )
}

#[tokio::test(start_paused = true)]
async fn what_runs_is_left_and_nothing_of_ours() {
    let host = Host::new();
    host.settle(SHOP).await;
    let manifest = shop("web:1", "web:2");
    host.settle(&manifest).await;
    let before = (host.containers(), host.id_of("shop-web-1"), host.id_of("shop-db-1"));
    let (tags, volumes) = on_engine(&host).await;
    assert_eq!((tags.len(), volumes.len()), (3, 1), "{tags:?}");

    let applied = leave(&host).await.unwrap();
    assert_eq!((applied.exit, applied.revision, applied.left.len()), (0, Some(3), 0));
    assert_eq!((host.containers(), host.id_of("shop-web-1"), host.id_of("shop-db-1")), before);
    assert_eq!(on_engine(&host).await, (vec![], vec![]));
    assert!(host.home.current().unwrap().unwrap().desired.services.is_empty());
    assert_eq!(leave(&host).await.unwrap().exit, 0, "twice is no error");

    let back = host.settle(&manifest).await;
    assert!(back.rounds.is_empty(), "{back:?}");
    assert_eq!((host.containers(), host.id_of("shop-web-1"), host.id_of("shop-db-1")), before);
    assert_eq!(on_engine(&host).await.1.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_leaves_what_was_never_applied_or_what_another_home_keeps() {
    let mut host = Host::new();
    assert!(matches!(leave(&host).await, Err(StackError::NothingApplied(_))));
    host.settle(SHOP).await;
    let home = Arc::into_inner(host.home).unwrap();
    let moved = home.with_identity(Identity { home: "/elsewhere".into(), machine: Some("other".into()) });
    host.home = Arc::new(moved);
    let applied = leave(&host).await.unwrap();
    assert_eq!((applied.exit, applied.held[0].code), (8, HeldCode::OtherHome));
    assert_eq!(on_engine(&host).await.1.len(), 1);
}

/// Data goes only where the user named it, and what somebody else made was not named with it.
#[tokio::test(start_paused = true)]
async fn down_with_volumes_leaves_those_that_are_not_of_the_stack() {
    use evenkeel::{
        controllers::stack::DownRequest,
        engine::Volumes,
        model::{desired::Volume, units::Millis, value::Value},
    };
    let host = Host::new();
    let theirs = [("com.docker.compose.project".to_owned(), Value::plain("other"))];
    let theirs = Volume { labels: theirs.into(), ..Volume::default() };
    host.engine.create_volume(&"shared".into(), &theirs).await.unwrap();
    host.engine.create_volume(&"by-hand".into(), &Volume::default()).await.unwrap();
    let manifest = SHOP
        .replace("['data:/data']", "['data:/data', 'shared:/shared', 'hand:/hand']")
        .replace("{data: {}}", "{data: {}, shared: {name: shared}, hand: {name: by-hand}}");
    host.settle(&manifest).await;
    let request = DownRequest {
        desired: host.load(&manifest).0,
        volumes: true,
        origin: Default::default(),
        lock_wait: Millis(0),
    };
    let plan = host.stack().plan_down(&request).await.unwrap();
    let notes: Vec<String> = plan.notes.iter().map(|note| format!("{}: {}", note.code, note.text)).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[1].contains("volume-stays: the volume shared is of the project `other`"), "{notes:?}");
    let down = host.stack().down(&request).await.unwrap();
    assert_eq!(down.exit, 0, "{down:?}");
    let left: Vec<String> =
        host.engine.list_volumes().await.unwrap().into_iter().map(|volume| volume.name.to_string()).collect();
    assert_eq!(left, ["by-hand", "shared"]);
}

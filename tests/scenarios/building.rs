//! Images that the Compose file says how to build: `apply` builds what has to be, before it plans; nothing else does.

use crate::support::Host;
use evenkeel::{
    controllers::stack::{BuildWish, Request, SavedPlan, StackError},
    model::{event::EventKind, plan::NoteCode},
};
use std::collections::BTreeSet;

const STACK: &str = "
apiVersion: evenkeel.dev/v1
kind: Stack
metadata: {name: shop}
spec:
  defaults: {rollout: {minReady: 0s}}
  services:
    web: {build: {context: /src/web, args: {TOKEN: hunter2hunter2}}, restart: always}
    db: {image: 'db:1', restart: always}
";

fn built(host: &Host) -> usize {
    let events = host.home.events(&Default::default()).unwrap();
    events.iter().filter(|event| event.kind == EventKind::BuildDone).count()
}

#[tokio::test(start_paused = true)]
async fn a_first_apply_builds_what_the_engine_lacks_and_the_next_ones_build_nothing() {
    let host = Host::new();
    let before = host.engine.mutations();
    let plan = host.plan(STACK).await;
    assert_eq!(host.engine.mutations(), before, "diff builds nothing");
    let note = plan.notes.iter().find(|note| note.code == NoteCode::ToBeBuilt).expect("it says so");
    assert_eq!(note.text, "web: apply builds its image from /src/web");
    assert!(host.diff(STACK).await.contains("shop-web (to be built)"), "{}", host.diff(STACK).await);
    assert!(!serde_json::to_string(&plan).unwrap().contains("hunter2"));

    host.settle(STACK).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 shop-web:latest running"]);
    assert_eq!(built(&host), 1);
    host.assert_settled(STACK).await;
    assert_eq!(host.apply(STACK).await.rounds.len(), 0);
    assert_eq!(built(&host), 1, "what is there is not built again");
}

#[tokio::test(start_paused = true)]
async fn a_password_in_the_address_of_a_context_is_not_told() {
    let host = Host::new();
    let remote = STACK.replace("/src/web", "'https://bot:hunter2@example.com/web.git#main'");
    let plan = host.plan(&remote).await;
    let note = plan.notes.iter().find(|note| note.code == NoteCode::ToBeBuilt).expect("it says so");
    assert_eq!(note.text, "web: apply builds its image from https://***@example.com/web.git#main");
    assert!(!serde_json::to_string(&plan).unwrap().contains("hunter2"));
    host.settle(&remote).await;
    assert!(!format!("{:?}", host.home.events(&Default::default()).unwrap()).contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn a_build_that_is_asked_for_rolls_the_service_and_a_rollback_has_the_older_image() {
    let host = Host::new();
    host.settle(STACK).await;
    let first = host.id_of("shop-web-1");
    let wish = BuildWish::Services(BTreeSet::from(["web".into()]));
    let request = Request { build: wish, ..host.request(STACK, &[]) };
    assert_eq!(host.stack().apply(&request).await.unwrap().exit, 0);
    let second = host.id_of("shop-web-1");
    assert_ne!(first, second);
    host.assert_settled(STACK).await;

    let images = |number: u64| host.home.revision(number).unwrap().unwrap().images;
    let current = host.home.current().unwrap().unwrap().number;
    assert_ne!(images(current), images(current - 1));
    let back = host.rollback(STACK, &[], None).await;
    assert_eq!(back.exit, 0);
    let number = host.home.current().unwrap().unwrap().number;
    assert_eq!(images(number), images(current - 1), "the image that it had, not the one of that name");
}

#[tokio::test(start_paused = true)]
async fn a_pull_policy_of_build_builds_at_every_apply() {
    let host = Host::new();
    let always = STACK.replace("build: {context", "pull_policy: build, build: {context");
    host.settle(&always).await;
    let first = host.id_of("shop-web-1");
    assert_eq!(host.apply(&always).await.exit, 0);
    assert_ne!(host.id_of("shop-web-1"), first);
    let plan = host.plan(&always).await;
    assert!(plan.notes.iter().any(|note| note.code == NoteCode::ToBeBuilt));
}

#[tokio::test(start_paused = true)]
async fn a_build_that_fails_ends_the_apply_before_its_first_step() {
    let host = Host::new();
    let before = host.engine.mutations();
    let error = host.try_apply(&STACK.replace("/src/web", "/broken"), &[]).await.unwrap_err();
    assert!(matches!(error, StackError::Build(_)), "{error}");
    assert_eq!(error.exit(), 3);
    assert_eq!(error.to_string(), "the build of web failed\n  | ERROR: failed to solve");
    assert_eq!(host.engine.mutations(), before);
    assert!(host.home.current().unwrap().is_none(), "no revision was made");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_built_where_nobody_asked_or_for_a_plan_that_was_saved() {
    let host = Host::new();
    let unattended = Request { unattended: true, ..host.request(STACK, &[]) };
    match host.stack().apply(&unattended).await {
        Err(StackError::Unbuilt(lacking)) => assert_eq!(lacking[0].0.as_str(), "web"),
        other => panic!("{other:?}"),
    }
    let saved = SavedPlan::of(&host.plan(STACK).await);
    let request = Request { saved: Some(saved), ..host.request(STACK, &[]) };
    assert!(matches!(host.stack().apply(&request).await, Err(StackError::Unbuilt(_))));
    let other = Request { selected: Some(BTreeSet::from(["db".into()])), ..host.request(STACK, &[]) };
    assert!(matches!(host.stack().apply(&other).await, Err(StackError::Unbuilt(_))));
    assert_eq!(built(&host), 0);
}

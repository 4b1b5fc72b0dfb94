//! Bound files are part of what a rollback goes back to, though on the host they have moved on.

use crate::support::{Host, lettered, shop};
use evenkeel::{
    cli::render::{plan::plan_text, style::Style},
    controllers::stack::Applied,
    engine::Containers,
    model::container::MountSource,
};

const CONF: &str = "/srv/shop/web.conf";

/// The shop, whose web service reads a file.
fn reading() -> String {
    shop("      environment: {LOG_LEVEL: info}\n", "      volumes: ['./web.conf:/etc/web.conf:ro']\n")
}

async fn mounted(host: &Host) -> String {
    let spec = host.engine.inspect_container("shop-web-1").await.unwrap().spec;
    match &spec.mounts["/etc/web.conf"].source {
        MountSource::Bind(path) => path.clone(),
        other => panic!("{other:?}"),
    }
}

fn shown(applied: &Applied) -> String {
    lettered(&plan_text(&applied.rounds[0].0, Style::PLAIN))
}

/// The file said `one`, then `two`, and the web service was rolled back.
async fn rolled_back() -> (Host, Applied) {
    let mut host = Host::new();
    host.files.insert(CONF.into(), "one".into());
    host.settle(&reading()).await;
    host.files.insert(CONF.into(), "two".into());
    host.settle(&reading()).await;
    assert_eq!(mounted(&host).await, CONF);
    let applied = host.rollback(&reading(), &["web"], None).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    (host, applied)
}

#[tokio::test(start_paused = true)]
async fn a_rollback_mounts_the_copy_of_a_file_that_changed() {
    let (host, applied) = rolled_back().await;
    let copy = mounted(&host).await;
    assert!(copy.starts_with("/var/lib/evenkeel/stacks/shop/copies/"), "{copy}");
    insta::assert_snapshot!(shown(&applied));
}

#[tokio::test(start_paused = true)]
async fn what_was_rolled_back_stays_on_its_copy_until_the_declaration_changes() {
    let (host, _) = rolled_back().await;
    let (copy, id) = (mounted(&host).await, host.id_of("shop-web-1"));

    let applied = host.apply(&reading()).await;
    assert_eq!((applied.exit, applied.rounds.len()), (9, 0), "{applied:?}");
    assert_eq!((mounted(&host).await, host.id_of("shop-web-1")), (copy.clone(), id));
    let plan = host.plan(&reading()).await;
    assert_eq!(plan.changes, []);

    let next = reading().replace("web:1", "web:2");
    let text = host.diff(&next).await;
    assert!(text.contains(&format!("> → {CONF}")), "{text}");
    host.settle(&next).await;
    assert_eq!(mounted(&host).await, CONF);
}

#[tokio::test(start_paused = true)]
async fn an_apply_of_another_service_and_a_restart_leave_the_copy_mounted() {
    let (host, _) = rolled_back().await;
    let copy = mounted(&host).await;
    let next = reading().replace("db:1", "db:2");
    let applied = host.try_apply(&next, &["db"]).await.unwrap();
    assert_eq!(applied.exit, 0, "{applied:?}");
    assert_eq!(mounted(&host).await, copy);
    let status = host.stack().status(None).await.unwrap();
    assert!(status.services.iter().all(|service| service.drift.is_empty()), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_did_not_change_is_mounted_itself() {
    let mut host = Host::new();
    host.files.insert(CONF.into(), "one".into());
    host.settle(&reading()).await;
    let next = reading().replace("web:1", "web:2");
    host.settle(&next).await;
    let applied = host.rollback(&next, &["web"], None).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    assert_eq!(mounted(&host).await, CONF);
    assert!(!shown(&applied).contains("copies"), "{}", shown(&applied));
}

#[tokio::test(start_paused = true)]
async fn a_rollback_to_a_rolled_back_revision_mounts_the_file_again_where_it_is_as_it_was() {
    let (mut host, _) = rolled_back().await;
    host.files.insert(CONF.into(), "three".into());
    host.settle(&reading()).await;
    host.files.insert(CONF.into(), "one".into());
    let applied = host.rollback(&reading(), &["web"], Some(3)).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    assert_eq!(mounted(&host).await, CONF);
}

#[tokio::test(start_paused = true)]
async fn an_undo_is_said_to_have_new_content_only_where_the_same_file_is_mounted() {
    let mut host = Host::new();
    let stops_first = reading().replace("image: web:1\n", "image: web:1\n      ports: ['8080:80']\n");
    host.files.insert(CONF.into(), "one".into());
    host.settle(&stops_first).await;
    host.files.insert(CONF.into(), "two".into());
    assert!(host.diff(&stops_first).await.contains("undo-has-new-content"));
    host.settle(&stops_first).await;
    let applied = host.rollback(&stops_first, &["web"], None).await;
    assert!(!shown(&applied).contains("undo-has-new-content"), "{}", shown(&applied));
}

//! What is written into a container and run in it around its start and its stop.

use crate::support::{Host, shop};

/// The shop, whose web service has hooks and a config of its own.
fn hooked() -> String {
    let web = "image: web:1
      post_start: [{command: ['true']}]
      pre_stop: [{command: ['true'], user: root}]
      configs: [{source: greeting, target: /etc/greeting}]";
    let manifest = shop("image: web:1", web);
    manifest.replace("  volumes: {data: {}}", "  volumes: {data: {}}\n  configs: {greeting: {content: hello}}")
}

#[tokio::test(start_paused = true)]
async fn a_plan_says_what_is_written_and_run() {
    let host = Host::new();
    host.settle(&hooked()).await;
    let shown = host.diff(&hooked().replace("web:1", "web:2")).await;
    insta::assert_snapshot!(shown);
    host.settle(&hooked().replace("web:1", "web:2")).await;
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_runs_nothing() {
    let host = Host::new();
    host.settle(&hooked()).await;
    let calls = host.engine.mutations();
    host.diff(&hooked().replace("web:1", "web:2")).await;
    assert_eq!(host.engine.mutations(), calls);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_takes_back_what_was_started() {
    let host = Host::new();
    host.settle(&hooked()).await;
    let web = host.id_of("shop-web-1");
    let failing = hooked()
        .replace("web:1", "web:2")
        .replace("post_start: [{command: ['true']}]", "post_start: [{command: ['false']}]");
    let applied = host.apply(&failing).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.id_of("shop-web-1"), web);
    host.assert_settled(&hooked()).await;
}

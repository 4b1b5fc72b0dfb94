//! A plan that was saved, reviewed and applied exactly so.

use crate::support::{Host, SHOP, shop};
use evenkeel::{
    controllers::stack::{SavedPlan, StackError},
    engine::clock::Clock,
    model::units::Millis,
};

#[tokio::test(start_paused = true)]
async fn what_was_reviewed_is_applied() {
    let host = Host::new();
    host.settle(SHOP).await;
    let next = shop("image: web:1", "image: web:2");
    let saved = SavedPlan::of(&host.plan(&next).await);
    let request = evenkeel::controllers::stack::Request { saved: Some(saved), ..host.request(&next, &[]) };
    let applied = host.stack().apply(&request).await.unwrap();
    assert_eq!((applied.exit, applied.rounds.len()), (0, 1), "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:2 running"]);
    host.assert_settled(&next).await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_yesterday_is_stale() {
    let host = Host::new();
    host.settle(SHOP).await;
    let next = shop("image: web:1", "image: web:2");
    let saved = SavedPlan::of(&host.plan(&next).await);
    host.remove("shop-db-1");
    let request = evenkeel::controllers::stack::Request { saved: Some(saved), ..host.request(&next, &[]) };
    let calls = host.engine.mutations();
    match host.stack().apply(&request).await {
        Err(StackError::Stale { why, .. }) => assert!(why.contains("changes"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(host.engine.mutations(), calls, "something was done");
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_holds_no_secret() {
    let host = Host::new();
    let secret = shop("LOG_LEVEL: info", "API_TOKEN: hunter2hunter2");
    let saved = SavedPlan::of(&host.plan(&secret).await);
    let text = serde_json::to_string(&saved).unwrap();
    assert!(!text.contains("hunter2") && text.contains("hmac:"), "{text}");
}

/// It is six past eleven, so this window is open for most of an hour still.
fn in_window(manifest: &str) -> String {
    let window = "      rollout: {apply: window, window: {cron: '0 11 * * *', duration: 1h}}\n";
    manifest.replace("    web:\n", &format!("    web:\n{window}"))
}

#[tokio::test(start_paused = true)]
async fn a_window_is_judged_when_the_plan_is_applied() {
    let host = Host::new();
    let first = in_window(SHOP);
    host.settle(&first).await;
    let next = first.replace("image: web:1", "image: web:2").replace("image: db:1", "image: db:2");
    let saved = SavedPlan::of(&host.plan(&next).await);
    let request = evenkeel::controllers::stack::Request { saved: Some(saved), ..host.request(&next, &[]) };
    host.clock.sleep(Millis::minutes(60)).await;
    let applied = host.stack().apply(&request).await.unwrap();
    assert_eq!((applied.exit, applied.held[0].code.as_str()), (9, "outside-window"), "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_has_opened_since_allows_no_more_than_was_reviewed() {
    let host = Host::new();
    let first = in_window(SHOP).replace("0 11", "0 12");
    host.settle(&first).await;
    let next = first.replace("image: web:1", "image: web:2").replace("image: db:1", "image: db:2");
    let saved = SavedPlan::of(&host.plan(&next).await);
    let request = evenkeel::controllers::stack::Request { saved: Some(saved), ..host.request(&next, &[]) };
    host.clock.sleep(Millis::minutes(60)).await;
    assert_eq!(host.stack().apply(&request).await.unwrap().exit, 9);
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:1 running"]);
    host.settle(&next).await;
}

//! A plan that was saved, reviewed and applied exactly so.

use crate::support::{Host, SHOP, shop};
use evenkeel::controllers::stack::{SavedPlan, StackError};

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

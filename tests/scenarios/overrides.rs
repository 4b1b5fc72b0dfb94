//! What `--image` and `--set` have in force, when several apply one after the other.

use crate::support::{Host, SHOP};
use evenkeel::{
    controllers::stack::{Request, StackError},
    model::desired::Overrides,
};

/// An apply with this image for a service, as it is loaded now.
fn with_image(host: &Host, service: &str, image: &str) -> Request {
    let images = [(service.into(), image.into())].into();
    let overrides = Overrides { images, ..Overrides::default() };
    let in_force = host.home.current().unwrap().map(|current| current.desired.overrides).unwrap_or_default();
    let (desired, notes) = host.load_with(SHOP, overrides.clone(), in_force);
    Request { desired: desired.into(), overrides, notes, ..host.request(SHOP, &[]) }
}

#[tokio::test(start_paused = true)]
async fn that_came_into_force_while_the_lock_was_waited_for_are_not_taken_back() {
    let host = Host::new();
    host.settle(SHOP).await;
    // Both are loaded before the first of them is done.
    let (first, second) = (with_image(&host, "web", "web:2"), with_image(&host, "db", "db:2"));
    let plain = host.request(SHOP, &[]);
    assert_eq!(host.stack().apply(&first).await.unwrap().exit, 0);
    for late in [&second, &plain] {
        let error = host.stack().apply(late).await.unwrap_err();
        assert!(matches!(error, StackError::Overtaken), "{error}");
    }
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:2 running"]);
    let again = with_image(&host, "db", "db:2");
    assert_eq!(host.stack().apply(&again).await.unwrap().exit, 0);
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:2 running"]);

    // One that is ended is in force no more for who loaded it before.
    let late = host.request(SHOP, &[]);
    let (desired, notes) = host.load_with(SHOP, Overrides::default(), {
        let mut in_force = late.desired.overrides.clone();
        in_force.images.remove(&"web".into());
        in_force
    });
    let unset = Request { desired: desired.into(), notes, unset: vec!["web".into()], ..host.request(SHOP, &[]) };
    assert_eq!(host.stack().apply(&unset).await.unwrap().exit, 0);
    assert!(matches!(host.stack().apply(&late).await, Err(StackError::Overtaken)));
    assert_eq!(host.containers(), ["shop-db-1 db:2 running", "shop-web-1 web:1 running"]);
    host.settle(SHOP).await;
}

#[tokio::test(start_paused = true)]
async fn a_pull_of_a_service_that_is_not_there_is_refused() {
    use evenkeel::observe::PullWish;
    let host = Host::new();
    let request = Request { pull: PullWish::Services(["wbe".into()].into()), ..host.request(SHOP, &[]) };
    for error in [host.stack().apply(&request).await.unwrap_err(), host.stack().diff(&request).await.unwrap_err()] {
        assert_eq!((error.exit(), error.to_string().as_str()), (2, "there is no service `wbe`"));
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_service_that_is_gone_stop_nobody() {
    let host = Host::new();
    host.settle(SHOP).await;
    assert_eq!(host.stack().apply(&with_image(&host, "web", "web:2")).await.unwrap().exit, 0);
    let (db, _) = SHOP.split_once("    web:").unwrap();
    let (_, rest) = SHOP.split_once("    db:").unwrap();
    assert_eq!(host.apply(&format!("{db}    db:{rest}")).await.exit, 0);
}

//! A stack that is not there yet.

use crate::support::{Host, SHOP, shop};
use evenkeel::{
    controllers::stack::Stack,
    engine::registry::{Found, Registries, RegistryError},
    model::{image::ImageConfig, names::ImageReference, step::Does, units::Bytes},
};
use std::{sync::Arc, time::Duration};

#[tokio::test(start_paused = true)]
async fn comes_up_in_the_order_of_its_dependencies() {
    let host = Host::new();
    insta::assert_snapshot!(host.diff(SHOP).await);
    let applied = host.settle(SHOP).await;
    assert_eq!(applied.revision, Some(1));
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}

/// A registry that has every image.
struct Everything;

#[async_trait::async_trait]
impl Registries for Everything {
    async fn look_up(&self, _: &ImageReference, platform: Option<&str>) -> Result<Found, RegistryError> {
        assert_eq!(platform, Some("linux/arm64"));
        let digest = format!("sha256:{}", "7".repeat(64));
        Ok(Found { id: digest.as_str().into(), digest, size: Bytes(1), config: ImageConfig::default() })
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_pulled_is_pulled_for_the_platform_of_its_service() {
    let host = Host::new();
    let stack = Stack { registries: Arc::new(Everything), ..host.stack() };
    let manifest = shop("image: web:1", "image: web:9\n      platform: linux/arm64");
    let plan = stack.diff(&host.request(&manifest, &[])).await.unwrap();
    let pulled: Vec<_> =
        plan.steps.iter().filter_map(|step| matches!(&step.does, Does::Pull(_)).then_some(&step.does)).collect();
    assert!(matches!(&pulled[..], [Does::Pull(pull)] if pull.platform.as_deref() == Some("linux/arm64")), "{pulled:?}");
}

#[tokio::test(start_paused = true)]
async fn a_first_deploy_that_fails_removes_its_container_and_keeps_its_log() {
    let host = Host::new();
    let broken = shop("image: web:1", "image: web:crash");
    let applied = host.apply(&broken).await;
    assert_eq!(applied.exit, 5, "{applied:?}");
    assert_eq!(host.containers(), ["shop-db-1 db:1 running"]);
    let evidence = host.home.evidence_of(&"web".into()).unwrap().unwrap();
    assert!(evidence.error.contains("exited"), "{}", evidence.error);
    // Once it is mended, it comes up.
    host.settle(SHOP).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn a_one_shot_runs_once_and_others_wait_for_it() {
    let manifest = "
apiVersion: evenkeel.dev/v1
kind: Stack
metadata: {name: shop}
spec:
  services:
    job: {image: 'job:1', restart: 'no'}
    web: {image: 'web:1', restart: always, depends_on: {job: {condition: service_completed_successfully}}}
";
    let host = Host::new();
    insta::assert_snapshot!(host.diff(manifest).await);
    host.settle(manifest).await;
    assert_eq!(host.containers(), ["shop-job-1 job:1 exited", "shop-web-1 web:1 running"]);
    let (job, web) = (host.id_of("shop-job-1"), host.id_of("shop-web-1"));

    // Its container's absence is no drift.
    host.remove("shop-job-1");
    host.assert_settled(manifest).await;

    // Another image is another job; what waits for it is left alone.
    host.settle(&manifest.replace("job:1", "job:2")).await;
    assert_ne!(host.id_of("shop-job-1"), job);
    assert_eq!(host.id_of("shop-web-1"), web);

    // A failing one stops what stands on it.
    let failing = manifest.replace("job:1", "job:broken").replace("web:1", "web:2");
    let applied = host.apply(&failing).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!(host.id_of("shop-web-1"), web);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_makes_no_mutating_call() {
    let host = Host::new();
    host.diff(SHOP).await;
    host.settle(SHOP).await;
    let before = host.engine.mutations();
    host.diff(&shop("image: web:1", "image: web:2")).await;
    host.stack().status(None).await.unwrap();
    assert_eq!(host.engine.mutations(), before);
    assert_eq!(host.home.current().unwrap().unwrap().number, 1);
}

#[tokio::test(start_paused = true)]
async fn status_says_that_an_apply_is_under_way() {
    let host = Host::new();
    host.settle(SHOP).await;
    let update = shop("image: web:1", "image: web:2");
    let under_way = async || {
        while !host.containers().iter().any(|line| line.contains("web:2")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        host.stack().status(None).await.unwrap().under_way
    };
    let (applied, seen) = tokio::join!(host.apply(&update), under_way());
    assert_eq!((applied.exit, seen.unwrap().doing), (0, "apply".to_owned()));
    assert_eq!(host.stack().status(None).await.unwrap().under_way, None);
}

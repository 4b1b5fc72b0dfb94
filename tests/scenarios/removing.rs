//! `down`: what others need goes after them, everything else at the same time, and nothing of evenkeel's is left.

use crate::support::Host;
use evenkeel::{
    controllers::stack::{Applied, DownRequest},
    engine::{Images, simulated::Foreign},
    model::{
        container::{Attachment, ContainerSpec},
        plan::Plan,
        units::Millis,
    },
};

const WAREHOUSE: &str = "
apiVersion: evenkeel.dev/v1
kind: Stack
metadata: {name: shop}
spec:
  services:
    db: {image: db:1, restart: always}
    queue: {image: db:1, restart: always}
    api: {image: web:1, restart: always, depends_on: [db, queue]}
    helper: {image: web:1, restart: always, network_mode: 'service:api'}
    web: {image: web:1, restart: always, depends_on: [api]}
    metrics: {image: web:1, restart: always}
";

async fn tried_down(host: &Host, manifest: &str) -> Applied {
    let desired = host.load(manifest).0;
    let request = DownRequest { desired, volumes: false, origin: Default::default(), lock_wait: Millis(0) };
    host.stack().down(&request).await.unwrap()
}

async fn down(host: &Host, manifest: &str) -> Applied {
    let applied = tried_down(host, manifest).await;
    assert_eq!(applied.exit, 0, "{applied:?}");
    applied
}

async fn tags_of_ours(host: &Host) -> Vec<String> {
    let tags = host.engine.list_tags().await.unwrap().into_keys().map(|tag| tag.to_string());
    tags.filter_map(|tag| Some(tag.strip_prefix("evenkeel.local/shop/")?.split_once(':')?.0.to_owned())).collect()
}

/// The services that go before the first step of this one.
fn before(plan: &Plan, service: &str) -> Vec<String> {
    let rollout = plan.rollouts.iter().find(|rollout| rollout.service.as_str() == service).unwrap();
    let first = plan.steps.iter().find(|step| rollout.steps.contains(&step.id)).unwrap();
    let service_of = |id: &str| id.split('/').next().unwrap().to_owned();
    first.after.iter().map(|id| service_of(id.as_str())).collect()
}

#[tokio::test(start_paused = true)]
async fn dependants_go_first_and_all_others_side_by_side() {
    let host = Host::new();
    host.settle(WAREHOUSE).await;
    let applied = down(&host, WAREHOUSE).await;
    let plan = &applied.rounds[0].0;
    assert_eq!(before(plan, "web"), [""; 0]);
    assert_eq!(before(plan, "helper"), [""; 0]);
    assert_eq!(before(plan, "metrics"), [""; 0]);
    assert_eq!(before(plan, "api"), ["helper", "web"]);
    assert_eq!(before(plan, "db"), ["api"]);
    assert_eq!(before(plan, "queue"), ["api"]);
    let network = plan.steps.last().unwrap();
    assert_eq!((network.id.as_str(), network.after.len()), ("network:shop_default/remove", 6));
    assert!(host.containers().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_declared_goes_before_what_it_may_need() {
    let host = Host::new();
    host.settle(WAREHOUSE).await;
    let without = WAREHOUSE.replace("    metrics: {image: web:1, restart: always}\n", "");
    host.settle(&without).await;
    let applied = down(&host, &without).await;
    let plan = &applied.rounds[0].0;
    assert_eq!(before(plan, "metrics"), [""; 0]);
    assert_eq!(before(plan, "web"), ["metrics"]);
    assert_eq!(before(plan, "api"), ["helper", "web"]);
    assert!(host.containers().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_tag_keeps_an_image_for_all_who_use_it_and_down_leaves_none() {
    let host = Host::new();
    host.settle(WAREHOUSE).await;
    assert_eq!(tags_of_ours(&host).await, ["api", "db"]);
    down(&host, WAREHOUSE).await;
    assert_eq!(tags_of_ours(&host).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_others_are_on_stays_and_it_is_said_how_to_find_them() {
    let host = Host::new();
    host.settle(WAREHOUSE).await;
    let mut spec = ContainerSpec { image: "web:1".into(), ..ContainerSpec::default() };
    spec.networks.insert("shop_default".into(), Attachment::default());
    host.engine.meddle(&Foreign::Run("theirs".into(), Box::new(spec))).unwrap();
    let applied = tried_down(&host, WAREHOUSE).await;
    assert_ne!(applied.exit, 0);
    let said = format!("{applied:?}");
    assert!(said.contains("has active endpoints; `docker network inspect shop_default` shows"), "{said}");
    assert_eq!(host.containers(), ["theirs web:1 running"]);

    host.engine.meddle(&Foreign::Remove("theirs".into(), false)).unwrap();
    down(&host, WAREHOUSE).await;
}

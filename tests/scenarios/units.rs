//! Services that share a namespace roll as one.

use crate::support::{Host, shop};
use evenkeel::{
    engine::{Containers, simulated::Foreign},
    model::{container::NetworkMode, names::ServiceName},
};

/// The web service on the database's network.
fn unit() -> String {
    shop("depends_on: [db]", "network_mode: 'service:db'")
}

/// Whether the web container is on the network of the database's container.
async fn is_joined(host: &Host) -> bool {
    let web = host.engine.inspect_container("shop-web-1").await.unwrap();
    let db = host.engine.inspect_container("shop-db-1").await.unwrap();
    web.spec.network_mode == NetworkMode::Container(db.id)
}

#[tokio::test(start_paused = true)]
async fn a_new_parent_means_new_dependants() {
    let host = Host::new();
    host.settle(&unit()).await;
    assert!(is_joined(&host).await);
    let web = host.id_of("shop-web-1");
    let next = unit().replace("db:1", "db:2");
    let plan = host.plan(&next).await;
    assert_eq!(plan.rollouts.len(), 1);
    assert_eq!(plan.rollouts[0].members, ["db", "web"].map(ServiceName::from));
    let at = |id: &str| plan.steps.iter().position(|step| step.id.as_str() == id).unwrap_or_else(|| panic!("no {id}"));
    assert!(at("web/1/stop") < at("db/1/stop"), "dependants are stopped first");
    assert!(at("db/1/create") < at("web/1/create"), "the parent is made first");
    assert!(at("web/1/create") < at("db/1/gate"), "both are proven together");
    host.settle(&next).await;
    assert_ne!(host.id_of("shop-web-1"), web);
    assert!(is_joined(&host).await);
}

#[tokio::test(start_paused = true)]
async fn a_new_dependant_leaves_its_parent() {
    let host = Host::new();
    host.settle(&unit()).await;
    let db = host.id_of("shop-db-1");
    host.settle(&unit().replace("web:1", "web:2")).await;
    assert_eq!(host.id_of("shop-db-1"), db);
    assert!(is_joined(&host).await);
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_is_started_again_restarts_its_dependants() {
    let host = Host::new();
    host.settle(&unit()).await;
    host.engine.meddle(&Foreign::Stop("shop-db-1".into())).unwrap();
    let db = host.id_of("shop-db-1");
    let web = host.id_of("shop-web-1");
    host.settle(&unit()).await;
    assert_eq!(host.id_of("shop-db-1"), db);
    assert_ne!(host.id_of("shop-web-1"), web);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
}

#[tokio::test(start_paused = true)]
async fn a_parent_that_is_gone_comes_before_a_dependant_that_changes() {
    let host = Host::new();
    host.settle(&unit()).await;
    host.remove("shop-db-1");
    host.settle(&unit().replace("web:1", "web:2")).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:2 running"]);
    assert!(is_joined(&host).await);
}

#[tokio::test(start_paused = true)]
async fn a_dependant_that_fails_takes_the_parent_back_too() {
    let host = Host::new();
    host.settle(&unit()).await;
    let before = (host.id_of("shop-db-1"), host.id_of("shop-web-1"));
    let applied = host.apply(&unit().replace("db:1", "db:2").replace("web:1", "web:crash")).await;
    assert_eq!(applied.exit, 4, "{applied:?}");
    assert_eq!((host.id_of("shop-db-1"), host.id_of("shop-web-1")), before);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    host.assert_settled(&unit()).await;
}

#[tokio::test(start_paused = true)]
async fn a_dependant_that_was_made_for_the_next_parent_serves_until_that_is_proven() {
    use evenkeel::engine::simulated::Fault;
    let stateless = unit().replace("image: db:1", "image: checked:1").replace("      volumes: ['data:/data']\n", "");
    let mut host = Host::new();
    host.settle(&stateless).await;
    let next = stateless.replace("checked:1", "web:2");
    // Create and start of both, then the old dependant is stopped.
    host.killed(&next, Fault::KillAfter(5), false).await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    host.engine.keep_history();
    host.settle(&next).await;
    assert_eq!(host.containers(), ["shop-db-1 web:2 running", "shop-web-1 web:1 running"]);
    assert!(is_joined(&host).await);
    assert!(host.engine.history().iter().all(|seen| seen.ready(&"web".into()) > 0), "at some moment no web was ready");
}

#[tokio::test(start_paused = true)]
async fn a_dependant_that_was_made_for_a_parent_that_goes_is_made_again() {
    use evenkeel::engine::simulated::Fault;
    let probed = unit().replace("image: web:1", "image: web:1\n      probes: {readiness: {http: {port: 80, path: /}}}");
    let stops = probed.replace("    db:\n", "      rollout: {strategy: stopFirst, deadline: 20s}\n    db:\n");
    let mut host = Host::new();
    host.settle(&stops).await;
    // Update (the restart policy), stop, rename, create, start.
    host.killed(&stops.replace("web:1", "web:2"), Fault::KillAfter(5), false).await;
    let third =
        stops.replace("web:1", "web:2").replace("image: db:1", "image: db:1\n      environment: {LEVEL: debug}");
    host.settle(&third).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:2 running"]);
    assert!(is_joined(&host).await);
}

/// A job that shares a namespace is made after whose it is, though it ends and that one goes on.
#[tokio::test(start_paused = true)]
async fn a_job_beside_a_service_is_made_after_it() {
    let host = Host::new();
    let job = shop("image: web:1\n      restart: unless-stopped", "image: job:1\n      restart: on-failure");
    let job = job.replace("depends_on: [db]", "network_mode: 'service:db'");
    let plan = host.plan(&job).await;
    let at = |id: &str| plan.steps.iter().position(|step| step.id.as_str() == id).unwrap_or_else(|| panic!("no {id}"));
    assert!(at("db/1/create") < at("web/1/create"), "{:?}", plan.steps);
    host.settle(&job).await;
    assert!(is_joined(&host).await);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 job:1 exited"]);
    host.settle(&job.replace("job:1", "job:2")).await;
    assert!(is_joined(&host).await);
}

/// What a service has from another by `volumes_from` it writes as its own.
#[tokio::test(start_paused = true)]
async fn two_never_write_what_they_have_from_another() {
    for from in ["db", "'container:shop-db-1'"] {
        let host = Host::new();
        let reader = shop("depends_on: [db]", &format!("depends_on: [db]\n      volumes_from: [{from}]"));
        host.settle(&reader).await;
        let (db, web) = (host.id_of("shop-db-1"), host.id_of("shop-web-1"));
        let next = reader.replace("web:1", "web:2");
        let plan = host.plan(&next).await;
        let at = |id: &str| plan.steps.iter().position(|step| step.id.as_str() == id).unwrap();
        assert!(at("web/1/stop") < at("web/1/start"), "{from}");
        host.engine.keep_history();
        host.settle(&next).await;
        let of_web = |seen: &evenkeel::engine::simulated::Snapshot| {
            let of_web = |one: &evenkeel::engine::simulated::Seen| one.service == Some("web".into());
            seen.shared_writers().iter().any(|(_, one, other)| of_web(one) && of_web(other))
        };
        assert!(!host.engine.history().iter().any(of_web), "{from}: two write at once");
        assert_eq!(host.id_of("shop-db-1"), db);
        assert_ne!(host.id_of("shop-web-1"), web);
    }
}

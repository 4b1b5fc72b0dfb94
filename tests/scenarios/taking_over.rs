//! Services written from what runs: a manifest of them changes nothing, whatever stands in their fields.

use crate::support::{Host, SHOP};
use evenkeel::{
    engine::clock::Clock,
    init::{Source, skeleton, what_runs},
};

const ODD: &str = r#"
apiVersion: evenkeel.dev/v1
kind: Stack
metadata: {name: shop}
spec:
  services:
    web:
      image: web:1
      restart: always
      command: ["serve", "--greeting=$$HOME is 'here'", "- # : {}", "", "  spaces  ", "é"]
      environment: {DOLLAR: "a$$b$${c}", QUOTES: "\"it's\" #1", EMPTY: "", SPACES: "  two  ", API_KEY: hunter2hunter2}
      labels: {us.text: "yes", us.number: "1e3", us.lines: "a\nb"}
      depends_on: {db: {condition: service_started}, job: {condition: service_completed_successfully}}
      healthcheck: {test: ["CMD-SHELL", "test $$A = 'b'"], interval: 1s, retries: 5}
      deploy: {replicas: 2, resources: {limits: {memory: 300M, cpus: "0.3", pids: 50}}}
      stop_grace_period: 90s
      ports: ["8080", "127.0.0.1:9000-9001:9000/udp"]
      networks: {front: {aliases: [www]}, back: }
      tmpfs: ["/run:size=1m"]
      volumes: ["/srv/shop/x:/x:ro", "/cache", {type: tmpfs, target: /t, tmpfs: {size: 1048576}}]
    beside: {image: web:1, network_mode: "service:db", restart: always}
    db: {image: db:1, container_name: the-database, restart: unless-stopped, volumes: ["data:/data"], networks: [back]}
    job: {image: job:1, restart: "no", networks: [back]}
  networks: {front: {name: shop-edge, driver_opts: {a: "$$b"}}, back: {internal: true}}
  volumes: {data: {driver_opts: {type: none}}}
"#;

#[tokio::test(start_paused = true)]
async fn a_manifest_of_what_runs_changes_nothing() {
    let mut host = Host::new();
    host.files.insert("/srv/shop/x".into(), "content".into());
    host.settle(ODD).await;
    let before = host.containers();
    let inline = what_runs(&host.engine, &"shop".into(), host.clock.now()).await.unwrap();
    assert_eq!(inline.unsaid, [""; 0]);
    let files = inline.env_files.iter().map(|(name, text)| (format!("/srv/shop/{name}"), text.clone()));
    host.files.extend(files);
    let manifest = skeleton(&"shop".into(), &Source::Inline(inline));
    assert!(!manifest.contains("hunter2"), "{manifest}");
    insta::assert_snapshot!("a_manifest_of_what_runs", manifest);
    let plan = host.plan(&manifest).await;
    let fields = plan.differences().map(|change| format!("{}: {:?}", change.resource, change.fields));
    assert_eq!(fields.collect::<Vec<_>>(), [""; 0]);
    assert_eq!((plan.steps.len(), plan.held.len()), (0, 0), "{:?}", plan.held);
    host.settle(&manifest).await;
    assert_eq!(host.containers(), before);
}

#[tokio::test(start_paused = true)]
async fn what_looks_like_a_secret_and_what_no_line_holds_is_named() {
    let host = Host::new();
    let manifest = ODD
        .replace("--greeting=", "--password=")
        .replace("us.number", "us.token")
        .replace("EMPTY: \"\"", "LINES: \"a\\nb\"");
    host.apply(&manifest).await;
    let inline = what_runs(&host.engine, &"shop".into(), host.clock.now()).await.unwrap();
    assert_eq!(
        inline.unsaid,
        [
            "service/web: labels.us.token looks like a secret",
            "service/web: command looks like a secret",
            "service/web: environment.LINES has several lines"
        ]
    );
}

/// With nothing on record, what runs says how much a manifest leaves out.
#[tokio::test(start_paused = true)]
async fn a_first_apply_that_declares_little_of_what_runs_removes_nothing() {
    let mut host = Host::new();
    let more = "    one: {image: 'web:1'}\n    two: {image: 'web:1'}\n    three: {image: 'web:1'}\n    web:\n";
    host.settle(&SHOP.replace("    web:\n", more)).await;
    host.home = std::sync::Arc::new(evenkeel::home::Home::in_memory(&"shop".into()).unwrap());
    let pruned = SHOP.replace("  services:\n", "  prune: true\n  services:\n");
    let applied = host.apply(&pruned).await;
    assert_eq!(applied.exit, 9, "{applied:?}");
    assert_eq!(applied.held[0].code.as_str(), "prune-refused", "{:?}", applied.held);
    assert_eq!(host.containers().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_second_stack_from_the_same_files_is_made_where_it_is_meant() {
    use evenkeel::{
        controllers::stack::Request,
        engine::simulated::Foreign,
        model::{container::ContainerSpec, labels::compose, value::Value},
    };
    let host = Host::new();
    let labels = [
        (compose::PROJECT, "shops"),
        (compose::WORKING_DIR, "/srv/shop"),
        (compose::CONFIG_FILES, "/srv/shop/evenkeel.yaml"),
    ];
    let labels = labels.into_iter().map(|(name, text)| (name.into(), Value::plain(text))).collect();
    let spec = ContainerSpec { image: "web:1".into(), labels, ..ContainerSpec::default() };
    host.engine.meddle(&Foreign::Run("shops-web-1".into(), Box::new(spec))).unwrap();
    assert_eq!(host.apply(SHOP).await.exit, 8);
    let request = Request { new_stack: true, ..host.request(SHOP, &[]) };
    let plan = host.stack().diff(&request).await.unwrap();
    assert!(plan.held.is_empty() && !plan.steps.is_empty(), "{:?}", plan.held);
    let applied = host.stack().apply(&request).await.unwrap();
    assert_eq!(applied.exit, 0, "{applied:?}");
    let ours = ["shop-db-1 db:1 running", "shop-web-1 web:1 running"];
    assert_eq!(host.containers(), [ours[0], ours[1], "shops-web-1 web:1 running"]);
    host.settle(SHOP).await;
}

//! What docker compose brought up is taken over as it is, and what somebody changes of it by hand is seen.

use crate::stack::Stack;

/// As many kinds of fields as this engine and its kernel hold.
const COMPOSE: &str = r#"
x-common: &common
  restart: unless-stopped
  logging: {driver: json-file, options: {max-size: 1m, max-file: "2"}}
services:
  web:
    <<: *common
    image: evenkeel-test/web:health
    container_name: NAME-web
    environment: {LOG_LEVEL: info, EMPTY: "", EQUALS: "a=b=c", FROM_ENV: "${WHO:-nobody}"}
    env_file: [web.env]
    labels: {us.team: core, us.empty: ""}
    ports: ["127.0.0.1::8080", "8053/udp"]
    expose: ["9000"]
    networks:
      front: {aliases: [www, api]}
      back:
    volumes:
      - "data:/var/lib/web"
      - "/var/cache/web"
      - "./web.conf:/etc/web.conf:ro"
      - {type: tmpfs, target: /scratch, tmpfs: {size: 4194304}}
    tmpfs: ["/run:size=1m"]
    ulimits: {nofile: {soft: 1024, hard: 2048}, nproc: 512}
    cap_add: [NET_ADMIN]
    cap_drop: [MKNOD]
    sysctls: {net.core.somaxconn: "256"}
    init: true
    extra_hosts: ["db.example:10.1.2.3"]
    dns: [10.9.9.9]
    mem_limit: 64m
    pids_limit: 64
    cpus: 0.5
    shm_size: 8m
    hostname: core
    user: "0:0"
    working_dir: /tmp
    stop_signal: SIGINT
    stop_grace_period: 7s
    security_opt: ["no-new-privileges:true"]
    read_only: true
    depends_on: {store: {condition: service_started}, setup: {condition: service_completed_successfully}}
  store:
    <<: *common
    image: evenkeel-test/redis:1
    networks: [back]
    deploy: {resources: {limits: {memory: 128M, cpus: "0.50", pids: 100}}}
  replicas:
    <<: *common
    image: evenkeel-test/web:volume
    deploy: {replicas: 2}
    healthcheck: {test: ["CMD", "/bin/web", "check"], interval: 1s, timeout: 2s, retries: 3, start_period: 1s}
  beside:
    <<: *common
    image: evenkeel-test/web:1
    environment: {PORT: "8081"}
    network_mode: "service:store"
    entrypoint: ["/bin/web"]
    command: ["serve"]
  setup:
    image: evenkeel-test/web:oneshot
    restart: "no"
    configs: [{source: settings, target: /etc/settings}]
    secrets: [token]
networks: {front: {driver_opts: {com.docker.network.bridge.enable_icc: "true"}}, back: {internal: true}}
volumes: {data: {labels: {kept: "yes"}}}
configs: {settings: {file: ./settings}}
secrets: {token: {file: ./token}}
"#;

fn declared(what: &str) -> Stack {
    let stack = Stack::new(what);
    declare(&stack, "evenkeel-test/redis:1");
    stack
}

/// Declares it, with this image for one that stores.
pub fn declare(stack: &Stack, store: &str) {
    stack.write("web.env", "SECRET_TOKEN=abcdefgh\nPLAIN=1\n");
    stack.write("web.conf", "x\n");
    stack.write("settings", "a\n");
    stack.write("token", "t\n");
    let compose = COMPOSE.replace("evenkeel-test/redis:1", store);
    stack.declare(&compose, "defaults: {rollout: {minReady: 300ms, deadline: 30s}}");
}

/// docker compose compares its config-hash, so it must be the one that docker compose itself would write.
#[test]
fn what_evenkeel_made_docker_compose_leaves_as_it_is() {
    let stack = declared("handover");
    stack.evenkeel(&["apply"]).exits(0);
    // Where a namespace is shared, docker compose's hash has the other container's id in it. Ours has the service's name,
    // so that one is made anew; nothing else is.
    let but_shared = || stack.ids().into_iter().filter(|(name, _)| name != "beside-1").collect::<Vec<_>>();
    let made = but_shared();
    stack.compose(&["up", "-d"]).exits(0);
    assert_eq!(but_shared(), made);
    assert_eq!(made.len(), 5);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
}

#[test]
fn what_docker_compose_made_is_adopted_untouched_and_changes_by_hand_are_seen() {
    let stack = declared("adopt");
    stack.compose(&["up", "-d"]).exits(0);
    let made = stack.containers();
    let network = format!("{}_front", stack.name);

    let plan = stack.evenkeel(&["diff", "--format", "json"]).exits(0).json();
    let changes = plan["changes"].as_array().unwrap();
    let acting: Vec<_> = changes.iter().filter(|change| change["action"] != "adopt").collect();
    assert!(acting.is_empty(), "{}", serde_json::to_string_pretty(&acting).unwrap());
    let applied = stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.containers(), made, "{}", applied.all());
    stack.evenkeel(&["apply"]).exits(0);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    assert_eq!(stack.containers(), made);

    let container = format!("{}-web", stack.name);
    let store = stack.full("store-1");
    let drift = |what: &str, undo: &[&str]| {
        stack.evenkeel(&["diff", "--exit-code"]).exits(1).says(what);
        stack.docker(undo);
        stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    };
    stack.docker(&["update", "--pids-limit", "65", &container]);
    drift("limits.pids", &["update", "--pids-limit", "64", &container]);
    stack.docker(&["rename", &store, &format!("{store}-other")]);
    drift("name", &["rename", &format!("{store}-other"), &store]);
    stack.docker(&["stop", &store]);
    drift("store", &["start", &store]);
    stack.docker(&["network", "disconnect", &network, &container]);
    stack.evenkeel(&["diff", "--exit-code"]).exits(1).says("front");
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.ids().len(), made.len());
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    let networks = stack.docker(&["inspect", "-f", "{{json .NetworkSettings.Networks}}", &container]);
    assert!(
        networks.contains("\"www\"") && networks.contains(&network),
        "connected again with its aliases: {networks}"
    );

    stack.write("compose.yaml", &COMPOSE.replace("LOG_LEVEL: info", "LOG_LEVEL: debug"));
    stack.evenkeel(&["diff", "--exit-code"]).exits(1).says("LOG_LEVEL");
    stack.write("web.env", "SECRET_TOKEN=ijklmnop\nPLAIN=1\n");
    stack.write("compose.yaml", COMPOSE);
    stack.evenkeel(&["diff", "--exit-code"]).exits(1).says("SECRET_TOKEN");
}

#[test]
fn a_project_from_elsewhere_is_refused_unless_it_is_adopted() {
    let stack = Stack::new("elsewhere");
    let compose = "services: {web: {image: evenkeel-test/web:1, restart: always}}";
    stack.write("other/compose.yaml", compose);
    let file = stack.path("other/compose.yaml").display().to_string();
    stack.compose(&["-f", &file, "up", "-d"]).exits(0);
    let made = stack.containers();
    stack.declare(compose, "defaults: {rollout: {minReady: 300ms}}");
    let refused = stack.evenkeel(&["apply"]);
    let text = refused.all();
    assert!(text.contains("other") && text.contains("adopt"), "both paths and what to do: {text}");
    refused.exits(8);
    assert_eq!(stack.containers(), made);
    stack.declare(compose, "adopt: true, defaults: {rollout: {minReady: 300ms}}");
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.containers(), made);
}

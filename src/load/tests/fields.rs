//! No field of a Compose service is left out silently: each changes the desired state, or is refused, or is known to mean
//! nothing when a service is brought up.

use super::*;
use crate::load::manifest::inline::COMPOSE_FIELDS;

/// Fields that `docker compose up` does not look at either: `attach` is for its output, `develop` for `watch`,
/// `credential_spec` for Windows; of
/// `deploy` it reads `replicas`, `resources.limits`, `restart_policy`, and of reservations memory and devices.
const WITHOUT_MEANING: [&str; 15] = [
    "attach: false",
    "credential_spec: {file: a.json}",
    "develop: {watch: [{path: ., action: rebuild}]}",
    "deploy: {mode: replicated}",
    "deploy: {labels: {a: b}}",
    "deploy: {update_config: {order: start-first}}",
    "deploy: {rollback_config: {order: start-first}}",
    "deploy: {placement: {constraints: [a]}}",
    "deploy: {endpoint_mode: vip}",
    "deploy: {resources: {reservations: {cpus: '1'}}}",
    "deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: a, value: 1}}]}}}",
    "ports: [{target: 70, published: '70', mode: host}]",
    "ports: [{target: 70, published: '70', name: http}]",
    "ports: [{target: 70, published: '70', app_protocol: http}]",
    "volumes: [{type: bind, source: /a, target: /a, consistency: cached}]",
];

/// One use of every other field.
const WITH_MEANING: [&str; 111] = [
    "annotations: {a: b}",
    "blkio_config: {weight: 300}",
    "blkio_config: {weight_device: [{path: /dev/sda, weight: 300}]}",
    "blkio_config: {device_read_bps: [{path: /dev/sda, rate: 1m}]}",
    "build: .",
    "cap_add: [NET_ADMIN]",
    "cap_drop: [ALL]",
    "cgroup: host",
    "cgroup_parent: /a",
    "command: a b",
    "configs: [config]",
    "configs: [inline]",
    "configs: [{source: inline, mode: 0400}]",
    "container_name: aa",
    "cpu_count: 1",
    "cpu_percent: 5",
    "cpu_period: 100000",
    "cpu_quota: 50000",
    "cpu_rt_period: 100000",
    "cpu_rt_runtime: 50000",
    "cpu_shares: 512",
    "cpus: 0.5",
    "cpuset: '0'",
    "depends_on: [db]",
    "deploy: {replicas: 2}",
    "deploy: {resources: {limits: {cpus: '0.5'}}}",
    "deploy: {resources: {limits: {memory: 64m}}}",
    "deploy: {resources: {limits: {pids: 64}}}",
    "deploy: {resources: {reservations: {memory: 64m}}}",
    "deploy: {resources: {reservations: {devices: [{capabilities: [gpu], count: 1}]}}}",
    "deploy: {restart_policy: {condition: any}}",
    "device_cgroup_rules: ['c 1:3 mr']",
    "devices: [/dev/fuse]",
    "environment: [UNSET]",
    "dns: 1.1.1.1",
    "dns_opt: [ndots:1]",
    "dns_search: a.b",
    "domainname: a.b",
    "entrypoint: a",
    "env_file: web.env",
    "environment: {A: b}",
    "expose: ['80']",
    "extends: base",
    "external_links: [a:b]",
    "extra_hosts: ['a:1.2.3.4']",
    "gpus: all",
    "group_add: [a]",
    "healthcheck: {test: [CMD, a]}",
    "hostname: a",
    "image: other:1",
    "init: true",
    "ipc: host",
    "isolation: default",
    "label_file: web.env",
    "labels: {a: b}",
    "links: [db]",
    "links: ['db:other']",
    "logging: {driver: local}",
    "mac_address: 02:42:ac:11:00:02",
    "mem_limit: 64m",
    "mem_reservation: 64m",
    "mem_swappiness: 10",
    "memswap_limit: 64m",
    "models: [model]",
    "network_mode: host",
    "network_mode: somewhere",
    "networks: [other]",
    "networks: {other: {gw_priority: 1}}",
    "networks: {other: {interface_name: eth7}}",
    "oom_kill_disable: true",
    "oom_score_adj: 5",
    "pid: host",
    "pids_limit: 5",
    "platform: linux/arm64",
    "ports: ['80']",
    "post_start: [{command: a}]",
    "pre_stop: [{command: a}]",
    "privileged: true",
    "profiles: [off]",
    "provider: {type: a}",
    "pull_policy: always",
    "pull_policy: build",
    "pull_policy: daily",
    "read_only: true",
    "restart: always",
    "runtime: runc",
    "scale: 2",
    "secrets: [secret]",
    "secrets: [variable]",
    "security_opt: [no-new-privileges]",
    "security_opt: ['seccomp=seccomp.json']",
    "security_opt: [systempaths=unconfined]",
    "shm_size: 64m",
    "stdin_open: true",
    "stop_grace_period: 5s",
    "stop_signal: SIGINT",
    "storage_opt: {size: 1G}",
    "sysctls: {net.core.somaxconn: 1024}",
    "tmpfs: /run",
    "tty: true",
    "ulimits: {nofile: 1024}",
    "use_api_socket: true",
    "user: a",
    "userns_mode: host",
    "uts: host",
    "volumes: [{type: bind, source: /a, target: /a, bind: {recursive: disabled}}]",
    "volumes: [{type: image, source: a, target: /a}]",
    "volumes: ['data:/data']",
    "volumes: [{type: image, source: a, target: /a, image: {subpath: b}}]",
    "volumes_from: [db]",
    "working_dir: /a",
];

/// The service `web` with one more field, and all that a field may refer to.
fn loaded(field: &str) -> Result<Desired, String> {
    let image = if field.starts_with("image") { "" } else { "image: 'nginx:1'" };
    let text = format!(
        "services:
  web:
    {image}
    {field}
  db: {{image: 'db:1', container_name: db}}
  base: {{image: 'base:1', hostname: base}}
networks: {{other: {{}}}}
volumes: {{data: {{}}}}
secrets: {{secret: {{file: secret.txt}}, variable: {{environment: SECRET}}}}
configs: {{config: {{file: config.txt}}, inline: {{content: text}}}}
models: {{model: {{model: a}}}}
"
    );
    let others = [("web.env", "FILE=1\n"), ("secret.txt", "s"), ("config.txt", "c"), ("seccomp.json", "{}")];
    let (mut desired, _) = load_with("compose.yaml", &text, &others, |sources| {
        sources.environment.insert("SECRET".into(), "hunter2".into());
    })?;
    // Hashes of the files differ whatever is made of them.
    desired.source.manifest_hash.clear();
    for service in desired.services.values_mut() {
        service.config_hash.clear();
        service.container.labels.remove(crate::model::labels::compose::CONFIG_HASH);
    }
    desired.networks.values_mut().for_each(|network| network.declared_at = None);
    desired.volumes.values_mut().for_each(|volume| volume.declared_at = None);
    Ok(desired)
}

#[test]
fn every_field_has_an_effect_or_is_refused_by_name() {
    let plain = loaded("").unwrap();
    for field in WITH_MEANING {
        match loaded(field) {
            Ok(desired) => assert!(desired != plain, "`{field}` is left out silently"),
            Err(faults) => assert!(faults.contains("not built yet: `services.web."), "`{field}`: {faults}"),
        }
    }
}

/// One use of every field of `build`.
const OF_BUILD: [&str; 24] = [
    "additional_contexts: {a: ./b}",
    "args: {A: b}",
    "cache_from: [a]",
    "cache_to: [a]",
    "context: ./b",
    "dockerfile: b",
    "dockerfile_inline: FROM a",
    "entitlements: [network.host]",
    "extra_hosts: ['a:1.2.3.4']",
    "isolation: hyperv",
    "labels: {a: b}",
    "network: none",
    "no_cache: true",
    "platforms: [linux/arm64]",
    "privileged: true",
    "provenance: mode=max",
    "pull: true",
    "sbom: true",
    "secrets: [secret]",
    "shm_size: 64m",
    "ssh: [default]",
    "tags: ['a:1']",
    "target: a",
    "ulimits: {nofile: 1024}",
];

#[test]
fn every_field_of_a_build_reaches_the_builder_or_is_refused_by_name() {
    let plain = loaded("build: {}").unwrap();
    for field in OF_BUILD {
        match loaded(&format!("build: {{{field}}}")) {
            Ok(desired) => assert!(desired != plain, "`build.{field}` is left out silently"),
            Err(faults) => {
                assert!(faults.contains("`services.web.build.isolation` needs Windows"), "`{field}`: {faults}")
            }
        }
    }
}

/// As `docker compose up` does: what is built is run here.
#[test]
fn a_build_is_for_the_one_platform_that_runs() {
    let platforms = |fields: &str| {
        let target = loaded(fields).unwrap().services[&ServiceName::new("web")].build.clone().unwrap().target;
        serde_json::from_str::<serde_json::Value>(target.reveal()).unwrap()["platforms"].clone()
    };
    let both = "build: {platforms: [linux/amd64, linux/arm64]}";
    assert_eq!(platforms("build: {platforms: [linux/arm64]}"), serde_json::json!(["linux/arm64"]));
    assert_eq!(platforms(&format!("{both}\n    platform: linux/arm64")), serde_json::json!(["linux/arm64"]));
    assert_eq!(platforms(both), serde_json::Value::Null, "the builder's own");
}

#[test]
fn what_means_nothing_at_up_changes_nothing() {
    for field in WITHOUT_MEANING {
        let plain = match field.split_once(':') {
            Some(("ports", _)) => "ports: [{target: 70, published: '70'}]",
            Some(("volumes", _)) => "volumes: [{type: bind, source: /a, target: /a}]",
            _ => "",
        };
        assert_eq!(loaded(field).unwrap(), loaded(plain).unwrap(), "{field}");
    }
}

#[test]
fn every_field_that_compose_knows_is_tried_here() {
    let tried: Vec<&str> =
        WITH_MEANING.iter().chain(&WITHOUT_MEANING).filter_map(|field| field.split(':').next()).collect();
    let untried: Vec<&&str> = COMPOSE_FIELDS.iter().filter(|field| !tried.contains(*field)).collect();
    assert!(untried.is_empty(), "{untried:?}");
    let unknown: Vec<&&str> = tried.iter().filter(|field| !COMPOSE_FIELDS.contains(*field)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

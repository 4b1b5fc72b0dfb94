//! A Compose service as the container that docker compose would create.

use super::*;
use crate::model::{
    container::{HostPort, NetworkMode, RestartPolicy, Ulimit},
    names::{NetworkName, VolumeName},
    policy::Condition,
    units::{Bytes, Millis, NanoCpus},
    value::Value,
};

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn deploy_wins_over_the_services_own_limits() {
    let limits = container("mem_limit: 64m\nmem_reservation: 32m\ncpus: 0.3\npids_limit: -1").limits;
    assert_eq!((limits.memory, limits.memory_reservation), (Some(Bytes::mebi(64)), Some(Bytes::mebi(32))));
    assert_eq!((limits.cpus, limits.pids), (Some(NanoCpus(300_000_000)), Some(-1)));
    let limits = container("deploy: {resources: {limits: {memory: 1g, pids: 9, cpus: '1.5'}}}").limits;
    assert_eq!((limits.memory, limits.pids), (Some(Bytes(1 << 30)), Some(9)));
    assert_eq!(limits.cpus, Some(NanoCpus(1_500_000_000)));
}

#[test]
fn restart_policies_in_both_spellings() {
    let policy = |fields: &str| (container(fields).restart, web(fields).one_shot);
    assert_eq!(policy(""), (RestartPolicy::No, false));
    assert_eq!(policy("restart: 'no'"), (RestartPolicy::No, true));
    assert_eq!(policy("restart: on-failure:3"), (RestartPolicy::OnFailure(3), true));
    assert_eq!(policy("restart: unless-stopped"), (RestartPolicy::UnlessStopped, false));
    let deploy = |policy: &str| format!("restart: always\ndeploy: {{restart_policy: {policy}}}");
    assert_eq!(policy(&deploy("{condition: on-failure, max_attempts: 2}")), (RestartPolicy::OnFailure(2), true));
    assert_eq!(policy(&deploy("{condition: none}")), (RestartPolicy::No, true));
    assert_eq!(policy(&deploy("{condition: any}")), (RestartPolicy::Always, false));
    assert_eq!(
        policy(&deploy("{delay: 5s}")),
        (RestartPolicy::No, false),
        "an empty policy wins, as in docker compose"
    );
}

#[test]
fn what_another_awaits_the_end_of_is_a_one_shot() {
    let desired = compose(
        "services:
  migrate: {image: 'core:1', restart: always}
  core: {image: 'core:1', depends_on: {migrate: {condition: service_completed_successfully, restart: true}}}",
    );
    let migrate = &desired.services[&ServiceName::new("migrate")];
    assert!(migrate.one_shot);
    assert_eq!(migrate.rollout.deadline, Millis::minutes(60));
    let core = &desired.services[&ServiceName::new("core")];
    assert_eq!(core.depends_on[&ServiceName::new("migrate")].condition, Condition::ServiceCompletedSuccessfully);
    let label = core.container.labels.get(crate::model::labels::compose::DEPENDS_ON).unwrap().reveal();
    assert_eq!(label, "migrate:service_completed_successfully:true");
}

#[test]
fn ports_short_and_long() {
    let spec = container(
        "ports: ['80', '127.0.0.1:8080:8080', '9000-9001:9000-9001/udp', '7000-7005:70', {target: 443, published: '443', host_ip: 10.0.0.1}]
expose: ['80', 3000-3001, '53/udp']",
    );
    insta::assert_snapshot!(json(&spec.ports), @r#"
    {
      "443/tcp": [
        {
          "address": "10.0.0.1",
          "port": "443"
        }
      ],
      "70/tcp": [
        {
          "port": "7000-7005"
        }
      ],
      "80/tcp": [
        {}
      ],
      "8080/tcp": [
        {
          "address": "127.0.0.1",
          "port": "8080"
        }
      ],
      "9000/udp": [
        {
          "port": "9000"
        }
      ],
      "9001/udp": [
        {
          "port": "9001"
        }
      ]
    }
    "#);
    assert_eq!(spec.expose.iter().collect::<Vec<_>>(), ["3000-3001", "53/udp", "80"]);
    let twice = container("ports: ['80:80', '8080:80']");
    assert_eq!(
        twice.ports["80/tcp"].iter().map(|port: &HostPort| port.port.as_str()).collect::<Vec<_>>(),
        ["80", "8080"]
    );
}

#[test]
fn mounts_of_every_kind() {
    let text = "services:
  web:
    image: nginx:1
    tmpfs: [/run, '/tmp:size=64m']
    volumes:
      - data:/data:nocopy
      - /anonymous
      - ./conf:/conf:ro,z
      - {type: bind, source: ./made, target: /made, bind: {create_host_path: false, propagation: rshared}}
      - {type: tmpfs, target: /cache, tmpfs: {size: 1m, mode: 0o1777}}
      - {type: volume, source: kept, target: /kept, volume: {subpath: a}, read_only: true}
    secrets: [token, {source: token, target: other}, {source: token, target: /abs}]
    configs: [conf, {source: conf, target: /etc/app.conf}]
volumes: {data: {}, kept: {name: elsewhere}}
secrets: {token: {file: ./token.txt}}
configs: {conf: {file: ./app.conf}}
";
    let (desired, _) =
        load_with("compose.yaml", text, &[("token.txt", "s3cret"), ("app.conf", "a=1"), ("conf/x", "")], |_| ())
            .unwrap();
    let service = &desired.services[&ServiceName::new("web")];
    insta::assert_snapshot!(json(&service.container.mounts), @r#"
    {
      "/abs": {
        "source": {
          "bind": "/srv/webkit/token.txt"
        },
        "readOnly": true
      },
      "/anonymous": {
        "source": {
          "anonymous": null
        }
      },
      "/cache": {
        "source": "tmpfs",
        "tmpfsSize": "1Mi",
        "tmpfsMode": 1023
      },
      "/conf": {
        "source": {
          "bind": "/srv/webkit/conf"
        },
        "readOnly": true,
        "selinux": "z",
        "createHostPath": true
      },
      "/data": {
        "source": {
          "volume": "webkit_data"
        },
        "noCopy": true
      },
      "/etc/app.conf": {
        "source": {
          "bind": "/srv/webkit/app.conf"
        },
        "readOnly": true
      },
      "/kept": {
        "source": {
          "volume": "elsewhere"
        },
        "readOnly": true,
        "subpath": "a"
      },
      "/made": {
        "source": {
          "bind": "/srv/webkit/made"
        },
        "propagation": "rshared"
      },
      "/run": {
        "source": "tmpfs",
        "tmpfsOptions": ""
      },
      "/run/secrets/other": {
        "source": {
          "bind": "/srv/webkit/token.txt"
        },
        "readOnly": true
      },
      "/run/secrets/token": {
        "source": {
          "bind": "/srv/webkit/token.txt"
        },
        "readOnly": true
      },
      "/tmp": {
        "source": "tmpfs",
        "tmpfsOptions": "size=64m"
      }
    }
    "#);
    let contents: Vec<&str> = service.contents.iter().map(|content| content.target.as_str()).collect();
    assert_eq!(contents, ["/abs", "/etc/app.conf", "/run/secrets/other", "/run/secrets/token"]);
    let bytes = &service.contents[0].bytes;
    assert!(bytes.is_sensitive() && bytes.reveal() == "czNjcmV0");
    assert_eq!(desired.volumes.keys().map(VolumeName::as_str).collect::<Vec<_>>(), ["elsewhere", "webkit_data"]);
}

#[test]
fn networks_by_the_engines_names_with_the_service_as_an_alias() {
    let desired = compose(
        "services:
  web:
    image: nginx:1
    mac_address: 02:42:ac:11:00:02
    networks:
      front: {aliases: [www], ipv4_address: 10.5.0.9, priority: 5}
      back:
      shared:
networks:
  front: {ipam: {driver: default, config: [{subnet: 10.5.0.0/16, gateway: 10.5.0.1}]}, driver_opts: {a: 1}, labels: {team: us}}
  back: {internal: true, name: behind}
  shared: {external: true, name: proxy}
  unused: {}",
    );
    insta::assert_snapshot!(json(&desired.services[&ServiceName::new("web")].container.networks), @r#"
    {
      "behind": {
        "aliases": [
          "web"
        ]
      },
      "proxy": {
        "aliases": [
          "web"
        ]
      },
      "webkit_front": {
        "aliases": [
          "web",
          "www"
        ],
        "ipv4": "10.5.0.9",
        "mac": "02:42:ac:11:00:02",
        "priority": 5
      }
    }
    "#);
    assert_eq!(
        desired.networks.keys().map(NetworkName::as_str).collect::<Vec<_>>(),
        ["behind", "proxy", "webkit_front"]
    );
    let front = &desired.networks[&NetworkName::new("webkit_front")];
    assert_eq!(front.definition.pools[0].subnet.as_deref(), Some("10.5.0.0/16"));
    assert_eq!(front.labels["team"].reveal(), "us");
    let proxy = &desired.networks[&NetworkName::new("proxy")];
    assert!(proxy.external && proxy.labels.is_empty());
    assert_eq!(proxy.declared_at.as_deref(), Some("/srv/webkit/compose.yaml:12:3"));
}

#[test]
fn namespaces_of_others_make_a_unit() {
    let desired = compose(
        "services:
  vpn: {image: 'vpn:1'}
  web: {image: 'nginx:1', network_mode: 'service:vpn', ipc: 'service:vpn', volumes_from: ['data:ro', 'container:x']}
  data: {image: 'data:1'}",
    );
    let web = &desired.services[&ServiceName::new("web")];
    assert_eq!(web.container.network_mode, NetworkMode::Service(ServiceName::new("vpn")));
    assert_eq!(web.shares.iter().map(ServiceName::as_str).collect::<Vec<_>>(), ["data", "vpn"]);
    assert!(web.depends_on.contains_key(&ServiceName::new("vpn")));
    assert!(web.container.networks.is_empty());
    assert_eq!(container("network_mode: host").network_mode, NetworkMode::Host);
}

#[test]
fn the_environment_and_where_it_came_from() {
    let text = "services:
  web:
    image: nginx:1
    env_file: web.env
    environment:
      LEVEL: info
      REGION: ${REGION:-eu}
      PASSED:
      UNSET:
      API_KEY: abc
      DATABASE_URL: postgres://core:hunter2@db/core
    command: [serve, '--token=abc', '${REGION:-eu}']
    labels: {plain: a, 'traefik.token': b}
";
    let (desired, notes) = load_with("compose.yaml", text, &[("web.env", "FROM_FILE=1\n")], |sources| {
        sources.environment.insert("PASSED".into(), "outside".into());
    })
    .unwrap();
    let spec = &desired.services[&ServiceName::new("web")].container;
    let shown: Vec<String> = spec.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(shown, ["API_KEY=***", "DATABASE_URL=***", "FROM_FILE=***", "LEVEL=info", "PASSED=***", "REGION=***"]);
    assert_eq!(spec.environment.get("PASSED").unwrap().reveal(), "outside");
    assert_eq!(spec.unset.iter().collect::<Vec<_>>(), ["UNSET"]);
    assert_eq!(spec.command.iter().flatten().map(Value::shown).collect::<Vec<_>>(), ["serve", "***", "***"]);
    assert_eq!(
        (spec.labels.get("plain").unwrap().shown(), spec.labels.get("traefik.token").unwrap().shown()),
        ("a", "***")
    );
    assert!(
        notes
            .iter()
            .any(|note| note.text == "web: its variable `UNSET` is set nowhere, so the container does not have it")
    );
}

#[test]
fn how_a_container_runs() {
    let spec = container(
        "healthcheck: {test: curl -f localhost, interval: 10s, start_period: 1m, retries: 5}
logging: {driver: json-file, options: {max-size: 10m}}
stop_grace_period: 1m30s
stop_signal: SIGINT
init: true
user: '1000:1000'
tty: true
stdin_open: true
privileged: true
read_only: true
ulimits: {nofile: 1024, nproc: {soft: 5, hard: 6}}
sysctls: [net.core.somaxconn=1024]
cap_add: [NET_ADMIN]
extra_hosts: ['a=1.2.3.4']
devices: ['/dev/fuse:/dev/fuse:rwm', 'vendor.com/class=name']
dns: 1.1.1.1
shm_size: 64m
entrypoint: []
command: nginx -g 'daemon off;'
gpus: all",
    );
    assert_eq!(spec.ulimits["nproc"], Ulimit { soft: 5, hard: 6 });
    insta::assert_snapshot!(json(&spec), @r#"
    {
      "image": "nginx:1",
      "entrypoint": [],
      "command": [
        "nginx",
        "-g",
        "daemon off;"
      ],
      "user": "1000:1000",
      "stopSignal": "SIGINT",
      "stopGrace": "1m30s",
      "tty": true,
      "stdinOpen": true,
      "init": true,
      "readOnly": true,
      "privileged": true,
      "healthcheck": {
        "test": [
          "CMD-SHELL",
          "curl -f localhost"
        ],
        "interval": "10s",
        "startPeriod": "1m",
        "retries": 5
      },
      "ulimits": {
        "nofile": {
          "soft": 1024,
          "hard": 1024
        },
        "nproc": {
          "soft": 5,
          "hard": 6
        }
      },
      "networkMode": "networks",
      "networks": {
        "webkit_default": {
          "aliases": [
            "web"
          ]
        }
      },
      "shmSize": "64Mi",
      "capAdd": [
        "CAP_NET_ADMIN"
      ],
      "sysctls": {
        "net.core.somaxconn": "1024"
      },
      "devices": {
        "/dev/fuse": {
          "source": "/dev/fuse",
          "permissions": "rwm"
        }
      },
      "deviceRequests": [
        {
          "driver": "cdi",
          "count": 0,
          "deviceIds": [
            "vendor.com/class=name"
          ],
          "capabilities": [],
          "options": {}
        },
        {
          "driver": "",
          "count": -1,
          "deviceIds": [],
          "capabilities": [
            "gpu"
          ],
          "options": {}
        }
      ],
      "dns": [
        "1.1.1.1"
      ],
      "extraHosts": [
        "a:1.2.3.4"
      ],
      "logging": {
        "driver": "json-file",
        "options": {
          "max-size": "10m"
        }
      }
    }
    "#);
    let disabled = container("healthcheck: {disable: true}").healthcheck.unwrap();
    assert!(disabled.is_none());
    assert_eq!(container("stop_grace_period: 1500ms").stop_grace, Some(Millis::seconds(1)));
}

#[test]
fn replicas_pulling_and_names() {
    let service = web("scale: 3\npull_policy: always");
    assert_eq!((service.replicas, service.pull_policy), (3, crate::model::policy::PullPolicy::Always));
    assert_eq!(web("deploy: {replicas: 2}").replicas, 2);
    assert_eq!(web("scale: 0").replicas, 0);
    assert_eq!(web("container_name: www").container_name.as_deref(), Some("www"));
}

/// A Compose file whose service `web` has these fields, with these logins.
fn with_logins(fields: &str, logins: fn() -> Result<String, String>) -> Result<Service, String> {
    let text = format!("services: {{web: {{image: nginx, use_api_socket: true, {fields}}}}}");
    let (desired, _) = load_with("compose.yaml", &text, &[], |sources| sources.logins = logins)?;
    Ok(desired.services[&ServiceName::new("web")].clone())
}

#[test]
fn the_engines_socket_comes_with_the_logins() {
    let web = with_logins("environment: {A: b}", || Ok("logins".to_owned())).unwrap();
    let socket = &web.container.mounts["/var/run/docker.sock"];
    assert!(!socket.read_only);
    assert_eq!(web.container.environment.get("DOCKER_CONFIG").unwrap().reveal(), "/run/secrets/docker");
    let file = &web.container.files["/run/secrets/docker/config.json"];
    assert_eq!(file.content, Value::sensitive("logins"));
    // They may expire at any time, which is no reason to replace what runs.
    assert!(web.contents.is_empty());

    let own = with_logins("environment: {DOCKER_CONFIG: /own}", || Ok("logins".to_owned())).unwrap();
    assert_eq!(own.container.environment.get("DOCKER_CONFIG").unwrap().reveal(), "/own");
    let faults = with_logins("", || Err("`docker-credential-x` can't be started".to_owned())).unwrap_err();
    assert!(faults.contains("the logins of Docker's config can't be read: `docker-credential-x`"), "{faults}");
    assert!(faults.contains("compose.yaml:1:"), "{faults}");
}

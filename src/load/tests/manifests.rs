//! Manifests: where services come from, policy, names.

use super::*;

#[test]
fn a_manifest_with_inline_services_and_one_with_compose_files_are_the_same() {
    let inline = manifest("services: {web: {image: 'nginx:1', ports: ['80:80'], limits: {memory: 64Mi}}}");
    let (files, _) = manifest_with(
        "compose: {files: [compose.yaml]}\nservices: {web: {limits: {memory: 64Mi}}}",
        &[("compose.yaml", "services: {web: {image: 'nginx:1', ports: ['80:80']}}")],
    )
    .unwrap();
    let bare = |desired: &Desired| {
        let mut service = desired.services[&ServiceName::new("web")].clone();
        service.container.labels = Default::default();
        service
    };
    assert_eq!(bare(&inline), bare(&files));
    assert_eq!(inline.stack.as_str(), "webkit");
    insta::assert_snapshot!(serde_json::to_string_pretty(&inline).unwrap(), @r#"
    {
      "stack": "webkit",
      "services": {
        "web": {
          "name": "web",
          "container": {
            "image": "nginx:1",
            "labels": {
              "com.docker.compose.config-hash": "ab8a612bd8bca6d4af7c735956786f3696bcaace17ad59d1d1a118f43ec63f36",
              "com.docker.compose.depends_on": "",
              "com.docker.compose.oneoff": "False",
              "com.docker.compose.project": "webkit",
              "com.docker.compose.project.config_files": "/srv/webkit/evenkeel.yaml",
              "com.docker.compose.project.working_dir": "/srv/webkit",
              "com.docker.compose.service": "web",
              "com.docker.compose.version": "2.40.3",
              "dev.evenkeel.stack": "webkit"
            },
            "limits": {
              "memory": "64Mi"
            },
            "ports": {
              "80/tcp": [
                {
                  "port": "80"
                }
              ]
            },
            "networkMode": "networks",
            "networks": {
              "webkit_default": {
                "aliases": [
                  "web"
                ]
              }
            }
          },
          "replicas": 1,
          "pullPolicy": "missing",
          "probes": {},
          "rollout": {
            "minReady": "5s",
            "deadline": "5m",
            "drain": "0s",
            "sharedVolumes": false,
            "apply": "auto"
          },
          "oneShot": false,
          "configHash": "ab8a612bd8bca6d4af7c735956786f3696bcaace17ad59d1d1a118f43ec63f36"
        }
      },
      "networks": {
        "webkit_default": {
          "key": "default",
          "external": false,
          "declaredAt": "/srv/webkit/evenkeel.yaml:5:19",
          "configHash": "2bede6e3a9dd378b04fd207db7fa57f6dd50f32ee67acc0083b2e13f277a9748",
          "definition": {
            "internal": false,
            "attachable": false
          },
          "labels": {
            "com.docker.compose.config-hash": "2bede6e3a9dd378b04fd207db7fa57f6dd50f32ee67acc0083b2e13f277a9748",
            "com.docker.compose.network": "default",
            "com.docker.compose.project": "webkit",
            "com.docker.compose.version": "2.40.3",
            "dev.evenkeel.stack": "webkit"
          }
        }
      },
      "volumes": {},
      "policy": {
        "protect": false,
        "adopt": false,
        "prune": false,
        "order": [],
        "maxParallel": 1,
        "onFailure": "rollback"
      },
      "source": {
        "manifest": "/srv/webkit/evenkeel.yaml",
        "manifestHash": "a81aa3838fd8e93f501735760f4a493de47860f8c4620b162f39df54aef2eb60",
        "configFiles": [
          "/srv/webkit/evenkeel.yaml"
        ],
        "workingDir": "/srv/webkit",
        "environmentFiles": []
      },
      "overrides": {}
    }
    "#);
    assert_eq!(files.source.config_files, ["/srv/webkit/compose.yaml"]);
}

#[test]
fn a_compose_file_is_a_manifest_with_every_default() {
    let desired = compose("name: shop\nservices: {web: {image: 'nginx:1'}}");
    assert_eq!(desired.stack.as_str(), "shop");
    assert_eq!(desired.policy, crate::model::policy::StackPolicy::default());
    let rollout = &desired.services[&ServiceName::new("web")].rollout;
    assert_eq!(*rollout, crate::model::policy::RolloutPolicy::default());
    let (merged, _) =
        load_with("a.yaml", "services: {web: {image: a}}", &[("b.yaml", "services: {web: {user: me}}")], |sources| {
            sources.files.push("b.yaml".into());
        })
        .unwrap();
    assert_eq!(merged.services[&ServiceName::new("web")].container.user.as_deref(), Some("me"));
    assert_eq!(merged.source.config_files, ["/srv/webkit/a.yaml", "/srv/webkit/b.yaml"]);
}

#[test]
fn policy_is_the_services_own_over_the_defaults() {
    let desired = manifest(
        "defaults:
  limits: {memory: 64Mi, pids: 50}
  rollout: {minReady: 1s, drain: 3s}
  probes: {readiness: {http: {port: 80}, period: 3s}, startup: {period: 9s}}
services:
  core:
    image: a
    mem_limit: 1g
    cpus: 0.5
    limits: {memory: 128Mi, cpus: 250m}
    rollout: {strategy: stopFirst, deadline: 1m, sharedVolumes: true}
    probes: {readiness: {tcp: {port: 5432, host: 127.0.0.1}, failures: 9}}
  admin: {image: a}
capacity: {memory: 14Gi, cpus: 4, requireLimits: true}
rollout: {order: [[admin], [core]], maxParallel: 3, onFailure: rollbackStack}
prune: true
adopt: true",
    );
    let part = |name: &str| {
        let service = &desired.services[&ServiceName::new(name)];
        serde_json::json!({"limits": service.container.limits, "rollout": service.rollout, "probes": service.probes})
    };
    insta::assert_snapshot!(serde_json::to_string_pretty(&part("core")).unwrap(), @r#"
    {
      "limits": {
        "memory": "128Mi",
        "cpus": "0.25",
        "pids": 50
      },
      "rollout": {
        "strategy": "stopFirst",
        "minReady": "1s",
        "deadline": "1m",
        "drain": "3s",
        "sharedVolumes": true,
        "apply": "auto"
      },
      "probes": {
        "readiness": {
          "tcp": {
            "port": 5432,
            "host": "loopback"
          },
          "period": "3s",
          "timeout": "2s",
          "successes": 1,
          "failures": 9
        }
      }
    }
    "#);
    insta::assert_snapshot!(part("admin").to_string(), @r#"{"limits":{"memory":"64Mi","pids":50},"rollout":{"minReady":"1s","deadline":"5m","drain":"3s","sharedVolumes":false,"apply":"auto"},"probes":{"readiness":{"http":{"port":80,"path":"/","host":"container"},"period":"3s","timeout":"2s","successes":1,"failures":3}}}"#);
    insta::assert_snapshot!(serde_json::to_string(&desired.policy).unwrap(), @r#"{"protect":false,"adopt":true,"prune":true,"order":[["admin"],["core"]],"maxParallel":3,"onFailure":"rollbackStack","capacity":{"memory":"14Gi","cpus":"4","requireLimits":true}}"#);
}

#[test]
fn images_come_from_the_file_the_manifest_and_the_command_line_in_that_order() {
    let text = format!(
        "{HEAD}  services: {{a: {{image: a}}, b: {{image: b}}, c: {{image: 'c:${{TAG}}'}}}}\n  images: {{a: 'a:2', b: 'b:2'}}\n"
    );
    let (desired, notes) = load_with("evenkeel.yaml", &text, &[(".env", "TAG=env\n")], |sources| {
        sources.in_force.images.insert(ServiceName::new("b"), "b:3".into());
        sources.overrides.images.insert(ServiceName::new("b"), "b:4".into());
        sources.environment.insert("TAG".into(), "process".into());
        sources.in_force.variables.insert("TAG".into(), crate::model::value::Value::sensitive("set"));
    })
    .unwrap();
    let images: Vec<&str> = desired.services.values().map(|service| service.container.image.as_str()).collect();
    assert_eq!(images, ["a:2", "b:4", "c:set"]);
    let noted: Vec<&str> =
        notes.iter().filter(|note| note.code.as_str() == "override-in-force").map(|note| note.text.as_str()).collect();
    assert_eq!(noted, ["b runs b:4, as `--image` said", "the variable `TAG` is set by `--set`"]);
}

#[test]
fn logins_are_read_from_where_they_are_kept() {
    let spec = "services: {a: {image: a}}
registries: [{host: ghcr.io, username: {env: GH_USER}, password: {file: token}}]
compose: {envFiles: [.env.prod]}";
    let others = [(".env.prod", "GH_USER=us\n"), ("token", "t0ken\n")];
    let (desired, _) = manifest_with(spec, &others).unwrap();
    let login = &desired.registries["ghcr.io"];
    assert_eq!((login.username.reveal(), login.password.reveal()), ("us", "t0ken"));
    assert!(login.username.is_sensitive() && login.password.is_sensitive());
    let label =
        desired.services[&ServiceName::new("a")].container.labels.get(crate::model::labels::compose::ENVIRONMENT_FILE);
    assert_eq!(label.unwrap().reveal(), "/srv/webkit/.env.prod");
    let (later, _) = manifest_with(spec, &[others[0], ("token", "another\n")]).unwrap();
    assert_eq!(later.source.manifest_hash, desired.source.manifest_hash, "a new token is no new manifest");
}

#[test]
fn headers_of_probes_may_hold_secrets() {
    let spec = "services:
  a:
    image: a
    probes: {readiness: {http: {port: 80, headers: {Host: a.b, Authorization: Basic x, X-Probe: {env: PROBE}}}}}";
    let (desired, _) = manifest_with(spec, &[(".env", "PROBE=p\n")]).unwrap();
    let probe = desired.services[&ServiceName::new("a")].probes.readiness.clone().unwrap();
    let shown: Vec<&str> = probe.attempt.values().map(crate::model::value::Value::shown).collect();
    assert_eq!(shown, ["***", "a.b", "***"]);
}

#[test]
fn the_manifests_hash_covers_every_file() {
    let hash = |env: &str, config: &str| {
        let spec = "services: {a: {image: a, env_file: a.env, volumes: ['./conf:/conf:ro']}}";
        manifest_with(spec, &[("a.env", env), ("conf", config)]).unwrap().0.source.manifest_hash
    };
    assert_eq!(hash("A=1", "x"), hash("A=1", "x"));
    assert_ne!(hash("A=1", "x"), hash("A=2", "x"));
    assert_ne!(hash("A=1", "x"), hash("A=1", "y"));
}

#[test]
fn profiles_enable_services_and_waves_pass_over_disabled_ones() {
    let spec = "compose: {profiles: [debug]}
services:
  a: {image: a}
  b: {image: b, profiles: [debug]}
  c: {image: c, profiles: [other]}
images: {c: d}
rollout: {order: [[c], [a], [b]]}";
    let desired = manifest(spec);
    assert_eq!(desired.services.keys().map(ServiceName::as_str).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(desired.policy.order, [vec![ServiceName::new("a")], vec![ServiceName::new("b")]]);
}

#[test]
fn a_desired_state_survives_being_stored() {
    let desired = manifest(
        "services: {a: {image: a, environment: {PASSWORD: x}, ports: ['80:80'], volumes: [/x], restart: always}}",
    );
    let stored = serde_json::to_string(&desired).unwrap();
    assert_eq!(serde_json::from_str::<Desired>(&stored).unwrap(), desired);
}

proptest::proptest! {
    #[test]
    fn no_input_panics(text in "\\PC*", spec in "[a-z{}\\[\\]:, \n'\"$&*!-]{0,200}") {
        let _ = load_with("evenkeel.yaml", &text, &[], |_| ());
        let _ = load_with("evenkeel.yaml", &format!("{HEAD}{}", indented(&spec, 2)), &[], |_| ());
        let _ = load_with("compose.yaml", &format!("services:\n  web:\n{}", indented(&spec, 4)), &[], |_| ());
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        struct Bytes(Vec<u8>);
        impl Reader for Bytes {
            fn read(&self, _: &std::path::Path) -> std::io::Result<Vec<u8>> {
                Ok(self.0.clone())
            }
            fn is_file(&self, _: &std::path::Path) -> bool {
                true
            }
            fn is_folder(&self, _: &std::path::Path) -> bool {
                false
            }
            fn follow_link(&self, _: &std::path::Path) -> Option<std::path::PathBuf> {
                None
            }
            fn mode_and_owner(&self, _: &std::path::Path) -> Option<(u32, u32, u32)> {
                None
            }
        }
        let reader = Bytes(bytes);
        let _ = load(&Sources::new("/srv", ["evenkeel.yaml"], &reader));
    }
}

#[test]
fn liveness_and_windows_are_the_services_own_over_the_defaults() {
    let desired = manifest(
        "defaults:
  probes: {liveness: {tcp: {port: 80}, timeout: 1s, budget: {restarts: 2}}}
  rollout: {apply: window, window: {cron: '0 2 * * *', duration: 2h, timezone: Australia/Sydney}}
services:
  core:
    image: a
    probes: {liveness: {http: {port: 80, path: /live}, failures: 5, budget: {per: 1h}}}
    rollout: {window: {cron: '30 4 * * SUN'}}
  db: {image: a, rollout: {apply: manual}}
  job: {image: a, restart: 'no'}
  web: {image: a, rollout: {apply: auto}, probes: {liveness: {docker: {}, period: 1m}}}",
    );
    let service = |name: &str| &desired.services[&ServiceName::new(name)];
    let policy = |name: &str| {
        let Service { liveness, rollout, .. } = service(name);
        serde_json::to_string(&serde_json::json!([liveness, rollout.apply, rollout.window])).unwrap()
    };
    let all: Vec<String> = ["core", "db", "job", "web"].map(|name| format!("{name} {}", policy(name))).into();
    insta::assert_snapshot!(all.join("\n"), @r#"
    core [{"http":{"port":80,"path":"/live","host":"container"},"period":"10s","timeout":"1s","successes":1,"failures":5,"budget":{"restarts":2,"per":"1h"}},"window",{"cron":"30 4 * * SUN","duration":"2h","timezone":"Australia/Sydney"}]
    db [{"tcp":{"port":80,"host":"container"},"period":"10s","timeout":"1s","successes":1,"failures":3,"budget":{"restarts":2,"per":"10m"}},"manual",null]
    job [null,"window",{"cron":"0 2 * * *","duration":"2h","timezone":"Australia/Sydney"}]
    web [{"docker":{},"period":"1m","timeout":"1s","successes":1,"failures":3,"budget":{"restarts":2,"per":"10m"}},"auto",null]
    "#);
}

#[test]
fn what_is_not_written_of_liveness_and_windows_has_a_default() {
    let desired = manifest(
        "services:
  core:
    image: a
    probes: {liveness: {tcp: {port: 80}}}
    rollout: {apply: window, window: {cron: '0 2 * * *', duration: 2h}}",
    );
    let core = &desired.services[&ServiceName::new("core")];
    let liveness = core.liveness.clone().unwrap();
    assert_eq!((liveness.probe.period, liveness.probe.failures), (crate::model::units::Millis::seconds(10), 3));
    assert_eq!(liveness.budget, crate::model::policy::Budget::default());
    assert_eq!(core.rollout.window.as_ref().unwrap().timezone, "UTC");
    assert_eq!(core.probes, crate::model::policy::Probes::default());
}

//! What is refused, as it is shown.

use super::*;

#[test]
fn unknown_services_are_found_wherever_they_are_named() {
    insta::assert_snapshot!(manifest_refused("services: {core: {image: a}}
images: {cor: b}
show: [LEVEL, cora.LEVEL]
rollout: {order: [[core], [admin]]}"), @r"
    error: there is no service `cor`
     --> evenkeel.yaml:6:12
      |
    6 |   images: {cor: b}
      |            ^^^
      |
      = hint: did you mean `core`?

    error: there is no service `cora`
     --> evenkeel.yaml:7:17
      |
    7 |   show: [LEVEL, cora.LEVEL]
      |                 ^^^^^^^^^^
      |
      = hint: did you mean `core`?

    error: there is no service `admin`
     --> evenkeel.yaml:8:30
      |
    8 |   rollout: {order: [[core], [admin]]}
      |                              ^^^^^
      |
      = hint: the services are `core`
    ");
    let files = [("compose.yaml", "services: {core: {image: a}}")];
    insta::assert_snapshot!(manifest_with("compose: {files: [compose.yaml]}\nservices: {cores: {limits: {pids: 5}}}", &files).unwrap_err(), @r"
    error: there is no service `cores`
     --> evenkeel.yaml:6:14
      |
    6 |   services: {cores: {limits: {pids: 5}}}
      |              ^^^^^
      |
      = hint: did you mean `core`?
    ");
}

#[test]
fn compose_fields_beside_compose_files_are_misplaced() {
    let files = [("compose.yaml", "services: {core: {image: a}}")];
    let spec = "compose: {files: [compose.yaml]}\nservices: {core: {image: b}}\nnetworks: {a: {}}";
    insta::assert_snapshot!(manifest_with(spec, &files).unwrap_err(), @r"
    error: `image` belongs in a Compose file
     --> evenkeel.yaml:6:21
      |
    6 |   services: {core: {image: b}}
      |                     ^^^^^
      |
      = hint: the services are those of `spec.compose.files`; write it there, or drop `spec.compose`

    error: `networks` belongs in a Compose file
     --> evenkeel.yaml:7:3
      |
    7 |   networks: {a: {}}
      |   ^^^^^^^^
      |
      = hint: the services are those of `spec.compose.files`; write it there, or drop `spec.compose`
    ");
}

#[test]
fn order_and_depends_on_make_no_cycle() {
    let spec = "services:
  core: {image: a, depends_on: [db]}
  db: {image: a, depends_on: [disk]}
  disk: {image: a}
rollout: {order: [[core], [disk], [disk]]}";
    insta::assert_snapshot!(manifest_refused(spec), @r"
    error: a cycle: `core` waits for `db` (depends_on), which waits for `disk` (depends_on), which waits for `core` (rollout.order)
     --> evenkeel.yaml:9:22
      |
    9 |   rollout: {order: [[core], [disk], [disk]]}
      |                      ^^^^
      |
      = hint: `depends_on` always holds; take one of the services out of its wave, or move it

    error: `disk` is in `spec.rollout.order` twice
     --> evenkeel.yaml:9:38
      |
    9 |   rollout: {order: [[core], [disk], [disk]]}
      |                                      ^^^^
    ");
    insta::assert_snapshot!(refused("services: {a: {image: a, depends_on: [b]}, b: {image: a, depends_on: [a]}}"), @r"
    error: dependency cycle detected: a -> b -> a
     --> compose.yaml:1:71
      |
    1 | services: {a: {image: a, depends_on: [b]}, b: {image: a, depends_on: [a]}}
      |                                                                       ^
    ");
}

#[test]
fn a_host_port_has_one_owner() {
    let text = "services:
  a: {image: a, ports: ['80:80', '127.0.0.1:9000:1', '53:53/udp']}
  b: {image: a, ports: ['10.0.0.1:80:8080', '127.0.0.2:9000:1', '53:53/tcp']}
  c: {image: a, scale: 2, ports: ['7000:7000', '7100-7110:7001', '7002']}
  d: {image: a, network_mode: host, ports: ['80:80']}
  e: {image: a, scale: 3, ports: ['8000-8001:1']}";
    insta::assert_snapshot!(refused(text), @r"
    error: the host port 10.0.0.1:80 is published by `a` and by `b`
     --> compose.yaml:3:25
      |
    3 |   b: {image: a, ports: ['10.0.0.1:80:8080', '127.0.0.2:9000:1', '53:53/tcp']}
      |                         ^^^^^^^^^^^^^^^^^^

    error: c: the host port 7000 cannot be published by 2 replicas
     --> compose.yaml:4:35
      |
    4 |   c: {image: a, scale: 2, ports: ['7000:7000', '7100-7110:7001', '7002']}
      |                                   ^^^^^^^^^^^
      |
      = hint: publish a range with a port for each, or put a reverse proxy in front

    error: e: the host ports 8000-8001 cannot be published by 3 replicas
     --> compose.yaml:6:35
      |
    6 |   e: {image: a, scale: 3, ports: ['8000-8001:1']}
      |                                   ^^^^^^^^^^^^^
      |
      = hint: publish a range with a port for each, or put a reverse proxy in front
    ");
}

#[test]
fn a_deadline_is_longer_than_the_time_it_bounds() {
    insta::assert_snapshot!(manifest_refused("services: {core: {image: a, rollout: {minReady: 10m}}}"), @r"
    error: core: its deadline of 5m must be longer than its minReady of 10m
     --> evenkeel.yaml:5:51
      |
    5 |   services: {core: {image: a, rollout: {minReady: 10m}}}
      |                                                   ^^^
      |
      = hint: a container must be ready, and stay so for `minReady`, before the deadline
    ");
}

#[test]
fn a_limit_of_nothing_is_refused() {
    insta::assert_snapshot!(manifest_refused("defaults: {limits: {cpus: 0.0}}
services: {a: {image: a, limits: {memory: 0Mi, cpus: 1}}}"), @r"
    error: `spec.defaults.limits.cpus` must be more than zero
     --> evenkeel.yaml:5:29
      |
    5 |   defaults: {limits: {cpus: 0.0}}
      |                             ^^^
      |
      = hint: to limit nothing, leave it out

    error: `spec.services.a.limits.memory` must be more than zero
     --> evenkeel.yaml:6:45
      |
    6 |   services: {a: {image: a, limits: {memory: 0Mi, cpus: 1}}}
      |                                             ^^^
      |
      = hint: to limit nothing, leave it out
    ");
}

#[test]
fn a_probe_asks_one_question() {
    let spec = "services:
  a: {image: a, probes: {readiness: {http: {port: 1}, tcp: {port: 1}, period: 0s}}}
  b: {image: a, probes: {startup: {timeout: 2s}}}";
    insta::assert_snapshot!(manifest_refused(spec), @r"
    error: `spec.services.a.probes.readiness` has several kinds, `http` and `tcp`, but asks one question
     --> evenkeel.yaml:6:28
      |
    6 |     a: {image: a, probes: {readiness: {http: {port: 1}, tcp: {port: 1}, period: 0s}}}
      |                            ^^^^^^^^^

    error: `spec.services.a.probes.readiness.period` must be more than zero
     --> evenkeel.yaml:6:81
      |
    6 |     a: {image: a, probes: {readiness: {http: {port: 1}, tcp: {port: 1}, period: 0s}}}
      |                                                                                 ^^

    error: `spec.services.b.probes.startup` does not say what to ask
     --> evenkeel.yaml:7:28
      |
    7 |     b: {image: a, probes: {startup: {timeout: 2s}}}
      |                            ^^^^^^^
      |
      = hint: add one of `http`, `tcp`, `exec`, `docker`
    ");
}

#[test]
fn compose_fields_that_are_not_built_yet_or_cannot_be() {
    let text = "services:
  web:
    build: {context: ., isolation: hyperv}
    read_only: true
    models: [model]
    use_api_socket: true
    configs: [{source: written, uid: root}]
    secrets: [inner, outer]
    security_opt: ['seccomp=missing.json']
configs: {written: {content: text}}
models: {model: {model: a}}
secrets: {inner: {environment: A}, outer: {external: true}}
";
    insta::assert_snapshot!(refused(text), @r"
    error: `services.web.build.isolation` needs Windows, which is not built for here
     --> compose.yaml:3:25
      |
    3 |     build: {context: ., isolation: hyperv}
      |                         ^^^^^^^^^

    error: not built yet: `services.web.models`
     --> compose.yaml:5:5
      |
    5 |     models: [model]
      |     ^^^^^^

    error: no logins can be written into `web`, whose root is read-only
     --> compose.yaml:6:5
      |
    6 |     use_api_socket: true
      |     ^^^^^^^^^^^^^^
      |
      = hint: for the socket without logins mount it: `volumes: ['/var/run/docker.sock:/var/run/docker.sock']`

    error: `written` can't be written into `web`, whose root is read-only
     --> compose.yaml:7:15
      |
    7 |     configs: [{source: written, uid: root}]
      |               ^^^^^^^
      |
      = hint: keep its content in a file, and name that with `file`

    error: `root` is no number
     --> compose.yaml:7:33
      |
    7 |     configs: [{source: written, uid: root}]
      |                                 ^^^
      |
      = hint: a name means nothing outside of the container

    error: the variable `A` that the secret `inner` needs is not set
     --> compose.yaml:8:15
      |
    8 |     secrets: [inner, outer]
      |               ^^^^^
      |
      = hint: set it, `NAME=` for an empty one

    error: the seccomp profile `/srv/webkit/missing.json` could not be read: no such file or directory
     --> compose.yaml:9:20
      |
    9 |     security_opt: ['seccomp=missing.json']
      |                    ^^^^^^^^^^^^^^^^^^^^^^

    error: `secrets.outer.external` needs Swarm, which is not used here
      --> compose.yaml:12:44
       |
    12 | secrets: {inner: {environment: A}, outer: {external: true}}
       |                                            ^^^^^^^^
    ");
}

#[test]
fn files_that_are_not_there() {
    let spec = "compose: {files: [compose.yaml, missing.yaml], envFiles: [.env.prod]}\nservices: {}";
    insta::assert_snapshot!(manifest_with(spec, &[("compose.yaml", "services: {a: {image: a}}")]).unwrap_err(), @r"
    error: there is no file `/srv/webkit/missing.yaml`
     --> evenkeel.yaml:5:35
      |
    5 |   compose: {files: [compose.yaml, missing.yaml], envFiles: [.env.prod]}
      |                                   ^^^^^^^^^^^^

    error: there is no file `/srv/webkit/.env.prod`
     --> evenkeel.yaml:5:61
      |
    5 |   compose: {files: [compose.yaml, missing.yaml], envFiles: [.env.prod]}
      |                                                             ^^^^^^^^^
    ");
    insta::assert_snapshot!(refused("services: {a: {image: a, secrets: [s], env_file: a.env}}\nsecrets: {s: {file: s.txt}}"), @r"
    error: env file /srv/webkit/a.env not found
     --> compose.yaml:1:50
      |
    1 | services: {a: {image: a, secrets: [s], env_file: a.env}}
      |                                                  ^^^^^
    ");
    assert_eq!(load(&Sources::new("/srv", ["a.yaml"], &Memory::default())).unwrap_err().faults[0].file, "a.yaml");
}

#[test]
fn a_faulty_manifest_does_not_hide_faults_of_its_compose_files() {
    let spec = "prune: maybe\ncompose: {files: [compose.yaml]}";
    insta::assert_snapshot!(manifest_with(spec, &[("compose.yaml", "services: {a: {imagee: a}}")]).unwrap_err(), @r"
    error: unknown field 'imagee' in services.a
     --> compose.yaml:1:16
      |
    1 | services: {a: {imagee: a}}
      |                ^^^^^^
      |
      = hint: did you mean 'image'?

    error: `spec.prune` must be true or false, not the text `maybe`
     --> evenkeel.yaml:5:10
      |
    5 |   prune: maybe
      |          ^^^^^
    ");
    insta::assert_snapshot!(manifest_refused("prune: maybe\nservices: {a: {image: 5.5, routes: []}}"), @r"
    error: `spec.prune` must be true or false, not the text `maybe`
     --> evenkeel.yaml:5:10
      |
    5 |   prune: maybe
      |          ^^^^^

    error: services.a.image must be a string, found number
     --> evenkeel.yaml:6:25
      |
    6 |   services: {a: {image: 5.5, routes: []}}
      |                         ^^^

    error: not built yet: `routes`
     --> evenkeel.yaml:6:30
      |
    6 |   services: {a: {image: 5.5, routes: []}}
      |                              ^^^^^^
    ");
}

#[test]
fn a_manifest_stands_alone_and_declares_something() {
    let fault = load_with("evenkeel.yaml", HEAD, &[("compose.yaml", "services: {}")], |sources| {
        sources.files.push("compose.yaml".into());
    });
    insta::assert_snapshot!(fault.unwrap_err(), @r"
    error: a Stack manifest stands alone, but other files are named beside it
     --> evenkeel.yaml:1:1
      |
    1 | apiVersion: evenkeel.dev/v1
      | ^^^^^^^^^^
      |
      = hint: put the Compose files under `spec.compose.files`
    ");
    insta::assert_snapshot!(manifest_refused("prune: true"), @r"
    error: the manifest declares no service
     --> evenkeel.yaml:4:1
      |
    4 | spec:
      | ^^^^
      |
      = hint: name Compose files under `spec.compose.files`, or write services under `spec.services`
    ");
    insta::assert_snapshot!(refused("kind: a\n---\nkind: b\n"), @r"
    error: a manifest is one document, and here begins another
     --> compose.yaml:3:1
      |
    3 | kind: b
      | ^^^^
    ");
}

#[test]
fn secrets_must_be_where_they_are_said_to_be() {
    let spec = "services: {a: {image: a}}
registries: [{host: ghcr.io, username: {env: GH_USER}, password: {file: token}}]";
    insta::assert_snapshot!(manifest_refused(spec), @r"
    error: the variable `GH_USER` is not set
     --> evenkeel.yaml:6:42
      |
    6 |   registries: [{host: ghcr.io, username: {env: GH_USER}, password: {file: token}}]
      |                                          ^^^^

    error: there is no file `/srv/webkit/token`
     --> evenkeel.yaml:6:68
      |
    6 |   registries: [{host: ghcr.io, username: {env: GH_USER}, password: {file: token}}]
      |                                                                    ^^^^^
    ");
}

#[test]
fn restart_policies_that_the_engine_refuses() {
    insta::assert_snapshot!(refused("services: {a: {image: a, restart: sometimes}, b: {image: a, restart: 'always:3'}}"), @r"
    error: `services.a.restart`: `sometimes` is not `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`
     --> compose.yaml:1:26
      |
    1 | services: {a: {image: a, restart: sometimes}, b: {image: a, restart: 'always:3'}}
      |                          ^^^^^^^

    error: `services.b.restart`: the engine counts restarts with `on-failure` only, not with `always`
     --> compose.yaml:1:61
      |
    1 | services: {a: {image: a, restart: sometimes}, b: {image: a, restart: 'always:3'}}
      |                                                             ^^^^^^^
    ");
}

#[test]
fn images_of_the_manifest_are_references() {
    insta::assert_snapshot!(manifest_refused("services: {a: {image: a}, b: {image: a}}\nimages: {a: 'a:${TAG}', b: ''}"), @r"
    error: `spec.images.a` takes no variables
     --> evenkeel.yaml:6:15
      |
    6 |   images: {a: 'a:${TAG}', b: ''}
      |               ^^^^^^^^^^
      |
      = hint: pass it with `--image a=…`

    error: `spec.images.b` is no image reference
     --> evenkeel.yaml:6:30
      |
    6 |   images: {a: 'a:${TAG}', b: ''}
      |                              ^^
      |
      = hint: for example `ghcr.io/us/core:1.2.3`
    ");
}

#[test]
fn an_image_for_no_service_is_a_fault_when_it_is_given_now() {
    let overrides = |image: &str| {
        let mut overrides = Overrides::default();
        overrides.images.insert(ServiceName::new("cor"), image.into());
        overrides
    };
    let text = "services: {core: {image: a}}";
    let given = load_with("compose.yaml", text, &[], |sources| sources.overrides = overrides("b"));
    insta::assert_snapshot!(given.unwrap_err(), @r"
    error: `--image cor=b` names no service
      = hint: did you mean `core`?
    ");
    let (desired, _) = load_with("compose.yaml", text, &[], |sources| sources.in_force = overrides("b")).unwrap();
    assert!(desired.overrides.images.is_empty());
}

#[test]
fn memory_and_swap_are_no_less_than_memory() {
    insta::assert_snapshot!(manifest_refused("services: {a: {image: a, memswap_limit: 64m, limits: {memory: 128Mi}}}"), @r"
    error: a: `memswap_limit` is memory and swap together, so 64Mi is less than its memory of 128Mi
     --> evenkeel.yaml:5:28
      |
    5 |   services: {a: {image: a, memswap_limit: 64m, limits: {memory: 128Mi}}}
      |                            ^^^^^^^^^^^^^
    ");
}

#[test]
fn replicas_are_bounded() {
    let text = "services:
  a: {image: a, scale: 1001}
  c: {image: a, deploy: {replicas: 5000}}";
    insta::assert_snapshot!(refused(text), @r"
    error: `services.a.scale` must be at most 1000
     --> compose.yaml:2:17
      |
    2 |   a: {image: a, scale: 1001}
      |                 ^^^^^

    error: `services.c.deploy.replicas` must be at most 1000
     --> compose.yaml:3:26
      |
    3 |   c: {image: a, deploy: {replicas: 5000}}
      |                          ^^^^^^^^
    ");
}

#[test]
fn depth_and_size_are_bounded() {
    for text in ["[".repeat(100_000), "{a: ".repeat(100_000), format!("kind: {}", "- ".repeat(100_000))] {
        assert!(load_with("evenkeel.yaml", &text, &[], |_| ()).is_err());
    }
}

#[test]
fn a_window_that_means_nothing_is_refused() {
    let spec = "services:
  a: {image: a, rollout: {apply: window}}
  b: {image: a, rollout: {window: {cron: '0 2 * * *', duration: 2h}}}
  c: {image: a, rollout: {apply: window, window: {cron: '0 25 * * *', duration: 0s, timezone: Sydney}}}
  d: {image: a, rollout: {apply: window, window: {cron: '0 2 * *', duration: 2h, timezone: Europe/Berln}}}
  e: {image: a, rollout: {apply: window, window: {timezone: Mars/Olympus}}}";
    insta::assert_snapshot!(manifest_refused(spec), @r#"
    error: `spec.services.a.rollout.apply` is `window`, but no window is written
     --> evenkeel.yaml:6:36
      |
    6 |     a: {image: a, rollout: {apply: window}}
      |                                    ^^^^^^
      |
      = hint: add `window: {cron: "0 2 * * *", duration: 2h}` beside it

    error: `spec.services.b.rollout.window` means nothing without `apply: window`
     --> evenkeel.yaml:7:29
      |
    7 |     b: {image: a, rollout: {window: {cron: '0 2 * * *', duration: 2h}}}
      |                             ^^^^^^
      |
      = hint: add `apply: window` beside it

    error: `spec.services.c.rollout.window.cron` is no cron expression: number out of bounds
     --> evenkeel.yaml:8:59
      |
    8 |     c: {image: a, rollout: {apply: window, window: {cron: '0 25 * * *', duration: 0s, timezone: Sydney}}}
      |                                                           ^^^^^^^^^^^^
      |
      = hint: minute, hour, day of month, month, day of week: `0 2 * * *` is 02:00 every day

    error: `spec.services.c.rollout.window.duration` must be more than zero
     --> evenkeel.yaml:8:83
      |
    8 |     c: {image: a, rollout: {apply: window, window: {cron: '0 25 * * *', duration: 0s, timezone: Sydney}}}
      |                                                                                   ^^

    error: `spec.services.c.rollout.window.timezone`: there is no time zone `Sydney`
     --> evenkeel.yaml:8:97
      |
    8 |     c: {image: a, rollout: {apply: window, window: {cron: '0 25 * * *', duration: 0s, timezone: Sydney}}}
      |                                                                                                 ^^^^^^
      |
      = hint: did you mean `Australia/Sydney`?

    error: `spec.services.d.rollout.window.cron` is no cron expression: it has 4 fields instead of five
     --> evenkeel.yaml:9:59
      |
    9 |     d: {image: a, rollout: {apply: window, window: {cron: '0 2 * *', duration: 2h, timezone: Europe/Berln}}}
      |                                                           ^^^^^^^^^
      |
      = hint: minute, hour, day of month, month, day of week: `0 2 * * *` is 02:00 every day

    error: `spec.services.d.rollout.window.timezone`: there is no time zone `Europe/Berln`
     --> evenkeel.yaml:9:94
      |
    9 |     d: {image: a, rollout: {apply: window, window: {cron: '0 2 * *', duration: 2h, timezone: Europe/Berln}}}
      |                                                                                              ^^^^^^^^^^^^
      |
      = hint: did you mean `Europe/Berlin`?

    error: `spec.services.e.rollout.window` lacks `cron`
      --> evenkeel.yaml:10:44
       |
    10 |     e: {image: a, rollout: {apply: window, window: {timezone: Mars/Olympus}}}
       |                                            ^^^^^^
       |
       = hint: for example `{cron: "0 2 * * *", duration: 2h}`

    error: `spec.services.e.rollout.window` lacks `duration`
      --> evenkeel.yaml:10:44
       |
    10 |     e: {image: a, rollout: {apply: window, window: {timezone: Mars/Olympus}}}
       |                                            ^^^^^^
       |
       = hint: for example `{cron: "0 2 * * *", duration: 2h}`

    error: `spec.services.e.rollout.window.timezone`: there is no time zone `Mars/Olympus`
      --> evenkeel.yaml:10:63
       |
    10 |     e: {image: a, rollout: {apply: window, window: {timezone: Mars/Olympus}}}
       |                                                               ^^^^^^^^^^^^
       |
       = hint: an IANA name, such as `Australia/Sydney`
    "#);
    insta::assert_snapshot!(manifest_refused("services: {f: {image: a, rollout: {apply: windows}}}"), @r"
    error: `spec.services.f.rollout.apply` must be one of `auto`, `window`, `manual`, not the text `windows`
     --> evenkeel.yaml:5:45
      |
    5 |   services: {f: {image: a, rollout: {apply: windows}}}
      |                                             ^^^^^^^
      |
      = hint: did you mean `window`?
    ");
}

#[test]
fn a_default_window_is_used_by_a_service_at_least() {
    let unused = "defaults: {rollout: {window: {cron: '0 2 * * *', duration: 2h}}}\nservices: {a: {image: a}}";
    insta::assert_snapshot!(manifest_refused(unused), @r"
    error: `spec.defaults.rollout.window` means nothing without `apply: window`
     --> evenkeel.yaml:5:24
      |
    5 |   defaults: {rollout: {window: {cron: '0 2 * * *', duration: 2h}}}
      |                        ^^^^^^
      |
      = hint: add `apply: window` beside it
    ");
    assert!(manifest_with(&unused.replace("image: a", "image: a, rollout: {apply: window}"), &[]).is_ok());
    let missing = "defaults: {rollout: {apply: window}}\nservices: {a: {image: a}, b: {image: a}}";
    insta::assert_snapshot!(manifest_refused(missing), @r#"
    error: `spec.defaults.rollout.apply` is `window`, but no window is written
     --> evenkeel.yaml:5:31
      |
    5 |   defaults: {rollout: {apply: window}}
      |                               ^^^^^^
      |
      = hint: add `window: {cron: "0 2 * * *", duration: 2h}` beside it
    "#);
}

#[test]
fn a_liveness_probe_that_can_do_nothing_is_refused() {
    insta::assert_snapshot!(manifest_refused("services:
  a: {image: a, probes: {liveness: {tcp: {port: 1}, budget: {per: 0s}}}}
  b: {image: a, restart: on-failure, probes: {liveness: {tcp: {port: 1}}}}
  c: {image: a, probes: {liveness: {period: 5s}}}
  d: {image: a, probes: {liveness: {tcp: {port: 1}, docker: {}, period: 0s}}}"), @r"
    error: `spec.services.a.probes.liveness.budget.per` must be more than zero
     --> evenkeel.yaml:6:69
      |
    6 |     a: {image: a, probes: {liveness: {tcp: {port: 1}, budget: {per: 0s}}}}
      |                                                                     ^^

    error: `spec.services.b.probes.liveness` is of a service that ends by itself
     --> evenkeel.yaml:7:49
      |
    7 |     b: {image: a, restart: on-failure, probes: {liveness: {tcp: {port: 1}}}}
      |                                                 ^^^^^^^^
      |
      = hint: drop it, or write `restart: unless-stopped`; a service that another awaits the end of, or whose restart policy is `no` or `on-failure`, is run once

    error: `spec.services.c.probes.liveness` does not say what to ask
     --> evenkeel.yaml:8:28
      |
    8 |     c: {image: a, probes: {liveness: {period: 5s}}}
      |                            ^^^^^^^^
      |
      = hint: add one of `http`, `tcp`, `exec`, `docker`

    error: `spec.services.d.probes.liveness` has several kinds, `tcp` and `docker`, but asks one question
     --> evenkeel.yaml:9:28
      |
    9 |     d: {image: a, probes: {liveness: {tcp: {port: 1}, docker: {}, period: 0s}}}
      |                            ^^^^^^^^

    error: `spec.services.d.probes.liveness.period` must be more than zero
     --> evenkeel.yaml:9:75
      |
    9 |     d: {image: a, probes: {liveness: {tcp: {port: 1}, docker: {}, period: 0s}}}
      |                                                                           ^^
    ");
    insta::assert_snapshot!(manifest_refused("services:
  a: {image: a, probes: {liveness: {tcp: {port: 1}, successes: 2, budget: {restarts: 0}}}}"), @r"
    error: unknown field `successes` in `spec.services.a.probes.liveness`
     --> evenkeel.yaml:6:55
      |
    6 |     a: {image: a, probes: {liveness: {tcp: {port: 1}, successes: 2, budget: {restarts: 0}}}}
      |                                                       ^^^^^^^^^
      |
      = hint: the fields here are `http`, `tcp`, `exec`, `docker`, `period`, `timeout`, `failures`, `budget`

    error: `spec.services.a.probes.liveness.budget.restarts` must be a whole number of at least 1, not the number 0
     --> evenkeel.yaml:6:88
      |
    6 |     a: {image: a, probes: {liveness: {tcp: {port: 1}, successes: 2, budget: {restarts: 0}}}}
      |                                                                                        ^
    ");
}

/// Each with a fault of another stage, which must not hide that one port is published twice and one service is not there.
#[test]
fn what_one_stage_finds_hides_nothing_of_another() {
    for other in ["foo: 1", "mem_limit: lots", "depends_on: [a]", "env_file: missing.env", "networks: [nonet]"] {
        let b = format!("b: {{image: y, ports: ['80:81'], {other}}}");
        let file = format!("services:\n  a: {{image: x, ports: ['80:80'], depends_on: [b]}}\n  {b}\n");
        let said = if other == "depends_on: [a]" { refused(&file) } else { refused(&file.replace("[b]", "[]")) };
        assert!(said.contains("the host port 80 is published by `a` and by `b`"), "{other}: {said}");
        assert_eq!(said.matches("error: ").count(), 2, "{other}: {said}");

        let spec = "compose: {files: [compose.yaml]}\nrollout: {order: [[a], [nobody]]}";
        let said = manifest_with(spec, &[("compose.yaml", &file)]).unwrap_err();
        for fault in ["the host port 80 is published", "there is no service `nobody`"] {
            assert!(said.contains(fault), "{other}: {fault}: {said}");
        }
    }
    let said = manifest_refused("services: {a: {image: x, ports: ['80:80', '80:81']}}\nrollout: {deadline: soon}");
    assert!(said.contains("the host port 80 is published twice") && said.contains("deadline"), "{said}");
}

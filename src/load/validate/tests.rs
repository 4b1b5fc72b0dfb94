//! The schema check: every fault in its words, with its place.

use super::*;
use crate::{compose::yaml, load::diagnostics};

fn refused(text: &str) -> String {
    let tree = yaml::parse("evenkeel.yaml", text).unwrap();
    match manifest(&tree) {
        Ok(stack) => panic!("accepted: {stack:?}"),
        Err(faults) => diagnostics::render(&faults, false),
    }
}

const HEAD: &str = "apiVersion: evenkeel.dev/v1\nkind: Stack\nmetadata: {name: webkit}\n";

#[test]
fn every_fault_is_reported_at_once() {
    let text = format!(
        "{HEAD}spec:
  compose: {{files: compose.yaml}}
  prune: perhaps
  services:
    core:
      limits: {{memroy: 512Mi, memory: much, pids: 0}}
      rollout: {{strategy: startfirst, minReady: 5, before: {{command: [x]}}}}
      probes: {{readiness: {{http: {{path: health}}}}, liveness: {{}}}}
  backups:
"
    );
    insta::assert_snapshot!(refused(&text), @r"
    error: `spec.compose.files` must be a list such as `[compose.yaml]`, not the text `compose.yaml`
     --> evenkeel.yaml:5:20
      |
    5 |   compose: {files: compose.yaml}
      |                    ^^^^^^^^^^^^

    error: `spec.prune` must be true or false, not the text `perhaps`
     --> evenkeel.yaml:6:10
      |
    6 |   prune: perhaps
      |          ^^^^^^^

    error: unknown field `memroy` in `spec.services.core.limits`
     --> evenkeel.yaml:9:16
      |
    9 |       limits: {memroy: 512Mi, memory: much, pids: 0}
      |                ^^^^^^
      |
      = hint: did you mean `memory`?

    error: `spec.services.core.limits.memory` must be a size such as `512Mi`, not the text `much`
     --> evenkeel.yaml:9:39
      |
    9 |       limits: {memroy: 512Mi, memory: much, pids: 0}
      |                                       ^^^^

    error: `spec.services.core.limits.pids` must be a whole number of at least 1, not the number 0
     --> evenkeel.yaml:9:51
      |
    9 |       limits: {memroy: 512Mi, memory: much, pids: 0}
      |                                                   ^

    error: `spec.services.core.rollout.strategy` must be one of `startFirst`, `stopFirst`, `recreate`, not the text `startfirst`
      --> evenkeel.yaml:10:27
       |
    10 |       rollout: {strategy: startfirst, minReady: 5, before: {command: [x]}}
       |                           ^^^^^^^^^^
       |
       = hint: did you mean `startFirst`?

    error: `spec.services.core.rollout.minReady` must be a duration such as `30s`, not the number 5
      --> evenkeel.yaml:10:49
       |
    10 |       rollout: {strategy: startfirst, minReady: 5, before: {command: [x]}}
       |                                                 ^

    error: not built yet: `rollout.before`
      --> evenkeel.yaml:10:52
       |
    10 |       rollout: {strategy: startfirst, minReady: 5, before: {command: [x]}}
       |                                                    ^^^^^^

    error: `spec.services.core.probes.readiness.http` lacks `port`
      --> evenkeel.yaml:11:28
       |
    11 |       probes: {readiness: {http: {path: health}}, liveness: {}}
       |                            ^^^^
       |
       = hint: for example `{port: 8080, path: /health}`

    error: `spec.services.core.probes.readiness.http.path` must be a path that begins with `/` such as `/health`, not the text `health`
      --> evenkeel.yaml:11:41
       |
    11 |       probes: {readiness: {http: {path: health}}, liveness: {}}
       |                                         ^^^^^^

    error: not built yet: `backups`
      --> evenkeel.yaml:12:3
       |
    12 |   backups:
       |   ^^^^^^^
    ");
}

#[test]
fn a_field_without_a_value_is_absent_but_must_exist() {
    let tree =
        yaml::parse("a", &format!("{HEAD}spec:\n  defaults:\n  compose:\n    files: [a]\n    profiles:\n")).unwrap();
    assert_eq!(manifest(&tree).unwrap().spec.defaults, None);
    insta::assert_snapshot!(refused(&format!("{HEAD}spec:\n  nonsense:\n")), @r"
    error: unknown field `nonsense` in `spec`
     --> evenkeel.yaml:5:3
      |
    5 |   nonsense:
      |   ^^^^^^^^
    ");
}

#[test]
fn what_is_no_manifest_is_said_to_be_none() {
    insta::assert_snapshot!(refused("- a\n"), @r"
    error: a manifest must be a mapping, not a list
     --> evenkeel.yaml:1:1
      |
    1 | - a
      | ^^^
    ");
    insta::assert_snapshot!(refused("apiVersion: evenkeel.dev/v2\nkind: Stak\nmetadata: {name: Web Kit}\n"), @r"
    error: the manifest lacks `spec`
     --> evenkeel.yaml:1:1
      |
    1 | apiVersion: evenkeel.dev/v2
      | ^^^^^^^^^^

    error: `apiVersion` must be `evenkeel.dev/v1`, not the text `evenkeel.dev/v2`
     --> evenkeel.yaml:1:13
      |
    1 | apiVersion: evenkeel.dev/v2
      |             ^^^^^^^^^^^^^^^

    error: `kind` must be `Stack`, not the text `Stak`
     --> evenkeel.yaml:2:7
      |
    2 | kind: Stak
      |       ^^^^

    error: `metadata.name` must be a name of lower-case letters, digits, `-` and `_` that begins with a letter or digit such as `webkit`, not the text `Web Kit`
     --> evenkeel.yaml:3:18
      |
    3 | metadata: {name: Web Kit}
      |                  ^^^^^^^
    ");
}

#[test]
fn a_secret_is_never_written_in_the_manifest() {
    let text = format!("{HEAD}spec:\n  registries: [{{host: ghcr.io, username: us, password: hunter2}}]\n");
    insta::assert_snapshot!(refused(&text), @r"
    error: `spec.registries[0].username` must be `{env: NAME}` or `{file: PATH}`, not a text
     --> evenkeel.yaml:5:42
      |
    5 |   registries: [{host: ghcr.io, username: us, password: ***
      |                                          ^^

    error: `spec.registries[0].password` must be `{env: NAME}` or `{file: PATH}`, not a text
     --> evenkeel.yaml:5:56
      |
    5 |   registries: [{host: ghcr.io, username: us, password: ***
      |                                                        ^^^
    ");
}

#[test]
fn compose_fields_and_anchors_are_let_through() {
    let text =
        format!("x-a: &a {{pids: 5}}\n{HEAD}spec:\n  x-b: 1\n  services: {{core: {{image: a, x-c: 1, limits: *a}}}}\n");
    let stack = manifest(&yaml::parse("a", &text).unwrap()).unwrap();
    assert_eq!(stack.spec.services["core"].limits.as_ref().unwrap().pids, Some(5));
}

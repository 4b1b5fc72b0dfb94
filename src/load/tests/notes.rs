//! Notes: what bites later.

use super::*;

/// The notes of a Compose file, a line each.
fn notes(text: &str, others: &[(&str, &str)], change: impl FnOnce(&mut Sources<'_>)) -> String {
    let (_, notes) = load_with("compose.yaml", text, others, change).unwrap();
    let line = |note: &Note| match &note.hint {
        Some(hint) => format!("{}: {}\n  hint: {hint}\n", note.code, note.text),
        None => format!("{}: {}\n", note.code, note.text),
    };
    notes.iter().map(line).collect()
}

#[test]
fn a_careful_service_gives_none() {
    let text = "services:
  core:
    image: core:1
    restart: always
    logging: {driver: local}
    healthcheck: {test: [CMD, ok], start_period: 1m, start_interval: 1s}
  db:
    image: postgres:16
    restart: always
    stop_grace_period: 1m
    logging: {options: {max-size: 10m}}
    healthcheck: {test: [CMD, ok], interval: 2s}
    volumes: ['./pg.conf:/pg.conf:ro', ./data:/data]
";
    assert_eq!(notes(text, &[("pg.conf", ""), ("data/x", "")], |_| ()), "");
}

#[test]
fn what_bites_later_is_noted() {
    let text = "services:
  core:
    image: core:${TAG}
    healthcheck: {test: [CMD, ok], interval: 30s}
    environment: {API_KEY: abc, URL: 'http://a:b@c', TOKEN: '${OTHER:-x}', LEVEL: info}
    volumes: ['./app.conf:/app.conf']
  db: {image: 'docker.io/library/postgres:16', restart: always}
  exporter: {image: postgres-exporter, restart: always, logging: {driver: none}}
  job: {image: a, restart: 'no', healthcheck: {test: [CMD, ok]}}
";
    let others = [("app.conf", ""), ("compose.override.yaml", ""), ("notes.txt", "")];
    let found = notes(text, &others, |sources| {
        sources.siblings = ["compose.yaml", "compose.override.yaml", "notes.txt"].map(str::to_owned).to_vec();
    });
    insta::assert_snapshot!(found, @r#"
    restart-not-written: core: no restart policy is written; taken as long-running and started when down
      hint: write `restart: unless-stopped`, or `restart: "no"` for what ends by itself
    slow-gate: core: its healthcheck interval of 30s makes every rollout wait 30s
      hint: add `start_period` and `start_interval: 1s`
    no-probe: db, exporter: no probe and no health check is declared; running for `minReady` counts as ready
      hint: declare `probes.readiness` or a Compose healthcheck
    no-log-rotation: core, db, job: the log grows without bound, unless the engine's own configuration rotates it
      hint: set `logging.options.max-size`
    short-grace: db: a database that is killed 10s after it was asked to stop
      hint: set `stop_grace_period: 60s` or more
    literal-secret: core: `API_KEY` looks like a secret and stands in the file
      hint: write `${API_KEY}` and set it in the environment or an env file
    literal-secret: core: `URL` looks like a secret and stands in the file
      hint: write `${URL}` and set it in the environment or an env file
    writable-file: core: `/srv/webkit/app.conf` is bound writable, so a change of it does not roll the service
      hint: add `:ro` if the service only reads it
    other-file: `compose.override.yaml` lies here and is not read
      hint: add `-f compose.override.yaml` to merge it, or name it in the manifest
    variable-not-set: the variable `TAG` is not set, an empty text stands for it
    "#);
}

#[test]
fn what_the_manifest_shows_is_no_secret() {
    let spec = "services: {a: {image: a, environment: {PUBLIC_KEY: abc}}}\nshow: [PUBLIC_KEY]";
    let (desired, notes) = manifest_with(spec, &[]).unwrap();
    assert_eq!(
        desired.services[&ServiceName::new("a")].container.environment.get("PUBLIC_KEY").unwrap().shown(),
        "abc"
    );
    assert!(!notes.iter().any(|note| note.code.as_str() == "literal-secret"));
}

//! What bites later, as far as it can be seen without an engine. One note a kind where it is the same for many services.

use super::{
    container,
    find::looks_like_compose,
    sensitive::{self, Exceptions},
    sources::{Recording, Sources},
};
use crate::{
    compose::{Origin, Project, Reader, Warning},
    model::{
        container::{Healthcheck, MountSource},
        desired::{Overrides, Service},
        names::ServiceName,
        plan::{Note, NoteCode},
        units::Millis,
    },
};
use std::{collections::BTreeMap, path::Path};

/// The engine's own interval of health checks.
const INTERVAL_DEFAULT: Millis = Millis::seconds(30);
/// A longer interval makes a rollout noticeably slow.
const INTERVAL_QUICK: Millis = Millis::seconds(5);
/// How long a stop waits where nothing is written.
const GRACE_DEFAULT: Millis = Millis::seconds(10);
/// What a database should be given to write its state down.
const GRACE_OF_DATABASES: Millis = Millis::seconds(60);

/// Images that keep data, by the beginning of their name.
const DATABASES: [&str; 16] = [
    "postgres",
    "postgis",
    "pgvector",
    "timescaledb",
    "mysql",
    "mariadb",
    "mongo",
    "redis",
    "valkey",
    "cassandra",
    "elasticsearch",
    "opensearch",
    "clickhouse",
    "influxdb",
    "couchdb",
    "neo4j",
];

/// Words in the name of an image that serves a database without being one.
const BESIDE_DATABASES: [&str; 9] =
    ["exporter", "express", "commander", "admin", "ui", "backup", "client", "insight", "operator"];

/// What `compose` found worth saying.
pub fn of_compose(warnings: &[Warning], notes: &mut Vec<Note>) {
    for warning in warnings {
        let code = match warning.code {
            "unset-variable" => NoteCode::VariableNotSet,
            _ => NoteCode::ComposeWarning,
        };
        notes.push(Note { code, text: warning.message.clone(), hint: None });
    }
}

/// Compose files that lie beside the manifest and are not read.
pub fn of_folder(sources: &Sources<'_>, recording: &Recording<'_>, notes: &mut Vec<Note>) {
    for name in sources.siblings.iter().filter(|name| looks_like_compose(name)) {
        if !recording.has_read(&sources.working_dir.join(name)) {
            notes.push(Note {
                code: NoteCode::OtherFile,
                text: format!("`{name}` lies here and is not read"),
                hint: Some(format!("add `-f {name}` to merge it, or name it in the manifest")),
            });
        }
    }
}

/// Overrides that later applies use too.
pub fn of_overrides(overrides: &Overrides, notes: &mut Vec<Note>) {
    let images = overrides
        .images
        .iter()
        .map(|(name, image)| (format!("{name} runs {image}, as `--image` said"), name.to_string()));
    let variables =
        overrides.variables.keys().map(|name| (format!("the variable `{name}` is set by `--set`"), name.clone()));
    for (text, name) in images.chain(variables) {
        let hint = Some(format!("`--unset {name}` takes it back"));
        notes.push(Note { code: NoteCode::OverrideInForce, text, hint });
    }
}

/// What the services themselves give rise to.
pub fn of_services(
    project: &Project,
    services: &BTreeMap<ServiceName, Service>,
    exceptions: &Exceptions,
    recording: &Recording<'_>,
    notes: &mut Vec<Note>,
) {
    let named = |fits: &dyn Fn(&ServiceName, &Service) -> bool| -> Option<String> {
        let names: Vec<&str> =
            services.iter().filter(|(name, service)| fits(name, service)).map(|(name, _)| name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let written = |name: &ServiceName| project.services.get(name.as_str()).is_some_and(container::restart_is_written);
    if let Some(names) = named(&|name, service| !written(name) && !service.one_shot) {
        notes.push(Note {
            code: NoteCode::RestartNotWritten,
            text: format!("{names}: no restart policy is written; taken as long-running and started when down"),
            hint: Some("write `restart: unless-stopped`, or `restart: \"no\"` for what ends by itself".to_owned()),
        });
    }
    if let Some(names) = named(&|_, service| !service.one_shot && !is_probed(service)) {
        notes.push(Note {
            code: NoteCode::NoProbe,
            text: format!("{names}: no probe and no health check is declared; running for `minReady` counts as ready"),
            hint: Some("declare `probes.readiness` or a Compose healthcheck".to_owned()),
        });
    }
    if let Some(names) = named(&|_, service| grows_without_bound(service)) {
        notes.push(Note {
            code: NoteCode::NoLogRotation,
            text: format!("{names}: the log grows without bound, unless the engine's own configuration rotates it"),
            hint: Some("set `logging.options.max-size`".to_owned()),
        });
    }
    for (name, service) in services {
        notes.extend(slow_gate(service));
        notes.extend(short_grace(service));
        notes.extend(writable_files(service, recording));
        if let Some(written) = project.services.get(name.as_str()) {
            notes.extend(literal_secrets(name, written, exceptions));
        }
    }
}

fn is_probed(service: &Service) -> bool {
    let probes = &service.probes;
    let declared = service.container.healthcheck.as_ref().is_some_and(|check| !check.is_none());
    declared || probes.startup.is_some() || probes.readiness.is_some()
}

fn grows_without_bound(service: &Service) -> bool {
    let logging = service.container.logging.clone().unwrap_or_default();
    let driver = logging.driver.as_deref().unwrap_or("json-file");
    driver == "json-file" && !logging.options.contains_key("max-size")
}

fn slow_gate(service: &Service) -> Option<Note> {
    let check = service.container.healthcheck.as_ref()?;
    // Only one with a test, or with times for the image's test, says anything about the gate.
    if check.is_none() || *check == Healthcheck::default() {
        return None;
    }
    let probed = service.probes.startup.is_some() || service.probes.readiness.is_some();
    let interval = check.interval.filter(|interval| interval.0 > 0).unwrap_or(INTERVAL_DEFAULT);
    let quick_start = check.start_interval.is_some() && check.start_period.is_some_and(|period| period.0 > 0);
    let slow = interval > INTERVAL_QUICK && !quick_start && !probed && !service.one_shot;
    slow.then(|| Note {
        code: NoteCode::SlowGate,
        text: format!("{}: its healthcheck interval of {interval} makes every rollout wait {interval}", service.name),
        hint: Some("add `start_period` and `start_interval: 1s`".to_owned()),
    })
}

fn short_grace(service: &Service) -> Option<Note> {
    let grace = service.container.stop_grace.unwrap_or(GRACE_DEFAULT);
    let database = is_database(service.container.image.as_str()) && !service.one_shot;
    (database && grace < GRACE_OF_DATABASES).then(|| Note {
        code: NoteCode::ShortGrace,
        text: format!("{}: a database that is killed {grace} after it was asked to stop", service.name),
        hint: Some("set `stop_grace_period: 60s` or more".to_owned()),
    })
}

/// Whether an image's name says that it is a database: `postgres:16`, `bitnami/mariadb`, not `postgres-exporter`.
fn is_database(image: &str) -> bool {
    let name = image.split('@').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let name = name.split(':').next().unwrap_or_default();
    let beside = name.split(['-', '_']).any(|word| BESIDE_DATABASES.contains(&word));
    !beside && DATABASES.iter().any(|database| name.starts_with(database))
}

fn writable_files(service: &Service, recording: &Recording<'_>) -> Vec<Note> {
    let mut notes = Vec::new();
    for mount in service.container.mounts.values().filter(|mount| !mount.read_only) {
        let MountSource::Bind(source) = &mount.source else {
            continue;
        };
        let path = Path::new(source);
        if recording.is_file(path) && !path.starts_with("/etc") && !path.starts_with("/dev") {
            notes.push(Note {
                code: NoteCode::WritableFile,
                text: format!(
                    "{}: `{source}` is bound writable, so a change of it does not roll the service",
                    service.name
                ),
                hint: Some("add `:ro` if the service only reads it".to_owned()),
            });
        }
    }
    notes
}

/// Variables and labels whose secret stands in the file itself.
fn literal_secrets(name: &ServiceName, service: &crate::compose::Service, exceptions: &Exceptions) -> Vec<Note> {
    let environment = service.environment.0.iter().filter_map(|(variable, text)| Some((variable, text.as_ref()?)));
    let looks_secret = |(variable, text): &(&String, &crate::compose::Text)| {
        text.origin == Origin::Literal
            && !text.as_str().is_empty()
            && !exceptions.shows(name.as_str(), variable)
            && (sensitive::is_secret_name(variable) || sensitive::has_userinfo(text.as_str()))
    };
    let note = |(variable, _): (&String, &crate::compose::Text)| Note {
        code: NoteCode::LiteralSecret,
        text: format!("{name}: `{variable}` looks like a secret and stands in the file"),
        hint: Some(format!("write `${{{}}}` and set it in the environment or an env file", variable_name(variable))),
    };
    environment.chain(service.labels.0.iter()).filter(looks_secret).map(note).collect()
}

fn variable_name(name: &str) -> String {
    let letter = |character: char| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' };
    name.chars().map(letter).collect()
}

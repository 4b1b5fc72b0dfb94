//! `build` of a Compose service to a target of `docker buildx bake`, the one that `docker compose build --print` gives.

use super::{
    Making,
    sensitive::{Exceptions, without_userinfo},
};
use crate::{
    compose::{
        Service,
        project::{Build as Written, FileMount, Project, Ulimit},
    },
    model::{
        build::Build,
        labels::compose::{PROJECT, SERVICE, VERSION, VERSION_FOLLOWED},
        value::Value,
    },
};
use serde_json::{Map, Value as Json, json};
use std::{collections::BTreeMap, path::Path};

/// The name of a service's target: bake takes no dots.
fn target_name(service: &str) -> String {
    service.replace('.', "_")
}

/// The build of a service, where it has one.
pub fn of(name: &str, service: &Service, making: &Making<'_>, exceptions: &Exceptions) -> Option<Build> {
    let written = service.build.as_ref()?;
    let project = &making.read.loaded.project;
    let arguments = written.args.0.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let variables = secret_variables(written, project);
    let value_of = |variable: &str| making.read.variables.get(variable).map(Value::sensitive);
    Some(Build {
        context: without_userinfo(&written.context),
        always: service.pull_policy == "build",
        pull_first: !service.image.is_empty() && !matches!(service.pull_policy.as_str(), "build" | "never"),
        target: Value::sensitive(target(name, service, written, project).to_string()),
        args: arguments.map(|(argument, text)| (argument.clone(), exceptions.named(name, argument, text))).collect(),
        environment: variables.filter_map(|variable| Some((variable.to_owned(), value_of(variable)?))).collect(),
    })
}

fn secret_variables<'a>(written: &'a Written, project: &'a Project) -> impl Iterator<Item = &'a str> {
    let secrets = written.secrets.iter().filter_map(|mount| project.secrets.get(&mount.source));
    secrets.map(|secret| secret.environment.as_str()).filter(|variable| !variable.is_empty())
}

fn target(name: &str, service: &Service, written: &Written, project: &Project) -> Json {
    let mut out = Map::new();
    let mut put = |key: &str, value: Json| {
        let empty = match &value {
            Json::Null | Json::Bool(false) => true,
            Json::String(text) => text.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::Object(map) => map.is_empty(),
            _ => false,
        };
        if !empty {
            out.insert(key.to_owned(), value);
        }
    };
    put("context", json!(written.context));
    put("contexts", contexts(written));
    if written.dockerfile_inline.is_empty() {
        put("dockerfile", json!(dockerfile(&written.context, &written.dockerfile)));
    }
    put("dockerfile-inline", json!(written.dockerfile_inline));
    put("labels", labels(name, written, project));
    let image = service.image_name(&project.name, name);
    put("tags", written.tags.0.iter().cloned().chain([image]).collect());
    put("cache-from", json!(written.cache_from.0));
    put("cache-to", json!(written.cache_to.0));
    put("target", json!(written.target));
    put("secret", written.secrets.iter().filter_map(|mount| secret(mount, project)).collect());
    put("ssh", written.ssh.0.iter().map(|(id, path)| format!("{id}={path}")).collect());
    put("platforms", json!(platforms(service, written)));
    put("pull", json!(written.pull));
    put("no-cache", json!(written.no_cache));
    put("network", json!(written.network));
    if written.shm_size.0 != 0 {
        put("shm-size", json!(written.shm_size.0.to_string()));
    }
    put("ulimits", written.ulimits.iter().filter_map(|(name, limit)| Some(ulimit(name, limit.as_ref()?))).collect());
    let privileged = written.privileged.then(|| "security.insecure".to_owned());
    put("entitlements", written.entitlements.iter().cloned().chain(privileged).collect());
    put("extra-hosts", extra_hosts(written));
    put("output", json!(["type=docker"]));
    put("attest", attestations(written));
    Json::Object(out)
}

/// What is built is run here, so it is built for one platform: the one that it runs as, else the only one declared. Of
/// several the builder takes its own, as in `docker compose up`.
fn platforms<'a>(service: &'a Service, written: &'a Written) -> Vec<&'a String> {
    match (service.platform.is_empty(), written.platforms.0.as_slice()) {
        (false, _) => vec![&service.platform],
        (true, [one]) => vec![one],
        (true, _) => Vec::new(),
    }
}

fn contexts(written: &Written) -> Json {
    let contexts = written.additional_contexts.0.iter().map(|(name, source)| {
        let source = source.as_str();
        let source = match source.strip_prefix("service:") {
            Some(service) => format!("target:{}", target_name(service)),
            None => source.to_owned(),
        };
        (name.clone(), Json::from(source))
    });
    Json::Object(contexts.collect())
}

/// In the context, unless it is absolute or the context is elsewhere.
fn dockerfile(context: &str, dockerfile: &str) -> String {
    match Path::new(context).is_absolute() {
        true if !Path::new(dockerfile).is_absolute() => Path::new(context).join(dockerfile).display().to_string(),
        _ => dockerfile.to_owned(),
    }
}

/// The user's labels, and those by which docker compose knows its images.
fn labels(name: &str, written: &Written, project: &Project) -> Json {
    let own = written.labels.0.iter().map(|(label, text)| (label.clone(), text.as_str().to_owned()));
    let known = [(PROJECT, project.name.as_str()), (SERVICE, name), (VERSION, VERSION_FOLLOWED)];
    let known = known.map(|(label, value)| (label.to_owned(), value.to_owned()));
    let all: BTreeMap<String, String> = own.chain(known).collect();
    json!(all)
}

fn secret(mount: &FileMount, project: &Project) -> Option<String> {
    let secret = project.secrets.get(&mount.source)?;
    // What a build names no target for is found by its own name there.
    let default = format!("/run/secrets/{}", mount.source);
    let id = if mount.target.is_empty() || mount.target == default { &mount.source } else { &mount.target };
    match secret.environment.as_str() {
        "" => Some(format!("id={id},type=file,src={}", secret.file)),
        variable => Some(format!("id={id},type=env,env={variable}")),
    }
}

fn ulimit(name: &str, limit: &Ulimit) -> String {
    match limit.single {
        0 => format!("{name}={}:{}", limit.soft, limit.hard),
        both => format!("{name}={both}"),
    }
}

fn extra_hosts(written: &Written) -> Json {
    let hosts = written.extra_hosts.0.iter().map(|(host, addresses)| (host.clone(), Json::from(addresses.join(","))));
    Json::Object(hosts.collect())
}

fn attestations(written: &Written) -> Json {
    let attestation = |kind: &str, value: &str| match value {
        "" | "false" => None,
        "true" => Some(format!("type={kind}")),
        value => Some(format!("type={kind},{value}")),
    };
    let both = [attestation("provenance", &written.provenance), attestation("sbom", &written.sbom)];
    both.into_iter().flatten().collect()
}

//! docker compose's labels and ours, as far as they are the same for every replica. The planner adds the container's
//! number, image, rollout and content.

use crate::{
    compose::project::Project,
    model::{
        desired::{Service, Source},
        labels::{compose, ours},
        names::ServiceName,
        value::Value,
    },
};
use std::collections::BTreeMap;

/// Adds the labels of every service, over any of the same name that a file declares.
pub fn add(services: &mut BTreeMap<ServiceName, Service>, project: &Project, source: &Source) {
    let name_of_project = Value::plain(&project.name);
    let mut of_all = vec![
        (compose::PROJECT, name_of_project.clone()),
        (compose::ONEOFF, Value::plain("False")),
        (compose::CONFIG_FILES, Value::plain(source.config_files.join(","))),
        (compose::WORKING_DIR, Value::plain(&source.working_dir)),
        (compose::VERSION, Value::plain(compose::VERSION_FOLLOWED)),
        (ours::STACK, name_of_project),
    ];
    if !source.environment_files.is_empty() {
        of_all.push((compose::ENVIRONMENT_FILE, Value::plain(source.environment_files.join(","))));
    }
    for (name, service) in services {
        let dependencies = project.services.get(name.as_str()).into_iter().flat_map(|service| &service.depends_on);
        let dependencies: Vec<String> = dependencies
            .map(|(name, dependency)| format!("{name}:{}:{}", dependency.condition.as_str(), dependency.restart))
            .collect();
        let of_it = [
            (compose::SERVICE, Value::plain(name.as_str())),
            (compose::DEPENDS_ON, Value::plain(dependencies.join(","))),
            (compose::CONFIG_HASH, Value::plain(&service.config_hash)),
        ];
        let labels = of_all.iter().cloned().chain(of_it);
        service.container.labels.extend(labels.map(|(label, value)| (label.into(), value)));
    }
}

/// The labels of a network or volume: its own, docker compose's (`kind` is the label that names its key), and ours.
pub fn of_resource(
    project: &Project,
    own: &BTreeMap<String, crate::compose::Text>,
    kind: &str,
    key: &str,
    hash: &str,
) -> BTreeMap<String, Value> {
    let mut labels: BTreeMap<String, Value> =
        own.iter().map(|(name, text)| (name.clone(), super::sensitive::option(name, text))).collect();
    let bookkeeping = [
        (compose::PROJECT, project.name.as_str()),
        (kind, key),
        (compose::CONFIG_HASH, hash),
        (compose::VERSION, compose::VERSION_FOLLOWED),
        (ours::STACK, project.name.as_str()),
    ];
    labels.extend(bookkeeping.into_iter().map(|(name, text)| (name.to_owned(), Value::plain(text))));
    labels
}

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
    for (name, service) in services {
        let dependencies = project.services.get(name.as_str()).into_iter().flat_map(|service| &service.depends_on);
        let dependencies: Vec<String> = dependencies
            .map(|(name, dependency)| format!("{name}:{}:{}", dependency.condition.as_str(), dependency.restart))
            .collect();
        let mut set = |label: &str, text: &str| {
            service.container.labels.insert(label.to_owned(), Value::plain(text));
        };
        set(compose::PROJECT, &project.name);
        set(compose::SERVICE, name.as_str());
        set(compose::ONEOFF, "False");
        set(compose::CONFIG_FILES, &source.config_files.join(","));
        set(compose::WORKING_DIR, &source.working_dir);
        set(compose::DEPENDS_ON, &dependencies.join(","));
        set(compose::VERSION, compose::VERSION_FOLLOWED);
        set(ours::STACK, &project.name);
        if !source.environment_files.is_empty() {
            set(compose::ENVIRONMENT_FILE, &source.environment_files.join(","));
        }
        let hash = service.config_hash.clone();
        service.container.labels.insert(compose::CONFIG_HASH.to_owned(), Value::plain(hash));
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

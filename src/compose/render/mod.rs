//! What `config` prints, in docker compose's own forms.

mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map as JsonMap, Value as Json};

use super::go_json;
use super::hash::printed_hash;
use super::interpolate::Variable;
use super::project::record::{Field, write_extensions};
use super::project::{Form, Project};
use super::variables::Variables;
use super::yaml::Fault;

/// `config --format json`: the model without unused resources; a dollar is written twice, so that the output is a
/// Compose file again.
///
/// # Errors
/// An SSH key with a path, for which docker compose's JSON has no form (its own encoder fails there).
pub fn json(project: &Project) -> Result<String, Fault> {
    for (name, service) in &project.services {
        let keys = service.build.iter().flat_map(|build| &build.ssh.0);
        if let Some((id, _)) = keys.into_iter().find(|(_, path)| !path.is_empty()) {
            let message = format!("the ssh key `{id}` has a path, which the JSON form can't hold");
            let fault = project.fault(&["services", name, "build", "ssh", id], message);
            return Err(fault.hint("use --format yaml"));
        }
    }
    // docker compose sorts the top of the JSON form by name.
    let sorted: BTreeMap<String, Json> = match model(project, Form::Json) {
        Json::Object(map) => map.into_iter().collect(),
        _ => BTreeMap::new(),
    };
    Ok(go_json::pretty(&Json::Object(sorted.into_iter().collect())).replace('$', "$$"))
}

/// `config --format yaml`, the same model.
pub fn yaml(project: &Project) -> String {
    yaml::write(&model(project, Form::Yaml)).replace('$', "$$")
}

/// Any tree as a YAML document, as the model is written.
pub fn tree(value: &Json) -> String {
    yaml::write(value)
}

/// `config --hash`: a line `service hash` each; of all services, or of the named ones (separated by commas).
pub fn hashes(project: &Project, selected: &str) -> String {
    let wanted: Vec<&str> = selected.split(',').collect();
    let line = |(name, service)| format!("{name} {}\n", printed_hash(service));
    project.services.iter().filter(|(name, _)| selected == "*" || wanted.contains(&name.as_str())).map(line).collect()
}

/// `config --services`: the enabled services, a line each, dependencies before what depends on them.
pub fn services(project: &Project) -> String {
    project.service_names_in_order().into_iter().map(|name| format!("{name}\n")).collect()
}

/// `config --images`: a line for each service, in the order of `--services`; what is built without a name is called
/// `project-service`.
pub fn images(project: &Project) -> String {
    let named = project.service_names_in_order().into_iter().map(|name| (name, &project.services[name]));
    named.map(|(name, service)| format!("{}\n", service.image_name(&project.name, name))).collect()
}

/// `config --networks`: the keys of the networks that are used, a line each.
pub fn networks(project: &Project) -> String {
    lines(project.used().networks.into_keys())
}

/// `config --volumes`: the keys of the volumes that are used, a line each.
pub fn volumes(project: &Project) -> String {
    lines(project.used().volumes.into_keys())
}

/// `config --models`: the models themselves that are used, a line each.
pub fn models(project: &Project) -> String {
    lines(project.used().models.into_values().map(|model| &model.model).filter(|model| !model.is_empty()))
}

/// `config --environment`: every variable that a file may use, a line each.
pub fn environment(variables: &Variables) -> String {
    variables.all().into_iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

fn lines<'a>(items: impl Iterator<Item = &'a String>) -> String {
    items.map(|item| format!("{item}\n")).collect()
}

/// `config --profiles`: every profile of a service, a line each.
pub fn profiles(project: &Project) -> String {
    let services = project.services.values().chain(project.disabled_services.values());
    let profiles: BTreeSet<&str> = services.flat_map(|service| &service.profiles).map(String::as_str).collect();
    profiles.into_iter().map(|profile| format!("{profile}\n")).collect()
}

/// `config --variables`: a table of the variables that the files use.
pub fn variables(variables: &BTreeMap<String, Variable>) -> String {
    let head = ["NAME".to_owned(), "REQUIRED".to_owned(), "DEFAULT VALUE".to_owned(), "ALTERNATE VALUE".to_owned()];
    let row = |v: &Variable| [v.name.clone(), v.required.to_string(), v.default.clone(), v.presence.clone()];
    let rows: Vec<[String; 4]> = std::iter::once(head).chain(variables.values().map(row)).collect();
    const WIDTH_MIN: usize = 20;
    let longest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let width = |column: usize| (longest(column).unwrap_or(0) + 3).max(WIDTH_MIN);
    let widths = [width(0), width(1), width(2)];
    let pad = |text: &str, width: usize| format!("{text}{}", " ".repeat(width.saturating_sub(text.chars().count())));
    let line = |row: &[String; 4]| {
        let cells: String = widths.iter().zip(row).map(|(width, cell)| pad(cell, *width)).collect();
        format!("{cells}{}\n", row[3])
    };
    rows.iter().map(line).collect()
}

/// The model as a tree, in docker compose's order of fields.
fn model(project: &Project, form: Form) -> Json {
    fn section<T: Field>(out: &mut JsonMap<String, Json>, key: &str, map: &BTreeMap<String, T>, form: Form) {
        if !map.is_empty() {
            out.insert(key.to_owned(), map.tree(form));
        }
    }
    let mut project = project.without_unused();
    for service in project.services.values_mut() {
        // Their content is in the environment and the labels.
        service.env_file.clear();
        service.label_file.clear();
    }
    let mut out = JsonMap::new();
    out.insert("name".to_owned(), Json::from(project.name.as_str()));
    out.insert("services".to_owned(), project.services.tree(form));
    section(&mut out, "networks", &project.networks, form);
    section(&mut out, "volumes", &project.volumes, form);
    section(&mut out, "secrets", &project.secrets, form);
    section(&mut out, "configs", &project.configs, form);
    if form == Form::Yaml {
        section(&mut out, "models", &project.models, form);
    }
    match form {
        Form::Json => out.extend(project.extensions.into_iter().map(|(key, value)| (key, nothing_for_empty(value)))),
        Form::Yaml => write_extensions(&mut out, &project.extensions, form),
    }
    Json::Object(out)
}

/// docker compose's JSON has null for an empty list in the project's extensions.
fn nothing_for_empty(value: Json) -> Json {
    match value {
        Json::Array(items) if items.is_empty() => Json::Null,
        Json::Array(items) => items.into_iter().map(nothing_for_empty).collect(),
        Json::Object(map) => map.into_iter().map(|(key, value)| (key, nothing_for_empty(value))).collect(),
        scalar => scalar,
    }
}

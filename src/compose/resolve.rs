//! Files that a service names: env files into its environment, label files into its labels; and values of the
//! environment that secrets and configs are made of.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use super::dotenv::{self, Format};
use super::files::{Files, VALUES_WEIGHT};
use super::project::{Project, SECRET_VALUE, Service};
use super::text::Text;
use super::variables::Variables;
use super::yaml::{Fault, Faults, Map, Node, Origin, Value};

/// Gives the list form of environments, and secrets and configs, what the variables of their own file say.
pub(crate) fn from_variables(model: &mut Node, variables: &Variables) {
    for entry in model.get_mut("services").and_then(Node::as_map_mut).into_iter().flat_map(Map::values_mut) {
        let Some(Value::Seq(items)) = entry.node.get_mut("environment").map(|node| &mut node.value) else {
            continue;
        };
        for item in items {
            let Some((name, value)) = item.as_str().and_then(|name| Some((name, variables.get(name)?))) else {
                continue;
            };
            item.value = Value::String(format!("{name}={value}"));
            item.origin = Origin::Interpolated;
        }
    }
    for (section, key) in [("secrets", SECRET_VALUE), ("configs", "content")] {
        for entry in model.get_mut(section).and_then(Node::as_map_mut).into_iter().flat_map(Map::values_mut) {
            let name = entry.node.get("environment").and_then(Node::as_str);
            if let Some(value) = name.and_then(|name| variables.get(name)) {
                let node = Node::string(value, entry.node.at.clone()).from_origin(Origin::Content);
                entry.node.set(key, node);
            }
        }
    }
}

/// Reads the env files of all enabled services into their environments.
pub(crate) fn env_files(project: &mut Project, variables: &Variables, files: &mut Files<'_>, faults: &mut Faults) {
    each(project, "env_file", faults, |service| environment(service, variables, files));
}

/// Reads the label files of all enabled services into their labels.
pub(crate) fn label_files(project: &mut Project, files: &mut Files<'_>, faults: &mut Faults) {
    each(project, "label_file", faults, |service| labels(service, files));
}

fn each(
    project: &mut Project,
    field: &str,
    faults: &mut Faults,
    mut read: impl FnMut(&mut Service) -> Result<(), FileFault>,
) {
    let mut services = std::mem::take(&mut project.services);
    for (name, service) in &mut services {
        if let Err((index, message)) = read(service) {
            let fault = project.fault(&["services", name, field, &index], message);
            faults.push(fault.code("env-file"));
        }
    }
    project.services = services;
}

/// The index of the faulty file in its list, and what is wrong.
type FileFault = (String, String);

fn environment(service: &mut Service, variables: &Variables, files: &mut Files<'_>) -> Result<(), FileFault> {
    let own = &mut service.environment.0;
    for (name, value) in own.iter_mut().filter(|(_, value)| value.is_none()) {
        *value = variables.get(name).map(|value| Text::new(value, Origin::Interpolated));
    }
    let mut all: BTreeMap<String, String> =
        own.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?.value))).collect();
    for (index, file) in service.env_file.iter().enumerate() {
        let fault = |message: String| (index.to_string(), message);
        if !files.exists(FilePath::new(&file.path)) {
            if file.required {
                return Err(fault(format!("env file {} not found", file.path)));
            }
            continue;
        }
        let format = match file.format.as_str() {
            "" | ".env" => Format::DotEnv,
            "raw" => Format::Raw,
            other => return Err(fault(format!("unsupported env_file format \"{other}\""))),
        };
        let outside = |name: &str| match variables.get(name) {
            Some(value) => Some(value.to_owned()),
            None => own.get(name).cloned().flatten().map(|text| text.value),
        };
        read(&file.path, format, &mut all, &outside, files).map_err(fault)?;
    }
    for (name, value) in all {
        own.entry(name).or_insert_with(|| Some(Text::new(value, Origin::EnvFile)));
    }
    Ok(())
}

fn labels(service: &mut Service, files: &mut Files<'_>) -> Result<(), FileFault> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for (index, file) in service.label_file.iter().enumerate() {
        let fault = |message: String| (index.to_string(), message);
        if !files.exists(FilePath::new(file)) {
            return Err(fault(format!("label file {file} not found")));
        }
        let before = found.clone();
        let mut labels = BTreeMap::new();
        read(file, Format::DotEnv, &mut labels, &|name| before.get(name).cloned(), files).map_err(fault)?;
        found.extend(labels);
    }
    for (name, value) in found {
        service.labels.0.entry(name).or_insert_with(|| Text::new(value, Origin::EnvFile));
    }
    Ok(())
}

fn read(
    path: &str,
    format: Format,
    out: &mut BTreeMap<String, String>,
    outside: &dyn Fn(&str) -> Option<String>,
    files: &mut Files<'_>,
) -> Result<(), String> {
    let text = files.text(FilePath::new(path)).map_err(|fault: Fault| fault.message)?;
    files.spend(text.len().saturating_mul(VALUES_WEIGHT), path).map_err(|fault| fault.message)?;
    dotenv::parse(&text, format, out, outside)
        .map_err(|error| format!("failed to read {path}: line {}: {error}", error.line))
}

//! A manifest, or plain Compose files, to the desired state: what should be, with every default filled in and every value
//! knowing whether it may be shown. Pure but for the files it is given to read; contacts nothing and knows no Docker.
//!
//! The way of a manifest: `compose::yaml` reads it, `validate` holds it against the schema, `check` and `windows` judge what
//! a schema cannot; `project` hands the Compose part to `compose`; `api_socket` adds what no file says; `refused` names what is not built yet; `container`, `policy`,
//! `labels`, `contents`, `resources` make the desired state of it; `order`, `ports`, `notes` look at the whole.

mod api_socket;
mod build;
mod check;
mod container;
mod contents;
pub mod diagnostics;
mod find;
mod labels;
pub mod manifest;
mod notes;
mod order;
mod policy;
mod ports;
mod project;
mod refused;
mod registries;
mod resources;
pub mod schema;
mod sensitive;
mod service;
mod sources;
mod tree;
mod unbuilt;
mod validate;
mod windows;

pub use crate::compose::{Disk, Fault, Memory, Reader};
pub use find::{Found, find_manifest};
pub use sources::{LoadError, Sources};
pub use tree::nearest;

use crate::{
    compose::{Loaded, Variable, Variables, yaml::Faults},
    model::{
        desired::{Desired, Overrides, Source},
        names::{ServiceName, StackName},
        plan::Note,
    },
};
use project::{Read, Unread};
use sensitive::Exceptions;
use sources::Recording;
use std::collections::BTreeMap;

/// Loads what should be from the files given.
///
/// # Errors
/// Everything that is wrong, at once, each fault with its place.
pub fn load(sources: &Sources<'_>) -> Result<(Desired, Vec<Note>), LoadError> {
    let recording = Recording::new(sources.reader);
    let result = load_recorded(sources, &recording);
    result.map_err(|faults| LoadError::new(faults, &sources.working_dir))
}

/// Loads the Compose project of the files given, as docker compose would see it: without policy, with every value as it is.
///
/// # Errors
/// Everything that is wrong with the files themselves.
pub fn load_project(sources: &Sources<'_>) -> Result<Loaded, LoadError> {
    let read = project::read(sources, &Recording::new(sources.reader));
    read.map(|read| read.loaded).map_err(|unread| LoadError::new(listed(unread.faults), &sources.working_dir))
}

/// The same, and where its variables are looked up.
///
/// # Errors
/// As of `load_project`.
pub fn load_environment(sources: &Sources<'_>) -> Result<Variables, LoadError> {
    let read = project::read(sources, &Recording::new(sources.reader));
    let named = |read: project::Read| read.variables.with_override("COMPOSE_PROJECT_NAME", &read.loaded.project.name);
    read.map(named).map_err(|unread| LoadError::new(listed(unread.faults), &sources.working_dir))
}

/// The interpolation variables that the files use, by name.
///
/// # Errors
/// What is wrong with the files before variables are put in.
pub fn used_variables(sources: &Sources<'_>) -> Result<BTreeMap<String, Variable>, LoadError> {
    project::used_variables(sources, &Recording::new(sources.reader))
        .map_err(|faults| LoadError::new(faults, &sources.working_dir))
}

/// The name of the stack, of a manifest that can't be loaded: as it is written, else after its folder.
pub fn stack_name(sources: &Sources<'_>) -> Option<StackName> {
    written_name(sources).or_else(|| {
        let file = sources.working_dir.join(sources.files.first()?);
        // What can't be read as YAML may say another name.
        documents(sources)?;
        normalized(&file.parent()?.file_name()?.to_string_lossy())
    })
}

/// The name that such a manifest says.
pub fn written_name(sources: &Sources<'_>) -> Option<StackName> {
    let written = |tree: &crate::compose::yaml::Node| {
        let name =
            tree::node(tree, &["metadata", "name"]).or_else(|| tree::node(tree, &["name"]))?.as_str()?.to_owned();
        (!name.contains('$')).then_some(name)
    };
    normalized(&documents(sources)?.iter().find_map(written)?)
}

fn documents(sources: &Sources<'_>) -> Option<Vec<crate::compose::yaml::Node>> {
    let file = sources.working_dir.join(sources.files.first()?);
    let text = String::from_utf8(sources.reader.read(&file).ok()?).ok()?;
    crate::compose::yaml::parse_all(&file.display().to_string(), &text).ok()
}

fn normalized(name: &str) -> Option<StackName> {
    let name = crate::compose::normalize_name(name);
    (!name.is_empty()).then(|| StackName::new(name))
}

/// Whether a text under this name, an environment variable's, a label's or an option's, must not be shown.
pub fn looks_secret(name: &str, text: &str) -> bool {
    !text.is_empty() && sensitive::option(name, &crate::compose::Text::literal(text)).is_sensitive()
}

fn load_recorded(sources: &Sources<'_>, recording: &Recording<'_>) -> Result<(Desired, Vec<Note>), Vec<Fault>> {
    let mut read = project::read(sources, recording).map_err(all_faults)?;
    let mut faults = Faults::default();
    let mut notes = Vec::new();
    api_socket::give(&mut read.loaded.project, sources.logins, &mut faults);
    let stack = Making { sources, read: &read, faults: &mut faults, notes: &mut notes }.desired(recording);
    let mut desired = faults.or(stack)?;
    desired.source.manifest_hash = recording.hash();
    notes.sort();
    notes.dedup();
    Ok((desired, notes))
}

/// What is wrong with files that can't be read whole, and with what is left of them: all at once.
fn all_faults(Unread { mut faults, rest }: Unread) -> Vec<Fault> {
    if let Some(read) = rest {
        checked(&read, &mut faults);
        order::waves(&read, &mut faults);
    }
    listed(faults)
}

fn listed(faults: Faults) -> Vec<Fault> {
    faults.or(()).err().unwrap_or_default()
}

/// Checks what each of the files can say by itself and all of them together can't.
fn checked(read: &Read, faults: &mut Faults) {
    let project = &read.loaded.project;
    refused::check(project, faults);
    check::manifest(read, faults);
    ports::check(project, faults);
}

/// The making of a desired state from what was read.
struct Making<'a> {
    sources: &'a Sources<'a>,
    read: &'a Read,
    faults: &'a mut Faults,
    notes: &'a mut Vec<Note>,
}

impl Making<'_> {
    fn desired(&mut self, recording: &Recording<'_>) -> Desired {
        let Read { loaded: Loaded { project, warnings, .. }, .. } = self.read;
        let manifest = &self.read.stack;
        checked(self.read, self.faults);
        notes::of_compose(warnings, self.notes);
        let exceptions = Exceptions { show: manifest.spec.show.clone(), hide: manifest.spec.hide.clone() };
        let overrides = self.overrides();
        let source = self.source();
        let mut services = service::services(self, &exceptions, &overrides, recording);
        labels::add(&mut services, project, &source);
        let order = order::waves(self.read, self.faults);
        notes::of_services(project, &services, &exceptions, recording, self.notes);
        notes::of_folder(self.sources, recording, self.notes);
        notes::of_overrides(&overrides, self.notes);
        Desired {
            stack: StackName::new(&project.name),
            services,
            networks: resources::networks(project),
            volumes: resources::volumes(project),
            policy: policy::stack(manifest, order),
            source,
            registries: registries::logins(self.read, recording, self.faults),
            overrides,
        }
    }

    /// What the command line says over what was in force. An override in force for a service that is gone is dropped; one
    /// given now is a fault.
    fn overrides(&mut self) -> Overrides {
        let known = |name: &ServiceName| self.read.loaded.project.any_service(name.as_str()).is_some();
        let mut overrides = self.sources.in_force.clone();
        overrides.images.retain(|name, _| known(name));
        for (name, image) in &self.sources.overrides.images {
            if !known(name) {
                let names = self.read.loaded.project.services.keys().map(String::as_str);
                let fault = Fault::of_file("", format!("`--image {name}={image}` names no service")).code("undefined");
                self.faults.push(check::unknown_service(fault, name.as_str(), names));
            }
            overrides.images.insert(name.clone(), image.clone());
        }
        overrides.variables.extend(self.sources.overrides.variables.clone());
        overrides
    }

    fn source(&self) -> Source {
        let text = |path: &std::path::PathBuf| path.display().to_string();
        let project = &self.read.loaded.project;
        Source {
            manifest: text(&self.read.manifest_file),
            manifest_hash: String::new(),
            config_files: self.read.config_files.iter().map(text).collect(),
            working_dir: text(&project.working_dir),
            environment_files: self.read.environment_files.iter().map(text).collect(),
        }
    }
}

#[cfg(test)]
mod tests;

//! Whole manifests and Compose files, from memory, to the desired state or the rendered faults.

mod containers;
mod faults;
mod fields;
mod manifests;
mod notes;

use super::*;
use crate::model::{container::ContainerSpec, desired::Service};

/// Loads a file of this name in `/srv/webkit`, with other files beside it.
fn load_with(
    name: &str,
    text: &str,
    others: &[(&str, &str)],
    change: impl FnOnce(&mut Sources<'_>),
) -> Result<(Desired, Vec<Note>), String> {
    let mut files = Memory::default();
    for (name, text) in others.iter().chain(&[(name, text)]) {
        files.0.insert(std::path::Path::new("/srv/webkit").join(name), (*text).to_owned());
    }
    let mut sources = Sources::new("/srv/webkit", [name], &files);
    change(&mut sources);
    load(&sources).map_err(|error| error.to_string())
}

/// The desired state of a Compose file.
fn compose(text: &str) -> Desired {
    load_with("compose.yaml", text, &[], |_| ()).map(|(desired, _)| desired).unwrap_or_else(|error| panic!("{error}"))
}

/// The one service of a Compose file, `web`, with these fields beside its image.
fn web(fields: &str) -> Service {
    let text = format!("services:\n  web:\n    image: nginx:1\n{}", indented(fields, 4));
    compose(&text).services[&ServiceName::new("web")].clone()
}

/// Its container, without bookkeeping labels.
fn container(fields: &str) -> ContainerSpec {
    let mut container = web(fields).container;
    container.labels = container.labels.users().map(|(name, value)| (name.into(), value.clone())).collect();
    container
}

/// The faults of a Compose file.
fn refused(text: &str) -> String {
    load_with("compose.yaml", text, &[], |_| ()).err().unwrap_or_else(|| panic!("accepted"))
}

fn indented(text: &str, spaces: usize) -> String {
    let indent = " ".repeat(spaces);
    text.lines().map(|line| format!("{indent}{line}\n")).collect()
}

const HEAD: &str = "apiVersion: evenkeel.dev/v1\nkind: Stack\nmetadata: {name: webkit}\nspec:\n";

/// The desired state and notes of a manifest with this `spec`.
fn manifest_with(spec: &str, others: &[(&str, &str)]) -> Result<(Desired, Vec<Note>), String> {
    load_with("evenkeel.yaml", &format!("{HEAD}{}", indented(spec, 2)), others, |_| ())
}

/// The desired state of a manifest with this `spec`.
fn manifest(spec: &str) -> Desired {
    manifest_with(spec, &[]).map(|(desired, _)| desired).unwrap_or_else(|error| panic!("{error}"))
}

/// The faults of a manifest with this `spec`.
fn manifest_refused(spec: &str) -> String {
    manifest_with(spec, &[]).err().unwrap_or_else(|| panic!("accepted"))
}

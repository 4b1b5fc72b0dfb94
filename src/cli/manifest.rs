//! Which files are meant, and what they say: from the command line and this process to what the loader takes. A fault is
//! shown with its line, and nothing is contacted before all is well.

use super::{
    arguments::{ManifestArguments, OverrideArguments},
    exit::Exit,
    failure::Failure,
    output::Output,
};
use crate::{
    compose::{self, Disk, Reader},
    engine::logins,
    load::{self, Found, LoadError, Sources, find_manifest},
    model::desired::Overrides,
};
use std::{collections::BTreeMap, path::PathBuf};

/// The sources that this command line means, with what the current revision has in force.
///
/// # Errors
/// There is no manifest, or the current folder can't be read.
pub fn sources(
    named: &ManifestArguments,
    typed: &OverrideArguments,
    in_force: Overrides,
) -> Result<Sources<'static>, Failure> {
    sources_on(&Disk, named, typed, in_force)
}

/// The same, with the files read through this reader.
///
/// # Errors
/// As of `sources`.
pub fn sources_on<'a>(
    reader: &'a dyn Reader,
    named: &ManifestArguments,
    typed: &OverrideArguments,
    in_force: Overrides,
) -> Result<Sources<'a>, Failure> {
    let current = current_folder()?;
    let environment = environment();
    let (files, siblings) = match named.files.as_slice() {
        [] => default_files(&current, &environment)?,
        files => (files.to_vec(), Vec::new()),
    };
    let mut sources = Sources::new(current, files, reader);
    sources.environment = environment;
    sources.siblings = siblings;
    sources.logins = logins::all_of_docker;
    sources.overrides = typed.given();
    sources.in_force = without(in_force, &typed.unset)?;
    Ok(sources)
}

/// The faults of a manifest, as people read them.
pub fn refused(error: &LoadError, output: &Output) -> Failure {
    Failure::rendered(Exit::Usage, load::diagnostics::render(&error.faults, output.talk_style.colour))
}

/// What is left in force when `--unset` ends some of it.
fn without(mut in_force: Overrides, unset: &[String]) -> Result<Overrides, Failure> {
    for name in unset {
        let image = in_force.images.remove(&name.as_str().into());
        let variable = in_force.variables.remove(name);
        if image.is_none() && variable.is_none() {
            let failure = Failure::usage(format!("no override of `{name}` is in force"));
            let names = in_force.images.keys().map(ToString::to_string).chain(in_force.variables.keys().cloned());
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            return Err(if names.is_empty() {
                failure
            } else {
                failure.hint(format!("there is {}", names.join(", ")))
            });
        }
    }
    Ok(in_force)
}

/// Without `-f`: the manifest of this folder, else what docker compose would take.
fn default_files(
    current: &std::path::Path,
    environment: &BTreeMap<String, String>,
) -> Result<(Vec<PathBuf>, Vec<String>), Failure> {
    let names = names_in(current)?;
    let found = find_manifest(names.iter().map(String::as_str));
    if let Some(Found { file, .. }) = &found
        && file.starts_with("evenkeel.")
    {
        return Ok((vec![PathBuf::from(file)], names));
    }
    let files = compose_files(current, environment)?;
    if files.is_empty() {
        return Err(Failure::usage("there is no manifest in this folder").hint(
            "name one with `-f`, or write an `evenkeel.yaml` or a `compose.yaml`; `evenkeel init --project NAME` writes one \
             for what runs",
        ));
    }
    Ok((files, names))
}

/// The Compose files that docker compose would take without `-f`; none where there are none.
pub fn compose_files(
    current: &std::path::Path,
    environment: &BTreeMap<String, String>,
) -> Result<Vec<PathBuf>, Failure> {
    let request = compose::Request {
        environment: environment.clone(),
        current: current.to_owned(),
        ..compose::Request::default()
    };
    let found = compose::discover(&request, &Disk).map_err(|mut fault| {
        let relative = std::path::Path::new(&fault.file).strip_prefix(current).map(|file| file.display().to_string());
        fault.file = relative.unwrap_or(fault.file);
        Failure::rendered(Exit::Usage, load::diagnostics::render(&[fault], false))
    })?;
    Ok(found.files)
}

/// The absolute folder that this process is in.
pub fn current_folder() -> Result<PathBuf, Failure> {
    std::env::current_dir().map_err(|error| Failure::usage(format!("could not find the current folder: {error}")))
}

/// The names of what lies in a folder.
pub fn names_in(folder: &std::path::Path) -> Result<Vec<String>, Failure> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| Failure::usage(format!("could not read the folder `{}`: {error}", folder.display())))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.collect())
}

/// The variables of this process that are text.
pub fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

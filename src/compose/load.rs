//! The way in: sources to a loaded project.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use super::consistency;
use super::discover::normalize_name;
use super::files::Files;
use super::free_maps;
use super::interpolate::{self, Variable, interpolate};
use super::loading::{Level, Loading, Stopped, empty};
use super::normalize::normalize;
use super::path::Path;
use super::project::record::{Field, Reading, extensions, read_or_default};
use super::project::{Place, Positions, Project};
use super::reader::Reader;
use super::resolve;
use super::variables::Variables;
use super::warning::Warning;
use super::yaml::{Fault, Faults, Node, Position, Value};

/// What to load. [`super::discover`] makes it from a command line.
#[derive(Clone)]
pub struct Sources<'a> {
    /// The files, absolute, each merged over those before it.
    pub files: Vec<PathBuf>,
    /// The absolute folder that relative paths are in.
    pub project_directory: PathBuf,
    /// The name, when it is given; else `name:` of the files, else the folder's.
    pub project_name: Option<String>,
    /// The profiles asked for.
    pub profiles: Vec<String>,
    /// Where variables are looked up.
    pub variables: Variables,
    /// False leaves env files unread: enough for [`super::printed_hash`], which does not look into them.
    pub env_files: bool,
    /// False leaves unchecked what refers to what (`--no-consistency`).
    pub consistency: bool,
    /// The file system.
    pub reader: &'a dyn Reader,
}

impl<'a> Sources<'a> {
    /// Files in a project directory, without profiles or a given name.
    pub fn new<P: Into<PathBuf>>(
        project_directory: impl Into<PathBuf>,
        files: impl IntoIterator<Item = P>,
        variables: Variables,
        reader: &'a dyn Reader,
    ) -> Self {
        Self {
            files: files.into_iter().map(Into::into).collect(),
            project_directory: project_directory.into(),
            project_name: None,
            profiles: Vec::new(),
            variables,
            env_files: true,
            consistency: true,
            reader,
        }
    }
}

/// What loading gives.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The project.
    pub project: Project,
    /// What is worth saying.
    pub warnings: Vec<Warning>,
    /// The variables that the files use, by name.
    pub variables: BTreeMap<String, Variable>,
}

/// Why there is no project.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Everything found wrong, sorted by file and line.
    pub faults: Vec<Fault>,
    /// What there is without that; absent where nothing can be said without it.
    pub rest: Option<Box<Loaded>>,
}

impl Broken {
    /// The project, or what is left of it after its faults are taken.
    pub fn rest_of(loaded: Result<Loaded, Broken>, faults: &mut Faults) -> Option<Loaded> {
        loaded.map_or_else(
            |broken| {
                faults.extend(broken.faults);
                broken.rest.map(|rest| *rest)
            },
            Some,
        )
    }
}

/// Loads a project from its files.
///
/// # Errors
/// Everything found wrong. A file that can't be read or parsed hides what depends on it.
pub fn load(sources: &Sources<'_>) -> Result<Loaded, Broken> {
    let mut loading = Loading::new(Files::new(sources.reader));
    let result = load_files(sources, &mut loading);
    finish(result, loading)
}

/// Loads a project whose services, networks, volumes, configs and secrets are written in another document: `model` is
/// the mapping that holds them (from [`super::yaml::parse`]), `file` the document's absolute path. `sources.files` are
/// merged before it.
///
/// # Errors
/// As [`load`].
pub fn load_inline(model: Node, file: &FilePath, sources: &Sources<'_>) -> Result<Loaded, Broken> {
    let mut loading = Loading::new(Files::new(sources.reader));
    let result = load_node(model, file, sources, &mut loading);
    finish(result, loading)
}

/// The variables that the files use (`config --variables`), whatever they hold.
///
/// # Errors
/// What is wrong with the files before any variable is put in: what does not read, what the schema does not have.
pub fn used_variables(sources: &Sources<'_>) -> Result<BTreeMap<String, Variable>, Vec<Fault>> {
    let mut loading = Loading::new(Files::new(sources.reader));
    loading.interpolated = false;
    let mut level = Level::new(&sources.project_directory, &sources.variables, Vec::new());
    let merged = loading.merged(&sources.files, &mut level);
    let mut used = BTreeMap::new();
    // What is wrong is among the faults.
    if let Ok(mut model) = merged {
        // The name stands before the files are read.
        model.as_map_mut().and_then(|map| map.remove("name"));
        interpolate::collect(&model, &mut used);
    }
    loading.faults.or(used)
}

fn finish(result: Result<Project, Stopped>, loading: Loading<'_>) -> Result<Loaded, Broken> {
    let Loading { mut faults, warnings, used, .. } = loading;
    let loaded = result.ok().map(|project| Loaded { project, warnings: warnings.found, variables: used });
    if loaded.is_none() && faults.is_empty() {
        faults.push(Fault::of_file("", "the project could not be loaded"));
    }
    match (faults.or(()), loaded) {
        (Ok(()), Some(loaded)) => Ok(loaded),
        (found, loaded) => Err(Broken { faults: found.err().unwrap_or_default(), rest: loaded.map(Box::new) }),
    }
}

fn load_files(sources: &Sources<'_>, loading: &mut Loading<'_>) -> Result<Project, Stopped> {
    if sources.files.is_empty() {
        return Err(loading.stop(Fault::of_file("", "no compose file specified").code("no-file")));
    }
    let mut files = Vec::new();
    for file in &sources.files {
        files.push((file.as_path(), loading.documents(file)?));
    }
    let name = project_name(sources, files.iter().flat_map(|(_, documents)| documents), loading)?;
    let variables = sources.variables.clone().with_override("COMPOSE_PROJECT_NAME", &name);
    let mut level = Level::new(&sources.project_directory, &variables, Vec::new());
    let model = loading.merged_documents(files, &mut level)?;
    build(model, name, sources, &variables, loading)
}

fn load_node(
    node: Node,
    file: &FilePath,
    sources: &Sources<'_>,
    loading: &mut Loading<'_>,
) -> Result<Project, Stopped> {
    let name = project_name(sources, [&node], loading)?;
    let variables = sources.variables.clone().with_override("COMPOSE_PROJECT_NAME", &name);
    let mut level = Level::new(&sources.project_directory, &variables, Vec::new());
    let mut model = empty();
    for path in &sources.files {
        for document in loading.documents(path)? {
            loading.add(document, path, &mut model, &mut level)?;
        }
    }
    loading.add(node, file, &mut model, &mut level)?;
    let model = loading.finished(model, &level)?;
    build(model, name, sources, &variables, loading)
}

/// The name: given, `COMPOSE_PROJECT_NAME`, the last `name:` of the files, the folder's.
fn project_name<'n>(
    sources: &Sources<'_>,
    documents: impl IntoIterator<Item = &'n Node>,
    loading: &mut Loading<'_>,
) -> Result<String, Stopped> {
    let from_environment =
        || sources.variables.get("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty()).map(str::to_owned);
    if let Some(name) = sources.project_name.clone().filter(|name| !name.is_empty()).or_else(from_environment) {
        if normalize_name(&name) != name {
            let message = format!(
                "invalid project name \"{name}\": must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number"
            );
            return Err(loading.stop(Fault::of_file("", message).code("name")));
        }
        return Ok(name);
    }
    let mut name = None;
    for node in documents.into_iter().filter_map(|document| document.get("name")) {
        let Some(text) = node.print().filter(|text| !node.is_null() && !text.is_empty()) else {
            continue;
        };
        match interpolate(&text, &sources.variables.lookup()) {
            Ok(out) => name = Some(normalize_name(&out.text)),
            Err(error) => {
                let message = format!("error while interpolating name: {error}");
                return Err(loading.stop(Fault::at(&node.at, message).code("interpolation")));
            }
        }
    }
    let folder = sources.project_directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = match name {
        Some(name) => name,
        None => normalize_name(folder),
    };
    if name.is_empty() {
        return Err(loading.stop(Fault::of_file("", "project name must not be empty").code("name")));
    }
    Ok(name)
}

/// From the merged tree to the typed project.
fn build(
    mut model: Node,
    name: String,
    sources: &Sources<'_>,
    variables: &Variables,
    loading: &mut Loading<'_>,
) -> Result<Project, Stopped> {
    if model.as_map().is_none_or(|map| map.is_empty()) {
        let file = sources.files.first().map(|file| file.display().to_string()).unwrap_or_default();
        return Err(loading.stop(Fault::of_file(file, "empty compose file").code("empty")));
    }
    let mut faults = Faults::default();
    normalize(&mut model, &name, variables, &mut faults);
    loading.keep(faults.or(()).err().unwrap_or_default());
    free_maps::fold(&mut model, &Path::root(), &mut loading.warnings);
    let (mut project, faults) = read(&model);
    if !faults.is_empty() {
        loading.go_on(&mut model, faults)?;
        project = read(&model).0;
    }
    project.name = name;
    project.working_dir.clone_from(&sources.project_directory);
    project.files.clone_from(&sources.files);
    project.profiles = sources.profiles.iter().filter(|profile| !profile.is_empty()).cloned().collect();
    let (enabled, disabled) = std::mem::take(&mut project.services)
        .into_iter()
        .partition(|(_, service)| service.is_enabled(&sources.profiles));
    project.services = enabled;
    project.disabled_services = disabled;
    let mut faults = Faults::default();
    if sources.consistency {
        consistency::check(&project, &mut faults);
    }
    if sources.env_files {
        resolve::env_files(&mut project, variables, &mut loading.files, &mut faults);
    }
    resolve::label_files(&mut project, &mut loading.files, &mut faults);
    loading.keep(faults.or(()).err().unwrap_or_default());
    for service in project.services.values_mut() {
        // docker compose takes `scale` as the number of replicas where both are written.
        if let (Some(scale), Some(deploy)) = (service.scale, &mut service.deploy) {
            deploy.replicas = Some(scale);
        }
    }
    Ok(project)
}

/// The typed project, and what of the tree it could not be made of.
fn read(model: &Node) -> (Project, Faults) {
    let mut reading = Reading::default();
    let mut project = Project::default();
    fn section<T: Field>(model: &Node, key: &str, reading: &mut Reading) -> BTreeMap<String, T> {
        model.get(key).map(|node| reading.under(key, |r| read_or_default(node, r))).unwrap_or_default()
    }
    project.services = section(model, "services", &mut reading);
    project.networks = section(model, "networks", &mut reading);
    project.volumes = section(model, "volumes", &mut reading);
    project.secrets = section(model, "secrets", &mut reading);
    project.configs = section(model, "configs", &mut reading);
    project.models = section(model, "models", &mut reading);
    project.extensions = model.as_map().map(extensions).unwrap_or_default();
    project.positions = places(model);
    (project, reading.faults)
}

/// Where each key and item of a tree is written.
fn places(node: &Node) -> Positions {
    let place = |at: &Position, node: &Node| Place { at: at.clone(), inside: places(node) };
    Positions(match &node.value {
        Value::Map(map) => map.iter().map(|(key, entry)| (key.clone(), place(&entry.key_at, &entry.node))).collect(),
        Value::Seq(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), place(&item.at, item))).collect()
        }
        _ => BTreeMap::new(),
    })
}

//! The files that were named, read: a manifest with the Compose project that it refers to or holds, or Compose files
//! alone, which are a manifest with every default.

use super::{
    manifest::{ApiVersion, ComposeFiles, Kind, Metadata, Spec, Stack, inline::is_compose_field},
    sources::{Recording, Sources},
    tree, validate,
};
use crate::compose::{
    self, Broken, Fault, Loaded, Project, Reader, Request, Variable, Variables,
    yaml::{self, Entry, Faults, Map, Node, Position, Value},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What the files say.
pub struct Read {
    /// The manifest; for Compose files alone, one with every default.
    pub stack: Stack,
    /// The manifest's tree, for the places in it; null for Compose files alone.
    pub tree: Node,
    /// Whether the manifest holds its services itself.
    pub inline: bool,
    pub loaded: Loaded,
    /// The first file that was named.
    pub manifest_file: PathBuf,
    /// Compose files, without included ones; inline: the manifest.
    pub config_files: Vec<PathBuf>,
    /// The files of `envFiles`.
    pub environment_files: Vec<PathBuf>,
    /// `--set`, then the process environment, then env files.
    pub variables: Variables,
}

impl Read {
    /// A fault at the key of a manifest's field.
    pub fn fault(&self, path: &[&str], message: impl Into<String>) -> Fault {
        Fault::at(tree::key_position(&self.tree, path), message)
    }

    /// A fault at the value of a manifest's field.
    pub fn fault_at_value(&self, path: &[&str], message: impl Into<String>) -> Fault {
        Fault::at(tree::value_position(&self.tree, path), message)
    }
}

/// Why there is nothing to make a desired state from.
pub struct Unread {
    /// What is wrong with the files.
    pub faults: Faults,
    /// What they say without that; absent where nothing can be said without it.
    pub rest: Option<Box<Read>>,
}

impl From<Vec<Fault>> for Unread {
    fn from(found: Vec<Fault>) -> Unread {
        let mut faults = Faults::default();
        faults.extend(found);
        Unread { faults, rest: None }
    }
}

impl Unread {
    /// What was read, where nothing is wrong with it.
    fn unless(faults: Faults, read: Option<Read>) -> Result<Read, Unread> {
        match read {
            Some(read) if faults.is_empty() => Ok(read),
            rest => Err(Unread { faults, rest: rest.map(Box::new) }),
        }
    }
}

/// Reads everything that the sources name.
///
/// # Errors
/// What is wrong with the manifest, and with the Compose files as far as they can be found without it.
pub fn read(sources: &Sources<'_>, recording: &Recording<'_>) -> Result<Read, Unread> {
    let files: Vec<PathBuf> = sources.files.iter().map(|file| absolute(&sources.working_dir, file)).collect();
    let Some(first) = files.first() else {
        return Err(vec![Fault::of_file("", "no file is named").code("no-file")].into());
    };
    let mut manifests = Vec::new();
    for file in &files {
        manifests.extend(manifest_tree(file, recording)?);
    }
    match manifests.pop() {
        None => plain(sources, &files, recording),
        Some(tree) if files.len() == 1 => manifest(sources, tree, first, recording),
        Some(tree) => {
            let fault = Fault::at(&tree.at, "a Stack manifest stands alone, but other files are named beside it");
            Err(vec![fault.code("conflict").hint("put the Compose files under `spec.compose.files`")].into())
        }
    }
}

/// The interpolation variables that the files use, whatever is in the variables.
///
/// # Errors
/// What is wrong with Compose files before variables are put in, and all that is wrong with a manifest.
pub fn used_variables(
    sources: &Sources<'_>,
    recording: &Recording<'_>,
) -> Result<BTreeMap<String, Variable>, Vec<Fault>> {
    let files: Vec<PathBuf> = sources.files.iter().map(|file| absolute(&sources.working_dir, file)).collect();
    for file in &files {
        if manifest_tree(file, recording)?.is_some() {
            let read = read(sources, recording).map_err(|unread| unread.faults.or(()).err().unwrap_or_default());
            return read.map(|read| read.loaded.variables);
        }
    }
    let request = Request { files, ..request(sources, &sources.working_dir) };
    compose::used_variables(&compose::discover(&request, recording).map_err(|fault| vec![fault])?)
}

fn absolute(folder: &Path, file: &Path) -> PathBuf {
    folder.join(file).components().collect()
}

/// The tree of a file that is a manifest. A Compose file has neither `apiVersion` nor `kind`.
fn manifest_tree(file: &Path, recording: &Recording<'_>) -> Result<Option<Node>, Vec<Fault>> {
    let name = file.display().to_string();
    let unreadable = |why: String| vec![Fault::of_file(&name, format!("could not read the file: {why}")).code("read")];
    let content = recording.read(file).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(content).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
    // Most Compose files are told apart without reading them twice.
    if !text.contains("apiVersion") && !text.contains("kind") {
        return Ok(None);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let documents = yaml::parse_all(&name, text).map_err(|fault| vec![fault])?;
    let is_manifest = |tree: &Node| tree.get("apiVersion").is_some() || tree.get("kind").is_some();
    if !documents.iter().any(is_manifest) {
        return Ok(None);
    }
    match documents.get(1) {
        Some(second) => Err(vec![Fault::at(&second.at, "a manifest is one document, and here begins another")]),
        None => Ok(documents.into_iter().next()),
    }
}

/// Compose files alone.
fn plain(sources: &Sources<'_>, files: &[PathBuf], recording: &Recording<'_>) -> Result<Read, Unread> {
    let request = Request { files: files.to_vec(), ..request(sources, &sources.working_dir) };
    let mut found = compose::discover(&request, recording).map_err(|fault| vec![fault])?;
    found.consistency = sources.consistency;
    found.env_files = sources.env_files;
    let mut faults = Faults::default();
    let nowhere = Position::start(&std::sync::Arc::new(yaml::SourceFile::new("", "")));
    let read = Broken::rest_of(compose::load(&found), &mut faults).map(|loaded| Read {
        stack: bare(&loaded.project),
        tree: Node::null(nowhere),
        inline: false,
        loaded,
        manifest_file: files.first().cloned().unwrap_or_default(),
        config_files: files.to_vec(),
        environment_files: Vec::new(),
        variables: found.variables,
    });
    Unread::unless(faults, read)
}

/// A manifest with every default.
fn bare(project: &Project) -> Stack {
    let metadata = Metadata { name: project.name.clone(), protect: false };
    Stack { api_version: ApiVersion::V1, kind: Kind::Stack, metadata, spec: Spec::default() }
}

/// A manifest. Where it is faulty its Compose part is read all the same, so that both are reported together.
fn manifest(sources: &Sources<'_>, tree: Node, file: &Path, recording: &Recording<'_>) -> Result<Read, Unread> {
    let mut faults = Faults::default();
    let stack = match validate::manifest(&tree) {
        Ok(stack) => Some(stack),
        Err(found) => {
            faults.extend(found);
            None
        }
    };
    let part = compose_part(sources, &tree, file, recording, &mut faults);
    if part.is_none() && faults.is_empty() {
        faults.push(Fault::at(&tree.at, "the manifest could not be read"));
    }
    let read = part.map(|part| Read {
        stack: stack.unwrap_or_else(|| bare(&part.loaded.project)),
        inline: part.inline,
        loaded: part.loaded,
        manifest_file: file.to_owned(),
        config_files: part.config_files,
        environment_files: part.environment_files,
        variables: part.variables,
        tree,
    });
    Unread::unless(faults, read)
}

/// What the Compose part of a manifest gives.
struct ComposePart {
    inline: bool,
    loaded: Loaded,
    config_files: Vec<PathBuf>,
    environment_files: Vec<PathBuf>,
    variables: Variables,
}

fn compose_part(
    sources: &Sources<'_>,
    tree: &Node,
    file: &Path,
    recording: &Recording<'_>,
    faults: &mut Faults,
) -> Option<ComposePart> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    let written = tree::node(tree, &["spec", "compose"]).filter(|node| !node.is_null());
    // What does not fit the schema has its fault already.
    let files: ComposeFiles = match written {
        Some(node) => serde_json::from_value(tree::without_null(tree::json(node))).ok()?,
        None => ComposeFiles { files: Vec::new(), env_files: None, profiles: Vec::new() },
    };
    let inline = files.files.is_empty();
    let path = |name: &String| absolute(folder, Path::new(name));
    let config_files: Vec<PathBuf> = files.files.iter().map(path).collect();
    let environment_files: Vec<PathBuf> = files.env_files.iter().flatten().map(path).collect();
    let missing = |list: &str, files: &[PathBuf], faults: &mut Faults| {
        for (index, file) in files.iter().enumerate().filter(|(_, file)| !recording.is_file(file)) {
            let position = tree::value_position(tree, &["spec", "compose", list, &index.to_string()]);
            faults.push(Fault::at(position, format!("there is no file `{}`", file.display())).code("read"));
        }
    };
    missing("files", &config_files, faults);
    missing("envFiles", &environment_files, faults);
    if config_files.iter().chain(&environment_files).any(|file| !recording.is_file(file)) {
        return None;
    }
    let name = tree::node(tree, &["metadata", "name"]).and_then(Node::as_str).map(str::to_owned);
    let request = Request {
        files: config_files.clone(),
        project_directory: inline.then(|| folder.to_owned()),
        project_name: name.filter(|name| compose::normalize_name(name) == *name),
        profiles: files.profiles,
        env_files: environment_files.clone(),
        ..request(sources, folder)
    };
    let mut found = faults.take(compose::discover(&request, recording))?;
    found.consistency = sources.consistency;
    found.env_files = sources.env_files;
    let loaded = if inline {
        found.files.clear();
        compose::load_inline(inline_model(tree, faults)?, file, &found)
    } else {
        compose::load(&found)
    };
    let loaded = Broken::rest_of(loaded, faults)?;
    let config_files = if inline { vec![file.to_owned()] } else { config_files };
    Some(ComposePart { inline, loaded, config_files, environment_files, variables: found.variables })
}

fn request(sources: &Sources<'_>, folder: &Path) -> Request {
    let given = sources.in_force.variables.iter().chain(&sources.overrides.variables);
    let overrides: BTreeMap<String, String> =
        given.map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect();
    Request { overrides, environment: sources.environment.clone(), current: folder.to_owned(), ..Request::default() }
}

/// The Compose document that a manifest holds: `services` without our own fields, and what stands beside them.
fn inline_model(tree: &Node, faults: &mut Faults) -> Option<Node> {
    let spec = tree.get("spec").filter(|spec| spec.as_map().is_some())?;
    let services = spec.get("services").and_then(Node::as_map);
    if services.is_none_or(Map::is_empty) {
        let fault = Fault::at(tree::key_position(tree, &["spec"]), "the manifest declares no service").code("missing");
        faults
            .push(fault.hint("name Compose files under `spec.compose.files`, or write services under `spec.services`"));
        return None;
    }
    let mut model = Node::new(Value::Map(Map::new()), spec.at.clone());
    for section in ["services", "networks", "volumes", "configs", "secrets"] {
        if let (Some(entry), Some(map)) = (spec.as_map().and_then(|map| map.get(section)), model.as_map_mut()) {
            map.insert(section.to_owned(), entry.clone());
        }
    }
    let services = model.get_mut("services").and_then(Node::as_map_mut);
    for Entry { node, .. } in services.into_iter().flat_map(Map::values_mut) {
        if node.is_null() {
            node.value = Value::Map(Map::new());
        }
        if let Some(fields) = node.as_map_mut() {
            fields.retain(|name, _| is_compose_field(name));
        }
    }
    Some(model)
}

//! `include`: other projects' files as part of this one, with their own folder and variables.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use super::dotenv::{self, Format};
use super::loading::{Level, Loading, Stopped};
use super::paths::{is_remote, join};
use super::variables::Variables;
use super::yaml::{Fault, Map, Mark, Node, Position, Value};

/// Deeper includes are a mistake, or an attack on the stack.
const DEPTH_MAX: usize = 50;

const SECTIONS: [&str; 6] = ["services", "volumes", "networks", "secrets", "configs", "models"];

/// One item of `include`.
struct Include {
    paths: Vec<String>,
    project_directory: String,
    env_files: Vec<String>,
    at: Position,
}

impl Loading<'_> {
    /// Takes everything that a document includes into it.
    pub(crate) fn include(&mut self, document: &mut Node, level: &mut Level<'_>) -> Result<(), Stopped> {
        let Some(section) = document.as_map_mut().and_then(|map| map.remove("include")).map(|entry| entry.node) else {
            return Ok(());
        };
        let items = match section.value {
            Value::Null => return Ok(()),
            Value::Seq(items) => items,
            _ => {
                return Err(self.stop(Fault::at(&section.at, "`include` must be a list").code("type")));
            }
        };
        let mut sound = true;
        for item in items {
            if self.is_exhausted() {
                return Err(Stopped);
            }
            sound &= self.include_one(&item, document, level).is_ok();
        }
        if sound { Ok(()) } else { Err(Stopped) }
    }

    fn include_one(&mut self, item: &Node, document: &mut Node, level: &Level<'_>) -> Result<(), Stopped> {
        let include = self.read_include(item)?;
        if let Some(remote) = include.paths.iter().find(|path| is_remote(path)) {
            let message = format!("not built yet: include of a remote file, `{remote}`");
            return Err(self.stop(Fault::at(&include.at, message).code("not-built")));
        }
        let paths: Vec<PathBuf> = include.paths.iter().map(|path| join(level.folder, path)).collect();
        let Some(main) = paths.first() else {
            // There is nothing to read with them, but they must be there.
            return self.include_variables(&include, level.folder, level).map(drop);
        };
        if level.including.contains(main) || level.including.len() > DEPTH_MAX {
            let chain: Vec<String> =
                level.including.iter().chain([main]).map(|path| path.display().to_string()).collect();
            let message = format!("include cycle detected: {}", chain.join(" includes "));
            return Err(self.stop(Fault::at(&include.at, message).code("cycle")));
        }
        for path in &paths {
            if !self.files.reader.is_file(path) {
                let message = format!("cannot include {}: no such file", path.display());
                return Err(self.stop(Fault::at(&include.at, message).code("read")));
            }
        }
        let folder = match include.project_directory.as_str() {
            "" => main.parent().unwrap_or(FilePath::new("/")).to_owned(),
            folder => join(level.folder, folder),
        };
        let variables = self.include_variables(&include, &folder, level)?;
        let mut inner = Level::new(&folder, &variables, level.including.clone());
        let model = self.merged(&paths, &mut inner)?;
        self.import(model, document)
    }

    fn read_include(&mut self, item: &Node) -> Result<Include, Stopped> {
        fn text(node: &Node) -> Option<&str> {
            node.as_str().filter(|_| node.mark != Mark::Timestamp)
        }
        let texts = |node: Option<&Node>| -> Option<Vec<String>> {
            let Some(node) = node.filter(|node| !node.is_null()) else {
                return Some(Vec::new());
            };
            let items = node.as_seq().unwrap_or(std::slice::from_ref(node));
            items.iter().map(|item| text(item).map(str::to_owned)).collect()
        };
        let at = item.at.clone();
        let folder = match item.get("project_directory") {
            None => Some(String::new()),
            Some(node) if node.is_null() => Some(String::new()),
            Some(Node { value: Value::Int(number), .. }) => Some(number.to_string()),
            Some(node) => text(node).map(str::to_owned),
        };
        let (paths, env_files) = match &item.value {
            // docker compose takes nothing, and a date, for an item without a path.
            Value::Null => (Some(Vec::new()), Some(Vec::new())),
            Value::String(_) => (texts(Some(item)).or_else(|| Some(Vec::new())), Some(Vec::new())),
            Value::Map(_) => (texts(item.get("path")), texts(item.get("env_file"))),
            _ => (None, None),
        };
        match (paths, env_files, folder) {
            (Some(paths), Some(env_files), Some(project_directory)) => {
                Ok(Include { paths, project_directory, env_files, at })
            }
            _ => Err(self.stop(
                Fault::at(
                    &at,
                    "an item of include must be a path, or a mapping of path, project_directory and env_file",
                )
                .code("type"),
            )),
        }
    }

    /// The variables of an included project: the including one's win over its own env files.
    fn include_variables(
        &mut self,
        include: &Include,
        folder: &FilePath,
        level: &Level<'_>,
    ) -> Result<Variables, Stopped> {
        let mut files: Vec<PathBuf> = include.env_files.iter().map(|file| join(level.folder, file)).collect();
        if files.is_empty() {
            files.extend(Some(folder.join(".env")).filter(|file| self.files.reader.is_file(file)));
        }
        let mut found = BTreeMap::new();
        // The documented way to read no env file at all.
        for file in files.into_iter().filter(|file| file != FilePath::new("/dev/null")) {
            if !self.files.reader.is_file(&file) {
                let message = format!("couldn't find env file: {}", file.display());
                return Err(self.stop(Fault::at(&include.at, message).code("env-file")));
            }
            let text = self.files.text(&file).map_err(|fault| self.stop(fault))?;
            let before = found.clone();
            let outside =
                |name: &str| level.variables.get(name).map(str::to_owned).or_else(|| before.get(name).cloned());
            if let Err(error) = dotenv::parse(&text, Format::DotEnv, &mut found, &outside) {
                let fault = Fault::of_file(file.display().to_string(), format!("line {}: {error}", error.line))
                    .code("env-file");
                return Err(self.stop(fault));
            }
        }
        Ok(level.variables.clone().with(found))
    }

    /// Adds what was included; the same thing twice must be equal.
    fn import(&mut self, model: Node, document: &mut Node) -> Result<(), Stopped> {
        let Value::Map(mut sections) = model.value else {
            return Ok(());
        };
        let mut sound = true;
        for section in SECTIONS {
            let Some(from) = sections.remove(section) else {
                continue;
            };
            let Value::Map(from_map) = from.node.value else {
                continue;
            };
            if document.get(section).is_none_or(Node::is_null) {
                document.set(section, Node::new(Value::Map(Map::new()), from.node.at));
            }
            let Some(to) = document.get_mut(section).and_then(Node::as_map_mut) else {
                continue;
            };
            for (name, entry) in from_map {
                match to.get(&name) {
                    None => {
                        to.insert(name, entry);
                    }
                    Some(known) if known.node.same(&entry.node) => {}
                    Some(known) => {
                        let message = format!("{section}.{name} conflicts with imported resource");
                        let hint = format!("it is also defined at {}", entry.key_at.text());
                        self.faults.push(Fault::at(&known.key_at, message).code("conflict").hint(hint));
                        sound = false;
                    }
                }
            }
        }
        if sound { Ok(()) } else { Err(Stopped) }
    }
}

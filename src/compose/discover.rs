//! What a command line and its environment mean: which files, folder, name, profiles and variables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::dotenv::{self, Format};
use super::load::Sources;
use super::paths::join;
use super::reader::Reader;
use super::variables::Variables;
use super::yaml::Fault;

const FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// What was asked on a command line. Empty lists and `None` mean "not given".
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `-f`, relative to `current`.
    pub files: Vec<PathBuf>,
    /// `--project-directory`.
    pub project_directory: Option<PathBuf>,
    /// `--project-name`.
    pub project_name: Option<String>,
    /// `--profile`.
    pub profiles: Vec<String>,
    /// `--env-file`.
    pub env_files: Vec<PathBuf>,
    /// Variables that win over everything (`--set`).
    pub overrides: BTreeMap<String, String>,
    /// The process environment.
    pub environment: BTreeMap<String, String>,
    /// The absolute current folder.
    pub current: PathBuf,
}

/// A project name of a text: lower case, only letters, digits, `-` and `_`, the first a letter or digit.
pub fn normalize_name(text: &str) -> String {
    let kept: String = text
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
        .collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}

/// Finds what a request means, as docker compose does: the process environment first, with the current folder as `PWD`
/// where it has none, then env files; `COMPOSE_FILE` where no file is given, then `compose.yaml` and its override here or
/// in a folder above; `.env` beside it.
///
/// # Errors
/// An env file that is missing or can't be read.
pub fn discover<'a>(request: &Request, reader: &'a dyn Reader) -> Result<Sources<'a>, Fault> {
    let mut search = Search { request, reader, found: BTreeMap::new(), read: Vec::new() };
    let mut files: Vec<PathBuf> = request.files.iter().map(|file| search.absolute(file)).collect();
    search.read_env_files(&search.folder(&files))?;
    if files.is_empty() {
        files = search.named_files();
    }
    if files.is_empty() {
        files = search.default_files();
    }
    let folder = search.folder(&files);
    search.read_env_files(&folder)?;
    let variables = search.variables();
    let profiles = if request.profiles.is_empty() {
        // No profile at all is the one without a name, which `profiles: ["${UNSET}"]` is in.
        let named = variables.get("COMPOSE_PROFILES").unwrap_or_default();
        named.split(',').map(|profile| profile.trim().to_owned()).collect()
    } else {
        request.profiles.clone()
    };
    Ok(Sources {
        files,
        project_directory: folder,
        project_name: request.project_name.clone(),
        profiles,
        variables,
        env_files: true,
        consistency: true,
        reader,
    })
}

struct Search<'r, 'a> {
    request: &'r Request,
    reader: &'a dyn Reader,
    found: BTreeMap<String, String>,
    read: Vec<PathBuf>,
}

impl Search<'_, '_> {
    fn absolute(&self, path: &Path) -> PathBuf {
        join(&self.request.current, &path.display().to_string())
    }

    fn variables(&self) -> Variables {
        let Request { overrides, environment, current, .. } = self.request;
        let mut environment = environment.clone();
        environment.entry("PWD".to_owned()).or_insert_with(|| current.display().to_string());
        Variables::new().with(overrides.clone()).with(environment).with(self.found.clone())
    }

    /// The project's folder: given, else that of the first file, else the current one.
    fn folder(&self, files: &[PathBuf]) -> PathBuf {
        match &self.request.project_directory {
            Some(folder) => self.absolute(folder),
            None => files.first().and_then(|file| file.parent()).unwrap_or(&self.request.current).to_owned(),
        }
    }

    /// Reads `--env-file`, else `COMPOSE_ENV_FILES`, else the folder's `.env`, each file once.
    fn read_env_files(&mut self, folder: &Path) -> Result<(), Fault> {
        let environment = &self.request.environment;
        let mut files: Vec<PathBuf> = self.request.env_files.iter().map(|file| self.absolute(file)).collect();
        if let Some(named) = environment.get("COMPOSE_ENV_FILES").filter(|named| files.is_empty() && !named.is_empty())
        {
            files = named.split(',').map(|file| self.absolute(Path::new(file))).collect();
        }
        let disabled = match environment.get("COMPOSE_DISABLE_ENV_FILE").map_or("", String::as_str) {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
            other => {
                let message = format!("COMPOSE_DISABLE_ENV_FILE must be `true` or `false`, not `{other}`");
                return Err(Fault::of_file("", message).code("variable"));
            }
        };
        if files.is_empty() && !disabled {
            files.extend(Some(folder.join(".env")).filter(|file| self.reader.is_file(file)));
        }
        for file in files {
            if !self.read.contains(&file) {
                self.read_env_file(&file)?;
                self.read.push(file);
            }
        }
        Ok(())
    }

    fn read_env_file(&mut self, file: &Path) -> Result<(), Fault> {
        let name = file.display().to_string();
        let fault = |message: String| Fault::of_file(&name, message).code("env-file");
        if !self.reader.is_file(file) {
            return Err(fault(format!("couldn't find env file: {name}")));
        }
        let content = self.reader.read(file).map_err(|error| fault(format!("cannot read the file: {error}")))?;
        let text = String::from_utf8(content).map_err(|_| fault("the file is not UTF-8".to_owned()))?;
        let variables = self.variables();
        let mut found = BTreeMap::new();
        dotenv::parse(&text, Format::DotEnv, &mut found, &variables.lookup())
            .map_err(|error| fault(format!("line {}: {error}", error.line)))?;
        self.found.extend(found);
        Ok(())
    }

    /// The files of `COMPOSE_FILE`.
    fn named_files(&self) -> Vec<PathBuf> {
        let variables = self.variables();
        let separator =
            variables.get("COMPOSE_PATH_SEPARATOR").filter(|separator| !separator.is_empty()).unwrap_or(":");
        let named = variables.get("COMPOSE_FILE").unwrap_or_default();
        named.split(separator).filter(|file| !file.is_empty()).map(|file| self.absolute(Path::new(file))).collect()
    }

    /// The first folder upwards that has a Compose file, with its override.
    fn default_files(&self) -> Vec<PathBuf> {
        let start = self.folder(&[]);
        let first = |folder: &Path, names: [&str; 4]| {
            names.into_iter().map(|name| folder.join(name)).find(|file| self.reader.is_file(file))
        };
        let found = start.ancestors().find_map(|folder| Some((folder, first(folder, FILES)?)));
        found
            .map(|(folder, file)| [Some(file), first(folder, OVERRIDES)].into_iter().flatten().collect())
            .unwrap_or_default()
    }
}

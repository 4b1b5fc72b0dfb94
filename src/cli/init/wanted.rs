//! What was typed and where, and what it means: which project, from which files, and the manifest of it.

use super::{
    Arguments, MANIFEST, Meant, Written, folder_of,
    refused::{fits_folder, is_manifest_already, no_files, there_already, unclear_project},
    relative, to_write,
};
use crate::{
    cli::{exit::Exit, failure::Failure, manifest, output::Output, session},
    compose::{self, Disk, Loaded, Overlay, Reader},
    controllers::stack::StackError,
    engine::{
        EngineResult,
        clock::{Clock, SystemClock},
        docker::DockerEngine,
        logins,
    },
    init::{self, Choice, Draft, Files, Project, Source},
    load::{self, Sources},
    model::{desired::Desired, names::StackName, plan::Note},
    probe::DockerProber,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Variables that every shell has.
const EVERYWHERE: [&str; 5] = ["COMPOSE_PROJECT_NAME", "HOME", "PATH", "PWD", "USER"];

/// What was typed, and where.
pub(super) struct Wanted<'a> {
    pub files: Vec<PathBuf>,
    pub arguments: &'a Arguments,
    pub current: PathBuf,
    pub environment: BTreeMap<String, String>,
}

/// An engine that answered, and the projects on it.
struct Asked {
    engine: DockerEngine,
    running: BTreeMap<StackName, Project>,
}

async fn ask() -> Result<Asked, Failure> {
    let engine = session::engine().await?;
    let running = of_engine(init::projects(&engine).await)?;
    Ok(Asked { engine, running })
}

impl Wanted<'_> {
    /// Whether it goes to stdout.
    pub fn is_printed(&self) -> bool {
        self.arguments.out.as_deref() == Some(Path::new("-"))
    }

    /// From what is meant to the text, held to the loader.
    pub async fn manifest(&self, output: &Output) -> Result<Written, Failure> {
        let asked = ask().await;
        let meant = self.meant(&asked, output).await?;
        let least = init::skeleton(&meant.choice.name, &meant.source);
        let loaded = self.project(&meant, &least, output)?;
        let (desired, _) = self.load(&meant, &least).map_err(|error| manifest::refused(&error, output))?;
        let (seen, unasked) = match asked {
            Err(failure) => (None, Some(failure)),
            Ok(Asked { engine, .. }) => {
                let engine = Arc::new(engine);
                let prober = DockerProber::new(engine.clone(), Arc::new(SystemClock::start()));
                match of_engine(init::look(engine.as_ref(), &prober, &desired, meant.choice.project.is_some()).await) {
                    Ok(seen) => (Some(seen), None),
                    Err(failure) => (None, Some(failure)),
                }
            }
        };
        let draft = Draft {
            name: meant.choice.name.clone(),
            source: meant.source.clone(),
            desired: &desired,
            seen: seen.as_ref(),
            disabled: disabled(&loaded),
            from_shell: self.shell_variables(&loaded),
        };
        let text = init::manifest(&draft);
        let (desired, notes) = self.load(&meant, &text).map_err(|error| {
            Failure::new(Exit::Bug, format!("this is a bug in evenkeel: the manifest would not be valid: {error}"))
        })?;
        Ok(Written { meant, text, desired, notes, unasked })
    }

    /// Which project, and from which files.
    async fn meant(&self, asked: &Result<Asked, Failure>, output: &Output) -> Result<Meant, Failure> {
        let nothing = BTreeMap::new();
        let running = asked.as_ref().map_or(&nothing, |asked| &asked.running);
        let given: Vec<PathBuf> = self.files.iter().map(|file| self.absolute(file)).collect();
        let found = match given.is_empty() && self.arguments.project.is_none() {
            true => manifest::compose_files(&self.current, &self.environment)?,
            false => given.clone(),
        };
        let name = if found.is_empty() { None } else { Some(self.name(&found, running, output)?) };
        let by_files = name.as_ref().map(|name| (name, folder_of(&found)));
        let choice = match init::choose(self.arguments.project.as_ref(), by_files, running) {
            Ok(Some(choice)) => choice,
            Ok(None) => return Err(no_files(running)),
            Err(unclear) => return Err(unclear_project(unclear, running, asked.as_ref().err())),
        };
        let files = init::files_of(&given, &found, choice.project.as_ref(), |file| Disk.is_file(file));
        if files.is_empty() {
            let engine = &asked.as_ref().map_err(Clone::clone)?.engine;
            return self.inline(choice, engine).await;
        }
        self.refuse_manifest(&files)?;
        fits_folder(&choice, &files)?;
        let path = self.target(folder_of(&files))?;
        let mut named = self.named(&choice, &files, &path);
        let mut meant = Meant { choice, path, source: Source::Files(named.clone()), files };
        let loaded = self.project(&meant, &init::skeleton(&meant.choice.name, &meant.source), output)?;
        named.profiles = init::profiles_of(&loaded.project.profiles, &disabled(&loaded), meant.choice.project.as_ref());
        meant.source = Source::Files(named);
        Ok(meant)
    }

    /// The services as they run, where their files are gone.
    async fn inline(&self, choice: Choice, engine: &DockerEngine) -> Result<Meant, Failure> {
        let path = self.target(&self.current)?;
        let now = SystemClock::start().now();
        let inline = of_engine(init::what_runs(engine, &choice.name, now).await)?;
        if self.is_printed() && !inline.env_files.is_empty() {
            return Err(Failure::usage("environments are never printed, and are written beside the manifest")
                .hint("name a file with `-o FILE`"));
        }
        let folder = path.parent().unwrap_or(Path::new("/"));
        let there = inline.env_files.keys().map(|name| folder.join(name)).find(|file| file.exists());
        if let Some(file) = there.filter(|_| !self.arguments.force) {
            return Err(there_already(&relative(&file, &self.current)));
        }
        Ok(Meant { choice, path, source: Source::Inline(inline), files: Vec::new() })
    }

    /// The files as the manifest names them, without profiles.
    fn named(&self, choice: &Choice, files: &[PathBuf], path: &Path) -> Files {
        let project = choice.project.as_ref();
        let folder = path.parent().unwrap_or(Path::new("/"));
        let shown = |paths: &[PathBuf]| paths.iter().map(|path| relative(path, folder)).collect::<Vec<_>>();
        let asked = self.environment.get("COMPOSE_ENV_FILES").map(String::as_str).unwrap_or_default();
        let asked = asked.split(',').filter(|file| !file.is_empty());
        let asked: Vec<PathBuf> = asked.map(|file| self.absolute(Path::new(file))).collect();
        Files {
            files: shown(files),
            env_files: shown(&init::env_files_of(&asked, project, folder_of(files))),
            profiles: Vec::new(),
        }
    }

    fn absolute(&self, file: &Path) -> PathBuf {
        self.current.join(file).components().collect()
    }

    /// Where the manifest goes. One that is there stays.
    fn target(&self, folder: &Path) -> Result<PathBuf, Failure> {
        let path = match self.arguments.out.as_deref() {
            Some(out) if !self.is_printed() => self.absolute(out),
            _ => folder.join(MANIFEST),
        };
        if path.exists() && !self.arguments.force && !self.is_printed() {
            return Err(there_already(&relative(&path, &self.current)));
        }
        Ok(path)
    }

    /// The name that docker compose gives the project of Compose files. What runs from their folder may have been started
    /// with variables that are not known yet, without which they can't be read.
    fn name(
        &self,
        files: &[PathBuf],
        running: &BTreeMap<StackName, Project>,
        output: &Output,
    ) -> Result<StackName, Failure> {
        self.refuse_manifest(files)?;
        let mut sources = Sources::new(self.current.clone(), files.to_vec(), &Disk);
        sources.environment = self.environment.clone();
        let error = match load::load_project(&sources) {
            Ok(loaded) => return Ok(StackName::from(loaded.project.name.as_str())),
            Err(error) => error,
        };
        let runs = running.values().any(|project| project.working_dir == folder_of(files));
        let name = load::stack_name(&sources).filter(|_| runs || self.arguments.project.is_some());
        name.ok_or_else(|| manifest::refused(&error, output))
    }

    /// Services of a project of evenkeel's own may stand in its manifest.
    fn refuse_manifest(&self, files: &[PathBuf]) -> Result<(), Failure> {
        match files.iter().find(|file| is_manifest(file)) {
            Some(file) => Err(is_manifest_already(&relative(file, &self.current))),
            None => Ok(()),
        }
    }

    /// What a manifest that is not written yet declares.
    fn load(&self, meant: &Meant, text: &str) -> Result<(Desired, Vec<Note>), load::LoadError> {
        load::load(&self.sources(meant, &overlay(meant, text)))
    }

    fn project(&self, meant: &Meant, text: &str, output: &Output) -> Result<Loaded, Failure> {
        let loaded = load::load_project(&self.sources(meant, &overlay(meant, text)));
        loaded.map_err(|error| manifest::refused(&error, output))
    }

    fn sources<'r>(&self, meant: &Meant, reader: &'r Overlay<'r>) -> Sources<'r> {
        let mut sources = Sources::new(self.current.clone(), [&meant.path], reader);
        sources.environment = self.environment.clone();
        sources.logins = logins::all_of_docker;
        if self.files.is_empty() && meant.path.parent() == Some(self.current.as_path()) {
            sources.siblings = manifest::names_in(&self.current).unwrap_or_default();
        }
        sources
    }

    /// The variables that the files take from this shell.
    fn shell_variables(&self, loaded: &Loaded) -> BTreeSet<String> {
        let names = loaded.variables.keys().filter(|name| self.environment.contains_key(*name));
        names.filter(|name| !EVERYWHERE.contains(&name.as_str())).cloned().collect()
    }
}

/// The disk with what is to be written over it.
fn overlay(meant: &Meant, text: &str) -> Overlay<'static> {
    let mut files = to_write(meant);
    files.insert(meant.path.clone(), text.to_owned());
    Overlay { files, below: &Disk }
}

fn of_engine<T>(result: EngineResult<T>) -> Result<T, Failure> {
    result.map_err(|error| session::stack_failure(&StackError::Engine(error)))
}

fn is_manifest(file: &Path) -> bool {
    let text = Disk.read(file).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let documents = compose::yaml::parse_all(&file.display().to_string(), &text).unwrap_or_default();
    documents.iter().any(|tree| tree.get("apiVersion").is_some() && tree.get("kind").is_some())
}

fn disabled(loaded: &Loaded) -> BTreeMap<String, Vec<String>> {
    let disabled = loaded.project.disabled_services.iter();
    disabled.map(|(name, service)| (name.clone(), service.profiles.clone())).collect()
}

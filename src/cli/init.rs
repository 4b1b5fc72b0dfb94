//! `init`: a manifest for Compose files, or for what runs of them. Writes one file, and changes nothing that runs; the
//! words of the manifest are those of `init` beside this folder.

use super::{
    arguments::ManifestArguments,
    diff,
    exit::Exit,
    failure::Failure,
    manifest, origin,
    output::Output,
    render::{
        plan::{changes_in_words, notes_text},
        sheet::Table,
        style::{Style, Text, Tone},
    },
    session,
};
use crate::{
    compose::{self, Disk, Loaded, Overlay, Reader},
    controllers::stack::{Request, StackError},
    engine::{clock::SystemClock, docker::DockerEngine},
    init::{self, Choice, Draft, Files, Project, Unclear},
    load::{self, Sources},
    model::{
        desired::Desired,
        names::StackName,
        plan::{Action, Note, Plan},
        units::Millis,
    },
    observe::PullWish,
    probe::DockerProber,
};
use clap::Args;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The manifest's name.
const MANIFEST: &str = "evenkeel.yaml";
/// Variables that every shell has.
const EVERYWHERE: [&str; 5] = ["COMPOSE_PROJECT_NAME", "HOME", "PATH", "PWD", "USER"];

/// Write a manifest for Compose files, or for what runs of them
#[derive(Debug, Args)]
pub struct Arguments {
    /// A Compose file; several are merged in this order [default: those that the project runs from, else those that
    /// docker compose finds here]
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The Compose project that is meant, as `docker compose ls` lists it [default: the one of the Compose files]
    #[arg(long, value_name = "NAME", value_parser = project_name)]
    pub project: Option<StackName>,
    /// Where to write it; `-` is stdout [default: evenkeel.yaml beside the Compose files]
    #[arg(short = 'o', long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Writes over a manifest that is there
    #[arg(long)]
    pub force: bool,
}

fn project_name(text: &str) -> Result<StackName, String> {
    match compose::normalize_name(text) == text && !text.is_empty() {
        true => Ok(StackName::from(text)),
        false => Err("a project's name has lower-case letters, digits, `-` and `_`".to_owned()),
    }
}

/// A manifest that is written.
struct Written {
    path: PathBuf,
    text: String,
    desired: Desired,
    notes: Vec<Note>,
    files: Vec<PathBuf>,
    /// Why no engine was asked.
    unasked: Option<Failure>,
}

/// Writes it, holds it to what `validate` and `diff` say, and tells what to type next.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let files = named.files.iter().chain(&arguments.files).cloned().collect();
    let arguments =
        Wanted { files, arguments, current: manifest::current_folder()?, environment: manifest::environment() };
    let written = session::wait_for(arguments.manifest(output))?;
    let to_stdout = arguments.arguments.out.as_deref() == Some(Path::new("-"));
    if to_stdout {
        output.data(&written.text);
    } else {
        write(&written.path, &written.text, arguments.arguments.force)?;
    }
    let plan = match &written.unasked {
        Some(unasked) => Err(unasked.clone()),
        None => diff::plan(&request(&written), output),
    };
    output.talk(&summary(&written, &plan, to_stdout, &arguments.current, output.talk_style));
    Ok(Exit::Done)
}

/// What was typed, and where.
struct Wanted<'a> {
    files: Vec<PathBuf>,
    arguments: &'a Arguments,
    current: PathBuf,
    environment: BTreeMap<String, String>,
}

/// An engine that answered, and the projects on it.
struct Asked {
    engine: DockerEngine,
    running: BTreeMap<StackName, Project>,
}

async fn ask() -> Result<Asked, Failure> {
    let engine = session::engine().await?;
    let running = init::projects(&engine).await.map_err(|error| session::stack_failure(&StackError::Engine(error)))?;
    Ok(Asked { engine, running })
}

impl Wanted<'_> {
    async fn manifest(&self, output: &Output) -> Result<Written, Failure> {
        let asked = ask().await;
        let nothing = BTreeMap::new();
        let running = asked.as_ref().map_or(&nothing, |asked| &asked.running);
        let given: Vec<PathBuf> = self.files.iter().map(|file| self.absolute(file)).collect();
        let found = match given.is_empty() && self.arguments.project.is_none() {
            true => manifest::compose_files(&self.current, &self.environment)?,
            false => given.clone(),
        };
        let plain = if found.is_empty() { None } else { Some(self.plain(&found, output)?) };
        let by_files = plain.as_ref().map(|plain| (StackName::from(plain.project.name.as_str()), folder_of(&found)));
        let by_files = by_files.as_ref().map(|(name, folder)| (name, *folder));
        let choice = match init::choose(self.arguments.project.as_ref(), by_files, running) {
            Ok(Some(choice)) => choice,
            Ok(None) => return Err(no_files(running)),
            Err(unclear) => return Err(self.unclear(unclear, running, asked.as_ref().err())),
        };
        let files = init::files_of(&given, &found, choice.project.as_ref(), |file| Disk.is_file(file));
        if files.is_empty() {
            return Err(unreadable(&choice));
        }
        fits_folder(&choice, &files)?;
        let path = self.target(&files)?;
        let plain = match plain {
            Some(plain) if files == found => plain,
            _ => self.plain(&files, output)?,
        };
        self.written(choice, files, path, &plain, asked, output).await
    }

    /// From what is meant to the text, held to the loader.
    async fn written(
        &self,
        choice: Choice,
        files: Vec<PathBuf>,
        path: PathBuf,
        plain: &Loaded,
        asked: Result<Asked, Failure>,
        output: &Output,
    ) -> Result<Written, Failure> {
        let project = choice.project.as_ref();
        let folder = path.parent().unwrap_or(Path::new("/"));
        let shown = |paths: &[PathBuf]| paths.iter().map(|path| relative(path, folder)).collect::<Vec<_>>();
        let asked_env: Vec<PathBuf> = self
            .environment
            .get("COMPOSE_ENV_FILES")
            .map(|files| {
                files.split(',').filter(|file| !file.is_empty()).map(|file| self.absolute(Path::new(file))).collect()
            })
            .unwrap_or_default();
        let named = Files {
            files: shown(&files),
            env_files: shown(&init::env_files_of(&asked_env, project, folder_of(&files))),
            profiles: init::profiles_of(&plain.project.profiles, &disabled(plain), project),
        };
        let least = init::skeleton(&choice.name, &named);
        let loaded = self.project(&least, &path, output)?;
        let (desired, _) = self.load(&least, &path).map_err(|error| manifest::refused(&error, output))?;
        let (seen, unasked) = match asked {
            Err(failure) => (None, Some(failure)),
            Ok(Asked { engine, .. }) => {
                let engine = Arc::new(engine);
                let prober = DockerProber::new(engine.clone(), Arc::new(SystemClock::start()));
                let looked = init::look(engine.as_ref(), &prober, &desired, project.is_some()).await;
                match looked.map_err(|error| session::stack_failure(&StackError::Engine(error))) {
                    Ok(seen) => (Some(seen), None),
                    Err(failure) => (None, Some(failure)),
                }
            }
        };
        let draft = Draft {
            name: choice.name,
            files: named,
            desired: &desired,
            seen: seen.as_ref(),
            disabled: disabled(&loaded),
            from_shell: self.from_shell(&loaded),
        };
        let text = init::manifest(&draft);
        let (desired, notes) = self.load(&text, &path).map_err(|error| {
            Failure::new(Exit::Bug, format!("this is a bug in evenkeel: the manifest would not be valid: {error}"))
        })?;
        Ok(Written { path, text, desired, notes, files, unasked })
    }

    fn absolute(&self, file: &Path) -> PathBuf {
        self.current.join(file).components().collect()
    }

    /// Where the manifest goes. One that is there stays.
    fn target(&self, files: &[PathBuf]) -> Result<PathBuf, Failure> {
        let beside = folder_of(files).join(MANIFEST);
        let path = match self.arguments.out.as_deref() {
            Some(out) if out == Path::new("-") => return Ok(beside),
            Some(out) => self.absolute(out),
            None => beside,
        };
        if path.exists() && !self.arguments.force {
            return Err(there_already(&relative(&path, &self.current)));
        }
        Ok(path)
    }

    /// The project of Compose files alone.
    fn plain(&self, files: &[PathBuf], output: &Output) -> Result<Loaded, Failure> {
        if let Some(file) = files.iter().find(|file| is_manifest(file)) {
            let file = relative(file, &self.current);
            return Err(Failure::usage(format!("`{file}` is a manifest already"))
                .hint("`evenkeel diff` shows what it would change; `init` takes Compose files"));
        }
        let mut sources = Sources::new(self.current.clone(), files.to_vec(), &Disk);
        sources.environment = self.environment.clone();
        load::load_project(&sources).map_err(|error| manifest::refused(&error, output))
    }

    /// What a manifest that is not written yet declares.
    fn load(&self, text: &str, path: &Path) -> Result<(Desired, Vec<Note>), load::LoadError> {
        let overlay = Overlay { path: path.to_owned(), text: text.to_owned(), below: &Disk };
        load::load(&self.sources(path, &overlay))
    }

    fn project(&self, text: &str, path: &Path, output: &Output) -> Result<Loaded, Failure> {
        let overlay = Overlay { path: path.to_owned(), text: text.to_owned(), below: &Disk };
        load::load_project(&self.sources(path, &overlay)).map_err(|error| manifest::refused(&error, output))
    }

    fn sources<'r>(&self, path: &Path, reader: &'r Overlay<'r>) -> Sources<'r> {
        let mut sources = Sources::new(self.current.clone(), [path], reader);
        sources.environment = self.environment.clone();
        if self.files.is_empty() && path.parent() == Some(self.current.as_path()) {
            sources.siblings = manifest::names_in(&self.current).unwrap_or_default();
        }
        sources
    }

    /// The variables that the files take from this shell.
    fn from_shell(&self, loaded: &Loaded) -> BTreeSet<String> {
        let names = loaded.variables.keys().filter(|name| self.environment.contains_key(*name));
        names.filter(|name| !EVERYWHERE.contains(&name.as_str())).cloned().collect()
    }

    fn unclear(&self, unclear: Unclear, running: &BTreeMap<StackName, Project>, unasked: Option<&Failure>) -> Failure {
        match (unclear, unasked) {
            (Unclear::NotThere(_), Some(unasked)) => unasked.clone(),
            (Unclear::NotThere(name), None) => {
                let failure = Failure::usage(format!("no project `{name}` runs here"));
                match running.is_empty() {
                    true => failure.hint("name its Compose files with `-f`"),
                    false => failure.hint(format!("there is {}", names(running.keys()))),
                }
            }
            (Unclear::Several(several), _) => {
                Failure::usage(format!("several projects run from this folder: {}", names(several.iter())))
                    .hint("say which one: `evenkeel init --project NAME`")
            }
        }
    }
}

fn folder_of(files: &[PathBuf]) -> &Path {
    files.first().and_then(|file| file.parent()).unwrap_or(Path::new("/"))
}

/// Relative to a folder where it is in it.
fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

fn names<'a>(names: impl Iterator<Item = &'a StackName>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
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

fn no_files(running: &BTreeMap<StackName, Project>) -> Failure {
    let failure = Failure::usage("there is no Compose file in this folder");
    if running.is_empty() {
        return failure.hint("name one with `-f`");
    }
    let runs = names(running.keys());
    failure.hint(format!("name one with `-f`, or with `--project` a project that runs here: {runs}"))
}

/// The files of a project that runs are not where its labels say.
fn unreadable(choice: &Choice) -> Failure {
    let files: Vec<String> = choice
        .project
        .iter()
        .flat_map(|project| &project.config_files)
        .map(|file| format!("`{}`", file.display()))
        .collect();
    let name = &choice.name;
    let failure = match files.is_empty() {
        true => Failure::usage(format!("nothing says which Compose files `{name}` was made from")),
        false => Failure::usage(format!("`{name}` was made from files that are not here: {}", files.join(", "))),
    };
    failure
        .hint("name them with `-f`; not built yet: services written from containers alone, without their Compose files")
}

/// docker compose can be told another folder than that of the first file; a manifest can't.
fn fits_folder(choice: &Choice, files: &[PathBuf]) -> Result<(), Failure> {
    let Some(project) = choice.project.as_ref().filter(|project| project.config_files == files) else {
        return Ok(());
    };
    if project.working_dir == folder_of(files) {
        return Ok(());
    }
    let folder = project.working_dir.display();
    Err(Failure::usage(format!(
        "not built yet: `{}` runs with the project directory `{folder}`, which is not that of its first Compose file",
        choice.name
    ))
    .hint(format!(
        "move the file to `{folder}`, or name files with `-f` whose paths mean the same from their own folder"
    )))
}

fn there_already(path: &str) -> Failure {
    Failure::usage(format!("`{path}` is there already"))
        .hint("`--force` writes over it, `-o FILE` writes another file, `-o -` prints it")
}

/// A manifest that was not there a moment ago may be there now: it stays all the same.
fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!force);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => there_already(&path.display().to_string()),
        _ => Failure::usage(format!("could not write `{}`: {error}", path.display())),
    })
}

/// What `diff` would be asked.
fn request(written: &Written) -> Request {
    Request {
        desired: written.desired.clone(),
        notes: Vec::new(),
        selected: None,
        pull: PullWish::ByPolicy,
        origin: origin::of_process(&Default::default()),
        lock_wait: Millis(0),
        yes: false,
        new_stack: false,
        saved: None,
        unattended: false,
    }
}

/// What was written, what it gives, and what to type next, every line ended.
fn summary(written: &Written, plan: &Result<Plan, Failure>, to_stdout: bool, current: &Path, style: Style) -> String {
    let folder = folder_of(&written.files);
    let files: Vec<String> = written.files.iter().map(|file| relative(file, folder)).collect();
    let count = match written.desired.services.len() {
        1 => "1 service".to_owned(),
        count => format!("{count} services"),
    };
    let path = if to_stdout { "a manifest".to_owned() } else { relative(&written.path, current) };
    let wrote = Text::toned(Tone::Good, "wrote").plain(" ").and(Tone::Strong, path).plain(format!(
        " for {}: {count} of {}",
        written.desired.stack,
        files.join(", ")
    ));
    let mut text = format!("{}\n", wrote.paint(style));
    text.push_str(&format!("{}\n", runs(written, plan).paint(style)));
    if !written.notes.is_empty() {
        text.push_str(&format!("\n{}", notes_text(&written.notes, style)));
    }
    if !to_stdout {
        let file = match written.path == current.join(MANIFEST) {
            true => String::new(),
            false => format!(" -f {}", relative(&written.path, current)),
        };
        text.push_str(&format!("\n{}\n", Text::toned(Tone::Strong, "next").paint(style)));
        let mut table = Table::default();
        for (verb, does) in [("diff", "shows what an apply would do"), ("apply", "does it, and keeps a record of it")] {
            let command = Text::new().space(2).and(Tone::Strong, format!("evenkeel{file} {verb}"));
            table.row(vec![command, does.into()]);
        }
        text.push_str(&table.paint(style));
    }
    text
}

/// One line: what the manifest would change.
fn runs(written: &Written, plan: &Result<Plan, Failure>) -> Text {
    let stack = written.desired.stack.as_str();
    let plan = match plan {
        Ok(plan) => plan,
        Err(failure) => {
            let why = failure.sentence.lines().next().unwrap_or_default();
            return Text::from(format!("what runs is not known: {why}"));
        }
    };
    if let Some(held) = plan.held.iter().find(|held| held.code.stops_everything().is_some()) {
        return Text::toned(Tone::Bad, "held: ").plain(format!("{}: {}", held.code, held.reason));
    }
    let changes: Vec<_> = plan.differences().collect();
    match (changes.as_slice(), plan.adopted()) {
        ([], 0) => Text::from(format!("no changes: {stack} is as the manifest declares it")),
        ([], 1) => Text::from("no changes: 1 service that runs is taken over untouched"),
        ([], adopted) => Text::from(format!("no changes: {adopted} services that run are taken over untouched")),
        (changes, 0) if changes.iter().all(|change| change.action == Action::Create) => {
            Text::from(format!("nothing of {stack} runs here yet"))
        }
        (changes, _) => Text::toned(Tone::Change, changes_in_words(changes.len()))
            .plain(": what runs is not what its Compose files say now, whatever stands in the manifest"),
    }
}

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
    engine::{
        EngineResult,
        clock::{Clock, SystemClock},
        docker::DockerEngine,
    },
    init::{self, Choice, Draft, Files, Inline, Project, Source, Unclear},
    load::{self, Sources},
    model::{
        desired::Desired,
        names::StackName,
        plan::{Action, Change, Note, Plan},
        units::Millis,
    },
    observe::PullWish,
    probe::DockerProber,
};
use clap::Args;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{OpenOptions, Permissions},
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The manifest's name.
const MANIFEST: &str = "evenkeel.yaml";
/// The mode of a file that may hold secrets.
const ONLY_ITS_OWNER: u32 = 0o600;
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

/// What shall be written, and from what.
struct Meant {
    choice: Choice,
    /// Where the manifest goes.
    path: PathBuf,
    source: Source,
    /// The Compose files; none where services are written from what runs.
    files: Vec<PathBuf>,
}

/// A manifest to be written.
struct Written {
    meant: Meant,
    text: String,
    desired: Desired,
    notes: Vec<Note>,
    /// Why no engine was asked.
    unasked: Option<Failure>,
}

/// Writes it, holds it to what `validate` and `diff` say, and tells what to type next.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let files = named.files.iter().chain(&arguments.files).cloned().collect();
    let (current, environment) = (manifest::current_folder()?, manifest::environment());
    let wanted = Wanted { files, arguments, current, environment };
    let written = session::wait_for(wanted.manifest(output))?;
    let plan = match &written.unasked {
        Some(unasked) => Err(unasked.clone()),
        None => diff::plan(&request(&written), output),
    };
    if let Source::Inline(inline) = &written.meant.source {
        certain(&written.meant.choice.name, inline, &plan)?;
    }
    if wanted.is_printed() {
        output.data(&written.text);
    } else {
        write_all(&written, arguments.force)?;
    }
    output.talk(&summary(&written, &plan, wanted.is_printed(), &wanted.current, output.talk_style));
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
    fn is_printed(&self) -> bool {
        self.arguments.out.as_deref() == Some(Path::new("-"))
    }

    async fn manifest(&self, output: &Output) -> Result<Written, Failure> {
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
        let plain = if found.is_empty() { None } else { Some(self.plain(&found, output)?) };
        let by_files = plain.as_ref().map(|plain| (StackName::from(plain.project.name.as_str()), folder_of(&found)));
        let by_files = by_files.as_ref().map(|(name, folder)| (name, *folder));
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
        fits_folder(&choice, &files)?;
        let path = self.target(folder_of(&files))?;
        let plain = match plain {
            Some(plain) if files == found => plain,
            _ => self.plain(&files, output)?,
        };
        let source = Source::Files(self.named(&choice, &files, &path, &plain));
        Ok(Meant { choice, path, source, files })
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

    /// The files as the manifest names them.
    fn named(&self, choice: &Choice, files: &[PathBuf], path: &Path, plain: &Loaded) -> Files {
        let project = choice.project.as_ref();
        let folder = path.parent().unwrap_or(Path::new("/"));
        let shown = |paths: &[PathBuf]| paths.iter().map(|path| relative(path, folder)).collect::<Vec<_>>();
        let asked = self.environment.get("COMPOSE_ENV_FILES").map(String::as_str).unwrap_or_default();
        let asked = asked.split(',').filter(|file| !file.is_empty());
        let asked: Vec<PathBuf> = asked.map(|file| self.absolute(Path::new(file))).collect();
        Files {
            files: shown(files),
            env_files: shown(&init::env_files_of(&asked, project, folder_of(files))),
            profiles: init::profiles_of(&plain.project.profiles, &disabled(plain), project),
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

/// What is written beside the manifest.
fn to_write(meant: &Meant) -> BTreeMap<PathBuf, String> {
    let Source::Inline(inline) = &meant.source else { return BTreeMap::new() };
    let folder = meant.path.parent().unwrap_or(Path::new("/"));
    inline.env_files.iter().map(|(name, text)| (folder.join(name), text.clone())).collect()
}

fn of_engine<T>(result: EngineResult<T>) -> Result<T, Failure> {
    result.map_err(|error| session::stack_failure(&StackError::Engine(error)))
}

fn unclear_project(unclear: Unclear, running: &BTreeMap<StackName, Project>, unasked: Option<&Failure>) -> Failure {
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
            let all = names(several.iter());
            Failure::usage(format!("several projects run from this folder: {all}"))
                .hint("say which one: `evenkeel init --project NAME`")
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

/// Services without their files are written only where a plan finds nothing to change; else the fields are named that
/// would.
fn certain(name: &StackName, inline: &Inline, plan: &Result<Plan, Failure>) -> Result<(), Failure> {
    let plan = plan.as_ref().map_err(Clone::clone)?;
    let fields = |change: &Change| {
        let fields: Vec<&str> = change.fields.iter().map(|field| field.path.as_str()).collect();
        format!(
            "{}: {}",
            change.resource,
            if fields.is_empty() { change.reason.to_string() } else { fields.join(", ") }
        )
    };
    let held = plan.held.iter().map(|held| format!("{}: {}", held.resource, held.reason));
    let unsaid: Vec<String> = inline.unsaid.iter().cloned().chain(plan.differences().map(fields)).chain(held).collect();
    if unsaid.is_empty() {
        return Ok(());
    }
    let files = format!("the Compose files of `{name}` are not here, and what runs does not say for certain");
    Err(Failure::usage(format!("{files}:\n  {}", unsaid.join("\n  ")))
        .hint("nothing is written; bring the files back, or name others with `-f`"))
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

/// Writes the manifest and what stands beside it.
fn write_all(written: &Written, force: bool) -> Result<(), Failure> {
    for (path, text) in to_write(&written.meant) {
        write(&path, &text, ONLY_ITS_OWNER, force)?;
    }
    write(&written.meant.path, &written.text, 0o666, force)
}

/// A file that was not there a moment ago may be there now: it stays all the same.
fn write(path: &Path, text: &str, mode: u32, force: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!force).mode(mode);
    let written = options.open(path).and_then(|mut file| {
        if mode == ONLY_ITS_OWNER {
            // One that was there may have been for everybody.
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        file.write_all(text.as_bytes())
    });
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
    let folder = folder_of(&written.meant.files);
    let files: Vec<String> = written.meant.files.iter().map(|file| relative(file, folder)).collect();
    let files = match files.as_slice() {
        [] => "that run, without their Compose files".to_owned(),
        files => format!("of {}", files.join(", ")),
    };
    let count = match written.desired.services.len() {
        1 => "1 service".to_owned(),
        count => format!("{count} services"),
    };
    let path = &written.meant.path;
    let shown = if to_stdout { "a manifest".to_owned() } else { relative(path, current) };
    let wrote = Text::toned(Tone::Good, "wrote")
        .plain(" ")
        .and(Tone::Strong, shown)
        .plain(format!(" for {}: {count} {files}", written.desired.stack));
    let mut text = format!("{}\n", wrote.paint(style));
    for file in to_write(&written.meant).keys().filter(|_| !to_stdout) {
        let file = relative(file, current);
        text.push_str(&format!("wrote {file}, which holds an environment and only its owner can read\n"));
    }
    text.push_str(&format!("{}\n", runs(written, plan).paint(style)));
    if !written.notes.is_empty() {
        text.push_str(&format!("\n{}", notes_text(&written.notes, style)));
    }
    if !to_stdout {
        let file = match *path == current.join(MANIFEST) {
            true => String::new(),
            false => format!(" -f {}", relative(path, current)),
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

//! What the verbs need to reach the stack: the manifest, the home, the engine, put together. The only file of the command
//! line that knows how. Nothing is contacted before the manifest is known to be good.

use super::{
    arguments::{ManifestArguments, OverrideArguments},
    exit::Exit,
    failure::Failure,
    manifest,
    output::Output,
};
use crate::{
    controllers::{
        Patience,
        stack::{Stack, StackError, SystemDraw},
    },
    engine::{
        Engine,
        build::{BuildError, Builder, Buildx, Order},
        clock::{Clock, SystemClock},
        connect,
        docker::DockerEngine,
        logins::RegistryLogins,
        registry::{Found, OciRegistries, Registries, RegistryError},
    },
    execute::{Cancel, EventSender},
    home::{self, Home, HomeError},
    load::{self, Sources},
    model::{
        desired::{Desired, Login, Overrides},
        names::{ImageReference, StackName},
        plan::Note,
    },
    probe::DockerProber,
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::mpsc;

/// A manifest that is good, with what is worth knowing of it.
pub struct Declared {
    pub desired: Desired,
    pub notes: Vec<Note>,
}

/// Loads what is declared, with the overrides that the current revision has in force.
///
/// # Errors
/// The manifest is wrong, or `--unset` names nothing.
pub fn declared(named: &ManifestArguments, typed: &OverrideArguments, output: &Output) -> Result<Declared, Failure> {
    declared_over(named, typed, output, |name| in_force(name, output))
}

/// The same for who goes on to act, with the home, open to be written, where there is one: it is not opened twice.
///
/// # Errors
/// As of `declared`.
pub fn declared_to_act(
    named: &ManifestArguments,
    typed: &OverrideArguments,
    output: &Output,
) -> Result<(Declared, Option<Home>), Failure> {
    let mut home = None;
    let declared = declared_over(named, typed, output, |name| {
        let open = || Home::open_known(&home::state_dir().ok()?, name).ok()?;
        home = open().inspect(|home| say_what_was_lost(home, output));
        match home.as_ref().map(Home::overrides_in_force) {
            Some(Ok(in_force)) => in_force,
            // What can't be written can be read perhaps; why not is told when it is to be written.
            _ => in_force(name, output),
        }
    })?;
    // With a variable in force the stack may have another name.
    let home = home.filter(|home| *home.stack() == declared.desired.stack);
    Ok((declared, home))
}

fn declared_over(
    named: &ManifestArguments,
    typed: &OverrideArguments,
    output: &Output,
    in_force: impl FnOnce(&StackName) -> Overrides,
) -> Result<Declared, Failure> {
    let without_home = OverrideArguments { unset: Vec::new(), ..typed.clone() };
    let sources = manifest::sources(named, &without_home, Overrides::default())?;
    let first = load::load(&sources);
    let name = match &first {
        Ok((desired, _)) => Some(desired.stack.clone()),
        // A variable that only an override sets makes it fail without the home.
        Err(_) => load::stack_name(&sources),
    };
    let in_force = name.map(|name| in_force(&name)).unwrap_or_default();
    let loaded = if in_force == Overrides::default() && typed.unset.is_empty() {
        first
    } else {
        load::load(&manifest::sources(named, typed, in_force)?)
    };
    let (desired, notes) = loaded.map_err(|error| manifest::refused(&error, output))?;
    Ok(Declared { desired, notes })
}

/// What is declared, or where the manifest is wrong an empty stack of its name: what is done to what runs must not hang
/// on a file.
pub fn for_acting(named: &ManifestArguments, typed: &OverrideArguments, output: &Output) -> Result<Desired, Failure> {
    match declared(named, typed, output) {
        Ok(declared) => Ok(declared.desired),
        Err(failure) => {
            let name = stack_name(named, output).map_err(|_| failure.clone())?;
            output.talk(&failure.text(output.talk_style));
            Ok(Desired::empty(name))
        }
    }
}

/// The stack's name, even of a manifest that is wrong: what happened to it can still be asked.
pub fn stack_name(named: &ManifestArguments, output: &Output) -> Result<StackName, Failure> {
    let sources = manifest::sources(named, &OverrideArguments::default(), Overrides::default())?;
    match load::load(&sources) {
        Ok((desired, _)) => Ok(desired.stack),
        Err(error) => load::written_name(&sources)
            .or_else(|| applied_from(&sources))
            .or_else(|| load::stack_name(&sources))
            .ok_or_else(|| manifest::refused(&error, output)),
    }
}

/// The stack that was applied from this file, which says itself no more, when there is one such stack here.
fn applied_from(sources: &Sources<'_>) -> Option<StackName> {
    let (file, folder) = (sources.working_dir.join(sources.files.first()?), home::state_dir().ok()?);
    let source = |name: &StackName| Some(Home::read(&folder, name).ok()??.current().ok()??.desired.source);
    let is_from = |name: &StackName| source(name).is_some_and(|source| Path::new(&source.manifest) == file);
    match home::stacks(&folder).ok()?.into_iter().filter(is_from).collect::<Vec<_>>().as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

fn in_force(name: &StackName, output: &Output) -> Overrides {
    let in_force = read_home(name).and_then(|home| match home {
        Some(home) => of_home(home.overrides_in_force()),
        None => Ok(Overrides::default()),
    });
    match in_force {
        Ok(in_force) => in_force,
        Err(failure) => {
            output.talk(&format!("warning: overrides in force are unknown: {}\n", failure.sentence));
            Overrides::default()
        }
    }
}

/// The home, to be read; `None` where there is none.
pub fn read_home(name: &StackName) -> Result<Option<Home>, Failure> {
    let folder = home::state_dir().map_err(|error| home_failure(&error))?;
    Home::read(&folder, name).map_err(|error| home_failure(&error))
}

/// The home, to be read, where the verb is about what it holds.
pub fn known_home(name: &StackName) -> Result<Home, Failure> {
    let missing = || stack_failure(&StackError::NoHome(name.clone()));
    read_home(name)?.ok_or_else(missing)
}

/// The home, to be written; made where there is none.
pub fn open_home(name: &StackName, output: &Output) -> Result<Home, Failure> {
    let folder = home::state_dir().map_err(|error| home_failure(&error))?;
    let home = Home::open(&folder, name).map_err(|error| home_failure(&error))?;
    say_what_was_lost(&home, output);
    Ok(home)
}

fn say_what_was_lost(home: &Home, output: &Output) {
    if let Some(aside) = home.moved_aside() {
        let aside = aside.display();
        output.talk(&format!("warning: the home was damaged and is begun anew; the damaged one is `{aside}`\n"));
    }
}

/// The same, while the runtime goes on with what it waits for.
pub async fn open_home_beside(name: &StackName, output: &Output) -> Result<Home, Failure> {
    let (name, output) = (name.clone(), *output);
    let opened = tokio::task::spawn_blocking(move || open_home(&name, &output)).await;
    opened.unwrap_or_else(|error| Err(Failure::new(Exit::Bug, format!("could not open the home: {error}"))))
}

/// The engine that the environment names.
///
/// # Errors
/// No engine answers.
pub async fn engine() -> Result<DockerEngine, Failure> {
    DockerEngine::connect(&socket()?).await.map_err(|error| stack_failure(&StackError::Engine(error)))
}

/// The stack on the engine that the environment names.
///
/// # Errors
/// No engine answers.
pub async fn stack(
    desired: &Desired,
    home: Option<Arc<Home>>,
    events: EventSender,
    cancel: Cancel,
) -> Result<Stack, Failure> {
    Ok(stack_on(engine().await?, desired, home, events, cancel))
}

/// The stack on this engine.
pub fn stack_on(
    engine: DockerEngine,
    desired: &Desired,
    home: Option<Arc<Home>>,
    events: EventSender,
    cancel: Cancel,
) -> Stack {
    let reach = Reach {
        engine: Arc::new(engine),
        clock: Arc::new(SystemClock::start()),
        events,
        cancel,
        patience: Patience::default(),
    };
    reach.stack(desired.stack.clone(), &desired.registries, home)
}

/// The socket of the engine that the environment names.
///
/// # Errors
/// It names none on this machine.
pub fn socket() -> Result<PathBuf, Failure> {
    let variable = |name: &str| std::env::var(name).ok();
    connect::socket(variable).map_err(|error| Failure::because(Exit::Unreachable, &error).hint(error.hint()))
}

/// What every stack on an engine has in common.
pub struct Reach {
    pub engine: Arc<dyn Engine>,
    pub clock: Arc<dyn Clock>,
    pub events: EventSender,
    pub cancel: Cancel,
    pub patience: Patience,
}

impl Reach {
    /// One stack there, with its logins at registries.
    pub fn stack(self, name: StackName, registries: &BTreeMap<String, Login>, home: Option<Arc<Home>>) -> Stack {
        let Reach { engine, clock, events, cancel, patience } = self;
        let logins = Arc::new(RegistryLogins::new(registries));
        Stack {
            name,
            prober: Arc::new(DockerProber::new(engine.clone(), clock.clone())),
            engine,
            clock,
            registries: Arc::new(WhenNeeded(logins.clone())),
            builder: Arc::new(BuildxWhenNeeded),
            logins,
            home,
            events,
            cancel,
            draw: Arc::new(SystemDraw),
            root: rustix::process::geteuid().is_root(),
            patience,
        }
    }
}

/// Registries whose TLS is set up when one is asked: most applies ask none.
struct WhenNeeded(Arc<RegistryLogins>);

#[async_trait]
impl Registries for WhenNeeded {
    async fn look_up(&self, reference: &ImageReference, platform: Option<&str>) -> Result<Found, RegistryError> {
        OciRegistries::new(self.0.clone())?.look_up(reference, platform).await
    }
}

/// buildx on the engine of the environment, which is found when it is asked: most applies build nothing.
struct BuildxWhenNeeded;

#[async_trait]
impl Builder for BuildxWhenNeeded {
    async fn build(&self, order: &Order, said: &mpsc::Sender<String>) -> Result<(), BuildError> {
        let variable = |name: &str| std::env::var(name).ok();
        let socket = connect::socket(variable).map_err(|error| BuildError::Missing(error.to_string()))?;
        Buildx::new(socket).build(order, said).await
    }
}

/// Waits for a verb's work.
pub fn wait_for<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Unreachable, format!("could not start: {error}")))?;
    runtime.block_on(work)
}

/// A controller's error, as people read it.
pub fn stack_failure(error: &StackError) -> Failure {
    let failure = Failure::because(Exit::from_code(error.exit()), error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// A home's error, as people read it.
pub fn home_failure(error: &HomeError) -> Failure {
    let failure = Failure::because(Exit::Unreachable, error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The same for what a verb reads from the home itself.
pub fn of_home<T>(result: Result<T, HomeError>) -> Result<T, Failure> {
    result.map_err(|error| home_failure(&error))
}

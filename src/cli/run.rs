//! `run`: keeps the current revision of every stack that has its home here, for ever. Puts together what turns, what shows
//! how it is, and what ends it; what a round does, the controller decides.

use super::{
    arguments::{Format, ManifestArguments, OriginArguments, duration},
    exit::Exit,
    failure::Failure,
    follow::Followed,
    origin,
    output::Output,
    render::progress::{Progress, Watch},
    session::{self, Reach},
};
use crate::{
    controllers::{
        EngineSince, Manifest, Patience, Wake,
        stack::{KeepOptions, Keeper, StackError},
    },
    daemon::{
        files::Files,
        finder::Finder,
        fleet::{Enlist, Enlisted, Fleet, Members},
        health::Health,
        service::Service,
        signals,
        tell::{StackTeller, Tell},
        turn::Turn,
        watch::Watching,
    },
    engine::{
        Engine,
        clock::{Clock, SystemClock, within},
        docker::DockerEngine,
    },
    execute::{Cancel, EventSender},
    home::{self, Holder, Home, HomeError, LockError, RunLock},
    model::{
        event::{EventKind, Severity},
        names::StackName,
        revision::Origin,
        units::Millis,
    },
    web::{self, Pages},
};
use async_trait::async_trait;
use clap::Args;
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{net::TcpListener, task::LocalSet};

/// Before the engine is tried again that was not there at the start; twice as long each time, up to the second.
const CONNECT_FIRST: Millis = Millis(100);
const CONNECT_MAX: Millis = Millis::seconds(5);
/// After leaving at once, what is still to be shown gets so long.
const LEAVING: Millis = Millis::seconds(1);

/// Keep the current revision of every stack whose home is here, for ever
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Takes over what the manifest declares as it changes; without it a change waits for an apply
    #[arg(long)]
    pub follow: bool,
    /// Where /healthz and /readyz answer; `none` for nowhere
    #[arg(long, value_name = "ADDRESS:PORT|none", default_value = "127.0.0.1:9440", value_parser = listen)]
    pub listen: Listen,
    /// Looks at least so often, whatever was missed
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = resync)]
    pub resync: Millis,
    /// Restarts nothing for its liveness for so long after evenkeel or the engine started
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    pub settle: Millis,
    /// How events are written: text goes to stderr; JSON, one object a line, to stdout
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    #[command(flatten)]
    pub origin: OriginArguments,
}

/// Where to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    At(SocketAddr),
    Nowhere,
}

fn listen(text: &str) -> Result<Listen, String> {
    match text {
        "none" => Ok(Listen::Nowhere),
        text => text.parse().map(Listen::At).map_err(|_| "it is `none`, or an address such as `127.0.0.1:9440`".into()),
    }
}

fn resync(text: &str) -> Result<Millis, String> {
    let span = duration(text).map_err(|error| error.to_string())?;
    if span < Millis::seconds(1) {
        return Err("it is at least `1s`".to_owned());
    }
    Ok(span)
}

/// Runs until a signal ends it.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let named = named.and(&arguments.manifest);
    if !named.files.is_empty() && !arguments.follow {
        return Err(Failure::usage("`-f` names a manifest that nothing would read")
            .hint("`run` keeps what was applied; `--follow` takes the manifest over as it changes"));
    }
    let followed = match arguments.follow {
        true => Some(session::stack_name(&named, output)?),
        false => None,
    };
    let state_dir = home::state_dir().map_err(|error| session::home_failure(&error))?;
    let origin = origin::of_process(&arguments.origin);
    session::wait_for(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let _lock = lock(&state_dir, &origin, &*clock, output)?;
        let listener = listener(arguments.listen).await?;
        let (events, progress) = Progress::log(arguments.format, *output);
        let running = Running {
            cancel: Cancel::default(),
            health: Arc::new(Health::new(clock.clone())),
            service: Arc::new(Service::of(|name| std::env::var(name).ok())),
            watch: progress.watch(),
            clock: clock.clone(),
            state_dir,
        };
        running.beside(listener);
        let options = Options {
            origin,
            settle: arguments.settle,
            resync: arguments.resync,
            followed: followed.map(|stack| Following::start(stack, named.clone())).transpose()?,
        };
        // The controllers share this thread.
        let done = LocalSet::new().run_until(running.keep(options, events)).await;
        let _ = within(&*clock, LEAVING, progress.finish()).await;
        done
    })
}

/// One at a time runs on a home. One that can't be written stops no repair.
fn lock(state_dir: &Path, origin: &Origin, clock: &dyn Clock, output: &Output) -> Result<RunLock, Failure> {
    let doing = format!("run (process {})", std::process::id());
    let holder = Holder { actor: origin.actor.clone(), doing };
    let lock = home::lock_run(state_dir, &holder, clock.now()).map_err(|error| match error {
        LockError::Held { actor, since, doing } => {
            Failure::new(Exit::Locked, format!("`{actor}` runs on this home since {since}: {doing}")).hint(
                "one `run` keeps all stacks of a home; end that one, or name another home with EVENKEEL_STATE_DIR",
            )
        }
        LockError::Home(error) => session::home_failure(&error),
    })?;
    if let Some(error) = &lock.unwritable {
        let Failure { sentence, hint, .. } = session::home_failure(error);
        let hint = hint.map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
        output.talk(&format!("warning: {sentence}; what runs is kept, and every apply is refused\n{hint}"));
    }
    Ok(lock)
}

async fn listener(listen: Listen) -> Result<Option<TcpListener>, Failure> {
    let Listen::At(address) = listen else { return Ok(None) };
    match web::listen(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) => Err(Failure::new(Exit::Unreachable, format!("could not listen on `{address}`: {error}"))
            .hint("`--listen ADDRESS:PORT` names another place, `--listen none` needs none")),
    }
}

/// What is asked for.
struct Options {
    origin: Origin,
    settle: Millis,
    resync: Millis,
    followed: Option<Following>,
}

/// A manifest that is followed.
struct Following {
    stack: StackName,
    manifest: Arc<Followed>,
}

impl Following {
    fn start(stack: StackName, named: ManifestArguments) -> Result<Following, Failure> {
        let files = Files::start().map_err(|why| Failure::new(Exit::Unreachable, why))?;
        let manifest = Followed { stack: stack.clone(), named, files: Arc::new(files) };
        Ok(Following { stack, manifest: Arc::new(manifest) })
    }
}

/// What lives as long as the process.
struct Running {
    clock: Arc<dyn Clock>,
    cancel: Cancel,
    health: Arc<Health>,
    service: Arc<Service>,
    state_dir: PathBuf,
    watch: Watch,
}

impl Running {
    /// Starts what goes on beside the loops: signals, signs of life, the pages.
    fn beside(&self, listener: Option<TcpListener>) {
        let (signals, cancel, clock) = (signals::endings(), self.cancel.clone(), self.clock.clone());
        tokio::spawn(async move { signals::listen(signals, cancel, &*clock).await });
        let (service, clock, health) = (self.service.clone(), self.clock.clone(), self.health.clone());
        tokio::spawn(async move { service.live(&*clock, &health).await });
        if let Some(listener) = listener {
            let pages = Pages { health: self.health.clone(), state_dir: self.state_dir.clone() };
            tokio::spawn(web::serve(listener, Arc::new(pages)));
        }
        self.service.ready();
    }

    async fn keep(self, options: Options, events: EventSender) -> Result<Exit, Failure> {
        let Some(engine) = self.engine().await? else { return Ok(Exit::Done) };
        let since = EngineSince::new(self.clock.now());
        let always = options.followed.iter().map(|followed| followed.stack.clone()).collect();
        let finder = Wake::default();
        let fleet = Arc::new(Fleet {
            clock: self.clock.clone(),
            health: self.health.clone(),
            cancel: self.cancel.clone(),
            resync: options.resync,
            finder: finder.clone(),
            members: Members::default(),
            enlist: Box::new(Stacks {
                engine: engine.clone(),
                clock: self.clock.clone(),
                state_dir: self.state_dir.clone(),
                events,
                since: since.clone(),
                options,
            }),
        });
        let (turn, controller) = self.finding(fleet.clone(), engine.clone(), always, finder);
        let finding = tokio::task::spawn_local(turn.run(Box::new(controller)));
        let (clock, health) = (self.clock.clone(), self.health.clone());
        let watching = tokio::spawn(Watching { engine, clock, fleet: fleet.clone(), health, since }.run());
        self.cancel.gently.cancelled().await;
        self.service.stopping();
        watching.abort();
        let ending = async {
            // First, so that nobody joins any more.
            let _ = finding.await;
            fleet.ended().await;
        };
        tokio::select! {
            biased;
            () = ending => {}
            () = self.left_at_once() => {}
        }
        if self.cancel.now.is_cancelled() {
            return Err(Failure::new(Exit::Interrupted, "left at once: what was begun stays as it is")
                .hint("the next `evenkeel run` or `evenkeel apply` finishes or undoes it"));
        }
        Ok(Exit::Done)
    }

    async fn left_at_once(&self) {
        self.cancel.now.cancelled().await;
        self.clock.sleep(LEAVING).await;
    }

    /// The engine, once it answers; `None`: ended before.
    async fn engine(&self) -> Result<Option<Arc<dyn Engine>>, Failure> {
        let socket = session::socket()?;
        let mut backoff = CONNECT_FIRST;
        loop {
            let connected = tokio::select! {
                biased;
                () = self.cancel.gently.cancelled() => return Ok(None),
                connected = DockerEngine::connect(&socket) => connected,
            };
            let error = match connected {
                Ok(engine) => return Ok(Some(Arc::new(engine))),
                Err(error) => error,
            };
            if backoff == CONNECT_FIRST {
                self.watch.say(&format!("waiting for the engine: {error}"));
                self.service.status("waiting for the engine");
            }
            self.health.engine_is_lost(&error.to_string());
            tokio::select! {
                biased;
                () = self.cancel.gently.cancelled() => return Ok(None),
                () = self.clock.sleep(backoff) => {}
            }
            backoff = Millis(backoff.0 * 2).min(CONNECT_MAX);
        }
    }

    /// The loop that finds stacks.
    fn finding(
        &self,
        fleet: Arc<Fleet>,
        engine: Arc<dyn Engine>,
        always: BTreeSet<StackName>,
        wake: Wake,
    ) -> (Turn, Finder) {
        let service = self.service.clone();
        let told = move |kept: &BTreeSet<StackName>| {
            let names: Vec<&str> = kept.iter().map(StackName::as_str).collect();
            service.status(&if names.is_empty() {
                "no stack to keep".into()
            } else {
                format!("keeping {}", names.join(", "))
            });
        };
        let (state_dir, clock) = (self.state_dir.clone(), self.clock.clone());
        let resync = fleet.resync;
        let finder = Finder { state_dir, engine, clock, fleet, always, told: Box::new(told) };
        let turn = Turn {
            name: "(all stacks)".to_owned(),
            wake,
            patience: Patience::default(),
            resync,
            clock: self.clock.clone(),
            cancel: self.cancel.clone(),
            health: self.health.clone(),
            tell: Arc::new(Said(self.watch.clone())),
        };
        (turn, finder)
    }
}

/// Tells what is of no stack, as a line.
struct Said(Watch);

#[async_trait]
impl Tell for Said {
    async fn tell(&self, _: EventKind, severity: Severity, text: String) {
        let word = if severity >= Severity::Warning { "warning: " } else { "" };
        self.0.say(&format!("{word}{text}"));
    }
}

/// Makes the keepers of stacks.
struct Stacks {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    state_dir: PathBuf,
    events: EventSender,
    since: EngineSince,
    options: Options,
}

impl Enlist for Stacks {
    fn enlist(&self, stack: &StackName, wake: &Wake, patience: &Patience, cancel: &Cancel) -> Result<Enlisted, String> {
        let failed = |error: HomeError| session::stack_failure(&StackError::Home(error)).sentence;
        let home = Arc::new(self.home(stack).map_err(failed)?);
        let current = home.current().map_err(failed)?;
        let registries = current.map(|current| current.desired.registries).unwrap_or_default();
        let reach = Reach {
            engine: self.engine.clone(),
            clock: self.clock.clone(),
            events: self.events.clone(),
            cancel: cancel.clone(),
            patience: patience.clone(),
        };
        let options = KeepOptions {
            origin: self.options.origin.clone(),
            settle: self.options.settle,
            manifest: self.followed(stack, wake, cancel),
            wake: wake.clone(),
            engine_since: self.since.clone(),
        };
        self.heed(&home, wake, cancel);
        let teller = StackTeller { home: Some(home.clone()), ..self.teller_of(stack) };
        let keeper = Keeper::new(reach.stack(stack.clone(), &registries, Some(home)), options);
        Ok(Enlisted { controller: Box::new(keeper), tell: Arc::new(teller) })
    }

    fn teller(&self, stack: &StackName) -> Arc<dyn Tell> {
        Arc::new(self.teller_of(stack))
    }
}

impl Stacks {
    /// To be written; where that can't be, to be read: what runs is kept all the same.
    fn home(&self, stack: &StackName) -> Result<Home, HomeError> {
        match Home::open(&self.state_dir, stack) {
            Err(error @ (HomeError::NotWritable { .. } | HomeError::Full { .. })) => {
                Home::read(&self.state_dir, stack)?.ok_or(error)
            }
            opened => opened,
        }
    }

    fn teller_of(&self, stack: &StackName) -> StackTeller {
        StackTeller { stack: stack.clone(), home: None, events: self.events.clone(), clock: self.clock.clone() }
    }

    /// The manifest of this stack, which from now on wakes its loop.
    fn followed(&self, stack: &StackName, wake: &Wake, cancel: &Cancel) -> Option<Arc<dyn Manifest>> {
        let followed = self.options.followed.as_ref().filter(|followed| followed.stack == *stack)?;
        self.ring(followed.manifest.files.clone(), wake, cancel);
        Some(followed.manifest.clone())
    }

    /// What persons want of services wakes its loop. Where the system can't tell, the resync finds it.
    fn heed(&self, home: &Home, wake: &Wake, cancel: &Cancel) {
        let Some(file) = home.wanted() else { return };
        match Files::start() {
            Ok(files) => {
                files.watch([file].into());
                self.ring(Arc::new(files), wake, cancel);
            }
            Err(why) => tracing::warn!(why, "`resume` is found with the resync alone"),
        }
    }

    /// Lets files wake a loop until it ends.
    fn ring(&self, files: Arc<Files>, wake: &Wake, cancel: &Cancel) {
        let (wake, clock, ended) = (wake.clone(), self.clock.clone(), cancel.gently.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = files.ring(&wake, &*clock) => {}
                () = ended.cancelled() => {}
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_to_listen_is_an_address_or_none() {
        assert_eq!(listen("none"), Ok(Listen::Nowhere));
        assert_eq!(listen("[::1]:80"), Ok(Listen::At("[::1]:80".parse().unwrap())));
        assert!(listen("9440").is_err() && listen("localhost:1").is_err());
        assert_eq!(resync("90s"), Ok(Millis::seconds(90)));
        assert!(resync("0").is_err());
    }
}

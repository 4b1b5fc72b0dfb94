//! A host that is made up: the simulated engine with the images of the quickstart, a home in memory, and what each verb
//! does with them. Everything is told on one page.

use async_trait::async_trait;
use evenkeel::{
    cli::{
        acting,
        render::{history, plan::plan_text, progress::Lines, status::status_text, style::Style},
    },
    compose::Disk,
    controllers::{
        Patience,
        stack::{BuildWish, Draw, Request, Stack},
    },
    engine::{
        clock::{Clock, SystemClock},
        logins::RegistryLogins,
        registry::{Found, Registries, RegistryError},
        simulated::{Behaviour, Foreign, SimulatedEngine},
    },
    execute::{Cancel, EventSender},
    home::Home,
    load::{Sources, load},
    model::{
        event::Event,
        image::ImageConfig,
        names::{ImageReference, ServiceName, StackName},
        revision::Origin,
        units::{Millis, Timestamp},
    },
    observe::PullWish,
    probe::SimulatedProber,
};
use std::{
    fmt::Display,
    io::Write,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};
use tokio::sync::mpsc;

/// How something went; the error says what went otherwise than told.
pub type Told = Result<(), String>;

/// Where the story is written.
pub type Page = Arc<Mutex<dyn Write + Send>>;

/// The folder of the manifest, from the package's own.
const QUICKSTART: &str = "examples/quickstart";
const STACK: &str = "quickstart";
/// The service that is updated, and how many of it there are.
const WEB: (&str, usize) = ("web", 2);

/// See the head of this file.
pub struct Host {
    clock: Arc<SystemClock>,
    engine: SimulatedEngine,
    home: Arc<Home>,
    draws: Arc<Draws>,
    fewest_ready: Arc<AtomicUsize>,
    page: Page,
    style: Style,
}

impl Host {
    /// At this time of day, with the images of the quickstart and no container yet.
    pub fn new(now: Timestamp, page: Page, style: Style) -> Result<Host, String> {
        let clock = Arc::new(SystemClock::start_at(now));
        let engine = SimulatedEngine::new(clock.clone(), 7);
        engine.set_latency(Millis(150));
        let config = ImageConfig { command: Some(vec!["serve".into()]), ..ImageConfig::default() };
        let web = |version: &str| Behaviour {
            log: format!("web {version} listening on port 8080\n"),
            ..Behaviour::ready_after(Millis::seconds(1))
        };
        for (name, behaviour) in [
            ("nginx:1", Behaviour::ready_after(Millis(200))),
            ("redis:1", Behaviour::ready_after(Millis(200))),
            ("web:1", web("1")),
            ("web:2", web("2")),
            ("web:broken", Behaviour { ready_after: None, ..web("broken") }),
        ] {
            engine.add_image(&format!("evenkeel-test/{name}"), config.clone(), behaviour);
        }
        let home = Arc::new(Home::in_memory(&StackName::from(STACK)).map_err(text)?);
        let (draws, fewest_ready) = (Arc::default(), Arc::default());
        Ok(Host { clock, engine, home, draws, fewest_ready, page, style })
    }

    /// Writes on the page.
    pub fn say(&self, text: &str) {
        write(&self.page, text);
    }

    /// Begins a chapter.
    pub fn chapter(&self, title: &str) {
        self.say(&format!("\n== {title}\n"));
    }

    /// `evenkeel diff`, held to an exit code.
    pub async fn diff(&self, typed: &str, exit: u8) -> Told {
        self.say(&format!("$ evenkeel {typed}\n"));
        let (events, _) = mpsc::channel(1);
        let plan = self.stack(events).diff(&self.request(None)?).await.map_err(text)?;
        self.say(&plan_text(&plan, self.style));
        let differs = !plan.changes.is_empty() || !plan.held.is_empty();
        ended("diff", u8::from(differs && typed.contains("--exit-code")), exit)
    }

    /// `evenkeel apply`, with its progress, held to an exit code.
    pub async fn apply(&self, image: Option<&str>, exit: u8) -> Told {
        let image = image.map(|image| format!(" --image {}={image}", WEB.0)).unwrap_or_default();
        self.say(&format!("$ evenkeel apply{image}\n"));
        let request = self.request(image.split_once('=').map(|(_, image)| image))?;
        let (events, mut told) = mpsc::channel::<Event>(64);
        let (page, style) = (self.page.clone(), self.style);
        let progress = tokio::spawn(async move {
            let mut lines = Lines::default();
            while let Some(event) = told.recv().await {
                lines.take(&event, style).into_iter().for_each(|line| write(&page, &format!("{line}\n")));
            }
        });
        let began = self.clock.now();
        let applied = self.stack(events).apply(&request).await.map_err(text)?;
        progress.await.map_err(text)?;
        self.say(&acting::last_words(&applied, &request.desired, &self.home, began, false, self.style));
        ended("apply", applied.exit, exit)
    }

    /// Somebody else does something to the engine.
    pub fn meddle(&self, typed: &str, action: &Foreign) -> Told {
        self.say(&format!("$ {typed}\n"));
        self.engine.meddle(action).map_err(text)
    }

    /// Counts from now on how few containers of the service are ready.
    pub fn watch_ready(&self) {
        let fewest = self.fewest_ready.clone();
        fewest.store(usize::MAX, Ordering::Relaxed);
        let service = ServiceName::from(WEB.0);
        self.engine.observe(move |snapshot| {
            fewest.fetch_min(snapshot.ready(&service), Ordering::Relaxed);
        });
    }

    /// Says how few there were. Fewer than declared ends the story.
    pub fn say_ready(&self) -> Told {
        let ((name, all), fewest) = (WEB, self.fewest_ready.load(Ordering::Relaxed));
        self.say(&format!("meanwhile at least {fewest} of {all} containers of {name} were ready at any time\n"));
        if fewest < all { Err(format!("only {fewest} containers of {name} were ready")) } else { Ok(()) }
    }

    /// Time passes.
    pub async fn later(&self, span: Millis) {
        self.clock.sleep(span).await;
    }

    /// `evenkeel status`.
    pub async fn status(&self) -> Told {
        self.say("$ evenkeel status\n");
        let (events, _) = mpsc::channel(1);
        let status = self.stack(events).status(None).await.map_err(text)?;
        self.say(&status_text(&status, self.clock.now(), self.style));
        Ok(())
    }

    /// `evenkeel history`.
    pub fn history(&self) -> Told {
        self.say("$ evenkeel history\n");
        let entries = history::HistoryEntry::of_all(self.home.list().map_err(text)?);
        self.say(&history::history_text(&entries, self.clock.now(), self.style));
        Ok(())
    }

    /// What is declared, with an image for the service that is updated; as from a fresh process.
    fn request(&self, image: Option<&str>) -> Result<Request, String> {
        let folder = std::path::absolute(QUICKSTART).map_err(text)?;
        let mut sources = Sources::new(folder, ["evenkeel.yaml"], &Disk);
        let current = self.home.current().map_err(text)?;
        sources.in_force = current.map(|revision| revision.desired.overrides).unwrap_or_default();
        let image = image.map(|image| (ServiceName::from(WEB.0), ImageReference::from(image)));
        sources.overrides.images.extend(image);
        let (desired, notes) = load(&sources).map_err(text)?;
        Ok(Request {
            desired: desired.into(),
            overrides: sources.overrides.clone(),
            unset: Vec::new(),
            notes,
            selected: None,
            pull: PullWish::default(),
            build: BuildWish::Needed,
            origin: Origin { actor: "you".to_owned(), ..Origin::default() },
            lock_wait: Millis(0),
            yes: false,
            new_stack: false,
            saved: None,
            unattended: false,
        })
    }

    fn stack(&self, events: EventSender) -> Stack {
        Stack {
            name: StackName::from(STACK),
            engine: Arc::new(self.engine.clone()),
            clock: self.clock.clone(),
            prober: Arc::new(SimulatedProber::new(self.engine.clone())),
            registries: Arc::new(NoRegistry),
            builder: Arc::new(self.engine.clone()),
            logins: Arc::new(RegistryLogins::new(&Default::default())),
            home: Some(self.home.clone()),
            events,
            cancel: Cancel::default(),
            draw: self.draws.clone(),
            root: true,
            patience: Patience::default(),
        }
    }
}

fn write(page: &Page, text: &str) {
    let mut page = page.lock().unwrap_or_else(PoisonError::into_inner);
    // A reader that went away misses the rest.
    let _ = page.write_all(text.as_bytes()).and_then(|()| page.flush());
}

fn text(error: impl Display) -> String {
    error.to_string()
}

fn ended(verb: &str, exit: u8, expected: u8) -> Told {
    if exit == expected { Ok(()) } else { Err(format!("`{verb}` ended with exit code {exit}, not {expected}")) }
}

/// Ids that count up: the story is the same each time.
#[derive(Default)]
struct Draws(AtomicU8);

impl Draw for Draws {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
        if let Some(last) = buffer.last_mut() {
            *last = self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// All images are here.
struct NoRegistry;

#[async_trait]
impl Registries for NoRegistry {
    async fn look_up(&self, reference: &ImageReference, _: Option<&str>) -> Result<Found, RegistryError> {
        let message = format!("`{reference}` is asked of a registry, and there is none");
        Err(RegistryError::Unreachable { host: "none".to_owned(), message })
    }
}

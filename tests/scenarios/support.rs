//! A host to try manifests on: a simulated engine, a home in memory, and the controller between them. Time is virtual.

use evenkeel::{
    cli::render::{plan::plan_text, style::Style},
    controllers::{
        Patience,
        stack::{Applied, BuildWish, Draw, Request, RollbackRequest, Stack, StackError},
    },
    engine::{
        clock::SystemClock,
        registry::{Found, Registries, RegistryError},
        simulated::{Behaviour, Fault, SimulatedEngine},
    },
    execute::Cancel,
    home::Home,
    load::{Memory, Sources, load},
    model::{
        container::Healthcheck,
        desired::{Desired, Login, Overrides},
        image::ImageConfig,
        names::{ContainerName, ImageReference, ServiceName, StackName},
        plan::{Note, Plan},
        revision::Origin,
        units::{Millis, Timestamp},
        value::Value,
    },
    observe::PullWish,
    probe::SimulatedProber,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};
use tokio::sync::mpsc;

/// One host with one stack on it.
pub struct Host {
    pub clock: Arc<SystemClock>,
    pub engine: SimulatedEngine,
    pub home: Arc<Home>,
    pub cancel: Cancel,
    /// The files beside the manifest, by path and content.
    pub files: BTreeMap<String, String>,
    draws: Arc<Draws>,
}

/// Ids that count up, so that plans are the same at each run.
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

struct Offline;

#[async_trait::async_trait]
impl Registries for Offline {
    async fn look_up(&self, reference: &ImageReference, _: Option<&str>) -> Result<Found, RegistryError> {
        Err(RegistryError::Unreachable { host: "registry.test".into(), message: format!("no network for {reference}") })
    }
}

struct NoLogins;

impl evenkeel::execute::Logins for NoLogins {
    fn login(&self, _: &ImageReference) -> Option<Login> {
        None
    }

    fn declare(&self, _: &BTreeMap<String, Login>) {}
}

impl Host {
    /// A host whose engine has the images `web:1`, `web:2`, `web:broken`, `web:crash`, `web:slow`, `db:1`, `db:2` (which
    /// declare a volume), `checked:1` (with a health check), `job:1` (exits 0) and `job:broken` (exits 1).
    pub fn new() -> Host {
        let clock = Arc::new(SystemClock::start_at(Timestamp(1_795_000_000_000)));
        let engine = SimulatedEngine::new(clock.clone(), 7);
        let plain = ImageConfig { command: Some(vec!["serve".into()]), ..ImageConfig::default() };
        let data = ImageConfig { volumes: ["/data".to_owned()].into(), ..plain.clone() };
        let check = Healthcheck {
            test: vec![Value::plain("CMD"), Value::plain("ok")],
            interval: Some(Millis::seconds(1)),
            ..Healthcheck::default()
        };
        let checked = ImageConfig { healthcheck: Some(check), ..plain.clone() };
        let soon = Behaviour::ready_after(Millis(300));
        for (name, config, behaviour) in [
            ("web:1", &plain, soon.clone()),
            ("web:2", &plain, soon.clone()),
            ("web:broken", &plain, Behaviour::never_ready()),
            ("web:crash", &plain, Behaviour::exits(Millis(200), 1)),
            ("web:slow", &plain, Behaviour::ready_after(Millis::seconds(30))),
            ("db:1", &data, soon.clone()),
            ("db:2", &data, soon.clone()),
            ("db:broken", &data, Behaviour::never_ready()),
            ("checked:1", &checked, soon.clone()),
            ("job:1", &plain, Behaviour::exits(Millis(500), 0)),
            ("job:2", &plain, Behaviour::exits(Millis(500), 0)),
            ("job:broken", &plain, Behaviour::exits(Millis(500), 1)),
        ] {
            engine.add_image(name, config.clone(), behaviour);
        }
        let home = Arc::new(Home::in_memory(&StackName::from("shop")).unwrap());
        Host { clock, engine, home, cancel: Cancel::default(), files: BTreeMap::new(), draws: Arc::default() }
    }

    /// What a manifest means; `services` is the part below `services:` in Compose syntax, indented by four.
    pub fn load(&self, manifest: &str) -> (Desired, Vec<Note>) {
        let current = self.home.current().unwrap();
        let in_force = current.map(|revision| revision.desired.overrides).unwrap_or_default();
        self.load_with(manifest, Overrides::default(), in_force)
    }

    pub fn load_with(&self, manifest: &str, overrides: Overrides, in_force: Overrides) -> (Desired, Vec<Note>) {
        let mut files = Memory::of([("/srv/shop/evenkeel.yaml", manifest)]);
        files.0.extend(self.files.iter().map(|(path, content)| (path.into(), content.clone())));
        let mut sources = Sources::new("/srv/shop", ["/srv/shop/evenkeel.yaml"], &files);
        sources.overrides = overrides;
        sources.in_force = in_force;
        load(&sources).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The controller, as a fresh process would make it.
    pub fn stack(&self) -> Stack {
        let (events, mut shown) = mpsc::channel(64);
        tokio::spawn(async move { while shown.recv().await.is_some() {} });
        Stack {
            name: StackName::from("shop"),
            engine: Arc::new(self.engine.clone()),
            clock: self.clock.clone(),
            prober: Arc::new(SimulatedProber::new(self.engine.clone())),
            registries: Arc::new(Offline),
            builder: Arc::new(self.engine.clone()),
            logins: Arc::new(NoLogins),
            home: Some(self.home.clone()),
            events,
            cancel: self.cancel.clone(),
            draw: self.draws.clone(),
            root: true,
            patience: Patience::default(),
        }
    }

    pub fn request(&self, manifest: &str, services: &[&str]) -> Request {
        let (desired, notes) = self.load(manifest);
        Request {
            desired: desired.into(),
            overrides: Overrides::default(),
            unset: Vec::new(),
            notes,
            selected: (!services.is_empty()).then(|| services.iter().map(|name| ServiceName::from(*name)).collect()),
            pull: PullWish::default(),
            build: BuildWish::Needed,
            origin: Origin { actor: "ann".into(), ..Origin::default() },
            lock_wait: Millis(0),
            yes: false,
            new_stack: false,
            saved: None,
            unattended: false,
        }
    }

    pub async fn try_apply(&self, manifest: &str, services: &[&str]) -> Result<Applied, StackError> {
        self.stack().apply(&self.request(manifest, services)).await
    }

    /// Rolls back; the manifest says what its files hold now.
    pub async fn rollback(&self, manifest: &str, services: &[&str], to: Option<u64>) -> Applied {
        let Request { desired, selected, origin, lock_wait, .. } = self.request(manifest, services);
        let origin = Origin { reason: Some("errors".into()), ..origin };
        let request = RollbackRequest { selected, to, declared: Desired::clone(&desired), origin, lock_wait };
        self.stack().rollback(&request).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Applies with what goes wrong in it. `None`: evenkeel was killed; it is started again then, with `wipe` with a new home.
    pub async fn apply_with(
        &mut self,
        request: &Request,
        faults: impl IntoIterator<Item = Fault>,
        wipe: bool,
    ) -> Option<Result<Applied, StackError>> {
        self.disturbed(faults, wipe, async |stack| stack.apply(request).await).await
    }

    /// Does something with what goes wrong in it. `None` as for `apply_with`.
    pub async fn disturbed<T>(
        &mut self,
        faults: impl IntoIterator<Item = Fault>,
        wipe: bool,
        act: impl AsyncFnOnce(&Stack) -> T,
    ) -> Option<T> {
        self.engine.arm(faults);
        let stack = self.stack();
        let ended = tokio::select! {
            biased;
            result = act(&stack) => Some(result),
            () = self.engine.until_killed() => None,
        };
        drop(stack);
        self.engine.arm([]);
        if ended.is_none() {
            self.engine.revive();
            if wipe {
                self.home = Arc::new(Home::in_memory(&StackName::from("shop")).unwrap());
            }
        }
        ended
    }

    /// Applies and is killed at this fault.
    pub async fn killed(&mut self, manifest: &str, fault: Fault, wipe: bool) {
        let request = self.request(manifest, &[]);
        let ended = self.apply_with(&request, [fault.clone()], wipe).await;
        assert!(ended.is_none(), "{fault:?}: {ended:?}");
    }

    /// Rolls back with what goes wrong in it. Killed, evenkeel is started again.
    pub async fn rollback_with(&self, fault: Fault) {
        let request = RollbackRequest {
            selected: None,
            to: None,
            declared: Desired::empty(StackName::from("shop")),
            origin: Origin { actor: "ann".into(), ..Origin::default() },
            lock_wait: Millis(0),
        };
        self.engine.arm([fault]);
        let stack = self.stack();
        tokio::select! {
            biased;
            ended = stack.rollback(&request) => drop(ended.unwrap_or_else(|error| panic!("{error}"))),
            () = self.engine.until_killed() => self.engine.revive(),
        }
        self.engine.arm([]);
    }

    /// Applies the whole manifest.
    pub async fn apply(&self, manifest: &str) -> Applied {
        self.try_apply(manifest, &[]).await.unwrap_or_else(|error| panic!("{error}"))
    }

    pub async fn plan(&self, manifest: &str) -> Plan {
        self.stack().diff(&self.request(manifest, &[])).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The plan as people read it, without the notes of the loader, ids of containers and images replaced by letters in
    /// the order in which they appear.
    pub async fn diff(&self, manifest: &str) -> String {
        let mut request = self.request(manifest, &[]);
        request.notes.clear();
        let plan = self.stack().diff(&request).await.unwrap_or_else(|error| panic!("{error}"));
        lettered(&plan_text(&plan, Style::PLAIN))
    }

    /// Applies, wants success, and wants nothing left to do.
    pub async fn settle(&self, manifest: &str) -> Applied {
        let applied = self.apply(manifest).await;
        assert_eq!(applied.exit, 0, "{applied:?}");
        self.assert_settled(manifest).await;
        applied
    }

    /// Planned again, there is nothing to do.
    pub async fn assert_settled(&self, manifest: &str) {
        let plan = self.plan(manifest).await;
        assert!(plan.steps.is_empty(), "{}", plan_text(&plan, Style::PLAIN));
        assert_eq!(plan.changes, []);
    }

    /// `name image status` of every container, by name.
    pub fn containers(&self) -> Vec<String> {
        let images: BTreeMap<_, _> = self.tags();
        let mut seen: Vec<String> = self
            .engine
            .snapshot()
            .containers
            .iter()
            .map(|seen| {
                format!("{} {} {}", seen.name, images.get(&seen.image).cloned().unwrap_or_default(), seen.status)
            })
            .collect();
        seen.sort();
        seen
    }

    /// The id of a container, by name.
    pub fn id_of(&self, name: &str) -> String {
        let name = ContainerName::from(name);
        let seen = self.engine.snapshot().containers;
        seen.iter().find(|seen| seen.name == name).map(|seen| seen.id.to_string()).unwrap_or_default()
    }

    /// Every tag that somebody gave, by the image it names.
    pub fn tags(&self) -> BTreeMap<evenkeel::model::names::ImageId, String> {
        let tags = futures::executor::block_on(evenkeel::engine::Images::list_tags(&self.engine)).unwrap();
        tags.into_iter()
            .filter(|(tag, _)| !tag.as_str().starts_with("evenkeel.local"))
            .map(|(tag, id)| (id, tag.to_string()))
            .collect()
    }

    /// Somebody removes a container.
    pub fn remove(&self, name: &str) {
        self.engine.meddle(&evenkeel::engine::simulated::Foreign::Remove(name.into(), false)).unwrap();
    }
}

/// A text with each hex id of twelve digits or more replaced by a letter.
pub fn lettered(text: &str) -> String {
    let mut letters: Vec<String> = Vec::new();
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let word_before = out.chars().last().is_some_and(|c| c.is_alphanumeric());
        if run >= 12 && !word_before {
            let id = rest[..12].to_owned();
            let at = letters.iter().position(|known| *known == id).unwrap_or_else(|| {
                letters.push(id);
                letters.len() - 1
            });
            out.push_str(&format!("<{}>", char::from(b'A' + u8::try_from(at % 26).unwrap())));
            rest = &rest[run..];
        } else {
            let step = run.max(rest.chars().next().map_or(1, char::len_utf8));
            out.push_str(&rest[..step]);
            rest = &rest[step..];
        }
    }
    out
}

/// A web service before a database.
pub const SHOP: &str = "
apiVersion: evenkeel.dev/v1
kind: Stack
metadata: {name: shop}
spec:
  services:
    web:
      image: web:1
      restart: unless-stopped
      environment: {LOG_LEVEL: info}
      depends_on: [db]
    db:
      image: db:1
      restart: unless-stopped
      volumes: ['data:/data']
  volumes: {data: {}}
";

/// The shop with one text for another.
pub fn shop(from: &str, to: &str) -> String {
    assert!(SHOP.contains(from));
    SHOP.replace(from, to)
}

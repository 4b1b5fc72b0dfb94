//! An engine in memory that behaves as Docker 20.10 does, surprises included, with processes that are described instead
//! of run. Tests stand on it, and the demo where no engine can run. It is held to the real one by a conformance test.
//!
//! Nothing happens in the background: each call first lets the time pass that its clock says has passed. It must not know
//! what evenkeel means to do; it only does what an engine does.

mod answers;
mod behaviour;
mod build;
mod container;
mod create;
mod events;
mod exec;
mod faults;
mod foreign;
mod history;
mod life;
mod networks;
mod no;
mod stores;
mod traits;
mod update;
mod world;

#[cfg(test)]
mod tests;

pub use answers::Answer as ProbeAnswer;
pub use behaviour::{Behaviour, Exit, SIMULATE};
pub use faults::Fault;
pub use foreign::Foreign;
pub use history::{Call, Seen, Snapshot};

use super::{EngineError, EngineResult, Sent, clock::Clock};
use crate::model::{
    container::ContainerSpec,
    desired::Login,
    image::ImageConfig,
    names::{ImageId, ImageReference},
    observed::EngineFacts,
    units::{Bytes, Millis},
};
use events::Watchers;
use faults::Armed;
use no::{Answer, No};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use world::{RegistryImage, World};

/// The simulated engine. A clone is the same engine.
#[derive(Clone)]
pub struct SimulatedEngine {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    killed: Notify,
    /// Something changed, so perhaps also when the next thing happens.
    changed: Arc<Notify>,
    inner: Mutex<Inner>,
}

struct Inner {
    world: World,
    armed: Armed,
    /// Whether evenkeel was killed: no call answers.
    killed: bool,
    reads: u64,
    calls: Vec<Call>,
    history: Option<Vec<Snapshot>>,
    observer: Option<Box<Observer>>,
    latency: Millis,
    watchers: Watchers,
}

/// Told of each snapshot while the engine is locked: it must not call the engine.
type Observer = dyn FnMut(&Snapshot) + Send;

impl SimulatedEngine {
    /// An empty engine whose ids and jitter come from `seed`.
    pub fn new(clock: Arc<dyn Clock>, seed: u64) -> SimulatedEngine {
        let inner = Inner {
            world: World::new(clock.now(), seed),
            armed: Armed::default(),
            killed: false,
            reads: 0,
            calls: Vec::new(),
            history: None,
            observer: None,
            latency: Millis(0),
            watchers: Watchers::default(),
        };
        let changed = inner.watchers.changed.clone();
        let shared = Shared { clock, killed: Notify::new(), changed, inner: Mutex::new(inner) };
        SimulatedEngine { shared: Arc::new(shared) }
    }

    /// Puts an image on the engine under a reference (`:latest` where it names no tag); one that had it loses it.
    pub fn add_image(&self, reference: &str, config: ImageConfig, behaviour: Behaviour) -> ImageId {
        self.lock().world.add_image(&ImageReference::from(reference), config, behaviour)
    }

    /// Puts an image at its registry, to be pulled; with `login` only by who knows it. Gives the id it will have.
    pub fn publish(
        &self,
        reference: &str,
        config: ImageConfig,
        behaviour: Behaviour,
        size: Bytes,
        login: Option<Login>,
    ) -> ImageId {
        let world = &mut self.lock().world;
        let id = ImageId::new(format!("sha256:{}", world.draw_id("image")));
        let digest = format!("sha256:{}", world.draw_id("digest"));
        let image = RegistryImage { id: id.clone(), digest, size, config, behaviour, login };
        world.registry.insert(stores::with_tag(&ImageReference::from(reference)), image);
        id
    }

    /// Changes how the processes of an image behave, from their next start on in containers made from now on.
    pub fn set_behaviour(&self, image: &ImageId, behaviour: Behaviour) {
        if let Some(image) = self.lock().world.images.get_mut(image) {
            image.behaviour = behaviour;
        }
    }

    /// Changes what the engine says of itself and its host.
    pub fn set_facts(&self, change: impl FnOnce(&mut EngineFacts)) {
        change(&mut self.lock().world.facts);
    }

    /// Every mutating call takes so long before it is done. 0 by default.
    pub fn set_latency(&self, latency: Millis) {
        self.lock().latency = latency;
    }

    /// What the engine takes at a create and does not hold: done to the spec of every container made from now on.
    pub fn forget(&self, what: fn(&mut ContainerSpec)) {
        self.lock().world.forgets = what;
    }

    /// A path of the host that is not there, for binds that need it.
    pub fn miss_path(&self, path: &str) {
        self.lock().world.missing_paths.insert(path.to_owned());
    }

    /// What a file of the host holds, where somebody wrote one.
    pub fn file(&self, path: &str) -> Option<String> {
        self.lock().world.files.get(path).cloned()
    }

    /// What somebody else does, now. The error says why it could not be done.
    pub fn meddle(&self, action: &Foreign) -> EngineResult<()> {
        let mut inner = self.now();
        let done = inner.world.meddle(action).map_err(|no| no.to("meddle with", &format!("{action:?}")));
        inner.show(None);
        done
    }

    /// The engine restarts and is away for so long.
    pub fn restart_engine(&self, away: Millis) {
        let mut inner = self.now();
        inner.world.restart_engine(away);
        inner.show(None);
    }

    /// Of the events to come, so many of a hundred are lost on the way to those who watch, drawn from the seed.
    pub fn lose_events(&self, percent: u64) {
        self.lock().watchers.lost_percent = percent;
    }

    /// Replaces the faults to come; the next mutating call is the first.
    pub fn arm(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().armed = Armed::new(faults);
    }

    /// Returns once a fault has killed evenkeel; the caller drops what evenkeel was doing then.
    pub async fn until_killed(&self) {
        loop {
            let told = self.shared.killed.notified();
            if self.lock().killed {
                return;
            }
            told.await;
        }
    }

    /// evenkeel is started again: calls answer.
    pub fn revive(&self) {
        self.lock().killed = false;
    }

    /// Every mutating call so far, exec and pulls included.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// How many mutating calls there were.
    pub fn mutations(&self) -> usize {
        self.lock().calls.len()
    }

    /// How many reading calls there were.
    pub fn reads(&self) -> u64 {
        self.lock().reads
    }

    /// Keeps a snapshot after each mutating call and whenever something happened by itself, from now on.
    pub fn keep_history(&self) {
        self.lock().history = Some(Vec::new());
    }

    /// The snapshots kept.
    pub fn history(&self) -> Vec<Snapshot> {
        self.lock().history.clone().unwrap_or_default()
    }

    /// Tells of each snapshot as it is made. The observer must not call the engine, which is locked meanwhile.
    pub fn observe(&self, observer: impl FnMut(&Snapshot) + Send + 'static) {
        self.lock().observer = Some(Box::new(observer));
    }

    /// The engine as it is now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.now().world, None)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine with all the time passed that has.
    fn now(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.lock();
        if inner.world.advance(self.shared.clock.now()) {
            inner.show(None);
        }
        inner.deliver();
        inner
    }

    /// A call that changes nothing.
    async fn read<T>(
        &self,
        call: &'static str,
        target: &str,
        read: impl FnOnce(&World) -> Answer<T>,
    ) -> EngineResult<T> {
        if self.lock().killed {
            std::future::pending::<()>().await;
        }
        let mut inner = self.now();
        inner.reads += 1;
        inner.reachable().and_then(|()| read(&inner.world)).map_err(|no| no.to(call, target))
    }

    /// A call that changes something at once.
    async fn change<T>(
        &self,
        call: &'static str,
        target: &str,
        change: impl FnOnce(&mut World) -> Answer<T>,
    ) -> EngineResult<T> {
        let fate = self.before(call, target).await?;
        let answer = change(&mut self.now().world);
        self.after(fate, call, target, answer).await
    }

    /// What comes before a mutating call: faults, and its latency. Gives what becomes of its answer.
    async fn before(&self, call: &'static str, target: &str) -> EngineResult<Fate> {
        if self.lock().killed {
            std::future::pending::<()>().await;
        }
        let latency = self.lock().latency;
        if latency.0 > 0 {
            self.shared.clock.sleep(latency).await;
        }
        match self.meet(call, target) {
            Met::Goes(fate) => Ok(fate),
            Met::Stops(error) => Err(error),
            Met::Dies => std::future::pending().await,
        }
    }

    fn meet(&self, call: &'static str, target: &str) -> Met {
        let mut inner = self.now();
        let mut fate = Fate::Told;
        let mut no = inner.reachable().err();
        for fault in inner.armed.next_call() {
            match fault {
                Fault::KillBefore(_) => {
                    inner.record(call, target, None, false);
                    inner.killed = true;
                    self.shared.killed.notify_waiters();
                    return Met::Dies;
                }
                Fault::KillAfter(_) => fate = Fate::Killed,
                Fault::LoseReply(_) => fate = Fate::Lost,
                Fault::Fail(_, kind) => {
                    no = Some(No { kind, sent: Sent::NotSent, message: "a fault was armed".into() })
                }
                Fault::Disconnect(_, span) => {
                    inner.world.cut_off(span);
                    no = inner.reachable().err();
                }
                Fault::RestartEngine(_, away) => {
                    inner.world.restart_engine(away);
                    no = Some(No::unreachable(Sent::MaybeSent, "the connection was lost: the engine goes down"));
                }
                Fault::Meddle(_, action) => {
                    // Where it can't be done, nobody did it.
                    let _ = inner.world.meddle(&action);
                    inner.show(None);
                }
            }
        }
        match no {
            None => {
                inner.show_ahead(call, target);
                Met::Goes(fate)
            }
            Some(no) => {
                let error = no.to(call, target);
                inner.record(call, target, Some(Err(error.kind)), false);
                Met::Stops(error)
            }
        }
    }

    /// What comes after a mutating call: the record, the observers, and whether its caller is told.
    async fn after<T>(&self, fate: Fate, call: &'static str, target: &str, answer: Answer<T>) -> EngineResult<T> {
        let done = answer.is_ok();
        let (told, answer) = match fate {
            Fate::Told => (Some(answer.as_ref().map(|_| ()).map_err(|no| no.kind)), answer),
            Fate::Lost => {
                let no = No::unreachable(Sent::MaybeSent, "the connection to the engine was lost");
                (Some(Err(no.kind)), Err(no))
            }
            Fate::Killed => (None, answer),
        };
        {
            let mut inner = self.lock();
            inner.record(call, target, told, done);
            if matches!(fate, Fate::Killed) {
                inner.killed = true;
                self.shared.killed.notify_waiters();
            }
        }
        if matches!(fate, Fate::Killed) {
            std::future::pending::<()>().await;
        }
        answer.map_err(|no| no.to(call, target))
    }
}

/// Whether the caller of a mutating call hears of it.
#[derive(Clone, Copy)]
enum Fate {
    Told,
    Lost,
    Killed,
}

/// How a mutating call begins.
enum Met {
    Goes(Fate),
    Stops(EngineError),
    Dies,
}

impl Inner {
    fn reachable(&self) -> Answer<()> {
        match self.world.is_reachable() {
            true => Ok(()),
            false => Err(No::unreachable(Sent::NotSent, "nothing listens on the engine's socket")),
        }
    }

    fn record(&mut self, call: &'static str, target: &str, answer: Option<Result<(), super::ErrorKind>>, done: bool) {
        let call = Call { at: self.world.now, call, target: target.to_owned(), answer, done };
        self.calls.push(call.clone());
        self.show(Some(call));
    }

    /// Shows the observer what is there before a call ends a container.
    fn show_ahead(&mut self, call: &'static str, target: &str) {
        if let Some(observer) = &mut self.observer
            && ["stop container", "remove container"].contains(&call)
        {
            observer(&Snapshot { before: Some((call, target.to_owned())), ..Snapshot::of(&self.world, None) });
        }
    }

    fn show(&mut self, after: Option<Call>) {
        self.deliver();
        self.watchers.changed.notify_waiters();
        if self.history.is_none() && self.observer.is_none() {
            return;
        }
        let snapshot = Snapshot::of(&self.world, after);
        if let Some(observer) = &mut self.observer {
            observer(&snapshot);
        }
        if let Some(history) = &mut self.history {
            history.push(snapshot);
        }
    }
}

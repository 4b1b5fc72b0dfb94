//! Which stacks are found: by what their homes hold, and by what the engine says is ours.

use super::*;
use crate::{
    controllers::{Patience, Wake},
    daemon::{
        fleet::{Enlist, Enlisted, Members},
        health::Health,
        tell::Tell,
    },
    engine::{Volumes, clock::SystemClock, simulated::SimulatedEngine},
    execute::Cancel,
    home::NewRevision,
    model::{
        desired::{Desired, Network, Volume},
        event::{EventKind, Severity},
        revision::Origin,
        value::Value,
    },
};
use std::collections::BTreeMap;
use tokio::task::LocalSet;

/// Keeps anything, by doing nothing.
struct Idle;

#[async_trait(?Send)]
impl Controller for Idle {
    async fn reconcile(&mut self) -> Result<Requeue, ControllerError> {
        Ok(Requeue::Idle)
    }
}

#[async_trait]
impl Tell for Idle {
    async fn tell(&self, _: EventKind, _: Severity, _: String) {}
}

impl Enlist for Idle {
    fn enlist(&self, _: &StackName, _: &Wake, _: &Patience, _: &Cancel) -> Result<Enlisted, String> {
        Ok(Enlisted { controller: Box::new(Idle), tell: Arc::new(Idle) })
    }

    fn teller(&self, _: &StackName) -> Arc<dyn Tell> {
        Arc::new(Idle)
    }
}

struct Scene {
    folder: tempfile::TempDir,
    engine: SimulatedEngine,
    clock: Arc<dyn Clock>,
    finder: Finder,
}

impl Scene {
    fn new() -> Scene {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let (engine, folder) = (SimulatedEngine::new(clock.clone(), 7), tempfile::tempdir().unwrap());
        let fleet = Arc::new(Fleet {
            enlist: Box::new(Idle),
            clock: clock.clone(),
            health: Arc::new(Health::new(clock.clone())),
            cancel: Cancel::default(),
            resync: Millis::minutes(1),
            finder: Wake::default(),
            members: Members::default(),
        });
        let finder = Finder {
            state_dir: folder.path().to_owned(),
            engine: Arc::new(engine.clone()),
            clock: clock.clone(),
            fleet,
            always: BTreeSet::new(),
            told: Box::new(|_| {}),
        };
        Scene { folder, engine, clock, finder }
    }

    /// A round; the stacks kept after it, and whether it went well.
    async fn found(&mut self) -> (Vec<String>, bool) {
        let well = self.finder.reconcile().await.is_ok();
        (self.finder.fleet.names().iter().map(ToString::to_string).collect(), well)
    }

    /// A revision with a network in it, or with nothing.
    fn accept(&self, stack: &str, with_something: bool) {
        let home = Home::open(self.folder.path(), &stack.into()).unwrap();
        let mut desired = Desired::empty(stack.into());
        if with_something {
            desired.networks.insert("net".into(), Network::default());
        }
        let new = NewRevision {
            made: self.clock.now(),
            by: Origin { actor: "ana".into(), commit: None, run_url: None, reason: None, version: "0".into() },
            reason: "apply".into(),
            desired,
            images: BTreeMap::new(),
            hashes: BTreeMap::new(),
            hold: BTreeMap::new(),
            release: BTreeSet::new(),
        };
        home.make_current(new).unwrap();
    }

    async fn claim(&self, stack: &str, home: &str, machine: &str) {
        let labels = [(ours::STACK, stack), (ours::HOME, home), (ours::MACHINE, machine)];
        let labels = labels.map(|(name, text)| (name.to_owned(), Value::plain(text))).into();
        let volume = Volume { labels, ..Volume::default() };
        self.engine.create_volume(&claim_volume(&stack.into()), &volume).await.unwrap();
    }

    /// This home, and the machine that it is on.
    async fn identity(&self) -> (String, String) {
        let Identity { home, machine } = home::identity(self.folder.path());
        (home, machine.unwrap_or(crate::engine::System::facts(&self.engine).await.unwrap().id))
    }
}

#[tokio::test]
async fn a_stack_is_kept_while_its_home_has_something_to_keep() {
    LocalSet::new()
        .run_until(async {
            let mut scene = Scene::new();
            assert_eq!(scene.found().await, (vec![], true));
            drop(Home::open(scene.folder.path(), &"begun".into()).unwrap());
            scene.accept("webkit", true);
            scene.accept("gone", false);
            assert_eq!(scene.found().await, (vec!["webkit".to_owned()], true));
            scene.accept("webkit", false);
            assert_eq!(scene.found().await, (vec![], true));
        })
        .await;
}

#[tokio::test]
async fn a_stack_whose_home_was_lost_is_found_by_its_claim() {
    LocalSet::new()
        .run_until(async {
            let mut scene = Scene::new();
            let (home, machine) = scene.identity().await;
            scene.claim("lost", &home, &machine).await;
            scene.claim("elsewhere", "/srv/other", &machine).await;
            scene.claim("cloned", &home, "another machine").await;
            assert_eq!(scene.found().await, (vec!["lost".to_owned()], true));
            scene.engine.remove_volume(&claim_volume(&"lost".into())).await.unwrap();
            assert_eq!(scene.found().await, (vec![], true));
        })
        .await;
}

#[tokio::test]
async fn an_engine_that_is_away_is_no_reason_to_let_anybody_go() {
    LocalSet::new()
        .run_until(async {
            let mut scene = Scene::new();
            let (home, machine) = scene.identity().await;
            scene.claim("lost", &home, &machine).await;
            scene.found().await;
            scene.accept("webkit", true);
            scene.engine.restart_engine(Millis::minutes(5));
            assert_eq!(scene.found().await, (vec!["lost".to_owned(), "webkit".to_owned()], false));
        })
        .await;
}

#[tokio::test]
async fn a_home_that_cannot_be_read_is_no_reason_either() {
    LocalSet::new()
        .run_until(async {
            let mut scene = Scene::new();
            scene.accept("webkit", true);
            scene.found().await;
            std::fs::remove_file(scene.folder.path().join("key")).unwrap();
            assert_eq!(scene.found().await, (vec!["webkit".to_owned()], true));
        })
        .await;
}

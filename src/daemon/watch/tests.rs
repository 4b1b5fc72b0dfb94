//! The engine's stream on the simulated engine: whom it wakes, and what is told when it breaks.

use super::*;
use crate::{
    controllers::{Controller, ControllerError, Patience, Requeue, Wake},
    daemon::{
        fleet::{Enlist, Enlisted, Members},
        tell::Tell,
    },
    engine::{
        Containers,
        clock::SystemClock,
        simulated::{Behaviour, Foreign, SimulatedEngine},
    },
    execute::Cancel,
    model::{
        container::{ContainerSpec, NetworkMode},
        image::ImageConfig,
        labels::compose,
        names::StackName,
        value::Value,
    },
};
use async_trait::async_trait;
use std::sync::Mutex;
use tokio::task::LocalSet;

/// When rounds began, and what was told.
#[derive(Clone, Default)]
struct Seen {
    rounds: Arc<Mutex<Vec<u64>>>,
    told: Arc<Mutex<Vec<String>>>,
}

struct Fake(Seen, Arc<dyn Clock>);

#[async_trait(?Send)]
impl Controller for Fake {
    async fn reconcile(&mut self) -> Result<Requeue, ControllerError> {
        self.0.rounds.lock().unwrap().push(self.1.now().since(START).0);
        Ok(Requeue::Idle)
    }
}

#[async_trait]
impl Tell for Seen {
    async fn tell(&self, kind: EventKind, _: Severity, text: String) {
        self.told.lock().unwrap().push(format!("{kind:?}: {text}"));
    }
}

struct Fakes(Seen, Arc<dyn Clock>);

impl Enlist for Fakes {
    fn enlist(&self, stack: &StackName, _: &Wake, _: &Patience, _: &Cancel) -> Result<Enlisted, String> {
        let controller = Box::new(Fake(self.0.clone(), self.1.clone()));
        Ok(Enlisted { controller, tell: self.teller(stack) })
    }

    fn teller(&self, _: &StackName) -> Arc<dyn Tell> {
        Arc::new(self.0.clone())
    }
}

const START: Timestamp = Timestamp(1_800_000_000_000);

struct Scene {
    engine: SimulatedEngine,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
    since: EngineSince,
    seen: Seen,
}

impl Scene {
    /// One container of `webkit`, whose keeper is in the fleet, and the stream is watched.
    async fn new() -> Scene {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start_at(START));
        let engine = SimulatedEngine::new(clock.clone(), 7);
        let image = engine.add_image("web:1", ImageConfig::default(), Behaviour::default());
        let labels = FromIterator::from_iter([(compose::PROJECT.into(), Value::plain("webkit"))]);
        let network_mode = NetworkMode::Bridge;
        let spec = ContainerSpec { image: "web:1".into(), labels, network_mode, ..ContainerSpec::default() };
        let made = engine.create_container(&"webkit-core-1".into(), &image, &spec).await.unwrap();
        engine.start_container(&made.id).await.unwrap();
        let (seen, health) = (Seen::default(), Arc::new(Health::new(clock.clone())));
        let fleet = Arc::new(Fleet {
            enlist: Box::new(Fakes(seen.clone(), clock.clone())),
            clock: clock.clone(),
            health: health.clone(),
            cancel: Cancel::default(),
            resync: Millis::minutes(60),
            finder: Wake::default(),
            members: Members::default(),
        });
        fleet.keep(&[StackName::from("webkit")].into()).await;
        let since = EngineSince::new(START);
        let watching = Watching {
            engine: Arc::new(engine.clone()),
            clock: clock.clone(),
            fleet,
            health: health.clone(),
            since: since.clone(),
        };
        tokio::spawn(watching.run());
        let scene = Scene { engine, clock, health, since, seen };
        scene.until(1000).await;
        scene
    }

    async fn until(&self, milliseconds: u64) -> Vec<u64> {
        let now = self.clock.now().since(START).0;
        self.clock.sleep(Millis(milliseconds - now)).await;
        self.seen.rounds.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_does_wakes_its_stack() {
    LocalSet::new()
        .run_until(async {
            let scene = Scene::new().await;
            let before = scene.until(5000).await.len();
            scene.engine.meddle(&Foreign::Kill("webkit-core-1".into())).unwrap();
            let rounds = scene.until(10_000).await;
            assert_eq!(rounds[before..], [5050]);
            scene.engine.lose_events(100);
            scene.engine.meddle(&Foreign::Start("webkit-core-1".into())).unwrap();
            assert_eq!(scene.until(20_000).await.len(), before + 1);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_goes_and_comes_back_is_told_once_and_wakes_all() {
    LocalSet::new()
        .run_until(async {
            let scene = Scene::new().await;
            assert_eq!(scene.health.unready(), []);
            let before = scene.until(20_000).await.len();
            scene.engine.restart_engine(Millis::seconds(7));
            scene.until(21_000).await;
            assert_eq!(scene.health.unready()[0].since, Some(START.plus(Millis(20_000))));
            let rounds = scene.until(40_000).await;
            assert_eq!(scene.health.unready(), []);
            let told = scene.seen.told.lock().unwrap().clone();
            // Tried after 100, 200, 400, 800, 1600, 3200 and 5000 ms.
            assert_eq!(
                told,
                [
                    "KeepStarted: kept from now on",
                    "EngineLost: the engine is lost: could not watch the events of `the engine`: the connection to the engine was lost",
                    "EngineBack: the engine is back after 11s300ms"
                ]
            );
            assert_eq!(scene.since.since(), START.plus(Millis(31_300)));
            // That its container ended was still told.
            assert_eq!(rounds[before..], [20_050, 31_350]);
        })
        .await;
}

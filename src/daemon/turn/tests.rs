//! The loop around a controller that counts: when rounds are made, and what is told of those that fail.

use super::*;
use crate::{
    engine::{EngineError, Sent, clock::SystemClock},
    model::units::Timestamp,
};
use async_trait::async_trait;
use std::sync::{
    Mutex,
    atomic::{AtomicI64, Ordering},
};
use tokio::task::LocalSet;

const START: Timestamp = Timestamp(1_800_000_000_000);

/// One round: how long it takes, and how it ends.
#[derive(Clone)]
struct Round(Millis, Result<Requeue, &'static str>);

/// Makes these rounds, the last one again and again, and notes when each began.
struct Fake {
    rounds: Vec<Round>,
    began: Arc<Mutex<Vec<u64>>>,
    clock: Arc<dyn Clock>,
}

#[async_trait(?Send)]
impl Controller for Fake {
    async fn reconcile(&mut self) -> Result<Requeue, ControllerError> {
        let number = {
            let mut began = self.began.lock().unwrap();
            began.push(self.clock.now().since(START).0);
            began.len() - 1
        };
        let Round(takes, end) = self.rounds[number.min(self.rounds.len() - 1)].clone();
        self.clock.sleep(takes).await;
        let failed = |text: &str| EngineError {
            call: "list",
            target: "containers".into(),
            kind: ErrorKind::Rejected,
            sent: Sent::NotSent,
            message: text.into(),
        };
        end.map_err(|text| ControllerError(StackError::Engine(failed(text))))
    }
}

/// Keeps what it is told.
#[derive(Default)]
struct Heard(Mutex<Vec<(EventKind, String)>>);

#[async_trait]
impl Tell for Heard {
    async fn tell(&self, kind: EventKind, _: Severity, text: String) {
        self.0.lock().unwrap().push((kind, text));
    }
}

struct Scene {
    clock: Arc<dyn Clock>,
    wake: Wake,
    cancel: Cancel,
    health: Arc<Health>,
    heard: Arc<Heard>,
    began: Arc<Mutex<Vec<u64>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Scene {
    fn of(rounds: Vec<Round>) -> Scene {
        Scene::on(Arc::new(SystemClock::start_at(START)), rounds)
    }

    fn on(clock: Arc<dyn Clock>, rounds: Vec<Round>) -> Scene {
        let (wake, cancel, began) = (Wake::default(), Cancel::default(), Arc::default());
        let (health, heard) = (Arc::new(Health::new(clock.clone())), Arc::new(Heard::default()));
        let turn = Turn {
            name: "webkit".into(),
            wake: wake.clone(),
            patience: Patience::default(),
            resync: Millis::seconds(60),
            clock: clock.clone(),
            cancel: cancel.clone(),
            health: health.clone(),
            tell: heard.clone(),
        };
        let controller = Box::new(Fake { rounds, began: Arc::clone(&began), clock: clock.clone() });
        Scene { clock, wake, cancel, health, heard, began, task: tokio::task::spawn_local(turn.run(controller)) }
    }

    /// When rounds began, in milliseconds from the start, up to this time.
    async fn until(&self, milliseconds: u64) -> Vec<u64> {
        let now = self.clock.now().since(START).0;
        self.clock.sleep(Millis(milliseconds - now)).await;
        self.began.lock().unwrap().clone()
    }

    fn heard(&self) -> Vec<(EventKind, String)> {
        self.heard.0.lock().unwrap().clone()
    }
}

fn quick(end: Result<Requeue, &'static str>) -> Round {
    Round(Millis(10), end)
}

#[tokio::test(start_paused = true)]
async fn without_any_event_it_looks_again_with_the_resync() {
    LocalSet::new()
        .run_until(async {
            let scene = Scene::of(vec![quick(Ok(Requeue::Idle))]);
            assert_eq!(scene.until(130_000).await, [0, 60_010, 120_020]);
            assert_eq!(scene.heard(), []);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn it_looks_again_when_its_controller_says_so() {
    LocalSet::new()
        .run_until(async {
            let at = START.plus(Millis::seconds(7));
            let far = START.plus(Millis::minutes(60));
            let scene =
                Scene::of(vec![quick(Ok(Requeue::At(at))), quick(Ok(Requeue::Now)), quick(Ok(Requeue::At(far)))]);
            // `Now` still rests; a far time does not put the resync off.
            assert_eq!(scene.until(70_000).await, [0, 7000, 7020, 67_030]);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn wakes_that_come_together_are_one_round() {
    LocalSet::new()
        .run_until(async {
            let scene = Scene::of(vec![quick(Ok(Requeue::Idle))]);
            scene.until(1000).await;
            for time in [1000, 1010, 1040] {
                scene.until(time).await;
                scene.wake.up("die core");
            }
            assert_eq!(scene.until(30_000).await, [0, 1050]);
            scene.wake.up("die core");
            assert_eq!(scene.until(31_000).await, [0, 1050, 30_050]);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_wake_during_a_round_makes_another_one_after_the_rest() {
    LocalSet::new()
        .run_until(async {
            let scene = Scene::of(vec![Round(Millis::seconds(1), Ok(Requeue::Idle)), quick(Ok(Requeue::Idle))]);
            scene.until(500).await;
            scene.wake.up("die core");
            assert_eq!(scene.until(20_000).await, [0, 2050]);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_storm_costs_at_most_half_of_the_time() {
    LocalSet::new()
        .run_until(async {
            let scene = Scene::of(vec![Round(Millis(500), Ok(Requeue::Idle))]);
            for time in (0..60_000).step_by(5) {
                scene.until(time).await;
                scene.wake.up("die core");
            }
            let began = scene.until(60_000).await;
            // A round, a rest as long, and the gathering: 1050 ms.
            assert_eq!(began.len(), 58, "{began:?}");
            let slow = Scene::of(vec![Round(Millis::seconds(10), Ok(Requeue::Now))]);
            let from = slow.clock.now().since(START).0;
            let began = slow.until(from + 30_000).await;
            assert_eq!(began.iter().map(|at| at - from).collect::<Vec<_>>(), [0, 12_000, 24_000]);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_free_goes_back_after_what_took_long_and_when_it_is_quiet() {
    LocalSet::new()
        .run_until(async {
            let long = Round(Millis::seconds(3), Ok(Requeue::Now));
            let scene =
                Scene::of(vec![quick(Ok(Requeue::Now)), long, quick(Ok(Requeue::Now)), quick(Ok(Requeue::Idle))]);
            let released = |began: Vec<u64>| (began.len(), memory::RELEASED.get());
            assert_eq!(released(scene.until(100).await), (2, 0));
            assert_eq!(released(scene.until(5_000).await), (2, 1));
            // The third, after its rest; then the last, and with it the quiet.
            assert_eq!(released(scene.until(5_035).await), (3, 1));
            assert_eq!(released(scene.until(6_000).await), (4, 2));
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn errors_back_off_and_are_told_once_while_they_stay_the_same() {
    LocalSet::new()
        .run_until(async {
            let scene = Scene::of(vec![
                quick(Err("no disk")),
                quick(Err("no disk")),
                quick(Err("no disk")),
                quick(Err("no luck")),
                quick(Ok(Requeue::Idle)),
                quick(Err("no disk")),
            ]);
            // 1, 2, 4, 8 seconds between them, and after a good one from the start.
            assert_eq!(scene.until(15_000).await, [0, 1010, 3020, 7030]);
            assert_eq!(scene.health.unready().len(), 2);
            assert_eq!(scene.until(15_100).await.last(), Some(&15_040));
            let told: Vec<String> = scene.heard().into_iter().map(|(_, text)| text).collect();
            assert_eq!(
                told,
                [
                    "could not list `containers`: no disk",
                    "could not list `containers`: no luck",
                    "the rounds succeed again"
                ]
            );
            assert_eq!(scene.health.unready().len(), 1, "the engine alone");
            assert_eq!(scene.until(76_200).await[5..], [75_050, 76_060]);
            let many = scene.until(1_000_000).await;
            assert!(many.windows(2).skip(6).all(|pair| pair[1] - pair[0] <= 60_010), "{many:?}");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_wake_cuts_a_long_back_off_short_but_not_to_nothing() {
    LocalSet::new()
        .run_until(async {
            let scene = Scene::of(vec![quick(Err("no disk"))]);
            let before = scene.until(40_000).await.len();
            let began = {
                scene.wake.up("the engine is back");
                scene.until(40_100).await
            };
            assert_eq!(began.len(), before + 1);
            assert_eq!(began.last(), Some(&40_050));
            scene.wake.up("die core");
            assert_eq!(scene.until(41_000).await.len(), before + 1);
            assert_eq!(scene.until(41_200).await.last(), Some(&41_110));
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_round_that_does_not_end_is_ended_and_told() {
    LocalSet::new()
        .run_until(async {
            let scene = Scene::of(vec![Round(Millis::minutes(60), Ok(Requeue::Idle)), quick(Ok(Requeue::Idle))]);
            assert_eq!(scene.until(299_000).await, [0]);
            assert_eq!(scene.health.stuck(), []);
            assert_eq!(scene.until(310_000).await, [0, 302_000]);
            let heard = scene.heard();
            assert_eq!(heard[0].0, EventKind::RoundStuck);
            assert!(heard[0].1.contains("a round took 5m"), "{heard:?}");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_gentle_end_waits_for_the_round_and_the_other_does_not() {
    LocalSet::new()
        .run_until(async {
            for gentle in [true, false] {
                let scene = Scene::of(vec![Round(Millis::seconds(4), Ok(Requeue::Idle))]);
                scene.clock.sleep(Millis::seconds(1)).await;
                let cancel = if gentle { &scene.cancel.gently } else { &scene.cancel.now };
                cancel.cancel();
                scene.task.await.unwrap();
                let took = scene.clock.now().since(START);
                assert_eq!(took, if gentle { Millis::seconds(4) } else { Millis::seconds(1) });
                assert_eq!(scene.health.count(), 0);
            }
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_round_begins_with_the_time_that_the_machine_was_set_to() {
    LocalSet::new()
        .run_until(async {
            let machine = Arc::new(AtomicI64::new(START.0));
            let shown = machine.clone();
            let clock = Arc::new(SystemClock::of(move || Timestamp(shown.load(Ordering::Relaxed))));
            machine.store(START.plus(Millis::minutes(60)).0, Ordering::Relaxed);
            let scene = Scene::on(clock, vec![quick(Ok(Requeue::Idle))]);
            assert_eq!(scene.until(1000).await, [3_600_000]);
        })
        .await;
}

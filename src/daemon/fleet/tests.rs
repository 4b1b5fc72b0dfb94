//! Who is kept, who is let go, and who is woken.

use super::*;
use crate::{
    controllers::{Controller, ControllerError, Requeue},
    engine::clock::SystemClock,
};
use async_trait::async_trait;
use tokio::task::LocalSet;

/// Counts rounds of all stacks.
#[derive(Clone, Default)]
struct Rounds(Arc<Mutex<BTreeMap<StackName, u32>>>);

struct Fake(StackName, Rounds);

#[async_trait(?Send)]
impl Controller for Fake {
    async fn reconcile(&mut self) -> Result<Requeue, ControllerError> {
        let count = {
            let mut rounds = self.1.0.lock().unwrap();
            let count = rounds.entry(self.0.clone()).or_default();
            *count += 1;
            *count
        };
        assert!(self.0.as_str() != "faulty" || count > 1, "a fault, on purpose");
        Ok(Requeue::Idle)
    }
}

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

struct Teller(StackName, Heard);

#[async_trait]
impl Tell for Teller {
    async fn tell(&self, kind: EventKind, _: Severity, text: String) {
        self.1.0.lock().unwrap().push(format!("{} {kind:?} {text}", self.0));
    }
}

struct Fakes(Rounds, Heard);

impl Enlist for Fakes {
    fn enlist(&self, stack: &StackName, _: &Wake, _: &Patience, _: &Cancel) -> Result<Enlisted, String> {
        match stack.as_str() {
            "broken" => Err("the key is missing".into()),
            _ => Ok(Enlisted { controller: Box::new(Fake(stack.clone(), self.0.clone())), tell: self.teller(stack) }),
        }
    }

    fn teller(&self, stack: &StackName) -> Arc<dyn Tell> {
        Arc::new(Teller(stack.clone(), self.1.clone()))
    }
}

fn scene() -> (Fleet, Rounds, Heard) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let (rounds, heard) = (Rounds::default(), Heard::default());
    let fleet = Fleet {
        enlist: Box::new(Fakes(rounds.clone(), heard.clone())),
        health: Arc::new(Health::new(clock.clone())),
        clock,
        cancel: Cancel::default(),
        resync: Millis::minutes(60),
        finder: Wake::default(),
        members: Members::default(),
    };
    fleet.health.engine_is_back();
    (fleet, rounds, heard)
}

fn names(names: &[&str]) -> BTreeSet<StackName> {
    names.iter().map(|name| StackName::from(*name)).collect()
}

#[tokio::test(start_paused = true)]
async fn those_wanted_are_kept_and_the_others_let_go() {
    LocalSet::new()
        .run_until(async {
            let (fleet, rounds, heard) = scene();
            assert!(fleet.keep(&names(&["blog", "webkit"])).await);
            fleet.clock.sleep(Millis(10)).await;
            assert_eq!(rounds.0.lock().unwrap().len(), 2);
            assert!(fleet.keep(&names(&["webkit"])).await);
            assert_eq!(fleet.names(), names(&["webkit"]));
            // Its loop is not at its end yet: two loops of one stack there never are.
            assert!(!fleet.keep(&names(&["blog", "webkit"])).await);
            fleet.finder.woken().await;
            assert!(fleet.keep(&names(&["blog", "webkit"])).await);
            fleet.cancel.gently.cancel();
            fleet.ended().await;
            let heard = heard.0.lock().unwrap().clone();
            assert_eq!(heard.iter().filter(|line| line.starts_with("blog Keep")).count(), 4, "{heard:?}");
            assert_eq!(fleet.health.count(), 0);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_kept_is_told_once_and_shown() {
    LocalSet::new()
        .run_until(async {
            let (fleet, _, heard) = scene();
            for _ in 0..3 {
                assert!(!fleet.keep(&names(&["broken"])).await);
            }
            assert_eq!(*heard.0.lock().unwrap(), ["broken Warning the key is missing"]);
            assert_eq!(fleet.health.unready()[0].stack.as_deref(), Some("broken"));
            assert!(fleet.keep(&names(&[])).await);
            assert_eq!(fleet.health.unready(), []);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_event_wakes_whom_it_is_about() {
    LocalSet::new()
        .run_until(async {
            let (fleet, rounds, _) = scene();
            fleet.keep(&names(&["blog", "webkit"])).await;
            fleet.clock.sleep(Millis::seconds(5)).await;
            let _ = futures::FutureExt::now_or_never(fleet.finder.woken());
            let after = async |stack: Option<&str>, what: &str| {
                fleet.wake(&EngineEvent { stack: stack.map(StackName::from), what: what.into() });
                fleet.clock.sleep(Millis::seconds(5)).await;
                let found = futures::FutureExt::now_or_never(fleet.finder.woken()).is_some();
                let counts: Vec<u32> = rounds.0.lock().unwrap().values().copied().collect();
                (counts, found)
            };
            assert_eq!(after(Some("webkit"), "die webkit-core-1").await, (vec![1, 2], false));
            assert_eq!(after(None, "destroy proxy").await, (vec![2, 3], true));
            assert_eq!(after(Some("other"), "start other-web-1").await, (vec![2, 3], true));
            assert_eq!(after(Some("blog"), "destroy evenkeel_home_blog").await, (vec![3, 3], true));
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn one_whose_loop_breaks_off_is_begun_anew_and_told() {
    LocalSet::new()
        .run_until(async {
            let (fleet, rounds, heard) = scene();
            for _ in 0..3 {
                assert!(fleet.keep(&names(&["faulty"])).await);
                fleet.clock.sleep(Millis::seconds(5)).await;
            }
            assert_eq!(rounds.0.lock().unwrap()[&StackName::from("faulty")], 2);
            let told = heard.0.lock().unwrap().clone();
            assert_eq!(told.iter().filter(|line| line.contains("broke off")).count(), 1, "{told:?}");
        })
        .await;
}

//! How the loops are: whether they turn, since when their rounds fail, whether the engine is there. What the health pages
//! and the service manager are told is read from here.

use crate::{
    engine::clock::Clock,
    model::units::{Millis, Timestamp},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A loop that is this much later than it should be is stuck: nothing of it takes so long between two looks at the clock.
const LATE: Millis = Millis::seconds(30);

/// The health of all loops.
pub struct Health {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    engine_lost: Option<(Timestamp, String)>,
    /// Loops that are in the middle of a round.
    at_work: usize,
    loops: BTreeMap<String, Turning>,
}

#[derive(Default)]
struct Turning {
    /// When it will have done something again, as the clock's `elapsed`.
    due: Option<Millis>,
    failing: Option<(Timestamp, String)>,
}

/// Why something is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// `engine`, `home`, `stuck`, or `rounds`.
    pub code: &'static str,
    /// The loop that it is about, which is named after its stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// A sentence for a person.
    pub text: String,
}

/// A loop that is in the middle of a round.
pub struct AtWork(Arc<Health>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.lock().at_work -= 1;
    }
}

impl Health {
    /// Nothing turns yet, and the engine was not reached so far.
    pub fn new(clock: Arc<dyn Clock>) -> Health {
        let engine_lost = Some((clock.now(), "it was not reached yet".to_owned()));
        Health { clock, state: Mutex::new(State { engine_lost, ..State::default() }) }
    }

    /// A loop begins a round, which lasts until the value goes. Where no other one measures time, the clock is set before.
    pub fn at_work(self: &Arc<Health>) -> AtWork {
        let mut state = self.lock();
        if state.at_work == 0 {
            self.clock.set();
        }
        state.at_work += 1;
        AtWork(self.clone())
    }

    /// A loop will have done something within this span.
    pub fn turns(&self, name: &str, within: Millis) {
        let due = Millis(self.clock.elapsed().0.saturating_add(within.0).saturating_add(LATE.0));
        self.lock().loops.entry(name.to_owned()).or_default().due = Some(due);
    }

    /// A loop's rounds fail for this reason; the first one says since when.
    pub fn fails(&self, name: &str, why: &str) {
        let now = self.clock.now();
        let mut state = self.lock();
        let turning = state.loops.entry(name.to_owned()).or_default();
        let since = turning.failing.as_ref().map_or(now, |(since, _)| *since);
        turning.failing = Some((since, why.to_owned()));
    }

    /// A loop's round was well.
    pub fn is_well(&self, name: &str) {
        self.lock().loops.entry(name.to_owned()).or_default().failing = None;
    }

    /// A loop ended.
    pub fn ended(&self, name: &str) {
        self.lock().loops.remove(name);
    }

    /// The engine can't be reached; the first call says since when.
    pub fn engine_is_lost(&self, why: &str) {
        let now = self.clock.now();
        let mut state = self.lock();
        let since = state.engine_lost.as_ref().map_or(now, |(since, _)| *since);
        state.engine_lost = Some((since, why.to_owned()));
    }

    /// The engine answers.
    pub fn engine_is_back(&self) {
        self.lock().engine_lost = None;
    }

    /// Loops that do not turn.
    pub fn stuck(&self) -> Vec<Reason> {
        let (now, elapsed) = (self.clock.now(), self.clock.elapsed());
        let state = self.lock();
        let late = |turning: &Turning| turning.due.filter(|due| *due < elapsed);
        let moment = |due: Millis| Timestamp(now.0.saturating_sub_unsigned(elapsed.0 - due.0));
        let stuck = state.loops.iter().filter_map(|(name, turning)| Some((name, late(turning)?)));
        stuck
            .map(|(name, due)| Reason {
                code: "stuck",
                stack: Some(name.clone()),
                since: Some(moment(due)),
                text: format!("the loop of `{name}` does not turn"),
            })
            .collect()
    }

    /// All that keeps evenkeel from keeping its stacks.
    pub fn unready(&self) -> Vec<Reason> {
        let mut reasons = self.stuck();
        let state = self.lock();
        if let Some((since, why)) = &state.engine_lost {
            let text = format!("the engine can't be reached since {since}: {why}");
            reasons.push(Reason { code: "engine", stack: None, since: Some(*since), text });
        }
        for (name, turning) in &state.loops {
            if let Some((since, why)) = &turning.failing {
                let text = format!("the rounds of `{name}` fail since {since}: {why}");
                reasons.push(Reason { code: "rounds", stack: Some(name.clone()), since: Some(*since), text });
            }
        }
        reasons
    }

    /// How many loops there are.
    pub fn count(&self) -> usize {
        self.lock().loops.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::clock::SystemClock;
    use std::sync::atomic::{AtomicI64, Ordering};

    #[tokio::test(start_paused = true)]
    async fn the_clock_is_set_while_nobody_is_at_work_and_nobody_is_late_for_it() {
        let machine = Arc::new(AtomicI64::new(1_800_000_000_000));
        let shown = machine.clone();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::of(move || Timestamp(shown.load(Ordering::Relaxed))));
        let health = Arc::new(Health::new(clock.clone()));
        health.turns("webkit", Millis::seconds(60));
        let before = clock.now();
        let first = health.at_work();
        machine.fetch_add(3_600_000, Ordering::Relaxed);
        drop(health.at_work());
        assert_eq!(clock.now(), before, "a gate may be waiting");
        drop(first);
        drop(health.at_work());
        assert_eq!(clock.now(), before.plus(Millis::minutes(60)));
        assert_eq!(health.stuck(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_wrong_is_known_with_since_when() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start_at(Timestamp(1_800_000_000_000)));
        let health = Health::new(clock.clone());
        let codes = |reasons: Vec<Reason>| reasons.into_iter().map(|reason| reason.code).collect::<Vec<_>>();
        assert_eq!(codes(health.unready()), ["engine"]);
        health.engine_is_back();
        health.turns("webkit", Millis::seconds(60));
        health.fails("webkit", "the disk is full");
        clock.sleep(Millis::seconds(5)).await;
        health.fails("webkit", "the disk is still full");
        let reasons = health.unready();
        assert_eq!(reasons[0].since, Some(Timestamp(1_800_000_000_000)));
        assert!(reasons[0].text.contains("still full"), "{reasons:?}");
        clock.sleep(Millis::seconds(84)).await;
        assert_eq!(codes(health.stuck()), [""; 0]);
        clock.sleep(Millis::seconds(2)).await;
        assert_eq!(codes(health.stuck()), ["stuck"]);
        health.turns("webkit", Millis(0));
        health.is_well("webkit");
        assert_eq!(codes(health.unready()), [""; 0]);
    }
}

//! One loop around one controller: a round, a rest, and then the next wake-up or the time to look again. One round at a
//! time; a storm of wake-ups costs at most half a core, because the rest after a round is as long as the round was.

use super::{health::Health, memory, tell::Tell};
use crate::{
    controllers::{Controller, ControllerError, Patience, Requeue, Wake, stack::StackError},
    engine::{ErrorKind, clock::Clock},
    execute::Cancel,
    model::{
        event::{EventKind, Severity},
        units::Millis,
    },
};
use futures::FutureExt;
use std::sync::Arc;

/// Wake-ups that come so soon after the first are answered together.
const GATHER: Millis = Millis(50);
/// No rest after a round is longer.
const REST_MAX: Millis = Millis::seconds(2);
/// Nothing more is to be done for now: the memory of what was done goes back.
const QUIET: Millis = Millis::seconds(10);
/// A round that took so long needed much, and to give it back takes nothing beside it: it goes back even where the next
/// round comes at once, for in a storm no quiet comes for long.
const LONG: Millis = Millis::seconds(1);
/// What a round may take that does not say otherwise.
const ROUND: Millis = Millis::minutes(5);
/// After a round that failed; twice as long each time, up to the second.
const BACKOFF_FIRST: Millis = Millis::seconds(1);
const BACKOFF_MAX: Millis = Millis::seconds(60);

/// What makes a controller turn.
pub struct Turn {
    /// For logs and pages.
    pub name: String,
    pub wake: Wake,
    /// Until when a round is waited for; the controller may ask for more of it while it is at work.
    pub patience: Patience,
    /// The longest time between two rounds, whatever was missed.
    pub resync: Millis,
    pub clock: Arc<dyn Clock>,
    pub cancel: Cancel,
    pub health: Arc<Health>,
    pub tell: Arc<dyn Tell>,
}

/// Rounds that failed, one after another.
struct Failing {
    told: Option<String>,
    backoff: Millis,
}

impl Turn {
    /// Turns until it is cancelled: gently after the round that goes on, else at once.
    pub async fn run(self, mut controller: Box<dyn Controller>) {
        let mut failing: Option<Failing> = None;
        loop {
            let work = self.health.at_work();
            let began = self.clock.now();
            self.patience.until(began.plus(ROUND));
            let round = tokio::select! {
                biased;
                () = self.cancel.now.cancelled() => break,
                round = controller.reconcile() => Some(round),
                () = self.out_of_patience() => None,
            };
            let now = self.clock.now();
            let wait = match round {
                Some(Ok(requeue)) => {
                    self.recovered(failing.take()).await;
                    match requeue {
                        Requeue::Now => Millis(0),
                        Requeue::At(time) => time.since(now).min(self.resync),
                        Requeue::Idle => self.resync,
                    }
                }
                Some(Err(error)) => self.failed(&mut failing, &error).await,
                None => self.stuck(&mut failing, now.since(began)).await,
            };
            drop(work);
            let took = now.since(began);
            let mut rest = took.min(REST_MAX);
            if failing.is_some() {
                // What fails fails again at once, mostly.
                rest = rest.max(BACKOFF_FIRST);
            }
            if wait >= QUIET || took >= LONG {
                memory::release();
            }
            if !self.pause(rest, wait).await {
                break;
            }
        }
        self.health.ended(&self.name);
    }

    /// Waits until the round has had all the time that it asked for.
    async fn out_of_patience(&self) {
        loop {
            let left = self.patience.ends().since(self.clock.now());
            if left == Millis(0) {
                return;
            }
            self.health.turns(&self.name, left);
            self.clock.sleep(left).await;
        }
    }

    /// Rests, and then waits to be woken, but not longer than `wait` in all. `false`: it is cancelled.
    async fn pause(&self, rest: Millis, wait: Millis) -> bool {
        self.health.turns(&self.name, wait.max(rest));
        let left = Millis(wait.0.saturating_sub(rest.0));
        let waiting = async {
            self.clock.sleep(rest).await;
            tokio::select! {
                biased;
                () = self.wake.woken() => {
                    self.clock.sleep(GATHER).await;
                    // Those who rang meanwhile are answered with it.
                    let _ = self.wake.woken().now_or_never();
                }
                () = self.clock.sleep(left) => {}
            }
        };
        tokio::select! {
            biased;
            () = self.cancel.gently.cancelled() => return false,
            () = self.cancel.now.cancelled() => return false,
            () = waiting => {}
        }
        tracing::debug!(stack = self.name, reasons = ?self.wake.reasons(), "woken");
        true
    }

    async fn recovered(&self, failing: Option<Failing>) {
        self.health.is_well(&self.name);
        if failing.is_some_and(|failing| failing.told.is_some()) {
            self.tell.tell(EventKind::Warning, Severity::Info, "the rounds succeed again".to_owned()).await;
        }
    }

    async fn failed(&self, failing: &mut Option<Failing>, error: &ControllerError) -> Millis {
        let text = chain(error);
        self.health.fails(&self.name, &text);
        // That the engine is away is told by who watches it.
        let is_told = !matches!(&error.0, StackError::Engine(error) if error.kind == ErrorKind::Unreachable);
        self.count(failing, is_told.then_some((EventKind::Warning, text))).await
    }

    async fn stuck(&self, failing: &mut Option<Failing>, took: Millis) -> Millis {
        let text =
            format!("a round took {took}, longer than its steps may, and was ended; the next one observes again");
        self.health.fails(&self.name, &text);
        self.count(failing, Some((EventKind::RoundStuck, text))).await
    }

    /// Tells what was not told last, and gives how long to wait.
    async fn count(&self, failing: &mut Option<Failing>, what: Option<(EventKind, String)>) -> Millis {
        let failing = match failing {
            Some(failing) => {
                failing.backoff = Millis(failing.backoff.0 * 2).min(BACKOFF_MAX);
                failing
            }
            None => failing.insert(Failing { told: None, backoff: BACKOFF_FIRST }),
        };
        if let Some((kind, text)) = what
            && failing.told.as_ref() != Some(&text)
        {
            failing.told = Some(text.clone());
            self.tell.tell(kind, Severity::Error, text).await;
        }
        failing.backoff
    }
}

/// An error with its causes, each said once.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;

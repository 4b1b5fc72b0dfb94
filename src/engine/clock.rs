//! Time, as an effect: the only place that reads a clock or sleeps. The simulated engine shares it, so that a test's
//! hours take no time.

use crate::model::units::{Millis, Timestamp};
use async_trait::async_trait;
use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicI64, Ordering},
    time::SystemTime,
};

/// The machine's time of day and ours may differ by so much before ours is set.
const APART_MAX: Millis = Millis::seconds(1);

/// A clock to read and to wait on.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time of day now. It goes on evenly until it is set.
    fn now(&self) -> Timestamp;
    /// How long it goes already, whatever it is set to.
    fn elapsed(&self) -> Millis;
    /// Takes over the machine's time of day, which somebody may have set, and which goes on while the machine sleeps. What
    /// is measured with `now` must not go on meanwhile.
    fn set(&self);
    /// Waits so long.
    async fn sleep(&self, span: Millis);
}

/// The machine's clock. Under tokio's paused time its sleeps take no time, and `now` follows them.
pub struct SystemClock {
    /// The time of day when it began, as far as is known now.
    wall: AtomicI64,
    began: tokio::time::Instant,
    /// `None`: there is nothing to be set to.
    machine: Option<Box<dyn Fn() -> Timestamp + Send + Sync>>,
}

impl SystemClock {
    /// Starts from the machine's time of day and goes on monotonically.
    pub fn start() -> SystemClock {
        SystemClock::of(|| {
            let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX))
        })
    }

    /// Starts from a given time, for simulations.
    pub fn start_at(wall: Timestamp) -> SystemClock {
        SystemClock { wall: AtomicI64::new(wall.0), began: tokio::time::Instant::now(), machine: None }
    }

    /// Of a machine that shows this.
    pub fn of(machine: impl Fn() -> Timestamp + Send + Sync + 'static) -> SystemClock {
        let wall = AtomicI64::new(machine().0);
        SystemClock { wall, began: tokio::time::Instant::now(), machine: Some(Box::new(machine)) }
    }
}

impl fmt::Debug for SystemClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SystemClock({})", self.now())
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.wall.load(Ordering::Relaxed)).plus(self.elapsed())
    }

    fn elapsed(&self) -> Millis {
        Millis(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn set(&self) {
        let Some(machine) = &self.machine else { return };
        let apart = machine().0.saturating_sub(self.now().0);
        if apart.unsigned_abs() > APART_MAX.0 {
            self.wall.fetch_add(apart, Ordering::Relaxed);
        }
    }

    async fn sleep(&self, span: Millis) {
        tokio::time::sleep(span.duration()).await;
    }
}

/// The future's result, or `None` when `span` passes first; the future is dropped then.
pub async fn within<T>(clock: &dyn Clock, span: Millis, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        value = future => Some(value),
        () = clock.sleep(span) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_evenly_until_it_is_set() {
        let machine = Arc::new(AtomicI64::new(1_800_000_000_000));
        let shown = machine.clone();
        let clock = SystemClock::of(move || Timestamp(shown.load(Ordering::Relaxed)));
        clock.sleep(Millis::seconds(5)).await;
        let (late, even) = (Timestamp(1_800_003_600_000), Timestamp(1_800_000_005_000));
        machine.store(late.0, Ordering::Relaxed);
        assert_eq!(clock.now(), even);
        clock.set();
        assert_eq!((clock.now(), clock.elapsed()), (late, Millis::seconds(5)));
        // Back again; and what differs by little is left.
        machine.store(even.0, Ordering::Relaxed);
        clock.set();
        assert_eq!(clock.now(), even);
        machine.store(even.0 - 900, Ordering::Relaxed);
        clock.set();
        assert_eq!(clock.now(), even);
    }

    #[tokio::test(start_paused = true)]
    async fn a_simulated_one_is_never_set() {
        let clock = SystemClock::start_at(Timestamp(0));
        clock.set();
        assert_eq!(clock.now(), Timestamp(0));
    }
}

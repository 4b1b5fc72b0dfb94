//! Time, as an effect: the only place that reads a clock or sleeps. The simulated engine shares it, so that a test's
//! hours take no time.

use crate::model::units::{Millis, Timestamp};
use async_trait::async_trait;
use std::{future::Future, time::SystemTime};

/// A clock to read and to wait on.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Waits so long.
    async fn sleep(&self, span: Millis);
}

/// The machine's clock. Under tokio's paused time its sleeps take no time, and `now` follows them.
#[derive(Debug)]
pub struct SystemClock {
    wall: Timestamp,
    began: tokio::time::Instant,
}

impl SystemClock {
    /// Starts from the machine's time of day and goes on monotonically.
    pub fn start() -> SystemClock {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        SystemClock {
            wall: Timestamp(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)),
            began: tokio::time::Instant::now(),
        }
    }

    /// Starts from a given time, for simulations.
    pub fn start_at(wall: Timestamp) -> SystemClock {
        SystemClock { wall, began: tokio::time::Instant::now() }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.wall.plus(Millis(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)))
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

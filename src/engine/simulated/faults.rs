//! What goes wrong, and when: faults are counted in mutating calls, so that a test can try every place of a course.

use super::foreign::Foreign;
use crate::{engine::ErrorKind, model::units::Millis};

/// One thing that goes wrong at the `n`-th mutating call after `SimulatedEngine::arm` (1 is the first).
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// evenkeel is killed before the call: nothing is done, and no call ever answers until `revive`.
    KillBefore(u64),
    /// evenkeel is killed after the call: it is done, and no call ever answers until `revive`.
    KillAfter(u64),
    /// It is done, and the answer is lost.
    LoseReply(u64),
    /// It is not done, and the engine says no so.
    Fail(u64, ErrorKind),
    /// It is not done, and there is no connection for so long.
    Disconnect(u64, Millis),
    /// The engine restarts instead, and is away for so long.
    RestartEngine(u64, Millis),
    /// Somebody else does something just before it.
    Meddle(u64, Foreign),
}

impl Fault {
    fn at(&self) -> u64 {
        match self {
            Fault::KillBefore(n)
            | Fault::KillAfter(n)
            | Fault::LoseReply(n)
            | Fault::Fail(n, _)
            | Fault::Disconnect(n, _)
            | Fault::RestartEngine(n, _)
            | Fault::Meddle(n, _) => *n,
        }
    }
}

/// The faults that are still to come.
#[derive(Clone, Debug, Default)]
pub(super) struct Armed {
    faults: Vec<Fault>,
    /// Mutating calls since they were armed.
    calls: u64,
}

impl Armed {
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Armed {
        Armed { faults: faults.into_iter().collect(), calls: 0 }
    }

    /// Counts one more mutating call, and takes out the faults that meet it.
    pub fn next_call(&mut self) -> Vec<Fault> {
        self.calls += 1;
        let calls = self.calls;
        let (now, later) = std::mem::take(&mut self.faults).into_iter().partition(|fault| fault.at() == calls);
        self.faults = later;
        now
    }
}

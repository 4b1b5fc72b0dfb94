//! Ctrl-C: the first finishes or undoes what is in flight and begins nothing new, the second leaves at once. Both are
//! safe, and so is a kill.

use super::{exit::Exit, failure::Failure, output::Output};
use crate::execute::Cancel;
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The user's wish to stop, and whether there is anything to finish.
#[derive(Clone, Default)]
pub struct Interrupt {
    pub cancel: Cancel,
    /// Set once something was begun: before that, the first signal is the last.
    pub begun: Arc<AtomicBool>,
}

impl Interrupt {
    /// The work's result, or exit code 130 when the user leaves at once.
    pub async fn guard<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
        output: &Output,
    ) -> Result<T, Failure> {
        let listening = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        let [Ok(interrupt), Ok(terminate), Ok(hangup)] = listening else {
            // Without a handler a signal ends the process at once, which is safe too.
            return work.await;
        };
        tokio::select! {
            biased;
            result = work => result,
            () = self.listen([interrupt, terminate, hangup], output) => Err(self.left_at_once()),
        }
    }

    /// Ends when the work shall be left at once.
    async fn listen(&self, [mut interrupt, mut terminate, mut hangup]: [Signal; 3], output: &Output) {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        };
        next().await;
        if self.begun.load(Ordering::Relaxed) {
            output
                .talk("stopping: what is in flight is finished or undone, nothing new begins; again leaves at once\n");
            self.cancel.gently.cancel();
            next().await;
        }
        self.cancel.now.cancel();
    }

    fn left_at_once(&self) -> Failure {
        if self.begun.load(Ordering::Relaxed) {
            Failure::new(Exit::Interrupted, "left at once: what was begun stays as it is")
                .hint("`evenkeel apply` finishes or undoes it; `evenkeel status` shows what runs")
        } else {
            Failure::new(Exit::Interrupted, "interrupted before anything was begun")
        }
    }
}

//! Ctrl-C: the first finishes or undoes what is in flight and begins nothing new, the second leaves at once. Both are
//! safe, and so is a kill.

use super::{exit::Exit, failure::Failure, render::progress::Watch};
use crate::{daemon::signals, execute::Cancel};
use futures::{StreamExt, stream::BoxStream};
use std::future::Future;

const STOPPING: &str = "stopping: what is in flight is finished or undone, nothing new begins; again leaves at once";

/// The work's result, or exit code 130 when the user leaves at once. Before anything was begun the first signal leaves.
pub async fn guard<T>(
    work: impl Future<Output = Result<T, Failure>>,
    cancel: &Cancel,
    watch: &Watch,
) -> Result<T, Failure> {
    let Ok(signals) = signals::endings() else {
        // Without a handler a signal ends the process at once, which is safe too.
        return work.await;
    };
    tokio::select! {
        biased;
        result = work => result,
        () = listen(signals, cancel, watch) => Err(left_at_once(watch)),
    }
}

/// Ends when the work shall be left at once.
async fn listen(mut signals: BoxStream<'static, ()>, cancel: &Cancel, watch: &Watch) {
    signals.next().await;
    if watch.has_begun() {
        watch.say(STOPPING);
        cancel.gently.cancel();
        signals.next().await;
    }
    cancel.now.cancel();
}

fn left_at_once(watch: &Watch) -> Failure {
    if watch.has_begun() {
        Failure::new(Exit::Interrupted, "left at once: what was begun stays as it is")
            .hint("`evenkeel apply` finishes or undoes it; `evenkeel status` shows what runs")
    } else {
        Failure::new(Exit::Interrupted, "interrupted before anything was begun")
    }
}

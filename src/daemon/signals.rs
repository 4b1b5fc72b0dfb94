//! SIGTERM, SIGINT and the end of the terminal: the first lets what is in flight finish, and after a while or at a second
//! one the process leaves at once. Both are safe, and so is a kill.

use crate::{engine::clock::Clock, execute::Cancel, model::units::Millis};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use std::{fs, io};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What is in flight gets so long; the service manager is told to wait ten seconds.
const GENTLY: Millis = Millis::seconds(8);

/// Obeys them for as long as the process lives.
pub async fn listen(signals: io::Result<BoxStream<'static, ()>>, cancel: Cancel, clock: &dyn Clock) {
    // Without a handler a signal ends the process at once, which is safe too.
    let Ok(signals) = signals else { return std::future::pending().await };
    obey(&cancel, clock, signals).await;
}

/// Each signal from now on that asks this process to end. One that was started with `nohup` goes on when its terminal is gone.
///
/// # Errors
/// The system listens to no signal.
pub fn endings() -> io::Result<BoxStream<'static, ()>> {
    let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if !ignores_hangup(&status) {
        kinds.push(SignalKind::hangup());
    }
    let signals: io::Result<Vec<Signal>> = kinds.into_iter().map(signal).collect();
    let signals = signals?.into_iter().map(|signal| stream::unfold(signal, received).boxed());
    Ok(stream::select_all(signals).boxed())
}

/// Whether this process was started with SIGHUP ignored, as proc(5) shows it: the lowest bit of a mask.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

async fn received(mut signal: Signal) -> Option<((), Signal)> {
    signal.recv().await;
    Some(((), signal))
}

async fn obey(cancel: &Cancel, clock: &dyn Clock, mut signals: BoxStream<'_, ()>) {
    signals.next().await;
    cancel.gently.cancel();
    tokio::select! {
        _ = signals.next() => {}
        () = clock.sleep(GENTLY) => {}
    }
    cancel.now.cancel();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::clock::SystemClock;
    use tokio::sync::mpsc;

    #[test]
    fn a_hangup_that_is_ignored_is_one_bit_of_a_line() {
        let status = |mask: &str| format!("Name:\tx\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\n");
        assert!(ignores_hangup(&status("0000000000001001")));
        assert!(!ignores_hangup(&status("0000000000001000")));
        assert!(!ignores_hangup(""));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_is_gentle_and_its_patience_ends() {
        for twice in [false, true] {
            let (cancel, (person, signals)) = (Cancel::default(), mpsc::unbounded_channel());
            let signals = stream::unfold(signals, async |mut signals| Some((signals.recv().await?, signals)));
            let signals = signals.chain(stream::pending());
            let clock = SystemClock::start();
            let began = clock.now();
            let obeying = obey(&cancel, &clock, signals.boxed());
            let acts = async {
                person.send(()).unwrap();
                cancel.gently.cancelled().await;
                assert!(!cancel.now.is_cancelled());
                if twice {
                    person.send(()).unwrap();
                }
            };
            tokio::join!(obeying, acts);
            assert!(cancel.now.is_cancelled());
            assert_eq!(clock.now().since(began), if twice { Millis(0) } else { GENTLY });
        }
    }
}

//! SIGTERM and SIGINT: the first lets what is in flight finish, and after a while or at a second one the process leaves at
//! once. Both are safe, and so is a kill.

use crate::{engine::clock::Clock, execute::Cancel, model::units::Millis};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What is in flight gets so long; the service manager is told to wait ten seconds.
const GENTLY: Millis = Millis::seconds(8);

/// Listens for as long as the process lives.
pub async fn listen(cancel: Cancel, clock: &dyn Clock) {
    let listening = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let [Ok(interrupt), Ok(terminate), Ok(hangup)] = listening else {
        // Without a handler a signal ends the process at once, which is safe too.
        return std::future::pending().await;
    };
    let signals = [interrupt, terminate, hangup].map(|signal| stream::unfold(signal, received).boxed());
    obey(&cancel, clock, stream::select_all(signals).boxed()).await;
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

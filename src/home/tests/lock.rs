//! The lock within one process: on files and in memory it is the same. The clock goes on by what is slept, at once.

use super::*;
use crate::{
    engine::clock::Clock,
    home::{Holder, LockError},
    model::units::Millis,
};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Goes on by what is slept, and lets the others run meanwhile.
struct Steps(AtomicI64);

impl Steps {
    fn start() -> Steps {
        Steps(AtomicI64::new(1_700_000_000_000))
    }
}

#[async_trait::async_trait]
impl Clock for Steps {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Millis {
        self.now().since(Timestamp(0))
    }

    fn set(&self) {}

    async fn sleep(&self, span: Millis) {
        self.0.fetch_add(i64::try_from(span.0).unwrap(), Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

fn holder(actor: &str) -> Holder {
    Holder { actor: actor.to_owned(), doing: "apply".to_owned() }
}

/// Two views of one home on disk, and one in memory that is both.
fn homes(dir: &Path) -> [(Arc<Home>, Arc<Home>); 2] {
    let memory = Arc::new(Home::in_memory(&stack()).unwrap());
    [(Arc::new(open(dir)), Arc::new(open(dir))), (Arc::clone(&memory), memory)]
}

#[tokio::test]
async fn one_at_a_time_and_the_other_is_told_who() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Steps::start();
    for (one, other) in homes(dir.path()) {
        let began = clock.now();
        let guard = one.lock(holder("ann"), Millis(0), &clock).await.unwrap();
        clock.sleep(Millis::seconds(3)).await;
        let before = clock.now();
        let error = other.lock(holder("ben"), Millis::seconds(2), &clock).await.unwrap_err();
        let waited = clock.now().since(before).0;
        assert!((2000..2200).contains(&waited), "{waited}");
        let LockError::Held { actor, since, doing } = &error else { panic!("{error}") };
        assert_eq!((actor.as_str(), doing.as_str()), ("ann", "apply"));
        assert_eq!(*since, began);
        assert!(error.to_string().starts_with("`ann` holds the lock since 20"), "{error}");
        drop(guard);
        assert_eq!(other.holder().unwrap(), None);
        drop(other.lock(holder("ben"), Millis(0), &clock).await.unwrap());
    }
}

#[tokio::test]
async fn who_waits_gets_it_and_is_seen_to_wait() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Steps::start());
    for (one, other) in homes(dir.path()) {
        let guard = one.lock(holder("run"), Millis(0), &*clock).await.unwrap();
        assert!(!one.is_awaited().unwrap());
        let waiting = tokio::spawn({
            let (other, clock) = (Arc::clone(&other), Arc::clone(&clock));
            async move { other.lock(holder("ann"), Millis::minutes(10), &*clock).await }
        });
        while !one.is_awaited().unwrap() {
            clock.sleep(Millis(10)).await;
        }
        assert_eq!(other.holder().unwrap().unwrap().holder.actor, "run");
        drop(guard);
        let guard = waiting.await.unwrap().unwrap();
        assert_eq!(one.holder().unwrap().unwrap().holder.actor, "ann");
        assert!(!one.is_awaited().unwrap(), "it waits no more");
        drop(guard);
    }
}

#[tokio::test]
async fn who_gives_up_waiting_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Steps::start());
    for (one, other) in homes(dir.path()) {
        let _guard = one.lock(holder("run"), Millis(0), &*clock).await.unwrap();
        let waiting = tokio::spawn({
            let (other, clock) = (Arc::clone(&other), Arc::clone(&clock));
            async move { other.lock(holder("ann"), Millis::minutes(10), &*clock).await.map(drop) }
        });
        while !one.is_awaited().unwrap() {
            clock.sleep(Millis(10)).await;
        }
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        assert!(!one.is_awaited().unwrap());
    }
}

#[tokio::test]
async fn what_stands_in_a_free_lock_means_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Steps::start();
    let home = open(dir.path());
    std::fs::write(dir.path().join("stacks/webkit/lock"), "{\"actor\":\"dead\",\"doing\":\"apply\",\"since\"").unwrap();
    assert_eq!(home.holder().unwrap(), None);
    let guard = home.lock(holder("ann"), Millis(0), &clock).await.unwrap();
    assert_eq!(home.holder().unwrap().unwrap().holder, holder("ann"));
    drop(guard);
}

//! The simulated engine's event stream: what the real one tells, of whom it tells it. Time passes for those who watch even
//! while nobody calls.

use super::{
    Inner, SimulatedEngine,
    no::No,
    world::{Key, World},
};
use crate::{
    engine::{EngineEvent, EngineEvents, EngineResult, Sent},
    model::{
        labels::{compose, ours},
        names::{NetworkName, StackName},
        observed::Health,
        units::{Millis, Timestamp},
    },
};
use futures::stream;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{Notify, mpsc};

const CALL: &str = "watch the events of";
const TARGET: &str = "the engine";

/// Those who watch.
#[derive(Default)]
pub(super) struct Watchers {
    senders: Vec<mpsc::UnboundedSender<EngineResult<EngineEvent>>>,
    pub changed: Arc<Notify>,
    pub lost_percent: u64,
    events: u64,
}

impl SimulatedEngine {
    pub(super) async fn events(&self) -> EngineResult<EngineEvents> {
        self.read(CALL, TARGET, |_| Ok(())).await?;
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut inner = self.now();
        // What came before is no news.
        inner.world.watched = true;
        inner.world.note_healths();
        inner.world.told.clear();
        inner.watchers.senders.push(sender);
        drop(inner);
        let watching = (self.clone(), receiver);
        Ok(Box::pin(stream::unfold(watching, |(engine, mut receiver)| async move {
            let item = engine.next_event(&mut receiver).await?;
            Some((item, (engine, receiver)))
        })))
    }

    /// `None` after the error that broke the stream.
    async fn next_event(
        &self,
        receiver: &mut mpsc::UnboundedReceiver<EngineResult<EngineEvent>>,
    ) -> Option<EngineResult<EngineEvent>> {
        loop {
            let changed = self.shared.changed.notified();
            let due = self.now().world.next_event();
            let happens = async {
                match due {
                    Some(at) => self.shared.clock.sleep(at.since(self.shared.clock.now())).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                item = receiver.recv() => return item,
                () = changed => {}
                () = happens => {}
            }
        }
    }
}

impl Inner {
    /// Tells those who watch what there is to tell.
    pub(super) fn deliver(&mut self) {
        if !self.world.watched {
            return;
        }
        self.world.note_healths();
        let told = std::mem::take(&mut self.world.told);
        for event in told {
            if !self.is_lost() {
                self.watchers.senders.retain(|sender| sender.send(Ok(event.clone())).is_ok());
            }
        }
        if !self.world.is_reachable() {
            let lost = || No::unreachable(Sent::MaybeSent, "the connection to the engine was lost").to(CALL, TARGET);
            for sender in self.watchers.senders.drain(..) {
                // Who went away need not be told.
                let _ = sender.send(Err(lost()));
            }
        }
        self.world.watched = !self.watchers.senders.is_empty();
    }

    fn is_lost(&mut self) -> bool {
        self.watchers.events += 1;
        let number = u32::try_from(self.watchers.events % u64::from(u32::MAX)).unwrap_or(0);
        self.world.draw(0, number, 100) < self.watchers.lost_percent
    }
}

impl World {
    /// Of a container: `die webkit-core-1`. One of nobody is nobody's business.
    pub fn tell_of(&mut self, key: Key, action: &str) {
        if !self.watched {
            return;
        }
        let Some(container) = self.containers.get(&key) else { return };
        if let Some(stack) = owner(&super::networks::texts(&container.spec.labels)) {
            let what = format!("{action} {}", container.name);
            self.told.push(EngineEvent { stack: Some(stack), what });
        }
    }

    /// A container came on a network, or went.
    pub fn tell_of_place(&mut self, key: Key, action: &str, network: &NetworkName) {
        if !self.watched {
            return;
        }
        let labels = self.containers.get(&key).map(|container| super::networks::texts(&container.spec.labels));
        if let Some(stack) = labels.as_ref().and_then(owner) {
            self.told.push(EngineEvent { stack: Some(stack), what: format!("{action} {network}") });
        }
    }

    /// Of a network or a volume; one of nobody may be anybody's external one.
    pub fn tell_of_thing(&mut self, labels: &BTreeMap<String, String>, what: String) {
        if self.watched {
            self.told.push(EngineEvent { stack: owner(labels), what });
        }
    }

    /// Tells of health that is another one since it was last noted, while a container runs.
    pub fn note_healths(&mut self) {
        let mut changed = Vec::new();
        for (key, container) in &self.containers {
            let health = container.health(self.now);
            if container.is_paused() {
                // Its health is another one now, and nobody is told.
                self.healths.insert(*key, (container.starts, health));
            }
            if container.running().is_none() || container.is_paused() || health == Health::None {
                continue;
            }
            let before = self.healths.insert(*key, (container.starts, health));
            let before = before.filter(|(start, _)| *start == container.starts).map_or(Health::Starting, |it| it.1);
            if before != health {
                changed.push((*key, health));
            }
        }
        for (key, health) in changed {
            let word = if health == Health::Healthy { "healthy" } else { "unhealthy" };
            self.tell_of(key, &format!("health_status: {word}"));
        }
        let there = &self.containers;
        self.healths.retain(|key, _| there.contains_key(key));
    }

    /// When there may be something to tell next, if nobody does anything.
    pub fn next_event(&self) -> Option<Timestamp> {
        let checks = self.containers.values().filter_map(|container| container.next_check(self.now));
        checks.chain(self.next_due()).min().map(|at| at.max(self.now.plus(Millis(1))))
    }
}

fn owner(labels: &BTreeMap<String, String>) -> Option<StackName> {
    labels.get(compose::PROJECT).or_else(|| labels.get(ours::STACK)).map(StackName::new)
}

//! The stacks that are kept, each with its own loop, and who wakes whom.

use super::{health::Health, tell::Tell, turn::Turn};
use crate::{
    controllers::{Controller, Patience, Wake},
    engine::{EngineEvent, clock::Clock},
    execute::Cancel,
    model::{
        event::{EventKind, Severity},
        names::StackName,
        units::Millis,
    },
    observe::claim_volume,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinHandle;

/// Makes what keeps a stack.
pub trait Enlist: Send + Sync {
    /// Its controller, which rings `wake` by itself, obeys `cancel` and asks for `patience`.
    ///
    /// # Errors
    /// Why the stack can't be kept, as text.
    fn enlist(&self, stack: &StackName, wake: &Wake, patience: &Patience, cancel: &Cancel) -> Result<Enlisted, String>;

    /// Somewhere to tell of a stack that can't be kept.
    fn teller(&self, stack: &StackName) -> Arc<dyn Tell>;
}

/// A stack that is about to be kept.
pub struct Enlisted {
    pub controller: Box<dyn Controller>,
    pub tell: Arc<dyn Tell>,
}

/// All loops of stacks.
pub struct Fleet {
    pub enlist: Box<dyn Enlist>,
    pub clock: Arc<dyn Clock>,
    pub health: Arc<Health>,
    pub cancel: Cancel,
    pub resync: Millis,
    /// Woken when there may be other stacks than before.
    pub finder: Wake,
    pub members: Members,
}

/// Who is in it now.
#[derive(Default)]
pub struct Members(Mutex<All>);

#[derive(Default)]
struct All {
    kept: BTreeMap<StackName, Member>,
    /// Let go, and not at the end of their round yet.
    leaving: BTreeMap<StackName, JoinHandle<()>>,
    /// Stacks that can't be kept, and why.
    refused: BTreeMap<StackName, String>,
}

struct Member {
    wake: Wake,
    cancel: Cancel,
    tell: Arc<dyn Tell>,
    task: JoinHandle<()>,
}

impl Fleet {
    /// Wakes whom an event is about.
    pub fn wake(&self, event: &EngineEvent) {
        let Some(stack) = &event.stack else { return self.wake_all(&event.what) };
        let all = self.lock();
        let member = all.kept.get(stack);
        if let Some(member) = member {
            member.wake.up(event.what.as_str());
        }
        if member.is_none() || event.what.ends_with(claim_volume(stack).as_str()) {
            self.finder.up(event.what.as_str());
        }
    }

    /// Wakes everybody.
    pub fn wake_all(&self, reason: &str) {
        self.finder.up(reason);
        self.lock().kept.values().for_each(|member| member.wake.up(reason));
    }

    /// Tells it of every stack.
    pub async fn tell_all(&self, kind: EventKind, severity: Severity, text: &str) {
        let tellers: Vec<Arc<dyn Tell>> = self.lock().kept.values().map(|member| member.tell.clone()).collect();
        for tell in tellers {
            tell.tell(kind, severity, text.to_owned()).await;
        }
    }

    /// The stacks that are kept.
    pub fn names(&self) -> BTreeSet<StackName> {
        self.lock().kept.keys().cloned().collect()
    }

    /// Keeps these stacks and lets all others go. Gives whether each of them is kept.
    pub async fn keep(&self, wanted: &BTreeSet<StackName>) -> bool {
        self.lock().leaving.retain(|_, task| !task.is_finished());
        self.forget_the_broken().await;
        for name in self.names().difference(wanted) {
            self.let_go(name).await;
        }
        let mut whole = true;
        for name in wanted.difference(&self.names()) {
            whole &= self.take_up(name).await;
        }
        let refused: Vec<StackName> =
            self.lock().refused.keys().filter(|name| !wanted.contains(*name)).cloned().collect();
        for name in refused {
            self.lock().refused.remove(&name);
            self.health.ended(name.as_str());
        }
        whole
    }

    /// A loop that nobody ended has ended by a fault of its own; it is begun anew with those that are wanted.
    async fn forget_the_broken(&self) {
        if self.cancel.gently.is_cancelled() {
            return;
        }
        let is_broken = |member: &Member| member.task.is_finished() && !member.cancel.gently.is_cancelled();
        let broken: Vec<StackName> =
            self.lock().kept.iter().filter(|(_, member)| is_broken(member)).map(|(name, _)| name.clone()).collect();
        for name in broken {
            let Some(member) = self.lock().kept.remove(&name) else { continue };
            let text = "its loop broke off, which is a fault of evenkeel; it is begun anew".to_owned();
            member.tell.tell(EventKind::Warning, Severity::Error, text).await;
        }
    }

    async fn let_go(&self, name: &StackName) {
        let Some(member) = self.lock().kept.remove(name) else { return };
        member.cancel.gently.cancel();
        self.lock().leaving.insert(name.clone(), member.task);
        member.tell.tell(EventKind::KeepEnded, Severity::Info, "no longer kept: the stack was let go".to_owned()).await;
    }

    async fn take_up(&self, name: &StackName) -> bool {
        if self.lock().leaving.contains_key(name) {
            return false;
        }
        let (wake, patience) = (Wake::default(), Patience::default());
        let cancel = Cancel { gently: self.cancel.gently.child_token(), now: self.cancel.now.child_token() };
        let Enlisted { controller, tell } = match self.enlist.enlist(name, &wake, &patience, &cancel) {
            Ok(enlisted) => enlisted,
            Err(why) => {
                self.refuse(name, why).await;
                return false;
            }
        };
        self.lock().refused.remove(name);
        self.health.is_well(name.as_str());
        tell.tell(EventKind::KeepStarted, Severity::Info, "kept from now on".to_owned()).await;
        let turn = Turn {
            name: name.to_string(),
            wake: wake.clone(),
            patience,
            resync: self.resync,
            clock: self.clock.clone(),
            cancel: cancel.clone(),
            health: self.health.clone(),
            tell: tell.clone(),
        };
        let finder = self.finder.clone();
        let task = tokio::task::spawn_local(async move {
            turn.run(controller).await;
            // If it is wanted again, it could not be taken up before.
            finder.up("a loop ended");
        });
        self.lock().kept.insert(name.clone(), Member { wake, cancel, tell, task });
        true
    }

    /// Told once while the reason stays the same.
    async fn refuse(&self, name: &StackName, why: String) {
        self.health.fails(name.as_str(), &why);
        let before = self.lock().refused.insert(name.clone(), why.clone());
        if before.as_ref() != Some(&why) {
            self.enlist.teller(name).tell(EventKind::Warning, Severity::Error, why).await;
        }
    }

    /// Waits until every loop has ended, after it was cancelled.
    pub async fn ended(&self) {
        let (kept, leaving) = {
            let mut all = self.lock();
            (std::mem::take(&mut all.kept), std::mem::take(&mut all.leaving))
        };
        for (_, member) in kept {
            // A loop that panicked has told so itself.
            let _ = member.task.await;
            member.tell.tell(EventKind::KeepEnded, Severity::Info, "no longer kept: evenkeel ends".to_owned()).await;
        }
        for (_, task) in leaving {
            let _ = task.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.members.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

//! `run`: the current revision is kept. One round is what the later rounds of an apply are; what may be done with nobody
//! looking, and how often, is in the plan. Nothing is remembered here that a restart would miss: what was told already,
//! so that it is told once, and what the probes count, which they begin anew.

use super::{
    BuildWish, Request, Stack, StackError,
    apply::Applied,
    journal::Record,
    liveness::Liveness,
    round::{Aim, LOOKING, Round},
};
use crate::{
    controllers::{Controller, ControllerError, EngineSince, Manifest, Requeue, Wake},
    home::{Holder, Home, LockError, LockGuard},
    model::{
        desired::{Desired, Overrides},
        event::{EventKind, Severity},
        names::{Resource, ServiceName},
        observed::Observed,
        outcome::{Outcome, RolloutResult},
        plan::{Change, CurrentRevision, Facts, Held, Note, Plan, Purpose, Reason},
        policy::OnFailure,
        revision::{Hold, Origin, ServiceRecord, Suspension, SuspensionKind},
        step::Does,
        units::{Millis, Timestamp},
    },
    observe::PullWish,
    plan::{budget_of, is_spent, needs, spent},
};
use async_trait::async_trait;
use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// While somebody else holds the lock, or waits for it, it is looked at so often.
const LOCK_POLL: Millis = Millis(500);
/// While a round goes on, it is looked for other repairs at most so often.
const LOOKS_APART: Millis = Millis::seconds(1);
/// A manifest must stay as it is for so long before it is taken: an editor or a copy may be half way through.
const STILL: Millis = Millis::seconds(1);
/// A manifest that was refused as a whole is tried again after so long.
const REFUSED: Millis = Millis::minutes(1);

/// What keeping a stack takes beside the stack.
pub struct KeepOptions {
    /// Who acts, in revisions and events.
    pub origin: Origin,
    /// No liveness restart for so long after evenkeel or the engine started.
    pub settle: Millis,
    /// Taken over as it changes; without one the current revision is all there is.
    pub manifest: Option<Arc<dyn Manifest>>,
    /// Rung when a probe finds something.
    pub wake: Wake,
    pub engine_since: EngineSince,
}

/// Keeps one stack.
pub struct Keeper {
    stack: Stack,
    options: KeepOptions,
    liveness: Liveness,
    told: Told,
    following: Following,
    /// Something was done in the round before: what it proved is to be put on record.
    acted: bool,
}

/// What was told, so that it is not told again while it stays the same.
#[derive(Default)]
struct Told {
    /// Of the current revision.
    held: Vec<Held>,
    /// Of the manifest when it was taken over.
    declared: Vec<Held>,
    /// What refused all of it.
    refusals: Vec<Held>,
    refused: Option<String>,
    unwritable: bool,
}

/// What persons want of services: what they paused or stopped, and what they rolled back.
type Wanted = (BTreeMap<ServiceName, Suspension>, BTreeMap<ServiceName, Hold>);

/// Where the manifest that is followed stands.
#[derive(Default)]
struct Following {
    /// Seen, and since when, as the clock's `elapsed`.
    seen: Option<(String, Millis)>,
    /// Taken.
    taken: Option<String>,
    /// When time alone lets more of it be done.
    again: Option<Timestamp>,
    /// What persons wanted when it was taken: with another word of theirs more of it may be done.
    wanted: Option<Wanted>,
}

/// What following or keeping came to: when to look again.
fn earliest(times: impl IntoIterator<Item = Option<Timestamp>>) -> Requeue {
    times.into_iter().flatten().min().map_or(Requeue::Idle, Requeue::At)
}

impl Keeper {
    /// A keeper of this stack.
    pub fn new(stack: Stack, options: KeepOptions) -> Keeper {
        let liveness = Liveness::new(stack.prober.clone(), stack.clock.clone(), options.wake.clone());
        Keeper { stack, options, liveness, told: Told::default(), following: Following::default(), acted: false }
    }

    /// One round.
    async fn round(&mut self) -> Result<Requeue, StackError> {
        self.stack.be_patient(LOOKING);
        let home = self.home().await?;
        let followed = match self.options.manifest.clone() {
            Some(manifest) => self.follow(&home, manifest.as_ref()).await,
            None => Ok(None),
        };
        // A manifest that can't be applied stops no repair.
        let kept = self.keep(&home).await?;
        let followed = followed?;
        Ok(match kept {
            Requeue::Now => Requeue::Now,
            Requeue::At(at) => earliest([Some(at), followed]),
            Requeue::Idle => earliest([followed]),
        })
    }

    /// The home; one whose files are gone is begun anew.
    async fn home(&mut self) -> Result<Arc<Home>, StackError> {
        let home = self.stack.home.clone().ok_or_else(|| StackError::NoHome(self.stack.name.clone()))?;
        let Some(new) = home.reopened()? else { return Ok(home) };
        let home = Arc::new(new);
        self.stack.home = Some(home.clone());
        Ok(home)
    }

    /// Takes over the manifest, where it changed and is whole. Gives when to look again.
    async fn follow(&mut self, home: &Arc<Home>, manifest: &dyn Manifest) -> Result<Option<Timestamp>, StackError> {
        let now = self.stack.clock.now();
        let in_force = home.overrides_in_force()?;
        let loaded = manifest.load(&in_force).and_then(|(desired, notes)| match desired.stack == self.stack.name {
            true => Ok((desired, notes)),
            false => Err(format!("it declares the stack `{}` now", desired.stack)),
        });
        let (desired, notes) = match loaded {
            Ok(loaded) => loaded,
            Err(fault) => {
                self.following.seen = None;
                if self.told.refused.as_ref() != Some(&fault) {
                    let text = format!("the manifest is wrong, and nothing is changed: {fault}");
                    self.tell(EventKind::ManifestRefused, Severity::Error, text).await;
                    self.told.refused = Some(fault);
                }
                return Ok(None);
            }
        };
        self.told.refused = None;
        let hash = desired.source.manifest_hash.clone();
        let Facts { suspensions, holds, .. } = home.facts()?;
        let wanted = Some((suspensions, holds));
        let due = self.following.again.is_some_and(|again| now >= again)
            || !self.told.declared.is_empty() && self.following.wanted != wanted;
        if self.following.taken.as_ref() == Some(&hash) && !due {
            return Ok(self.following.again);
        }
        let elapsed = self.stack.clock.elapsed();
        let since = match &self.following.seen {
            Some((seen, since)) if *seen == hash => *since,
            _ => elapsed,
        };
        let left = STILL.0.saturating_sub(elapsed.0 - since.0);
        self.following.seen = Some((hash.clone(), since));
        if left > 0 {
            return Ok(Some(now.plus(Millis(left))));
        }
        let known = home.current()?.is_some_and(|current| current.desired.source.manifest_hash == hash);
        let first_look = self.following.taken.is_none();
        let mut request = self.request(desired, notes);
        if known && first_look && !due {
            // It was taken before this process began, and what was held of it then waits still. Newer images are no part of
            // that.
            request.pull = PullWish::Keep;
            let plan = self.stack.diff(&request).await?;
            if plan.steps.is_empty() {
                self.following.wanted = wanted;
                return Ok(self.taken(hash, plan.held, plan.changes_at).await);
            }
        }
        match self.stack.apply(&request).await {
            Ok(Applied { changes_at, held, .. }) => {
                if held.iter().all(|held| held.code.stops_everything().is_none()) {
                    self.acted = true;
                    self.liveness.begin_anew();
                }
                self.following.wanted = wanted;
                Ok(self.taken(hash, held, changes_at).await)
            }
            Err(StackError::Locked(LockError::Held { .. }) | StackError::Overtaken) => Ok(Some(now.plus(LOCK_POLL))),
            Err(error) => Err(error),
        }
    }

    /// What is declared was taken over, as far as it is not held. Gives when to look again: what refuses all of it is of the
    /// engine or of its host, and may be put right there without a change of the manifest.
    async fn taken(&mut self, hash: String, held: Vec<Held>, changes_at: Option<Timestamp>) -> Option<Timestamp> {
        let (refusals, held): (Vec<Held>, Vec<Held>) =
            held.into_iter().partition(|held| held.code.stops_everything().is_some());
        for held in refusals.iter().filter(|held| !self.told.refusals.contains(held)) {
            let text = format!("nothing is changed: {}: {}; {}", held.resource, held.reason, held.hint);
            self.tell(EventKind::ManifestRefused, Severity::Error, text).await;
        }
        self.tell_held(&held).await;
        let refused = (!refusals.is_empty()).then(|| self.stack.clock.now().plus(REFUSED));
        (self.told.declared, self.told.refusals) = (held, refusals);
        self.following.taken = Some(hash);
        self.following.again = changes_at.into_iter().chain(refused).min();
        self.following.again
    }

    fn request(&self, desired: Desired, notes: Vec<Note>) -> Request {
        let origin = self.options.origin.clone();
        let reason = origin.reason.or_else(|| Some("the manifest that is followed".to_owned()));
        Request {
            desired: desired.into(),
            overrides: Overrides::default(),
            unset: Vec::new(),
            notes,
            selected: None,
            pull: PullWish::ByPolicy,
            build: BuildWish::Needed,
            origin: Origin { reason, ..self.options.origin.clone() },
            lock_wait: Millis(0),
            yes: false,
            new_stack: false,
            saved: None,
            unattended: true,
        }
    }

    /// Keeps the current revision.
    async fn keep(&mut self, home: &Arc<Home>) -> Result<Requeue, StackError> {
        let now = self.stack.clock.now();
        let Some(current) = self.current(home).await? else { return Ok(Requeue::Idle) };
        let ended = self.end_suspensions(home, now).await;
        self.without_a_record(ended).await?;
        if let Err(error) = home.put_copies(&current.desired) {
            let text = format!("copies of files can't be written, repairs go on without them: {error}");
            self.warn_of_home(text).await;
        }
        let (round, settled) = self.look(&current).await?;
        self.tell_held(&round.plan.held).await;
        self.told.held.clone_from(&round.plan.held);
        if round.plan.steps.is_empty() {
            if std::mem::take(&mut self.acted) {
                let recorded = self.stack.all_good(home, &round, &Applied::default());
                self.without_a_record(recorded).await?;
            }
            return Ok(earliest([round.plan.changes_at, settled, self.next_end(home, now)?]));
        }
        if home.is_awaited().unwrap_or(false) {
            return Ok(Requeue::At(now.plus(LOCK_POLL)));
        }
        let _lock = match self.lock(home).await? {
            Some(lock) => lock,
            None => {
                self.liveness.begin_anew();
                return Ok(Requeue::At(now.plus(LOCK_POLL)));
            }
        };
        // Only what is seen under the lock is acted on: somebody may have been at work until now. A round can last for
        // minutes, and so long the first look would be kept beside the second.
        drop((round, current));
        let Some(current) = home.facts()?.current else { return Ok(Requeue::Now) };
        let (round, _) = self.look(&current).await?;
        if !round.plan.steps.is_empty() {
            self.act(home, &current, round).await?;
        }
        Ok(Requeue::Now)
    }

    /// The lock; `None` when somebody has it. A home that can't be written stops no repair, for none of those who could act
    /// beside it gets the lock; whoever may write it all the same is seen. Any other trouble may be ours alone.
    async fn lock(&mut self, home: &Arc<Home>) -> Result<Option<Option<LockGuard>>, StackError> {
        let holder = Holder { actor: self.options.origin.actor.clone(), doing: "keep the current revision".into() };
        match home.lock(holder, Millis(0), self.stack.clock.as_ref()).await {
            Ok(lock) => {
                self.told.unwritable = false;
                Ok(Some(Some(lock)))
            }
            Err(LockError::Held { .. }) => Ok(None),
            Err(LockError::Home(error)) if error.forbids_writing() => {
                if home.holder()?.is_some() {
                    return Ok(None);
                }
                self.warn_of_home(format!("the home can't be written, repairs go on without it: {error}")).await;
                Ok(Some(None))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A home that can't be written is no reason to stop.
    async fn without_a_record(&mut self, recorded: Result<(), StackError>) -> Result<(), StackError> {
        match recorded {
            Err(StackError::Home(error)) if error.forbids_writing() => {
                self.warn_of_home(format!("the home can't be written, repairs go on without it: {error}")).await;
                Ok(())
            }
            recorded => recorded,
        }
    }

    async fn warn_of_home(&mut self, text: String) {
        if !std::mem::replace(&mut self.told.unwritable, true) {
            self.tell(EventKind::Warning, Severity::Warning, text).await;
        }
    }

    /// Observes and plans. Gives when liveness begins to count, too, where it does not yet.
    async fn look(&mut self, current: &CurrentRevision) -> Result<(Round, Option<Timestamp>), StackError> {
        let observed = self.stack.look(&current.desired).await?;
        let facts = self.stack.facts(&observed)?;
        let found = self.liveness.watch(&current.desired, &observed, &facts.started);
        self.remember_started(&observed, &facts).await?;
        self.tell_unwell(found).await;
        let (since, now) = (self.options.engine_since.since(), self.stack.clock.now());
        let settled = since.plus(self.options.settle);
        let unwell = self.liveness.unwell();
        // The clock may have been set back: what was to come long after is not waited for.
        let waits = !unwell.is_empty() && (since..settled).contains(&now);
        let mut aim = Aim::of(current.desired.clone(), Purpose::Keep);
        if !waits {
            aim.unwell = unwell;
        }
        Ok((self.stack.round_from(&aim, facts, observed).await?, waits.then_some(settled)))
    }

    async fn remember_started(&mut self, observed: &Observed, facts: &Facts) -> Result<(), StackError> {
        let Some(home) = self.stack.home.clone() else { return Ok(()) };
        for (container, since) in self.liveness.newly_started(observed, &facts.started) {
            let recorded = home.started(&container, since).map_err(StackError::from);
            self.without_a_record(recorded).await?;
        }
        Ok(())
    }

    async fn act(&mut self, home: &Arc<Home>, current: &CurrentRevision, mut round: Round) -> Result<(), StackError> {
        self.acted = true;
        // The plan is all that is needed from here on, and as large as the stack is what was seen.
        self.stack.claim(&std::mem::take(&mut round.observed)).await?;
        let facts = home.facts()?;
        for change in &round.plan.changes {
            self.tell_drift(change, &facts).await;
        }
        let now = self.stack.clock.now();
        let spends: BTreeSet<&ServiceName> = round.plan.rollouts.iter().flat_map(|rollout| &rollout.spends).collect();
        for service in &spends {
            self.spend(home, &facts, &current.desired, service, now).await;
        }
        let records = home.current_records()?.map(|(_, records)| records).unwrap_or_default();
        let is_good = |name: &ServiceName| records.get(name) == Some(&ServiceRecord::Good);
        let journal = Arc::new(Record {
            home: home.clone(),
            clock: self.stack.clock.clone(),
            base: Some(current.number),
            rollback_stack: current.desired.policy.on_failure == OnFailure::RollbackStack,
            by: self.options.origin.clone(),
        });
        let make_room = CancellationToken::new();
        let outcome = tokio::select! {
            biased;
            outcome = self.stack.act(&round, journal, Some(current.number), make_room.clone()) => outcome,
            never = self.watch_for_others(home, current, &round.plan, &make_room) => match never {},
        };
        self.liveness.begin_anew();
        // What has passed its gates before is repaired again, ever later; it is not given up for one bad moment. That this
        // process ends is no failure of it.
        let spent = |name: &ServiceName| spends.contains(name) || outcome.interrupted;
        for name in failed(&round.plan, &outcome) {
            if is_good(name) && home.clear_failed(name).is_ok() && !spent(name) {
                self.spend(home, &facts, &current.desired, name, now).await;
            }
        }
        self.stack.keep_images(None).await;
        if round.plan.steps.iter().any(|step| matches!(step.does, Does::Create(_))) && !outcome.interrupted {
            let (now, _) = self.look(current).await?;
            self.stack.record_not_held(home, &round, &now).await?;
        }
        Ok(())
    }

    /// Lets a round end early, for a gate can take minutes: when something is to be repaired that it does not touch and that
    /// stands on nothing of it, and when an apply waits for the lock.
    async fn watch_for_others(
        &self,
        home: &Home,
        current: &CurrentRevision,
        plan: &Plan,
        make_room: &CancellationToken,
    ) -> Infallible {
        let busy: BTreeSet<&ServiceName> = plan.rollouts.iter().flat_map(|rollout| &rollout.members).collect();
        let clock = &self.stack.clock;
        loop {
            let is_rung = tokio::select! {
                biased;
                () = self.options.wake.woken() => true,
                () = clock.sleep(LOCK_POLL) => false,
            };
            if home.is_awaited().unwrap_or(false) || is_rung && self.has_others(current, &busy).await {
                make_room.cancel();
            }
            if is_rung {
                clock.sleep(LOOKS_APART).await;
            }
        }
    }

    /// Whether something beside these is to be repaired. What can't be looked at now, the next round looks at.
    async fn has_others(&self, current: &CurrentRevision, busy: &BTreeSet<&ServiceName>) -> bool {
        let aim = Aim::of(current.desired.clone(), Purpose::Keep);
        let Ok(observed) = self.stack.look(&current.desired).await else { return false };
        let Ok(facts) = self.stack.facts(&observed) else { return false };
        let Ok(round) = self.stack.round_from(&aim, facts, observed).await else { return false };
        let is_free = |name: &ServiceName| {
            !busy.contains(name) && needs(&current.desired, name).iter().all(|needed| !busy.contains(needed))
        };
        round.plan.rollouts.iter().any(|rollout| rollout.members.iter().all(is_free))
    }

    /// Counts one more restart of a service against its budget, and says when that is spent.
    async fn spend(&self, home: &Home, facts: &Facts, desired: &Desired, name: &ServiceName, now: Timestamp) {
        let Some(service) = desired.services.get(name) else { return };
        let (budget, before) = (budget_of(service), facts.restarts.get(name).cloned().unwrap_or_default());
        let after = spent(&before, budget, now);
        let recorded = home.set_restarts(name, &after);
        if let Err(error) = recorded {
            self.tell(EventKind::Warning, Severity::Warning, format!("not on record: {error}")).await;
        }
        if after.over == 0 && is_spent(&after, budget, now) {
            let text = format!(
                "{name} was restarted {} times within {}: from now on each attempt waits longer, up to 5m; \
                 `docker compose logs {name}` shows why",
                after.times.len(),
                budget.per
            );
            let mut event = self.stack.event(EventKind::BudgetSpent, Severity::Error, text);
            event.service = Some(name.clone());
            self.stack.tell(event).await;
        }
    }

    /// The current revision; where there is none but the stack runs, one is made from what runs.
    async fn current(&mut self, home: &Arc<Home>) -> Result<Option<CurrentRevision>, StackError> {
        if let Some(current) = home.facts()?.current {
            return Ok(Some(current));
        }
        let Some(Some(_lock)) = self.lock(home).await? else { return Ok(None) };
        if home.facts()?.current.is_none() {
            self.stack.rebuild(home, &self.options.origin).await?;
        }
        Ok(home.facts()?.current)
    }

    /// Ends what a person wanted for a time that is over.
    async fn end_suspensions(&self, home: &Home, now: Timestamp) -> Result<(), StackError> {
        for (name, suspension) in home.facts()?.suspensions {
            if suspension.holds(now) {
                continue;
            }
            // Somebody may have said something else meanwhile.
            if !home.end_this_suspension(&name, &suspension)? {
                continue;
            }
            let what = match suspension.kind {
                SuspensionKind::Paused => "pause",
                SuspensionKind::Stopped => "stop",
            };
            let why = suspension.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let text = format!("the {what} by {} is over{why}", suspension.actor);
            let mut event = self.stack.event(EventKind::Resumed, Severity::Info, text);
            event.service = Some(name);
            self.stack.tell(event).await;
        }
        Ok(())
    }

    /// When the next thing ends that a person wanted for a time. One that is over stays where it can't be struck out.
    fn next_end(&self, home: &Home, now: Timestamp) -> Result<Option<Timestamp>, StackError> {
        let ends = home.facts()?.suspensions.into_values().filter_map(|suspension| suspension.until);
        Ok(ends.filter(|end| *end > now).min())
    }

    async fn tell(&self, kind: EventKind, severity: Severity, text: String) {
        self.stack.tell(self.stack.event(kind, severity, text)).await;
    }

    async fn tell_unwell(&self, found: BTreeMap<ServiceName, String>) {
        for (service, text) in found {
            let mut event = self.stack.event(EventKind::LivenessFailed, Severity::Warning, text);
            event.service = Some(service);
            self.stack.tell(event).await;
        }
    }

    async fn tell_drift(&self, change: &Change, facts: &Facts) {
        let service = match &change.resource {
            Resource::Service(name) => Some(name.clone()),
            _ => None,
        };
        let mut text = format!("{}: {}{}", change.resource, change.reason, told_of(change));
        let mut severity = Severity::Warning;
        match (&change.resource, change.reason) {
            (Resource::Service(name), Reason::NotRunning) => {
                text.push_str(&format!("; it is started again, `evenkeel stop {name}` keeps it stopped"));
            }
            (Resource::Service(name), Reason::Missing) => {
                text.push_str(&format!("; it is made again, `evenkeel stop {name}` keeps it stopped"));
            }
            (Resource::Service(name), Reason::Stopped) => {
                let by =
                    facts.suspensions.get(name).map(|one| format!(" {} wants that;", one.actor)).unwrap_or_default();
                text.push_str(&format!(";{by} `evenkeel start {name}` lets it run"));
            }
            (Resource::Volume(_), Reason::Missing) => {
                severity = Severity::Error;
                text.push_str("; an empty one is made, and what it held is to be restored from a backup");
            }
            _ => {}
        }
        let mut event = self.stack.event(EventKind::DriftFound, severity, text);
        event.service = service;
        self.stack.tell(event).await;
    }

    /// Tells what is newly held back.
    async fn tell_held(&self, held: &[Held]) {
        let is_new = |held: &&Held| !self.told.held.contains(held) && !self.told.declared.contains(held);
        for held in held.iter().filter(is_new) {
            let text = format!("{} is held: {}: {}; {}", held.resource, held.code, held.reason, held.hint);
            self.tell(EventKind::Warning, Severity::Warning, text).await;
        }
    }
}

/// What of it differs, as the end of a sentence.
fn told_of(change: &Change) -> String {
    match change.reason {
        // All of it.
        Reason::Missing => String::new(),
        Reason::Renamed => {
            let names = change.fields.iter().filter_map(|field| field.from.as_ref()).map(|name| format!(" `{name}`"));
            names.collect()
        }
        _ if change.fields.is_empty() => String::new(),
        _ => format!(": {}", change.fields.iter().map(|field| field.path.as_str()).collect::<Vec<_>>().join(", ")),
    }
}

fn failed<'p>(plan: &'p Plan, outcome: &Outcome) -> Vec<&'p ServiceName> {
    let has_failed = |id: &str| {
        outcome.rollouts.iter().any(|one| one.id == id && matches!(one.result, RolloutResult::Failed { .. }))
    };
    plan.rollouts.iter().filter(|rollout| has_failed(&rollout.id)).flat_map(|rollout| &rollout.members).collect()
}

#[async_trait(?Send)]
impl Controller for Keeper {
    async fn reconcile(&mut self) -> Result<Requeue, ControllerError> {
        Ok(self.round().await?)
    }
}

//! `apply`: rounds until the engine is as desired, at most five. When a rollout fails, the rounds that follow converge to
//! the revision that the failure made current, so going back is the same way as going forward.

use super::{
    Stack, StackError,
    bookkeeping::Tags,
    build::{self, BuildWish},
    journal::Record,
    round::{Aim, Round, images_of_good},
    saved::SavedPlan,
};
use crate::{
    home::{Holder, Home, NewRevision},
    model::{
        desired::{Desired, Overrides, Service, desired_hash},
        event::{EventKind, Severity},
        image::Images,
        names::{DesiredHash, ImageId, ImageReference, Resource, ServiceName, StepId},
        observed::Observed,
        outcome::{AfterFailure, Outcome, RolloutResult},
        plan::{Action, CurrentRevision, Facts, Held, HeldCode, Note, Plan, Purpose, Reason, SavedContext},
        policy::OnFailure,
        revision::{Hold, Origin},
        units::{Millis, Timestamp},
    },
    observe::PullWish,
    plan::{as_it_runs, merged},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// At most so many rounds.
const ROUNDS_MAX: usize = 5;

/// What the user asks for.
#[derive(Clone)]
pub struct Request {
    /// As loaded, with the overrides in force.
    pub desired: Arc<Desired>,
    /// The overrides that were given, and what was named to be in force no more: `desired` has them already.
    pub overrides: Overrides,
    pub unset: Vec<String>,
    /// What loading had to say.
    pub notes: Vec<Note>,
    /// The services named; `None`: all.
    pub selected: Option<BTreeSet<ServiceName>>,
    pub pull: PullWish,
    pub build: BuildWish,
    pub origin: Origin,
    /// How long to wait for another apply.
    pub lock_wait: Millis,
    pub yes: bool,
    /// A second stack from the same files, on purpose.
    pub new_stack: bool,
    /// Apply exactly this.
    pub saved: Option<SavedPlan>,
    /// Nobody looks: what failed before is not tried again.
    pub unattended: bool,
}

/// What an apply came to.
#[derive(Debug, Default)]
pub struct Applied {
    /// The exit code.
    pub exit: u8,
    /// The revision that is current now.
    pub revision: Option<u64>,
    pub rounds: Vec<(Plan, Outcome)>,
    pub held: Vec<Held>,
    pub notes: Vec<Note>,
    /// What is still to be done, in words.
    pub left: Vec<String>,
    /// When time alone lets more be done: a window opens, a pause ends.
    pub changes_at: Option<Timestamp>,
    /// `8 adopted untouched · 1 in place · 2 replaced`, at the first apply of what ran before.
    pub adopted: Option<String>,
    /// `leave` let the stack go.
    pub let_go: bool,
    /// What `pause`, `resume`, `stop` and `start` did.
    pub suspended: Vec<super::Suspended>,
}

/// What rounds converge to, and under which revision.
pub(super) struct Course {
    pub aim: Aim,
    pub origin: Origin,
    /// The revision that was current before.
    pub base: Option<u64>,
    /// Whether a failure is taken back; a rollback is not.
    pub is_rollback: bool,
    /// One round only, and what is left is said.
    pub one_round: bool,
}

impl Stack {
    /// What an apply of this request would do. Writes nothing, claims nothing, needs no home.
    pub async fn diff(&self, request: &Request) -> Result<Plan, StackError> {
        self.check_names(request)?;
        let observed = self.look(&request.desired).await?;
        let facts = self.facts(&observed)?;
        let mut aim = self.aim(request, &facts);
        aim.unbuilt = true;
        let round = self.round_from(&aim, facts, observed).await?;
        let mut plan = round.plan;
        plan.notes.extend(build::notes(&aim, &self.to_build(&aim, &request.build, &round.images)));
        plan.notes.extend(request.notes.iter().cloned());
        Ok(plan)
    }

    /// Makes it so.
    pub async fn apply(&self, request: &Request) -> Result<Applied, StackError> {
        self.check_names(request)?;
        let home = self.home.clone().ok_or_else(|| StackError::NoHome(self.name.clone()))?;
        let what = super::named("apply", request.selected.as_ref());
        let holder = Holder { actor: request.origin.actor.clone(), doing: what.clone() };
        let _lock = home.lock(holder, request.lock_wait, self.clock.as_ref()).await?;
        // Most applies change nothing, and are done sooner when the tags are known by then.
        let (seen, tags) = futures::join!(self.look_and_remember(&request.desired), self.engine.list_tags());
        let (observed, facts) = seen?;
        if is_overtaken(request, &facts) {
            return Err(StackError::Overtaken);
        }
        let mut aim = self.aim(request, &facts);
        if !request.unattended {
            self.build_needed(&mut aim, request, &facts, &observed).await?;
        }
        let mut round = self.round_from(&aim, facts.clone(), observed).await?;
        // As `diff` has them, or no saved plan would be this one.
        round.plan.notes.extend(request.notes.iter().cloned());
        if let Some(why) = request.saved.as_ref().and_then(|saved| saved.differs_from(&round.plan)) {
            return Err(StackError::Stale { why, now: Box::new(round.plan) });
        }
        let round = if request.saved.is_some() { self.as_of_now(&aim, &facts, round).await? } else { round };
        let mut applied = Applied { notes: round.plan.notes.clone(), ..Applied::default() };
        if let Some(exit) = refused(&round.plan) {
            return Ok(Applied { exit, held: round.plan.held, revision: facts.current.map(|c| c.number), ..applied });
        }
        self.begin(&what, &request.origin).await;
        let base = self.first_revision(&home, &facts, &round, request, &mut applied).await?;
        self.accept(&home, &facts, &round, request, &what).await?;
        let course = Course {
            aim,
            origin: request.origin.clone(),
            base,
            is_rollback: false,
            one_round: request.saved.is_some(),
        };
        if let Some(current) = &facts.current {
            // What was lost of them is there again, though nothing else is to be done.
            home.put_copies(&current.desired)?;
        }
        // The images that are here are kept from pruning meanwhile: also those of an apply that is killed.
        let (converged, tags) =
            futures::join!(self.converge(&home, course, round, &mut applied), self.tag_images(tags.ok()));
        converged?;
        let tags = tags.filter(|_| applied.rounds.is_empty());
        self.finish(&home, &mut applied, tags).await?;
        Ok(applied)
    }

    /// A saved plan is made again as of its own time. What a window that has closed since forbids is held all the same, and
    /// what one that has opened since allows was not reviewed.
    async fn as_of_now(&self, aim: &Aim, facts: &Facts, reviewed: Round) -> Result<Round, StackError> {
        let saved = aim.saved.clone().map(|saved| SavedContext { time: self.clock.now(), ..saved });
        let now = self.round_from(&Aim { saved, ..aim.clone() }, facts.clone(), reviewed.observed.clone()).await?;
        let closed = |plan: &Plan| -> BTreeSet<String> {
            let closed = plan.held.iter().filter(|held| held.code == HeldCode::OutsideWindow);
            closed.map(|held| held.resource.to_string()).collect()
        };
        let (then, by_now) = (closed(&reviewed.plan), closed(&now.plan));
        if by_now.is_subset(&then) {
            return Ok(reviewed);
        }
        match then.difference(&by_now).next() {
            None => Ok(now),
            Some(opened) => Err(StackError::Stale {
                why: format!("the window of {opened} has opened since, and that of another service has closed"),
                now: Box::new(now.plan),
            }),
        }
    }

    /// Builds what has to be there before there can be a plan, and lets the aim take it as it is now.
    async fn build_needed(
        &self,
        aim: &mut Aim,
        request: &Request,
        facts: &Facts,
        observed: &Observed,
    ) -> Result<(), StackError> {
        if aim.desired.services.values().all(|service| service.build.is_none()) {
            return Ok(());
        }
        let good = facts.current.as_ref().map(|current| images_of_good(current, &facts.not_started));
        let images = self.resolved(aim, observed, &good.unwrap_or_default()).await?.images;
        let wanted = self.to_build(aim, &request.build, &images);
        if wanted.is_empty() {
            return Ok(());
        }
        let image = |name: &ServiceName| aim.desired.services.get(name).map(|service| service.container.image.clone());
        let built: BTreeSet<_> = wanted.iter().filter_map(image).collect();
        self.build(aim, wanted).await?;
        aim.built = built;
        Ok(())
    }

    fn check_names(&self, request: &Request) -> Result<(), StackError> {
        let unknown = |name: &&ServiceName| !request.desired.services.contains_key(*name);
        let built = match &request.build {
            BuildWish::Services(names) => Some(names),
            BuildWish::Needed | BuildWish::All => None,
        };
        let pulled = match &request.pull {
            PullWish::Services(names) => Some(names),
            PullWish::Keep | PullWish::ByPolicy | PullWish::All => None,
        };
        let named = request.selected.iter().chain(built).chain(pulled).flatten();
        if let Some(name) = named.into_iter().find(unknown) {
            return Err(StackError::no_service(name, request.desired.services.keys()));
        }
        let without = |name: &&ServiceName| request.desired.services[*name].build.is_none();
        match built.into_iter().flatten().find(without) {
            Some(name) => Err(StackError::NoBuild(name.clone())),
            None => Ok(()),
        }
    }

    fn aim(&self, request: &Request, facts: &Facts) -> Aim {
        let saved = request.saved.as_ref().map(|saved| saved.context.clone());
        let selected = match &saved {
            Some(saved) => saved.selected.clone(),
            None => request.selected.clone(),
        };
        let (desired, dropped) = match (&selected, &facts.current) {
            (Some(named), Some(current)) => {
                let is_dropped = |name: &&ServiceName| !request.desired.services.contains_key(*name);
                let dropped = current.desired.services.keys().filter(is_dropped).cloned().collect();
                (Arc::new(merged(&request.desired, &current.desired, named)), dropped)
            }
            _ => (request.desired.clone(), BTreeSet::new()),
        };
        let purpose = if request.unattended { Purpose::Follow } else { Purpose::Apply };
        let aim = Aim::of(desired, purpose);
        let (pull, yes, second_stack) = (request.pull.clone(), request.yes, request.new_stack);
        Aim { selected, dropped, pull, yes, second_stack, saved, ..aim }
    }

    /// Revision 0, where something of ours runs and no revision says so. Gives the revision current before this apply.
    async fn first_revision(
        &self,
        home: &Arc<Home>,
        facts: &Facts,
        round: &Round,
        request: &Request,
        applied: &mut Applied,
    ) -> Result<Option<u64>, StackError> {
        if let Some(current) = &facts.current {
            return Ok(Some(current.number));
        }
        let (desired, images) = as_it_runs(&round.desired, &round.observed);
        if desired.services.is_empty() {
            return Ok(None);
        }
        applied.adopted = Some(adopted_sentence(&desired, &round.plan));
        let hashes = hashes(&desired, &images);
        home.adopt(NewRevision {
            made: self.clock.now(),
            by: request.origin.clone(),
            reason: "adopted".into(),
            desired,
            images,
            hashes,
            hold: BTreeMap::new(),
            release: BTreeSet::new(),
        })?;
        if let Some(sentence) = &applied.adopted {
            self.tell(self.event(EventKind::Adopted, Severity::Info, sentence.clone())).await;
        }
        Ok(Some(0))
    }

    /// Makes the declared state current, where it differs from the current revision's, before the first step.
    async fn accept(
        &self,
        home: &Arc<Home>,
        facts: &Facts,
        round: &Round,
        request: &Request,
        what: &str,
    ) -> Result<(), StackError> {
        let (desired, images) = accepted(facts.current.as_ref(), round);
        if facts.current.as_ref().is_some_and(|current| declares_the_same(current, &desired, &images)) {
            for name in ended_holds(facts, &desired, &images, &round.plan) {
                home.clear_hold(&name)?;
            }
            return Ok(());
        }
        let round = &Round { desired, images, ..round.clone() };
        self.make_current(home, facts, round, request.origin.clone(), what.to_owned(), BTreeMap::new()).await
    }

    /// Claims the stack and makes a round's desired state current.
    pub(super) async fn make_current(
        &self,
        home: &Arc<Home>,
        facts: &Facts,
        round: &Round,
        by: Origin,
        reason: String,
        hold: BTreeMap<ServiceName, Hold>,
    ) -> Result<(), StackError> {
        self.claim(&round.observed).await?;
        let hashes = hashes(&round.desired, &round.images);
        let release = ended_holds(facts, &round.desired, &round.images, &round.plan);
        let number = home.make_current(NewRevision {
            made: self.clock.now(),
            by,
            reason: reason.clone(),
            desired: Desired::clone(&round.desired),
            images: round.images.clone(),
            hashes,
            hold,
            release,
        })?;
        let mut event = self.event(EventKind::RevisionMade, Severity::Info, format!("revision {number}: {reason}"));
        event.revision = Some(number);
        self.tell(event).await;
        Ok(())
    }

    /// Executes a round and those that follow, until nothing is left to do.
    pub(super) async fn converge(
        &self,
        home: &Arc<Home>,
        mut course: Course,
        first: Round,
        applied: &mut Applied,
    ) -> Result<(), StackError> {
        let mut round = first;
        let mut done: BTreeSet<(u64, StepId)> = BTreeSet::new();
        for count in 1..=ROUNDS_MAX {
            let current = home.current_records()?.map(|(number, _)| number);
            hold(applied, &round.plan);
            if round.plan.steps.is_empty() {
                self.all_good(home, &round, applied)?;
                return Ok(());
            }
            let again = round.plan.steps.iter().find(|step| done.contains(&(current.unwrap_or(0), step.id.clone())));
            if let Some(step) = again {
                applied.left.push(format!("{} was done and is wanted again: something else changes it", step.id));
                applied.exit = gravest(applied.exit, 5);
                return Ok(());
            }
            self.claim(&round.observed).await?;
            if let Some(revision) = home.current()? {
                home.put_copies(&revision.desired)?;
            }
            let journal = Arc::new(Record {
                home: home.clone(),
                clock: self.clock.clone(),
                base: course.base,
                rollback_stack: course.aim.desired.policy.on_failure == OnFailure::RollbackStack,
                // What is taken back is not what was asked for.
                by: Origin { reason: None, ..course.origin.clone() },
            });
            let outcome = self.act(&round, journal, current, CancellationToken::new()).await;
            let succeeded = outcome.steps.iter().filter(|step| step.error.is_none());
            done.extend(succeeded.map(|step| (current.unwrap_or(0), step.id.clone())));
            let verdict = Verdict::of(&outcome, course.is_rollback);
            applied.exit = gravest(applied.exit, verdict.exit);
            applied.left.extend(verdict.left);
            applied.rounds.push((round.plan.clone(), outcome));
            if verdict.ends || course.one_round && count == 1 && verdict.exit != 0 {
                return Ok(());
            }
            course.is_rollback |= verdict.exit != 0;
            self.keep_current(home, &mut course)?;
            let facts = self.facts(&round.observed)?;
            let before = std::mem::replace(&mut round, self.round(&course.aim, facts).await?);
            if self.record_not_held(home, &before, &round).await? {
                let facts = self.facts(&round.observed)?;
                round = self.round_from(&course.aim, facts, round.observed).await?;
            }
            if course.one_round {
                break;
            }
        }
        hold(applied, &round.plan);
        applied.left.extend(round.plan.steps.iter().map(|step| format!("{}: {}", step.id, step.does.kind())));
        if !applied.left.is_empty() {
            applied.exit = gravest(applied.exit, if course.one_round { 9 } else { 5 });
        }
        Ok(())
    }

    /// From now on the rounds converge to the current revision: to what was accepted, or to what a failure made current.
    fn keep_current(&self, home: &Arc<Home>, course: &mut Course) -> Result<(), StackError> {
        if let Some(current) = home.current()? {
            course.aim.desired = current.desired.into();
        }
        course.aim.purpose = Purpose::Keep;
        course.aim.pull = PullWish::Keep;
        course.aim.saved = None;
        // The revision knows it by now; one that is gone back to knows another.
        course.aim.built.clear();
        Ok(())
    }

    /// Nothing differs: what is not held is good under the current revision.
    pub(super) fn all_good(&self, home: &Arc<Home>, round: &Round, applied: &Applied) -> Result<(), StackError> {
        if applied.exit != 0 {
            return Ok(());
        }
        // What a rollback holds is in the current revision as it is held.
        let differs = |held: &&Held| held.code != HeldCode::RolledBack;
        let held: BTreeSet<String> =
            round.plan.held.iter().filter(differs).map(|held| held.resource.to_string()).collect();
        // What is stopped or left alone proves nothing.
        let (suspended, left) = (home.suspended(self.clock.now())?, home.facts()?.left);
        let in_scope = |name: &&ServiceName| {
            let selected = round.plan.context.selected.as_ref();
            selected.is_none_or(|selected| selected.contains(*name))
                && !held.contains(&format!("service/{name}"))
                && !suspended.contains(*name)
                && !left.contains_key(*name)
        };
        let good: Vec<ServiceName> = round.desired.services.keys().filter(in_scope).cloned().collect();
        let recorded = home.current_records()?.map(|(_, records)| records).unwrap_or_default();
        let good: Vec<ServiceName> = good
            .into_iter()
            .filter(|name| recorded.get(name) != Some(&crate::model::revision::ServiceRecord::Good))
            .collect();
        if !good.is_empty() {
            home.rollout_done(&good)?;
        }
        Ok(())
    }

    /// Keeps the images of what it came to, and says the last words of an apply. `tags` are the engine's, where they are
    /// known and nothing was done since.
    pub(super) async fn finish(
        &self,
        home: &Arc<Home>,
        applied: &mut Applied,
        tags: Option<Tags>,
    ) -> Result<(), StackError> {
        let revision = home.current_records()?.map(|(number, _)| number);
        if revision.is_some() {
            self.keep_images(tags).await;
        }
        if revision != applied.revision || !applied.rounds.is_empty() {
            self.remove_unused_copies().await;
        }
        self.say_end(home, applied).await
    }

    /// Says the last words of an apply.
    pub(super) async fn say_end(&self, home: &Arc<Home>, applied: &mut Applied) -> Result<(), StackError> {
        let revision = home.current_records()?.map(|(number, _)| number);
        applied.revision = revision;
        if !applied.held.is_empty() {
            applied.exit = gravest(applied.exit, 9);
        }
        let (severity, text) = ending(applied.exit);
        let mut event = self.event(EventKind::ApplyEnded, severity, text);
        event.revision = revision;
        event.data.insert("exit".into(), applied.exit.into());
        self.tell(event).await;
        Ok(())
    }
}

/// How an apply ended, by its exit code.
fn ending(exit: u8) -> (Severity, String) {
    let (severity, words) = match exit {
        0 => (Severity::Info, "all is as declared"),
        9 => (Severity::Info, "all but what is held is as declared"),
        130 => (Severity::Warning, "it was interrupted; the next one goes on"),
        3 => (Severity::Error, "something was not reached or refused; the next one goes on"),
        4 => (Severity::Error, "it failed and is taken back, what ran before serves; `evenkeel status` shows more"),
        5 => (Severity::Error, "a person is needed; `evenkeel status` shows more"),
        8 => (Severity::Error, "it was refused, and nothing was changed"),
        _ => (Severity::Error, "it failed"),
    };
    (severity, format!("ended with exit code {exit}: {words}"))
}

/// Adds what a plan holds to what is held.
fn hold(applied: &mut Applied, plan: &Plan) {
    let new = plan.held.iter().filter(|held| !applied.held.contains(held)).cloned().collect::<Vec<_>>();
    applied.held.extend(new);
    applied.changes_at = applied.changes_at.into_iter().chain(plan.changes_at).min();
}

/// What an outcome means for the apply.
struct Verdict {
    exit: u8,
    /// Nothing more is tried.
    ends: bool,
    left: Vec<String>,
}

impl Verdict {
    fn of(outcome: &Outcome, is_rollback: bool) -> Verdict {
        let mut verdict = Verdict { exit: 0, ends: false, left: Vec::new() };
        for rollout in &outcome.rollouts {
            match &rollout.result {
                RolloutResult::Done => {}
                RolloutResult::Unproven { why } => {
                    verdict.left.push(format!("{}: started, and not waited for: {why}", rollout.id));
                }
                RolloutResult::NotBegun => verdict.left.push(format!("{}: not begun", rollout.id)),
                RolloutResult::Failed { error, after, .. } => {
                    let exit = if *after == AfterFailure::Restored && !is_rollback { 4 } else { 5 };
                    verdict.exit = gravest(verdict.exit, exit);
                    verdict.ends |= is_rollback || matches!(after, AfterFailure::Left | AfterFailure::UndoFailed);
                    verdict.left.push(format!("{}: {error}", rollout.id));
                }
            }
        }
        if outcome.failed_step.is_some() {
            verdict.exit = gravest(verdict.exit, 4);
        }
        if outcome.engine_lost {
            (verdict.exit, verdict.ends) = (3, true);
        }
        if outcome.interrupted {
            (verdict.exit, verdict.ends) = (130, true);
        }
        verdict
    }
}

/// The gravest of two exit codes: an interruption, then 5, 4, 3, 9.
pub(super) fn gravest(a: u8, b: u8) -> u8 {
    let weight = |exit: u8| match exit {
        130 => 5,
        5 => 4,
        4 => 3,
        3 => 2,
        9 => 1,
        0 => 0,
        _ => 6,
    };
    if weight(b) > weight(a) { b } else { a }
}

/// Whether other overrides are in force than when it was loaded: somebody gave or ended some before the lock was had.
fn is_overtaken(request: &Request, facts: &Facts) -> bool {
    let loaded = &request.desired.overrides;
    let mut expected = facts.current.as_ref().map(|current| current.desired.overrides.clone()).unwrap_or_default();
    for name in &request.unset {
        expected.images.remove(&ServiceName::from(name.as_str()));
        expected.variables.remove(name);
    }
    expected.images.extend(request.overrides.images.clone());
    expected.variables.extend(request.overrides.variables.clone());
    // That of a service which is not declared any more is dropped as it is loaded.
    let declared = &request.desired.services;
    expected.images.retain(|name, _| declared.contains_key(name) || loaded.images.contains_key(name));
    expected != *loaded
}

/// The exit code of a plan that forbids every step.
pub(super) fn refused(plan: &Plan) -> Option<u8> {
    plan.held.iter().filter_map(|held| held.code.stops_everything()).max()
}

/// What each service is.
pub(super) fn hashes(desired: &Desired, images: &Images) -> BTreeMap<ServiceName, DesiredHash> {
    desired.services.values().filter_map(|service| Some((service.name.clone(), hash(service, images)?))).collect()
}

fn hash(service: &Service, images: &Images) -> Option<DesiredHash> {
    images.get(&service.container.image).map(|image| desired_hash(service, &image.id))
}

/// What a round accepts: what it declares, but a service that is held as it is in the current revision, with its networks
/// and volumes. Nor does another service's new image change one that an apply of others leaves as it is.
fn accepted(current: Option<&CurrentRevision>, round: &Round) -> (Arc<Desired>, Images) {
    let (mut accepted, mut images) = (round.desired.clone(), round.images.clone());
    let mut own = BTreeMap::new();
    let held = |name: &ServiceName| is_held(&round.plan, name, HeldCode::keeps_what_was_accepted);
    let acted_on: BTreeSet<&ServiceName> = round.plan.rollouts.iter().flat_map(|rollout| &rollout.members).collect();
    let left = |name: &ServiceName| {
        let named = round.plan.context.selected.as_ref().is_none_or(|named| named.contains(name));
        !named && !acted_on.contains(name)
    };
    for (name, service) in current.iter().flat_map(|current| &current.desired.services) {
        if held(name) || left(name) && accepted.services.get(name) == Some(service) {
            let image = current.and_then(|current| current.images.get(&service.container.image));
            own.extend(image.map(|image| (name.clone(), image.clone())));
        }
        if !held(name) {
            continue;
        }
        let desired = Arc::make_mut(&mut accepted);
        for (network, found) in current.iter().flat_map(|current| &current.desired.networks) {
            if service.container.networks.contains_key(network) {
                desired.networks.entry(network.clone()).or_insert_with(|| found.clone());
            }
        }
        for (volume, found) in current.iter().flat_map(|current| &current.desired.volumes) {
            if service.volumes().any(|name| name == volume) {
                desired.volumes.entry(volume.clone()).or_insert_with(|| found.clone());
            }
        }
        desired.services.insert(name.clone(), service.clone());
    }
    // Most applies leave it as it was declared, and it is large.
    if !own.is_empty() {
        Arc::make_mut(&mut accepted).give_images(&mut images, &own);
    }
    (accepted, images)
}

/// The services whose hold ends: an apply names them, or one of the whole stack declares them otherwise than what was left.
/// An apply of other services says nothing about them.
fn ended_holds(facts: &Facts, desired: &Desired, images: &Images, plan: &Plan) -> BTreeSet<ServiceName> {
    let is_left = |service: &Service, hold: &Hold| {
        let hash = hash(service, images);
        hash.is_some_and(|hash| hold.is_left(&hash, service.replicas))
    };
    let ended = |name: &ServiceName, hold: &Hold| match &plan.context.selected {
        Some(named) => named.contains(name),
        None => !desired.services.get(name).is_some_and(|service| is_left(service, hold)),
    };
    let holds = facts
        .holds
        .iter()
        .filter(|(name, hold)| ended(name, hold) && !is_held(plan, name, |code| code == HeldCode::RolledBack));
    holds.map(|(name, _)| name.clone()).collect()
}

fn is_held(plan: &Plan, name: &ServiceName, by: impl Fn(HeldCode) -> bool) -> bool {
    let resource = Resource::Service(name.clone());
    plan.held.iter().any(|held| by(held.code) && held.resource == resource)
}

/// Whether what is accepted is what the current revision says: then there is only drift, and no new revision.
fn declares_the_same(current: &CurrentRevision, desired: &Desired, images: &Images) -> bool {
    fn ids(images: &Images) -> impl Iterator<Item = (&ImageReference, &ImageId)> {
        images.iter().map(|(name, image)| (name, &image.id))
    }
    current.desired.declares_as(desired) && ids(&current.images).eq(ids(images))
}

fn adopted_sentence(adopted: &Desired, plan: &Plan) -> String {
    let of = |name: &ServiceName| {
        let resource = Resource::Service(name.clone());
        plan.changes.iter().find(|change| change.resource == resource && change.action != Action::Adopt)
    };
    let (mut untouched, mut in_place, mut replaced) = (0, 0, 0);
    for name in adopted.services.keys() {
        match of(name) {
            None => untouched += 1,
            Some(change) if change.action == Action::Replace => replaced += 1,
            Some(change) if change.reason == Reason::New => untouched += 1,
            Some(_) => in_place += 1,
        }
    }
    format!("{untouched} adopted untouched · {in_place} in place · {replaced} replaced")
}

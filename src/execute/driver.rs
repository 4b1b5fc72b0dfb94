//! Runs what the progress commands: begins steps, tells how they ended, writes records and events. Thin: what may begin
//! and what a failure means is `progress`, what a step does is `steps`.

use super::{
    Effects, EventSender, FailedRollout, Stopped,
    progress::{Command, End, Item, Progress},
    stage::{Stage, StepError},
    steps, tell,
};
use crate::{
    home::HomeError,
    model::{
        event::{EventKind, Severity},
        outcome::{AfterFailure, Outcome, RolloutOutcome, RolloutResult, StepOutcome},
        plan::Plan,
        units::{Millis, Timestamp},
    },
};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

/// How a step that was begun has ended, and how long it took.
struct Ended {
    item: Item,
    took: Millis,
    result: Result<(), StepError>,
    given_up: bool,
}

struct Drive<'a> {
    stage: &'a Stage<'a>,
    progress: Progress<'a>,
    running: FuturesUnordered<BoxFuture<'a, Ended>>,
    give_up: BTreeMap<Item, CancellationToken>,
    /// When a rollout's first step began, and its last one ended.
    spans: Vec<Option<(Timestamp, Timestamp)>>,
    outcome: Outcome,
}

/// See `execute`.
pub(super) async fn drive(plan: &Plan, effects: &Effects, events: &EventSender) -> Outcome {
    let stage = Stage::new(plan, effects, events);
    let mut drive = Drive {
        stage: &stage,
        progress: Progress::new(plan),
        running: FuturesUnordered::new(),
        give_up: BTreeMap::new(),
        spans: vec![None; plan.rollouts.len()],
        outcome: Outcome::default(),
    };
    drive.run().await;
    drive.finish()
}

impl<'a> Drive<'a> {
    async fn run(&mut self) {
        let (stage, mut gentle) = (self.stage, false);
        let Effects { cancel, make_room, .. } = stage.effects;
        let mut room_is_made = false;
        loop {
            if cancel.now.is_cancelled() {
                return self.leave();
            }
            if cancel.gently.is_cancelled() && !gentle {
                gentle = true;
                self.progress.stop_gently();
            }
            if make_room.is_cancelled() {
                self.progress.make_room();
            }
            for command in self.progress.take() {
                self.obey(command).await;
            }
            if self.progress.is_over() {
                self.outcome.interrupted = gentle && !self.progress.all_done();
                return;
            }
            tokio::select! {
                biased;
                () = cancel.now.cancelled() => return self.leave(),
                () = cancel.gently.cancelled(), if !gentle => {}
                () = make_room.cancelled(), if !room_is_made => room_is_made = true,
                Some(ended) = self.running.next() => {
                    if let Err(StepError::EngineLost(error)) = &ended.result {
                        self.outcome.engine_lost = true;
                        self.outcome.steps.push(step_outcome(stage.plan, &ended, Some(error.clone())));
                        self.progress.cut(error);
                        return;
                    }
                    self.ended(ended).await;
                }
            }
        }
    }

    fn leave(&mut self) {
        self.outcome.interrupted = true;
        self.progress.cut("it was interrupted");
    }

    async fn obey(&mut self, command: Command) {
        let (stage, now) = (self.stage, self.stage.now());
        match command {
            Command::RolloutBegun(rollout) => {
                let begun = &stage.plan.rollouts[rollout];
                let how = begun.strategy.map(|strategy| format!("{strategy}, ")).unwrap_or_default();
                let why = if begun.why.is_empty() { "no container is replaced" } else { &begun.why };
                let text = format!("{}: {how}{why}", begun.id);
                tell_of(self.stage, rollout, EventKind::RolloutStarted, Severity::Info, text).await;
            }
            Command::Begin(item) => {
                if let Some(rollout) = self.rollout_of(item) {
                    self.spans[rollout].get_or_insert((now, now));
                }
                self.begin(item).await;
            }
            Command::GiveUp(item) => {
                if let Some(token) = self.give_up.get(&item) {
                    token.cancel();
                }
            }
            Command::RecordFailed { rollout, step, error } => self.record_failed(rollout, step, error).await,
            Command::RecordStopped { rollout, why } => self.record_stopped(rollout, why).await,
            Command::RolloutEnded(rollout) => self.rollout_ended(rollout).await,
        }
    }

    async fn begin(&mut self, item: Item) {
        let stage = self.stage;
        let Some(step) = item.step(stage.plan) else { return };
        let title = tell::title(stage, step);
        stage.tell(EventKind::StepStarted, Severity::Debug, Some(item), title).await;
        let token = CancellationToken::new();
        self.give_up.insert(item, token.clone());
        self.running.push(Box::pin(async move {
            let began = stage.now();
            let (result, given_up) = tokio::select! {
                biased;
                () = token.cancelled() => (Ok(()), true),
                result = steps::perform(stage, item, step) => (result, false),
            };
            Ended { item, took: stage.now().since(began), result, given_up }
        }));
    }

    async fn ended(&mut self, ended: Ended) {
        let stage = self.stage;
        self.give_up.remove(&ended.item);
        if let Some(Some((_, last))) = self.rollout_of(ended.item).map(|rollout| &mut self.spans[rollout]) {
            *last = stage.now();
        }
        let Some(step) = ended.item.step(stage.plan) else { return };
        let title = tell::title(stage, step);
        let (kind, severity, text, end) = match &ended.result {
            _ if ended.given_up => (EventKind::StepFailed, Severity::Info, format!("{title}: given up"), End::GivenUp),
            Ok(()) => (EventKind::StepDone, Severity::Info, title, End::Done),
            Err(error) => {
                let failure = steps::failure(stage, error);
                (EventKind::StepFailed, Severity::Error, format!("{title}: {}", failure.error), End::Failed(failure))
            }
        };
        let error = match &end {
            End::Done => None,
            End::GivenUp => Some("given up".to_owned()),
            End::Failed(failure) => Some(failure.error.clone()),
        };
        self.outcome.steps.push(step_outcome(stage.plan, &ended, error));
        let mut event = stage.event(kind, severity, Some(ended.item), text);
        event.data.insert("tookMs".into(), ended.took.0.into());
        stage.send(event).await;
        self.progress.ended(ended.item, end);
    }

    async fn record_failed(&mut self, rollout: usize, step: usize, error: String) {
        let plan = self.stage.plan;
        self.stage.in_trouble(rollout, &error);
        let failed = FailedRollout {
            members: plan.rollouts[rollout].members.clone(),
            step: plan.steps[step].id.clone(),
            error: error.clone(),
            not_begun: self.not_begun(),
        };
        let recorded = self.stage.effects.journal.rollout_failed(&failed);
        warn_unless(self.stage, recorded).await;
        let text = format!("{}: failed at {}: {error}", plan.rollouts[rollout].id, failed.step);
        tell_of(self.stage, rollout, EventKind::RolloutFailed, Severity::Error, text).await;
    }

    async fn record_stopped(&mut self, rollout: Option<usize>, why: String) {
        let undone = rollout.map(|rollout| self.stage.plan.rollouts[rollout].members.clone()).unwrap_or_default();
        let stopped = Stopped { undone, not_begun: self.not_begun(), why };
        if !stopped.undone.is_empty() || !stopped.not_begun.is_empty() {
            let recorded = self.stage.effects.journal.stopped(&stopped);
            warn_unless(self.stage, recorded).await;
        }
        if let Some(rollout) = rollout {
            self.stage.in_trouble(rollout, &stopped.why);
            let text = format!("{} is taken back: {}", self.stage.plan.rollouts[rollout].id, stopped.why);
            tell_of(self.stage, rollout, EventKind::RolloutFailed, Severity::Warning, text).await;
        }
    }

    async fn rollout_ended(&mut self, rollout: usize) {
        let (id, took) = (&self.stage.plan.rollouts[rollout].id, self.took(rollout));
        let (kind, severity, text) = match self.progress.result(rollout) {
            RolloutResult::Done => {
                let recorded = self.stage.effects.journal.rollout_done(&self.stage.plan.rollouts[rollout].members);
                warn_unless(self.stage, recorded).await;
                (EventKind::RolloutDone, Severity::Info, format!("{id}: done in {}", took.rounded()))
            }
            RolloutResult::Failed { after: AfterFailure::UndoFailed, .. } => {
                (EventKind::UndoFailed, Severity::Error, format!("{id}: could not be taken back, see the steps above"))
            }
            RolloutResult::Failed { after: AfterFailure::Left, error, .. } => {
                let recorded = self.stage.effects.journal.rollout_left(&self.stage.plan.rollouts[rollout].members);
                warn_unless(self.stage, recorded).await;
                // The end of its log is for who looks at it now.
                let error = error.lines().next().unwrap_or_default();
                let replaces = self.stage.plan.rollouts[rollout].replaces;
                let left = if replaces { "both containers are left as they are" } else { "it is left as it is" };
                let text = format!("{id}: {error}; {left}, the next apply waits for it again");
                (EventKind::RolloutFailed, Severity::Error, text)
            }
            RolloutResult::Failed { after: AfterFailure::Nothing, .. } => {
                let removes = self.stage.plan.rollouts[rollout].undo.iter().any(|undo| !undo.steps.is_empty());
                let became = if removes { "what was made is removed" } else { "what it was tried with stays as it is" };
                (EventKind::RolloutUndone, Severity::Warning, format!("{id}: {became}"))
            }
            RolloutResult::Failed { .. } => {
                (EventKind::RolloutUndone, Severity::Warning, format!("{id}: taken back, what ran before serves"))
            }
            RolloutResult::Unproven { why } => {
                (EventKind::RolloutUnproven, Severity::Info, format!("{id}: started, and not waited for: {why}"))
            }
            RolloutResult::NotBegun => return,
        };
        tell_of(self.stage, rollout, kind, severity, text).await;
    }

    fn finish(mut self) -> Outcome {
        self.outcome.failed_step = self.progress.failed_step().map(|step| step.id.clone());
        for (number, rollout) in self.stage.plan.rollouts.iter().enumerate() {
            self.outcome.rollouts.push(RolloutOutcome {
                id: rollout.id.clone(),
                service: rollout.service.clone(),
                result: self.progress.result(number),
                took: self.took(number),
            });
        }
        self.outcome
    }

    fn took(&self, rollout: usize) -> Millis {
        self.spans[rollout].map_or(Millis(0), |(first, last)| last.since(first))
    }

    fn rollout_of(&self, item: Item) -> Option<usize> {
        match item {
            Item::Undo { rollout, .. } => Some(rollout),
            Item::Step(step) => self.progress.rollout_of(step),
        }
    }

    fn not_begun(&self) -> Vec<crate::model::names::ServiceName> {
        self.progress.not_begun().flat_map(|rollout| rollout.members.iter().cloned()).collect()
    }
}

// These take no `Drive`: what runs in it is not shared between threads, and a borrow of it could not be held in a wait.

async fn tell_of(stage: &Stage<'_>, rollout: usize, kind: EventKind, severity: Severity, text: String) {
    let mut event = stage.event(kind, severity, None, text);
    event.rollout = Some(stage.plan.rollouts[rollout].id.clone());
    event.service = Some(stage.plan.rollouts[rollout].service.clone());
    stage.send(event).await;
}

/// A home that can't be written stops no undo and no repair.
async fn warn_unless(stage: &Stage<'_>, recorded: Result<(), HomeError>) {
    if let Err(error) = recorded {
        let text = format!("not on record: {error}");
        stage.tell(EventKind::Warning, Severity::Warning, None, text).await;
    }
}

fn step_outcome(plan: &Plan, ended: &Ended, error: Option<String>) -> StepOutcome {
    let id = ended.item.step(plan).map_or_else(|| "".into(), |step| step.id.clone());
    StepOutcome { id, took: ended.took, error }
}

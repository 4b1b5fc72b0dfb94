//! The progress of a plan: which steps may begin now, and what the end of one means. A pure state machine: it is told
//! what ended and gives commands, so that every order of events can be tried without an engine. It must not wait, call
//! anything or read a clock.
//!
//! The rules, in one place:
//! - A step begins when all that it comes after has succeeded; at most `CALLS_MAX` engine calls run at a time.
//! - After the first failure (or the user's wish to stop) nothing begins but steps of rollouts that had begun, and undos.
//! - A rollout has begun once one of its steps other than a pull has.
//! - A failed rollout first lets its engine calls end and gives up its waits, then goes on record, then is undone.
//! - A repair with nothing to go back to can be hurried: it makes its engine calls and gives up its waits. All are at the
//!   user's wish to stop, and when something else is to be repaired those whose proof nothing else waits for.

use crate::model::{
    outcome::{AfterFailure, RolloutResult},
    plan::{Plan, Rollout},
    step::{Does, OnDeadline, Step},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many engine calls run at a time; gates and drains do not count.
pub const CALLS_MAX: usize = 16;

const INTERRUPTED: &str = "it was interrupted";
const MAKES_ROOM: &str = "something else is to be repaired";

/// Something to run: a step of the plan proper, or one of an undo. The numbers are positions in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    Step(usize),
    Undo { rollout: usize, entry: usize, step: usize },
}

impl Item {
    /// The step it stands for; `None` for a position that the plan does not have.
    pub fn step(self, plan: &Plan) -> Option<&Step> {
        match self {
            Item::Step(step) => plan.steps.get(step),
            Item::Undo { rollout, entry, step } => plan.rollouts.get(rollout)?.undo.get(entry)?.steps.get(step),
        }
    }
}

/// What the driver does next, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The first step of a rollout that changes anything is about to begin.
    RolloutBegun(usize),
    Begin(Item),
    /// End a wait or a pull early and say `End::GivenUp`.
    GiveUp(Item),
    /// Put a failed rollout on record, before its first undo step.
    RecordFailed {
        rollout: usize,
        step: usize,
        error: String,
    },
    /// Put on record that nothing more begins, and that this rollout, though it did not fail, is taken back.
    RecordStopped {
        rollout: Option<usize>,
        why: String,
    },
    RolloutEnded(usize),
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Failed(Failure),
    GivenUp,
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A sentence for people; may go on with log lines.
    pub error: String,
    /// Whether the only fault is that a gate's time is over.
    pub by_deadline: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Done,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    NotBegun,
    Begun,
    /// In trouble; what is in flight ends first.
    Failing(Trouble),
    Undoing {
        trouble: Trouble,
        entry: usize,
        next: usize,
        failed: bool,
    },
    Ended(RolloutResult),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
    /// The step that failed; `None`: the first one that is not done once everything in flight has ended.
    step: Option<usize>,
    error: String,
    /// A step of it failed; otherwise it was stopped by something outside of it.
    own: bool,
    /// Everything stays as it is.
    leave: bool,
}

struct Progressing {
    phase: Phase,
    in_flight: usize,
    steps_left: usize,
    gates_left: usize,
    /// Why it waits for nothing, and is brought as far as its engine calls take it.
    hurried: Option<&'static str>,
}

/// See the head of the file.
pub struct Progress<'p> {
    plan: &'p Plan,
    states: Vec<State>,
    /// How many steps each one still waits for; `None`: for one that the plan does not have.
    waits_for: Vec<Option<usize>>,
    dependents: Vec<Vec<usize>>,
    rollout_of: Vec<Option<usize>>,
    /// For each rollout, its steps in its order.
    members: Vec<Vec<usize>>,
    rollouts: Vec<Progressing>,
    ready_calls: BTreeSet<usize>,
    ready_waits: BTreeSet<usize>,
    ready_undo: VecDeque<Item>,
    running: BTreeSet<Item>,
    given_up: BTreeSet<Item>,
    calls: usize,
    stopping: bool,
    failed_step: Option<usize>,
    commands: Vec<Command>,
}

impl<'p> Progress<'p> {
    /// Takes a plan of which nothing has begun.
    pub fn new(plan: &'p Plan) -> Progress<'p> {
        let position: BTreeMap<_, _> = plan.steps.iter().enumerate().map(|(at, step)| (&step.id, at)).collect();
        let mut dependents = vec![Vec::new(); plan.steps.len()];
        let mut waits_for = Vec::new();
        for (at, step) in plan.steps.iter().enumerate() {
            let after: Option<BTreeSet<usize>> = step.after.iter().map(|id| position.get(id).copied()).collect();
            for before in after.iter().flatten() {
                dependents[*before].push(at);
            }
            waits_for.push(after.map(|after| after.len()));
        }
        let mut rollout_of = vec![None; plan.steps.len()];
        let mut members = Vec::new();
        for (number, rollout) in plan.rollouts.iter().enumerate() {
            let steps: Vec<usize> = rollout.steps.iter().filter_map(|id| position.get(id).copied()).collect();
            steps.iter().for_each(|step| rollout_of[*step] = Some(number));
            members.push(steps);
        }
        let rollouts = members
            .iter()
            .map(|steps| Progressing {
                phase: Phase::NotBegun,
                in_flight: 0,
                steps_left: steps.len(),
                gates_left: steps.iter().filter(|step| is_gate(&plan.steps[**step])).count(),
                hurried: None,
            })
            .collect();
        let mut progress = Progress {
            plan,
            states: vec![State::Waiting; plan.steps.len()],
            waits_for,
            dependents,
            rollout_of,
            members,
            rollouts,
            ready_calls: BTreeSet::new(),
            ready_waits: BTreeSet::new(),
            ready_undo: VecDeque::new(),
            running: BTreeSet::new(),
            given_up: BTreeSet::new(),
            calls: 0,
            stopping: false,
            failed_step: None,
            commands: Vec::new(),
        };
        (0..plan.steps.len()).for_each(|step| progress.make_ready(step));
        (0..plan.rollouts.len()).for_each(|rollout| progress.end_if_done(rollout));
        progress
    }

    /// What to do now. Empty once everything has ended, and while all that could begin waits for what runs.
    pub fn take(&mut self) -> Vec<Command> {
        loop {
            self.begin();
            if !self.running.is_empty() || !self.commands.is_empty() {
                return std::mem::take(&mut self.commands);
            }
            if !self.free_the_stuck() {
                return Vec::new();
            }
        }
    }

    /// Whether nothing runs and nothing will.
    pub fn is_over(&self) -> bool {
        self.running.is_empty() && self.commands.is_empty() && self.ready_undo.is_empty() && self.none_ready()
    }

    /// Tells how something that was begun has ended.
    pub fn ended(&mut self, item: Item, end: End) {
        if !self.running.remove(&item) {
            return;
        }
        if item.step(self.plan).is_some_and(is_call) {
            self.calls -= 1;
        }
        match item {
            Item::Step(step) => self.step_ended(step, end),
            Item::Undo { rollout, .. } => self.undo_step_ended(rollout, end != End::Done),
        }
    }

    /// Begins nothing new. A begun rollout is finished when all its gates have passed, else taken back; a repair is left
    /// when all is started.
    pub fn stop_gently(&mut self) {
        self.stop();
        self.commands.push(Command::RecordStopped { rollout: None, why: INTERRUPTED.to_owned() });
        for rollout in 0..self.rollouts.len() {
            if self.rollouts[rollout].phase == Phase::Begun && self.rollouts[rollout].gates_left > 0 {
                match self.plan.rollouts[rollout].repairs {
                    true => self.hurry(rollout, INTERRUPTED),
                    false => self.trouble(rollout, stopped(INTERRUPTED.to_owned())),
                }
            }
        }
        self.block();
    }

    /// Something else waits for the end of the plan.
    pub fn make_room(&mut self) {
        for rollout in 0..self.rollouts.len() {
            let progressing = &self.rollouts[rollout];
            let waits =
                progressing.phase == Phase::Begun && progressing.gates_left > 0 && progressing.hurried.is_none();
            if waits && self.plan.rollouts[rollout].repairs && !self.is_awaited(rollout) {
                self.hurry(rollout, MAKES_ROOM);
            }
        }
    }

    /// Whether something else of the plan waits for a step of a rollout.
    fn is_awaited(&self, rollout: usize) -> bool {
        let dependents = self.members[rollout].iter().flat_map(|step| &self.dependents[*step]);
        dependents
            .into_iter()
            .any(|step| self.rollout_of[*step] != Some(rollout) && self.states[*step] == State::Waiting)
    }

    /// Ends everything where it is: no undo, no further command.
    pub fn cut(&mut self, error: &str) {
        for rollout in 0..self.rollouts.len() {
            let trouble = match &self.rollouts[rollout].phase {
                Phase::NotBegun | Phase::Ended(_) => continue,
                Phase::Begun => None,
                Phase::Failing(trouble) | Phase::Undoing { trouble, .. } => Some(trouble.clone()),
            };
            let step = trouble.as_ref().and_then(|trouble| trouble.step).or_else(|| self.first_not_done(rollout));
            let error = trouble.map_or_else(|| error.to_owned(), |trouble| trouble.error);
            let result = self.failed(step, error, AfterFailure::Unfinished);
            self.rollouts[rollout].phase = Phase::Ended(result);
        }
        self.stopping = true;
        self.running.clear();
        self.commands.clear();
        self.ready_undo.clear();
        self.ready_calls.clear();
        self.ready_waits.clear();
    }

    /// What has become of a rollout: `NotBegun` until it has ended.
    pub fn result(&self, rollout: usize) -> RolloutResult {
        match self.rollouts.get(rollout).map(|rollout| &rollout.phase) {
            Some(Phase::Ended(result)) => result.clone(),
            _ => RolloutResult::NotBegun,
        }
    }

    /// The first step outside of any rollout that failed, or could never begin.
    pub fn failed_step(&self) -> Option<&'p Step> {
        self.failed_step.map(|step| &self.plan.steps[step])
    }

    /// Whether every step of the plan proper succeeded.
    pub fn all_done(&self) -> bool {
        self.states.iter().all(|state| *state == State::Done)
    }

    /// The rollout that a step of the plan proper belongs to.
    pub fn rollout_of(&self, step: usize) -> Option<usize> {
        self.rollout_of.get(step).copied().flatten()
    }

    /// The rollouts of which nothing but a pull has begun.
    pub fn not_begun(&self) -> impl Iterator<Item = &'p Rollout> + '_ {
        let rollouts = self.plan.rollouts.iter().zip(&self.rollouts);
        rollouts.filter(|(_, progressing)| progressing.phase == Phase::NotBegun).map(|(rollout, _)| rollout)
    }

    fn begin(&mut self) {
        self.skip_what_nobody_waits_for();
        while self.calls < CALLS_MAX {
            let Some(item) = self.ready_undo.pop_front() else { break };
            self.run(item);
        }
        while self.calls < CALLS_MAX {
            let Some(step) = self.ready_calls.pop_first() else { break };
            self.begin_step(step);
        }
        while let Some(step) = self.ready_waits.pop_first() {
            self.begin_step(step);
        }
    }

    /// Waits of a rollout that waits for nothing any more do not begin, nor does what comes after them.
    fn skip_what_nobody_waits_for(&mut self) {
        let is_hurried = |rollout: &usize| self.rollouts[*rollout].hurried.is_some();
        let skipped: Vec<(usize, usize)> = (self.ready_waits.iter().copied())
            .filter(|step| may_be_given_up(&self.plan.steps[*step]))
            .filter_map(|step| Some((step, self.rollout_of[step].filter(is_hurried)?)))
            .collect();
        for (step, _) in &skipped {
            self.ready_waits.remove(step);
            self.states[*step] = State::Failed;
        }
        if !skipped.is_empty() {
            self.block();
        }
        for (_, rollout) in skipped {
            self.rest(rollout);
        }
    }

    fn begin_step(&mut self, step: usize) {
        self.states[step] = State::Running;
        if let Some(rollout) = self.rollout_of[step] {
            self.rollouts[rollout].in_flight += 1;
            let pull = matches!(self.plan.steps[step].does, Does::Pull(_));
            if !pull && self.rollouts[rollout].phase == Phase::NotBegun {
                self.rollouts[rollout].phase = Phase::Begun;
                self.commands.push(Command::RolloutBegun(rollout));
            }
        }
        self.run(Item::Step(step));
    }

    fn run(&mut self, item: Item) {
        if item.step(self.plan).is_some_and(is_call) {
            self.calls += 1;
        }
        self.running.insert(item);
        self.commands.push(Command::Begin(item));
    }

    fn step_ended(&mut self, step: usize, end: End) {
        let rollout = self.rollout_of[step];
        if let Some(rollout) = rollout {
            self.rollouts[rollout].in_flight -= 1;
        }
        match end {
            End::Done => self.step_done(step),
            End::GivenUp => self.states[step] = State::Failed,
            End::Failed(failure) => self.step_failed(step, failure),
        }
        if self.states[step] == State::Failed {
            self.block();
        }
        if let Some(rollout) = rollout {
            self.settle(rollout);
            self.end_if_done(rollout);
            self.rest(rollout);
        }
    }

    fn step_done(&mut self, step: usize) {
        self.states[step] = State::Done;
        if let Some(rollout) = self.rollout_of[step] {
            self.rollouts[rollout].steps_left -= 1;
            self.rollouts[rollout].gates_left -= usize::from(is_gate(&self.plan.steps[step]));
        }
        for dependent in std::mem::take(&mut self.dependents[step]) {
            self.waits_for[dependent] = self.waits_for[dependent].map(|count| count - 1);
            self.make_ready(dependent);
            self.dependents[step].push(dependent);
        }
    }

    fn step_failed(&mut self, step: usize, failure: Failure) {
        self.states[step] = State::Failed;
        self.stop();
        match self.rollout_of[step] {
            None => {
                self.failed_step.get_or_insert(step);
                self.commands.push(Command::RecordStopped { rollout: None, why: failure.error });
            }
            Some(rollout) => {
                let leave = failure.by_deadline && leaves_at_deadline(&self.plan.steps[step]);
                self.trouble(rollout, Trouble { step: Some(step), error: failure.error, own: true, leave });
            }
        }
    }

    fn undo_step_ended(&mut self, rollout: usize, step_failed: bool) {
        let Phase::Undoing { entry, next, failed, .. } = &mut self.rollouts[rollout].phase else { return };
        *failed |= step_failed;
        *next += 1;
        let (entry, next) = (*entry, *next);
        self.go_on_with_undo(rollout, entry, next);
    }

    fn go_on_with_undo(&mut self, rollout: usize, entry: usize, next: usize) {
        let item = Item::Undo { rollout, entry, step: next };
        if item.step(self.plan).is_some() {
            self.ready_undo.push_back(item);
            return;
        }
        let Phase::Undoing { trouble, failed, .. } = self.rollouts[rollout].phase.clone() else { return };
        let after = if failed { AfterFailure::UndoFailed } else { self.taken_back(rollout) };
        self.end(rollout, trouble, after);
    }

    fn make_ready(&mut self, step: usize) {
        if self.states[step] != State::Waiting || self.waits_for[step] != Some(0) || !self.may_begin(step) {
            return;
        }
        match is_call(&self.plan.steps[step]) {
            true => self.ready_calls.insert(step),
            false => self.ready_waits.insert(step),
        };
    }

    /// Whether the step is in a rollout that goes on, or nothing keeps anything from beginning.
    fn may_begin(&self, step: usize) -> bool {
        match self.rollout_of[step].map(|rollout| &self.rollouts[rollout].phase) {
            Some(Phase::Begun) => true,
            None | Some(Phase::NotBegun) => !self.stopping,
            Some(_) => false,
        }
    }

    fn none_ready(&self) -> bool {
        self.ready_calls.is_empty() && self.ready_waits.is_empty()
    }

    /// From now on only begun rollouts go on; pulls for anything else are given up.
    fn stop(&mut self) {
        if std::mem::replace(&mut self.stopping, true) {
            return;
        }
        let begun =
            |step: usize| self.rollout_of[step].is_some_and(|rollout| self.rollouts[rollout].phase != Phase::NotBegun);
        let elsewhere = self.running.iter().copied().filter(|item| match item {
            Item::Step(step) => !begun(*step),
            Item::Undo { .. } => false,
        });
        self.give_up(elsewhere.collect());
        self.forget_what_may_not_begin();
    }

    /// Those of these that run, may be given up and were not yet.
    fn give_up(&mut self, items: Vec<Item>) {
        for item in items {
            let may = self.running.contains(&item) && item.step(self.plan).is_some_and(may_be_given_up);
            if may && self.given_up.insert(item) {
                self.commands.push(Command::GiveUp(item));
            }
        }
    }

    fn forget_what_may_not_begin(&mut self) {
        let mut calls = std::mem::take(&mut self.ready_calls);
        let mut waits = std::mem::take(&mut self.ready_waits);
        calls.retain(|step| self.may_begin(*step));
        waits.retain(|step| self.may_begin(*step));
        (self.ready_calls, self.ready_waits) = (calls, waits);
    }

    /// A rollout ends badly. Its own failure counts more than having been stopped.
    fn trouble(&mut self, rollout: usize, trouble: Trouble) {
        match &mut self.rollouts[rollout].phase {
            Phase::Failing(before) if trouble.own && !before.own => *before = trouble,
            Phase::NotBegun | Phase::Begun => {
                self.rollouts[rollout].phase = Phase::Failing(trouble);
                self.give_up(self.members[rollout].iter().copied().map(Item::Step).collect());
                self.forget_what_may_not_begin();
                self.settle(rollout);
            }
            _ => {}
        }
    }

    /// From now on a rollout waits for nothing.
    fn hurry(&mut self, rollout: usize, why: &'static str) {
        self.rollouts[rollout].hurried = Some(why);
        self.give_up(self.members[rollout].iter().copied().map(Item::Step).collect());
        self.rest(rollout);
    }

    /// Ends a hurried rollout once nothing of it runs or can begin.
    fn rest(&mut self, rollout: usize) {
        let Progressing { phase, in_flight, hurried, .. } = &self.rollouts[rollout];
        let Some(why) = hurried else { return };
        let can_begin = |step: &usize| self.ready_calls.contains(step) || self.ready_waits.contains(step);
        if *phase != Phase::Begun || *in_flight > 0 || self.members[rollout].iter().any(can_begin) {
            return;
        }
        self.rollouts[rollout].phase = Phase::Ended(RolloutResult::Unproven { why: (*why).to_owned() });
        self.commands.push(Command::RolloutEnded(rollout));
    }

    /// Stops every begun rollout that waits for something that will not happen any more.
    fn block(&mut self) {
        let mut dead: Vec<usize> = (0..self.states.len())
            .filter(|step| match self.states[*step] {
                State::Failed => true,
                State::Waiting => !self.may_begin(*step),
                State::Running | State::Done => false,
            })
            .collect();
        let mut seen: BTreeSet<usize> = dead.iter().copied().collect();
        while let Some(step) = dead.pop() {
            for at in 0..self.dependents[step].len() {
                let dependent = self.dependents[step][at];
                if self.states[dependent] != State::Waiting || !seen.insert(dependent) {
                    continue;
                }
                dead.push(dependent);
                let Some(rollout) = self.rollout_of[dependent] else { continue };
                if self.rollouts[rollout].phase == Phase::Begun && self.rollouts[rollout].hurried.is_none() {
                    let error = format!("it waits for `{}`, which did not succeed", self.plan.steps[step].id);
                    self.trouble(rollout, stopped(error));
                    let waiting = self.members[rollout].iter().filter(|step| self.states[**step] == State::Waiting);
                    dead.extend(waiting.copied().filter(|step| seen.insert(*step)));
                }
            }
        }
    }

    /// Begins the undo of a rollout in trouble once nothing of it is in flight.
    fn settle(&mut self, rollout: usize) {
        let Phase::Failing(trouble) = &self.rollouts[rollout].phase else { return };
        if self.rollouts[rollout].in_flight > 0 {
            return;
        }
        let mut trouble = trouble.clone();
        trouble.step = trouble.step.or_else(|| self.first_not_done(rollout));
        if trouble.leave {
            self.end(rollout, trouble, AfterFailure::Left);
            return;
        }
        self.commands.push(match (trouble.own, trouble.step) {
            (true, Some(step)) => Command::RecordFailed { rollout, step, error: trouble.error.clone() },
            _ => Command::RecordStopped { rollout: Some(rollout), why: trouble.error.clone() },
        });
        match trouble.step.and_then(|step| self.undo_from(rollout, step)) {
            Some(entry) => {
                self.rollouts[rollout].phase = Phase::Undoing { trouble, entry, next: 0, failed: false };
                self.go_on_with_undo(rollout, entry, 0);
            }
            None => {
                let after = self.taken_back(rollout);
                self.end(rollout, trouble, after);
            }
        }
    }

    /// The undo for a failed step. Where steps further on in the rollout had begun beside it, the undo of the furthest
    /// of them: it knows of everything that was made.
    fn undo_from(&self, rollout: usize, failed: usize) -> Option<usize> {
        let steps = &self.members[rollout];
        let begun = steps.iter().rposition(|step| self.states[*step] != State::Waiting);
        let failed_at = steps.iter().position(|step| *step == failed);
        let entry_of = |step: usize| {
            let id = &self.plan.steps[step].id;
            self.plan.rollouts[rollout].undo.iter().position(|undo| undo.from == *id)
        };
        begun.max(failed_at).and_then(|at| entry_of(steps[at])).or_else(|| entry_of(failed))
    }

    fn taken_back(&self, rollout: usize) -> AfterFailure {
        if self.plan.rollouts[rollout].serving { AfterFailure::Restored } else { AfterFailure::Nothing }
    }

    fn end(&mut self, rollout: usize, trouble: Trouble, after: AfterFailure) {
        let result = self.failed(trouble.step, trouble.error, after);
        self.rollouts[rollout].phase = Phase::Ended(result);
        self.commands.push(Command::RolloutEnded(rollout));
    }

    fn failed(&self, step: Option<usize>, error: String, after: AfterFailure) -> RolloutResult {
        match step {
            Some(step) => RolloutResult::Failed { step: self.plan.steps[step].id.clone(), error, after },
            None => RolloutResult::NotBegun,
        }
    }

    fn end_if_done(&mut self, rollout: usize) {
        let progressing = &mut self.rollouts[rollout];
        if progressing.steps_left == 0 && matches!(progressing.phase, Phase::NotBegun | Phase::Begun) {
            progressing.phase = Phase::Ended(RolloutResult::Done);
            self.commands.push(Command::RolloutEnded(rollout));
        }
    }

    /// The first step of a rollout, in its order, that has not succeeded; of one whose every step has, the last.
    fn first_not_done(&self, rollout: usize) -> Option<usize> {
        let steps = &self.members[rollout];
        steps.iter().find(|step| self.states[**step] != State::Done).or(steps.last()).copied()
    }

    /// Nothing runs and nothing can begin: what still waits, waits for ever (a circle, or a step that the plan does not
    /// have). No plan should be so; a begun rollout is taken back all the same. Gives whether there was one.
    fn free_the_stuck(&mut self) -> bool {
        let waiting = (0..self.states.len())
            .find(|step| self.rollout_of[*step].is_none() && self.states[*step] == State::Waiting && !self.stopping);
        self.failed_step = self.failed_step.or(waiting);
        for rollout in 0..self.rollouts.len() {
            if self.rollouts[rollout].phase == Phase::Begun {
                self.stop();
                self.trouble(rollout, stopped("it waits for a step that can never begin".to_owned()));
                return true;
            }
        }
        false
    }
}

fn stopped(error: String) -> Trouble {
    Trouble { step: None, error, own: false, leave: false }
}

fn is_gate(step: &Step) -> bool {
    matches!(step.does, Does::Gate(_))
}

fn is_call(step: &Step) -> bool {
    !matches!(step.does, Does::Gate(_) | Does::Drain { .. } | Does::Exec(_))
}

/// Waits change nothing, and a pull that is cut off leaves nothing but layers that the next one uses.
fn may_be_given_up(step: &Step) -> bool {
    matches!(step.does, Does::Gate(_) | Does::Drain { .. } | Does::Pull(_))
}

fn leaves_at_deadline(step: &Step) -> bool {
    matches!(&step.does, Does::Gate(gate) if gate.on_deadline == OnDeadline::Leave)
}

#[cfg(test)]
mod tests;

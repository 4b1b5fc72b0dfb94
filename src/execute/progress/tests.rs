//! The rules of the progress, one by one on small plans, then all at once on random ones.

use super::*;
use crate::model::{
    names::{PlanId, Resource, StepId},
    plan::{API_VERSION, SavedContext, Undo},
    step::{Cause, ContainerRef, Gate, Proof, Pull},
    units::{Millis, Timestamp},
    value::Salt,
};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Call,
    Pull,
    Gate,
    LeavingGate,
    Drain,
}

fn step(id: &str, after: &[&str], kind: Kind) -> Step {
    let container = ContainerRef::Made { by: "x/create".into() };
    let gate = |on_deadline| {
        Does::Gate(Box::new(Gate {
            service: "x".into(),
            container: container.clone(),
            proof: Proof::Completed {},
            min_ready: Millis(0),
            on_deadline,
        }))
    };
    Step {
        id: id.into(),
        after: after.iter().map(|id| StepId::from(*id)).collect(),
        does: match kind {
            Kind::Call => Does::Start { container: container.clone(), instead_of: None },
            Kind::Pull => Does::Pull(Pull {
                reference: "web:1".into(),
                digest: None,
                platform: None,
                image: "sha256:1".into(),
                size: None,
            }),
            Kind::Gate => gate(OnDeadline::Undo),
            Kind::LeavingGate => gate(OnDeadline::Leave),
            Kind::Drain => Does::Drain { wait: Millis(1) },
        },
        target: Resource::Service("x".into()),
        cause: Cause::Manifest,
        deadline: Millis::seconds(1),
    }
}

/// A rollout of these steps, with an undo of two steps from each of them.
fn rollout(id: &str, replaces: bool, steps: &[&str]) -> Rollout {
    Rollout {
        id: id.into(),
        service: id.into(),
        members: vec![id.into()],
        strategy: None,
        why: String::new(),
        replaces,
        serving: replaces,
        spends: Vec::new(),
        repairs: false,
        steps: steps.iter().map(|id| StepId::from(*id)).collect(),
        undo: steps
            .iter()
            .map(|from| Undo {
                from: (*from).into(),
                steps: (1..=2).map(|n| step(&format!("{from}/undo/{n}"), &[], Kind::Call)).collect(),
            })
            .collect(),
    }
}

fn plan(steps: Vec<Step>, rollouts: Vec<Rollout>) -> Plan {
    Plan {
        api_version: API_VERSION.into(),
        kind: "Plan".into(),
        stack: "s".into(),
        context: SavedContext {
            plan: PlanId::from("p-000000000000"),
            time: Timestamp(1),
            salt: Salt::new("00"),
            manifest_hash: String::new(),
            images: BTreeMap::new(),
            selected: None,
            revision: None,
        },
        changes: vec![],
        rollouts,
        steps,
        notes: vec![],
        held: vec![],
        capacity: None,
        changes_at: None,
    }
}

/// Drives a progress by hand; a command is one line.
struct Run<'p> {
    plan: &'p Plan,
    progress: Progress<'p>,
}

impl<'p> Run<'p> {
    fn of(plan: &'p Plan) -> Run<'p> {
        Run { plan, progress: Progress::new(plan) }
    }

    fn take(&mut self) -> Vec<String> {
        let plan = self.plan;
        let id = |item: Item| item.step(plan).unwrap().id.to_string();
        let name = |rollout: usize| plan.rollouts[rollout].id.clone();
        self.progress
            .take()
            .into_iter()
            .map(|command| match command {
                Command::RolloutBegun(rollout) => format!("begun {}", name(rollout)),
                Command::Begin(item) => format!("+ {}", id(item)),
                Command::GiveUp(item) => format!("give up {}", id(item)),
                Command::RecordFailed { rollout, step, .. } => {
                    format!("record {} failed at {}", name(rollout), plan.steps[step].id)
                }
                Command::RecordStopped { rollout, .. } => {
                    format!("record {} stopped", rollout.map_or("-".to_owned(), name))
                }
                Command::RolloutEnded(rollout) => format!("ended {}", name(rollout)),
            })
            .collect()
    }

    fn item(&self, id: &str) -> Item {
        let running = self.progress.running.iter().copied();
        running.clone().find(|item| item.step(self.plan).unwrap().id.as_str() == id).unwrap_or_else(|| {
            panic!(
                "{id} does not run, but {:?}",
                running.map(|item| &item.step(self.plan).unwrap().id).collect::<Vec<_>>()
            )
        })
    }

    fn done(&mut self, id: &str) -> Vec<String> {
        self.progress.ended(self.item(id), End::Done);
        self.take()
    }

    fn given_up(&mut self, id: &str) -> Vec<String> {
        self.progress.ended(self.item(id), End::GivenUp);
        self.take()
    }

    fn failed(&mut self, id: &str) -> Vec<String> {
        let failure = Failure { error: "no".into(), by_deadline: true };
        self.progress.ended(self.item(id), End::Failed(failure));
        self.take()
    }

    fn after(&self, rollout: usize) -> AfterFailure {
        match self.progress.result(rollout) {
            RolloutResult::Failed { after, .. } => after,
            other => panic!("{other:?}"),
        }
    }
}

fn start_first(replaces: bool, gate: Kind) -> Plan {
    let steps = vec![
        step("a/pull", &[], Kind::Pull),
        step("a/create", &["a/pull"], Kind::Call),
        step("a/gate", &["a/create"], gate),
        step("a/stop", &["a/gate"], Kind::Call),
        step("b/pull", &[], Kind::Pull),
        step("b/create", &["b/pull", "a/stop"], Kind::Call),
    ];
    let a = rollout("a", replaces, &["a/pull", "a/create", "a/gate", "a/stop"]);
    plan(steps, vec![a, rollout("b", true, &["b/pull", "b/create"])])
}

#[test]
fn steps_begin_when_all_before_them_are_done() {
    let plan = start_first(true, Kind::Gate);
    let mut run = Run::of(&plan);
    assert_eq!(run.take(), ["+ a/pull", "+ b/pull"]);
    assert_eq!(run.done("b/pull"), [""; 0]);
    assert_eq!(run.done("a/pull"), ["begun a", "+ a/create"]);
    assert_eq!(run.done("a/create"), ["+ a/gate"]);
    assert_eq!(run.done("a/gate"), ["+ a/stop"]);
    assert_eq!(run.done("a/stop"), ["ended a", "begun b", "+ b/create"]);
    assert_eq!(run.done("b/create"), ["ended b"]);
    assert!(run.progress.is_over() && run.progress.all_done());
    assert_eq!(run.progress.result(0), RolloutResult::Done);
}

#[test]
fn a_failed_gate_is_recorded_then_undone_and_nothing_else_begins() {
    let plan = start_first(true, Kind::Gate);
    let mut run = Run::of(&plan);
    run.take();
    run.done("a/pull");
    run.done("a/create");
    assert_eq!(run.failed("a/gate"), ["give up b/pull", "record a failed at a/gate", "+ a/gate/undo/1"]);
    assert_eq!(run.given_up("b/pull"), [""; 0]);
    assert_eq!(run.failed("a/gate/undo/1"), ["+ a/gate/undo/2"], "each undo step is tried");
    assert_eq!(run.done("a/gate/undo/2"), ["ended a"]);
    assert!(run.progress.is_over());
    assert_eq!(run.after(0), AfterFailure::UndoFailed);
    assert_eq!(run.progress.result(1), RolloutResult::NotBegun);
    assert_eq!(run.progress.not_begun().map(|rollout| rollout.id.as_str()).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn what_an_undo_means_depends_on_what_ran_before() {
    for (replaces, after) in [(true, AfterFailure::Restored), (false, AfterFailure::Nothing)] {
        let plan = start_first(replaces, Kind::Gate);
        let mut run = Run::of(&plan);
        run.take();
        run.done("a/pull");
        run.failed("a/create");
        run.done("a/create/undo/1");
        run.done("a/create/undo/2");
        assert_eq!(run.after(0), after);
    }
}

#[test]
fn a_stateful_container_at_its_deadline_is_left_without_a_record() {
    let plan = start_first(true, Kind::LeavingGate);
    let mut run = Run::of(&plan);
    run.take();
    run.done("a/pull");
    run.done("a/create");
    assert_eq!(run.failed("a/gate"), ["give up b/pull", "ended a"]);
    assert_eq!(run.after(0), AfterFailure::Left);
}

#[test]
fn calls_in_flight_end_before_the_undo_of_the_furthest_step() {
    let steps = vec![
        step("a/1/create", &[], Kind::Call),
        step("a/2/create", &[], Kind::Call),
        step("a/1/gate", &["a/1/create"], Kind::Gate),
    ];
    let plan = plan(steps, vec![rollout("a", false, &["a/1/create", "a/2/create", "a/1/gate"])]);
    let mut run = Run::of(&plan);
    assert_eq!(run.take(), ["begun a", "+ a/1/create", "+ a/2/create"]);
    assert_eq!(run.failed("a/1/create"), [""; 0]);
    assert_eq!(run.done("a/2/create"), ["record a failed at a/1/create", "+ a/2/create/undo/1"]);
}

#[test]
fn waits_of_a_failed_rollout_are_given_up() {
    let steps = vec![step("a/1/gate", &[], Kind::Gate), step("a/2/gate", &[], Kind::Gate)];
    let plan = plan(steps, vec![rollout("a", false, &["a/1/gate", "a/2/gate"])]);
    let mut run = Run::of(&plan);
    run.take();
    assert_eq!(run.failed("a/1/gate"), ["give up a/2/gate"]);
    assert_eq!(run.given_up("a/2/gate"), ["record a failed at a/1/gate", "+ a/2/gate/undo/1"]);
}

#[test]
fn a_begun_rollout_goes_on_after_anothers_failure_unless_it_waits_for_it() {
    let steps = vec![
        step("a/create", &[], Kind::Call),
        step("b/create", &[], Kind::Call),
        step("b/start", &["b/create"], Kind::Call),
        step("c/create", &[], Kind::Call),
        step("c/start", &["c/create", "a/create"], Kind::Call),
    ];
    let rollouts = vec![
        rollout("a", true, &["a/create"]),
        rollout("b", true, &["b/create", "b/start"]),
        rollout("c", true, &["c/create", "c/start"]),
    ];
    let plan = plan(steps, rollouts);
    let mut run = Run::of(&plan);
    run.take();
    assert_eq!(run.failed("a/create"), ["record a failed at a/create", "+ a/create/undo/1"]);
    assert_eq!(run.done("b/create"), ["+ b/start"]);
    assert_eq!(run.done("b/start"), ["ended b"]);
    assert_eq!(run.done("c/create"), ["record c stopped", "+ c/start/undo/1"]);
}

#[test]
fn a_failed_network_stops_everything_that_has_not_begun() {
    let steps = vec![step("n/create", &[], Kind::Call), step("a/create", &["n/create"], Kind::Call)];
    let plan = plan(steps, vec![rollout("a", false, &["a/create"])]);
    let mut run = Run::of(&plan);
    assert_eq!(run.take(), ["+ n/create"]);
    assert_eq!(run.failed("n/create"), ["record - stopped"]);
    assert!(run.progress.is_over());
    assert_eq!(run.progress.failed_step().map(|step| step.id.as_str()), Some("n/create"));
    assert_eq!(run.progress.result(0), RolloutResult::NotBegun);
}

#[test]
fn an_interruption_undoes_what_is_not_proven_and_finishes_what_is() {
    let steps = vec![
        step("a/gate", &[], Kind::Gate),
        step("a/stop", &["a/gate"], Kind::Call),
        step("a/remove", &["a/stop"], Kind::Call),
        step("b/create", &[], Kind::Call),
        step("b/gate", &["b/create"], Kind::Gate),
        step("c/create", &["b/gate"], Kind::Call),
    ];
    let rollouts = vec![
        rollout("a", true, &["a/gate", "a/stop", "a/remove"]),
        rollout("b", true, &["b/create", "b/gate"]),
        rollout("c", true, &["c/create"]),
    ];
    let plan = plan(steps, rollouts);
    let mut run = Run::of(&plan);
    run.take();
    run.done("a/gate");
    run.progress.stop_gently();
    assert_eq!(run.take(), ["record - stopped"]);
    assert_eq!(run.done("a/stop"), ["+ a/remove"]);
    assert_eq!(run.done("a/remove"), ["ended a"]);
    assert_eq!(run.done("b/create"), ["record b stopped", "+ b/gate/undo/1"]);
    run.done("b/gate/undo/1");
    run.done("b/gate/undo/2");
    assert!(run.progress.is_over());
    assert_eq!(run.progress.result(0), RolloutResult::Done);
    assert_eq!(run.after(1), AfterFailure::Restored);
    assert_eq!(run.progress.result(2), RolloutResult::NotBegun);
}

#[test]
fn a_repair_that_is_stopped_gently_makes_its_calls_and_is_left() {
    let steps = vec![
        step("a/stop", &[], Kind::Call),
        step("a/start", &["a/stop"], Kind::Call),
        step("a/gate", &["a/start"], Kind::Gate),
        step("a/2/stop", &["a/gate"], Kind::Call),
        step("b/start", &[], Kind::Call),
        step("b/gate", &["b/start"], Kind::Gate),
    ];
    let repair = |id: &str, steps: &[&str]| Rollout { repairs: true, ..rollout(id, false, steps) };
    let rollouts = vec![repair("a", &["a/stop", "a/start", "a/gate", "a/2/stop"]), repair("b", &["b/start", "b/gate"])];
    let plan = plan(steps, rollouts);
    let mut run = Run::of(&plan);
    run.take();
    run.done("b/start");
    run.progress.stop_gently();
    assert_eq!(run.take(), ["record - stopped", "give up b/gate"]);
    assert_eq!(run.given_up("b/gate"), ["ended b"]);
    assert_eq!(run.done("a/stop"), ["+ a/start"]);
    assert_eq!(run.done("a/start"), ["ended a"]);
    assert!(run.progress.is_over());
    let unproven = RolloutResult::Unproven { why: "it was interrupted".into() };
    assert_eq!((run.progress.result(0), run.progress.result(1)), (unproven.clone(), unproven));
}

#[test]
fn what_waits_for_a_gate_that_is_skipped_is_taken_back() {
    let steps = vec![
        step("a/start", &[], Kind::Call),
        step("a/gate", &["a/start"], Kind::Gate),
        step("b/start", &[], Kind::Call),
        step("b/drain", &["b/start", "a/gate"], Kind::Drain),
    ];
    let repair = Rollout { repairs: true, ..rollout("a", false, &["a/start", "a/gate"]) };
    let plan = plan(steps, vec![repair, rollout("b", true, &["b/start", "b/drain"])]);
    let mut run = Run::of(&plan);
    run.take();
    run.done("b/start");
    // The gate may begin and has not yet.
    run.progress.ended(run.item("a/start"), End::Done);
    run.progress.stop_gently();
    assert_eq!(run.take(), ["record - stopped", "record b stopped", "ended a", "+ b/drain/undo/1"]);
    run.done("b/drain/undo/1");
    assert_eq!(run.done("b/drain/undo/2"), ["ended b"]);
    assert_eq!(run.after(1), AfterFailure::Restored);
}

#[test]
fn repairs_make_room_where_nothing_waits_for_their_proof() {
    let steps = vec![
        step("a/start", &[], Kind::Call),
        step("a/gate", &["a/start"], Kind::Gate),
        step("b/start", &["a/gate"], Kind::Call),
        step("b/gate", &["b/start"], Kind::Gate),
        step("c/start", &[], Kind::Call),
        step("c/gate", &["c/start"], Kind::Gate),
        step("d/start", &[], Kind::Call),
        step("d/gate", &["d/start"], Kind::Gate),
    ];
    let repair =
        |id: &str| Rollout { repairs: true, ..rollout(id, false, &[&format!("{id}/start"), &format!("{id}/gate")]) };
    let changes = rollout("d", false, &["d/start", "d/gate"]);
    let plan = plan(steps, vec![repair("a"), repair("b"), repair("c"), changes]);
    let mut run = Run::of(&plan);
    run.take();
    for start in ["a/start", "c/start", "d/start"] {
        run.done(start);
    }
    run.progress.make_room();
    assert_eq!(run.take(), ["give up c/gate"], "b waits for the proof of a, and d is no repair");
    assert_eq!(run.given_up("c/gate"), ["ended c"]);
    assert_eq!(run.done("a/gate"), ["ended a", "begun b", "+ b/start"]);
    run.progress.make_room();
    assert_eq!(run.done("b/start"), ["ended b"]);
    assert_eq!(run.done("d/gate"), ["ended d"]);
    assert!(run.progress.is_over());
    let unproven = RolloutResult::Unproven { why: "something else is to be repaired".into() };
    let results: Vec<_> = (0..4).map(|rollout| run.progress.result(rollout)).collect();
    assert_eq!(results, [RolloutResult::Done, unproven.clone(), unproven, RolloutResult::Done]);
}

#[test]
fn a_cut_leaves_begun_rollouts_unfinished() {
    let plan = start_first(true, Kind::Gate);
    let mut run = Run::of(&plan);
    run.take();
    run.done("a/pull");
    run.progress.cut("the engine is gone");
    assert!(run.progress.is_over());
    assert_eq!(run.after(0), AfterFailure::Unfinished);
    assert_eq!(run.progress.result(1), RolloutResult::NotBegun);
}

#[test]
fn at_most_sixteen_calls_run_and_waits_do_not_count() {
    let mut steps: Vec<Step> = (0..20).map(|n| step(&format!("{n}/call"), &[], Kind::Call)).collect();
    steps.extend((0..20).map(|n| step(&format!("{n}/gate"), &[], Kind::Gate)));
    let plan = plan(steps, vec![]);
    let mut run = Run::of(&plan);
    let begun = run.take();
    assert_eq!(begun.iter().filter(|line| line.ends_with("call")).count(), CALLS_MAX);
    assert_eq!(begun.iter().filter(|line| line.ends_with("gate")).count(), 20);
    assert_eq!(run.done("3/call"), ["+ 16/call"]);
}

#[test]
fn a_circle_ends_and_is_no_success() {
    let steps = vec![
        step("a/create", &[], Kind::Call),
        step("a/start", &["a/create", "a/gate"], Kind::Call),
        step("a/gate", &["a/start"], Kind::Gate),
        step("n/create", &["missing"], Kind::Call),
    ];
    let plan = plan(steps, vec![rollout("a", false, &["a/create", "a/start", "a/gate"])]);
    let mut run = Run::of(&plan);
    run.take();
    assert_eq!(run.done("a/create"), ["record a stopped", "+ a/start/undo/1"]);
    run.done("a/start/undo/1");
    run.done("a/start/undo/2");
    assert!(run.progress.is_over() && !run.progress.all_done());
    assert_eq!(run.progress.failed_step().map(|step| step.id.as_str()), Some("n/create"));
}

/// One random plan: for each step its kind, its rollout, and which earlier steps it comes after.
type Shape = Vec<(u8, Option<usize>, Vec<prop::sample::Index>)>;

fn shapes() -> impl Strategy<Value = Shape> {
    let one =
        (0_u8..8, prop::option::weighted(0.8, 0_usize..4), prop::collection::vec(any::<prop::sample::Index>(), 0..4));
    prop::collection::vec(one, 1..28)
}

fn plan_of(shape: &Shape) -> Plan {
    let mut steps: Vec<Step> = Vec::new();
    let mut members: Vec<Vec<String>> = vec![Vec::new(); 4];
    for (at, (kind, rollout, after)) in shape.iter().enumerate() {
        let id = format!("{at}");
        let after: BTreeSet<String> =
            after.iter().filter(|_| at > 0).map(|before| before.index(at).to_string()).collect();
        let kind = match kind {
            0 => Kind::Pull,
            1 => Kind::Gate,
            2 => Kind::LeavingGate,
            3 => Kind::Drain,
            _ => Kind::Call,
        };
        steps.push(step(&id, &after.iter().map(String::as_str).collect::<Vec<_>>(), kind));
        if let Some(rollout) = rollout {
            members[*rollout].push(id);
        }
    }
    let rollouts = members
        .iter()
        .enumerate()
        .filter(|(_, steps)| !steps.is_empty())
        .map(|(n, steps)| {
            let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
            Rollout { repairs: n == 3, ..rollout(&format!("r{n}"), n % 2 == 0, &steps) }
        })
        .collect();
    plan(steps, rollouts)
}

/// What was seen of one run, checked as it goes.
struct Watch<'p> {
    plan: &'p Plan,
    begun: BTreeSet<Item>,
    done: BTreeSet<String>,
    given_up: BTreeSet<Item>,
    rollouts_begun: BTreeSet<usize>,
    recorded: BTreeSet<usize>,
    undone: BTreeMap<usize, (usize, usize)>,
    ended: BTreeSet<usize>,
    stopped: bool,
}

impl Watch<'_> {
    fn saw(&mut self, command: &Command) -> Result<(), TestCaseError> {
        match command {
            Command::RolloutBegun(rollout) => {
                prop_assert!(self.rollouts_begun.insert(*rollout));
                prop_assert!(!self.stopped, "a rollout began after the first failure");
            }
            Command::Begin(item) => self.began(*item)?,
            Command::GiveUp(item) => {
                prop_assert!(self.begun.contains(item) && self.given_up.insert(*item));
                prop_assert!(may_be_given_up(item.step(self.plan).unwrap()), "an engine call was given up");
            }
            Command::RecordFailed { rollout, .. } | Command::RecordStopped { rollout: Some(rollout), .. } => {
                prop_assert!(self.recorded.insert(*rollout), "recorded twice");
                prop_assert!(!self.undone.contains_key(rollout), "undone before it was on record");
            }
            Command::RecordStopped { rollout: None, .. } => {}
            Command::RolloutEnded(rollout) => prop_assert!(self.ended.insert(*rollout), "ended twice"),
        }
        Ok(())
    }

    fn began(&mut self, item: Item) -> Result<(), TestCaseError> {
        prop_assert!(self.begun.insert(item), "{:?} began twice", item);
        match item {
            Item::Step(at) => {
                let step = &self.plan.steps[at];
                prop_assert!(step.after.iter().all(|id| self.done.contains(id.as_str())), "{} began early", step.id);
                let rollout = self.plan.rollouts.iter().position(|rollout| rollout.steps.contains(&step.id));
                let goes_on = rollout.is_some_and(|rollout| self.rollouts_begun.contains(&rollout));
                prop_assert!(!self.stopped || goes_on, "{} began after the first failure", step.id);
                prop_assert!(rollout.is_none_or(|rollout| !self.recorded.contains(&rollout)));
            }
            Item::Undo { rollout, entry, step } => {
                prop_assert!(self.recorded.contains(&rollout), "undone before it was on record");
                let expected = self.undone.get(&rollout).map_or((entry, 0), |(entry, next)| (*entry, *next));
                prop_assert_eq!((entry, step), expected, "one undo, in order");
                self.undone.insert(rollout, (entry, step + 1));
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn whatever_happens_the_rules_hold(
        shape in shapes(),
        choices in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..12), 0..120),
        interrupt in prop::option::weighted(0.3, 0_usize..40),
        room in prop::option::weighted(0.3, 0_usize..40),
    ) {
        let plan = plan_of(&shape);
        let mut progress = Progress::new(&plan);
        let mut watch = Watch {
            plan: &plan, begun: BTreeSet::new(), done: BTreeSet::new(), given_up: BTreeSet::new(),
            rollouts_begun: BTreeSet::new(), recorded: BTreeSet::new(), undone: BTreeMap::new(),
            ended: BTreeSet::new(), stopped: false,
        };
        let mut running: Vec<Item> = Vec::new();
        let mut failed_for_good: BTreeSet<usize> = BTreeSet::new();
        let mut choices = choices.into_iter();
        for turn in 0.. {
            prop_assert!(turn < 400, "it does not end");
            if interrupt == Some(turn) {
                progress.stop_gently();
                watch.stopped = true;
            }
            if room.is_some_and(|room| turn >= room) {
                progress.make_room();
            }
            for command in progress.take() {
                watch.saw(&command)?;
                if let Command::Begin(item) = command { running.push(item) }
            }
            let calls = running.iter().filter(|item| is_call(item.step(&plan).unwrap())).count();
            prop_assert!(calls <= CALLS_MAX);
            if running.is_empty() { break }
            let (which, what) = choices.next().map_or((0, 5), |(which, what)| (which.index(running.len()), what));
            let item = running.swap_remove(which);
            let end = match what {
                0 => End::Failed(Failure { error: "no".into(), by_deadline: false }),
                1 => End::Failed(Failure { error: "late".into(), by_deadline: true }),
                2..=6 if watch.given_up.contains(&item) => End::GivenUp,
                _ => End::Done,
            };
            if let Item::Step(at) = item {
                match &end {
                    End::Done => { watch.done.insert(plan.steps[at].id.to_string()); }
                    End::Failed(_) => {
                        watch.stopped = true;
                        let id = &plan.steps[at].id;
                        failed_for_good.extend(plan.rollouts.iter().position(|rollout| rollout.steps.contains(id)));
                    }
                    End::GivenUp => {}
                }
            }
            progress.ended(item, end);
        }
        prop_assert!(progress.is_over());
        for rollout in 0..plan.rollouts.len() {
            match progress.result(rollout) {
                RolloutResult::Done => {
                    prop_assert!(watch.ended.contains(&rollout) && !failed_for_good.contains(&rollout));
                    prop_assert!(plan.rollouts[rollout].steps.iter().all(|id| watch.done.contains(id.as_str())));
                }
                RolloutResult::Unproven { .. } => {
                    prop_assert!(plan.rollouts[rollout].repairs && !failed_for_good.contains(&rollout));
                    prop_assert!(watch.ended.contains(&rollout) && !watch.recorded.contains(&rollout));
                }
                RolloutResult::NotBegun => {
                    prop_assert!(!watch.rollouts_begun.contains(&rollout) && !failed_for_good.contains(&rollout));
                    prop_assert!(watch.stopped);
                }
                RolloutResult::Failed { after, .. } => {
                    prop_assert!(watch.ended.contains(&rollout));
                    prop_assert_eq!(after == AfterFailure::Left, !watch.recorded.contains(&rollout));
                    let undone = watch.undone.get(&rollout).map(|(_, steps)| *steps);
                    prop_assert_eq!(undone, (after != AfterFailure::Left).then_some(2), "undone once, and wholly");
                }
            }
        }
    }
}

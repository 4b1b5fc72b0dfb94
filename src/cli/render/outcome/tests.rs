//! What a user reads when a rollout is done, fails, or is not begun.

use super::*;
use crate::cli::render::plan::tests::example;
use crate::model::{container::RestartPolicy, outcome::StepOutcome};

fn done(id: &str, took: u64) -> StepOutcome {
    StepOutcome { id: id.into(), took: Millis(took), error: None }
}

fn rollout(id: &str, result: RolloutResult, took: u64) -> RolloutOutcome {
    RolloutOutcome { id: id.into(), service: id.into(), result, took: Millis(took) }
}

#[test]
fn a_done_rollout_is_a_line() {
    let outcome = Outcome {
        rollouts: vec![rollout("core", RolloutResult::Done, 14_200), rollout("gotenberg", RolloutResult::Done, 120)],
        steps: vec![done("core/1/gate", 3100), done("gotenberg/1/update", 120)],
        ..Outcome::default()
    };
    let expected = "✓ core       replaced in 14.2s, ready after 3.1s\n✓ gotenberg  updated in place in 120ms\n";
    assert_eq!(outcome_text(&example(), &outcome, &[], Style::PLAIN), expected);
}

#[test]
fn what_is_updated_is_said_to_be_so_though_a_replica_was_started_too() {
    let mut plan = example();
    let mut start = plan.steps.iter().find(|step| matches!(step.does, Does::Start { .. })).unwrap().clone();
    start.id = "gotenberg/2/start".into();
    let rollout_of_it = plan.rollouts.iter_mut().find(|rollout| rollout.id.as_str() == "gotenberg").unwrap();
    rollout_of_it.steps.push(start.id.clone());
    plan.steps.push(start);
    let outcome = Outcome {
        rollouts: vec![rollout("gotenberg", RolloutResult::Done, 4500)],
        steps: vec![],
        ..Outcome::default()
    };
    let text = outcome_text(&plan, &outcome, &[], Style::PLAIN);
    assert!(text.contains("gotenberg  updated in place in 4.5s"), "{text}");

    // Who starts what was stopped gives it its restart policy back first.
    for step in &mut plan.steps {
        if let Does::Update(update) = &mut step.does {
            (update.limits, update.restart) = (Limits::default(), Some(RestartPolicy::Always));
        }
    }
    let text = outcome_text(&plan, &outcome, &[], Style::PLAIN);
    assert!(text.contains("gotenberg  started in 4.5s"), "{text}");
}

#[test]
fn a_failed_gate_says_all_that_one_needs_at_once() {
    let failed = RolloutResult::Failed {
        step: "core/1/gate".into(),
        error: "not ready within 30s".into(),
        after: AfterFailure::Restored,
    };
    let mut gate = done("core/1/gate", 30_000);
    gate.error = Some("not ready within 30s".into());
    let outcome = Outcome {
        rollouts: vec![rollout("core", failed, 31_000), rollout("gotenberg", RolloutResult::NotBegun, 0)],
        steps: vec![done("core/1/start", 300), gate],
        ..Outcome::default()
    };
    let left = Left {
        service: Some("core".into()),
        container: "webkit-core-1".into(),
        answers: vec!["connection refused".into(), "503 in 2 ms".into()],
        log: (1..=12).map(|line| format!("line {line}\n")).collect(),
    };
    let expected = "\
✗ core       core/1/gate failed after 30.0s: not ready within 30s
    last answer: 503 in 2 ms
    log: the end of what webkit-core-1 wrote
      | line 3
      | line 4
      | line 5
      | line 6
      | line 7
      | line 8
      | line 9
      | line 10
      | line 11
      | line 12
    after: remove webkit-core-1 (next) with its anonymous volumes, its log kept; the old one never stopped: done, what ran before serves
    more: evenkeel logs core --failed
- gotenberg  not begun
";
    let text = outcome_text(&example(), &outcome, &[left], Style::PLAIN);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_failed_undo_names_its_errors() {
    let failed =
        RolloutResult::Failed { step: "core/1/gate".into(), error: "exited 1".into(), after: AfterFailure::UndoFailed };
    let mut undo = done("core/1/gate/undo/1", 20);
    undo.error = Some("could not remove `webkit-core-1`: busy".into());
    let outcome = Outcome {
        rollouts: vec![rollout("core", failed, 1000)],
        steps: vec![done("core/1/gate", 900), undo],
        engine_lost: true,
        interrupted: true,
        ..Outcome::default()
    };
    let expected = "\
✗ core  core/1/gate failed after 900ms: exited 1
    after: the undo failed too: a person is needed
    undo: core/1/gate/undo/1: could not remove `webkit-core-1`: busy
✗ engine  gone, and not back in time; the next apply recovers what was begun
! interrupted
";
    assert_eq!(outcome_text(&example(), &outcome, &[], Style::PLAIN), expected);
}

//! A rollout told by its events, in order and out of it.

use super::*;
use crate::{cli::render::style::Style, model::event::Severity};

fn event(kind: EventKind, step: Option<&str>, at: i64, text: &str) -> Event {
    Event {
        seq: 0,
        time: Timestamp(at),
        stack: "webkit".into(),
        round: Some("p-0123456789ab".into()),
        revision: None,
        service: Some("core".into()),
        rollout: Some("core".into()),
        step: step.map(StepId::from),
        kind,
        severity: Severity::Info,
        text: text.into(),
        data: serde_json::Map::new(),
    }
}

fn said(board: &mut Board, event: Event) -> Vec<String> {
    board
        .take(&event)
        .into_iter()
        .map(|shown| match shown {
            Shown::Lane { text, .. } => format!("lane {}", text.paint(Style::PLAIN)),
            Shown::Running { text, .. } => format!("running {}", text.paint(Style::PLAIN)),
            Shown::Ended { text, .. } => format!("ended {}", text.paint(Style::PLAIN)),
            Shown::Close { .. } => "close".to_owned(),
            Shown::Line(text) => format!("line {}", text.paint(Style::PLAIN)),
        })
        .collect()
}

#[test]
fn a_finished_rollout_collapses_to_a_line() {
    use EventKind::*;
    let mut board = Board::default();
    assert_eq!(said(&mut board, event(RolloutStarted, None, 0, "start-first")), ["lane core  start-first"]);
    let create = Some("core/1/create");
    assert_eq!(said(&mut board, event(StepStarted, create, 0, "")), ["running core/1/create"]);
    assert_eq!(said(&mut board, event(StepDone, create, 250, "")), ["ended ✓ core/1/create  250ms"]);
    let gate = Some("core/1/gate");
    said(&mut board, event(StepStarted, gate, 300, ""));
    assert_eq!(said(&mut board, event(StepProgress, gate, 900, "503")), ["running core/1/gate  503"]);
    assert_eq!(said(&mut board, event(StepDone, gate, 3400, "")), ["ended ✓ core/1/gate  3.1s"]);
    said(&mut board, event(StepDone, Some("core/1/remove"), 14_200, ""));
    let end = said(&mut board, event(RolloutDone, None, 14_200, ""));
    assert_eq!(end, ["close", "line ✓ core  replaced in 14.2s, ready after 3.1s"]);
}

#[test]
fn a_failed_rollout_stays_until_it_is_undone() {
    use EventKind::*;
    let mut board = Board::default();
    said(&mut board, event(StepStarted, Some("core/1/gate"), 0, ""));
    let failed = said(&mut board, event(StepFailed, Some("core/1/gate"), 5000, "not ready"));
    assert_eq!(failed, ["ended ✗ core/1/gate  5.0s  not ready"]);
    assert_eq!(said(&mut board, event(RolloutFailed, None, 5000, "gate failed")), ["line ✗ core  gate failed"]);
    assert_eq!(said(&mut board, event(StepStarted, Some("core/1/undo"), 5000, "")), ["running core/1/undo"]);
    assert_eq!(said(&mut board, event(RolloutUndone, None, 6000, "undone")), ["close"]);
}

#[test]
fn late_double_and_lonely_events_change_nothing_that_was_said() {
    use EventKind::*;
    let mut board = Board::default();
    let gate = Some("core/1/gate");
    assert_eq!(said(&mut board, event(StepDone, gate, 10, "")), ["ended ✓ core/1/gate  0ms"]);
    assert!(said(&mut board, event(StepDone, gate, 20, "")).is_empty());
    assert!(said(&mut board, event(StepStarted, gate, 5, "")).is_empty());
    assert!(said(&mut board, event(StepStarted, None, 5, "")).is_empty());
    said(&mut board, event(RolloutDone, None, 30, ""));
    assert!(said(&mut board, event(RolloutDone, None, 30, "")).is_empty());
    assert!(said(&mut board, event(StepProgress, gate, 40, "late")).is_empty());
    assert!(said(&mut board, event(RolloutStarted, None, 50, "late")).is_empty());
}

#[test]
fn the_same_rollout_in_the_next_round_is_another() {
    let mut board = Board::default();
    said(&mut board, event(EventKind::RolloutDone, None, 0, ""));
    let mut next = event(EventKind::RolloutStarted, None, 10, "again");
    next.round = Some("p-ba9876543210".into());
    assert_eq!(said(&mut board, next), ["lane core  again"]);
}

//! Events: their numbers, what is asked of them, how long they are kept.

use super::*;
use crate::home::{
    EventQuery,
    events::{DEBUG_EVENTS_MAX, EVENT_AGE_MAX, EVENTS_MAX},
};
use crate::model::status::LastRollout;

fn texts(home: &Home, query: EventQuery) -> Vec<String> {
    home.events(&query).unwrap().into_iter().map(|event| event.text).collect()
}

fn of(service: &str, kind: EventKind, text: &str, time: i64) -> Event {
    Event { service: Some(service.into()), kind, ..event(text, time, Severity::Info) }
}

#[test]
fn events_are_numbered_and_asked_for() {
    let home = Home::in_memory(&stack()).unwrap();
    assert_eq!(home.append(&[]).unwrap(), [0; 0]);
    let told = [
        event("a", 1, Severity::Debug),
        event("b", 2, Severity::Info),
        of("core", EventKind::StepDone, "c", 3),
        event("d", 4, Severity::Error),
    ];
    assert_eq!(home.append(&told).unwrap(), [1, 2, 3, 4]);
    let all = home.events(&EventQuery::default()).unwrap();
    assert_eq!(all[2], Event { seq: 3, ..told[2].clone() });
    assert_eq!(texts(&home, EventQuery { since: Some(1), limit: Some(2), ..Default::default() }), ["b", "c"]);
    assert_eq!(texts(&home, EventQuery { limit: Some(2), ..Default::default() }), ["c", "d"]);
    assert_eq!(texts(&home, EventQuery { service: Some("core".into()), ..Default::default() }), ["c"]);
    assert_eq!(texts(&home, EventQuery { severity: Some(Severity::Warning), ..Default::default() }), ["d"]);
}

#[test]
fn the_last_rollout_of_each_service_is_known() {
    let home = Home::in_memory(&stack()).unwrap();
    home.append(&[
        of("core", EventKind::RolloutDone, "replaced in 14s", 1),
        of("web", EventKind::RolloutDone, "replaced in 3s", 2),
        of("core", EventKind::RolloutFailed, "not ready", 3),
        of("core", EventKind::RolloutUndone, "undone: not ready", 4),
        of("core", EventKind::StepDone, "removed", 5),
    ])
    .unwrap();
    let last =
        |at, result: &str, text: &str| LastRollout { at: Timestamp(at), result: result.into(), text: text.into() };
    let expected = BTreeMap::from([
        ("core".into(), last(4, "undone", "undone: not ready")),
        ("web".into(), last(2, "done", "replaced in 3s")),
    ]);
    assert_eq!(home.last_rollouts().unwrap(), expected);
}

#[test]
fn old_events_go_progress_first() {
    let home = Home::in_memory(&stack()).unwrap();
    let of_severity = |count: u64, severity| vec![event("x", 1_000_000, severity); usize::try_from(count).unwrap()];
    home.append(&of_severity(100, Severity::Info)).unwrap();
    home.append(&of_severity(DEBUG_EVENTS_MAX + 500, Severity::Debug)).unwrap();
    let counted = |severity| home.events(&EventQuery { severity, ..Default::default() }).unwrap().len();
    assert_eq!((counted(None), counted(Some(Severity::Info))), (usize::try_from(DEBUG_EVENTS_MAX).unwrap() + 100, 100));
    home.append(&of_severity(EVENTS_MAX + 500, Severity::Info)).unwrap();
    assert_eq!(counted(None), usize::try_from(EVENTS_MAX).unwrap());
    let later = 1_000_001 + i64::try_from(EVENT_AGE_MAX.0).unwrap();
    home.append(&vec![event("late", later, Severity::Info); 256]).unwrap();
    assert_eq!(texts(&home, EventQuery::default()), vec!["late"; 256]);
}

//! Suspensions, and when a service was restarted: they outlive the process and the machine's start, not the service.

use super::*;
use crate::home::revisions::REVISIONS_MAX;
use crate::model::revision::{Restarts, Suspension, SuspensionKind};

fn paused(reason: &str) -> Suspension {
    Suspension {
        kind: SuspensionKind::Paused,
        since: Timestamp(5),
        until: Some(Timestamp(3_600_005)),
        actor: "ann@ci".into(),
        reason: Some(reason.into()),
    }
}

fn restarts(times: &[i64]) -> Restarts {
    Restarts { times: times.iter().copied().map(Timestamp).collect(), over: 1 }
}

#[test]
fn they_survive_until_they_are_ended() {
    let dir = tempfile::tempdir().unwrap();
    let core = ServiceName::from("core");
    let home = open(dir.path());
    apply(&home, &[("core", "core:1"), ("web", "web:1")]);
    home.suspend(&core, &paused("a leak")).unwrap();
    home.set_restarts(&core, &restarts(&[1, 2])).unwrap();
    drop(home);
    let home = open(dir.path());
    let facts = home.facts().unwrap();
    assert_eq!(facts.suspensions, BTreeMap::from([(core.clone(), paused("a leak"))]));
    assert_eq!(facts.restarts, BTreeMap::from([(core.clone(), restarts(&[1, 2]))]));
    let stopped = Suspension { kind: SuspensionKind::Stopped, until: None, ..paused("no") };
    home.suspend(&core, &stopped).unwrap();
    home.set_restarts(&core, &restarts(&[])).unwrap();
    let facts = home.facts().unwrap();
    assert_eq!(facts.suspensions, BTreeMap::from([(core.clone(), stopped)]), "the newest word counts");
    assert_eq!(facts.restarts, BTreeMap::from([(core.clone(), restarts(&[]))]));
    assert_eq!(home.suspended(Timestamp(i64::MAX)).unwrap(), [core.clone()].into());
    home.end_suspension(&core).unwrap();
    home.end_suspension(&"web".into()).unwrap();
    drop(home);
    assert_eq!(open(dir.path()).facts().unwrap().suspensions, BTreeMap::new());
}

#[test]
fn they_are_forgotten_with_the_last_revision_that_has_the_service() {
    let home = Home::in_memory(&stack()).unwrap();
    let core = ServiceName::from("core");
    apply(&home, &[("core", "core:1"), ("web", "web:1")]);
    home.suspend(&core, &paused("a leak")).unwrap();
    home.set_restarts(&core, &restarts(&[1])).unwrap();
    apply(&home, &[("web", "web:2")]);
    assert!(home.facts().unwrap().suspensions.contains_key(&core), "the service may come back");
    for number in 0..REVISIONS_MAX {
        apply(&home, &[("web", &format!("web:{number}"))]);
    }
    let facts = home.facts().unwrap();
    assert_eq!((facts.suspensions, facts.restarts), (BTreeMap::new(), BTreeMap::new()));
}

#[test]
fn a_suspension_ends_by_the_clock_alone() {
    let paused = paused("a leak");
    assert!(paused.holds(Timestamp(5)) && paused.holds(Timestamp(3_600_004)));
    assert!(!paused.holds(Timestamp(3_600_005)));
    assert!(Suspension { until: None, ..paused }.holds(Timestamp(i64::MAX)));
}

#[test]
fn one_that_took_the_place_of_another_is_not_ended_with_it() {
    let (dir, core) = (tempfile::tempdir().unwrap(), ServiceName::from("core"));
    let home = open(dir.path());
    apply(&home, &[("core", "core:1")]);
    home.suspend(&core, &paused("a leak")).unwrap();
    home.suspend(&core, &paused("another")).unwrap();
    assert!(!home.end_this_suspension(&core, &paused("a leak")).unwrap());
    assert_eq!(home.facts().unwrap().suspensions[&core], paused("another"));
    assert!(home.end_this_suspension(&core, &paused("another")).unwrap());
    assert!(home.facts().unwrap().suspensions.is_empty());
}

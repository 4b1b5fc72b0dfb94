//! Revisions, their records and holds, facts, and how long they are kept.

use super::*;
use crate::home::{HomeError, facts::CONTAINERS_MAX, revisions::REVISIONS_MAX};
use crate::model::{
    fields::FieldChange,
    revision::{Hold, ServiceRecord},
};

fn home() -> Home {
    Home::in_memory(&stack()).unwrap()
}

fn hold(left: &str) -> Hold {
    Hold {
        since: Timestamp(5),
        actor: "ann".into(),
        reason: "rollback".into(),
        left: DesiredHash::new(left),
        left_replicas: None,
    }
}

#[test]
fn what_is_made_current_is_read_back_whole() {
    let home = home();
    assert_eq!(home.current().unwrap(), None);
    assert!(home.facts().unwrap().current.is_none());
    let made = new(desired(&[("core", "core:1"), ("web", "web:1")]), "apply core");
    assert_eq!(home.make_current(made.clone()).unwrap(), 1);
    let current = home.current().unwrap().unwrap();
    assert_eq!(
        (current.number, current.made, &current.by, current.reason.as_str()),
        (1, made.made, &made.by, "apply core")
    );
    assert_eq!((&current.desired, &current.images, &current.hashes), (&made.desired, &made.images, &made.hashes));
    assert_eq!(current.services, BTreeMap::new());
    let facts = home.facts().unwrap().current.unwrap();
    assert_eq!((facts.number, facts.desired, facts.images), (1, made.desired.into(), made.images));
    assert_eq!(home.current_hash(&"core".into()).unwrap(), made.hashes.get(&"core".into()).cloned());
    assert_eq!(home.current_hash(&"nothing".into()).unwrap(), None);
}

#[test]
fn whether_there_is_something_to_keep_is_known_without_reading_what_has_services() {
    let home = home();
    assert!(!home.has_something().unwrap());
    apply(&home, &[("core", "core:1")]);
    assert!(home.has_something().unwrap());
    assert!(home.remembered.lock().unwrap().is_none(), "it was read");
    let nothing = Desired { networks: BTreeMap::new(), ..desired(&[]) };
    home.make_current(new(nothing, "down")).unwrap();
    assert!(!home.has_something().unwrap());
    home.make_current(new(desired(&[]), "a network alone")).unwrap();
    assert!(home.has_something().unwrap());
}

#[test]
fn the_current_revision_is_there_once_for_all_who_act_on_it() {
    let home = home();
    apply(&home, &[("core", "core:1")]);
    let desired = || home.facts().unwrap().current.unwrap().desired;
    assert!(std::sync::Arc::ptr_eq(&desired(), &desired()));
}

#[test]
fn numbers_rise_and_the_newest_is_current() {
    let home = home();
    for number in 1..=5 {
        assert_eq!(apply(&home, &[("core", &format!("core:{number}"))]), number);
    }
    assert_eq!(home.current().unwrap().unwrap().number, 5);
    assert_eq!(home.revision(2).unwrap().unwrap().desired, desired(&[("core", "core:2")]));
    assert_eq!(home.revision(6).unwrap(), None);
    let listed: Vec<u64> = home.list().unwrap().iter().map(|summary| summary.number).collect();
    assert_eq!(listed, [5, 4, 3, 2, 1]);
}

#[test]
fn what_runs_is_adopted_once_as_revision_0() {
    let home = home();
    home.adopt(new(desired(&[("core", "core:1")]), "adopted")).unwrap();
    let current = home.current().unwrap().unwrap();
    assert_eq!((current.number, current.services), (0, BTreeMap::from([("core".into(), ServiceRecord::Good)])));
    assert!(matches!(home.adopt(new(desired(&[]), "adopted")), Err(HomeError::NotFirst)));
    assert_eq!(apply(&home, &[("core", "core:2")]), 1);
}

#[test]
fn a_service_that_did_not_change_keeps_its_record() {
    let home = home();
    apply(&home, &[("core", "core:1"), ("web", "web:1"), ("new", "new:1")]);
    home.mark(&names(&["core", "web", "unknown"]), ServiceRecord::Good).unwrap();
    home.mark(&names(&["new"]), ServiceRecord::Failed).unwrap();
    apply(&home, &[("core", "core:2"), ("web", "web:1"), ("new", "new:1")]);
    let records = home.current().unwrap().unwrap().services;
    assert_eq!(home.current_records().unwrap(), Some((2, records.clone())));
    let expected = BTreeMap::from([("web".into(), ServiceRecord::Good), ("new".into(), ServiceRecord::Failed)]);
    assert_eq!(records, expected);
    let summary = &home.list().unwrap()[0].services[&ServiceName::from("core")];
    assert_eq!((summary.record, summary.image.as_ref().map(ImageId::as_str)), (None, Some("sha256:core:2")));
}

#[test]
fn a_rollback_goes_to_the_newest_good_one_that_is_another() {
    let home = home();
    for (image, good) in [("core:1", true), ("core:2", true), ("core:3", false), ("core:4", true), ("core:4", true)] {
        apply(&home, &[("core", image)]);
        if good {
            home.rollout_done(&names(&["core"])).unwrap();
        }
    }
    let newest_good = |before| home.newest_good(&"core".into(), before).unwrap();
    assert_eq!(newest_good(5), Some(2), "4 is what runs now, 3 never passed");
    assert_eq!(newest_good(2), Some(1));
    assert_eq!(newest_good(1), None);
    assert_eq!(home.newest_good(&"unknown".into(), 5).unwrap(), None);
    apply(&home, &[]);
    assert_eq!(newest_good(6), Some(5), "a service that is gone comes back as it was");
}

#[test]
fn a_rollback_goes_back_to_fewer_replicas_too() {
    let home = home();
    for replicas in [1, 3, 3] {
        let mut scaled = desired(&[("core", "core:1")]);
        scaled.services.get_mut(&ServiceName::from("core")).unwrap().replicas = replicas;
        home.make_current(new(scaled, "apply")).unwrap();
        home.rollout_done(&names(&["core"])).unwrap();
    }
    assert_eq!(home.newest_good(&"core".into(), 3).unwrap(), Some(1));
}

#[test]
fn a_hold_comes_and_goes_with_a_revision() {
    let home = home();
    let mut rollback = new(desired(&[("core", "core:1"), ("web", "web:1")]), "rollback to 1");
    rollback.hold.insert("core".into(), hold("aa"));
    home.make_current(rollback).unwrap();
    home.set_hold(&"web".into(), &hold("bb")).unwrap();
    home.set_hold(&"web".into(), &hold("cc")).unwrap();
    let expected = BTreeMap::from([("core".into(), hold("aa")), ("web".into(), hold("cc"))]);
    assert_eq!(home.facts().unwrap().holds, expected);
    let mut again = new(desired(&[("core", "core:2"), ("web", "web:1")]), "apply core");
    again.release.insert("core".into());
    home.make_current(again).unwrap();
    assert_eq!(home.facts().unwrap().holds, BTreeMap::from([("web".into(), hold("cc"))]));
    home.clear_hold(&"web".into()).unwrap();
    assert_eq!(home.facts().unwrap().holds, BTreeMap::new());
}

#[test]
fn facts_are_remembered_and_forgotten() {
    let home = home();
    apply(&home, &[("migrate", "core:1")]);
    let hash = home.current_hash(&"migrate".into()).unwrap().unwrap();
    home.completed(&"migrate".into(), &hash).unwrap();
    let field =
        |path: &str, to: &str| FieldChange { path: path.to_owned(), from: None, to: Some(Value::sensitive(to)) };
    home.did_not_take(&"c1".into(), &[field("limits.cpus", "1")]).unwrap();
    home.did_not_take(&"c1".into(), &[field("limits.cpus", "2"), field("limits.memory", "1Gi")]).unwrap();
    let facts = home.facts().unwrap();
    assert_eq!(facts.completed, BTreeMap::from([("migrate".into(), hash)]));
    let fields = vec![field("limits.cpus", "2"), field("limits.memory", "1Gi")];
    assert_eq!(facts.did_not_take, BTreeMap::from([("c1".into(), fields)]));
}

#[test]
fn a_success_forgets_the_failure_of_what_succeeded_and_no_other() {
    let home = home();
    let base = apply(&home, &[("core", "core:1")]);
    apply(&home, &[("core", "core:2")]);
    let failed = super::undo::failed(&["core"], &[]);
    home.rollout_failed(Some(base), &failed, false, Timestamp(9), &by("ann")).unwrap();
    home.rollout_done(&names(&["core"])).unwrap();
    assert_eq!(home.facts().unwrap().failed.len(), 1, "core:1 was repaired; core:2 failed still");
    apply(&home, &[("core", "core:2")]);
    home.rollout_done(&names(&["core"])).unwrap();
    assert_eq!(home.facts().unwrap().failed, BTreeMap::new());
}

#[test]
fn old_revisions_go_but_the_newest_good_ones() {
    let home = home();
    let kept = u64::try_from(REVISIONS_MAX).unwrap();
    apply(&home, &[("core", "core:1"), ("web", "web:0"), ("gone", "gone:1")]);
    home.rollout_done(&names(&["core", "gone"])).unwrap();
    apply(&home, &[("core", "core:0"), ("web", "web:1")]);
    home.rollout_done(&names(&["web"])).unwrap();
    for number in 3..=kept + 20 {
        assert_eq!(apply(&home, &[("core", &format!("core:{number}")), ("web", &format!("web:{number}"))]), number);
    }
    let listed: Vec<u64> = home.list().unwrap().iter().map(|summary| summary.number).collect();
    let expected: Vec<u64> = (21..=kept + 20).rev().chain([2, 1]).collect();
    assert_eq!(listed, expected);
    assert_eq!(home.newest_good(&"core".into(), kept).unwrap(), Some(1));
    assert!(home.kept_images().unwrap().contains(&("web".into(), ImageId::new("sha256:web:1"))));
    assert!(!home.kept_images().unwrap().contains(&("web".into(), ImageId::new("sha256:web:4"))));
}

#[test]
fn containers_whose_fields_did_not_take_are_not_remembered_for_ever() {
    let home = home();
    for number in 0..CONTAINERS_MAX + 10 {
        home.did_not_take(&format!("c{number}").as_str().into(), &[]).unwrap();
    }
    let facts = home.facts().unwrap();
    assert_eq!(facts.did_not_take.len(), CONTAINERS_MAX);
    assert!(!facts.did_not_take.contains_key(&"c9".into()) && facts.did_not_take.contains_key(&"c10".into()));
}

#[test]
fn the_last_failures_keep_their_evidence() {
    let home = home();
    for number in 0..12 {
        home.keep_evidence(&evidence(if number < 11 { "core" } else { "web" }, &format!("log {number}"))).unwrap();
    }
    let list = home.evidence_list().unwrap();
    assert_eq!(list.len(), 10);
    assert_eq!((list[0].service.as_str(), list[1].service.as_str()), ("web", "core"));
    assert_eq!(home.evidence_of(&"core".into()).unwrap(), Some(evidence("core", "log 10")));
    assert_eq!(home.evidence(list[9].id).unwrap().map(|evidence| evidence.log).as_deref(), Some("log 2"));
    assert_eq!(home.evidence_of(&"unknown".into()).unwrap(), None);
}

#[test]
fn of_a_long_log_the_end_is_kept() {
    let home = home();
    let most = 4 << 20;
    home.keep_evidence(&evidence("core", &format!("{}{}", "ä".repeat(most / 2), "x"))).unwrap();
    let log = home.evidence_of(&"core".into()).unwrap().unwrap().log;
    assert_eq!(log.len(), most - 1, "a character is not cut in two");
    assert!(log.starts_with('ä') && log.ends_with("äx"));
}

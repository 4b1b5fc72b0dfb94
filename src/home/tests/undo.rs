//! What a failed rollout makes of the current revision.

use super::*;
use crate::home::undo::{TakenBack, taken_back};
use crate::model::{
    evidence::FailedRollout,
    names::ImageReference,
    revision::{Revision, ServiceRecord},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(super) fn failed(members: &[&str], not_begun: &[&str]) -> FailedRollout {
    FailedRollout {
        members: names(members),
        step: "core/1/gate".into(),
        error: "not ready within 5m".into(),
        not_begun: names(not_begun),
    }
}

/// A home at revision 2 of `after`, with revision 1 of `before` good.
fn applied(before: &[(&str, &str)], after: &[(&str, &str)]) -> Home {
    let home = Home::in_memory(&stack()).unwrap();
    apply(&home, before);
    let services: Vec<&str> = before.iter().map(|(name, _)| *name).collect();
    home.rollout_done(&names(&services)).unwrap();
    apply(&home, after);
    home
}

fn fail(home: &Home, base: Option<u64>, failed: &FailedRollout, rollback_stack: bool) -> Option<u64> {
    home.rollout_failed(base, failed, rollback_stack, Timestamp(1_700_000_001_000), &by("ann@ci")).unwrap()
}

/// `name image record` of each service.
fn shown(home: &Home) -> Vec<String> {
    let current = home.current().unwrap().unwrap();
    let record = |name: &ServiceName| current.services.get(name).map_or("-".to_owned(), |record| format!("{record:?}"));
    let line = |service: &Service| format!("{} {} {}", service.name, service.container.image, record(&service.name));
    current.desired.services.values().map(line).collect()
}

#[test]
fn the_member_and_what_was_not_begun_are_as_they_were() {
    let home = applied(
        &[("core", "core:1"), ("db", "db:1"), ("web", "web:1")],
        &[("core", "core:2"), ("db", "db:2"), ("web", "web:2")],
    );
    home.rollout_done(&names(&["db"])).unwrap();
    let bad = home.current_hash(&"core".into()).unwrap().unwrap();
    assert_eq!(fail(&home, Some(1), &failed(&["core"], &["web"]), false), Some(3));
    assert_eq!(shown(&home), ["core core:1 Good", "db db:2 Good", "web web:1 Good"]);
    assert_eq!(home.facts().unwrap().failed, BTreeMap::from([("core".into(), bad)]));
    let current = home.current().unwrap().unwrap();
    assert_eq!((current.reason.as_str(), current.by), ("undone: core", by("ann@ci")));
    assert_eq!(current.hashes, hashes_of(&current.desired, &current.images));
    assert_eq!(current.images, images_of(&current.desired), "core:2 is looked up anew when it comes back");
}

#[test]
fn with_rollback_stack_those_already_rolled_go_back_too() {
    let home = applied(
        &[("core", "core:1"), ("db", "db:1"), ("gone", "gone:1")],
        &[("core", "core:2"), ("db", "db:2"), ("new", "new:1")],
    );
    home.rollout_done(&names(&["db", "new"])).unwrap();
    assert_eq!(fail(&home, Some(1), &failed(&["core"], &[]), true), Some(3));
    assert_eq!(shown(&home), ["core core:1 Good", "db db:1 Good", "gone gone:1 Good"]);
    assert_eq!(home.current().unwrap().unwrap().reason, "undone: core and the stack");
    assert_eq!(home.facts().unwrap().failed.len(), 1, "db did not fail");
}

#[test]
fn what_was_nothing_stays_as_failed_or_is_not_there() {
    let home = Home::in_memory(&stack()).unwrap();
    apply(&home, &[("core", "core:1"), ("web", "web:1")]);
    assert_eq!(fail(&home, None, &failed(&["core"], &["web"]), false), Some(2));
    assert_eq!(shown(&home), ["core core:1 Failed"]);
    assert_eq!(home.facts().unwrap().failed.len(), 1);
    assert_eq!(fail(&home, None, &failed(&["core"], &["web"]), false), None, "told twice, it is so already");
    apply(&home, &[("core", "core:2")]);
    assert_eq!(fail(&home, Some(2), &failed(&["core"], &[]), false), Some(4));
    assert_eq!(shown(&home), ["core core:2 Failed"], "nothing ran before, so there is nothing to go back to");
    assert_eq!(home.facts().unwrap().failed[&"core".into()], home.current_hash(&"core".into()).unwrap().unwrap());
}

#[test]
fn where_only_drift_was_repaired_the_failure_alone_is_recorded() {
    let home = applied(&[("core", "core:1")], &[("core", "core:2")]);
    home.rollout_done(&names(&["core"])).unwrap();
    assert_eq!(fail(&home, Some(2), &failed(&["core"], &[]), false), None);
    assert_eq!(home.current().unwrap().unwrap().number, 2);
    assert_eq!(home.facts().unwrap().failed[&"core".into()], home.current_hash(&"core".into()).unwrap().unwrap());
}

#[test]
fn what_a_killed_apply_left_unproven_is_as_it_was_when_it_was_proven_last() {
    let home = applied(
        &[("core", "core:1"), ("db", "db:1"), ("web", "web:1")],
        &[("core", "core:2"), ("db", "db:2"), ("new", "new:1"), ("web", "web:2")],
    );
    home.rollout_done(&names(&["db"])).unwrap();
    let bad = home.current_hash(&"core".into()).unwrap().unwrap();
    assert_eq!(fail(&home, Some(2), &failed(&["core", "db", "new"], &["web"]), false), Some(3));
    assert_eq!(shown(&home), ["core core:1 Good", "db db:2 Good", "new new:1 -", "web web:2 -"]);
    assert_eq!(home.facts().unwrap().failed, BTreeMap::from([("core".into(), bad)]));
    let current = home.current().unwrap().unwrap();
    assert_eq!(current.hashes, hashes_of(&current.desired, &current.images));
}

#[test]
fn a_member_that_did_not_change_is_not_to_blame() {
    let home = applied(&[("core", "core:1"), ("side", "side:1")], &[("core", "core:2"), ("side", "side:1")]);
    assert_eq!(fail(&home, Some(1), &failed(&["core", "side"], &[]), false), Some(3));
    let blamed: Vec<ServiceName> = home.facts().unwrap().failed.into_keys().collect();
    assert_eq!(blamed, names(&["core"]), "side would never be repaired again");
}

#[test]
fn an_interruption_takes_back_what_was_not_begun_and_blames_nobody() {
    let home = applied(&[("core", "core:1"), ("web", "web:1")], &[("core", "core:2"), ("web", "web:2")]);
    let stop = || home.stopped(Some(1), &names(&["web"]), "interrupted", Timestamp(9), &by("ann")).unwrap();
    assert_eq!((stop(), stop()), (Some(3), None));
    assert_eq!(shown(&home), ["core core:2 -", "web web:1 Good"]);
    assert_eq!(home.current().unwrap().unwrap().reason, "stopped: web");
    assert!(home.facts().unwrap().failed.is_empty());
}

#[test]
fn two_that_fail_in_one_apply_are_both_taken_back() {
    let home = applied(&[("core", "core:1"), ("web", "web:1")], &[("core", "core:2"), ("web", "web:2")]);
    assert_eq!(fail(&home, Some(1), &failed(&["core"], &[]), false), Some(3));
    assert_eq!(fail(&home, Some(1), &failed(&["web"], &[]), false), Some(4));
    assert_eq!(shown(&home), ["core core:1 Good", "web web:1 Good"]);
    assert_eq!(home.facts().unwrap().failed.len(), 2);
}

#[test]
fn overrides_go_back_with_what_they_made() {
    let home = Home::in_memory(&stack()).unwrap();
    let with = |services: &[(&str, &str)], tag: &str| {
        let mut desired = desired(services);
        let image = services[0].1;
        desired.overrides.images.insert("core".into(), ImageReference::from(image));
        desired.overrides.variables.insert("TAG".into(), Value::plain(tag));
        new(desired, "apply")
    };
    home.make_current(with(&[("core", "core:1"), ("web", "web:1")], "one")).unwrap();
    let overrides = |number| home.revision(number).unwrap().unwrap().desired.overrides;
    home.make_current(with(&[("core", "core:2"), ("web", "web:2")], "two")).unwrap();
    assert_eq!(fail(&home, Some(1), &failed(&["core"], &[]), false), Some(3));
    assert_eq!(overrides(3).images, overrides(1).images);
    assert_eq!(overrides(3).variables, overrides(2).variables, "web stays and may need it");
    assert_eq!(fail(&home, Some(1), &failed(&["web"], &[]), false), Some(4));
    assert_eq!(overrides(4), overrides(1));
}

#[test]
fn one_reference_that_stands_for_two_images_names_the_older_by_its_id() {
    let home = applied(&[("core", "app"), ("web", "app")], &[("core", "app")]);
    let mut pulled = new(desired(&[("core", "app"), ("web", "app")]), "apply --pull");
    pulled.images.get_mut(&"app".into()).unwrap().id = ImageId::new("sha256:newer");
    pulled.hashes = hashes_of(&pulled.desired, &pulled.images);
    home.make_current(pulled).unwrap();
    assert_eq!(fail(&home, Some(1), &failed(&["web"], &[]), false), Some(4));
    let current = home.current().unwrap().unwrap();
    let image = |name: &str| &current.images[&current.desired.services[&name.into()].container.image].id;
    assert_eq!((image("core").as_str(), image("web").as_str()), ("sha256:newer", "sha256:app"));
    assert_eq!(current.hashes, hashes_of(&current.desired, &current.images));
}

const POOL: [&str; 4] = ["a", "b", "c", "d"];

/// For each of four services: absent, or one of two images, and its record.
fn a_state() -> impl Strategy<Value = Vec<Option<(bool, Option<ServiceRecord>)>>> {
    let record = prop_oneof![Just(None), Just(Some(ServiceRecord::Good)), Just(Some(ServiceRecord::Failed))];
    proptest::collection::vec(proptest::option::of((any::<bool>(), record)), POOL.len())
}

fn revision(number: u64, state: &[Option<(bool, Option<ServiceRecord>)>]) -> Revision {
    let mut services = Vec::new();
    let mut records = BTreeMap::new();
    let images: Vec<String> = state
        .iter()
        .zip(POOL)
        .map(|(state, name)| format!("{name}:{}", u8::from(state.is_some_and(|(image, _)| image))))
        .collect();
    for ((state, name), image) in state.iter().zip(POOL).zip(&images) {
        if let Some((_, record)) = state {
            services.push((name, image.as_str()));
            records.extend(record.map(|record| (ServiceName::from(name), record)));
        }
    }
    let NewRevision { made, by, reason, desired, images, hashes, .. } = new(desired(&services), "apply");
    Revision { number, made, by, reason, desired, images, hashes, services: records }
}

/// Each service is a member, not begun, or neither.
fn a_failure() -> impl Strategy<Value = FailedRollout> {
    proptest::collection::vec(0..3_u8, POOL.len()).prop_map(|roles| {
        let of = |wanted| POOL.into_iter().zip(&roles).filter(move |(_, role)| **role == wanted).map(|(name, _)| name);
        failed(&of(1).collect::<Vec<_>>(), &of(2).collect::<Vec<_>>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_service_ends_where_the_design_says(
        before in proptest::option::of(a_state()),
        now in a_state(),
        failed in a_failure(),
        rollback_stack in any::<bool>(),
    ) {
        let base = before.map(|before| revision(1, &before));
        let current = revision(2, &now);
        let TakenBack { body, records, failed: blamed } = taken_back(&current, base.as_ref(), &failed, rollback_stack);
        for name in names(&POOL) {
            let was = base.as_ref().and_then(|base| base.desired.services.get(&name));
            let was_record = base.as_ref().and_then(|base| base.services.get(&name)).copied();
            let is = current.desired.services.get(&name);
            let after = body.desired.services.get(&name);
            let after_record = records.get(&name).copied();
            let ran = was.is_some() && was_record != Some(ServiceRecord::Failed);
            if failed.members.contains(&name) {
                if ran {
                    prop_assert_eq!((after, after_record), (was, was_record));
                } else if is.is_some() {
                    prop_assert_eq!((after, after_record), (is, Some(ServiceRecord::Failed)));
                } else {
                    prop_assert_eq!(after, None);
                }
            } else if failed.not_begun.contains(&name) || (rollback_stack && was != is) {
                prop_assert_eq!((after, after_record), (was, was_record));
            } else {
                prop_assert_eq!((after, after_record), (is, current.services.get(&name).copied()));
            }
        }
        let used: BTreeSet<_> = body.desired.services.values().map(|service| &service.container.image).collect();
        prop_assert_eq!(body.images.keys().collect::<BTreeSet<_>>(), used, "no image is missing and none is left over");
        prop_assert_eq!(&body.hashes, &hashes_of(&body.desired, &body.images));
        for (name, hash) in &blamed {
            prop_assert!(failed.members.contains(name));
            prop_assert_eq!(current.hashes.get(name), Some(hash));
        }
    }

    #[test]
    fn doing_it_twice_changes_nothing_more(
        before in a_state(),
        now in a_state(),
        failed in a_failure(),
        rollback_stack in any::<bool>(),
    ) {
        let base = revision(1, &before);
        let current = revision(2, &now);
        let once = taken_back(&current, Some(&base), &failed, rollback_stack);
        let between = Revision {
            number: 3,
            desired: Desired::clone(&once.body.desired),
            images: once.body.images.clone(),
            hashes: once.body.hashes.clone(),
            services: once.records.clone(),
            ..current
        };
        let twice = taken_back(&between, Some(&base), &failed, rollback_stack);
        prop_assert_eq!((twice.body, twice.records), (once.body, once.records));
    }
}

//! What becomes of the current revision when a rollout fails: the services that failed, and those not begun, are as
//! they were in the revision before the apply. Pure, but for the one transaction that makes it so.

use super::{
    Home,
    error::HomeError,
    facts,
    revisions::{self, Body, Draft},
    store::Durability,
};
use crate::model::{
    desired::{Desired, desired_hash},
    evidence::FailedRollout,
    names::{DesiredHash, ImageId, ImageReference, ServiceName, StepId},
    revision::{Origin, Revision, ServiceRecord},
    units::Timestamp,
};
use rusqlite::Transaction;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

impl Home {
    /// In one transaction, before the first undo step: records what failed, and makes a further revision current in
    /// which it is taken back. Takes the revision that was current before this apply (`None`: there was none) and
    /// whether those already rolled go back too. Gives the new revision's number, `None` where none was needed: where
    /// the apply made none (only drift), or everything is taken back already.
    ///
    /// - A member, and each service not begun, is as it was in `base`, with its image and its `--image` override.
    /// - A member that was nothing in `base` stays, on record as failed: nothing is started for it.
    /// - A service not begun that was nothing in `base` is not in it.
    /// - Networks and volumes of both stay, and so does the policy of the stack.
    /// - Where this apply made no revision, a member that was never proven in the current one (the apply that made that was
    ///   killed) is as it was when its gates passed last.
    /// - `--set` overrides go back only when every service is as it was in `base`: one that stays may need them.
    pub fn rollout_failed(
        &self,
        base: Option<u64>,
        failed: &FailedRollout,
        rollback_stack: bool,
        made: Timestamp,
        by: &Origin,
    ) -> Result<Option<u64>, HomeError> {
        self.store.write(Durability::PowerCut, |transaction| {
            let number = revisions::newest(transaction)?.ok_or(HomeError::NoCurrent)?;
            let current = self.load(transaction, number)?.ok_or(HomeError::NoRevision { number })?;
            let base = match base {
                Some(number) if number == current.number => Some(current.clone()),
                Some(number) => Some(self.load(transaction, number)?.ok_or(HomeError::NoRevision { number })?),
                None => None,
            };
            let mut back = taken_back(&current, base.as_ref(), failed, rollback_stack);
            if base.as_ref().is_some_and(|base| base.number == number) {
                for (name, older) in self.unproven(transaction, &current, &failed.members)? {
                    back.restore_from(&name, &older);
                }
                back.record_failures(&current, &failed.members);
            }
            for (service, hash) in &back.failed {
                facts::put(transaction, &self.sealer, facts::Kind::Failed, service.as_str(), hash)?;
            }
            let unchanged = *back.body.desired == current.desired
                && back.body.images == current.images
                && back.records == current.services;
            if unchanged {
                return Ok(None);
            }
            let reason = reason(failed, rollback_stack);
            let draft = Draft { made, by: by.clone(), reason, body: back.body, records: back.records };
            self.insert(transaction, number + 1, &draft)?;
            Ok(Some(number + 1))
        })
    }
}

impl Home {
    /// The services whose gates have never passed in the current revision, for the apply that made it was killed: each with
    /// the newest revision in which they did, where there is one.
    fn unproven(
        &self,
        transaction: &Transaction<'_>,
        current: &Revision,
        services: &[ServiceName],
    ) -> Result<Vec<(ServiceName, Revision)>, HomeError> {
        let mut found = Vec::new();
        for name in services.iter().filter(|name| !current.services.contains_key(*name)) {
            if let Some(number) = revisions::newest_good(transaction, name, current.number)? {
                found.extend(self.load(transaction, number)?.map(|older| (name.clone(), older)));
            }
        }
        Ok(found)
    }

    /// As `rollout_failed`, where nothing failed by itself: the user stopped it, or a step outside of any rollout failed.
    /// These services, begun and taken back or not begun at all, are as they were in `base`, and no desired state counts
    /// as failed; nor does the manifest count as taken over, so who follows it does so anew. May be told more than once.
    pub fn stopped(
        &self,
        base: Option<u64>,
        services: &[ServiceName],
        why: &str,
        made: Timestamp,
        by: &Origin,
    ) -> Result<Option<u64>, HomeError> {
        let nobody = FailedRollout {
            members: Vec::new(),
            step: StepId::new(""),
            error: why.to_owned(),
            not_begun: services.to_vec(),
        };
        self.rollout_failed(base, &nobody, false, made, by)
    }
}

fn reason(failed: &FailedRollout, rollback_stack: bool) -> String {
    let names = |services: &[ServiceName]| services.iter().map(ServiceName::as_str).collect::<Vec<_>>().join(", ");
    match (failed.members.as_slice(), rollback_stack) {
        ([], _) => format!("stopped: {}", names(&failed.not_begun)),
        (members, false) => format!("undone: {}", names(members)),
        (members, true) => format!("undone: {} and the stack", names(members)),
    }
}

/// The current revision with what failed taken back, and what failed.
pub(super) struct TakenBack {
    pub(super) body: Body,
    pub(super) records: BTreeMap<ServiceName, ServiceRecord>,
    pub(super) failed: BTreeMap<ServiceName, DesiredHash>,
}

/// See `Home::rollout_failed`.
pub(super) fn taken_back(
    current: &Revision,
    base: Option<&Revision>,
    failed: &FailedRollout,
    rollback_stack: bool,
) -> TakenBack {
    let desired = Arc::new(current.desired.clone());
    let body = Body { desired, images: current.images.clone(), hashes: current.hashes.clone() };
    let mut after = TakenBack { body, records: current.services.clone(), failed: BTreeMap::new() };
    let members: BTreeSet<&ServiceName> = failed.members.iter().collect();
    let made_none = base.is_some_and(|base| base.number == current.number);
    if !made_none {
        let mut back: BTreeSet<&ServiceName> = members.iter().copied().chain(&failed.not_begun).collect();
        if rollback_stack {
            back.extend(differing(current, base));
        }
        let mut restored = BTreeSet::new();
        for name in back {
            let member = members.contains(name);
            let to_restore =
                |base: &&Revision| base.desired.services.contains_key(name) && !(member && was_nothing(base, name));
            match base.filter(to_restore) {
                Some(base) => {
                    after.restore(name, base);
                    restored.insert(name);
                }
                None if member => after.keep_as_failed(name),
                None => after.leave_out(name),
            }
        }
        if let Some(base) = base {
            after.restore_images(&restored, base);
            after.restore_resources(base);
        }
        after.forget_unused_images();
        if members.is_empty() {
            let taken_over = base.map(|base| base.desired.source.manifest_hash.clone());
            Arc::make_mut(&mut after.body.desired).source.manifest_hash = taken_over.unwrap_or_default();
        }
    }
    after.record_failures(current, &failed.members);
    after
}

/// Services that are not in both, or not the same in both.
fn differing<'a>(current: &'a Revision, base: Option<&'a Revision>) -> impl Iterator<Item = &'a ServiceName> {
    let of_base = base.into_iter().flat_map(|base| base.desired.services.keys());
    current.desired.services.keys().chain(of_base).filter(move |name| {
        base.is_none_or(|base| {
            base.desired.services.get(*name) != current.desired.services.get(*name)
                || base.hashes.get(*name) != current.hashes.get(*name)
        })
    })
}

/// Whether nothing ran for it: it is not in that revision, or a first deploy of it failed.
fn was_nothing(base: &Revision, name: &ServiceName) -> bool {
    !base.desired.services.contains_key(name) || base.services.get(name) == Some(&ServiceRecord::Failed)
}

fn put_or_remove<V: Clone>(map: &mut BTreeMap<ServiceName, V>, name: &ServiceName, value: Option<&V>) {
    match value {
        Some(value) => map.insert(name.clone(), value.clone()),
        None => map.remove(name),
    };
}

impl TakenBack {
    fn restore(&mut self, name: &ServiceName, base: &Revision) {
        let Body { desired, hashes, .. } = &mut self.body;
        let desired = Arc::make_mut(desired);
        put_or_remove(&mut desired.services, name, base.desired.services.get(name));
        put_or_remove(&mut desired.overrides.images, name, base.desired.overrides.images.get(name));
        put_or_remove(hashes, name, base.hashes.get(name));
        put_or_remove(&mut self.records, name, base.services.get(name));
    }

    /// One service as it was in an older revision, with its image, networks and volumes.
    fn restore_from(&mut self, name: &ServiceName, older: &Revision) {
        self.restore(name, older);
        self.restore_images(&BTreeSet::from([name]), older);
        self.restore_resources(older);
        self.forget_unused_images();
    }

    fn keep_as_failed(&mut self, name: &ServiceName) {
        if self.body.desired.services.contains_key(name) {
            self.records.insert(name.clone(), ServiceRecord::Failed);
        }
    }

    fn leave_out(&mut self, name: &ServiceName) {
        let desired = Arc::make_mut(&mut self.body.desired);
        desired.services.remove(name);
        desired.overrides.images.remove(name);
        self.body.hashes.remove(name);
        self.records.remove(name);
    }

    /// Gives the restored services the images that they had.
    fn restore_images(&mut self, restored: &BTreeSet<&ServiceName>, base: &Revision) {
        let Body { desired, images, hashes } = &mut self.body;
        let desired = Arc::make_mut(desired);
        let had = |name: &ServiceName| base.images.get(&desired.services.get(name)?.container.image).cloned();
        let own = restored.iter().filter_map(|name| Some(((*name).clone(), had(name)?))).collect();
        for name in desired.give_images(images, &own) {
            if let Some(service) = desired.services.get(&name) {
                hashes.insert(name, desired_hash(service, &ImageId::new(service.container.image.as_str())));
            }
        }
    }

    fn restore_resources(&mut self, base: &Revision) {
        let Desired { services, networks, volumes, overrides, .. } = Arc::make_mut(&mut self.body.desired);
        for (name, network) in &base.desired.networks {
            networks.entry(name.clone()).or_insert_with(|| network.clone());
        }
        for (name, volume) in &base.desired.volumes {
            volumes.entry(name.clone()).or_insert_with(|| volume.clone());
        }
        if *services == base.desired.services {
            overrides.variables.clone_from(&base.desired.overrides.variables);
        }
    }

    /// An image that no service has any more is not remembered: its reference is looked up anew when it comes back.
    fn forget_unused_images(&mut self) {
        let Body { desired, images, .. } = &mut self.body;
        let used: BTreeSet<&ImageReference> =
            desired.services.values().map(|service| &service.container.image).collect();
        images.retain(|reference, _| used.contains(reference));
    }

    /// What failed is what the members were. A member that did not change is not to blame when another one did: what it
    /// is stays in force, and must be repaired still.
    fn record_failures(&mut self, current: &Revision, members: &[ServiceName]) {
        let moved = |name: &ServiceName| {
            self.body.hashes.get(name) != current.hashes.get(name)
                || self.records.get(name) == Some(&ServiceRecord::Failed)
        };
        let any = members.iter().any(moved);
        let failed = members
            .iter()
            .filter(|name| !any || moved(name))
            .filter_map(|name| Some((name.clone(), current.hashes.get(name)?.clone())))
            .collect();
        self.failed = failed;
    }
}

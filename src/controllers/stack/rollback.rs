//! `rollback`: a new revision in which services are as in an older one. What it moves is held until its declaration
//! changes, so that the next apply of the same manifest does not bring the trouble back.

use super::{
    Stack, StackError,
    apply::{Applied, Course, hashes, refused},
    round::Aim,
};
use crate::{
    home::{Holder, Home},
    model::{
        container::MountSource,
        desired::{Desired, Service},
        image::{Images, ResolvedImage},
        names::ServiceName,
        plan::{CurrentRevision, Purpose},
        revision::{Hold, Origin, Revision},
        units::Millis,
    },
    plan::{merged, units},
};
use std::collections::{BTreeMap, BTreeSet};

/// What to go back to.
#[derive(Clone)]
pub struct RollbackRequest {
    /// The services named; `None`: all.
    pub selected: Option<BTreeSet<ServiceName>>,
    /// A revision; `None`: the newest older one in which something that is named was otherwise and its gates passed. What
    /// was good in it as it is now stays.
    pub to: Option<u64>,
    /// As loaded: it says what the bound files hold now. An empty one says nothing.
    pub declared: Desired,
    pub origin: Origin,
    pub lock_wait: Millis,
}

impl Stack {
    /// Goes back.
    pub async fn rollback(&self, request: &RollbackRequest) -> Result<Applied, StackError> {
        let home = self.home.clone().ok_or_else(|| StackError::NoHome(self.name.clone()))?;
        let holder = Holder { actor: request.origin.actor.clone(), doing: "rollback".into() };
        let _lock = home.lock(holder, request.lock_wait, self.clock.as_ref()).await?;
        let facts = home.facts()?;
        let none = || StackError::NothingApplied(self.name.clone());
        let current = facts.current.clone().ok_or_else(none)?;
        let older = whole_units(self.older(&home, &current, request)?);
        let mut desired = with_services_of(&current.desired, &older);
        mount_copies(&mut desired, &current.desired, &request.declared, &home);
        let moved: BTreeSet<ServiceName> = older.keys().cloned().collect();
        let known = give_images(&mut desired, &current, &older);
        let observed = self.look(&desired).await?;
        let facts = self.facts(&observed)?;
        let before = hashes(&current.desired, &current.images);
        let selected = Some(moved.clone());
        let aim = Aim { selected, known, yes: true, attended: true, ..Aim::of(desired, Purpose::Rollback) };
        let round = self.round_from(&aim, facts.clone(), observed).await?;
        let mut applied = Applied { notes: round.plan.notes.clone(), ..Applied::default() };
        if let Some(exit) = refused(&round.plan) {
            return Ok(Applied { exit, held: round.plan.held, revision: Some(current.number), ..applied });
        }
        let what = describe(&older, request);
        self.begin(&what, &request.origin).await;
        // Before the revision that mounts them: where they can't be written, nothing has changed.
        home.put_copies(&round.desired)?;
        let now = self.clock.now();
        let after = hashes(&round.desired, &round.images);
        let hold = |name: &ServiceName| {
            let replicas = |desired: &Desired| desired.services.get(name).map(|service| service.replicas);
            let reason = request.origin.reason.clone().unwrap_or_else(|| what.clone());
            let (actor, left) = (request.origin.actor.clone(), before.get(name)?.clone());
            let new = Hold { since: now, actor, reason, left, left_replicas: replicas(&current.desired) };
            let (is, count) = (after.get(name)?, replicas(&round.desired).unwrap_or_default());
            let stays = new.is_left(is, count);
            // What an earlier rollback left is declared still: else its hold had ended.
            let hold = match facts.holds.get(name) {
                Some(known) if stays => known.clone(),
                Some(Hold { left, left_replicas, .. }) => {
                    Hold { left: left.clone(), left_replicas: *left_replicas, ..new }
                }
                None => new,
            };
            (!hold.is_left(is, count)).then(|| (name.clone(), hold))
        };
        let holds = moved.iter().filter_map(hold).collect();
        self.make_current(&home, &facts, &round, request.origin.clone(), what, holds).await?;
        let course = Course {
            aim,
            origin: request.origin.clone(),
            base: Some(current.number),
            is_rollback: true,
            one_round: false,
        };
        self.converge(&home, course, round, &mut applied).await?;
        self.finish(&home, &mut applied, None).await?;
        Ok(applied)
    }

    /// The older revision that each service goes back to.
    fn older(
        &self,
        home: &Home,
        current: &CurrentRevision,
        request: &RollbackRequest,
    ) -> Result<BTreeMap<ServiceName, Revision>, StackError> {
        let read = |number: u64| {
            let missing = || StackError::NoRevision(format!("there is no revision {number}"));
            home.revision(number)?.ok_or_else(missing)
        };
        let mut found = BTreeMap::new();
        if let Some(number) = request.to {
            let revision = read(number)?;
            let named = |name: &&ServiceName| request.selected.as_ref().is_none_or(|named| named.contains(*name));
            for name in revision.desired.services.keys().filter(named) {
                found.insert(name.clone(), revision.clone());
            }
            let unknown = request.selected.iter().flatten().find(|name| !found.contains_key(*name));
            return match unknown {
                Some(name) => Err(StackError::NoRevision(format!("revision {number} has no service `{name}`"))),
                None => Ok(found),
            };
        }
        let named = |name: &&ServiceName| request.selected.as_ref().is_none_or(|named| named.contains(*name));
        if let Some(name) = request.selected.iter().flatten().find(|name| !current.desired.services.contains_key(*name))
        {
            return Err(StackError::no_service(name, current.desired.services.keys()));
        }
        let mut goes = BTreeMap::new();
        for name in current.desired.services.keys().filter(named) {
            goes.extend(home.newest_good(name, current.number)?.map(|number| (name, number)));
        }
        let newest = goes.values().copied().max().unwrap_or_default();
        for (name, number) in goes {
            // As it is now it passed its gates after that one already.
            let stays = request.selected.is_none() && home.newest_passed(name, newest + 1)? > Some(number);
            if !stays {
                found.insert(name.clone(), read(number)?);
            }
        }
        if found.is_empty() {
            let what = "no older revision in which these services were otherwise and their gates passed";
            return Err(StackError::NoRevision(format!("there is {what}")));
        }
        Ok(found)
    }
}

/// What shares its namespaces with a service rolls with it, so it goes back with it: of several revisions to the newest.
fn whole_units(older: BTreeMap<ServiceName, Revision>) -> BTreeMap<ServiceName, Revision> {
    let mut whole = older.clone();
    for (name, revision) in &older {
        let mut units = units(&revision.desired).into_iter();
        let unit = units.find(|unit| unit.iter().any(|service| service.name == *name));
        for mate in unit.into_iter().flatten().map(|service| &service.name) {
            if whole.get(mate).is_none_or(|known| known.number < revision.number) {
                whole.insert(mate.clone(), revision.clone());
            }
        }
    }
    whole
}

/// Gives the services the images that they had in the older revisions. Gives what their references stand for then.
fn give_images(desired: &mut Desired, current: &CurrentRevision, older: &BTreeMap<ServiceName, Revision>) -> Images {
    let had = |(name, revision): (&ServiceName, &Revision)| {
        let reference = &revision.desired.services.get(name)?.container.image;
        Some((name.clone(), revision.images.get(reference)?.clone()))
    };
    let own: BTreeMap<ServiceName, ResolvedImage> = older.iter().filter_map(had).collect();
    desired.give_images(&mut current.images.clone(), &own);
    let reference = |name: &ServiceName| desired.services.get(name).map(|service| service.container.image.clone());
    own.into_iter().filter_map(|(name, image)| Some((reference(&name)?, image))).collect()
}

/// The current desired state with these services, their networks and volumes, and their overrides, as they were.
fn with_services_of(current: &Desired, older: &BTreeMap<ServiceName, Revision>) -> Desired {
    let mut desired = current.clone();
    for (name, revision) in older {
        let named = BTreeSet::from([name.clone()]);
        let source = desired.source.clone();
        let mut overrides = desired.overrides.clone();
        desired = merged(&revision.desired, &desired, &named);
        desired.source = source;
        match revision.desired.overrides.images.get(name) {
            Some(image) => overrides.images.insert(name.clone(), image.clone()),
            None => overrides.images.remove(name),
        };
        overrides.variables = revision.desired.overrides.variables.clone();
        desired.overrides = overrides;
        desired.registries = current.registries.clone();
    }
    desired
}

/// Mounts the home's copy of each file that is not known to hold what it held: a bind mount shows a file as it is now.
fn mount_copies(desired: &mut Desired, current: &Desired, declared: &Desired, home: &Home) {
    let contents = declared.services.values().flat_map(|service| &service.contents);
    let now: BTreeSet<(Option<&String>, &String)> =
        contents.map(|content| (content.source.as_ref(), &content.sha256)).collect();
    let stays = |name: &ServiceName, service: &Service| current.services.get(name) == Some(service);
    for service in desired.services.iter_mut().filter(|(name, service)| !stays(name, service)).map(|(_, one)| one) {
        for content in &service.contents {
            let (Some(mount), Some(source)) = (service.container.mounts.get_mut(&content.target), &content.source)
            else {
                continue;
            };
            if now.contains(&(Some(source), &content.sha256)) {
                mount.source = MountSource::Bind(source.clone());
            } else {
                mount.source = MountSource::Bind(home.copy_of(content));
                // One that is missing must not become a folder.
                mount.create_host_path = false;
            }
        }
    }
}

fn describe(older: &BTreeMap<ServiceName, Revision>, request: &RollbackRequest) -> String {
    let numbers: BTreeSet<u64> = older.values().map(|revision| revision.number).collect();
    let numbers = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    format!("{} to {numbers}", super::named("rollback", request.selected.as_ref()))
}

//! What the home remembers beside revisions: one-shots that completed, desired states that failed, holds, fields that did
//! not take. All of it is sealed: hashes and fields give sensitive values away to who can guess.

use super::{Home, error::HomeError, lock::Locks, revisions, sealing::Sealer, store::Durability};
use crate::model::{
    fields::FieldChange,
    names::{ContainerId, DesiredHash, ServiceName},
    plan::{CurrentRevision, Facts},
    revision::{Hold, Restarts, ServiceRecord, Suspension},
    units::Timestamp,
};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

/// What is kept by container is kept of so many of them, the newest.
pub const CONTAINERS_MAX: usize = 500;

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A one-shot that completed, by service: its desired hash.
    Completed,
    /// A desired state that failed, by service: its hash.
    Failed,
    /// What was not ready in time and is left as it is, by service: its desired hash.
    Left,
    /// A service that stays as it is: its `Hold`.
    Hold,
    /// A service that is paused or stopped: its `Suspension`.
    Suspension,
    /// When a service was restarted without a person: its `Restarts`.
    Restarts,
    /// By container id: the fields.
    DidNotTake,
    /// By container id: when the process began whose startup probe succeeded.
    Started,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Completed => "completed",
            Kind::Failed => "failed",
            Kind::Left => "left",
            Kind::Hold => "hold",
            Kind::Suspension => "suspension",
            Kind::Restarts => "restarts",
            Kind::DidNotTake => "did-not-take",
            Kind::Started => "started",
        }
    }
}

impl Home {
    /// All that a plan needs of the home, from one moment.
    pub fn facts(&self) -> Result<Facts, HomeError> {
        self.store.read(|transaction| {
            let (mut not_started, mut not_proven) = (BTreeSet::new(), BTreeSet::new());
            let current = match revisions::newest(transaction)? {
                Some(number) => {
                    let body = self.body(transaction, number)?;
                    let failed = |record: &ServiceRecord| *record == ServiceRecord::Failed;
                    let records = revisions::records(transaction, number)?;
                    let unknown = |name: &&ServiceName| !records.contains_key(*name);
                    not_proven = body.desired.services.keys().filter(unknown).cloned().collect();
                    not_started =
                        records.into_iter().filter(|(_, record)| failed(record)).map(|(name, _)| name).collect();
                    let desired = body.desired.clone();
                    let made = revisions::made(transaction, number)?;
                    Some(CurrentRevision { number, made, desired, images: body.images.clone() })
                }
                None => None,
            };
            Ok(Facts {
                identity: None,
                current,
                not_started,
                not_proven,
                left: self.by_name(transaction, Kind::Left, ServiceName::new)?,
                completed: self.by_name(transaction, Kind::Completed, ServiceName::new)?,
                failed: self.by_name(transaction, Kind::Failed, ServiceName::new)?,
                holds: self.by_name(transaction, Kind::Hold, ServiceName::new)?,
                suspensions: self.by_name(transaction, Kind::Suspension, ServiceName::new)?,
                restarts: self.by_name(transaction, Kind::Restarts, ServiceName::new)?,
                did_not_take: self.by_name(transaction, Kind::DidNotTake, ContainerId::new)?,
                started: self.by_name(transaction, Kind::Started, ContainerId::new)?,
            })
        })
    }

    /// A one-shot exited 0, being this.
    pub fn completed(&self, service: &ServiceName, hash: &DesiredHash) -> Result<(), HomeError> {
        self.put_fact(Kind::Completed, service.as_str(), hash)
    }

    /// These services were not ready in time, and are left as they are.
    pub fn rollout_left(&self, services: &[ServiceName]) -> Result<(), HomeError> {
        for service in services {
            if let Some(hash) = self.current_hash(service)? {
                self.put_fact(Kind::Left, service.as_str(), &hash)?;
            }
        }
        Ok(())
    }

    /// A failed desired state of a service is forgotten: somebody wants it to be tried again.
    pub fn clear_failed(&self, service: &ServiceName) -> Result<(), HomeError> {
        self.remove_fact(Kind::Failed, service.as_str())
    }

    /// Holds a service where it is; the newest hold is the one that counts.
    pub fn set_hold(&self, service: &ServiceName, hold: &Hold) -> Result<(), HomeError> {
        self.put_fact(Kind::Hold, service.as_str(), hold)
    }

    /// Ends a hold, where there is one.
    pub fn clear_hold(&self, service: &ServiceName) -> Result<(), HomeError> {
        self.remove_fact(Kind::Hold, service.as_str())
    }

    /// Pauses or stops a service until further notice; the newest word counts.
    pub fn suspend(&self, service: &ServiceName, suspension: &Suspension) -> Result<(), HomeError> {
        self.put_fact(Kind::Suspension, service.as_str(), suspension)
    }

    /// Ends a suspension, where there is one.
    pub fn end_suspension(&self, service: &ServiceName) -> Result<(), HomeError> {
        self.remove_fact(Kind::Suspension, service.as_str())
    }

    /// Lets a process that keeps the stack know that a person wants something else of it. It would find out by itself, later.
    pub fn tell_wanted(&self) {
        if let Some(file) = self.wanted() {
            let _ = fs::write(file, "");
        }
    }

    /// The file that is written then; `None` where the home is in no file.
    pub fn wanted(&self) -> Option<PathBuf> {
        match &self.locks {
            Locks::Files(folder) => Some(folder.wanted()),
            Locks::Memory(_) => None,
        }
    }

    /// Ends a suspension, where it is this one still. Gives whether it was.
    pub fn end_this_suspension(&self, service: &ServiceName, suspension: &Suspension) -> Result<bool, HomeError> {
        self.store.write(Durability::PowerCut, |transaction| {
            let now: Option<Suspension> = get(transaction, &self.sealer, Kind::Suspension, service.as_str())?;
            let same = now.as_ref() == Some(suspension);
            if same {
                remove(transaction, Kind::Suspension, service.as_str())?;
            }
            Ok(same)
        })
    }

    /// The services that are paused or stopped at a moment.
    pub fn suspended(&self, now: Timestamp) -> Result<BTreeSet<ServiceName>, HomeError> {
        let all: BTreeMap<ServiceName, Suspension> =
            self.store.read(|transaction| self.by_name(transaction, Kind::Suspension, ServiceName::new))?;
        Ok(all.into_iter().filter(|(_, suspension)| suspension.holds(now)).map(|(name, _)| name).collect())
    }

    /// Remembers when a service was restarted without a person.
    pub fn set_restarts(&self, service: &ServiceName, restarts: &Restarts) -> Result<(), HomeError> {
        self.put_fact(Kind::Restarts, service.as_str(), restarts)
    }

    /// Fields of a container that read back otherwise right after they were set, beside those known of it already.
    pub fn did_not_take(&self, container: &ContainerId, fields: &[FieldChange]) -> Result<(), HomeError> {
        self.store.write(Durability::Process, |transaction| {
            let known: Option<Vec<FieldChange>> = get(transaction, &self.sealer, Kind::DidNotTake, container.as_str())?;
            let mut all: BTreeMap<String, FieldChange> = BTreeMap::new();
            for field in known.unwrap_or_default().into_iter().chain(fields.iter().cloned()) {
                all.insert(field.path.clone(), field);
            }
            let all: Vec<FieldChange> = all.into_values().collect();
            put(transaction, &self.sealer, Kind::DidNotTake, container.as_str(), &all)?;
            trim(transaction, Kind::DidNotTake)
        })
    }

    /// The startup probe of a container has succeeded since its process began, then.
    pub fn started(&self, container: &ContainerId, since: Timestamp) -> Result<(), HomeError> {
        self.store.write(Durability::Process, |transaction| {
            put(transaction, &self.sealer, Kind::Started, container.as_str(), &since)?;
            trim(transaction, Kind::Started)
        })
    }

    fn put_fact(&self, kind: Kind, name: &str, fact: &impl Serialize) -> Result<(), HomeError> {
        self.store.write(Durability::PowerCut, |transaction| put(transaction, &self.sealer, kind, name, fact))
    }

    fn remove_fact(&self, kind: Kind, name: &str) -> Result<(), HomeError> {
        self.store.write(Durability::PowerCut, |transaction| remove(transaction, kind, name))
    }

    fn by_name<N: Ord, T: DeserializeOwned>(
        &self,
        transaction: &Transaction<'_>,
        kind: Kind,
        named: impl Fn(String) -> N,
    ) -> Result<BTreeMap<N, T>, HomeError> {
        let mut statement = transaction.prepare_cached("SELECT name, sealed FROM facts WHERE kind = ?1")?;
        let mut rows = statement.query([kind.as_str()])?;
        let mut facts = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (name, sealed): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let fact = self.sealer.unseal(&place(kind, &name), &sealed)?;
            facts.insert(named(name), fact);
        }
        Ok(facts)
    }
}

/// One fact.
pub(super) fn get<T: DeserializeOwned>(
    transaction: &Transaction<'_>,
    sealer: &Sealer,
    kind: Kind,
    name: &str,
) -> Result<Option<T>, HomeError> {
    let sealed: Option<Vec<u8>> = transaction
        .prepare_cached("SELECT sealed FROM facts WHERE kind = ?1 AND name = ?2")?
        .query_row(params![kind.as_str(), name], |row| row.get(0))
        .optional()?;
    sealed.map(|sealed| sealer.unseal(&place(kind, name), &sealed)).transpose()
}

/// Writes a fact in the place of the one before.
pub(super) fn put(
    transaction: &Transaction<'_>,
    sealer: &Sealer,
    kind: Kind,
    name: &str,
    fact: &impl Serialize,
) -> Result<(), HomeError> {
    let sealed = sealer.seal(&place(kind, name), fact)?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO facts (kind, name, sealed) VALUES (?1, ?2, ?3)")?
        .execute(params![kind.as_str(), name, sealed])?;
    Ok(())
}

/// Forgets a fact, where there is one.
pub(super) fn remove(transaction: &Transaction<'_>, kind: Kind, name: &str) -> Result<(), HomeError> {
    transaction
        .prepare_cached("DELETE FROM facts WHERE kind = ?1 AND name = ?2")?
        .execute(params![kind.as_str(), name])?;
    Ok(())
}

/// Forgets the oldest facts of a kind that is kept by container.
fn trim(transaction: &Transaction<'_>, kind: Kind) -> Result<(), HomeError> {
    transaction.execute(
        "DELETE FROM facts WHERE kind = ?1 AND id NOT IN ( \
             SELECT id FROM facts WHERE kind = ?1 ORDER BY id DESC LIMIT ?2)",
        params![kind.as_str(), i64::try_from(CONTAINERS_MAX).unwrap_or(i64::MAX)],
    )?;
    Ok(())
}

/// Forgets what failed or completed of services that no kept revision has.
pub(super) fn retire(transaction: &Transaction<'_>) -> Result<(), HomeError> {
    transaction.execute(
        "DELETE FROM facts WHERE kind IN (?1, ?2, ?3, ?4, ?5, ?6) AND name NOT IN (SELECT service FROM revision_services)",
        [Kind::Completed, Kind::Failed, Kind::Left, Kind::Hold, Kind::Suspension, Kind::Restarts].map(Kind::as_str),
    )?;
    Ok(())
}

fn place(kind: Kind, name: &str) -> String {
    format!("{} {name}", kind.as_str())
}

//! Revisions: what was accepted, numbered and sealed as a whole. The one with the greatest number is current, and that
//! one is the truth.

use super::{Home, error::HomeError, facts, sealing::Sealer, store::Durability};
use crate::model::{
    desired::{Desired, Overrides},
    image::Images,
    names::{DesiredHash, ImageId, ServiceName},
    revision::{Hold, Origin, Revision, ServiceRecord},
    units::Timestamp,
};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// So many revisions are kept, and beside them the newest good one of each of their services.
pub const REVISIONS_MAX: usize = 100;

/// A revision to be made current.
#[derive(Clone, Debug)]
pub struct NewRevision {
    pub made: Timestamp,
    pub by: Origin,
    /// What makes it, such as `apply`, `apply core`, `rollback to 12`, `down`.
    pub reason: String,
    pub desired: Desired,
    pub images: Images,
    /// Of every service in `desired`.
    pub hashes: BTreeMap<ServiceName, DesiredHash>,
    /// Services that it holds where they are: those that a rollback moved.
    pub hold: BTreeMap<ServiceName, Hold>,
    /// Services whose hold ends with it: those that an apply names, or whose declaration changed.
    pub release: BTreeSet<ServiceName>,
}

/// A revision at a glance: nothing of it is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevisionSummary {
    pub number: u64,
    pub made: Timestamp,
    pub by: Origin,
    pub reason: String,
    pub services: BTreeMap<ServiceName, ServiceSummary>,
}

/// A service in a revision, at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSummary {
    /// Absent: its gates have not passed yet under this revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<ServiceRecord>,
    /// Absent where the revision does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageId>,
}

/// What is sealed of a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    /// Shared with every round that is towards it.
    pub(super) desired: Arc<Desired>,
    pub(super) images: Images,
    pub(super) hashes: BTreeMap<ServiceName, DesiredHash>,
}

/// A revision as it is written.
pub(super) struct Draft {
    pub(super) made: Timestamp,
    pub(super) by: Origin,
    pub(super) reason: String,
    pub(super) body: Body,
    pub(super) records: BTreeMap<ServiceName, ServiceRecord>,
}

/// How services fare under a revision.
pub type Records = BTreeMap<ServiceName, ServiceRecord>;

impl Home {
    /// The current revision; `None` before the first.
    pub fn current(&self) -> Result<Option<Revision>, HomeError> {
        self.store.read(|transaction| match newest(transaction)? {
            Some(number) => self.load(transaction, number),
            None => Ok(None),
        })
    }

    /// Whether the current revision has anything to keep. Asked again and again, of every home: where it has services, that
    /// is seen without the revision, which is as large as the stack.
    pub fn has_something(&self) -> Result<bool, HomeError> {
        self.store.read(|transaction| {
            let Some(number) = newest(transaction)? else { return Ok(false) };
            let has_services: bool = transaction
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM revision_services WHERE revision = ?1)")?
                .query_row([in_database(number)], |row| row.get(0))?;
            if has_services {
                return Ok(true);
            }
            let body = self.body(transaction, number)?;
            Ok(!body.desired.networks.is_empty() || !body.desired.volumes.is_empty())
        })
    }

    /// The overrides that the current revision has in force; none before the first.
    pub fn overrides_in_force(&self) -> Result<Overrides, HomeError> {
        self.store.read(|transaction| match newest(transaction)? {
            Some(number) => Ok(self.body(transaction, number)?.desired.overrides.clone()),
            None => Ok(Overrides::default()),
        })
    }

    /// One revision; `None` when it was never made, or is kept no more.
    pub fn revision(&self, number: u64) -> Result<Option<Revision>, HomeError> {
        self.store.read(|transaction| self.load(transaction, number))
    }

    /// The number of the current revision, and how its services fare under it; `None` before the first.
    pub fn current_records(&self) -> Result<Option<(u64, Records)>, HomeError> {
        self.store.read(|transaction| {
            let Some(number) = newest(transaction)? else { return Ok(None) };
            Ok(Some((number, records(transaction, number)?)))
        })
    }

    /// All that are kept, the newest first.
    pub fn list(&self) -> Result<Vec<RevisionSummary>, HomeError> {
        self.store.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT number, made, actor, commit_id, run_url, version, reason, why FROM revisions ORDER BY number DESC",
            )?;
            let mut summaries: Vec<RevisionSummary> = statement.query_map([], summary)?.collect::<Result<_, _>>()?;
            let mut services = services(transaction, None)?;
            for summary in &mut summaries {
                summary.services = services.remove(&summary.number).unwrap_or_default();
            }
            Ok(summaries)
        })
    }

    /// Makes a new revision current, with its holds, in one transaction; gives its number. A service that is what it
    /// was in the current one keeps its record. Revisions that are kept no more go.
    pub fn make_current(&self, new: NewRevision) -> Result<u64, HomeError> {
        self.store.write(Durability::PowerCut, |transaction| {
            let before = newest(transaction)?;
            let NewRevision { made, by, reason, desired, images, hashes, hold, release } = new;
            let records = match before {
                Some(before) => inherited(transaction, &self.sealer, before, &hashes)?,
                None => BTreeMap::new(),
            };
            let body = Body { desired: desired.into(), images, hashes };
            let draft = Draft { made, by, reason, body, records };
            let number = before.map_or(1, |before| before + 1);
            self.insert(transaction, number, &draft)?;
            for service in &release {
                facts::remove(transaction, facts::Kind::Hold, service.as_str())?;
            }
            for (service, hold) in &hold {
                facts::put(transaction, &self.sealer, facts::Kind::Hold, service.as_str(), hold)?;
            }
            Ok(number)
        })
    }

    /// Makes what already runs revision 0, each of its services good. Refused when there is any revision.
    pub fn adopt(&self, new: NewRevision) -> Result<(), HomeError> {
        self.store.write(Durability::PowerCut, |transaction| {
            if newest(transaction)?.is_some() {
                return Err(HomeError::NotFirst);
            }
            let NewRevision { made, by, reason, desired, images, hashes, .. } = new;
            let records = desired.services.keys().map(|name| (name.clone(), ServiceRecord::Good)).collect();
            let body = Body { desired: desired.into(), images, hashes };
            let draft = Draft { made, by, reason, body, records };
            self.insert(transaction, 0, &draft)
        })
    }

    /// Records how services fare under the current revision. Services that are not in it are passed over.
    pub fn mark(&self, services: &[ServiceName], record: ServiceRecord) -> Result<(), HomeError> {
        self.store.write(Durability::PowerCut, |transaction| {
            let current = newest(transaction)?.ok_or(HomeError::NoCurrent)?;
            set_records(transaction, current, services, record)
        })
    }

    /// All gates of these services passed: they are good under the current revision, and a failure on record of what
    /// they are now is forgotten.
    pub fn rollout_done(&self, services: &[ServiceName]) -> Result<(), HomeError> {
        self.store.write(Durability::PowerCut, |transaction| {
            let current = newest(transaction)?.ok_or(HomeError::NoCurrent)?;
            set_records(transaction, current, services, ServiceRecord::Good)?;
            let body = self.body(transaction, current)?;
            for service in services {
                facts::remove(transaction, facts::Kind::Left, service.as_str())?;
                let failed: Option<DesiredHash> =
                    facts::get(transaction, &self.sealer, facts::Kind::Failed, service.as_str())?;
                if failed.is_some() && failed.as_ref() == body.hashes.get(service) {
                    facts::remove(transaction, facts::Kind::Failed, service.as_str())?;
                }
            }
            Ok(())
        })
    }

    /// The newest revision before `before` under which the service's gates passed, and in which it is another than in
    /// the current one: where a rollback goes. `None` where there is no such one.
    pub fn newest_good(&self, service: &ServiceName, before: u64) -> Result<Option<u64>, HomeError> {
        self.store.read(|transaction| newest_good(transaction, service, before))
    }

    /// The newest revision before `before` under which the service's gates passed, whatever it was in it.
    pub fn newest_passed(&self, service: &ServiceName, before: u64) -> Result<Option<u64>, HomeError> {
        self.store.read(|transaction| {
            let found: Option<i64> = transaction
                .prepare_cached(
                    "SELECT max(revision) FROM revision_services \
                     WHERE service = ?1 AND revision < ?2 AND record = 'good'",
                )?
                .query_row(params![service.as_str(), in_database(before)], |row| row.get(0))?;
            Ok(found.map(from_database))
        })
    }

    /// What each service is in the current revision: its desired hash. `None` where it is not in it.
    pub fn current_hash(&self, service: &ServiceName) -> Result<Option<DesiredHash>, HomeError> {
        self.store.read(|transaction| match newest(transaction)? {
            Some(number) => Ok(self.body(transaction, number)?.hashes.get(service).cloned()),
            None => Ok(None),
        })
    }

    /// The images that kept revisions need, so that none of them is pruned away.
    pub fn kept_images(&self) -> Result<BTreeSet<(ServiceName, ImageId)>, HomeError> {
        self.store.read(|transaction| {
            let mut statement = transaction
                .prepare_cached("SELECT DISTINCT service, image FROM revision_services WHERE image IS NOT NULL")?;
            let rows = statement.query_map([], |row| {
                Ok((ServiceName::new(row.get::<_, String>(0)?), ImageId::new(row.get::<_, String>(1)?)))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Writes a revision and lets those go that are kept no more.
    pub(super) fn insert(&self, transaction: &Transaction<'_>, number: u64, draft: &Draft) -> Result<(), HomeError> {
        let Draft { made, by, reason, body, records } = draft;
        let sealed = self.sealer.seal(&place(number), body)?;
        let at = in_database(number);
        transaction
            .prepare_cached(
                "INSERT INTO revisions (number, made, actor, commit_id, run_url, version, reason, sealed, why) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![at, made.0, by.actor, by.commit, by.run_url, by.version, reason, sealed, by.reason])?;
        let mut statement = transaction.prepare_cached(
            "INSERT INTO revision_services (revision, service, record, image, fingerprint, replicas) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for (name, service) in &body.desired.services {
            statement.execute(params![
                at,
                name.as_str(),
                records.get(name).map(|record| record_text(*record)),
                body.images.get(&service.container.image).map(|image| image.id.as_str()),
                body.hashes.get(name).map(|hash| self.sealer.fingerprint(name, hash)),
                service.replicas,
            ])?;
        }
        self.record_copies(transaction, at, &body.desired)?;
        retire(transaction)
    }

    /// The whole of one revision.
    pub(super) fn load(&self, transaction: &Transaction<'_>, number: u64) -> Result<Option<Revision>, HomeError> {
        let light = transaction
            .prepare_cached(
                "SELECT number, made, actor, commit_id, run_url, version, reason, why FROM revisions WHERE number = ?1",
            )?
            .query_row([in_database(number)], summary)
            .optional()?;
        let Some(RevisionSummary { number, made, by, reason, .. }) = light else {
            return Ok(None);
        };
        let Body { desired, images, hashes } = Body::clone(&*self.body(transaction, number)?);
        let (desired, services) = (Arc::unwrap_or_clone(desired), records(transaction, number)?);
        Ok(Some(Revision { number, made, by, reason, desired, images, hashes, services }))
    }

    /// What is sealed of a revision. The last one is remembered: what is sealed never changes.
    pub(super) fn body(&self, transaction: &Transaction<'_>, number: u64) -> Result<Arc<Body>, HomeError> {
        let mut remembered = self.remembered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, body)) = remembered.as_ref().filter(|(of, _)| *of == number) {
            return Ok(Arc::clone(body));
        }
        let sealed: Option<Vec<u8>> = transaction
            .prepare_cached("SELECT sealed FROM revisions WHERE number = ?1")?
            .query_row([in_database(number)], |row| row.get(0))
            .optional()?;
        let sealed = sealed.ok_or(HomeError::NoRevision { number })?;
        let mut body = self.sealer.unseal::<Body>(&place(number), &sealed)?;
        self.follow_copies(Arc::make_mut(&mut body.desired));
        let body = Arc::new(body);
        *remembered = Some((number, Arc::clone(&body)));
        Ok(body)
    }
}

/// See `Home::newest_good`.
pub(super) fn newest_good(
    transaction: &Transaction<'_>,
    service: &ServiceName,
    before: u64,
) -> Result<Option<u64>, HomeError> {
    let found: Option<i64> = transaction
        .prepare_cached(
            "SELECT older.revision FROM revision_services AS older \
             LEFT JOIN revision_services AS now \
                 ON now.service = older.service AND now.revision = (SELECT max(number) FROM revisions) \
             WHERE older.service = ?1 AND older.revision < ?2 AND older.record = 'good' \
                 AND (older.fingerprint IS NOT now.fingerprint OR older.replicas <> now.replicas) \
             ORDER BY older.revision DESC LIMIT 1",
        )?
        .query_row(params![service.as_str(), in_database(before)], |row| row.get(0))
        .optional()?;
    Ok(found.map(from_database))
}

/// When a revision was made.
pub(super) fn made(transaction: &Transaction<'_>, number: u64) -> Result<Timestamp, HomeError> {
    let made = transaction
        .prepare_cached("SELECT made FROM revisions WHERE number = ?1")?
        .query_row([in_database(number)], |row| row.get(0))?;
    Ok(Timestamp(made))
}

/// The number of the current revision.
pub(super) fn newest(transaction: &Transaction<'_>) -> Result<Option<u64>, HomeError> {
    let number: Option<i64> =
        transaction.prepare_cached("SELECT max(number) FROM revisions")?.query_row([], |row| row.get(0))?;
    Ok(number.map(from_database))
}

/// Removes what is kept no more. The current revision is the newest, so it always stays.
fn retire(transaction: &Transaction<'_>) -> Result<(), HomeError> {
    let newest = "SELECT number FROM revisions ORDER BY number DESC LIMIT ?1";
    let removed = transaction
        .prepare_cached(&format!(
            "DELETE FROM revisions WHERE number NOT IN ({newest}) AND number NOT IN ( \
                 SELECT max(revision) FROM revision_services \
                 WHERE record = 'good' AND service IN ( \
                     SELECT service FROM revision_services WHERE revision IN ({newest})) \
                 GROUP BY service)"
        ))?
        .execute([i64::try_from(REVISIONS_MAX).unwrap_or(i64::MAX)])?;
    if removed > 0 {
        transaction
            .execute("DELETE FROM revision_services WHERE revision NOT IN (SELECT number FROM revisions)", [])?;
        transaction.execute("DELETE FROM copies WHERE revision NOT IN (SELECT number FROM revisions)", [])?;
        facts::retire(transaction)?;
    }
    Ok(())
}

/// The records of the services that are what they were in `before`.
fn inherited(
    transaction: &Transaction<'_>,
    sealer: &Sealer,
    before: u64,
    hashes: &BTreeMap<ServiceName, DesiredHash>,
) -> Result<BTreeMap<ServiceName, ServiceRecord>, HomeError> {
    let mut statement =
        transaction.prepare_cached("SELECT service, record, fingerprint FROM revision_services WHERE revision = ?1")?;
    let mut rows = statement.query([in_database(before)])?;
    let mut records = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (service, record, fingerprint): (String, Option<String>, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let service = ServiceName::new(service);
        let now = hashes.get(&service).map(|hash| sealer.fingerprint(&service, hash));
        if let Some(record) = record.as_deref().and_then(record_of)
            && now == fingerprint
        {
            records.insert(service, record);
        }
    }
    Ok(records)
}

fn set_records(
    transaction: &Transaction<'_>,
    revision: u64,
    services: &[ServiceName],
    record: ServiceRecord,
) -> Result<(), HomeError> {
    let mut statement =
        transaction.prepare_cached("UPDATE revision_services SET record = ?3 WHERE revision = ?1 AND service = ?2")?;
    for service in services {
        statement.execute(params![in_database(revision), service.as_str(), record_text(record)])?;
    }
    Ok(())
}

/// How the services of a revision fare under it.
pub(super) fn records(
    transaction: &Transaction<'_>,
    number: u64,
) -> Result<BTreeMap<ServiceName, ServiceRecord>, HomeError> {
    let services = services(transaction, Some(number))?.remove(&number).unwrap_or_default();
    Ok(services.into_iter().filter_map(|(name, service)| Some((name, service.record?))).collect())
}

/// The services of one revision, or of all, by revision.
fn services(
    transaction: &Transaction<'_>,
    of: Option<u64>,
) -> Result<BTreeMap<u64, BTreeMap<ServiceName, ServiceSummary>>, HomeError> {
    // Two statements, so that one revision is found by the index and not by reading all of them.
    let mut statement = transaction.prepare_cached(match of {
        Some(_) => "SELECT revision, service, record, image FROM revision_services WHERE revision = ?1",
        None => "SELECT revision, service, record, image FROM revision_services WHERE ?1 IS NULL",
    })?;
    let mut rows = statement.query([of.map(in_database)])?;
    let mut services: BTreeMap<u64, BTreeMap<ServiceName, ServiceSummary>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let record: Option<String> = row.get(2)?;
        let image: Option<String> = row.get(3)?;
        let summary = ServiceSummary { record: record.as_deref().and_then(record_of), image: image.map(ImageId::new) };
        let name = ServiceName::new(row.get::<_, String>(1)?);
        services.entry(from_database(row.get(0)?)).or_default().insert(name, summary);
    }
    Ok(services)
}

fn summary(row: &Row<'_>) -> rusqlite::Result<RevisionSummary> {
    Ok(RevisionSummary {
        number: from_database(row.get(0)?),
        made: Timestamp(row.get(1)?),
        by: Origin {
            actor: row.get(2)?,
            commit: row.get(3)?,
            run_url: row.get(4)?,
            version: row.get(5)?,
            reason: row.get(7)?,
        },
        reason: row.get(6)?,
        services: BTreeMap::new(),
    })
}

fn place(number: u64) -> String {
    format!("revision {number}")
}

fn record_text(record: ServiceRecord) -> &'static str {
    match record {
        ServiceRecord::Good => "good",
        ServiceRecord::Failed => "failed",
    }
}

fn record_of(text: &str) -> Option<ServiceRecord> {
    [ServiceRecord::Good, ServiceRecord::Failed].into_iter().find(|record| record_text(*record) == text)
}

/// A number as SQLite has it; none of ours comes near its end.
pub(super) fn in_database(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The number back; there are no negative ones in the database.
pub(super) fn from_database(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

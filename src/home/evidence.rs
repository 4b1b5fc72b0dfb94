//! Evidence: what failed containers left behind, sealed, for the last failures only.

use super::{
    Home,
    error::HomeError,
    revisions::{from_database, in_database},
    store::Durability,
};
use crate::model::{evidence::Evidence, names::ServiceName, units::Timestamp};
use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use std::borrow::Cow;

/// The failures of a stack whose evidence is kept.
pub const EVIDENCE_MAX: u64 = 10;
/// The end of a log that is kept, in bytes.
pub const LOG_BYTES_MAX: usize = 4 << 20;

/// A failure at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceSummary {
    pub id: u64,
    pub at: Timestamp,
    pub service: ServiceName,
}

impl Home {
    /// Keeps what a failed container left behind, of its log the end. The oldest goes when there are too many.
    pub fn keep_evidence(&self, evidence: &Evidence) -> Result<(), HomeError> {
        let log = end_of(&evidence.log, LOG_BYTES_MAX);
        let kept = match log.len() == evidence.log.len() {
            true => Cow::Borrowed(evidence),
            false => Cow::Owned(Evidence { log: log.to_owned(), ..evidence.clone() }),
        };
        self.store.write(Durability::Process, |transaction| {
            // The number is part of what is sealed, so the row is made first.
            transaction
                .prepare_cached("INSERT INTO evidence (at, service, sealed) VALUES (?1, ?2, x'')")?
                .execute(params![evidence.at.0, evidence.service.as_str()])?;
            let id = transaction.last_insert_rowid();
            let sealed = self.sealer.seal(&place(from_database(id)), kept.as_ref())?;
            transaction
                .prepare_cached("UPDATE evidence SET sealed = ?2 WHERE id = ?1")?
                .execute(params![id, sealed])?;
            transaction.execute(
                "DELETE FROM evidence WHERE id NOT IN (SELECT id FROM evidence ORDER BY id DESC LIMIT ?1)",
                [in_database(EVIDENCE_MAX)],
            )?;
            Ok(())
        })
    }

    /// What there is, the newest first.
    pub fn evidence_list(&self) -> Result<Vec<EvidenceSummary>, HomeError> {
        self.store.read(|transaction| {
            let mut statement = transaction.prepare_cached("SELECT id, at, service FROM evidence ORDER BY id DESC")?;
            let rows = statement.query_map([], |row| {
                Ok(EvidenceSummary {
                    id: from_database(row.get(0)?),
                    at: Timestamp(row.get(1)?),
                    service: ServiceName::new(row.get::<_, String>(2)?),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The newest of a service; `None` where nothing of it is kept.
    pub fn evidence_of(&self, service: &ServiceName) -> Result<Option<Evidence>, HomeError> {
        self.one("SELECT id, sealed FROM evidence WHERE service = ?1 ORDER BY id DESC LIMIT 1", service.as_str())
    }

    /// One, by its number in the list.
    pub fn evidence(&self, id: u64) -> Result<Option<Evidence>, HomeError> {
        self.one("SELECT id, sealed FROM evidence WHERE id = ?1", in_database(id))
    }

    fn one(&self, query: &str, key: impl rusqlite::ToSql) -> Result<Option<Evidence>, HomeError> {
        self.store.read(|transaction| {
            let row: Option<(i64, Vec<u8>)> =
                transaction.prepare_cached(query)?.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            row.map(|(id, sealed)| self.sealer.unseal(&place(from_database(id)), &sealed)).transpose()
        })
    }
}

/// The end of a text, of at most so many bytes, beginning with a whole character.
fn end_of(text: &str, bytes_max: usize) -> &str {
    let from = text.len().saturating_sub(bytes_max);
    let from = (from..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
    text.get(from..).unwrap_or_default()
}

fn place(id: u64) -> String {
    format!("evidence {id}")
}

//! Events: what happened, in the order in which it was told. Not sealed: who makes an event puts no sensitive value in it.

use super::{
    Home,
    error::HomeError,
    revisions::{from_database, in_database},
    store::Durability,
};
use crate::model::{
    event::{Event, EventKind, Severity},
    names::ServiceName,
    status::LastRollout,
    units::{Millis, Timestamp},
};
use rusqlite::{Row, Transaction, params};
use std::collections::BTreeMap;

/// So many events are kept at most.
pub const EVENTS_MAX: u64 = 20_000;
/// So many of them are progress (`Severity::Debug`).
pub const DEBUG_EVENTS_MAX: u64 = 4_000;
/// Counted back from the newest event.
pub const EVENT_AGE_MAX: Millis = Millis(90 * 24 * 3_600_000);
/// Of progress.
pub const DEBUG_EVENT_AGE_MAX: Millis = Millis(7 * 24 * 3_600_000);

/// What is old is looked for once in so many events.
const RETENTION_PERIOD: u64 = 256;

/// Which events to give, in rising order.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// Only those after this one; the first `limit` of them. Without it: the last `limit` of all.
    pub since: Option<u64>,
    pub service: Option<ServiceName>,
    /// At least so grave; `None`: all.
    pub severity: Option<Severity>,
    /// At most so many; `None`: all.
    pub limit: Option<u64>,
}

impl Home {
    /// Records events, in one transaction, and gives the number of each. Old ones go.
    pub fn append(&self, events: &[Event]) -> Result<Vec<u64>, HomeError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        self.store.write(Durability::Process, |transaction| {
            let mut numbers = Vec::with_capacity(events.len());
            for event in events {
                numbers.push(insert(transaction, event)?);
            }
            let due = |seq: &u64| seq.is_multiple_of(RETENTION_PERIOD);
            if let Some(newest) = events.iter().map(|event| event.time).max().filter(|_| numbers.iter().any(due)) {
                retire(transaction, newest)?;
            }
            Ok(numbers)
        })
    }

    /// The events that were asked for.
    pub fn events(&self, query: &EventQuery) -> Result<Vec<Event>, HomeError> {
        self.store.read(|transaction| {
            let order = if query.since.is_some() { "ASC" } else { "DESC" };
            let mut statement = transaction.prepare_cached(&format!(
                "SELECT seq, body FROM events \
                 WHERE seq > ?1 AND (?2 IS NULL OR service = ?2) AND severity >= ?3 ORDER BY seq {order} LIMIT ?4"
            ))?;
            let mut rows = statement.query(params![
                query.since.map_or(0, in_database),
                query.service.as_ref().map(ServiceName::as_str),
                query.severity.map_or(0, rank),
                query.limit.map_or(-1, in_database),
            ])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                let (seq, body): (i64, String) = (row.get(0)?, row.get(1)?);
                let event: Event = serde_json::from_str(&body)
                    .map_err(|source| HomeError::Unreadable { what: format!("event {seq}"), source })?;
                events.push(Event { seq: from_database(seq), ..event });
            }
            if query.since.is_none() {
                events.reverse();
            }
            Ok(events)
        })
    }

    /// How the last rollout of each service ended; it outlives its events.
    pub fn last_rollouts(&self) -> Result<BTreeMap<ServiceName, LastRollout>, HomeError> {
        self.store.read(|transaction| {
            let mut statement =
                transaction.prepare_cached("SELECT service, at, result, text FROM last_rollouts ORDER BY service")?;
            let rows = statement.query_map([], |row: &Row<'_>| {
                let rollout = LastRollout { at: Timestamp(row.get(1)?), result: row.get(2)?, text: row.get(3)? };
                Ok((ServiceName::new(row.get::<_, String>(0)?), rollout))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn insert(transaction: &Transaction<'_>, event: &Event) -> Result<u64, HomeError> {
    let body =
        serde_json::to_string(event).map_err(|source| HomeError::Unwritable { what: "an event".to_owned(), source })?;
    let service = event.service.as_ref().map(ServiceName::as_str);
    transaction
        .prepare_cached("INSERT INTO events (time, severity, service, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![event.time.0, rank(event.severity), service, body])?;
    let seq = from_database(transaction.last_insert_rowid());
    if let (Some(service), Some(result)) = (service, result_of(event.kind)) {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO last_rollouts (service, at, result, text) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![service, event.time.0, result, event.text])?;
    }
    Ok(seq)
}

/// What an event says of how a rollout ended.
fn result_of(kind: EventKind) -> Option<&'static str> {
    match kind {
        EventKind::RolloutDone => Some("done"),
        EventKind::RolloutFailed | EventKind::UndoFailed => Some("failed"),
        EventKind::RolloutUndone => Some("undone"),
        EventKind::RolloutUnproven => Some("unproven"),
        _ => None,
    }
}

fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Debug => 0,
        Severity::Info => 1,
        Severity::Warning => 2,
        Severity::Error => 3,
    }
}

/// Age is counted from the newest event, so that no clock is read.
fn retire(transaction: &Transaction<'_>, newest: Timestamp) -> Result<(), HomeError> {
    let before = |age: Millis| newest.0.saturating_sub(i64::try_from(age.0).unwrap_or(i64::MAX));
    let remove = |severity_max: i64, age: Millis, count: u64| -> Result<(), HomeError> {
        transaction
            .prepare_cached(
                "DELETE FROM events WHERE severity <= ?1 AND (time < ?2 OR seq <= ( \
                     SELECT seq FROM events WHERE severity <= ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?3))",
            )?
            .execute(params![severity_max, before(age), in_database(count)])?;
        Ok(())
    };
    remove(rank(Severity::Debug), DEBUG_EVENT_AGE_MAX, DEBUG_EVENTS_MAX)?;
    remove(rank(Severity::Error), EVENT_AGE_MAX, EVENTS_MAX)
}

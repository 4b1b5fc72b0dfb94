//! Revisions, the newest first: what was accepted, when, by whom, why.

use super::{
    quantities::{age, moment},
    sheet::Table,
    style::{Style, Text, Tone},
};
use crate::model::{
    names::{ImageReference, ServiceName},
    revision::{Origin, Revision, ServiceRecord},
    units::Timestamp,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A revision as it may be shown: nothing of its desired state but the images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    pub number: u64,
    pub current: bool,
    pub made: Timestamp,
    pub reason: String,
    pub by: Origin,
    pub services: BTreeMap<ServiceName, HistoryService>,
}

/// One service of a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryService {
    pub image: ImageReference,
    /// Absent: it was not rolled out to the end under this revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<ServiceRecord>,
}

impl HistoryEntry {
    /// What may be shown of a revision.
    pub fn of(revision: &Revision, current: Option<u64>) -> HistoryEntry {
        let service = |(name, service): (&ServiceName, &crate::model::desired::Service)| {
            let record = revision.services.get(name).copied();
            (name.clone(), HistoryService { image: service.container.image.clone(), record })
        };
        HistoryEntry {
            number: revision.number,
            current: current == Some(revision.number),
            made: revision.made,
            reason: revision.reason.clone(),
            by: revision.by.clone(),
            services: revision.desired.services.iter().map(service).collect(),
        }
    }

    /// `all good`, `2 of 3 good, 1 failed`.
    fn outcome(&self) -> String {
        let count = |record: ServiceRecord| self.services.values().filter(|one| one.record == Some(record)).count();
        let (good, failed, all) = (count(ServiceRecord::Good), count(ServiceRecord::Failed), self.services.len());
        match (good, failed) {
            _ if all == 0 => "no services".to_owned(),
            (good, 0) if good == all => "all good".to_owned(),
            (good, 0) => format!("{good} of {all} good"),
            (good, failed) => format!("{good} of {all} good, {failed} failed"),
        }
    }
}

/// The history as text, every line ended, in the given order; ages are counted up to `now`.
pub fn history_text(entries: &[HistoryEntry], now: Timestamp, style: Style) -> String {
    if entries.is_empty() {
        return "no revision yet\n".to_owned();
    }
    let mut table = Table::default();
    let titles = ["  REVISION", "MADE", "AGE", "WHAT", "SERVICES", "BY", "COMMIT"];
    table.row(titles.iter().map(|title| Text::toned(Tone::Quiet, title)).collect());
    for entry in entries {
        let mark = if entry.current { Text::toned(Tone::Good, "*") } else { " ".into() };
        let commit = entry.by.commit.as_deref().map_or("-", |commit| commit.get(..12).unwrap_or(commit));
        table.row(vec![
            mark.space(1).and(Tone::Strong, entry.number.to_string()),
            moment(entry.made).into(),
            age(entry.made, now).into(),
            entry.reason.as_str().into(),
            entry.outcome().into(),
            if entry.by.actor.is_empty() { "-".into() } else { entry.by.actor.as_str().into() },
            commit.into(),
        ]);
    }
    if entries.iter().any(|entry| entry.current) {
        table.whole("");
        table.whole(Text::toned(Tone::Quiet, "* the current revision"));
    }
    table.paint(style)
}

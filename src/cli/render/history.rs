//! Revisions, the newest first: what was accepted, when, by whom, why.

use super::{
    quantities::{age, moment},
    sheet::Table,
    style::{Style, Text, Tone},
};
use crate::{
    home::RevisionSummary,
    model::{revision::ServiceRecord, units::Timestamp},
};
use serde::Serialize;

/// A revision at a glance, and whether it is the current one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    pub current: bool,
    #[serde(flatten)]
    pub revision: RevisionSummary,
}

impl HistoryEntry {
    /// Of all revisions, the newest first: the newest is the current one.
    pub fn of_all(revisions: Vec<RevisionSummary>) -> Vec<HistoryEntry> {
        let newest = revisions.first().map(|revision| revision.number);
        let entry = |revision: RevisionSummary| HistoryEntry { current: newest == Some(revision.number), revision };
        revisions.into_iter().map(entry).collect()
    }

    /// `all good`, `2 of 3 good, 1 failed`.
    fn outcome(&self) -> String {
        let services = &self.revision.services;
        let count = |record: ServiceRecord| services.values().filter(|one| one.record == Some(record)).count();
        let (good, failed, all) = (count(ServiceRecord::Good), count(ServiceRecord::Failed), services.len());
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
        let revision = &entry.revision;
        let mark = if entry.current { Text::toned(Tone::Good, "*") } else { " ".into() };
        let commit = revision.by.commit.as_deref().map_or("-", |commit| commit.get(..12).unwrap_or(commit));
        table.row(vec![
            mark.space(1).and(Tone::Strong, revision.number.to_string()),
            moment(revision.made).into(),
            age(revision.made, now).into(),
            revision.reason.as_str().into(),
            entry.outcome().into(),
            if revision.by.actor.is_empty() { "-".into() } else { revision.by.actor.as_str().into() },
            commit.into(),
        ]);
    }
    if entries.iter().any(|entry| entry.current) {
        table.whole("");
        table.whole(Text::toned(Tone::Quiet, "* the current revision"));
    }
    table.paint(style)
}

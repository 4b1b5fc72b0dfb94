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
    // Most people give none.
    let reasons = entries.iter().any(|entry| entry.revision.by.reason.is_some());
    let titles = ["  REVISION", "MADE", "AGE", "WHAT", "SERVICES", "BY", "COMMIT"];
    let titles = titles.into_iter().chain(reasons.then_some("REASON"));
    table.row(titles.map(|title| Text::toned(Tone::Quiet, title)).collect());
    for entry in entries {
        let revision = &entry.revision;
        let mark = if entry.current { Text::toned(Tone::Good, "*") } else { " ".into() };
        let commit = revision.by.commit.as_deref().map_or("-", |commit| commit.get(..12).unwrap_or(commit));
        let mut row = vec![
            mark.space(1).and(Tone::Strong, revision.number.to_string()),
            moment(revision.made).into(),
            age(revision.made, now).into(),
            revision.reason.as_str().into(),
            entry.outcome().into(),
            if revision.by.actor.is_empty() { "-".into() } else { revision.by.actor.as_str().into() },
            commit.into(),
        ];
        row.extend(reasons.then(|| revision.by.reason.as_deref().unwrap_or("-").into()));
        table.row(row);
    }
    if entries.iter().any(|entry| entry.current) {
        table.whole("");
        table.whole(Text::toned(Tone::Quiet, "* the current revision"));
    }
    table.paint(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::revision::Origin;

    fn made(number: u64, what: &str, reason: Option<&str>) -> RevisionSummary {
        let by = Origin { actor: "ann@ci".into(), reason: reason.map(str::to_owned), ..Origin::default() };
        let services = Default::default();
        RevisionSummary { number, made: Timestamp(3_600_000), by, reason: what.to_owned(), services }
    }

    #[test]
    fn reasons_have_a_column_where_there_are_any() {
        let text = |reason| {
            let entries = HistoryEntry::of_all(vec![made(2, "apply core", reason), made(1, "apply", None)]);
            history_text(&entries, Timestamp(7_200_000), Style::PLAIN)
        };
        let expected = "\
\x20 REVISION  MADE                  AGE  WHAT        SERVICES     BY      COMMIT  REASON
* 2         1970-01-01 01:00:00Z  1h   apply core  no services  ann@ci  -       the page was slow
  1         1970-01-01 01:00:00Z  1h   apply       no services  ann@ci  -       -

* the current revision
";
        assert_eq!(text(Some("the page was slow")), expected);
        assert!(!text(None).contains("REASON"));
    }
}

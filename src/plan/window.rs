//! Whether a window is open: a cron expression read on the clock of a time zone, and a duration of elapsed time. The time
//! zones are those compiled in, so that the same inputs give the same answer on every machine.
//!
//! A window opens at the first moment at which the zone's clock shows a time of its cron expression or a later one. So what
//! a clock that is set forward skips, opens at the end of the gap, and what a clock that is set back shows twice, opens at
//! the first. Cron is asked about clock times alone; what they are in elapsed time is decided here.

use crate::model::{policy::Window, units::Timestamp};
use croner::{
    CivilDate, CivilDateTime, CivilTime, Cron, CronDateTime, Resolution, Weekday,
    errors::CronError,
    parser::{CronParser, Seconds, Year},
};
use jiff::{
    SignedDuration,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use std::cmp::Ordering;

/// A window that is opened again while it is open is followed so many times; then its end is where it is looked at again.
const FOLLOWED_MAX: usize = 100;
/// No clock was ever set by more than a day; one set back longer ago shows nothing twice.
const CHANGE_MAX: SignedDuration = SignedDuration::from_hours(48);

/// Whether a window is open, and until when that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowState {
    Open {
        /// The first moment at which it is closed.
        closes: Timestamp,
    },
    Closed {
        /// The next moment at which it opens; `None`: it never does.
        opens: Option<Timestamp>,
    },
}

/// Whether a window is open at a moment. One that means nothing (see `check_cron`, `check_timezone`) is closed for ever.
pub fn state(window: &Window, now: Timestamp) -> WindowState {
    let Some(openings) = Openings::of(window) else { return WindowState::Closed { opens: None } };
    let closing = |opened: Timestamp| opened.plus(window.duration);
    let Some(mut closes) = openings.latest(now).map(closing).filter(|closes| *closes > now) else {
        return WindowState::Closed { opens: openings.next(now) };
    };
    for _ in 0..FOLLOWED_MAX {
        match openings.latest(closes).map(closing) {
            Some(later) if later > closes => closes = later,
            _ => break,
        }
    }
    WindowState::Open { closes }
}

/// Whether a text is a cron expression of five fields.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub fn check_cron(text: &str) -> Result<(), String> {
    cron(text).map(|_| ())
}

/// Whether a text is the name of a time zone.
pub fn is_timezone(name: &str) -> bool {
    zone(name).is_some()
}

/// The names of all time zones.
pub fn timezones() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

fn cron(text: &str) -> Result<Cron, String> {
    let fields = text.split_whitespace().count();
    if fields != 5 {
        let s = if fields == 1 { "" } else { "s" };
        return Err(format!("it has {fields} field{s} instead of five"));
    }
    if let Some(strange) = text.chars().find(|c| !c.is_ascii() || c.is_ascii_control()) {
        return Err(format!("`{}` means nothing in it", strange.escape_default()));
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| {
        let what = match error {
            CronError::ComponentError(what) | CronError::InvalidPattern(what) | CronError::IllegalCharacters(what) => {
                what
            }
            other => other.to_string(),
        };
        let what = what.trim_end_matches('.');
        let mut letters = what.chars();
        letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_ascii_lowercase(), letters.as_str()))
    })
}

fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// The moments at which a window opens.
struct Openings {
    cron: Cron,
    zone: TimeZone,
}

impl Openings {
    fn of(window: &Window) -> Option<Openings> {
        Some(Openings { cron: cron(&window.cron).ok()?, zone: zone(&window.timezone)? })
    }

    /// The latest one at a moment or before it.
    fn latest(&self, now: Timestamp) -> Option<Timestamp> {
        let shown = Wall(self.highest_shown(now)?);
        self.moment(self.cron.find_previous_occurrence(&shown, true).ok()?.0)
    }

    /// The first one after a moment.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let shown = Wall(self.highest_shown(now)?);
        self.moment(self.cron.find_next_occurrence(&shown, false).ok()?.0)
    }

    /// The highest time that the zone's clock has shown up to a moment, to the second. It is what the clock shows then,
    /// unless it was set back a short while ago.
    fn highest_shown(&self, now: Timestamp) -> Option<DateTime> {
        let now = jiff::Timestamp::from_millisecond(now.0).ok()?;
        let second = SignedDuration::from_secs(1);
        let since = now.checked_sub(CHANGE_MAX).ok()?;
        let changes = self.zone.preceding(now.checked_add(second).ok()?).map(|change| change.timestamp());
        let changes = changes.filter(|change| *change <= now).take_while(|change| *change >= since);
        let before = changes.filter_map(|change| change.checked_sub(second).ok());
        before.chain([now]).map(|then| self.zone.to_datetime(then)).max()
    }

    /// The first moment at which the clock shows this time or a later one.
    fn moment(&self, wall: DateTime) -> Option<Timestamp> {
        let shown = self.zone.to_ambiguous_timestamp(wall);
        let offset = shown.offset();
        let moment = shown.compatible().ok()?;
        let moment = match offset {
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => moment,
            // As the clock would have gone on: at the end of the gap or later.
            AmbiguousOffset::Gap { .. } => {
                let second = SignedDuration::from_secs(1);
                self.zone.preceding(moment.checked_add(second).ok()?).next()?.timestamp()
            }
        };
        Some(Timestamp(moment.as_millisecond()))
    }
}

/// What a clock shows, without a zone: each time once, none twice, as if no clock were ever set.
#[derive(Clone)]
struct Wall(DateTime);

impl CronDateTime for Wall {
    fn to_civil(&self) -> CivilDateTime {
        let part = |part: i8| u32::try_from(part).unwrap_or(0);
        let (at, date) = (self.0, self.0.date());
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(date.year().into(), part(date.month()), part(date.day())),
            CivilTime::from_parts_unchecked(part(at.hour()), part(at.minute()), part(at.second())),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(u32::try_from(self.0.weekday().to_sunday_zero_offset()).unwrap_or(0))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Wall>, CronError> {
        let part = |part: u32| i8::try_from(part).map_err(|_| CronError::InvalidTime);
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        let (month, day) = (part(civil.month())?, part(civil.day())?);
        let at = DateTime::new(year, month, day, part(civil.hour())?, part(civil.minute())?, part(civil.second())?, 0);
        at.map(|at| Resolution::Single(Wall(at))).map_err(|_| CronError::InvalidDate)
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Wall> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Wall)
    }

    fn cmp_instant(&self, other: &Wall) -> Ordering {
        self.0.cmp(&other.0)
    }
}

#[cfg(test)]
mod tests;

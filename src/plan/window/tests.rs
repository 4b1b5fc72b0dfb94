//! Windows across every change of clocks that a table can hold, and a total answer for whatever else is asked.

use super::*;
use crate::model::units::Millis;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|| panic!("{text}"))
}

fn window(cron: &str, duration: &str, timezone: &str) -> Window {
    Window { cron: cron.into(), duration: duration.parse().unwrap(), timezone: timezone.into() }
}

/// `open until 2026-…` or `closed until 2026-…`, in the window's own time zone.
fn told(window: &Window, now: &str) -> String {
    let local = |moment: Timestamp| {
        let moment = jiff::Timestamp::from_millisecond(moment.0).unwrap();
        let zone = zone(&window.timezone).unwrap();
        format!("{} {}", zone.to_datetime(moment).strftime("%F %R"), zone.to_offset(moment))
    };
    match state(window, at(now)) {
        WindowState::Open { closes } => format!("open until {}", local(closes)),
        WindowState::Closed { opens: Some(opens) } => format!("closed until {}", local(opens)),
        WindowState::Closed { opens: None } => "closed for ever".to_owned(),
    }
}

/// Each line: now, and what is told then.
fn holds(window: &Window, rows: &[(&str, &str)]) {
    for (now, expected) in rows {
        assert_eq!(told(window, now), *expected, "{window:?} at {now}");
    }
}

#[test]
fn an_ordinary_day() {
    let nightly = window("0 2 * * *", "2h", "UTC");
    holds(
        &nightly,
        &[
            ("2026-11-25T01:59:59.999Z", "closed until 2026-11-25 02:00 +00"),
            ("2026-11-25T02:00:00Z", "open until 2026-11-25 04:00 +00"),
            ("2026-11-25T03:59:59.999Z", "open until 2026-11-25 04:00 +00"),
            ("2026-11-25T04:00:00Z", "closed until 2026-11-26 02:00 +00"),
        ],
    );
    let workdays = window("30 22 * * MON-FRI", "1h", "Europe/Berlin");
    // A Friday, and the weekend after it.
    holds(
        &workdays,
        &[
            ("2026-11-27T21:30:00Z", "open until 2026-11-27 23:30 +01"),
            ("2026-11-28T12:00:00Z", "closed until 2026-11-30 22:30 +01"),
        ],
    );
}

#[test]
fn an_opening_that_a_clock_skips_is_at_the_end_of_the_gap() {
    // 02:00 became 03:00.
    for cron in ["0 2 * * *", "30 2 * * *", "0 3 * * *"] {
        holds(
            &window(cron, "2h", "Australia/Sydney"),
            &[
                ("2026-10-04T01:59:59+10:00", "closed until 2026-10-04 03:00 +11"),
                ("2026-10-04T03:00:00+11:00", "open until 2026-10-04 05:00 +11"),
            ],
        );
    }
    holds(
        &window("15 2 8 3 *", "30m", "America/New_York"),
        &[
            ("2026-03-08T01:59:00-05:00", "closed until 2026-03-08 03:00 -04"),
            ("2026-03-08T03:29:59-04:00", "open until 2026-03-08 03:30 -04"),
            ("2026-03-08T03:30:00-04:00", "closed until 2027-03-08 02:15 -05"),
        ],
    );
    holds(
        &window("30 2 * * SUN", "1h", "Europe/Berlin"),
        &[("2026-03-29T00:00:00Z", "closed until 2026-03-29 03:00 +02")],
    );
}

#[test]
fn an_opening_that_a_clock_shows_twice_is_at_the_first() {
    // 03:00 became 02:00.
    holds(
        &window("30 2 * * *", "1h", "Australia/Sydney"),
        &[
            ("2026-04-05T02:00:00+11:00", "closed until 2026-04-05 02:30 +11"),
            ("2026-04-05T02:30:00+11:00", "open until 2026-04-05 02:30 +10"),
            ("2026-04-05T02:29:59+10:00", "open until 2026-04-05 02:30 +10"),
            ("2026-04-05T02:30:00+10:00", "closed until 2026-04-06 02:30 +10"),
            ("2026-04-05T02:45:00+10:00", "closed until 2026-04-06 02:30 +10"),
        ],
    );
    holds(
        &window("30 1 * * *", "10m", "America/New_York"),
        &[
            ("2026-11-01T01:35:00-04:00", "open until 2026-11-01 01:40 -04"),
            ("2026-11-01T01:35:00-05:00", "closed until 2026-11-02 01:30 -05"),
        ],
    );
    holds(
        &window("0 2 * * *", "30m", "Europe/Berlin"),
        &[
            ("2026-10-25T02:10:00+02:00", "open until 2026-10-25 02:30 +02"),
            ("2026-10-25T02:10:00+01:00", "closed until 2026-10-26 02:00 +01"),
        ],
    );
}

#[test]
fn a_duration_is_elapsed_time() {
    // From 22:00 on the evening before, eight hours: to five o'clock, or to seven.
    let night = window("0 22 * * *", "8h", "Europe/Berlin");
    holds(
        &night,
        &[
            ("2026-10-24T22:00:00+02:00", "open until 2026-10-25 05:00 +01"),
            ("2026-03-28T22:00:00+01:00", "open until 2026-03-29 07:00 +02"),
            ("2026-06-01T22:00:00+02:00", "open until 2026-06-02 06:00 +02"),
        ],
    );
}

#[test]
fn a_day_that_never_was_is_a_gap_too() {
    // After the 29th of December 2011 came the 31st.
    holds(
        &window("0 2 * * *", "1h", "Pacific/Apia"),
        &[
            ("2011-12-29T23:00:00-10:00", "closed until 2011-12-31 00:00 +14"),
            ("2011-12-31T00:00:00+14:00", "open until 2011-12-31 01:00 +14"),
            ("2011-12-31T01:00:00+14:00", "closed until 2011-12-31 02:00 +14"),
            ("2011-12-31T02:30:00+14:00", "open until 2011-12-31 03:00 +14"),
        ],
    );
    holds(
        &window("0 12 30 12 *", "1h", "Pacific/Apia"),
        &[("2011-12-29T12:00:00-10:00", "closed until 2011-12-31 00:00 +14")],
    );
}

#[test]
fn windows_that_overlap_are_one() {
    holds(
        &window("0 1,2,3 * * *", "90m", "UTC"),
        &[
            ("2026-11-25T01:00:00Z", "open until 2026-11-25 04:30 +00"),
            ("2026-11-25T04:30:00Z", "closed until 2026-11-26 01:00 +00"),
        ],
    );
    // What opens as it closes does not close.
    holds(&window("0 1,2 * * *", "1h", "UTC"), &[("2026-11-25T01:30:00Z", "open until 2026-11-25 03:00 +00")]);
}

#[test]
fn a_window_longer_than_its_period_is_open_as_far_as_it_is_followed() {
    for (cron, duration) in [("0 2 * * *", "24h"), ("0 2 * * *", "36h"), ("* * * * *", "1m"), ("* * * * *", "30d")] {
        let always = window(cron, duration, "UTC");
        let now = at("2026-11-25T12:00:00Z");
        assert!(matches!(state(&always, now), WindowState::Open { closes } if closes > now), "{cron} {duration}");
    }
}

#[test]
fn what_never_comes_is_closed_for_ever() {
    holds(&window("0 0 30 2 *", "1h", "UTC"), &[("2026-11-25T12:00:00Z", "closed for ever")]);
    for (cron, timezone) in [("nonsense", "UTC"), ("0 2 * * *", "Mars/Olympus")] {
        let state = state(&window(cron, "1h", timezone), at("2026-11-25T12:00:00Z"));
        assert_eq!(state, WindowState::Closed { opens: None });
    }
    let leap = window("0 0 29 2 *", "1h", "UTC");
    holds(&leap, &[("2026-11-25T12:00:00Z", "closed until 2028-02-29 00:00 +00")]);
    holds(&window("0 2 * * *", "0s", "UTC"), &[("2026-11-25T02:00:00Z", "closed until 2026-11-26 02:00 +00")]);
}

#[test]
fn what_is_wrong_with_a_cron_expression_is_said() {
    for good in ["0 2 * * *", "*/15 1-5 * JAN,FEB MON#1", "0 0 L * *", "0 0 15W * *", "0 0 * * 7"] {
        assert_eq!(check_cron(good), Ok(()), "{good}");
    }
    let rows = [
        ("", "it has 0 fields instead of five"),
        ("@daily", "it has 1 field instead of five"),
        ("0 0 2 * * *", "it has 6 fields instead of five"),
        ("0 2 * * é", "`\\u{e9}` means nothing in it"),
    ];
    for (text, expected) in rows {
        assert_eq!(check_cron(text).unwrap_err(), expected, "{text}");
    }
    for text in [
        "60 2 * * *",
        "0 24 * * *",
        "0 2 0 * *",
        "0 2 * 13 *",
        "0 2 * * FOO",
        "a b c d e",
        "5-1 * * * *",
        "*/0 * * * *",
    ] {
        let said = check_cron(text).unwrap_err();
        assert!(!said.is_empty() && !said.ends_with('.'), "{text}: {said}");
    }
}

#[test]
fn time_zones_are_known_by_their_names() {
    for name in ["UTC", "Australia/Sydney", "europe/berlin", "Etc/GMT-14"] {
        assert!(is_timezone(name), "{name}");
    }
    for name in ["", "Sydney", "+10:00", "../../etc/passwd", "Europe/"] {
        assert!(!is_timezone(name), "{name}");
    }
    assert!(timezones().iter().any(|name| name == "Pacific/Apia"));
}

proptest! {
    /// No answer contradicts itself: what is open closes later and was opened, what is closed is open when it opens.
    #[test]
    fn an_answer_holds_until_the_moment_it_names(
        minute in prop_oneof![Just("*".to_owned()), (0..60u32).prop_map(|m| m.to_string()), Just("*/20".to_owned())],
        hour in prop_oneof![Just("*".to_owned()), (0..24u32).prop_map(|h| h.to_string())],
        day in prop_oneof![3 => Just("*".to_owned()), 1 => (1..=31u32).prop_map(|d| d.to_string())],
        minutes in 1..3000u64,
        zone in prop_oneof![
            Just("Australia/Sydney"), Just("Australia/Lord_Howe"), Just("America/New_York"), Just("Europe/Berlin"),
            Just("Africa/Casablanca"), Just("Pacific/Apia"), Just("UTC"),
        ],
        now in 1_300_000_000..2_000_000_000i64,
    ) {
        let window =
            Window { cron: format!("{minute} {hour} {day} * *"), duration: Millis::minutes(minutes), timezone: zone.into() };
        let now = Timestamp(now * 1000);
        match state(&window, now) {
            WindowState::Open { closes } => {
                prop_assert!(closes > now);
                let last = Timestamp(closes.0 - 1);
                prop_assert!(matches!(state(&window, last), WindowState::Open { .. }), "{last} is open");
            }
            WindowState::Closed { opens } => {
                let opens = opens.unwrap();
                prop_assert!(opens > now);
                prop_assert!(matches!(state(&window, opens), WindowState::Open { .. }), "{opens} is open");
                let before = state(&window, Timestamp(opens.0 - 1));
                prop_assert_eq!(before, WindowState::Closed { opens: Some(opens) });
            }
        }
    }

    /// Whatever is asked, there is an answer.
    #[test]
    fn anything_has_an_answer(
        cron in "[0-9*/,#?LW+@A-Za-z -]{0,24}|\\PC{0,12}",
        timezone in "(UTC|Australia/Sydney|\\PC{0,8})",
        duration in any::<u64>(),
        now in any::<i64>(),
    ) {
        let _ = check_cron(&cron);
        let _ = state(&Window { cron, duration: Millis(duration), timezone }, Timestamp(now));
    }

    #[test]
    fn five_odd_fields_have_an_answer(fields in proptest::collection::vec("[0-9*/,#?LW+A-F-]{1,6}", 5), now in 0..4_000_000_000_000i64) {
        let window = Window { cron: fields.join(" "), duration: Millis::minutes(90), timezone: "Europe/Berlin".into() };
        let _ = state(&window, Timestamp(now));
    }
}

//! Plain scalars: which type a text without quotes is, and how Go writes a float.

use super::node::{Mark, Value};

/// The value of a plain scalar without a tag, as docker compose's YAML library resolves it.
pub(super) fn resolve(text: &str) -> (Value, Mark) {
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => match text.as_bytes()[0] {
            b'0'..=b'9' | b'+' | b'-' | b'.' => return number(text),
            _ => Value::String(text.to_owned()),
        },
    };
    (value, Mark::None)
}

fn number(text: &str) -> (Value, Mark) {
    if is_date(text) {
        return (Value::String(text.to_owned()), Mark::Timestamp);
    }
    let plain = text.replace('_', "");
    let value =
        if text.starts_with('.') { decimal(text) } else { integer(&plain).map(Value::Int).or_else(|| decimal(&plain)) };
    (value.unwrap_or_else(|| Value::String(text.to_owned())), Mark::None)
}

/// A whole number with an optional sign and one of the prefixes `0x`, `0o`, `0b` or the old octal `0`.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match lower.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(_) if digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -value } else { value }).ok()
}

/// `[-+]? (digits [. digits?] | . digits) (e [-+]? digits)?`, nothing else (no `inf`, no hexadecimal).
fn decimal(text: &str) -> Option<Value> {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part) && !(whole.is_empty() && part.is_empty()),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['-', '+']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    if !mantissa_fits || !exponent_fits {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Value::Float)
}

/// `2024-01-01`, alone, with a time after a space, or with a time and its zone after `T` or `t`.
fn is_date(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some((text.as_bytes()[at], &text[at + 1..]))),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) =
        (digits(year, 4, 4, 0..=9999), digits(month, 1, 2, 1..=12), digits(day, 1, 2, 1..=31))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    day <= last
        && match time {
            None => true,
            Some((b' ', clock)) => is_clock(clock),
            Some((_, zoned)) => is_zoned_clock(zoned),
        }
}

/// `1:2:3.45`.
fn is_clock(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let [hour, minute, second] = parts[..] else {
        return false;
    };
    let (second, part) = second.split_once('.').unwrap_or((second, "0"));
    digits(hour, 1, 2, 0..=23).is_some()
        && digits(minute, 1, 2, 0..=59).is_some()
        && digits(second, 1, 2, 0..=59).is_some()
        && !part.is_empty()
        && part.bytes().all(|b| b.is_ascii_digit())
}

/// A time with `Z` or `+01:00`.
fn is_zoned_clock(text: &str) -> bool {
    if let Some(clock) = text.strip_suffix('Z') {
        return is_clock(clock);
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return false;
    };
    let zone = text[at + 1..].split_once(':');
    zone.is_some_and(|(hour, minute)| {
        digits(hour, 2, 2, 0..=24).is_some() && digits(minute, 2, 2, 0..=60).is_some() && is_clock(&text[..at])
    })
}

/// A date as Go writes it in JSON: `2024-01-01T10:00:00Z`, a part of a second without zeros at its end.
pub fn go_date(text: &str) -> String {
    let (date, rest) = text.split_once(['T', 't', ' ']).unwrap_or((text, "0:0:0"));
    let zone_at = rest.rfind(['Z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone_at);
    let (clock, part) = time.split_once('.').unwrap_or((time, ""));
    let pad = |text: &str, separator: char| -> Vec<String> {
        text.split(separator).map(|number| format!("{number:0>2}")).collect()
    };
    let part = part.trim_end_matches('0');
    let dot = if part.is_empty() { "" } else { "." };
    let zone = if ["", "+00:00", "-00:00"].contains(&zone) { "Z" } else { zone };
    format!("{}T{}{dot}{part}{zone}", pad(date, '-').join("-"), pad(clock, ':').join(":"))
}

/// The number that a text of digits is, if it is as long and as great as it may be.
fn digits(text: &str, least: usize, most: usize, within: std::ops::RangeInclusive<u32>) -> Option<u32> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|number| fits && within.contains(number))
}

/// A float as Go's `%v` writes it: the shortest digits, with an exponent below 1e-4 and from a million up
/// (`1e+06`, `100000`, `0.5`).
pub fn go_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// True when a text that is written without quotes is read back as that text, in YAML 1.1 too (`yes`, `12:30:00`).
pub fn plain_is_text(text: &str) -> bool {
    let (value, mark) = resolve(text);
    let lower = text.to_ascii_lowercase();
    let known = ["y", "yes", "on", "n", "no", "off"].contains(&lower.as_str());
    let old_boolean = known && (text == lower || text == lower.to_ascii_uppercase() || text[1..] == lower[1..]);
    mark == Mark::None && matches!(value, Value::String(_)) && !old_boolean && !is_sexagesimal(text)
}

/// `12:30:00`, which YAML 1.1 reads as a number.
fn is_sexagesimal(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = body.split(':');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let first = parts.next().is_some_and(|part| digits(part) && !part.starts_with('_'));
    let rest: Vec<&str> = parts.collect();
    let sixties = |part: &&str| (1..=2).contains(&part.len()) && part.parse::<u8>().is_ok_and(|n| n < 60);
    first
        && !rest.is_empty()
        && rest
            .iter()
            .enumerate()
            .all(|(i, part)| sixties(&if i + 1 == rest.len() { part.split('.').next().unwrap_or(part) } else { part }))
}

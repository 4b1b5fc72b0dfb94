//! Durations and sizes as Compose writes them.

const UNITS: [(&str, i64); 10] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3600 * SECOND),
    ("d", 24 * 3600 * SECOND),
    ("w", 7 * 24 * 3600 * SECOND),
];
const SECOND: i64 = 1_000_000_000;

/// Nanoseconds of `1m30s`, `1.5h`, `2d`, `1w`, `-5s` or a bare `0`; none for anything else.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let unit_start = &rest[number_end..];
        let unit_end = unit_start.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(unit_start.len());
        let scale = UNITS.iter().find(|(name, _)| *name == &unit_start[..unit_end])?.1;
        total = total.checked_add(scaled(&rest[..number_end], scale)?)?;
        rest = &unit_start[unit_end..];
    }
    Some(if negative { -total } else { total })
}

/// A decimal number times a unit, exact in whole nanoseconds.
fn scaled(number: &str, scale: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digits: String = fraction.chars().take(15).collect();
    let part = if digits.is_empty() { 0 } else { digits.parse::<i128>().ok()? };
    let part = part * i128::from(scale) / 10_i128.pow(u32::try_from(digits.len()).ok()?);
    whole.checked_mul(scale)?.checked_add(i64::try_from(part).ok()?)
}

/// A duration as Go prints it: `1h0m0s`, `1m30s`, `2.5s`, `500ms`, `0s`.
pub fn print_duration(nanoseconds: i64) -> String {
    if nanoseconds == 0 {
        return "0s".to_owned();
    }
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let total = nanoseconds.unsigned_abs();
    if total < SECOND.unsigned_abs() {
        let (scale, unit) = match total {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{unit}", fraction(total, scale));
    }
    let seconds = fraction(total % (60 * SECOND.unsigned_abs()), SECOND.unsigned_abs());
    let minutes = total / (60 * SECOND.unsigned_abs());
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

fn fraction(value: u64, scale: u64) -> String {
    let (whole, rest) = (value / scale, value % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let width = scale.to_string().len() - 1;
    let digits = format!("{rest:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// Bytes of `512m`, `1.5g`, `64MiB`, `10 kb`, `1024`: powers of 1024; none for anything else, negative numbers included.
pub fn parse_bytes(text: &str) -> Option<i64> {
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')?;
    let number = if text.as_bytes()[end] == b' ' { &text[..end] } else { &text[..=end] };
    let suffix = text[end + 1..].to_ascii_lowercase();
    let size: f64 = number.parse().ok().filter(|size: &f64| size.is_finite() && *size >= 0.0)?;
    let power = match suffix.as_bytes() {
        [] | [b'b'] => 0,
        [unit] | [unit, b'b'] | [unit, b'i', b'b'] => i32::try_from(b"kmgtp".iter().position(|u| u == unit)?).ok()? + 1,
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a byte is cut, and too much is the maximum")]
    Some((size * 1024_f64.powi(power)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_printed_as_go_does() {
        for (text, printed) in [
            ("90s", "1m30s"),
            ("1m30s", "1m30s"),
            ("1.5h", "1h30m0s"),
            ("500ms", "500ms"),
            ("2d", "48h0m0s"),
            ("0", "0s"),
            ("1500us", "1.5ms"),
            ("1w", "168h0m0s"),
            ("2.5s", "2.5s"),
            ("-5s", "-5s"),
            ("1ns", "1ns"),
        ] {
            assert_eq!(print_duration(parse_duration(text).unwrap()), printed, "{text}");
        }
        for text in ["", "5", "s", "1x", "1.2.3s", "-"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in [
            ("1024", 1024),
            ("64m", 64 << 20),
            ("1.5g", 1536 << 20),
            ("10 kb", 10240),
            ("1KiB", 1024),
            ("7b", 7),
            ("1G", 1 << 30),
        ] {
            assert_eq!(parse_bytes(text), Some(bytes), "{text}");
        }
        for text in ["", "m", "-1", "1x", "1mbx", "1bb", "ten"] {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }
}

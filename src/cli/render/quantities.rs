//! Durations, ages, moments and sizes as a person reads them: rounded, unlike those of `model::units`, which read back.

use crate::model::{
    names::{ImageId, ImageReference},
    units::{Bytes, Millis, Timestamp},
};

/// How long something took: `320ms`, `14.2s`, `2m05s`, `1h02m`.
pub fn took(span: Millis) -> String {
    span.rounded()
}

/// How old something is, in one or two units: `12s`, `5m`, `3h12m`, `4d7h`.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(then).0 / 1000;
    let pair = |big: u64, unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{big}{unit}"),
        small => format!("{big}{unit}{small}{small_unit}"),
    };
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => pair(seconds / 3600, "h", seconds % 3600 / 60, "m"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// A moment to the second in UTC: `2026-11-23 20:14:03Z`.
pub fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    match text.get(..19).filter(|_| text.ends_with('Z')) {
        Some(start) => format!("{}Z", start.replacen('T', " ", 1)),
        None => text,
    }
}

/// The time of day of a moment, in UTC: `20:14:03Z`.
pub fn time_of_day(time: Timestamp) -> String {
    let moment = moment(time);
    moment.rsplit(' ').next().unwrap_or(&moment).to_owned()
}

/// Bytes that are transferred, in decimal units as networks have them: `41.2 MB`.
pub fn transfer(bytes: Bytes) -> String {
    for (unit, size) in [("GB", 1_000_000_000_u64), ("MB", 1_000_000), ("kB", 1000)] {
        if bytes.0 >= size {
            // Integers, so that no platform rounds another way.
            return format!("{}.{} {unit}", bytes.0 / size, bytes.0 % size * 10 / size);
        }
    }
    format!("{} B", bytes.0)
}

/// Memory in GiB with one decimal, without the unit: `9.2`, `14`.
pub fn gibibytes(bytes: Bytes) -> String {
    let tenths = (u128::from(bytes.0) * 10 + (1 << 29)) >> 30;
    match tenths % 10 {
        0 => format!("{}", tenths / 10),
        part => format!("{}.{part}", tenths / 10),
    }
}

/// An image id, long enough to be given to docker: `sha256:77ab12cd34ef…`.
pub fn image_id(id: &ImageId) -> String {
    match id.short() {
        "" => "unknown".to_owned(),
        short if short.len() == id.as_str().len() => short.to_owned(),
        short => format!("sha256:{short}…"),
    }
}

/// An image reference with its digest, where it has one, shortened: `redis:7@sha256:77ab12cd34ef…`.
pub fn image(reference: &ImageReference) -> String {
    match reference.as_str().split_once("sha256:") {
        Some((name, hex)) if hex.len() > 12 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{name}{}", image_id(&ImageId::new(format!("sha256:{hex}"))))
        }
        _ => reference.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_the_precision_that_matters() {
        let spans = [0, 320, 1000, 14_290, 59_999, 60_000, 125_000, 3_720_000];
        let texts = spans.map(|span| took(Millis(span)));
        assert_eq!(texts, ["0ms", "320ms", "1.0s", "14.2s", "59.9s", "1m00s", "2m05s", "1h02m"]);
    }

    #[test]
    fn ages_have_one_or_two_units() {
        let ages = [0, 12, 300, 7200, 11_520, 86_400, 371_000].map(|s| age(Timestamp(0), Timestamp(s * 1000)));
        assert_eq!(ages, ["0s", "12s", "5m", "2h", "3h12m", "1d", "4d7h"]);
        assert_eq!(age(Timestamp(5000), Timestamp(0)), "0s", "clocks that disagree");
    }

    #[test]
    fn sizes_are_rounded_for_people() {
        assert_eq!(transfer(Bytes(41_250_000)), "41.2 MB");
        assert_eq!(transfer(Bytes(999)), "999 B");
        assert_eq!(gibibytes(Bytes::mebi(9421)), "9.2");
        assert_eq!(gibibytes(Bytes::mebi(14 * 1024)), "14");
    }

    #[test]
    fn moments_and_images() {
        let time = Timestamp::parse("2026-11-23T20:14:03.120Z").unwrap();
        assert_eq!(moment(time), "2026-11-23 20:14:03Z");
        assert_eq!(time_of_day(time), "20:14:03Z");
        let digest = "a".repeat(64);
        assert_eq!(image(&ImageReference::new(format!("redis:7@sha256:{digest}"))), "redis:7@sha256:aaaaaaaaaaaa…");
        assert_eq!(image(&ImageReference::new(format!("sha256:{digest}"))), "sha256:aaaaaaaaaaaa…");
        assert_eq!(image(&ImageReference::new("redis:7")), "redis:7");
    }
}

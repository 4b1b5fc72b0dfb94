//! Time, durations, sizes and CPUs, each written as Kubernetes and Compose write them, and read back without loss.

use std::{fmt, str::FromStr, time::Duration};

/// What a text that should be a duration, a size or a number of CPUs lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct UnitError {
    /// What was written.
    pub text: String,
    /// What it should be, with an example.
    pub expected: &'static str,
}

/// A moment, in milliseconds since 1970 UTC; written as RFC 3339.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The time that has passed since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Millis {
        Millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The moment `span` later.
    pub fn plus(self, span: Millis) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)))
    }

    /// Reads RFC 3339; the engine's zero time (`0001-01-01T00:00:00Z`) is `None`.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let moment: jiff::Timestamp = text.parse().ok()?;
        (moment.as_millisecond() > 0).then(|| Timestamp(moment.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => write!(f, "{moment:.3}"),
            Err(_) => write!(f, "{} ms since 1970", self.0),
        }
    }
}

/// A span of time with millisecond resolution, written `500ms`, `30s`, `1m30s`, `24h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// So many whole seconds; of more than can be said, the most.
    pub const fn seconds(seconds: u64) -> Millis {
        Millis(seconds.saturating_mul(1000))
    }

    /// So many whole minutes.
    pub const fn minutes(minutes: u64) -> Millis {
        Millis(minutes.saturating_mul(60_000))
    }

    /// Rounded, as a person reads it: `320ms`, `14.2s`, `2m05s`, `1h02m`.
    pub fn rounded(self) -> String {
        let seconds = self.0 / 1000;
        match self.0 {
            0..1000 => format!("{}ms", self.0),
            1000..60_000 => format!("{seconds}.{}s", self.0 % 1000 / 100),
            60_000..3_600_000 => format!("{}m{:02}s", seconds / 60, seconds % 60),
            _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        }
    }

    /// The same span for the standard library.
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.pad("0s");
        }
        let mut text = String::new();
        let mut rest = self.0;
        for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
            if rest >= size {
                text.push_str(&format!("{}{unit}", rest / size));
                rest %= size;
            }
        }
        f.pad(&text)
    }
}

impl FromStr for Millis {
    type Err = UnitError;

    /// Reads `500ms`, `30s`, `1.5s`, `1m30s`, `24h`, `2d`; microseconds and nanoseconds round down. No sign, no bare number but `0`.
    fn from_str(text: &str) -> Result<Millis, UnitError> {
        let wrong =
            || UnitError { text: text.to_owned(), expected: "a duration such as `500ms`, `30s`, `5m` or `24h`" };
        if text == "0" {
            return Ok(Millis(0));
        }
        let mut rest = text;
        let mut total = 0.0_f64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
            let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let size = match &rest[..letters] {
                "ns" => 1e-6,
                "us" | "µs" => 1e-3,
                "ms" => 1.0,
                "s" => 1000.0,
                "m" => 60_000.0,
                "h" => 3_600_000.0,
                "d" => 86_400_000.0,
                _ => return Err(wrong()),
            };
            total += number * size;
            rest = &rest[letters..];
        }
        if text.is_empty() || total > 1e14 {
            return Err(wrong());
        }
        Ok(Millis(total as u64))
    }
}

/// A size in bytes, written `512Mi`, `1Gi`, or a plain number where no binary unit divides it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

impl Bytes {
    /// So many mebibytes.
    pub const fn mebi(count: u64) -> Bytes {
        Bytes(count << 20)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, shift) in [("Gi", 30), ("Mi", 20), ("Ki", 10)] {
            if self.0 != 0 && self.0.is_multiple_of(1 << shift) {
                return f.pad(&format!("{}{unit}", self.0 >> shift));
            }
        }
        f.pad(&self.0.to_string())
    }
}

impl FromStr for Bytes {
    type Err = UnitError;

    /// Reads `512Mi`, `1Gi` (Kubernetes), `512M`, `1g`, `100kb`, `64b` (Compose: binary units too) and plain numbers.
    fn from_str(text: &str) -> Result<Bytes, UnitError> {
        let wrong = || UnitError { text: text.to_owned(), expected: "a size such as `512Mi`, `1Gi`, `512M` or `1g`" };
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let number: f64 = text[..digits].parse().map_err(|_| wrong())?;
        let shift = match text[digits..].trim().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "ki" | "kib" => 10,
            "m" | "mb" | "mi" | "mib" => 20,
            "g" | "gb" | "gi" | "gib" => 30,
            "t" | "tb" | "ti" | "tib" => 40,
            _ => return Err(wrong()),
        };
        let bytes = number * (1_u64 << shift) as f64;
        if bytes > 9e18 {
            return Err(wrong());
        }
        Ok(Bytes(bytes as u64))
    }
}

/// CPUs in billionths of one, the engine's `NanoCpus`; written `1`, `0.5`, `1.25`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NanoCpus(pub u64);

impl fmt::Display for NanoCpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0 / 1_000_000_000;
        let part = format!("{:09}", self.0 % 1_000_000_000);
        match part.trim_end_matches('0') {
            "" => f.pad(&whole.to_string()),
            part => f.pad(&format!("{whole}.{part}")),
        }
    }
}

impl FromStr for NanoCpus {
    type Err = UnitError;

    /// Reads `1`, `0.5`, and Kubernetes' `250m`.
    fn from_str(text: &str) -> Result<NanoCpus, UnitError> {
        let wrong = || UnitError { text: text.to_owned(), expected: "a number of CPUs such as `0.5` or `2`" };
        let (number, scale) = match text.strip_suffix('m') {
            Some(number) => (number, 1e6),
            None => (text, 1e9),
        };
        let count: f64 = number.parse().map_err(|_| wrong())?;
        if !(0.0..=1e6).contains(&count) {
            return Err(wrong());
        }
        Ok(NanoCpus((count * scale).round() as u64))
    }
}

macro_rules! written_as_text {
    ($type:ident, $schema:literal, $description:literal, $read:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                let read: fn(&str) -> Result<$type, String> = $read;
                read(&text).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $schema.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "description": $description})
            }
        }
    };
}

pub(crate) use written_as_text;

written_as_text!(Timestamp, "Timestamp", "A moment, as RFC 3339 in UTC.", |text| Timestamp::parse(text)
    .ok_or_else(|| format!("`{text}` is not an RFC 3339 time")));
written_as_text!(Millis, "Duration", "A span of time: `500ms`, `30s`, `1m30s`, `24h`.", |text| text
    .parse()
    .map_err(|error: UnitError| error.to_string()));
written_as_text!(Bytes, "Size", "A size: `512Mi`, `1Gi`, or a number of bytes.", |text| text
    .parse()
    .map_err(|error: UnitError| error.to_string()));
written_as_text!(NanoCpus, "Cpus", "A number of CPUs: `0.5`, `2`.", |text| {
    text.parse().map_err(|error: UnitError| error.to_string())
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in ["0s", "500ms", "30s", "1m30s", "24h", "1h1ms"] {
            assert_eq!(text.parse::<Millis>().unwrap().to_string(), text);
        }
        for text in ["512Mi", "1Gi", "1536Mi", "1000", "64Ki"] {
            assert_eq!(text.parse::<Bytes>().unwrap().to_string(), text);
        }
        for text in ["1", "0.5", "1.25", "16"] {
            assert_eq!(text.parse::<NanoCpus>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_spellings_mean_the_same() {
        assert_eq!("1.5s".parse(), Ok(Millis(1500)));
        assert_eq!("2d".parse(), Ok(Millis(172_800_000)));
        assert_eq!("1g".parse(), Ok(Bytes(1 << 30)));
        assert_eq!("512MB".parse(), Ok(Bytes::mebi(512)));
        assert_eq!("250m".parse(), Ok(NanoCpus(250_000_000)));
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for text in ["", "5", "s", "-1s", "1x", "1m 30s", "9999999999999h"] {
            assert!(text.parse::<Millis>().is_err(), "{text}");
        }
        for text in ["", "x", "1x", "-1", "1..2"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
        for text in ["", "x", "-1", "NaN"] {
            assert!(text.parse::<NanoCpus>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_engines_zero_time_is_none() {
        assert_eq!(Timestamp::parse("0001-01-01T00:00:00Z"), None);
        let moment = Timestamp::parse("2026-11-23T20:00:00.123456789Z").unwrap();
        assert_eq!(moment.to_string(), "2026-11-23T20:00:00.123Z");
    }
}

//! Durations, sizes and CPUs as the manifest takes them: a size and a number of CPUs may be a bare number, a duration
//! never is. Each carries its wording in its schema, so that a fault says what belongs there.

use crate::model::units::{Bytes, Millis, NanoCpus, UnitError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error};
use std::{borrow::Cow, str::FromStr};

/// A word of JSON Schema's `format`, and whether a text is one.
type Format = (&'static str, fn(&str) -> bool);

/// The `format` words of the three, which the validator checks; editors that do not know them use the pattern.
pub const FORMATS: [Format; 3] = [
    ("evenkeel-duration", |text| Millis::from_str(text).is_ok()),
    ("evenkeel-size", |text| Bytes::from_str(text).is_ok()),
    ("evenkeel-cpus", |text| NanoCpus::from_str(text).is_ok()),
];

/// What a scalar may be written as.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Whole(u64),
    Number(f64),
    Text(String),
}

impl Written {
    fn text(self) -> String {
        match self {
            Written::Whole(number) => number.to_string(),
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        }
    }
}

fn read<'de, D: Deserializer<'de>, T: FromStr<Err = UnitError>>(deserializer: D) -> Result<T, D::Error> {
    Written::deserialize(deserializer)?.text().parse().map_err(D::Error::custom)
}

/// A span of time: `500ms`, `30s`, `1m30s`, `24h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub Millis);

/// A size in bytes: `512Mi`, `1Gi`, `512M`, `1g`, or a bare number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub Bytes);

/// A number of CPUs: `2`, `0.5`, `250m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpus(pub NanoCpus);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer).map(Duration)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer).map(Size)
    }
}

impl<'de> Deserialize<'de> for Cpus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer).map(Cpus)
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "ManifestDuration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "title": "a duration",
            "format": FORMATS[0].0,
            "pattern": "^(0|([0-9.]+(ns|us|µs|ms|s|m|h|d))+)$",
            "examples": ["30s"]
        })
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "ManifestSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "title": "a size",
            "format": FORMATS[1].0,
            "pattern": "^[0-9.]+ *([kKmMgGtT]i?)?[bB]?$",
            "minimum": 0,
            "examples": ["512Mi"]
        })
    }
}

impl JsonSchema for Cpus {
    fn schema_name() -> Cow<'static, str> {
        "ManifestCpus".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number"],
            "title": "a number of CPUs",
            "format": FORMATS[2].0,
            "pattern": "^[0-9.]+m?$",
            "minimum": 0,
            "examples": [0.5]
        })
    }
}

//! Durations, sizes, shares, modes, counts and ulimits.

use serde_json::Value as Json;

use crate::compose::project::record::{Field, Form, Reading};
use crate::compose::units;
use crate::compose::yaml::{Node, Value};

/// A duration in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

impl Duration {
    /// The same as a standard duration; a negative one is zero.
    pub fn as_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }
}

impl Field for Duration {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        let text = node.print().unwrap_or_default();
        Self(units::parse_duration(&text).unwrap_or_else(|| {
            reading.refuse(node, &format!("is an invalid duration: `{text}`"));
            0
        }))
    }

    fn tree(&self, _: Form) -> Json {
        Json::from(units::print_duration(self.0))
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0 == 0
    }
}

/// A size in bytes; `k`, `m`, `g` are powers of 1024. −1 means unlimited where the engine has that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub i64);

impl Field for Bytes {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        match &node.value {
            Value::Int(value) => Self(*value),
            Value::String(text) => Self(units::parse_bytes(text).unwrap_or_else(|| {
                reading.refuse(node, &format!("is an invalid size: '{text}'"));
                0
            })),
            // A number with a fraction is no size to docker compose, and no fault either.
            _ => Self(0),
        }
    }

    fn tree(&self, _: Form) -> Json {
        Json::from(self.0.to_string())
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0 == 0
    }
}

/// A part of the processors, as a 32-bit float (`0.5`).
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Cpus(pub f32);

impl Field for Cpus {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        Self(f32::read(node, reading))
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0 == 0.0
    }
}

/// Permission bits of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileMode(pub i64);

impl Field for FileMode {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        match &node.value {
            Value::Int(value) => return Self(*value),
            Value::String(text) => {
                if let Ok(value) = i64::from_str_radix(text, 8) {
                    return Self(value);
                }
            }
            _ => {}
        }
        reading.refuse(node, "must be an octal file mode");
        Self(0)
    }

    fn tree(&self, _: Form) -> Json {
        Json::from(format!("0{:o}", self.0))
    }

    fn is_unset(&self, _: Form) -> bool {
        false
    }
}

/// How many devices: a number, or −1 for all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceCount(pub i64);

impl Field for DeviceCount {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        match &node.value {
            Value::Int(value) => return Self(*value),
            Value::String(text) if text.eq_ignore_ascii_case("all") => return Self(-1),
            Value::String(text) => {
                if let Ok(value) = text.parse() {
                    return Self(value);
                }
            }
            _ => {}
        }
        reading.refuse(node, "has an invalid value, the only values allowed are 'all' or a number");
        Self(0)
    }

    fn tree(&self, _: Form) -> Json {
        Json::from(self.0)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0 == 0
    }
}

/// A ulimit: one number for both, or a soft and a hard one (then `single` is 0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ulimit {
    /// Both limits, when not 0.
    pub single: i64,
    /// The soft limit.
    pub soft: i64,
    /// The hard limit.
    pub hard: i64,
}

impl Ulimit {
    /// The soft and the hard limit.
    pub fn limits(&self) -> (i64, i64) {
        if self.single == 0 { (self.soft, self.hard) } else { (self.single, self.single) }
    }
}

impl Field for Ulimit {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        if node.as_map().is_none() {
            return Self { single: i64::read(node, reading), ..Self::default() };
        }
        let mut part = |key: &str| node.get(key).map_or(0, |node| reading.under(key, |r| i64::read(node, r)));
        Self { single: 0, soft: part("soft"), hard: part("hard") }
    }

    fn tree(&self, form: Form) -> Json {
        if self.single != 0 {
            return Json::from(self.single);
        }
        let mut out = serde_json::Map::new();
        for (key, value) in [("soft", self.soft), ("hard", self.hard)] {
            if value != 0 || form == Form::Yaml {
                out.insert(key.to_owned(), Json::from(value));
            }
        }
        Json::Object(out)
    }

    fn is_unset(&self, _: Form) -> bool {
        false
    }
}

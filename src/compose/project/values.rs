//! Values with a syntax of their own: durations, sizes, commands, file modes, host lists, key-value pairs, ulimits.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::record::{Field, Form, Reading};
use crate::compose::shell_words;
use crate::compose::text::Text;
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

/// A command: `None` is what the image says, an empty list clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command(pub Option<Vec<Text>>);

impl Field for Command {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        match &node.value {
            Value::String(line) => match shell_words::split(line) {
                Ok(words) => Self(Some(words.into_iter().map(|word| Text::new(word, node.origin)).collect())),
                Err(message) => {
                    reading.refuse(node, &format!("has an {message}"));
                    Self(None)
                }
            },
            Value::Seq(_) => Self(Some(Vec::read(node, reading))),
            _ => Self(None),
        }
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, form: Form) -> bool {
        form == Form::Yaml && self.0.is_none()
    }
}

/// A healthcheck's test: `CMD`, `CMD-SHELL` or `NONE` and what follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthTest(pub Vec<Text>);

impl Field for HealthTest {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        match &node.value {
            Value::String(line) => Self(vec![Text::literal("CMD-SHELL"), Text::new(line.as_str(), node.origin)]),
            _ => Self(Vec::read(node, reading)),
        }
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
    }
}

/// Names and texts, written as a mapping or as a list of `name=text` (labels, annotations, driver options, sysctls).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub BTreeMap<String, Text>);

impl Field for Pairs {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        let pairs = assignments(node, reading).into_iter();
        Self(pairs.map(|(name, value)| (name, value.unwrap_or_default())).collect())
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
    }
}

/// Names and texts where a name without a text means "as it is outside" (environment, build arguments).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignments(pub BTreeMap<String, Option<Text>>);

impl Field for Assignments {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        for item in node.as_seq().unwrap_or_default() {
            let name = item.as_str().and_then(|text| text.split('=').next()).unwrap_or_default();
            if name.ends_with(char::is_whitespace) {
                reading.refuse(item, &format!("declares the variable `{name}` with a trailing space"));
            }
        }
        Self(assignments(node, reading))
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
    }
}

fn assignments(node: &Node, reading: &mut Reading) -> BTreeMap<String, Option<Text>> {
    let mut out = BTreeMap::new();
    match &node.value {
        Value::Map(map) => {
            for (name, entry) in map {
                let text = (!entry.node.is_null()).then(|| entry.node.print()).flatten();
                out.insert(name.clone(), text.map(|text| Text::new(text, entry.node.origin)));
            }
        }
        Value::Seq(items) => {
            for item in items {
                let text = item.print().unwrap_or_default();
                match text.split_once('=') {
                    Some((name, value)) => out.insert(name.to_owned(), Some(Text::new(value, item.origin))),
                    None => out.insert(text, None),
                };
            }
        }
        _ => reading.refuse(node, "must be a mapping or a list"),
    }
    out
}

/// A text, or several (`dns`, `tmpfs`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StringList(pub Vec<String>);

impl Field for StringList {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        match &node.value {
            Value::String(text) => Self(vec![text.clone()]),
            _ => Self(Vec::read(node, reading)),
        }
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
    }
}

/// Texts or numbers, all kept as text (`expose`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(pub Vec<String>);

impl Field for Numbers {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        let Some(items) = node.as_seq() else {
            return Self(StringList::read(node, reading).0);
        };
        Self(items.iter().map(|item| item.print().unwrap_or_default()).collect())
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
    }
}

/// Options of a provider: each name with one or more texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MultiOptions(pub BTreeMap<String, Vec<Text>>);

impl Field for MultiOptions {
    fn read(node: &Node, _: &mut Reading) -> Self {
        let mut out = BTreeMap::new();
        for (name, entry) in node.as_map().into_iter().flatten() {
            let items = entry.node.as_seq().unwrap_or(std::slice::from_ref(&entry.node));
            let texts = items.iter().map(|item| Text::new(item.print().unwrap_or_default(), item.origin));
            out.insert(name.clone(), texts.collect());
        }
        Self(out)
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
    }
}

/// Extra entries of `/etc/hosts`: host names and their addresses, without brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostList(pub BTreeMap<String, Vec<String>>);

impl HostList {
    /// `host<separator>address`, sorted; the engine takes `:`, docker compose prints `=`.
    pub fn lines(&self, separator: char) -> Vec<String> {
        let line = |(host, addresses): (&String, &Vec<String>)| {
            addresses.iter().map(|address| format!("{host}{separator}{address}")).collect::<Vec<_>>()
        };
        let mut lines: Vec<String> = self.0.iter().flat_map(line).collect();
        lines.sort();
        lines
    }
}

impl Field for HostList {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (host, entry) in node.as_map().into_iter().flatten() {
            let items = entry.node.as_seq().unwrap_or(std::slice::from_ref(&entry.node));
            let text = |item: &Node| {
                if item.is_null() { String::new() } else { item.print().unwrap_or_default() }
            };
            out.insert(host.clone(), items.iter().map(text).collect());
        }
        for item in node.as_seq().unwrap_or_default() {
            let text = item.print().unwrap_or_default();
            match text.split_once('=').or_else(|| text.split_once(':')) {
                Some((host, addresses)) => {
                    out.entry(host.to_owned()).or_default().extend(addresses.split(',').map(str::to_owned));
                }
                None => reading.refuse(item, &format!("has an invalid additional host, missing IP: {text}")),
            }
        }
        if let Some(bad) = out.keys().find(|host| host.is_empty() || host.contains([':', '='])) {
            reading.refuse(node, &format!("has a bad host name '{bad}'"));
        }
        for address in out.values_mut().flatten() {
            if let Some(inner) = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).filter(|a| !a.is_empty()) {
                *address = inner.to_owned();
            }
        }
        Self(out)
    }

    fn tree(&self, form: Form) -> Json {
        self.lines('=').tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
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

//! Names with texts: environments, labels, options, hosts.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::compose::project::record::{Field, Form, Reading};
use crate::compose::text::Text;
use crate::compose::yaml::{Node, Value};

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
                let text = (!entry.node.is_null()).then(|| entry.node.print_any());
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
            if entry.node.as_map().is_some() {
                reading.refuse(&entry.node, "must be an address or a list of them");
            }
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

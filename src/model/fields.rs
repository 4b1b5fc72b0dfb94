//! A spec as a flat list of fields, path by path, and the difference of two: the one way in which anything is compared
//! and shown.
//!
//! The list comes from the type's own serialisation, so no field can be forgotten. Objects nest (`limits.memory`,
//! `environment.LOG_LEVEL`); a list is one field.

use super::value::{SENSITIVE_KEY, Salt, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Path → value, for every field that is set.
pub type Fields = BTreeMap<String, Value>;

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    /// Such as `limits.memory` or `environment.LOG_LEVEL`.
    pub path: String,
    /// Absent: it was not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// Absent: it is no longer set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

impl FieldChange {
    /// Makes it what a plan may hold.
    pub fn commit(&mut self, salt: &Salt) {
        let values = self.from.iter_mut().chain(&mut self.to).filter(|value| value.is_sensitive());
        values.for_each(|value| *value = value.committed(salt));
    }
}

/// Every field that is set in something serialisable. What serialises to null, or to nothing, is not set.
pub fn fields(of: &impl Serialize) -> Fields {
    let mut fields = Fields::new();
    if let Ok(tree) = serde_json::to_value(of) {
        flatten(String::new(), &tree, &mut fields);
    }
    fields
}

/// The fields that differ, in the order of their paths. A value that is sensitive on one side is on both.
pub fn difference(from: &Fields, to: &Fields) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let paths: std::collections::BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    for path in paths {
        let (from, to) = (from.get(path), to.get(path));
        if from.map(Value::reveal) == to.map(Value::reveal) {
            continue;
        }
        let alike = |value: &Value, other: Option<&Value>| match other {
            Some(other) => value.clone().as_sensitive_as(other),
            None => value.clone(),
        };
        changes.push(FieldChange {
            path: path.clone(),
            from: from.map(|value| alike(value, to)),
            to: to.map(|value| alike(value, from)),
        });
    }
    changes
}

fn flatten(path: String, tree: &serde_json::Value, fields: &mut Fields) {
    use serde_json::Value as Json;
    match tree {
        Json::Null => {}
        Json::Object(entries) => match sensitive_text(tree) {
            Some(text) => {
                fields.insert(path, Value::sensitive(text));
            }
            None => {
                for (key, value) in entries {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    flatten(path, value, fields);
                }
            }
        },
        Json::Array(items) => {
            fields.insert(path, list(items));
        }
        Json::String(text) => {
            fields.insert(path, Value::plain(text));
        }
        other => {
            fields.insert(path, Value::plain(other.to_string()));
        }
    }
}

/// A list as one value: its JSON text, sensitive when one of its items is.
fn list(items: &[serde_json::Value]) -> Value {
    let mut sensitive = false;
    let shown: Vec<serde_json::Value> = items
        .iter()
        .map(|item| match sensitive_text(item) {
            Some(text) => {
                sensitive = true;
                serde_json::Value::String(text.to_owned())
            }
            None => item.clone(),
        })
        .collect();
    let text = serde_json::Value::Array(shown).to_string();
    if sensitive { Value::sensitive(text) } else { Value::plain(text) }
}

fn sensitive_text(tree: &serde_json::Value) -> Option<&str> {
    tree.as_object().filter(|entries| entries.len() == 1)?.get(SENSITIVE_KEY)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{container::ContainerSpec, units::Bytes};

    fn spec(level: &str, password: &str) -> ContainerSpec {
        let mut spec = ContainerSpec { image: "core:1".into(), ..ContainerSpec::default() };
        spec.environment.insert("LOG_LEVEL".into(), Value::plain(level));
        spec.environment.insert("PASSWORD".into(), Value::sensitive(password));
        spec
    }

    #[test]
    fn only_what_differs_is_listed() {
        let before = spec("info", "one");
        let mut after = spec("debug", "two");
        after.limits.memory = Some(Bytes::mebi(512));
        let changes = difference(&fields(&before), &fields(&after));
        let shown: Vec<String> = changes
            .iter()
            .map(|change| {
                let show = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
                format!("{} {} {}", change.path, show(&change.from), show(&change.to))
            })
            .collect();
        assert_eq!(
            shown,
            ["environment.LOG_LEVEL info debug", "environment.PASSWORD *** ***", "limits.memory - 512Mi"]
        );
        assert_eq!(difference(&fields(&before), &fields(&before)), []);
    }

    #[test]
    fn a_list_with_a_secret_in_it_is_secret() {
        let mut before = spec("info", "one");
        let after = before.clone();
        before.command = Some(vec![Value::plain("serve"), Value::sensitive("--token=abc")]);
        let changes = difference(&fields(&before), &fields(&after));
        assert_eq!(changes.len(), 1);
        assert!(changes[0].from.as_ref().is_some_and(Value::is_sensitive));
    }
}

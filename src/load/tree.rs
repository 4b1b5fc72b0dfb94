//! From the positioned YAML tree to plain JSON and back to places in it.

use crate::compose::yaml::{Entry, Node, Position, Value};
use serde_json::{Number, Value as Json};

/// The tree as JSON. A number that JSON does not have is its text.
pub fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Float(number) => Number::from_f64(*number).map_or_else(|| Json::from(number.to_string()), Json::Number),
        Value::String(text) => Json::from(text.as_str()),
        Value::Seq(items) => items.iter().map(json).collect(),
        Value::Map(map) => Json::Object(map.iter().map(|(key, entry)| (key.clone(), json(&entry.node))).collect()),
    }
}

/// The same without the keys of mappings that have no value: a section whose lines are all commented out is absent.
pub fn without_null(tree: Json) -> Json {
    match tree {
        Json::Object(map) => {
            let set = map.into_iter().filter(|(_, value)| !value.is_null());
            Json::Object(set.map(|(key, value)| (key, without_null(value))).collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(without_null).collect()),
        other => other,
    }
}

/// The node at a path of keys and list indices.
pub fn node<'a>(tree: &'a Node, path: &[&str]) -> Option<&'a Node> {
    path.iter().try_fold(tree, |node, part| match &node.value {
        Value::Map(map) => map.get(*part).map(|entry| &entry.node),
        Value::Seq(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The entry of a mapping at a path of keys.
pub fn entry<'a>(tree: &'a Node, path: &[&str]) -> Option<&'a Entry> {
    let (last, parent) = path.split_last()?;
    node(tree, parent)?.as_map()?.get(*last)
}

/// Where the value at a path is written, or that of the nearest thing around it.
pub fn value_position<'a>(tree: &'a Node, path: &[&str]) -> &'a Position {
    (0..=path.len()).rev().find_map(|depth| node(tree, &path[..depth])).map_or(&tree.at, |node| &node.at)
}

/// Where the key at the end of a path is written, or that of the nearest thing around it.
pub fn key_position<'a>(tree: &'a Node, path: &[&str]) -> &'a Position {
    match entry(tree, path) {
        Some(entry) => &entry.key_at,
        None => value_position(tree, path),
    }
}

/// A path as people write it: `spec.rollout.order[0][1]`.
pub fn shown(path: &[&str]) -> String {
    let mut text = String::new();
    for part in path {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            text.push_str(&format!("[{part}]"));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(part);
        }
    }
    text
}

/// The nearest of some names to a mistyped one, near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |known: &str| strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase());
    let (distance, nearest) = known.into_iter().map(|known| (distance(known), known)).min()?;
    (distance <= 2 && distance * 2 < nearest.chars().count().max(2)).then_some(nearest)
}

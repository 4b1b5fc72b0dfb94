//! The words for what a schema expects and for what was found instead.

use crate::compose::yaml::{Node, Value};
use serde_json::Value as Json;

/// What a rule of the schema expects, with an example: `a duration such as `30s``, `one of `a`, `b``, `true or false`.
pub fn expected(schema: &Json, rule: &Json) -> String {
    let rule = resolved(schema, rule);
    let words = words(schema, rule);
    if let [only] = words.as_slice() {
        return format!("`{only}`");
    }
    if !words.is_empty() {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        return format!("one of {}", words.join(", "));
    }
    let kind = match rule.get("title").and_then(Json::as_str) {
        Some(title) => title.to_owned(),
        None => kind(rule),
    };
    let default_example = match rule.get("type").and_then(Json::as_str) {
        Some("array") => Some("[a, b]".to_owned()),
        Some("object") if rule.get("title").is_none() => Some("{name: value}".to_owned()),
        _ => None,
    };
    match example(rule).or(default_example) {
        Some(example) => format!("{kind} such as `{example}`"),
        None => kind,
    }
}

fn kind(rule: &Json) -> String {
    let at_least = rule.get("minimum").and_then(Json::as_i64);
    let at_most = rule.get("maximum").and_then(Json::as_u64);
    match rule.get("type").and_then(Json::as_str) {
        Some("boolean") => "true or false".to_owned(),
        Some("integer") => match (at_least, at_most) {
            (Some(least), Some(most)) if most < u64::from(u32::MAX) => format!("a whole number from {least} to {most}"),
            (Some(least), _) => format!("a whole number of at least {least}"),
            _ => "a whole number".to_owned(),
        },
        Some("number") => "a number".to_owned(),
        Some("string") if rule.get("minLength").is_some() => "a text that is not empty".to_owned(),
        Some("string") => match rule.get("pattern").and_then(Json::as_str) {
            Some("^/") => "a path that begins with `/`".to_owned(),
            _ => "a text".to_owned(),
        },
        Some("array") if rule.get("minItems").is_some() => "a list that is not empty".to_owned(),
        Some("array") => "a list".to_owned(),
        Some("object") => "a mapping".to_owned(),
        _ => "something else".to_owned(),
    }
}

/// The rule's own example, written in one line.
pub fn example(rule: &Json) -> Option<String> {
    Some(flow(rule.get("examples")?.get(0)?))
}

/// A value in YAML's one-line form.
fn flow(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// The words that a rule accepts, where it accepts words only.
pub fn words<'a>(schema: &'a Json, rule: &'a Json) -> Vec<&'a str> {
    let rule = resolved(schema, rule);
    let constants =
        rule.get("oneOf").and_then(Json::as_array).into_iter().flatten().filter_map(|choice| choice.get("const"));
    let listed = rule.get("enum").and_then(Json::as_array).into_iter().flatten();
    constants.chain(listed).chain(rule.get("const")).filter_map(Json::as_str).collect()
}

/// The rule that a reference leads to.
fn resolved<'a>(schema: &'a Json, rule: &'a Json) -> &'a Json {
    let target = rule.get("$ref").and_then(Json::as_str).and_then(|path| schema.pointer(path.strip_prefix('#')?));
    target.unwrap_or(rule)
}

/// What was found: its kind, and a scalar's text.
pub fn found(node: &Node) -> String {
    match &node.value {
        Value::String(text) if text.chars().count() <= 60 => format!("the text `{text}`"),
        Value::Int(_) | Value::Float(_) => format!(
            "the number {}",
            node.raw.as_deref().map_or_else(|| node.print().unwrap_or_default(), str::to_owned)
        ),
        Value::Bool(flag) => format!("{flag}"),
        _ => found_kind(node),
    }
}

/// What kind of value was found, without a word of it.
pub fn found_kind(node: &Node) -> String {
    match &node.value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Int(_) | Value::Float(_) => "a number",
        Value::String(_) => "a text",
        Value::Seq(_) => "a list",
        Value::Map(_) => "a mapping",
    }
    .to_owned()
}

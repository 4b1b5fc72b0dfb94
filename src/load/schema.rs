//! The JSON Schemas of what people write and scripts read, generated from the types. The files under `schemas/` are these,
//! and a test holds them to it.

use super::manifest::Stack;
use crate::model::{event::Event, plan::Plan, status::StackStatus};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json, json};

/// Every schema by the name of its file: `stack`, `plan`, `event`, `status`.
pub fn schemas() -> Vec<(&'static str, Json)> {
    vec![
        ("stack", stack()),
        ("plan", generate::<Plan>("Plan")),
        ("event", generate::<Event>("Event")),
        ("status", generate::<StackStatus>("Status")),
    ]
}

/// The schema of this name.
pub fn schema(kind: &str) -> Option<Json> {
    schemas().into_iter().find(|(name, _)| *name == kind).map(|(_, schema)| schema)
}

/// The schema of a Stack manifest, which the loader validates with too.
pub fn stack() -> Json {
    let mut schema = generate::<Stack>("Stack");
    without_null(&mut schema);
    // Anchors need a place to live: `x-` fields at the top and in `spec`, as Compose has them.
    for place in ["", "/$defs/Spec"] {
        if let Some(Json::Object(object)) = schema.pointer_mut(place) {
            object.insert("patternProperties".to_owned(), json!({"^x-": true}));
        }
    }
    schema
}

fn generate<T: schemars::JsonSchema>(title: &str) -> Json {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

/// An optional field may be left out; null is dropped before validation, so the schema never speaks of it.
fn without_null(schema: &mut Json) {
    match schema {
        Json::Object(object) => {
            unwrap_optional(object);
            if let Some(Json::Array(types)) = object.get_mut("type") {
                types.retain(|word| word != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Json::Array(words)) = object.get_mut("enum") {
                words.retain(|word| !word.is_null());
            }
            if object.get("default").is_some_and(Json::is_null) {
                object.shift_remove("default");
            }
            object.values_mut().for_each(without_null);
        }
        Json::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// `anyOf: [X, null]` becomes X beside the description.
fn unwrap_optional(object: &mut Map<String, Json>) {
    let Some(Json::Array(choices)) = object.get("anyOf") else {
        return;
    };
    let mut real = choices.iter().filter(|choice| choice.get("type").is_none_or(|word| word != "null"));
    if let (Some(Json::Object(only)), None, 2) = (real.next(), real.next(), choices.len()) {
        let only = only.clone();
        object.shift_remove("anyOf");
        object.extend(only);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Run with `EVENKEEL_WRITE_SCHEMAS=1` to write them anew.
    #[test]
    fn the_schema_files_are_up_to_date() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        for (name, schema) in schemas() {
            let path = folder.join(format!("{name}.json"));
            let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
            if std::env::var_os("EVENKEEL_WRITE_SCHEMAS").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let written = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(written == text, "{} is not what the types say; see the head of this test", path.display());
        }
    }

    #[test]
    fn every_field_of_the_manifest_is_described() {
        fn undescribed(path: &str, schema: &Json, found: &mut Vec<String>) {
            if let Some(properties) = schema.get("properties").and_then(Json::as_object) {
                for (name, property) in properties {
                    if property.get("description").is_none() {
                        found.push(format!("{path}.{name}"));
                    }
                    undescribed(&format!("{path}.{name}"), property, found);
                }
            }
        }
        let schema = stack();
        let mut found = Vec::new();
        undescribed("", &schema, &mut found);
        for (name, definition) in schema["$defs"].as_object().unwrap() {
            undescribed(name, definition, &mut found);
        }
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn the_manifests_schema_never_speaks_of_null() {
        assert!(!stack().to_string().contains("null"));
    }
}

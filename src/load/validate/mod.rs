//! A manifest's tree against the schema: every fault at once, each at its place in the file. What the schema cannot say
//! (exactly one kind of probe, names that must exist) is judged in `load::check` and `load::policy`.

mod wording;

use super::{manifest::Stack, manifest::inline::is_compose_field, manifest::scalars::FORMATS, schema, tree, unbuilt};
use crate::compose::yaml::{Fault, Faults, Node};
use jsonschema::{ValidationError, Validator, error::ValidationErrorKind as Kind, paths::LocationSegment};
use serde_json::Value as Json;
use std::sync::LazyLock;

/// The schema and what checks it, made once.
struct Checker {
    schema: Json,
    validator: Validator,
}

static CHECKER: LazyLock<Option<Checker>> = LazyLock::new(|| {
    let schema = schema::stack();
    let mut options = jsonschema::options().should_validate_formats(true);
    for (name, fits) in FORMATS {
        options = options.with_format(name, fits);
    }
    let validator = options.build(&schema).ok()?;
    Some(Checker { schema, validator })
});

/// Reads a manifest from its tree.
///
/// # Errors
/// Everything that does not fit the schema.
pub fn manifest(tree: &Node) -> Result<Stack, Vec<Fault>> {
    let Some(Checker { schema, validator }) = &*CHECKER else {
        return Err(vec![Fault::at(&tree.at, "the schema of manifests could not be read, which is a bug")]);
    };
    let mut faults = Faults::default();
    if tree.as_map().is_none() {
        faults.push(
            Fault::at(&tree.at, format!("a manifest must be a mapping, not {}", wording::found(tree))).code("type"),
        );
        return faults.or(()).and_then(|()| Err(Vec::new()));
    }
    let whole = tree::json(tree);
    // An unknown field is a fault even when it has no value; in everything else, no value is absence.
    let unknown =
        validator.iter_errors(&whole).filter(|error| matches!(error.kind(), Kind::AdditionalProperties { .. }));
    unknown.for_each(|error| report(tree, schema, &error, &mut faults));
    let set = tree::without_null(whole.clone());
    validator.iter_errors(&set).for_each(|error| report(tree, schema, &error, &mut faults));
    faults.or(())?;
    serde_json::from_value(typed_part(set)).map_err(|error| vec![Fault::at(&tree.at, error.to_string()).code("type")])
}

/// Without what the types do not hold: `x-` fields, and the Compose fields of inline services.
fn typed_part(mut tree: Json) -> Json {
    let own = |key: &String| !key.starts_with("x-");
    if let Json::Object(top) = &mut tree {
        top.retain(|key, _| own(key));
    }
    if let Some(Json::Object(spec)) = tree.pointer_mut("/spec") {
        spec.retain(|key, _| own(key));
    }
    if let Some(Json::Object(services)) = tree.pointer_mut("/spec/services") {
        for service in services.values_mut().filter_map(Json::as_object_mut) {
            service.retain(|key, _| !is_compose_field(key));
        }
    }
    tree
}

fn report(tree: &Node, schema: &Json, error: &ValidationError<'_>, faults: &mut Faults) {
    let path: Vec<String> = error.instance_path().into_iter().map(segment).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let keyword = error.schema_path().as_str();
    let rule = keyword.rsplit_once('/').and_then(|(rule, _)| schema.pointer(rule)).unwrap_or(&Json::Null);
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            unexpected.iter().for_each(|name| faults.push(unknown_field(tree, rule, &path, name)));
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let place = if path.is_empty() { "the manifest".to_owned() } else { format!("`{}`", tree::shown(&path)) };
            let fault = Fault::at(tree::key_position(tree, &path), format!("{place} lacks `{name}`")).code("missing");
            faults.push(match wording::example(rule) {
                Some(example) => fault.hint(format!("for example `{example}`")),
                None => fault,
            });
        }
        _ => faults.push(wrong_value(tree, schema, rule, &path)),
    }
}

fn segment(segment: LocationSegment<'_>) -> String {
    match segment {
        LocationSegment::Property(name) => name.into_owned(),
        LocationSegment::Index(index) => index.to_string(),
    }
}

fn unknown_field(tree: &Node, rule: &Json, parent: &[&str], name: &str) -> Fault {
    let path: Vec<&str> = parent.iter().copied().chain([name]).collect();
    let position = tree::key_position(tree, &path);
    if let Some(field) = unbuilt::manifest_field(parent, name) {
        return Fault::at(position, format!("not built yet: `{field}`")).code("not-built");
    }
    let place = if parent.is_empty() { "the manifest".to_owned() } else { format!("`{}`", tree::shown(parent)) };
    let fault = Fault::at(position, format!("unknown field `{name}` in {place}")).code("unknown-field");
    let known: Vec<&str> = rule
        .get("properties")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
        .map(|(known, _)| known.as_str())
        .collect();
    match tree::nearest(name, known.iter().copied()) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None if (1..=12).contains(&known.len()) => {
            let list: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
            fault.hint(format!("the fields here are {}", list.join(", ")))
        }
        None => fault,
    }
}

fn wrong_value(tree: &Node, schema: &Json, rule: &Json, path: &[&str]) -> Fault {
    let name = tree::shown(path);
    let expected = wording::expected(schema, rule);
    let Some(node) = tree::node(tree, path) else {
        return Fault::at(tree::value_position(tree, path), format!("`{name}` must be {expected}")).code("type");
    };
    let secret = path.iter().any(|part| super::sensitive::is_secret_name(part)) || path.contains(&"username");
    let found = if secret { wording::found_kind(node) } else { wording::found(node) };
    let fault = Fault::at(&node.at, format!("`{name}` must be {expected}, not {found}")).code("type");
    let words = wording::words(schema, rule);
    let near = node.as_str().filter(|_| words.len() > 1).and_then(|text| tree::nearest(text, words));
    match near {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault,
    }
}

#[cfg(test)]
mod tests;

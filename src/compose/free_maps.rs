//! Keys that begin with `x-` in mappings whose keys are the user's own (labels, environments, options …).
//!
//! docker compose takes them for extensions there too, and what it makes has one entry `#extensions` instead. We make the
//! same, so that its containers are ours, and say so.

use super::path::Path;
use super::warning::Warnings;
use super::yaml::{Entry, Map, Node, Value};

/// What docker compose calls the entry.
const FOLDED: &str = "#extensions";

/// Folds such keys everywhere in a merged canonical model.
pub(crate) fn fold(node: &mut Node, path: &Path<'_>, warnings: &mut Warnings) {
    if is_free(path) {
        fold_here(node, path, warnings);
    }
    match &mut node.value {
        // docker compose reads the extensions of these, and forgets them.
        Value::Map(map) => {
            if is_forgetful(path) {
                map.retain(|key, _| !key.starts_with("x-"));
            }
            for (key, entry) in map.iter_mut().filter(|(key, _)| !key.starts_with("x-") && *key != FOLDED) {
                fold(&mut entry.node, &path.child(key), warnings);
            }
        }
        Value::Seq(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                fold(item, &path.child(&index.to_string()), warnings);
            }
        }
        _ => {}
    }
}

fn fold_here(node: &mut Node, path: &Path<'_>, warnings: &mut Warnings) {
    let Some(map) = node.as_map_mut() else { return };
    let keys: Vec<String> = map.keys().filter(|key| key.starts_with("x-")).cloned().collect();
    let folded: Map = keys.into_iter().filter_map(|key| map.remove_entry(&key)).collect();
    let Some((key, first)) = folded.iter().next() else {
        return;
    };
    let at = first.key_at.clone();
    let message = format!(
        "{path}: docker compose takes `{key}` for an extension and writes `{FOLDED}` instead; write a list of key=value to keep it"
    );
    warnings.push("folded-extension", Some(&at), message);
    let origins = folded.values().map(|entry| entry.node.origin);
    let origin = origins.reduce(super::yaml::Origin::and).unwrap_or_default();
    let entry = Node::new(Value::Map(folded), at.clone()).from_origin(origin);
    map.insert(FOLDED.to_owned(), Entry { key_at: at, node: entry });
}

fn is_forgetful(path: &Path<'_>) -> bool {
    matches!(
        path.parts().as_slice(),
        ["networks", _, "ipam", "config", _]
            | ["services", _, "gpus", _]
            | ["services", _, "deploy", "resources", "reservations", "devices", _]
    )
}

fn is_free(path: &Path<'_>) -> bool {
    matches!(
        path.parts().as_slice(),
        [
            "services",
            _,
            "annotations" | "environment" | "labels" | "sysctls" | "storage_opt" | "extra_hosts" | "networks"
        ] | ["services", _, "build", "args" | "labels" | "additional_contexts" | "extra_hosts" | "ssh"]
            | ["services", _, "networks", _, "driver_opts"]
            | ["services", _, "deploy", "labels"]
            | ["services", _, "deploy", "resources", "reservations", "devices", _, "options"]
            | ["services", _, "gpus", _, "options"]
            | ["services", _, "develop", "watch", _, "exec", "environment"]
            | ["networks", _, "ipam", "config", _, "aux_addresses"]
            | ["services", _, "logging" | "provider", "options"]
            | ["services", _, "post_start" | "pre_stop", _, "environment"]
            | ["services", _, "volumes", _, "volume", "labels"]
            | ["networks" | "volumes" | "secrets" | "configs", _, "labels" | "driver_opts"]
    )
}

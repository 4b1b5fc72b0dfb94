//! Merging one model over another: mappings by key, lists appended, and the fields that have rules of their own.

use super::path::Path;
use super::yaml::{Entry, Fault, Map, Node, Value};

/// Merges `over` into `base`.
///
/// # Errors
/// A field that is a mapping or list in one and something else in the other.
pub(crate) fn merge(base: Node, over: Node, path: &Path<'_>) -> Result<Node, Fault> {
    match path.parts().as_slice() {
        ["networks", _, "ipam", "config"] => merge_pools(base, over, path),
        ["networks" | "volumes", _, "labels"]
        | ["services", _, "build", "args" | "additional_contexts" | "labels"]
        | ["services", _, "deploy", "labels"]
        | ["services", _, "volumes", _, "volume", "labels"]
        | [
            "services",
            _,
            "annotations" | "dns" | "dns_opt" | "dns_search" | "env_file" | "label_file" | "environment" | "labels"
            | "sysctls" | "tmpfs",
        ] => Ok(append(as_list(base), as_list(over))),
        ["services", _, "extra_hosts"] | ["services", _, "build", "extra_hosts"] => {
            let base = as_list(base);
            let mut over = as_list(over);
            if let Value::Seq(items) = &mut over.value {
                items.retain(|item| !base.as_seq().unwrap_or_default().iter().any(|known| known.same(item)));
            }
            Ok(append(base, over))
        }
        ["services", _, "command" | "entrypoint"]
        | ["services", _, "healthcheck", "test"]
        | ["services", _, "ulimits", _] => Ok(over),
        ["services", _, "build"] => merge_made(as_build(base), as_build(over), path),
        ["services", _, "depends_on"] => merge_made(as_map(base, dependency)?, as_map(over, dependency)?, path),
        ["services", _, "models" | "networks"] => {
            merge_made(as_map(base, Node::null)?, as_map(over, Node::null)?, path)
        }
        ["services", _, "logging"] => merge_logging(base, over, path),
        _ => match (&base.value, &over.value) {
            (_, Value::Null) => Ok(base),
            (Value::Map(_), Value::Map(_)) => merge_maps(base, over, path),
            (Value::Seq(_), Value::Seq(_)) => Ok(append(base, over)),
            (Value::Map(_) | Value::Seq(_), _) => {
                let message = format!(
                    "cannot override {path}: it is a {} in one file and a {} in another",
                    base.kind(),
                    over.kind()
                );
                Err(Fault::at(&over.at, message).code("type"))
            }
            _ => Ok(over),
        },
    }
}

fn merge_maps(mut base: Node, over: Node, path: &Path<'_>) -> Result<Node, Fault> {
    let (at, kind) = (over.at.clone(), over.kind());
    let mut merged = match std::mem::replace(&mut base.value, Value::Null) {
        Value::Map(map) => map,
        Value::Null => Map::new(),
        _ => return Err(Fault::at(&base.at, format!("{path} must be a mapping")).code("type")),
    };
    let fields = match over.value {
        Value::Map(map) => map,
        Value::Null => Map::new(),
        _ => {
            return Err(Fault::at(&at, format!("{path} must be a mapping, not a {kind}")).code("type"));
        }
    };
    for (key, entry) in fields {
        match merged.remove(&key) {
            None => {
                merged.insert(key, entry);
            }
            Some(known) => {
                let written = !entry.node.is_null();
                let node = merge(known.node, entry.node, &path.child(&key))?;
                merged.insert(key, Entry { key_at: if written { entry.key_at } else { known.key_at }, node });
            }
        }
    }
    base.value = Value::Map(merged);
    Ok(base)
}

/// Merges what was made a mapping of. docker compose has none to put fields into where the base is nothing.
fn merge_made(base: Node, over: Node, path: &Path<'_>) -> Result<Node, Fault> {
    if base.is_null() && over.as_map().is_some_and(|map| !map.is_empty()) {
        return Err(Fault::at(&base.at, format!("{path} is nothing that another file could add to")).code("type"));
    }
    merge_maps(base, over, path)
}

fn append(mut base: Node, over: Node) -> Node {
    if let (Value::Seq(items), Value::Seq(more)) = (&mut base.value, over.value) {
        items.extend(more);
    }
    base
}

/// A mapping as a sorted list of `key=value`, a text as a list of one; anything else as an empty one.
fn as_list(node: Node) -> Node {
    let Node { value, at, origin, .. } = node;
    let items = match value {
        Value::Seq(items) => items,
        text @ Value::String(_) => vec![Node::new(text, at.clone()).from_origin(origin)],
        Value::Map(map) => {
            let mut items = Vec::new();
            for (key, entry) in map {
                pair_up(&key, entry.node, &mut items);
            }
            items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            items
        }
        _ => Vec::new(),
    };
    Node::new(Value::Seq(items), at)
}

fn pair_up(key: &str, node: Node, out: &mut Vec<Node>) {
    match &node.value {
        Value::Null => out.push(Node::string(key, node.at)),
        Value::Seq(items) => {
            for item in items {
                let text = format!("{key}={}", item.print_any());
                out.push(Node::string(text, item.at.clone()).from_origin(item.origin));
            }
        }
        _ => {
            let text = format!("{key}={}", node.print_any());
            out.push(Node::string(text, node.at).from_origin(node.origin));
        }
    }
}

/// A list of names as a mapping. docker compose takes what is neither for nothing.
fn as_map(node: Node, value: impl Fn(super::yaml::Position) -> Node) -> Result<Node, Fault> {
    let items = match node.value {
        Value::Seq(items) => items,
        Value::Map(_) => return Ok(node),
        _ => return Ok(Node::null(node.at)),
    };
    let mut map = Map::new();
    for item in items {
        let Value::String(name) = item.value else {
            return Err(Fault::at(&item.at, format!("a name must be a string, found {}", item.kind())).code("type"));
        };
        map.insert(name, Entry { key_at: item.at.clone(), node: value(item.at) });
    }
    Ok(Node::new(Value::Map(map), node.at))
}

/// What a dependency in the list form says.
pub(crate) fn dependency(at: super::yaml::Position) -> Node {
    let condition = Node::string("service_started", at.clone());
    let required = Node::new(Value::Bool(true), at.clone());
    Node::map(&at, [("condition", condition), ("required", required)])
}

/// A text as the context of a build. docker compose takes what is neither text nor mapping for nothing.
fn as_build(node: Node) -> Node {
    let at = node.at.clone();
    match node.value {
        Value::String(_) => Node::map(&at, [("context", node)]),
        Value::Map(_) => node,
        _ => Node::null(at),
    }
}

/// Options of a log driver are merged only where both name the same driver, or one names none.
fn merge_logging(base: Node, over: Node, path: &Path<'_>) -> Result<Node, Fault> {
    if base.as_map().is_none() || over.as_map().is_none() {
        return Err(Fault::at(&over.at, format!("{path} must be a mapping")).code("type"));
    }
    match (base.get("driver"), over.get("driver")) {
        (Some(one), Some(other)) if !one.same(other) => Ok(over),
        _ => merge_maps(base, over, path),
    }
}

/// Pools of one subnet are merged, others are added.
fn merge_pools(base: Node, over: Node, path: &Path<'_>) -> Result<Node, Fault> {
    let (Some(pools), Some(overs)) = (base.as_seq(), over.as_seq()) else {
        return Err(Fault::at(&over.at, format!("{path} must be a list")).code("type"));
    };
    let subnet = |pool: &Node| pool.get("subnet").and_then(|node| node.print());
    let mut merged: Vec<Node> = Vec::new();
    for pool in pools {
        let mut pool = pool.clone();
        // docker compose merges into the pool where it stands, so every place that holds it changes with it.
        let mut places = Vec::new();
        for other in overs {
            let known = merged.iter().any(|m| subnet(m) == subnet(other));
            if subnet(other) != subnet(&pool) && !known {
                merged.push(other.clone());
                continue;
            }
            pool = merge_maps(pool, other.clone(), path)?;
            places.iter().for_each(|place: &usize| merged[*place] = pool.clone());
            let same = merged.iter().position(|m| subnet(m) == subnet(&pool));
            let place = same.unwrap_or(merged.len());
            if place == merged.len() {
                merged.push(pool.clone());
            } else {
                merged[place] = pool.clone();
            }
            places.push(place);
        }
    }
    Ok(Node::new(Value::Seq(merged), over.at.clone()))
}

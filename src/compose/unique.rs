//! Lists whose items have a key: a later item takes the place of an earlier one with the same key.

use std::collections::BTreeMap;

use super::canonical::parse_mount;
use super::path::Path;
use super::yaml::{Fault, Faults, Mark, Node, Value};

/// Removes redefined items everywhere in a model.
pub(crate) fn enforce(node: &mut Node, path: &Path<'_>, faults: &mut Faults) {
    match &mut node.value {
        Value::Map(map) => map.iter_mut().for_each(|(key, entry)| enforce(&mut entry.node, &path.child(key), faults)),
        Value::Seq(items) => {
            if let Some(key_of) = key_of(path) {
                let keyed = items.drain(..).map(|item| (key_of(&item), item)).collect::<Vec<_>>();
                *items = last_of_each(keyed, path, faults);
            }
        }
        _ => {}
    }
}

type KeyOf = fn(&Node) -> Result<String, &'static str>;

fn last_of_each(keyed: Vec<(Result<String, &'static str>, Node)>, path: &Path<'_>, faults: &mut Faults) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::with_capacity(keyed.len());
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (key, item) in keyed {
        match key {
            Ok(key) => match places.get(&key) {
                Some(place) => out[*place] = item,
                None => {
                    places.insert(key, out.len());
                    out.push(item);
                }
            },
            Err(message) => faults.push(Fault::at(&item.at, format!("{path}: {message}")).code("type")),
        }
    }
    out
}

fn key_of(path: &Path<'_>) -> Option<KeyOf> {
    Some(match path.parts().as_slice() {
        ["networks", _, "labels"]
        | ["networks", _, "ipam", "options"]
        | ["services", _, "build", "args" | "additional_contexts" | "platform" | "tags" | "labels"]
        | ["services", _, "deploy", "labels"]
        | ["services", _, "networks", _, "aliases" | "link_local_ips"] => name,
        ["services", _, field] => match *field {
            "annotations" | "cap_add" | "cap_drop" | "dns" | "dns_opt" | "dns_search" | "environment" | "labels"
            | "links" | "profiles" | "sysctls" | "tmpfs" => name,
            "devices" => device,
            "configs" => config,
            "secrets" => secret,
            "env_file" => env_file,
            "expose" => expose,
            "ports" => port,
            "volumes" => mount,
            _ => return None,
        },
        _ => return None,
    })
}

fn name(item: &Node) -> Result<String, &'static str> {
    let text = item.as_str().filter(|_| item.mark != Mark::Timestamp).ok_or("each item must be a string")?;
    Ok(text.split('=').next().unwrap_or_default().to_owned())
}

fn target(item: &Node, missing: &'static str) -> Result<String, &'static str> {
    item.get("target").and_then(Node::as_str).map(str::to_owned).ok_or(missing)
}

fn mount(item: &Node) -> Result<String, &'static str> {
    match &item.value {
        Value::Map(_) => target(item, "a mount lacks its target"),
        // A faulty short form is reported where it is made canonical.
        Value::String(text) => Ok(parse_mount(text).map(|mount| mount.target).unwrap_or_else(|_| text.clone())),
        _ => Ok(String::new()),
    }
}

fn device(item: &Node) -> Result<String, &'static str> {
    match &item.value {
        Value::Map(_) => target(item, "a device lacks its target"),
        Value::String(text) => {
            let mut parts = text.split(':');
            let first = parts.next().unwrap_or_default();
            Ok(parts.next().unwrap_or(first).to_owned())
        }
        _ => Ok(String::new()),
    }
}

fn expose(item: &Node) -> Result<String, &'static str> {
    match &item.value {
        Value::String(_) | Value::Int(_) => Ok(item.print().unwrap_or_default()),
        _ => Err("each item must be a string or a whole number"),
    }
}

fn config(item: &Node) -> Result<String, &'static str> {
    file_mount(item, "")
}

fn secret(item: &Node) -> Result<String, &'static str> {
    file_mount(item, "/run/secrets")
}

fn file_mount(item: &Node, folder: &str) -> Result<String, &'static str> {
    match &item.value {
        Value::String(text) => Ok(format!("{folder}/{text}")),
        Value::Map(_) => match item.get("target") {
            Some(_) => target(item, "target must be a string"),
            None => Ok(format!("{folder}/{}", item.get("source").and_then(Node::print).unwrap_or_default())),
        },
        _ => Err("each item must be a string or a mapping"),
    }
}

fn port(item: &Node) -> Result<String, &'static str> {
    match &item.value {
        Value::Map(_) => {
            let part = |key: &str, default: &str| match item.get(key) {
                // docker compose never finds a number equal to a text.
                Some(node) if node.as_str().is_none() => {
                    format!("({})", node.print().unwrap_or_default())
                }
                Some(node) => node.as_str().unwrap_or_default().to_owned(),
                None => default.to_owned(),
            };
            let target = item.get("target").and_then(Node::print).ok_or("a port lacks its target")?;
            Ok(format!("{}:{}:{target}/{}", part("host_ip", "0.0.0.0"), part("published", ""), part("protocol", "tcp")))
        }
        _ => Ok(item.print().unwrap_or_default()),
    }
}

fn env_file(item: &Node) -> Result<String, &'static str> {
    match &item.value {
        Value::String(text) => Ok(text.clone()),
        Value::Map(_) => item.get("path").and_then(Node::as_str).map(str::to_owned).ok_or("an env file lacks its path"),
        _ => Ok(String::new()),
    }
}

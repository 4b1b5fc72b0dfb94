//! Defaults of single fields, and what is checked field by field once a model is canonical.

use std::net::IpAddr;

use super::canonical::default;
use super::path::Path;
use super::yaml::{Fault, Faults, Map, Node, Value};

/// Puts in the defaults that docker compose writes out.
pub(crate) fn set_defaults(node: &mut Node, path: &Path<'_>) {
    match path.parts().as_slice() {
        ["services", _, "build"] => default(node, "context", |at| Node::string(".", at)),
        ["services", _, "secrets", _] => {
            let source = node.get("source").and_then(Node::print).unwrap_or_else(|| "<nil>".to_owned());
            default(node, "target", |at| Node::string(format!("/run/secrets/{source}"), at));
        }
        ["services", _, "ports", _] => {
            default(node, "protocol", |at| Node::string("tcp", at));
            default(node, "mode", |at| Node::string("ingress", at));
        }
        ["services", _, "deploy", "resources", "reservations", "devices", _] | ["services", _, "gpus", _] => {
            if node.get("device_ids").is_none() {
                default(node, "count", |at| Node::string("all", at));
            }
        }
        _ => match &mut node.value {
            Value::Map(map) => map.iter_mut().for_each(|(key, entry)| set_defaults(&mut entry.node, &path.child(key))),
            Value::Seq(items) => {
                items.iter_mut().enumerate().for_each(|(i, item)| set_defaults(item, &path.child(&i.to_string())))
            }
            _ => {}
        },
    }
}

/// Checks fields that exclude or need each other.
pub(crate) fn validate(node: &Node, path: &Path<'_>, faults: &mut Faults) {
    match path.parts().as_slice() {
        ["volumes", _] => external(node, path, faults),
        ["configs", _] => content(node, path, &["file", "environment", "content"], faults),
        ["secrets", _] => content(node, path, &["file", "environment"], faults),
        ["services", _, "ports", _] => {
            if let Some(ip) =
                node.get("host_ip").filter(|ip| ip.as_str().is_none_or(|ip| ip.parse::<IpAddr>().is_err()))
            {
                let message = format!("{path}: invalid ip address: {}", ip.print().unwrap_or_default());
                faults.push(Fault::at(&ip.at, message).code("address"));
            }
        }
        ["services", _, "ulimits", _, "hard" | "soft"] | ["services", _, "build", "ulimits", _, "hard" | "soft"] => {
            if !matches!(node.value, Value::Int(_)) {
                let message = format!("{path} must be a whole number, found {}", node.kind());
                faults.push(Fault::at(&node.at, message).code("type"));
            }
        }
        ["services", _, "develop", "watch", _, "path"] => {
            if node.as_str() == Some("") {
                faults.push(Fault::at(&node.at, format!("{path}: value can't be blank")).code("required"));
            }
        }
        ["services", _, "deploy", "resources", "reservations", "devices", _] | ["services", _, "gpus", _] => {
            if node.get("count").is_some() && node.get("device_ids").is_some() {
                let message = format!("{path}: \"count\" and \"device_ids\" attributes are exclusive");
                faults.push(Fault::at(&node.at, message).code("conflict"));
            }
        }
        _ => match &node.value {
            Value::Map(map) => map.iter().for_each(|(key, entry)| validate(&entry.node, &path.child(key), faults)),
            Value::Seq(items) => {
                items.iter().enumerate().for_each(|(i, item)| validate(item, &path.child(&i.to_string()), faults))
            }
            _ => {}
        },
    }
}

fn external(node: &Node, path: &Path<'_>, faults: &mut Faults) {
    if !matches!(node.get("external").map(|node| &node.value), Some(Value::Bool(true))) {
        return;
    }
    let other = |key: &String| key != "name" && key != "external" && !key.starts_with("x-");
    for (key, entry) in node.as_map().into_iter().flat_map(Map::iter).filter(|(key, _)| other(key)) {
        let message = format!("{path}: conflicting parameters \"external\" and \"{key}\" specified");
        faults.push(Fault::at(&entry.key_at, message).code("conflict"));
    }
}

fn content(node: &Node, path: &Path<'_>, keys: &[&str], faults: &mut Faults) {
    let list = keys.join("|");
    match keys.iter().filter(|key| node.get(key).is_some()).count() {
        0 if node.get("driver").is_none() && node.get("external").is_none() => {
            faults.push(Fault::at(&node.at, format!("{path}: one of {list} must be set")).code("required"));
        }
        0 | 1 => {}
        _ => faults
            .push(Fault::at(&node.at, format!("{path}: {list} attributes are mutually exclusive")).code("conflict")),
    }
}

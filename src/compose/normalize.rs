//! What is implied: the default network, dependencies from links, namespaces and mounts, names, build defaults, and
//! variables without a value taken from outside.

use super::canonical::default;
use super::paths::clean;
use super::variables::Variables;
use super::yaml::{Entry, Fault, Faults, Map, Node, Origin, Position, Value};

/// Writes out everything implied in a merged canonical model of the project `name`.
pub(crate) fn normalize(model: &mut Node, name: &str, variables: &Variables, faults: &mut Faults) {
    networks(model);
    for (key, entry) in model.get_mut("services").and_then(Node::as_map_mut).into_iter().flatten() {
        // The one namespace that the schema lets be null.
        if let Some(pid) = entry.node.get("pid").filter(|pid| pid.is_null()) {
            faults.push(Fault::at(&pid.at, format!("services.{key}.pid must be a string, found null")).code("type"));
        }
        service(&mut entry.node, variables);
    }
    for section in ["networks", "volumes", "configs", "secrets"] {
        for (key, entry) in model.get_mut(section).and_then(Node::as_map_mut).into_iter().flatten() {
            resource_name(key, entry, name);
        }
    }
}

fn networks(model: &mut Node) {
    let mut uses_default = None;
    for entry in model.get_mut("services").and_then(Node::as_map_mut).into_iter().flat_map(Map::values_mut) {
        let service = &mut entry.node;
        if service.get("provider").is_some() || service.get("network_mode").is_some() {
            continue;
        }
        let empty = service.get("networks").is_none_or(|networks| networks.as_map().is_none_or(Map::is_empty));
        if empty {
            let at = service.at.clone();
            service.set("networks", Node::map(&at, [("default", Node::null(at.clone()))]));
        }
        if service.get("networks").and_then(|networks| networks.get("default")).is_some() {
            uses_default = Some(service.at.clone());
        }
    }
    if let Some(at) = uses_default {
        if model.get("networks").and_then(Node::as_map).is_none() {
            model.set("networks", Node::new(Value::Map(Map::new()), at.clone()));
        }
        if let Some(networks) = model.get_mut("networks").and_then(Node::as_map_mut) {
            networks.entry("default".to_owned()).or_insert_with(|| Entry { key_at: at.clone(), node: Node::null(at) });
        }
    }
}

fn service(service: &mut Node, variables: &Variables) {
    if let Some(policy) = service.get_mut("pull_policy").filter(|policy| policy.as_str() == Some("if_not_present")) {
        policy.value = Value::String("missing".to_owned());
    }
    if let Some(build) = service.get_mut("build") {
        default(build, "context", |at| Node::string(".", at));
        if build.get("dockerfile_inline").is_none() {
            default(build, "dockerfile", |at| Node::string("Dockerfile", at));
        }
        if let Some(args) = build.get_mut("args") {
            from_outside(args, variables, false);
        }
    }
    if let Some(environment) = service.get_mut("environment") {
        from_outside(environment, variables, true);
    }
    let implied = implied_dependencies(service);
    if !implied.is_empty() {
        let at = service.at.clone();
        default(service, "depends_on", |_| Node::new(Value::Map(Map::new()), at));
    }
    for (name, restart, at) in implied {
        let flag = |value: bool| Node::new(Value::Bool(value), at.clone());
        let condition = Node::string("service_started", at.clone());
        let dependency =
            Node::map(&at, [("condition", condition), ("restart", flag(restart)), ("required", flag(true))]);
        if let Some(depends_on) = service.get_mut("depends_on").and_then(Node::as_map_mut) {
            depends_on.entry(name).or_insert_with(|| Entry { key_at: at.clone(), node: dependency });
        }
    }
    for mount in seq_mut(service.get_mut("volumes")) {
        if let Some(Value::String(target)) = mount.get_mut("target").map(|target| &mut target.value) {
            *target = clean(target);
        }
    }
}

fn seq_mut(node: Option<&mut Node>) -> &mut [Node] {
    match node.map(|node| &mut node.value) {
        Some(Value::Seq(items)) => items,
        _ => &mut [],
    }
}

/// Services that this one needs without saying so: name, whether their restart restarts it, and where it is written.
fn implied_dependencies(service: &Node) -> Vec<(String, bool, Position)> {
    let texts = |key: &str| {
        service
            .get(key)
            .and_then(Node::as_seq)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| Some((item.as_str()?, &item.at)))
    };
    let mut out = Vec::new();
    for (link, at) in texts("links") {
        let parts: Vec<&str> = link.split(':').collect();
        let name = if parts.len() == 2 { parts[0] } else { link };
        out.push((name.to_owned(), true, at.clone()));
    }
    for namespace in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        if let Some(node) = service.get(namespace)
            && let Some(name) = node.as_str().and_then(|text| text.strip_prefix("service:"))
        {
            out.push((name.to_owned(), true, node.at.clone()));
        }
    }
    for (source, at) in texts("volumes_from").filter(|(source, _)| !source.starts_with("container:")) {
        let name = source.split(':').next().unwrap_or_default();
        out.push((name.to_owned(), false, at.clone()));
    }
    out
}

/// Gives names without a value the value that they have outside; those that have none stay or go.
fn from_outside(node: &mut Node, variables: &Variables, keep: bool) {
    match &mut node.value {
        Value::Map(map) => map.retain(|name, entry| {
            if !entry.node.is_null() {
                return true;
            }
            if let Some(value) = variables.get(name) {
                entry.node.value = Value::String(value.to_owned());
                entry.node.origin = Origin::Interpolated;
                return true;
            }
            keep
        }),
        Value::Seq(items) => items.retain_mut(|item| {
            let Some(name) = item.as_str().filter(|text| !text.contains('=')) else {
                return true;
            };
            if let Some(value) = variables.get(name) {
                item.value = Value::String(format!("{name}={value}"));
                item.origin = Origin::Interpolated;
                return true;
            }
            keep
        }),
        _ => {}
    }
}

fn resource_name(key: &str, entry: &mut Entry, project: &str) {
    let node = &mut entry.node;
    if node.is_null() {
        node.at = entry.key_at.clone();
        node.value = Value::Map(Map::new());
    }
    if node.get("name").is_some_and(|name| !name.is_null()) {
        return;
    }
    let external = match node.get("external").map(|node| &node.value) {
        Some(Value::Bool(external)) => *external,
        Some(Value::String(text)) => {
            matches!(text.as_str(), "1" | "t" | "T" | "true" | "TRUE" | "True")
        }
        _ => false,
    };
    let name = if external { key.to_owned() } else { format!("{project}_{key}") };
    let at = node.at.clone();
    node.set("name", Node::string(name, at));
}

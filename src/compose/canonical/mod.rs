//! Short forms to long ones: after this each field has one form.

mod mounts;
mod ports;

pub(crate) use mounts::parse_mount;

use super::merge::dependency;
use super::path::Path;
use super::warning::Warnings;
use super::yaml::{Entry, Fault, Faults, Map, Mark, Node, Position, Value};

/// How many ports a model may have: all that there are of one protocol. A range of them is a few bytes.
const PORTS_MAX: usize = 65_536;

/// Makes a whole model canonical.
pub(crate) fn canonical(node: &mut Node, faults: &mut Faults, warnings: &mut Warnings) {
    Canonical { faults, warnings, ports_left: PORTS_MAX }.node(node, &Path::root());
}

struct Canonical<'a> {
    faults: &'a mut Faults,
    warnings: &'a mut Warnings,
    ports_left: usize,
}

impl Canonical<'_> {
    fn node(&mut self, node: &mut Node, path: &Path<'_>) {
        if let Some(form) = lacking_form(node, path) {
            self.faults.push(Fault::at(&node.at, format!("{path} must be {form}, found {}", node.kind())).code("type"));
            return;
        }
        match path.parts().as_slice() {
            ["services", _, "build"] => {
                as_field(node, "context");
                self.children(node, path);
            }
            ["services", _, "extends"] => as_field(node, "service"),
            ["services", _, "build", "secrets", _] | ["services", _, "secrets" | "configs", _] => {
                as_field(node, "source")
            }
            ["services", _, "build", "provenance" | "sbom"] => as_text(node),
            ["services", _, "build", "additional_contexts"] => {
                self.key_values(node, path);
                self.children(node, path);
            }
            ["services", _, "build", "ssh"] => self.ssh(node, path),
            ["services", _, "depends_on"] => depends_on(node),
            ["services", _, "env_file"] => env_files(node),
            ["services", _, "label_file"] | ["services", _, "develop", "watch", _, "ignore" | "include"] => {
                as_list(node)
            }
            ["services", _, "dns"] => {
                as_list(node);
                // An empty name server (a variable without a value) is none.
                if let Value::Seq(items) = &mut node.value {
                    items.retain(|item| !item.is_null() && item.as_str() != Some(""));
                }
            }
            ["services", _, "gpus"] => gpus(node),
            ["services", _, "networks" | "models"] => as_set(node),
            ["services", _, "volumes", _] => self.mount(node),
            ["services", _, "devices", _] => self.device(node),
            ["services", _, "ports"] => self.ports(node, path),
            ["services", _, "ulimits", _] | ["services", _, "build", "ulimits", _] => {
                if !matches!(node.value, Value::Int(_) | Value::Map(_)) {
                    self.faults
                        .push(Fault::at(&node.at, format!("{path} must be a whole number or a mapping")).code("type"));
                }
            }
            ["volumes" | "networks" | "secrets" | "configs", _] => {
                self.children(node, path);
                self.external(node, path);
            }
            _ => self.children(node, path),
        }
    }

    fn children(&mut self, node: &mut Node, path: &Path<'_>) {
        match &mut node.value {
            Value::Map(map) => map.iter_mut().for_each(|(key, entry)| self.node(&mut entry.node, &path.child(key))),
            Value::Seq(items) => {
                items.iter_mut().enumerate().for_each(|(i, item)| self.node(item, &path.child(&i.to_string())))
            }
            _ => {}
        }
    }

    fn key_values(&mut self, node: &mut Node, path: &Path<'_>) {
        let Value::Seq(items) = &mut node.value else {
            return;
        };
        let mut map = Map::new();
        for item in items.drain(..) {
            match item.as_str().and_then(|text| text.split_once('=')) {
                Some((key, value)) => {
                    let value = Node::string(value, item.at.clone()).from_origin(item.origin);
                    map.insert(key.to_owned(), Entry { key_at: item.at.clone(), node: value });
                }
                None => {
                    let message =
                        format!("{path}: invalid value `{}`, expected key=value", item.print().unwrap_or_default());
                    self.faults.push(Fault::at(&item.at, message).code("syntax"));
                }
            }
        }
        node.value = Value::Map(map);
    }

    fn ssh(&mut self, node: &mut Node, path: &Path<'_>) {
        let Value::Seq(items) = &mut node.value else {
            return;
        };
        let mut map = Map::new();
        for item in items.drain(..) {
            let text = item.as_str().unwrap_or_default();
            let (id, value) = match text.split_once('=') {
                Some((id, path)) => (id.to_owned(), Node::string(path, item.at.clone()).from_origin(item.origin)),
                None if text == "default" => (text.to_owned(), Node::null(item.at.clone())),
                None => {
                    self.faults.push(Fault::at(&item.at, format!("{path}: invalid ssh key `{text}`")).code("syntax"));
                    continue;
                }
            };
            map.insert(id, Entry { key_at: item.at.clone(), node: value });
        }
        node.value = Value::Map(map);
    }

    fn mount(&mut self, node: &mut Node) {
        let Some(text) = node.as_str() else { return };
        match parse_mount(text) {
            Ok(mount) => *node = mount.node(&node.at, node.origin),
            Err(message) => {
                self.faults.push(Fault::at(&node.at, format!("invalid spec: `{text}`: {message}")).code("syntax"));
            }
        }
    }

    fn device(&mut self, node: &mut Node) {
        let Some(text) = node.as_str() else { return };
        let parts: Vec<&str> = text.split(':').collect();
        if parts.len() > 3 {
            let message = format!("confusing device mapping, please use long syntax: {text}");
            self.faults.push(Fault::at(&node.at, message).code("syntax"));
            return;
        }
        let target = parts.get(1).copied().filter(|target| !target.is_empty()).unwrap_or(parts[0]);
        let field = |value: &str| Node::string(value, node.at.clone()).from_origin(node.origin);
        let fields = [
            ("source", field(parts[0])),
            ("target", field(target)),
            ("permissions", field(parts.get(2).unwrap_or(&"rwm"))),
        ];
        *node = Node::map(&node.at, fields);
    }

    fn ports(&mut self, node: &mut Node, path: &Path<'_>) {
        let Value::Seq(items) = &mut node.value else {
            return;
        };
        let mut out = Vec::new();
        for item in items.drain(..) {
            match &item.value {
                Value::Map(_) => out.push(item),
                Value::Int(_) | Value::String(_) => match ports::parse(&item.print().unwrap_or_default()) {
                    Ok(ports) if out.len() + ports.len() > self.ports_left => {
                        let message = format!("{path}: more than {PORTS_MAX} ports");
                        self.faults.push(Fault::at(&item.at, message).code("too-large"));
                        break;
                    }
                    Ok(ports) => out.extend(ports.into_iter().map(|port| port.node(&item.at, item.origin))),
                    Err(message) => {
                        self.faults.push(Fault::at(&item.at, message).code("syntax"));
                        out.push(item);
                    }
                },
                _ => self
                    .faults
                    .push(Fault::at(&item.at, format!("{path}: invalid type {} for port", item.kind())).code("type")),
            }
        }
        self.ports_left = self.ports_left.saturating_sub(out.len());
        node.value = Value::Seq(out);
    }

    /// The old form `external: {name: x}`.
    fn external(&mut self, node: &mut Node, path: &Path<'_>) {
        let Some(external) = node.get("external").filter(|external| external.as_map().is_some()).cloned() else {
            return;
        };
        let at = external.at.clone();
        node.set("external", Node::new(Value::Bool(true), at.clone()));
        let Some(name) = external.get("name") else {
            return;
        };
        self.warnings.push(
            "obsolete",
            Some(&at),
            format!("{path}: external.name is deprecated, set name and external: true"),
        );
        match node.get("name") {
            Some(other) if !other.same(name) => {
                self.faults.push(
                    Fault::at(&name.at, format!("{path}: name and external.name conflict; only use name"))
                        .code("conflict"),
                );
            }
            Some(_) => {}
            None => node.set("name", name.clone()),
        }
    }
}

/// What a node must be for docker compose to read it at its path, where it is something else. The schema asks for more, but
/// it does not see a file that services extend before the two are merged.
fn lacking_form(node: &Node, path: &Path<'_>) -> Option<&'static str> {
    let text = |node: &Node| node.as_str().is_some() && node.mark != Mark::Timestamp;
    let map = |node: &Node| node.as_map().is_some();
    let list = |node: &Node| node.as_seq().is_some();
    let list_of = |fits: &dyn Fn(&Node) -> bool| node.as_seq().is_some_and(|items| items.iter().all(fits));
    let map_of = |fits: &dyn Fn(&Node) -> bool| node.as_map().is_some_and(|map| map.values().all(|e| fits(&e.node)));
    let (fits, form) = match path.parts().as_slice() {
        ["services", _, "build"]
        | ["services", _, "build", "secrets", _]
        | ["services", _, "devices" | "secrets" | "configs" | "volumes", _] => {
            (text(node) || map(node), "a string or mapping")
        }
        ["services", _, "build", "context"] | ["services", _, "build", "additional_contexts", _] => {
            (text(node), "a string")
        }
        ["services", _, "build", "ssh" | "additional_contexts"] => (list(node) || map(node), "a list or mapping"),
        ["services", _, "depends_on"] => {
            (list_of(&text) || map_of(&map), "a list of names, or a mapping with a mapping for each")
        }
        ["services", _, "networks" | "models"] => (!list(node) || list_of(&text), "a list of names, or a mapping"),
        ["services", _, "env_file"] => {
            (text(node) || list_of(&|item| text(item) || map(item)), "a string, or a list of strings and mappings")
        }
        ["services", _, "gpus"] => (text(node) || list(node), "a string or list"),
        ["services", _, "ports"] => (list(node), "a list"),
        _ => return None,
    };
    (!fits).then_some(form)
}

fn as_field(node: &mut Node, key: &str) {
    if node.as_str().is_some() {
        let at = node.at.clone();
        let text = std::mem::replace(node, Node::null(at.clone()));
        *node = Node::map(&at, [(key, text)]);
    }
}

fn as_text(node: &mut Node) {
    node.value = Value::String(node.print_any());
}

fn as_list(node: &mut Node) {
    if node.as_str().is_some() {
        let at = node.at.clone();
        let text = std::mem::replace(node, Node::null(at.clone()));
        *node = Node::new(Value::Seq(vec![text]), at);
    }
}

/// A list of names as a mapping without values.
fn as_set(node: &mut Node) {
    let Value::Seq(items) = &node.value else {
        return;
    };
    let entry = |item: &Node| {
        Some((item.as_str()?.to_owned(), Entry { key_at: item.at.clone(), node: Node::null(item.at.clone()) }))
    };
    node.value = Value::Map(items.iter().filter_map(entry).collect());
}

fn depends_on(node: &mut Node) {
    if let Value::Seq(items) = &node.value {
        let entry = |item: &Node| {
            Some((item.as_str()?.to_owned(), Entry { key_at: item.at.clone(), node: dependency(item.at.clone()) }))
        };
        node.value = Value::Map(items.iter().filter_map(entry).collect());
    }
    for entry in node.as_map_mut().into_iter().flat_map(Map::values_mut) {
        default(&mut entry.node, "condition", |at| Node::string("service_started", at));
        default(&mut entry.node, "required", |at| Node::new(Value::Bool(true), at));
    }
}

fn env_files(node: &mut Node) {
    as_list(node);
    if let Value::Seq(items) = &mut node.value {
        for item in items {
            as_field(item, "path");
            default(item, "required", |at| Node::new(Value::Bool(true), at));
        }
    }
}

fn gpus(node: &mut Node) {
    if node.as_str().is_some() {
        let all = Node::map(&node.at, [("count", Node::string("all", node.at.clone()))]);
        node.value = Value::Seq(vec![all]);
    }
}

/// Puts a field into a mapping that lacks it.
pub(crate) fn default(node: &mut Node, key: &str, value: impl FnOnce(Position) -> Node) {
    if node.as_map().is_some_and(|map| !map.contains_key(key)) {
        let at = node.at.clone();
        node.set(key, value(at));
    }
}

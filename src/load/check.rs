//! What a schema cannot say of a manifest: names that must exist, fields that belong elsewhere, probes of one kind.

use super::{
    manifest::{
        inline::is_compose_field,
        scalars::Duration,
        service::{Probe, ServicePolicy},
    },
    project::Read,
    tree, windows,
};
use crate::compose::{
    Fault, Project,
    yaml::{Faults, Map, Node},
};

/// So many containers of one service; each is an address of a network, and a plan holds steps for each.
const REPLICAS_MAX: i64 = 1000;

/// Checks a manifest against its project.
pub fn manifest(read: &Read, faults: &mut Faults) {
    // Inline, every entry is a service of its own.
    if !read.inline {
        misplaced(read, faults);
        unknown_services(read, "services", read.stack.spec.services.keys(), faults);
    }
    replicas(&read.loaded.project, faults);
    unknown_services(read, "images", read.stack.spec.images.keys(), faults);
    images(read, faults);
    exceptions(read, faults);
    let own = read.stack.spec.services.iter().map(|(name, policy)| (vec!["spec", "services", name], policy));
    let defaults = read.stack.spec.defaults.iter().map(|policy| (vec!["spec", "defaults"], policy));
    for (path, policy) in own.chain(defaults) {
        for (kind, probe) in policy.probes.iter().flat_map(|probes| probes.each()) {
            let path: Vec<&str> = path.iter().copied().chain(["probes", kind]).collect();
            check_probe(read, &path, &probe, faults);
        }
        check_budget(read, &path, policy, faults);
        check_limits(read, &path, policy, faults);
        windows::check(read, &path, policy, faults);
    }
    windows::check_default(read, faults);
}

/// A service of the manifest that exists, enabled or not, else a fault with the name that may be meant.
pub fn exists(read: &Read, name: &str, path: &[&str], faults: &mut Faults) -> bool {
    let project = &read.loaded.project;
    if project.any_service(name).is_some() {
        return true;
    }
    // The position is the key's in a mapping and the item's in a list, which are both that of the name.
    let fault = read.fault(path, format!("there is no service `{name}`")).code("undefined");
    faults.push(unknown_service(fault, name, project.services.keys().map(String::as_str)));
    false
}

/// So many services are listed where none is near to the one that is named.
const LISTED_MAX: usize = 12;

/// The fault, with the service that may be meant, else with those that there are.
pub fn unknown_service<'a>(fault: Fault, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Fault {
    if tree::nearest(name, known.clone()).is_some() {
        return did_you_mean(fault, name, known);
    }
    let listed: Vec<String> = known.clone().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
    let rest = if known.count() > LISTED_MAX { ", …" } else { "" };
    match listed.is_empty() {
        true => fault.hint("there are no services"),
        false => fault.hint(format!("the services are {}{rest}", listed.join(", "))),
    }
}

/// The fault, with the known name that is near enough to be meant.
pub fn did_you_mean<'a>(fault: Fault, name: &str, known: impl IntoIterator<Item = &'a str>) -> Fault {
    match tree::nearest(name, known) {
        Some(near) => fault.hint(format!("did you mean `{near}`?")),
        None => fault,
    }
}

fn unknown_services<'a>(read: &Read, section: &str, names: impl Iterator<Item = &'a String>, faults: &mut Faults) {
    for name in names {
        exists(read, name, &["spec", section, name], faults);
    }
}

/// Compose fields beside Compose files.
fn misplaced(read: &Read, faults: &mut Faults) {
    let hint = "the services are those of `spec.compose.files`; write it there, or drop `spec.compose`";
    let services = tree::node(&read.tree, &["spec", "services"]).and_then(Node::as_map);
    for (name, entry) in services.into_iter().flatten() {
        for field in entry.node.as_map().into_iter().flat_map(Map::keys) {
            if is_compose_field(field) && !field.starts_with("x-") {
                let fault =
                    read.fault(&["spec", "services", name, field], format!("`{field}` belongs in a Compose file"));
                faults.push(fault.code("misplaced").hint(hint));
            }
        }
    }
    for section in ["networks", "volumes", "configs", "secrets"] {
        if tree::node(&read.tree, &["spec", section]).is_some_and(|node| !node.is_null()) {
            let fault = read.fault(&["spec", section], format!("`{section}` belongs in a Compose file"));
            faults.push(fault.code("misplaced").hint(hint));
        }
    }
}

/// More replicas than an engine can hold.
fn replicas(project: &Project, faults: &mut Faults) {
    for (name, service) in project.services.iter().filter(|(_, service)| service.replicas() > REPLICAS_MAX) {
        let field: &[&str] = if service.scale.is_some() { &["scale"] } else { &["deploy", "replicas"] };
        let path: Vec<&str> = ["services", name].into_iter().chain(field.iter().copied()).collect();
        let message = format!("`{}` must be at most {REPLICAS_MAX}", path.join("."));
        faults.push(project.fault(&path, message).code("range"));
    }
}

fn images(read: &Read, faults: &mut Faults) {
    for (name, image) in &read.stack.spec.images {
        let path = ["spec", "images", name.as_str()];
        if image.contains("${") || image.starts_with('$') {
            let fault = read.fault_at_value(&path, format!("`spec.images.{name}` takes no variables"));
            faults.push(fault.code("interpolation").hint(format!("pass it with `--image {name}=…`")));
        } else if image.is_empty() || image.chars().any(char::is_whitespace) {
            let fault = read.fault_at_value(&path, format!("`spec.images.{name}` is no image reference"));
            faults.push(fault.code("type").hint("for example `ghcr.io/us/core:1.2.3`"));
        }
    }
}

/// `SERVICE.NAME` must name a service, unless it is a label whose own name has dots.
fn exceptions(read: &Read, faults: &mut Faults) {
    let project = &read.loaded.project;
    let is_label = |entry: &str| project.services.values().any(|service| service.labels.0.contains_key(entry));
    for (section, list) in [("show", &read.stack.spec.show), ("hide", &read.stack.spec.hide)] {
        for (index, entry) in list.iter().enumerate().filter(|(_, entry)| !is_label(entry)) {
            let index = index.to_string();
            let qualifies =
                |name: &&String| entry.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'));
            let known = project.services.keys().chain(project.disabled_services.keys()).any(|name| qualifies(&name));
            if let (Some((service, _)), false) = (entry.split_once('.'), known) {
                exists(read, service, &["spec", section, &index], faults);
            }
        }
    }
}

fn check_probe(read: &Read, path: &[&str], probe: &Probe, faults: &mut Faults) {
    let kinds = probe.kinds();
    if kinds.len() > 1 {
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
        let message =
            format!("`{}` has several kinds, {}, but asks one question", tree::shown(path), kinds.join(" and "));
        faults.push(read.fault(path, message).code("conflict"));
    }
    for (field, span) in [("period", probe.period), ("timeout", probe.timeout)] {
        more_than_zero(read, path, field, span, faults);
    }
}

fn check_budget(read: &Read, path: &[&str], policy: &ServicePolicy, faults: &mut Faults) {
    let liveness = policy.probes.as_ref().and_then(|probes| probes.liveness.as_ref());
    if let Some(budget) = liveness.and_then(|liveness| liveness.budget.as_ref()) {
        let path: Vec<&str> = path.iter().copied().chain(["probes", "liveness", "budget"]).collect();
        more_than_zero(read, &path, "per", budget.per, faults);
    }
}

/// The engine takes a limit of nothing for none at all.
fn check_limits(read: &Read, path: &[&str], policy: &ServicePolicy, faults: &mut Faults) {
    let Some(limits) = &policy.limits else { return };
    let memory = limits.memory.is_some_and(|memory| memory.0.0 == 0);
    let cpus = limits.cpus.is_some_and(|cpus| cpus.0.0 == 0);
    for (field, _) in [("memory", memory), ("cpus", cpus)].into_iter().filter(|(_, is_zero)| *is_zero) {
        let path: Vec<&str> = path.iter().copied().chain(["limits", field]).collect();
        let message = format!("`{}` must be more than zero", tree::shown(&path));
        let fault = read.fault_at_value(&path, message).code("range");
        faults.push(fault.hint("to limit nothing, leave it out"));
    }
}

/// A span in the mapping at a path.
pub fn more_than_zero(read: &Read, path: &[&str], field: &str, span: Option<Duration>, faults: &mut Faults) {
    if span.is_some_and(|span| span.0.0 == 0) {
        let path: Vec<&str> = path.iter().copied().chain([field]).collect();
        let message = format!("`{}` must be more than zero", tree::shown(&path));
        faults.push(read.fault_at_value(&path, message).code("range"));
    }
}

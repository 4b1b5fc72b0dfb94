//! Host ports that two containers of the stack would both take.

use crate::compose::{
    project::{Port, Project},
    yaml::Faults,
};
use std::collections::BTreeMap;

/// A port on the host that is taken, and where it is declared.
struct Taken<'a> {
    address: &'a str,
    service: &'a str,
}

/// Finds fixed host ports that are declared twice, and services that would need one more than once.
pub fn check(project: &Project, faults: &mut Faults) {
    let mut taken: BTreeMap<(&str, &str), Vec<Taken<'_>>> = BTreeMap::new();
    for (name, service) in &project.services {
        // On the host's network nothing is published: the process itself listens.
        if service.network_mode == "host" || service.replicas() == 0 {
            continue;
        }
        for (index, port) in service.ports.iter().enumerate() {
            let index = index.to_string();
            let path = ["services", name.as_str(), "ports", index.as_str()];
            let replicas = service.replicas();
            if choices(port).is_some_and(|choices| choices < replicas) {
                let what = if is_fixed(port) { "the host port" } else { "the host ports" };
                let message = format!("{name}: {what} {} cannot be published by {replicas} replicas", shown(port));
                let fault = project.fault(&path, message).code("conflict");
                faults.push(fault.hint("publish a range with a port for each, or put a reverse proxy in front"));
            }
            if !is_fixed(port) {
                continue;
            }
            let others = taken.entry((port.published.as_str(), port.protocol.as_str())).or_default();
            let clash = others.iter().find(|other| overlap(other.address, &port.host_ip));
            if let Some(other) = clash {
                let message = match other.service == name {
                    true => format!("{name}: the host port {} is published twice", shown(port)),
                    false => {
                        format!("the host port {} is published by `{}` and by `{name}`", shown(port), other.service)
                    }
                };
                faults.push(project.fault(&path, message).code("conflict"));
            }
            others.push(Taken { address: &port.host_ip, service: name });
        }
    }
}

/// A single port, not one that the engine chooses.
fn is_fixed(port: &Port) -> bool {
    !port.published.is_empty() && port.published != "0" && !port.published.contains('-')
}

/// How many host ports there are to choose from; `None` where the engine chooses freely.
fn choices(port: &Port) -> Option<i64> {
    match port.published.split_once('-') {
        Some((low, high)) => Some(high.parse::<i64>().ok()? - low.parse::<i64>().ok()? + 1),
        None => is_fixed(port).then_some(1),
    }
}

/// Whether two addresses of the host are one, or one of them is all of them.
fn overlap(one: &str, other: &str) -> bool {
    let all = |address: &str| matches!(address, "" | "0.0.0.0" | "::");
    one == other || all(one) || all(other)
}

fn shown(port: &Port) -> String {
    let protocol = if port.protocol == "tcp" { String::new() } else { format!("/{}", port.protocol) };
    let address = if port.host_ip.is_empty() { String::new() } else { format!("{}:", port.host_ip) };
    format!("{address}{}{protocol}", port.published)
}

//! The waves of `rollout.order`: names that exist, each once, and no cycle together with `depends_on`.

use super::{check, project::Read};
use crate::{compose::yaml::Faults, model::names::ServiceName};
use std::collections::BTreeMap;

/// The waves, without services that no profile enables. What is wrong with them is a fault.
pub fn waves(read: &Read, faults: &mut Faults) -> Vec<Vec<ServiceName>> {
    let written = read.stack.spec.rollout.as_ref().map(|rollout| rollout.order.as_slice()).unwrap_or_default();
    let enabled = &read.loaded.project.services;
    let mut seen: BTreeMap<&str, [String; 2]> = BTreeMap::new();
    let mut waves = Vec::new();
    for (wave, names) in written.iter().enumerate() {
        let mut kept = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let place = [wave.to_string(), index.to_string()];
            let path = ["spec", "rollout", "order", &place[0], &place[1]];
            if !check::exists(read, name, &path, faults) {
                continue;
            }
            if seen.contains_key(name.as_str()) {
                let message = format!("`{name}` is in `spec.rollout.order` twice");
                faults.push(read.fault_at_value(&path, message).code("conflict"));
                continue;
            }
            if enabled.contains_key(name) {
                kept.push(ServiceName::new(name));
            }
            seen.insert(name, place);
        }
        if !kept.is_empty() {
            waves.push(kept);
        }
    }
    // A cycle of `depends_on` alone is the Compose file's.
    if Graph::new(read, &[]).cycle().is_none()
        && let Some(cycle) = Graph::new(read, &waves).cycle()
    {
        let place = cycle.iter().rev().find_map(|name| seen.get(name));
        let path = match place {
            Some([wave, index]) => vec!["spec", "rollout", "order", wave, index],
            None => vec!["spec", "rollout", "order"],
        };
        let fault = read.fault_at_value(&path, spelled(read, &cycle)).code("cycle");
        faults.push(fault.hint("`depends_on` always holds; take one of the services out of its wave, or move it"));
    }
    waves
}

/// The services by number, then one barrier a wave: a wave waits for the barrier before it, and that for the wave before
/// it. So the number of edges grows with the services and not with their square.
struct Graph<'a> {
    names: Vec<&'a str>,
    waits_for: Vec<Vec<usize>>,
}

impl<'a> Graph<'a> {
    fn new(read: &'a Read, waves: &[Vec<ServiceName>]) -> Graph<'a> {
        let services = &read.loaded.project.services;
        let names: Vec<&str> = services.keys().map(String::as_str).collect();
        let number: BTreeMap<&str, usize> = names.iter().enumerate().map(|(index, name)| (*name, index)).collect();
        let mut waits_for: Vec<Vec<usize>> = services
            .values()
            .map(|service| service.depends_on.keys().filter_map(|name| number.get(name.as_str()).copied()).collect())
            .collect();
        let members = |wave: &[ServiceName]| -> Vec<usize> {
            wave.iter().filter_map(|name| number.get(name.as_str()).copied()).collect()
        };
        for pair in waves.windows(2) {
            let [before, after] = pair else {
                continue;
            };
            let barrier = waits_for.len();
            waits_for.push(members(before));
            members(after).into_iter().for_each(|member| waits_for[member].push(barrier));
        }
        Graph { names, waits_for }
    }

    /// The services of one cycle, the first again at its end; without recursion, each node entered and left once.
    fn cycle(&self) -> Option<Vec<&'a str>> {
        let mut done = vec![false; self.waits_for.len()];
        let mut on_path = vec![false; self.waits_for.len()];
        for start in 0..self.waits_for.len() {
            let mut path: Vec<(usize, usize)> = Vec::new();
            let mut next = Some(start);
            loop {
                if let Some(node) = next.take().filter(|node| !done[*node]) {
                    if on_path[node] {
                        let from = path.iter().position(|(known, _)| *known == node).unwrap_or(0);
                        let cycle = path[from..].iter().map(|(node, _)| *node).chain([node]);
                        return Some(self.named(cycle.collect()));
                    }
                    on_path[node] = true;
                    path.push((node, 0));
                }
                let Some((node, tried)) = path.last_mut() else {
                    break;
                };
                match self.waits_for[*node].get(*tried) {
                    Some(child) => {
                        *tried += 1;
                        next = Some(*child);
                    }
                    None => {
                        done[*node] = true;
                        on_path[*node] = false;
                        path.pop();
                    }
                }
            }
        }
        None
    }

    /// Without barriers, beginning and ending with one service.
    fn named(&self, cycle: Vec<usize>) -> Vec<&'a str> {
        let mut names: Vec<&str> = cycle.iter().filter_map(|node| self.names.get(*node).copied()).collect();
        if names.first() != names.last() || names.len() == 1 {
            names.extend(names.first().copied());
        }
        names
    }
}

/// ``a cycle: `core` waits for `db` (rollout.order), which waits for `core` (depends_on)``.
fn spelled(read: &Read, cycle: &[&str]) -> String {
    let services = &read.loaded.project.services;
    let mut text = String::from("a cycle: ");
    for (index, pair) in cycle.windows(2).enumerate() {
        let depends = services.get(pair[0]).is_some_and(|service| service.depends_on.contains_key(pair[1]));
        let why = if depends { "depends_on" } else { "rollout.order" };
        match index {
            0 => text.push_str(&format!("`{}` waits for `{}` ({why})", pair[0], pair[1])),
            _ => text.push_str(&format!(", which waits for `{}` ({why})", pair[1])),
        }
    }
    text
}

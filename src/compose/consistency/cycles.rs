//! Services that wait for each other for ever.

use std::collections::BTreeSet;

use crate::compose::project::Project;
use crate::compose::yaml::Faults;

/// Finds each cycle of dependencies once, without recursion: each service is entered and left once.
pub(super) fn check(project: &Project, faults: &mut Faults) {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for start in project.services.keys() {
        let mut path: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut next = Some(start.as_str());
        loop {
            if let Some(name) = next.take().filter(|name| !done.contains(name)) {
                if let Some(at) = path.iter().position(|(known, _)| *known == name) {
                    let chain: Vec<&str> = path[at..].iter().map(|(known, _)| *known).chain([name]).collect();
                    let last = path.last().map_or(name, |(last, _)| *last);
                    let message = format!("dependency cycle detected: {}", chain.join(" -> "));
                    faults.push(project.fault(&["services", last, "depends_on", name], message).code("cycle"));
                } else if let Some(service) = project.services.get(name) {
                    path.push((name, service.depends_on.keys().map(String::as_str).rev().collect()));
                }
            }
            match path.last_mut() {
                None => break,
                Some((name, open)) => match open.pop() {
                    Some(child) => next = Some(child),
                    None => {
                        done.insert(name);
                        path.pop();
                    }
                },
            }
        }
    }
}

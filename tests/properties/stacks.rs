//! Random stacks: what a person might write, and what they might change it to.

use crate::{part::Part, seed::Seed};
use std::collections::{BTreeMap, BTreeSet};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// A stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Sketch {
    pub parts: BTreeMap<&'static str, Part>,
    pub ordered: bool,
    pub prune: bool,
    pub parallel: u32,
    pub whole: bool,
}

impl Sketch {
    /// A stack whose images are fine.
    pub fn fine(seed: &mut Seed) -> Sketch {
        let count = 2 + seed.below(3);
        let mut sketch = Sketch {
            parts: NAMES[..count].iter().map(|name| (*name, Part::fine(seed))).collect(),
            ordered: seed.percent(20),
            prune: seed.percent(50),
            parallel: seed.pick(&[1, 1, 2, 3]),
            whole: seed.percent(25),
        };
        for (at, name) in NAMES[..count].iter().enumerate().skip(1) {
            for other in &NAMES[..at] {
                if seed.percent(35) {
                    let proven = seed.percent(50);
                    sketch.parts.get_mut(name).unwrap().depends.insert(other, proven);
                }
            }
            if seed.percent(12) {
                sketch.parts.get_mut(name).unwrap().shares = Some(NAMES[seed.below(at)]);
            }
        }
        sketch.tidy();
        sketch
    }

    /// What it might be changed to.
    pub fn changed(&self, seed: &mut Seed) -> Sketch {
        let mut next = self.clone();
        for part in next.parts.values_mut() {
            if !seed.percent(70) {
                continue;
            }
            for _ in 0..1 + seed.below(2) {
                part.change(seed);
            }
        }
        if seed.percent(10) && next.parts.len() > 1 {
            let last = *next.parts.keys().last().unwrap();
            next.parts.remove(last);
        } else if seed.percent(10) && next.parts.len() < NAMES.len() {
            next.parts.insert(NAMES[next.parts.len()], Part::fine(seed));
        }
        if seed.percent(20) {
            next.parallel = seed.pick(&[1, 2, 3]);
        }
        next.tidy();
        next
    }

    /// With an image that never gets through its gate.
    pub fn broken(&self, seed: &mut Seed) -> Sketch {
        let mut next = self.clone();
        let names: Vec<&str> = next.parts.keys().copied().collect();
        let name = seed.pick(&names);
        next.parts.get_mut(name).unwrap().break_it(seed);
        next.tidy();
        next
    }

    pub fn breaks(&self) -> bool {
        self.parts.values().any(Part::breaks)
    }

    fn tidy(&mut self) {
        let names: Vec<&str> = self.parts.keys().copied().collect();
        for name in &names {
            let parent = self.parts[name].shares.filter(|parent| {
                self.parts.get(parent).is_some_and(|parent| !parent.is_job() && parent.shares.is_none())
            });
            let part = self.parts.get_mut(name).unwrap();
            part.shares = parent;
            part.tidy();
            part.depends.retain(|other, _| names.contains(other) && other != name);
        }
        for parent in self.parts.values().filter_map(|part| part.shares).collect::<Vec<_>>() {
            self.parts.get_mut(parent).unwrap().replicas = 1;
        }
    }

    /// The services that share namespaces with this one, itself included.
    pub fn unit(&self, name: &str) -> BTreeSet<&'static str> {
        let root = |of: &str| self.parts.get(of).and_then(|part| part.shares);
        let leader = root(name).unwrap_or(name).to_owned();
        let in_it = |other: &&&'static str| **other == leader || root(other) == Some(leader.as_str());
        self.parts.keys().filter(in_it).copied().collect()
    }

    /// Names of the services that are one-shots.
    pub fn jobs(&self) -> Vec<&'static str> {
        self.parts.iter().filter(|(_, part)| part.is_job()).map(|(name, _)| *name).collect()
    }
}

//! Reading on beside what is wrong, so that one look tells all: what a fault is about is taken out of the tree, and what
//! then is said of that which held it is not told.

use super::yaml::{Fault, Map, Node, Position, Value};
use std::collections::BTreeSet;

/// A section, and the name of a thing in it: what is wrong about the thing itself leaves nothing to go on with.
const DEPTH_MIN: usize = 3;

/// A place in a file.
type At = (String, u32, u32);

/// Where something was taken out of.
#[derive(Debug, Default)]
pub struct Holders(BTreeSet<At>);

impl Holders {
    /// Takes out what the faults are about, as far as it is still there; false where nothing is left to go on with.
    pub fn take_out(&mut self, model: &mut Node, faults: &[Fault]) -> bool {
        let mut search = Search {
            wanted: faults.iter().map(|fault| (fault.file.clone(), fault.line, fault.column)).collect(),
            taken: Vec::new(),
            left: BTreeSet::new(),
            above: Vec::new(),
            holders: &mut self.0,
        };
        search.node(model);
        search.left.iter().all(|place| search.taken.contains(place))
    }

    /// Whether a fault is about what something was taken out of.
    pub fn holds(&self, fault: &Fault) -> bool {
        self.0.contains(&(fault.file.clone(), fault.line, fault.column))
    }
}

struct Search<'h> {
    wanted: BTreeSet<At>,
    taken: Vec<At>,
    /// About a thing itself, or more. An extension that services took over stands so, too.
    left: BTreeSet<At>,
    /// The places of the keys and items around.
    above: Vec<At>,
    holders: &'h mut BTreeSet<At>,
}

impl Search<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::Map(map) => self.map(map),
            Value::Seq(items) => items.retain_mut(|item| {
                let place = at(&item.at);
                self.stays(place.clone(), place, item)
            }),
            _ => {}
        }
    }

    fn map(&mut self, map: &mut Map) {
        map.retain(|_, entry| self.stays(at(&entry.key_at), at(&entry.node.at), &mut entry.node));
    }

    /// Whether what is written here stays. A mapping begins where its first key does, and then the key is meant.
    fn stays(&mut self, key: At, value: At, node: &mut Node) -> bool {
        let before = self.taken.len();
        self.above.push(key.clone());
        self.node(node);
        self.above.pop();
        let is_meant = |place: &At| self.wanted.contains(place) && !self.taken[before..].contains(place);
        let meant: Vec<At> = [key, value].into_iter().filter(is_meant).collect();
        if meant.is_empty() || self.above.len() + 1 < DEPTH_MIN {
            self.left.extend(meant);
            return true;
        }
        self.taken.extend(meant);
        self.holders.extend(self.above.iter().cloned());
        false
    }
}

fn at(position: &Position) -> At {
    (position.file.name.clone(), position.line, position.column)
}

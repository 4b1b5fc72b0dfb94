//! Watches every moment of a simulated engine for what must never be: two that write one volume, and a service that
//! starts first with fewer ready replicas than it had.

use crate::shape::is_of_stack;
use evenkeel::engine::simulated::{SimulatedEngine, Snapshot};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// What is watched for, and what was seen.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    /// By service: so many are ready at least.
    floors: BTreeMap<String, usize>,
    /// Services of which two may write at once.
    sharing: BTreeSet<String>,
    faults: BTreeSet<String>,
}

impl Watch {
    /// Watches an engine from now on.
    pub fn over(engine: &SimulatedEngine) -> Watch {
        let watch = Watch::default();
        let seen = watch.0.clone();
        engine.observe(move |snapshot| seen.lock().unwrap().judge(snapshot));
        watch
    }

    /// From now on these services have so many ready replicas at least, and of these two may write at once.
    pub fn expect(&self, floors: BTreeMap<String, usize>, sharing: BTreeSet<String>) {
        let mut seen = self.0.lock().unwrap();
        seen.floors = floors;
        seen.sharing.extend(sharing);
    }

    /// What was seen and must not be.
    pub fn faults(&self) -> Vec<String> {
        self.0.lock().unwrap().faults.iter().cloned().collect()
    }
}

impl Seen {
    fn judge(&mut self, snapshot: &Snapshot) {
        for (what, one, other) in snapshot.shared_writers() {
            let service =
                snapshot.containers.iter().find(|seen| seen.name == one).and_then(|seen| seen.service.clone());
            let shares = service.is_some_and(|service| self.sharing.contains(service.as_str()));
            if final_name(one.as_str()) == final_name(other.as_str()) && !shares {
                self.faults.insert(format!("{one} and {other} both write {what}, after {:?}", snapshot.after));
            }
        }
        let Some(call) = snapshot.after.as_ref().filter(|call| call.done) else { return };
        if !["stop container", "remove container"].contains(&call.call) {
            return;
        }
        for (service, floor) in &self.floors {
            let of_it = |seen: &&evenkeel::engine::simulated::Seen| {
                is_of_stack(seen) && seen.service.as_ref().is_some_and(|name| name.as_str() == service)
            };
            let is_target = final_name(&call.target).starts_with(&format!("shop-{service}-"));
            let ready = snapshot.containers.iter().filter(of_it).filter(|seen| seen.ready).count();
            if is_target && ready < *floor {
                self.faults.insert(format!("{ready} of {floor} of {service} ready after {call:?}"));
            }
        }
    }
}

/// A container's name without the id of an old one before it.
fn final_name(name: &str) -> &str {
    match name.split_once('_') {
        Some((prefix, rest)) if prefix.len() == 12 && prefix.bytes().all(|b| b.is_ascii_hexdigit()) => rest,
        _ => name,
    }
}

//! Watches every moment of a simulated engine for what must never be: a container and the one that replaces it writing
//! one volume, a service that starts first losing a ready replica to a step of ours, data of what served gone or data of
//! what never served left.

use crate::{
    shape::{is_anonymous, is_of_stack},
    stacks::Sketch,
    support::Host,
};
use evenkeel::{
    engine::{
        Volumes,
        simulated::{Seen, SimulatedEngine, Snapshot},
    },
    model::names::ImageId,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// A replica of a service: containers that replace each other are one.
type Slot = (String, u32);

/// What is watched for, and what was seen.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Record>>);

#[derive(Default)]
struct Record {
    /// Images that serve nothing, even while they run.
    broken: BTreeSet<ImageId>,
    /// By service that starts first: how many replicas are wanted of it.
    first: BTreeMap<String, usize>,
    /// Services of which two may write at once.
    sharing: BTreeSet<String>,
    /// By the target of a call that is about to end a container: the slots of its service that are ready.
    had: BTreeMap<String, (String, BTreeSet<u32>)>,
    /// By container: what it has of its own.
    own: BTreeMap<String, Own>,
    /// Volumes of containers that somebody else removed.
    orphaned: BTreeSet<String>,
    faults: BTreeSet<String>,
}

/// One container's volumes that have no name, but for those that were carried to it.
#[derive(Debug, Default)]
struct Own {
    volumes: BTreeSet<String>,
    /// It was ready under its final name, with no old one kept: it may have passed its gate, and its volumes may stay.
    served: bool,
    /// It stood at the end of an apply that succeeded: its volumes must stay.
    proven: bool,
}

impl Watch {
    /// Watches a host's engine from now on, after an apply that succeeded.
    pub fn over(host: &Host) -> Watch {
        let (watch, engine) = (Watch::default(), &host.engine);
        let never = |tag: &String| tag.ends_with(":broken") || tag.ends_with(":crash");
        let broken = host.tags().into_iter().filter(|(_, tag)| never(tag)).map(|(image, _)| image);
        // What is left already is not this watch's.
        let all = futures::executor::block_on(engine.list_volumes()).unwrap();
        {
            let mut record = watch.0.lock().unwrap();
            record.broken = broken.collect();
            record.orphaned = all.iter().map(|volume| volume.name.to_string()).collect();
        }
        watch.proven(engine);
        let record = watch.0.clone();
        engine.observe(move |snapshot| record.lock().unwrap().judge(snapshot));
        watch
    }

    /// What is there now stands at the end of an apply that succeeded.
    pub fn proven(&self, engine: &SimulatedEngine) {
        let snapshot = engine.snapshot();
        let mut record = self.0.lock().unwrap();
        record.keep(&snapshot);
        for seen in &snapshot.containers {
            record.own.entry(seen.id.to_string()).and_modify(|own| own.proven = true);
        }
    }

    /// From now on the stack is on its way from the one to the other, or back.
    pub fn expect(&self, from: &Sketch, to: &Sketch) {
        let starts_first =
            |sketch: &Sketch, name: &str| sketch.unit(name).into_iter().all(|name| sketch.parts[name].starts_first());
        let mut record = self.0.lock().unwrap();
        record.first.clear();
        for (name, part) in &to.parts {
            let Some(before) = from.parts.get(name) else { continue };
            if starts_first(to, name) && starts_first(from, name) {
                record.first.insert((*name).to_owned(), part.replicas.min(before.replicas) as usize);
            }
        }
        let sharing = to.parts.iter().chain(&from.parts).filter(|(_, part)| part.shared_volumes);
        record.sharing.extend(sharing.map(|(name, _)| (*name).to_owned()));
    }

    /// From now on the stack is taken down.
    pub fn going_down(&self) {
        self.0.lock().unwrap().first.clear();
    }

    /// What was seen and must not be.
    pub fn faults(&self) -> Vec<String> {
        self.0.lock().unwrap().faults.iter().cloned().collect()
    }

    /// What served is data, and its volumes are there; what never served left none. The error names what is otherwise.
    pub async fn data(&self, host: &Host) -> Result<(), String> {
        let all = host.engine.list_volumes().await.unwrap();
        let there: BTreeSet<String> =
            all.iter().map(|volume| volume.name.to_string()).filter(|name| is_anonymous(name)).collect();
        let snapshot = host.engine.snapshot();
        let used: BTreeSet<String> = snapshot.containers.iter().flat_map(anonymous).collect();
        let record = self.0.lock().unwrap();
        let of = |which: fn(&Own) -> bool| -> BTreeSet<&String> {
            record.own.values().filter(|own| which(own)).flat_map(|own| &own.volumes).collect()
        };
        if let Some(lost) = of(|own| own.proven).into_iter().find(|volume| !there.contains(*volume)) {
            return Err(format!("the data in {lost} is lost"));
        }
        let served = of(|own| own.served);
        let excused = |volume: &&String| served.contains(volume) || record.orphaned.contains(*volume);
        match there.difference(&used).find(|volume| !excused(volume)) {
            Some(left) => Err(format!("{left} is left, and what had it never served: {:?}", record.own)),
            None => Ok(()),
        }
    }
}

fn anonymous(seen: &Seen) -> BTreeSet<String> {
    seen.writable_volumes.iter().map(ToString::to_string).filter(|name| is_anonymous(name)).collect()
}

impl Record {
    fn judge(&mut self, snapshot: &Snapshot) {
        self.writers(snapshot);
        self.keep(snapshot);
        match (&snapshot.before, &snapshot.after) {
            (Some((_, target)), _) => {
                let of_target = |seen: &&Seen| seen.name.as_str() == target && is_of_stack(seen);
                let Some((service, _)) = snapshot.containers.iter().find(of_target).and_then(slot) else { return };
                let ready = self.ready_slots(snapshot, &service);
                self.had.insert(target.clone(), (service, ready));
            }
            (None, Some(call)) if ["stop container", "remove container"].contains(&call.call) => {
                let Some((service, had)) = self.had.remove(&call.target).filter(|_| call.done) else { return };
                let Some(wanted) = self.first.get(&service) else { return };
                let ready = self.ready_slots(snapshot, &service);
                if ready.len() < had.len().min(*wanted) {
                    self.faults.insert(format!("{service} had {had:?} ready and has {ready:?} after {call:?}"));
                }
            }
            _ => {}
        }
    }

    fn writers(&mut self, snapshot: &Snapshot) {
        for (what, one, other) in snapshot.shared_writers() {
            let Some(of) = slot(one).filter(|of| is_of_stack(one) && slot(other).as_ref() == Some(of)) else {
                continue;
            };
            if is_of_stack(other) && !self.sharing.contains(&of.0) {
                let names = format!("{} and {}", one.name, other.name);
                self.faults.insert(format!("{names} both write {what}, after {:?}", snapshot.after));
            }
        }
    }

    /// Remembers whose volumes are whose, and who served: who was ready under its final name, with no old one kept.
    fn keep(&mut self, snapshot: &Snapshot) {
        let ours: Vec<&Seen> = snapshot.containers.iter().filter(|seen| is_of_stack(seen)).collect();
        for seen in &ours {
            let others = || ours.iter().filter(|other| other.id != seen.id && slot(other) == slot(seen));
            let proven = !is_prefixed(seen.name.as_str()) && !others().any(|other| is_prefixed(other.name.as_str()));
            let carried: BTreeSet<String> = others().flat_map(|other| anonymous(other)).collect();
            let own = self.own.entry(seen.id.to_string()).or_default();
            own.volumes.extend(anonymous(seen).difference(&carried).cloned());
            own.served |= seen.ready && proven;
        }
        if snapshot.after.is_none() && snapshot.before.is_none() {
            let gone: Vec<String> =
                self.own.keys().filter(|id| !ours.iter().any(|seen| seen.id.as_str() == **id)).cloned().collect();
            self.orphaned.extend(gone.iter().flat_map(|id| self.own[id].volumes.clone()));
        }
    }

    /// The replicas of a service of which a container is ready.
    fn ready_slots(&self, snapshot: &Snapshot, service: &str) -> BTreeSet<u32> {
        let of_it = |seen: &&Seen| is_of_stack(seen) && slot(seen).is_some_and(|(of, _)| of == service);
        let ready = |seen: &&Seen| seen.ready && !self.broken.contains(&seen.image);
        snapshot.containers.iter().filter(of_it).filter(ready).map(|seen| seen.number).collect()
    }
}

fn slot(seen: &Seen) -> Option<Slot> {
    Some((seen.service.as_ref()?.to_string(), seen.number))
}

/// Whether a name begins with an id: an old container that is kept, or a new one that is not proven.
fn is_prefixed(name: &str) -> bool {
    name.split_once('_').is_some_and(|(id, _)| id.len() == 12 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

//! A rollout in the making: steps are added in order, each with what would take it back, and the undo of every step is
//! written down as it is added. So the plan says at each point what happens if that step fails.

use crate::model::{
    names::{Resource, ServiceName, StepId},
    plan::{Rollout, Undo},
    policy::Strategy,
    step::{Cause, Does, Step},
    units::Millis,
    value::Salt,
};
use std::collections::BTreeMap;

/// Of an engine call that should be quick.
pub(super) const CALL_DEADLINE: Millis = Millis::minutes(2);
/// Of a pull.
pub(super) const PULL_DEADLINE: Millis = Millis::minutes(15);
/// What a stop may take beyond its grace.
pub(super) const STOP_MARGIN: Millis = Millis::seconds(30);

/// One rollout in the making.
pub(super) struct Draft {
    pub id: String,
    pub service: ServiceName,
    pub members: Vec<ServiceName>,
    pub strategy: Option<Strategy>,
    pub why: String,
    pub replaces: bool,
    /// Of each service so many containers run twice for a while.
    pub surging: BTreeMap<ServiceName, u64>,
    pub serving: bool,
    /// Services whose budget of restarts it spends.
    pub spends: Vec<ServiceName>,
    /// See `Rollout::repairs`.
    pub repairs: bool,
    pub cause: Cause,
    /// Sensitive values stand in a plan as commitments under it.
    salt: Salt,
    pub pulls: Vec<Step>,
    pub steps: Vec<Step>,
    undo: Vec<Undo>,
    /// What takes back the steps so far, the newest first.
    taking_back: Vec<Step>,
    /// The steps that the next one waits for.
    cursor: Vec<StepId>,
    /// Where each service's containers are started, and where they are proven.
    pub starts: BTreeMap<ServiceName, Vec<StepId>>,
    pub gates: BTreeMap<ServiceName, Vec<StepId>>,
}

impl Draft {
    /// An empty one.
    pub fn new(service: &ServiceName, members: Vec<ServiceName>, cause: Cause, salt: &Salt) -> Draft {
        Draft {
            id: service.to_string(),
            service: service.clone(),
            members,
            strategy: None,
            surging: BTreeMap::new(),
            why: String::new(),
            replaces: false,
            serving: false,
            spends: Vec::new(),
            repairs: false,
            cause,
            salt: salt.clone(),
            pulls: Vec::new(),
            steps: Vec::new(),
            undo: Vec::new(),
            taking_back: Vec::new(),
            cursor: Vec::new(),
            starts: BTreeMap::new(),
            gates: BTreeMap::new(),
        }
    }

    /// Adds a step after those at the cursor, which then stands at it.
    pub fn step(&mut self, id: impl Into<String>, does: Does, target: Resource, deadline: Millis) -> StepId {
        let after = self.cursor.clone();
        let id = self.add(id.into(), does, target, deadline, after);
        self.cursor = vec![id.clone()];
        id
    }

    /// Adds a step that `back` takes back: should it fail, or one after it, `back` is tried.
    pub fn step_with_undo(
        &mut self,
        id: impl Into<String>,
        does: Does,
        target: Resource,
        deadline: Millis,
        back: Step,
    ) -> StepId {
        self.taking_back.insert(0, back);
        self.step(id, does, target, deadline)
    }

    /// Adds steps that begin together; the cursor then stands at all of them.
    pub fn together(&mut self, steps: Vec<(String, Does, Resource, Millis)>) -> Vec<StepId> {
        let after = self.cursor.clone();
        let ids: Vec<StepId> = steps
            .into_iter()
            .map(|(id, does, target, deadline)| self.add(id, does, target, deadline, after.clone()))
            .collect();
        if !ids.is_empty() {
            self.cursor = ids.clone();
        }
        ids
    }

    /// Runs `build` several times from the same place, side by side; the cursor then stands at all their ends. What takes
    /// one back takes all of them back.
    pub fn side_by_side<T>(&mut self, items: impl IntoIterator<Item = T>, mut build: impl FnMut(&mut Draft, T)) {
        let begin = self.cursor.clone();
        let first_undo = self.undo.len();
        let mut ends = Vec::new();
        for item in items {
            self.cursor = begin.clone();
            build(self, item);
            ends.append(&mut self.cursor);
        }
        ends.dedup();
        self.cursor = ends;
        for undo in &mut self.undo[first_undo..] {
            undo.steps = self.taking_back.clone();
        }
    }

    /// Says that what takes back also starts with this, whichever step fails from here on.
    pub fn also_takes_back(&mut self, back: Step) {
        self.taking_back.insert(0, back);
    }

    /// From here on nothing is taken back: what is new is proven.
    pub fn commit(&mut self) {
        self.taking_back.clear();
    }

    /// A step that takes something back; it stands in the undo only.
    pub fn back(&self, id: impl Into<String>, does: Does, target: Resource, deadline: Millis) -> Step {
        let does = self.committed(does);
        Step { id: StepId::new(id.into()), after: Vec::new(), does, target, cause: self.cause, deadline }
    }

    /// The steps at which it ends.
    pub fn ends(&self) -> &[StepId] {
        &self.cursor
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.pulls.is_empty()
    }

    /// Lets the steps that wait for nothing wait for these and for the pulls, and gives the finished rollout.
    pub fn finish(mut self, prerequisites: &[StepId]) -> (Rollout, Vec<Step>) {
        let pulls: Vec<StepId> = self.pulls.iter().map(|step| step.id.clone()).collect();
        for step in &mut self.steps {
            if step.after.is_empty() {
                step.after = prerequisites.iter().chain(&pulls).cloned().collect();
            }
            step.after.sort();
            step.after.dedup();
        }
        let steps: Vec<Step> = self.pulls.into_iter().chain(self.steps).collect();
        let rollout = Rollout {
            id: self.id,
            service: self.service,
            members: self.members,
            strategy: self.strategy,
            why: self.why,
            replaces: self.replaces,
            serving: self.serving,
            spends: self.spends,
            repairs: self.repairs,
            steps: steps.iter().map(|step| step.id.clone()).collect(),
            undo: self.undo,
        };
        (rollout, steps)
    }

    fn committed(&self, mut does: Does) -> Does {
        match &mut does {
            Does::Put(put) => put.file.content = put.file.content.committed(&self.salt),
            Does::Exec(exec) => exec.hook = exec.hook.committed(&self.salt),
            _ => {}
        }
        does
    }

    fn add(&mut self, id: String, does: Does, target: Resource, deadline: Millis, after: Vec<StepId>) -> StepId {
        let (id, does) = (StepId::new(id), self.committed(does));
        self.steps.push(Step { id: id.clone(), after, does, target, cause: self.cause, deadline });
        if !self.taking_back.is_empty() {
            self.undo.push(Undo { from: id.clone(), steps: self.taking_back.clone() });
        }
        id
    }
}

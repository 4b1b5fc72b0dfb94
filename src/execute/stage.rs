//! What the steps of one attempt share: which containers were made, what probes answered, where events go, and the wait
//! for an engine that went away.

use super::{
    Effects, EventSender,
    progress::{Failure, Item},
};
use crate::{
    engine::{EngineError, ErrorKind, clock::within},
    model::{
        event::{Event, EventKind, Severity},
        labels,
        names::{ContainerId, ContainerName, NetworkName, StepId, VolumeName},
        plan::{Plan, Rollout},
        step::{Connect, ContainerRef, Create, Does, Step},
        units::{Millis, Timestamp},
        value::Value,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How long an engine that went away is waited for.
pub(super) const ENGINE_ABSENT_MAX: Millis = Millis::seconds(60);
const ENGINE_ANSWER_MAX: Millis = Millis::seconds(2);
pub(super) const ENGINE_RETRY: Millis = Millis(500);
/// So many answers of the probes of one container are kept for its evidence.
const ANSWERS_MAX: usize = 20;

/// Why a step did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StepError {
    /// A call failed; whether it is tried again is decided in one place.
    Engine(EngineError),
    Failed(Failure),
    /// The engine went away and did not come back in time.
    EngineLost(String),
}

impl From<EngineError> for StepError {
    fn from(error: EngineError) -> StepError {
        StepError::Engine(error)
    }
}

/// A failure with this sentence.
pub(super) fn failed(error: impl Into<String>) -> StepError {
    StepError::Failed(Failure { error: error.into(), by_deadline: false })
}

/// What a call gave, where nothing to act on is no fault: `None` for `NotFound`.
pub(super) fn found<T>(result: Result<T, EngineError>) -> Result<Option<T>, EngineError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// See the head of the file.
pub(super) struct Stage<'a> {
    pub plan: &'a Plan,
    pub effects: &'a Effects,
    events: &'a EventSender,
    creates: BTreeMap<&'a StepId, &'a Create>,
    rollouts: BTreeMap<&'a StepId, &'a Rollout>,
    /// The networks that a made container is connected to after its creation.
    connects: BTreeMap<&'a StepId, BTreeSet<&'a NetworkName>>,
    made: Mutex<BTreeMap<StepId, ContainerId>>,
    answers: Mutex<BTreeMap<ContainerId, VecDeque<String>>>,
    /// Anonymous volumes to remove after their container, which can't be asked for them any more then.
    doomed: Mutex<BTreeMap<ContainerId, Vec<VolumeName>>>,
    /// Containers that this attempt stopped; the engine starts some of them again when it restarts.
    stopped: Mutex<BTreeSet<ContainerId>>,
    /// Why a rollout is taken back.
    troubles: Mutex<BTreeMap<usize, String>>,
    /// Networks are made one at a time: parallel calls of one name make twins.
    pub networks: tokio::sync::Mutex<()>,
    absence: tokio::sync::Mutex<()>,
}

impl<'a> Stage<'a> {
    /// Takes what one attempt has.
    pub fn new(plan: &'a Plan, effects: &'a Effects, events: &'a EventSender) -> Stage<'a> {
        let undo = plan.rollouts.iter().flat_map(|rollout| rollout.undo.iter().flat_map(|undo| undo.steps.iter()));
        let creates = plan.steps.iter().chain(undo).filter_map(|step| match &step.does {
            Does::Create(create) => Some((&step.id, create.as_ref())),
            _ => None,
        });
        let mut connects: BTreeMap<&StepId, BTreeSet<&NetworkName>> = BTreeMap::new();
        for step in &plan.steps {
            if let Does::Connect(Connect { container: ContainerRef::Made { by }, network, .. }) = &step.does {
                connects.entry(by).or_default().insert(network);
            }
        }
        Stage {
            connects,
            plan,
            effects,
            events,
            creates: creates.collect(),
            rollouts: plan.rollouts.iter().flat_map(|it| it.steps.iter().map(move |step| (step, it))).collect(),
            made: Mutex::default(),
            answers: Mutex::default(),
            doomed: Mutex::default(),
            stopped: Mutex::default(),
            troubles: Mutex::default(),
            networks: tokio::sync::Mutex::default(),
            absence: tokio::sync::Mutex::default(),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.effects.clock.now()
    }

    /// Remembers what a create step made.
    pub fn made(&self, by: &StepId, id: ContainerId) {
        locked(&self.made).insert(by.clone(), id);
    }

    /// The container that is meant, or `None` when the step that should make it has not.
    pub async fn id_of(&self, container: &ContainerRef) -> Result<Option<ContainerId>, EngineError> {
        let by = match container {
            ContainerRef::Existing { id, .. } => return Ok(Some(id.clone())),
            ContainerRef::Made { by } => by,
        };
        if let Some(id) = locked(&self.made).get(by) {
            return Ok(Some(id.clone()));
        }
        let Some(create) = self.creates.get(by) else { return Ok(None) };
        let found = self.find_made(create).await?;
        if let Some(id) = &found {
            self.made(by, id.clone());
        }
        Ok(found)
    }

    /// The container of this create's name, if it carries the rollout label that it would have: one whose creation's
    /// reply was lost.
    pub async fn find_made(&self, create: &Create) -> Result<Option<ContainerId>, EngineError> {
        let there = found(self.effects.engine.inspect_container(create.name.as_str()).await)?;
        let label = create.spec.labels.get(labels::ours::ROLLOUT).map(Value::reveal);
        Ok(there.filter(|there| label.is_some() && there.label(labels::ours::ROLLOUT) == label).map(|there| there.id))
    }

    /// Whether a later step connects what this step makes to the network.
    pub fn connected_later(&self, made_by: &StepId, network: &NetworkName) -> bool {
        self.connects.get(made_by).is_some_and(|networks| networks.contains(network))
    }

    /// What the container was called when the plan was made, or is called by the step that makes it.
    pub fn name_of(&self, container: &ContainerRef) -> ContainerName {
        match container {
            ContainerRef::Existing { name, .. } => name.clone(),
            ContainerRef::Made { by } => {
                self.creates.get(by).map_or_else(|| ContainerName::new(by.as_str()), |create| create.name.clone())
            }
        }
    }

    /// The step that makes a container.
    pub fn create_of(&self, container: &ContainerRef) -> Option<&'a Create> {
        match container {
            ContainerRef::Existing { .. } => None,
            ContainerRef::Made { by } => self.creates.get(by).copied(),
        }
    }

    /// The failure of a step whose container is no longer there.
    pub fn gone(&self, container: &ContainerRef) -> StepError {
        let name = self.name_of(container);
        match container {
            ContainerRef::Existing { id, .. } => {
                failed(format!("changed by somebody else: the container `{name}` ({}) is gone", id.short()))
            }
            ContainerRef::Made { .. } => failed(format!("changed by somebody else: the container `{name}` is gone")),
        }
    }

    /// Remembers an answer of a probe.
    pub fn answered(&self, container: &ContainerId, answer: String) {
        let mut answers = locked(&self.answers);
        let answers = answers.entry(container.clone()).or_default();
        if answers.len() == ANSWERS_MAX {
            answers.pop_front();
        }
        answers.push_back(answer);
    }

    /// The last answers of a container's probes, the newest last.
    pub fn answers(&self, container: &ContainerId) -> Vec<String> {
        locked(&self.answers).get(container).map(|answers| answers.iter().cloned().collect()).unwrap_or_default()
    }

    /// Remembers the volumes that go with a container.
    pub fn doom(&self, container: &ContainerId, volumes: Vec<VolumeName>) {
        locked(&self.doomed).insert(container.clone(), volumes);
    }

    /// The volumes that go with a container that is no longer there.
    pub fn doomed(&self, container: &ContainerId) -> Vec<VolumeName> {
        locked(&self.doomed).get(container).cloned().unwrap_or_default()
    }

    /// Remembers that a container was stopped by us.
    pub fn stopped(&self, container: &ContainerId) {
        locked(&self.stopped).insert(container.clone());
    }

    /// Whether we stopped it.
    pub fn was_stopped(&self, container: &ContainerId) -> bool {
        locked(&self.stopped).contains(container)
    }

    /// Remembers why a rollout is taken back.
    pub fn in_trouble(&self, rollout: usize, why: &str) {
        locked(&self.troubles).insert(rollout, why.to_owned());
    }

    /// Why the rollout that an item belongs to is taken back.
    pub fn trouble(&self, item: Item) -> Option<String> {
        match item {
            Item::Step(_) => None,
            Item::Undo { rollout, .. } => locked(&self.troubles).get(&rollout).cloned(),
        }
    }

    /// Waits for an engine that does not answer, at most `ENGINE_ABSENT_MAX`. Gives whether it was away.
    pub async fn engine_back(&self) -> Result<bool, StepError> {
        let _turn = self.absence.lock().await;
        let (began, mut told) = (self.now(), false);
        loop {
            let answer = within(&*self.effects.clock, ENGINE_ANSWER_MAX, self.effects.engine.facts()).await;
            let error = match answer {
                Some(Err(error)) if matches!(error.kind, ErrorKind::Unreachable | ErrorKind::TimedOut) => error.message,
                Some(_) => break,
                None => format!("no answer within {ENGINE_ANSWER_MAX}"),
            };
            if !told {
                told = true;
                self.tell(EventKind::EngineLost, Severity::Error, None, format!("the engine is gone: {error}")).await;
            }
            if self.now().since(began) >= ENGINE_ABSENT_MAX {
                return Err(StepError::EngineLost(format!(
                    "the engine went away and was not back within {ENGINE_ABSENT_MAX}: {error}"
                )));
            }
            self.effects.clock.sleep(ENGINE_RETRY).await;
        }
        if told {
            let away = self.now().since(began);
            self.tell(EventKind::EngineBack, Severity::Info, None, format!("the engine is back after {away}")).await;
        }
        Ok(told)
    }

    /// Sends an event. That nobody listens is no fault.
    pub async fn tell(&self, kind: EventKind, severity: Severity, item: Option<Item>, text: String) {
        let event = self.event(kind, severity, item, text);
        let _ = self.events.send(event).await;
    }

    /// Sends an event with data beside its text.
    pub async fn send(&self, event: Event) {
        let _ = self.events.send(event).await;
    }

    /// Where events go, for one who can't wait.
    pub fn sender(&self) -> EventSender {
        self.events.clone()
    }

    /// An event about a step or, without one, about the stack.
    pub fn event(&self, kind: EventKind, severity: Severity, item: Option<Item>, text: String) -> Event {
        let step: Option<&Step> = item.and_then(|item| item.step(self.plan));
        let rollout = item.and_then(|item| match item {
            Item::Undo { rollout, .. } => self.plan.rollouts.get(rollout),
            Item::Step(_) => step.and_then(|step| self.rollouts.get(&step.id).copied()),
        });
        let mut data = serde_json::Map::new();
        if matches!(item, Some(Item::Undo { .. })) {
            data.insert("undo".into(), true.into());
        }
        Event {
            seq: 0,
            time: self.now(),
            stack: self.plan.stack.clone(),
            round: Some(self.plan.context.plan.to_string()),
            revision: None,
            service: rollout.map(|rollout| rollout.service.clone()),
            rollout: rollout.map(|rollout| rollout.id.clone()),
            step: step.map(|step| step.id.clone()),
            kind,
            severity,
            text,
            data,
        }
    }
}

/// The lock; one that a panic poisoned holds plain data all the same.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

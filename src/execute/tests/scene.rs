//! The stage of the tests: a simulated engine, a journal that remembers, and plans in a few words.

use crate::{
    engine::{
        Containers, Engine,
        clock::{Clock, SystemClock},
        simulated::{Behaviour, SimulatedEngine},
    },
    execute::{Cancel, Effects, Evidence, FailedRollout, Journal, Logins, Stopped, execute},
    home::HomeError,
    model::{
        container::{ContainerSpec, RestartPolicy},
        desired::Login,
        event::Event,
        fields::FieldChange,
        image::ImageConfig,
        labels,
        names::{ContainerId, ImageId, ImageReference, PlanId, Resource, ServiceName, StepId},
        outcome::{AfterFailure, Outcome, RolloutResult},
        plan::{API_VERSION, Plan, Rollout, SavedContext, Undo},
        policy::{Probe, ProbeHost, ProbeKind, TcpProbe},
        step::{
            AnonymousVolumes, Cause, ContainerRef, Create, Does, Gate, OnDeadline, Proof, Remove, Rename, Step, Stop,
            Update,
        },
        units::{Millis, Timestamp},
        value::{Salt, Secrets, Value},
    },
};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// Everything that was put on record, one line each, in order; `calls` is how many engine calls came before.
#[derive(Default)]
pub struct Record {
    pub lines: Mutex<Vec<String>>,
    pub evidence: Mutex<Vec<Evidence>>,
    engine: Mutex<Option<SimulatedEngine>>,
}

impl Record {
    fn write(&self, line: String) -> Result<(), HomeError> {
        let calls = self.engine.lock().unwrap().as_ref().map_or(0, SimulatedEngine::mutations);
        self.lines.lock().unwrap().push(format!("{line} @{calls}"));
        Ok(())
    }
}

fn names(services: &[ServiceName]) -> String {
    services.iter().map(ServiceName::as_str).collect::<Vec<_>>().join(",")
}

impl Journal for Record {
    fn rollout_failed(&self, failed: &FailedRollout) -> Result<(), HomeError> {
        self.write(format!(
            "failed {} at {} not begun [{}]",
            names(&failed.members),
            failed.step,
            names(&failed.not_begun)
        ))
    }

    fn stopped(&self, stopped: &Stopped) -> Result<(), HomeError> {
        self.write(format!("stopped [{}] not begun [{}]", names(&stopped.undone), names(&stopped.not_begun)))
    }

    fn rollout_done(&self, members: &[ServiceName]) -> Result<(), HomeError> {
        self.write(format!("done {}", names(members)))
    }

    fn rollout_left(&self, members: &[ServiceName]) -> Result<(), HomeError> {
        self.write(format!("left {}", names(members)))
    }

    fn completed(&self, service: &ServiceName) -> Result<(), HomeError> {
        self.write(format!("completed {service}"))
    }

    fn keep_evidence(&self, evidence: &Evidence) -> Result<(), HomeError> {
        self.evidence.lock().unwrap().push(evidence.clone());
        self.write(format!("evidence of {}", evidence.name))
    }

    fn did_not_take(&self, _: &ContainerId, fields: &[FieldChange]) -> Result<(), HomeError> {
        let fields: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
        self.write(format!("did not take {}", fields.join(",")))
    }
}

struct NoLogins;

impl Logins for NoLogins {
    fn login(&self, _: &ImageReference) -> Option<Login> {
        None
    }

    fn declare(&self, _: &std::collections::BTreeMap<String, Login>) {}
}

pub struct Scene {
    pub engine: SimulatedEngine,
    pub effects: Effects,
    pub record: Arc<Record>,
    pub events: Arc<Mutex<Vec<Event>>>,
    /// What the old containers run.
    pub old: ImageId,
    pub new: ImageId,
}

impl Scene {
    /// An engine with an image `web:1` that is well, and `web:2` that behaves so.
    pub fn new(behaviour: Behaviour) -> Scene {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start_at(Timestamp(1_800_000_000_000)));
        let engine = SimulatedEngine::new(clock.clone(), 7);
        let old = engine.add_image("web:1", ImageConfig::default(), Behaviour::default());
        let new = engine.add_image("web:2", ImageConfig::default(), behaviour);
        let record = Arc::new(Record::default());
        *record.engine.lock().unwrap() = Some(engine.clone());
        let shared: Arc<dyn Engine> = Arc::new(engine.clone());
        let effects = Effects {
            engine: shared,
            clock,
            prober: Arc::new(crate::probe::SimulatedProber::new(engine.clone())),
            secrets: Secrets::default(),
            logins: Arc::new(NoLogins),
            journal: record.clone(),
            cancel: Cancel::default(),
            make_room: Default::default(),
        };
        Scene { engine, effects, record, events: Arc::default(), old, new }
    }

    /// A container of the old image that runs.
    pub async fn runs(&self, service: &str, name: &str) -> ContainerRef {
        let spec = ContainerSpec { restart: RestartPolicy::Always, ..spec(service, "before/web") };
        let created = self.engine.create_container(&name.into(), &self.old, &spec).await.unwrap();
        self.engine.start_container(&created.id).await.unwrap();
        ContainerRef::Existing { id: created.id, name: name.into() }
    }

    /// Executes, and keeps the events.
    pub async fn execute(&self, plan: &Plan) -> Outcome {
        let (sender, mut receiver) = mpsc::channel(4);
        let events = self.events.clone();
        let collected = tokio::spawn(async move {
            while let Some(event) = receiver.recv().await {
                events.lock().unwrap().push(event);
            }
        });
        let outcome = execute(plan, &self.effects, &sender).await;
        drop(sender);
        collected.await.unwrap();
        outcome
    }

    /// The mutating calls since the scene was set, as `start container s-web-1`; those that were not done have a `!`.
    pub fn calls(&self, from: usize) -> Vec<String> {
        let calls = self.engine.calls().into_iter().skip(from);
        calls.map(|call| format!("{}{} {}", if call.done { "" } else { "!" }, call.call, call.target)).collect()
    }

    pub fn recorded(&self) -> Vec<String> {
        self.record.lines.lock().unwrap().clone()
    }

    /// What the engine has, one `name image status` each, by name.
    pub fn containers(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .engine
            .snapshot()
            .containers
            .iter()
            .map(|seen| {
                let image = if seen.image == self.old { "web:1" } else { "web:2" };
                format!("{} {image} {}", seen.name, seen.status)
            })
            .collect();
        lines.sort();
        lines
    }
}

/// A spec with the labels that docker compose and we put on.
pub fn spec(service: &str, rollout: &str) -> ContainerSpec {
    let mut spec = ContainerSpec { image: "web:2".into(), ..ContainerSpec::default() };
    let labels = [
        (labels::compose::PROJECT, "s"),
        (labels::compose::SERVICE, service),
        (labels::compose::NUMBER, "1"),
        (labels::ours::STACK, "s"),
        (labels::ours::ROLLOUT, rollout),
    ];
    spec.labels = labels.into_iter().map(|(name, text)| (name.into(), Value::plain(text))).collect();
    spec
}

pub fn step(id: &str, after: &[&str], does: Does) -> Step {
    Step {
        id: id.into(),
        after: after.iter().map(|id| StepId::from(*id)).collect(),
        does,
        target: Resource::Service("web".into()),
        cause: Cause::Manifest,
        deadline: Millis::seconds(60),
    }
}

pub fn made(by: &str) -> ContainerRef {
    ContainerRef::Made { by: by.into() }
}

pub fn create(service: &str, name: &str, image: &ImageId) -> Does {
    let spec = ContainerSpec { restart: RestartPolicy::Always, ..spec(service, &format!("p-1/{service}")) };
    create_of(service, name, image, spec)
}

pub fn create_of(service: &str, name: &str, image: &ImageId, spec: ContainerSpec) -> Does {
    Does::Create(Box::new(Create {
        service: service.into(),
        name: name.into(),
        image: image.clone(),
        spec,
        config_text: None,
        parents: [].into(),
    }))
}

pub fn start(container: &ContainerRef) -> Does {
    Does::Start { container: container.clone(), instead_of: None }
}

pub fn stop(container: &ContainerRef) -> Does {
    Does::Stop(Stop { container: container.clone(), grace: None })
}

pub fn rename(container: &ContainerRef, to: &str) -> Does {
    Does::Rename(Rename { container: container.clone(), to: to.into() })
}

pub fn remove(container: &ContainerRef) -> Does {
    Does::Remove(Remove {
        container: container.clone(),
        keep_evidence: false,
        force: false,
        volumes: AnonymousVolumes::Keep,
    })
}

/// As an undo removes a candidate.
pub fn discard(container: &ContainerRef) -> Does {
    Does::Remove(Remove {
        container: container.clone(),
        keep_evidence: true,
        force: true,
        volumes: AnonymousVolumes::RemoveExcept { carried: vec![] },
    })
}

pub fn policy(container: &ContainerRef, restart: RestartPolicy) -> Does {
    Does::Update(Box::new(Update { container: container.clone(), limits: Default::default(), restart: Some(restart) }))
}

/// Ready for 2 s by a TCP probe.
pub fn gate(service: &str, container: &ContainerRef) -> Does {
    let probe = Probe::of(ProbeKind::Tcp(TcpProbe { port: 80, host: ProbeHost::Container }));
    Does::Gate(Box::new(Gate {
        service: service.into(),
        container: container.clone(),
        proof: Proof::Ready { startup: None, readiness: Some(probe), docker: false },
        min_ready: Millis::seconds(2),
        on_deadline: OnDeadline::Undo,
    }))
}

pub fn undo(from: &str, steps: &[(&str, Does)]) -> Undo {
    let steps = steps.iter().map(|(id, does)| step(&format!("{from}/undo/{id}"), &[], does.clone())).collect();
    Undo { from: from.into(), steps }
}

pub fn rollout(service: &str, replaces: bool, steps: &[Step], undo: Vec<Undo>) -> Rollout {
    Rollout {
        id: service.into(),
        service: service.into(),
        members: vec![service.into()],
        strategy: None,
        why: "image changed".into(),
        replaces,
        serving: replaces,
        spends: Vec::new(),
        repairs: false,
        steps: steps.iter().map(|step| step.id.clone()).collect(),
        undo,
    }
}

pub fn plan(steps: Vec<Step>, rollouts: Vec<Rollout>) -> Plan {
    Plan {
        api_version: API_VERSION.into(),
        kind: "Plan".into(),
        stack: "s".into(),
        context: SavedContext {
            plan: PlanId::from("p-1"),
            time: Timestamp(1),
            salt: Salt::new("00"),
            manifest_hash: String::new(),
            images: [].into(),
            selected: None,
            revision: None,
        },
        changes: vec![],
        rollouts,
        steps,
        notes: vec![],
        held: vec![],
        capacity: None,
        changes_at: None,
    }
}

/// The name of a container that waits for the place of another.
pub fn waiting_name(old: &ContainerRef, name: &str) -> String {
    match old {
        ContainerRef::Existing { id, .. } => format!("{}_{name}", id.short()),
        ContainerRef::Made { .. } => name.to_owned(),
    }
}

/// Beside the old container, which goes once the new one is proven.
pub fn start_first(service: &str, old: &ContainerRef, image: &ImageId) -> (Vec<Step>, Rollout) {
    let (name, id) = (format!("s-{service}-1"), |what: &str| format!("{service}/1/{what}"));
    let new = made(&id("create"));
    let chain = [
        ("create", create(service, &waiting_name(old, &name), image)),
        ("start", start(&new)),
        ("gate", gate(service, &new)),
        ("stop", stop(old)),
        ("remove", remove(old)),
        ("rename", rename(&new, &name)),
    ];
    let steps = chained(chain.map(|(what, does)| (id(what), does)));
    let take_back = |from: &str| undo(&id(from), &[("discard", discard(&new))]);
    let mut undos: Vec<Undo> = ["create", "start", "gate"].map(take_back).into();
    undos.push(undo(&id("stop"), &[("start", start(old)), ("discard", discard(&new))]));
    let rollout = rollout(service, true, &steps, undos);
    (steps, rollout)
}

/// After the old container, which is kept until the new one is proven.
pub fn stop_first(service: &str, old: &ContainerRef, image: &ImageId) -> (Vec<Step>, Rollout) {
    let (name, id) = (format!("s-{service}-1"), |what: &str| format!("{service}/1/{what}"));
    let new = made(&id("create"));
    let chain = [
        ("policy", policy(old, RestartPolicy::No)),
        ("stop", stop(old)),
        ("aside", rename(old, &waiting_name(old, &name))),
        ("create", create(service, &name, image)),
        ("start", start(&new)),
        ("gate", gate(service, &new)),
        ("remove", remove(old)),
    ];
    let steps = chained(chain.map(|(what, does)| (id(what), does)));
    let back = |from: &str, all: bool| {
        let mut steps = if all { vec![("discard", discard(&new)), ("name", rename(old, &name))] } else { vec![] };
        steps.extend([("policy", policy(old, RestartPolicy::Always)), ("start", start(old))]);
        undo(&id(from), &steps)
    };
    let undos = vec![
        back("policy", false),
        back("stop", false),
        back("aside", true),
        back("create", true),
        back("start", true),
        back("gate", true),
    ];
    let rollout = rollout(service, true, &steps, undos);
    (steps, rollout)
}

/// Each step after the one before.
pub fn chained(chain: impl IntoIterator<Item = (String, Does)>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (id, does) in chain {
        let after: Vec<String> = steps.last().map(|before| before.id.to_string()).into_iter().collect();
        steps.push(step(&id, &after.iter().map(String::as_str).collect::<Vec<_>>(), does));
    }
    steps
}

/// How the only rollout ended.
pub fn failure(outcome: &Outcome, rollout: usize) -> (String, String, AfterFailure) {
    match &outcome.rollouts[rollout].result {
        RolloutResult::Failed { step, error, after } => (step.to_string(), error.clone(), *after),
        other => panic!("{other:?}"),
    }
}

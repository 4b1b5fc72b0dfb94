//! One round up to its plan: observe, resolve, plan. It only reads.

use super::{Stack, StackError};
use crate::{
    execute,
    home::Home,
    model::{
        desired::Desired,
        event::{EventKind, Severity},
        fields::FieldChange,
        image::Images,
        labels::ours,
        names::{ContainerId, ImageReference, NetworkName, Resource, ServiceName, StackName},
        observed::{Claim, Observed, ObservedContainer},
        outcome::Outcome,
        plan::{CurrentRevision, Facts, Plan, PlanContext, Purpose, SavedContext},
        revision::Origin,
        units::Millis,
        value::Value,
    },
    observe::{PullWish, Resolved, Wanted, observe, resolve},
    plan::plan,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// What a round may take beside its plan's steps, as any verb.
const ROUND_MARGIN: Millis = Millis::seconds(60);
/// What observing and planning may take.
pub(super) const LOOKING: Millis = Millis::minutes(5);

/// What a round is about.
#[derive(Clone)]
pub(super) struct Aim {
    pub desired: Arc<Desired>,
    pub selected: Option<BTreeSet<ServiceName>>,
    /// See `PlanContext::dropped`.
    pub dropped: BTreeSet<ServiceName>,
    pub purpose: Purpose,
    pub pull: PullWish,
    /// What references stand for beside those of the current revision.
    pub known: Images,
    pub yes: bool,
    /// See `PlanContext::second_stack`.
    pub second_stack: bool,
    /// A person asked for just this.
    pub attended: bool,
    /// Containers whose liveness probe failed.
    pub unwell: BTreeMap<ContainerId, String>,
    /// A saved plan's context, to plan again as then.
    pub saved: Option<SavedContext>,
    /// What was built just now, and is taken as the engine names it; nobody knows it by an older revision.
    pub built: BTreeSet<ImageReference>,
    /// Plans too with images that are not built yet (`diff`).
    pub unbuilt: bool,
}

/// A round up to its plan.
#[derive(Clone)]
pub(super) struct Round {
    pub desired: Arc<Desired>,
    pub observed: Observed,
    pub images: Images,
    pub plan: Plan,
}

impl Aim {
    /// Towards a desired state, whole, as it is.
    pub fn of(desired: impl Into<Arc<Desired>>, purpose: Purpose) -> Aim {
        Aim {
            desired: desired.into(),
            selected: None,
            dropped: BTreeSet::new(),
            purpose,
            pull: PullWish::Keep,
            known: Images::new(),
            yes: false,
            second_stack: false,
            attended: false,
            unwell: BTreeMap::new(),
            saved: None,
            built: BTreeSet::new(),
            unbuilt: false,
        }
    }
}

impl Stack {
    /// Observes the engine as this desired state needs it seen.
    pub(super) async fn look(&self, desired: &Desired) -> Result<Observed, StackError> {
        let wanted = Wanted::of([desired]);
        Ok(observe(self.engine.as_ref(), &self.name, &wanted, self.clock.now()).await?)
    }

    /// What the home remembers.
    pub(super) fn facts(&self, observed: &Observed) -> Result<Facts, StackError> {
        let Some(home) = &self.home else { return Ok(Facts::default()) };
        Ok(self.identified(home, home.facts()?, observed))
    }

    /// Both, the home read while the engine answers.
    pub(super) async fn look_and_remember(&self, desired: &Desired) -> Result<(Observed, Facts), StackError> {
        let Some(home) = self.home.clone() else { return Ok((self.look(desired).await?, Facts::default())) };
        let reading = home.clone();
        let read = tokio::task::spawn_blocking(move || {
            // Remembered from then on; to find it out takes a while.
            reading.identity();
            reading.facts()
        });
        let (observed, read) = futures::join!(self.look(desired), read);
        let (observed, facts) = (observed?, read.unwrap_or_else(|_| home.facts())?);
        let facts = self.identified(&home, facts, &observed);
        Ok((observed, facts))
    }

    fn identified(&self, home: &Home, facts: Facts, observed: &Observed) -> Facts {
        Facts { identity: Some(self.claim_of(home, observed)), ..facts }
    }

    /// The claim that this home would make.
    pub(super) fn claim_of(&self, home: &Home, observed: &Observed) -> Claim {
        let identity = home.identity();
        let machine = identity.machine.clone().unwrap_or_else(|| observed.engine.id.clone());
        Claim { stack: self.name.clone(), home: identity.home.clone(), machine }
    }

    /// Plans towards an aim from what is seen now.
    pub(super) async fn round(&self, aim: &Aim, facts: Facts) -> Result<Round, StackError> {
        let observed = self.look(&aim.desired).await?;
        self.round_from(aim, facts, observed).await
    }

    /// Plans towards an aim from what was seen.
    pub(super) async fn round_from(&self, aim: &Aim, facts: Facts, observed: Observed) -> Result<Round, StackError> {
        let good = facts.current.as_ref().map(|current| images_of_good(current, &facts.not_started));
        let mut known = match &aim.saved {
            Some(saved) => saved.images.clone(),
            None => good.unwrap_or_default(),
        };
        known.extend(aim.known.clone());
        let images = self.resolved(aim, &observed, &known).await?;
        if let Some(unbuilt) = unbuilt(&aim.desired, &images.images).filter(|_| !aim.unbuilt) {
            return Err(StackError::Unbuilt(unbuilt));
        }
        let (id, salt, now) = match &aim.saved {
            Some(saved) => (saved.plan.clone(), saved.salt.clone(), saved.time),
            None => {
                let (id, salt) = self.draw();
                (id, salt, self.clock.now())
            }
        };
        let context = PlanContext {
            plan: id,
            now,
            salt,
            images: images.images.clone(),
            selected: aim.selected.clone(),
            dropped: aim.dropped.clone(),
            purpose: aim.purpose,
            yes: aim.yes,
            second_stack: aim.second_stack,
            root: self.root,
            attended: aim.attended,
            unwell: aim.unwell.clone(),
            facts,
        };
        let mut plan = plan(&aim.desired, &observed, &context);
        plan.notes.extend(images.notes);
        Ok(Round { desired: aim.desired.clone(), observed, images: images.images, plan })
    }

    /// What the references of an aim stand for.
    pub(super) async fn resolved(
        &self,
        aim: &Aim,
        observed: &Observed,
        known: &Images,
    ) -> Result<Resolved, StackError> {
        self.logins.declare(&aim.desired.registries);
        let older = known.iter().filter(|(name, _)| !aim.built.contains(name));
        let known: Images = older.map(|(name, image)| (name.clone(), image.clone())).collect();
        Ok(resolve(&aim.desired, observed, &known, self.engine.as_ref(), self.registries.as_ref(), &aim.pull).await?)
    }

    /// Executes a round's plan, recording what happens under a revision. See `Effects` for `make_room`.
    pub(super) async fn act(
        &self,
        round: &Round,
        journal: Arc<dyn execute::Journal>,
        revision: Option<u64>,
        make_room: CancellationToken,
    ) -> Outcome {
        let recorder = super::recorder::Recorder::start(
            self.home.clone(),
            self.events.clone(),
            round.plan.context.plan.to_string(),
            revision,
        );
        let effects = execute::Effects {
            engine: self.engine.clone(),
            clock: self.clock.clone(),
            prober: self.prober.clone(),
            secrets: round.desired.secrets(&round.plan.context.salt),
            logins: self.logins.clone(),
            journal,
            cancel: self.cancel.clone(),
            make_room,
        };
        self.be_patient(bound_of(&round.plan));
        let outcome = execute::execute(&round.plan, &effects, &recorder.sender).await;
        recorder.close().await;
        self.be_patient(LOOKING);
        outcome
    }

    /// Puts on record what new containers do not hold, or they would be made anew for ever. Gives whether there is anything.
    pub(super) async fn record_not_held(&self, home: &Home, before: &Round, now: &Round) -> Result<bool, StackError> {
        let found = not_held(before, now);
        for (container, fields) in &found {
            home.did_not_take(container, fields)?;
            let names: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
            let text = format!("{} did not take in the new container {}", names.join(", "), container.short());
            self.tell(self.event(EventKind::Warning, Severity::Warning, text)).await;
        }
        Ok(!found.is_empty())
    }

    /// Whoever watches waits so long for the next sign.
    pub(super) fn be_patient(&self, span: Millis) {
        self.patience.until(self.clock.now().plus(span));
    }

    /// Says that something begins: what, who asked for it, and why.
    pub(super) async fn begin(&self, what: &str, by: &Origin) {
        let mut text = format!("{what} by {}", by.actor);
        if let Some(reason) = &by.reason {
            text.push_str(&format!(": {reason}"));
        }
        let mut event = self.event(EventKind::ApplyStarted, Severity::Info, text);
        event.data.insert("actor".into(), by.actor.as_str().into());
        event.data.extend(by.reason.as_ref().map(|reason| ("reason".to_owned(), reason.as_str().into())));
        self.tell(event).await;
    }
}

/// What its steps may take in all, and what any round may beside.
fn bound_of(plan: &Plan) -> Millis {
    let undo = plan.rollouts.iter().flat_map(|rollout| rollout.undo.iter().flat_map(|undo| &undo.steps));
    let steps = plan.steps.iter().chain(undo).map(|step| step.deadline.0);
    Millis(steps.fold(ROUND_MARGIN.0, u64::saturating_add))
}

/// What containers that a round has just made do not hold, by the plan that comes next, where the same is desired still: as a
/// field of theirs was sent, it reads otherwise. What can be changed from outside may have been, what names another container
/// changes with that, and neither is such a field; what was asked for on a network that it is on, is one.
fn not_held(before: &Round, now: &Round) -> Vec<(ContainerId, Vec<FieldChange>)> {
    const FROM_OUTSIDE: [&str; 11] = [
        "image",
        "content",
        "restart",
        "name",
        "replicas",
        "networks.",
        "limits.",
        "networkMode",
        "ipc",
        "pid",
        "volumesFrom",
    ];
    let secrets = now.desired.secrets(&now.plan.context.salt);
    let reveal = |value: &Option<Value>| value.as_ref().map_or(Some(None), |value| secrets.reveal(value).map(Some));
    let field = |container: &ObservedContainer, change: &FieldChange| {
        let is_fixed = FROM_OUTSIDE.iter().all(|path| !change.path.starts_with(path))
            || is_asked_of_network(&change.path, container);
        let (from, to) = (change.from.clone(), reveal(&change.to).filter(|_| is_fixed)?);
        // What it reads is known by its commitment alone where it is sensitive.
        let from = from.map(|from| if from.is_sensitive() { Value::sensitive("") } else { from });
        Some(FieldChange { path: change.path.clone(), from, to })
    };
    let is_same = |name: &ServiceName| {
        let of = |round: &Round| {
            let service = round.desired.services.get(name)?.clone();
            let image = round.images.get(&service.container.image)?.id.clone();
            Some((service, image))
        };
        of(before).is_some_and(|was| of(now) == Some(was))
    };
    let of = |container: &ObservedContainer| {
        let service = container.service()?;
        let rollout = format!("{}/{service}", before.plan.context.plan);
        let is_made = container.label(ours::ROLLOUT) == Some(rollout.as_str()) && is_same(&service);
        let change = now.plan.changes.iter().find(|change| change.resource == Resource::Service(service.clone()));
        let fields = change.filter(|_| is_made)?.fields.iter();
        let fields: Vec<FieldChange> = fields.filter_map(|change| field(container, change)).collect();
        (!fields.is_empty()).then(|| (container.id.clone(), fields))
    };
    now.observed.containers.values().filter_map(of).collect()
}

/// Whether a field is what was asked of the engine for one of the networks that a container is on.
fn is_asked_of_network(path: &str, container: &ObservedContainer) -> bool {
    let field_on = |name: &NetworkName| path.strip_prefix("networks.")?.strip_prefix(name.as_str())?.strip_prefix('.');
    container.spec.networks.keys().filter_map(field_on).any(|field| {
        ["mac", "ipv4", "ipv6", "linkLocal", "gatewayPriority"].contains(&field) || field.starts_with("driverOptions.")
    })
}

/// The services whose images nobody has built.
fn unbuilt(desired: &Desired, images: &Images) -> Option<Vec<(ServiceName, ImageReference)>> {
    let lacking = desired
        .services
        .values()
        .filter(|service| images.get(&service.container.image).is_some_and(|image| image.build));
    let unbuilt: Vec<_> = lacking.map(|service| (service.name.clone(), service.container.image.clone())).collect();
    (!unbuilt.is_empty()).then_some(unbuilt)
}

/// The images of a revision, without those that only services use whose first deploy failed: they are resolved anew, for
/// they may have been built anew.
pub(super) fn images_of_good(current: &CurrentRevision, failed: &BTreeSet<ServiceName>) -> Images {
    let good = current.desired.services.values().filter(|service| !failed.contains(&service.name));
    let used: BTreeSet<_> = good.map(|service| &service.container.image).collect();
    current
        .images
        .iter()
        .filter(|(name, _)| used.contains(name))
        .map(|(name, image)| (name.clone(), image.clone()))
        .collect()
}

/// The current revision's desired state; an empty one before there is any.
pub(super) fn current_or_empty(current: Option<&CurrentRevision>, stack: &StackName) -> Desired {
    match current {
        Some(current) => Desired::clone(&current.desired),
        None => Desired::empty(stack.clone()),
    }
}

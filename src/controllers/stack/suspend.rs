//! `pause`, `resume`, `stop`, `start`: what a person wants of a service until further notice, whatever is declared. It is
//! remembered by the home; what it means for a service is the planner's.

use super::{
    Stack, StackError,
    apply::{Applied, Course, refused},
    round::Aim,
};
use crate::{
    home::{Holder, Home},
    model::{
        event::{EventKind, Severity},
        names::ServiceName,
        plan::{CurrentRevision, Facts, Purpose},
        revision::{Origin, Suspension, SuspensionKind},
        units::{Millis, Timestamp},
    },
};
use std::{collections::BTreeSet, sync::Arc};

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nothing of it is changed, repaired or restarted.
    Pause,
    /// That ends, and so does what a rollback holds.
    Resume,
    /// None of its containers runs.
    Stop,
    /// That ends, and it is started.
    Start,
}

/// What is wanted of which services.
#[derive(Clone)]
pub struct SuspendRequest {
    pub wish: Wish,
    /// The services named; `None`: all that it can be wished of.
    pub selected: Option<BTreeSet<ServiceName>>,
    /// For `Pause` and `Stop`: how long. Without it: until a person ends it.
    pub lasts: Option<Millis>,
    pub origin: Origin,
    pub lock_wait: Millis,
}

/// What became of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspended {
    pub service: ServiceName,
    /// `paused`, `resumed`, `stopped`, `started`, or what it was already.
    pub what: &'static str,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

impl Wish {
    fn verb(self) -> &'static str {
        match self {
            Wish::Pause => "pause",
            Wish::Resume => "resume",
            Wish::Stop => "stop",
            Wish::Start => "start",
        }
    }

    fn kind(self) -> Option<SuspensionKind> {
        match self {
            Wish::Pause => Some(SuspensionKind::Paused),
            Wish::Stop => Some(SuspensionKind::Stopped),
            Wish::Resume | Wish::Start => None,
        }
    }

    /// What it is called when it is done, given what held before.
    fn done(self, facts: &Facts, name: &ServiceName, now: Timestamp) -> &'static str {
        let suspended = in_force(facts, name, now).is_some();
        match self {
            Wish::Pause => "paused",
            Wish::Stop => "stopped",
            Wish::Start if suspended => "started",
            Wish::Start => "was not stopped",
            Wish::Resume if suspended || facts.holds.contains_key(name) => "resumed",
            Wish::Resume => "was not paused",
        }
    }

    /// Whether it can't be wished of a service that somebody wished this of before.
    fn contradicts(self, before: SuspensionKind) -> bool {
        match (self, before) {
            (Wish::Pause | Wish::Resume, SuspensionKind::Stopped) | (Wish::Start, SuspensionKind::Paused) => true,
            (Wish::Pause | Wish::Resume, SuspensionKind::Paused)
            | (Wish::Start, SuspensionKind::Stopped)
            | (Wish::Stop, _) => false,
        }
    }
}

impl Stack {
    /// Records the wish; a stop or a start is carried out.
    pub async fn suspend(&self, request: &SuspendRequest) -> Result<Applied, StackError> {
        let home = self.home.clone().ok_or_else(|| StackError::NoHome(self.name.clone()))?;
        let what = super::named(request.wish.verb(), request.selected.as_ref());
        let holder = Holder { actor: request.origin.actor.clone(), doing: what.clone() };
        let _lock = home.lock(holder, request.lock_wait, self.clock.as_ref()).await?;
        let facts = home.facts()?;
        let current = facts.current.clone().ok_or_else(|| StackError::NothingApplied(self.name.clone()))?;
        let now = self.clock.now();
        let named = named(request, &facts, &current, now)?;
        match request.wish {
            Wish::Pause | Wish::Resume => {
                let suspended = self.record(&home, request, &facts, &named, now).await?;
                Ok(Applied { suspended, revision: Some(current.number), ..Applied::default() })
            }
            Wish::Stop | Wish::Start => self.carry_out(&home, request, &what, current, named, now).await,
        }
    }

    /// Plans with the wish, and records it only if the plan may be carried out.
    async fn carry_out(
        &self,
        home: &Arc<Home>,
        request: &SuspendRequest,
        what: &str,
        current: CurrentRevision,
        named: BTreeSet<ServiceName>,
        now: Timestamp,
    ) -> Result<Applied, StackError> {
        let observed = self.look(&current.desired).await?;
        let before = self.facts(&observed)?;
        let mut facts = before.clone();
        for name in &named {
            match suspension(request, now) {
                Some(suspension) => facts.suspensions.insert(name.clone(), suspension),
                None => facts.suspensions.remove(name),
            };
        }
        let base = Some(current.number);
        let aim = Aim { selected: Some(named.clone()), attended: true, ..Aim::of(current.desired, Purpose::Keep) };
        let round = self.round_from(&aim, facts, observed).await?;
        let mut applied = Applied { notes: round.plan.notes.clone(), ..Applied::default() };
        if let Some(exit) = refused(&round.plan) {
            return Ok(Applied { exit, held: round.plan.held, revision: base, ..applied });
        }
        self.begin(what, &request.origin).await;
        applied.suspended = self.record(home, request, &before, &named, now).await?;
        let course = Course { aim, origin: request.origin.clone(), base, is_rollback: false, one_round: false };
        self.converge(home, course, round, &mut applied).await?;
        self.finish(home, &mut applied, None).await?;
        Ok(applied)
    }

    /// Writes it down and tells it, service by service.
    async fn record(
        &self,
        home: &Arc<Home>,
        request: &SuspendRequest,
        before: &Facts,
        named: &BTreeSet<ServiceName>,
        now: Timestamp,
    ) -> Result<Vec<Suspended>, StackError> {
        let mut all = Vec::new();
        for name in named {
            let what = request.wish.done(before, name, now);
            let suspension = suspension(request, now);
            let until = suspension.as_ref().and_then(|suspension| suspension.until);
            match &suspension {
                Some(suspension) => home.suspend(name, suspension)?,
                None => home.end_suspension(name)?,
            }
            if request.wish == Wish::Resume {
                home.clear_hold(name)?;
            }
            if !what.starts_with("was ") {
                self.tell_suspended(request, name, what, until).await;
            }
            all.push(Suspended { service: name.clone(), what, until });
        }
        home.tell_wanted();
        Ok(all)
    }

    async fn tell_suspended(&self, request: &SuspendRequest, name: &ServiceName, what: &str, until: Option<Timestamp>) {
        let until_words = until.map(|until| format!(" until {until}")).unwrap_or_default();
        let why = request.origin.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let text = format!("{what} by {}{until_words}{why}", request.origin.actor);
        let kind = if request.wish.kind().is_some() { EventKind::Suspended } else { EventKind::Resumed };
        let mut event = self.event(kind, Severity::Info, text);
        event.service = Some(name.clone());
        event.data.insert("actor".into(), request.origin.actor.clone().into());
        event.data.insert("what".into(), what.into());
        event.data.extend(until.map(|until| ("until".into(), until.to_string().into())));
        event.data.extend(request.origin.reason.clone().map(|reason| ("reason".into(), reason.into())));
        self.tell(event).await;
    }
}

/// What somebody wants of a service now.
fn in_force<'a>(facts: &'a Facts, name: &ServiceName, now: Timestamp) -> Option<&'a Suspension> {
    facts.suspensions.get(name).filter(|suspension| suspension.holds(now))
}

/// What the wish makes of a service; `None`: nothing holds it any more.
fn suspension(request: &SuspendRequest, now: Timestamp) -> Option<Suspension> {
    Some(Suspension {
        kind: request.wish.kind()?,
        since: now,
        until: request.lasts.map(|span| now.plus(span)),
        actor: request.origin.actor.clone(),
        reason: request.origin.reason.clone(),
    })
}

/// The services meant. One that was named and that it can't be wished of is an error, before anything is done to another.
fn named(
    request: &SuspendRequest,
    facts: &Facts,
    current: &CurrentRevision,
    now: Timestamp,
) -> Result<BTreeSet<ServiceName>, StackError> {
    let services = &current.desired.services;
    let contradicted = |name: &ServiceName| {
        in_force(facts, name, now).map(|before| before.kind).filter(|before| request.wish.contradicts(*before))
    };
    let Some(selected) = &request.selected else {
        return Ok(services.keys().filter(|name| contradicted(name).is_none()).cloned().collect());
    };
    for name in selected {
        if !services.contains_key(name) {
            return Err(StackError::no_service(name, services.keys()));
        }
        if let Some(kind) = contradicted(name) {
            return Err(StackError::Suspended { service: name.clone(), kind });
        }
    }
    Ok(selected.clone())
}

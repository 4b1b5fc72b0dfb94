//! The services' part of a plan: what each asks for, as changes for people and as rollouts for the executor.

use super::{
    capacity::Demand,
    compare::Difference,
    draft::{Draft, PULL_DEADLINE},
    normal,
    order::{self, Wait},
    resources::Resources,
    restraint,
    rivals::{self, Ousted},
    rollout::{self, Member},
    scope::Scope,
    survey::{self, All, Parents, Slot, View},
    work::{self, Wishes, Work},
};
use crate::model::{
    container::RestartPolicy,
    desired::{desired_hash, shared_config_hash},
    fields::FieldChange,
    labels::{compose, ours},
    names::{ImageReference, Resource, ServiceName, StepId},
    observed::ObservedContainer,
    plan::{Action, Change, Held, HeldCode, Note, NoteCode, Purpose, Reason, Rollout},
    policy::{ProbeHost, ProbeKind, Strategy},
    step::{Cause, Does, Pull, Step},
    units::Timestamp,
    value::Value,
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// What the services ask for.
#[derive(Default)]
pub(super) struct Services<'a> {
    pub changes: Vec<Change>,
    pub held: Vec<Held>,
    pub notes: Vec<Note>,
    pub rollouts: Vec<(Rollout, Vec<Step>)>,
    /// Units whose containers run twice for a while: of each service so many.
    pub surging: Vec<BTreeMap<ServiceName, u64>>,
    /// What is no longer declared, makes room for something here, and goes with it.
    pub ousted: Ousted,
    /// When time alone makes this another plan.
    pub changes_at: Vec<Timestamp>,
    /// What all that is declared asks for.
    pub demand: Demand,
    /// The networks and volumes that they need.
    pub resources: Resources<'a>,
}

/// Sorts the containers of a unit's services, of those whose image is known.
fn views<'a>(all: &All<'a>, places: &[usize], held: &mut Vec<Held>) -> Vec<View<'a>> {
    let mut views = Vec::with_capacity(places.len());
    let (mut parents, mut next_parents) = (Parents::new(), Parents::new());
    for place in places {
        let service = all.places.service(*place);
        let name = &service.name;
        let Some(image) = all.context.images.get(&service.container.image) else {
            held.push(Held {
                resource: Resource::Image(service.container.image.clone()),
                code: HeldCode::ImageMissing,
                reason: format!("the image of service `{name}` could not be resolved"),
                hint: format!("`docker pull {}` shows why", service.container.image),
            });
            continue;
        };
        let view = survey::view(*place, image, [&parents, &next_parents], all);
        if let Some(slot) = view.slots.first() {
            let is = slot.current.or(slot.kept);
            parents.extend(is.map(|container| (name, &container.id)));
            next_parents.extend(slot.candidate.or(is).map(|container| (name, &container.id)));
        }
        views.push(view);
    }
    views
}

/// Plans the services in scope, unit by unit: all that is decided over one is, before the next is looked at.
pub(super) fn services<'a>(all: &All<'a>) -> Services<'a> {
    let mut services = Services::default();
    let (scope, mut line) = (Scope::of(all), Line::of(all));
    for places in all.units.iter() {
        places.iter().for_each(|place| services.demand.add(all.places.service(*place), &all.observed.engine));
        let views = views(all, places, &mut services.held);
        let in_scope = scope.of_unit(all, places, &views, &mut services.held);
        let Some(leader) = in_scope.first() else { continue };
        in_scope.iter().for_each(|view| services.resources.need(all, view.service));
        let mut members = members(all, &in_scope);
        let restraints = restraint::restrain(all, &mut members);
        services.held.extend(restraints.held);
        services.changes_at.extend(restraints.ends);
        let names: Vec<ServiceName> = in_scope.iter().map(|view| view.service.name.clone()).collect();
        let cause = cause(all, &in_scope, &members);
        let mut draft = Draft::new(&leader.service.name, names, cause, &all.context.salt);
        draft.serving = members.iter().any(|member| serves(all, member));
        draft.spends = spends(&members);
        let room = rivals::make_room(all, &mut draft, &members, &mut services.ousted);
        rollout::build(&mut draft, &members, all);
        rivals::leave(&mut draft, &room);
        line.awaited.extend(room.awaited);
        services.held.extend(room.held);
        draft.repairs = matches!(cause, Cause::Drift | Cause::Liveness) && !draft.replaces;
        pull(&in_scope, &mut draft, &mut line);
        for member in &members {
            services.changes.extend(change(all, member, cause, draft.strategy));
            services.held.extend(not_taken(all, member));
            services.notes.extend(notes(all, member.view, &draft));
            services.notes.extend(would_be_recreated(&views, member));
            services.held.extend(needs_root(all, member.view));
            services.held.extend(too_old(all, member.view));
        }
        services.held.extend(names_needed(all, &draft));
        if !draft.surging.is_empty() {
            services.surging.push(std::mem::take(&mut draft.surging));
        }
        if !draft.is_empty() {
            services.rollouts.push(line.join(all, &in_scope, draft, &services.resources));
        }
    }
    services
}

/// What each slot of each member asks for; a member whose parent is replaced is replaced with it.
fn members<'a, 'v>(all: &All<'a>, views: &[&'v View<'a>]) -> Vec<Member<'a, 'v>> {
    let (mut replaced, mut renewed) = (BTreeSet::new(), BTreeSet::new());
    let mut members = Vec::new();
    for view in views.iter().copied() {
        let named = all.context.selected.as_ref().is_none_or(|selected| selected.contains(&view.service.name));
        let wishes = Wishes {
            facts: &all.context.facts,
            unwell: &all.context.unwell,
            replaced: &replaced,
            renewed: &renewed,
            restart: all.context.purpose == Purpose::Restart && named,
            keeps: all.context.purpose == Purpose::Keep,
        };
        let work: Vec<_> = view.slots.iter().map(|slot| (slot, work::work(view, slot, &wishes))).collect();
        let is_renewed =
            |work: &Work| matches!(work, Work::Replace(..) | Work::Start(_) | Work::Restart(..) | Work::Create(_));
        if work.iter().any(|(_, work)| is_renewed(work)) {
            renewed.insert(view.service.name.clone());
        }
        if work.iter().any(|(_, work)| is_renewed(work) || matches!(work, Work::Finish { .. })) {
            replaced.insert(view.service.name.clone());
        }
        members.push(Member { view, work, keeps_leftovers: false, keeps_surplus: false });
    }
    members
}

/// Whose restart counts: one that evenkeel alone makes. What the engine's policy restarts, it counts itself; what a person
/// stopped or removed is put right at once.
fn spends(members: &[Member]) -> Vec<ServiceName> {
    let counts = |member: &&Member| {
        let service = member.view.service;
        let alone = service.container.restart == RestartPolicy::No && !service.one_shot;
        member.work.iter().any(|(_, work)| match work {
            Work::Restart(..) => true,
            Work::Start(container) => alone && container.state.started_at.is_some(),
            _ => false,
        })
    };
    members.iter().filter(counts).map(|member| member.view.service.name.clone()).collect()
}

/// Where the units stand so far: who is proven by which step.
struct Line {
    /// By the service's place: its starts, its proofs or else its last steps, and whether it was running before.
    done: Vec<Option<Done>>,
    /// The last steps of each unit that is replaced, in order.
    replaced: Vec<Vec<StepId>>,
    /// Who pulls what.
    pulls: BTreeMap<ImageReference, StepId>,
    /// Steps of earlier units that the next one waits for.
    awaited: Vec<StepId>,
}

#[derive(Clone)]
struct Done {
    starts: Vec<StepId>,
    proofs: Vec<StepId>,
    replaces: bool,
}

impl Line {
    /// Before the first unit.
    fn of(all: &All) -> Line {
        let (replaced, pulls, awaited) = Default::default();
        Line { done: vec![None; all.places.names().len()], replaced, pulls, awaited }
    }

    /// Puts a unit behind those it waits for.
    fn join(&mut self, all: &All, views: &[&View], mut draft: Draft, resources: &Resources) -> (Rollout, Vec<Step>) {
        let mut waits_for: BTreeSet<StepId> = self.awaited.drain(..).collect();
        for view in views {
            waits_for.extend(resources.needed_by(view.service).cloned());
            for (name, wait) in order::waits(all.desired, view.service) {
                let Some(done) = all.places.find(name).and_then(|place| self.done[place].as_ref()) else { continue };
                let started_is_enough =
                    wait == Wait::Started && !done.replaces && !draft.replaces && !done.starts.is_empty();
                waits_for.extend(if started_is_enough { done.starts.clone() } else { done.proofs.clone() });
            }
        }
        if draft.replaces {
            let parallel = usize::try_from(all.desired.policy.max_parallel.max(1)).unwrap_or(1);
            if let Some(before) = self.replaced.len().checked_sub(parallel) {
                waits_for.extend(self.replaced[before].iter().cloned());
            }
            self.replaced.push(draft.ends().to_vec());
        }
        for view in views {
            let name = &view.service.name;
            let gates = draft.gates.remove(name).unwrap_or_default();
            let proofs = if gates.is_empty() { draft.ends().to_vec() } else { gates };
            let starts = draft.starts.remove(name).unwrap_or_default();
            self.done[view.place] = Some(Done { starts, proofs, replaces: draft.replaces });
        }
        draft.finish(&waits_for.into_iter().collect::<Vec<_>>())
    }
}

/// Whether there is something to go back to.
fn serves(all: &All, member: &Member) -> bool {
    let view = member.view;
    let unproven = !view.service.one_shot && member.work.iter().any(|(_, work)| matches!(work, Work::Await(_)));
    view.runs() && !unproven || view.keeps() || has_run(all, view)
}

/// Whether a one-shot was there before: what it prepares is there then, and what stands on it serves.
fn has_run(all: &All, view: &View) -> bool {
    let current = all.context.facts.current.as_ref();
    let known = current.is_some_and(|current| current.desired.services.contains_key(&view.service.name));
    view.service.one_shot && (known || view.exists())
}

/// Adds the pulls of a unit; an image that an earlier unit pulls is waited for.
fn pull(views: &[&View], draft: &mut Draft, line: &mut Line) {
    if draft.steps.is_empty() {
        return;
    }
    for view in views.iter().filter(|view| view.image.pull) {
        let reference = &view.service.container.image;
        if let Some(step) = line.pulls.get(reference) {
            line.awaited.push(step.clone());
            continue;
        }
        let id = StepId::new(format!("{}/pull", view.service.name));
        let pull = Pull {
            reference: reference.clone(),
            digest: view.image.digest.clone(),
            platform: view.service.container.platform.clone(),
            image: view.image.id.clone(),
            size: view.image.size,
        };
        draft.pulls.push(Step {
            id: id.clone(),
            after: Vec::new(),
            does: Does::Pull(pull),
            target: Resource::Image(reference.clone()),
            cause: draft.cause,
            deadline: PULL_DEADLINE,
        });
        line.pulls.insert(reference.clone(), id);
    }
}

/// Why the unit changes: what was asked, or whether the current revision says otherwise than what is declared.
fn cause(all: &All, views: &[&View], members: &[Member]) -> Cause {
    let any = |of: fn(&Work) -> bool| members.iter().any(|member| member.work.iter().any(|(_, work)| of(work)));
    if any(|work| matches!(work, Work::Halt(_))) {
        return Cause::Suspension;
    }
    if any(|work| matches!(work, Work::Restart(..))) {
        return Cause::Liveness;
    }
    match all.context.purpose {
        Purpose::Restart => return Cause::Restart,
        Purpose::Rollback => return Cause::Rollback,
        Purpose::Down { .. } => return Cause::Down,
        Purpose::Apply | Purpose::Follow | Purpose::Keep => {}
    }
    let Some(current) = &all.context.facts.current else { return all.context.facts.cause_of_first() };
    let same = |view: &&View| {
        let Some(before) = current.desired.services.get(&view.service.name) else { return false };
        let image = current.images.get(&before.container.image).map(|image| &image.id);
        // Hashing takes longer than all else that is planned where nothing changed.
        if before == view.service && image == Some(&view.image.id) {
            return true;
        }
        let now = (Some(desired_hash(view.service, &view.image.id)), view.service.replicas);
        now == (image.map(|id| desired_hash(before, id)), before.replicas)
    };
    if views.iter().all(same) { Cause::Drift } else { Cause::Manifest }
}

/// A service's change, for people; `None` when it asks for nothing.
fn change(all: &All, member: &Member, cause: Cause, strategy: Option<Strategy>) -> Option<Change> {
    let view = member.view;
    let mut found: Vec<(Action, Reason)> =
        member.work.iter().filter_map(|(slot, work)| of_work(view, slot, work)).collect();
    if member.removes_surplus() {
        found.push((Action::Update, Reason::Scaled));
    }
    if member.discards() {
        found.push((Action::Update, Reason::Unfinished));
    }
    let adopted = || {
        let foreign = |slot: &&Slot| slot.current.is_some_and(|container| container.label(ours::STACK).is_none());
        all.context.facts.current.is_none() && view.slots.iter().any(|slot| foreign(&slot))
    };
    if found.is_empty() {
        let resource = Resource::Service(view.service.name.clone());
        let reason = Reason::New;
        return adopted().then(|| Change {
            resource,
            action: Action::Adopt,
            reason,
            cause,
            strategy: None,
            fields: Vec::new(),
        });
    }
    let weight = |action: &Action| match action {
        Action::Replace => 0,
        Action::Create => 1,
        Action::Update => 2,
        Action::Remove => 3,
        Action::Adopt => 4,
    };
    let action = found.iter().map(|(action, _)| *action).min_by_key(weight)?;
    let reason = found.iter().filter(|(of, _)| *of == action).map(|(_, reason)| *reason).min()?;
    Some(Change {
        resource: Resource::Service(view.service.name.clone()),
        action,
        reason,
        cause,
        strategy: strategy.filter(|_| action == Action::Replace),
        fields: change_fields(view, action),
    })
}

fn of_work(view: &View, slot: &Slot, work: &Work) -> Option<(Action, Reason)> {
    match work {
        Work::Nothing => None,
        Work::Create(reason) if view.exists() => Some((Action::Update, *reason)),
        Work::Create(reason) => Some((Action::Create, *reason)),
        Work::Start(_) => Some((Action::Update, Reason::NotRunning)),
        Work::Unpause(_) => Some((Action::Update, Reason::Frozen)),
        Work::Restart(..) => Some((Action::Update, Reason::NotLive)),
        Work::Halt(_) => Some((Action::Update, Reason::Stopped)),
        Work::Replace(_, reason) => Some((Action::Replace, *reason)),
        Work::Finish { .. } => Some((Action::Replace, Reason::Unfinished)),
        Work::Restore(_) | Work::Await(_) => Some((Action::Update, Reason::Unfinished)),
        Work::InPlace(_) => {
            let Difference { limits, connect, restart, .. } = &slot.difference;
            let reason = if limits.is_some() {
                Reason::LimitChanged
            } else if !connect.is_empty() {
                Reason::NetworkMissing
            } else if restart.is_some() {
                Reason::ConfigurationChanged
            } else {
                Reason::Renamed
            };
            Some((Action::Update, reason))
        }
    }
}

fn change_fields(view: &View, action: Action) -> Vec<FieldChange> {
    let mut fields: BTreeMap<String, FieldChange> = BTreeMap::new();
    for slot in &view.slots {
        for change in &slot.difference.fields {
            fields.entry(change.path.clone()).or_insert_with(|| change.clone());
        }
        if let Some(container) = slot.current.filter(|container| container.name != slot.name) {
            let path = "name".to_owned();
            let (from, to) = (Value::plain(container.name.as_str()), Value::plain(slot.name.as_str()));
            fields.entry(path.clone()).or_insert(FieldChange { path, from: Some(from), to: Some(to) });
        }
    }
    if action == Action::Create {
        let to = Value::plain(view.image.shown(&view.service.container.image));
        fields.insert("image".into(), FieldChange { path: "image".into(), from: None, to: Some(to) });
    }
    let is_kept = |container: &ObservedContainer| survey::split_prefix(&container.name).0.is_some();
    let surplus = view.surplus.iter().filter(|container| !is_kept(container)).count();
    let there = view.slots.iter().filter(|slot| slot.current.or(slot.kept).is_some()).count() + surplus;
    let replicas = view.service.replicas;
    if u32::try_from(there).is_ok_and(|there| there != replicas && there > 0) && !view.service.one_shot {
        let path = "replicas".to_owned();
        let (from, to) = (Value::plain(there.to_string()), Value::plain(replicas.to_string()));
        fields.insert(path.clone(), FieldChange { path, from: Some(from), to: Some(to) });
    }
    fields.into_values().collect()
}

/// Fields of containers that stay, which read back otherwise right after they were set.
fn not_taken(all: &All, member: &Member) -> Vec<Held> {
    let stays = |work: &Work| !matches!(work, Work::Replace(..) | Work::Finish { .. });
    let containers = member.work.iter().filter(|(_, work)| stays(work)).filter_map(|(slot, _)| slot.current);
    let known =
        containers.filter_map(|container| all.context.facts.did_not_take.get(&container.id).map(|f| (container, f)));
    known
        .flat_map(|(container, fields)| fields.iter().map(move |field| (container, field)))
        .map(|(container, field)| {
            let shown = |value: &Option<Value>| value.as_ref().map_or("none".to_owned(), Value::to_string);
            Held {
                resource: Resource::Container(container.name.clone()),
                code: HeldCode::DidNotTake,
                reason: format!("{} was set to {} and reads {}", field.path, shown(&field.to), shown(&field.from)),
                hint: "the engine or its kernel does not hold this field; see `evenkeel explain did-not-take`".into(),
            }
        })
        .collect()
}

fn notes(all: &All, view: &View, draft: &Draft) -> Vec<Note> {
    let name = &view.service.name;
    let mut notes: Vec<Note> = normal::not_held(&view.service.container, &all.observed.engine)
        .into_iter()
        .map(|field| Note {
            code: NoteCode::EngineCannotHold,
            text: format!("{name}: this engine can't hold {field}, so it is not compared"),
            hint: None,
        })
        .collect();
    let stops_first = matches!(draft.strategy, Some(Strategy::StopFirst | Strategy::Recreate));
    if stops_first && view.slots.iter().any(|slot| changed_in_place(&slot.difference.fields)) {
        notes.push(Note {
            code: NoteCode::UndoHasNewContent,
            text: format!("{name}: a bound file changed, so an undo starts the old container with the new content"),
            hint: Some("to go back for good, restore the file too, or use `evenkeel rollback`".into()),
        });
    }
    notes
}

/// What docker compose would do about a container that stays: its label can't be changed with what it is.
fn would_be_recreated(views: &[View], member: &Member) -> Option<Note> {
    let service = member.view.service;
    let parent = |name: &ServiceName| {
        let slot = views.iter().find(|view| view.service.name == *name)?.slots.first()?;
        slot.current.or(slot.kept).map(|container| &container.id)
    };
    let hash = match &service.config_text {
        Some(text) => Cow::Owned(shared_config_hash(text.reveal(), parent)?),
        None => Cow::Borrowed(service.config_hash.as_str()),
    };
    let stays = |work: &Work| matches!(work, Work::Nothing | Work::InPlace(_) | Work::Start(_) | Work::Unpause(_));
    let differs = |container: &&ObservedContainer| {
        container.label(compose::CONFIG_HASH).is_some_and(|label| !hash.is_empty() && *label != *hash)
    };
    let current = member.work.iter().filter(|(_, work)| stays(work)).filter_map(|(slot, _)| slot.current);
    let names: Vec<&str> = current.filter(differs).map(|container| container.name.as_str()).collect();
    (!names.is_empty()).then(|| Note {
        code: NoteCode::ComposeRecreates,
        text: format!("{}: docker compose would recreate {} at its next `up`", service.name, names.join(", ")),
        hint: Some("`evenkeel restart` makes its label true, `rollout.limits: replace` keeps it so".into()),
    })
}

/// Whether a file changed that the old container mounts too: it sees the new content when it is started again. Where
/// another file is mounted from now on, each container has its own.
fn changed_in_place(fields: &[FieldChange]) -> bool {
    let mounted_elsewhere =
        |target: &str| fields.iter().any(|change| change.path.starts_with(&format!("mounts.{target}.source")));
    let content = fields.iter().filter_map(|change| change.path.strip_prefix("content"));
    content.map(|rest| rest.trim_start_matches('.')).any(|target| !mounted_elsewhere(target))
}

/// A probe from inside a network namespace needs root.
fn needs_root(all: &All, view: &View) -> Option<Held> {
    let inside = |kind: &ProbeKind| match kind {
        ProbeKind::Http(http) => http.host == ProbeHost::Loopback,
        ProbeKind::Tcp(tcp) => tcp.host == ProbeHost::Loopback,
        ProbeKind::Exec(_) | ProbeKind::Docker {} => false,
    };
    let probes = &view.service.probes;
    let connects = |kind: &ProbeKind| matches!(kind, ProbeKind::Http(_) | ProbeKind::Tcp(_));
    let alone = view.service.container.network_mode == crate::model::container::NetworkMode::None;
    let needs = [&probes.startup, &probes.readiness]
        .into_iter()
        .flatten()
        .any(|probe| inside(&probe.attempt) || (alone && connects(&probe.attempt)));
    (needs && !all.context.root).then(|| Held {
        resource: Resource::Service(view.service.name.clone()),
        code: HeldCode::ProbeNeedsRoot,
        reason: "its probe connects inside the container's network namespace, which needs root".into(),
        hint: "use an `exec` probe, or run evenkeel as root".into(),
    })
}

/// A mount that the engine would ignore an option of, or refuse.
fn too_old(all: &All, view: &View) -> Option<Held> {
    let (target, what, (major, minor)) = normal::unknown_mount(&view.service.container, &all.observed.engine)?;
    let engine = &all.observed.engine;
    Some(Held {
        resource: Resource::Service(view.service.name.clone()),
        code: HeldCode::EngineTooOld,
        reason: format!(
            "its mount at {target} needs {what}, which engines have from API {major}.{minor} on; this is {} with API {}.{}",
            engine.version, engine.api.0, engine.api.1
        ),
        hint: "update the engine, or declare the mount otherwise".into(),
    })
}

/// Names that this rollout needs and somebody else has.
fn names_needed(all: &All, draft: &Draft) -> Vec<Held> {
    let names = draft.steps.iter().filter_map(|step| match &step.does {
        Does::Create(create) => Some(create.name.clone()),
        Does::Rename(rename) => Some(rename.to.clone()),
        _ => None,
    });
    super::ownership::names_taken(&names.collect::<Vec<_>>(), all.observed)
}

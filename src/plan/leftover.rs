//! What an interrupted rollout made and nobody wants any more: most of it goes before anything else, but what is all that
//! serves goes after what takes its place.

use super::{
    draft::{CALL_DEADLINE, Draft},
    lifecycle,
    making::anonymous_volumes,
    rollout::{Member, existing, remove_container},
    strategy::{choose, holds_data},
    survey::{Slot, View, is_up, split_prefix},
    work::Work,
};
use crate::model::{
    container::NetworkMode,
    names::{ContainerId, ContainerName, Resource},
    observed::ObservedContainer,
    policy::Strategy,
    step::{AnonymousVolumes, Does, Remove},
};
use std::collections::BTreeMap;

/// Until when something serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Until {
    /// The unit's old containers are started again.
    Started,
    /// The unit's new containers are proven.
    Proven,
    /// A later plan: what uses its namespaces is not to be touched by this one.
    Later,
}

/// Those of a unit that serve until others do, by id, with the final name whose place they have.
pub(super) struct Meanwhile<'a>(BTreeMap<ContainerId, (&'a ObservedContainer, ContainerName, Until)>);

impl<'a> Meanwhile<'a> {
    /// Finds them: each is all that runs of its replica, or is the one whose namespaces such a one uses. Where two can't
    /// run at once, there are none.
    pub fn of(members: &[Member<'a, '_>]) -> Meanwhile<'a> {
        let surges = members.iter().all(surges);
        let mut found = Meanwhile(BTreeMap::new());
        // Dependants say which of their parents they need.
        for member in members.iter().rev() {
            for (container, name) in unwanted(member).into_iter().filter(|(container, _)| is_up(container)) {
                let Some((slot, work)) = member.work.iter().find(|(slot, _)| slot.name == name) else { continue };
                let beside = surges && is_beside(container, slot);
                let own = match work {
                    Work::Start(old) | Work::Restore(old) if !is_up(old) && starts_first(member.view, None) => {
                        Some(Until::Started)
                    }
                    Work::Replace(old, _) | Work::Finish { old, .. } if !is_up(old) && beside => Some(Until::Proven),
                    _ => None,
                };
                let of_others = found.needed_by(members, container).filter(|_| beside);
                if let Some(until) = own.max(of_others) {
                    found.0.insert(container.id.clone(), (container, name, until));
                }
            }
        }
        found
    }

    /// Until when those that serve in the namespaces of this one do.
    fn needed_by(&self, members: &[Member<'a, '_>], parent: &ObservedContainer) -> Option<Until> {
        let meanwhile = self.0.values().map(|(container, _, until)| (*container, *until));
        let running = members.iter().flat_map(|member| &member.work).filter_map(|(slot, work)| match work {
            Work::Replace(old, _) | Work::Finish { old, .. } => Some((*old, Until::Proven)),
            Work::Nothing => Some((slot.current?, Until::Later)),
            _ => None,
        });
        let running = running.filter(|(container, _)| is_up(container));
        meanwhile.chain(running).filter(|(container, _)| joins(container, parent)).map(|(_, until)| until).max()
    }

    /// The newest that serves in the place of a slot.
    pub fn of_slot(&self, slot: &Slot) -> Option<(&'a ObservedContainer, Until)> {
        let of_it = self.0.values().filter(|(_, name, _)| *name == slot.name);
        of_it.max_by_key(|(container, ..)| container.created).map(|(container, _, until)| (*container, *until))
    }

    fn until(&self, container: &ObservedContainer) -> Option<Until> {
        self.0.get(&container.id).map(|(_, _, until)| *until)
    }
}

/// Whether what a member's slots ask for is made beside what there is.
fn surges(member: &Member) -> bool {
    member.work.iter().all(|(slot, work)| match work {
        Work::Replace(old, _) | Work::Finish { old, .. } => {
            slot.current.is_some() && starts_first(member.view, Some(old))
        }
        Work::Create(_) => starts_first(member.view, None),
        _ => true,
    })
}

fn starts_first(view: &View, old: Option<&ObservedContainer>) -> bool {
    choose(view.service, &view.image.config, old).strategy == Strategy::StartFirst
}

/// Whether it is named `<another id, 12>_n`: so the final name is free of it.
fn is_beside(container: &ObservedContainer, slot: &Slot) -> bool {
    let (prefix, rest) = split_prefix(&container.name);
    rest == slot.name.as_str() && prefix.is_some_and(|prefix| prefix != container.id.short())
}

/// Whether a container uses a namespace of another.
fn joins(container: &ObservedContainer, parent: &ObservedContainer) -> bool {
    let spec = &container.spec;
    let named = format!("container:{}", parent.id);
    let by_text = [&spec.ipc, &spec.pid].into_iter().flatten().any(|text| *text == named);
    by_text || matches!(&spec.network_mode, NetworkMode::Container(id) if *id == parent.id)
}

/// What nobody wants any more, with the final name that each belongs to.
fn unwanted<'a>(member: &Member<'a, '_>) -> Vec<(&'a ObservedContainer, ContainerName)> {
    // A candidate whose parent is replaced once more belongs to the parent that goes.
    let outdated = member.work.iter().filter(|(_, work)| matches!(work, Work::Replace(..)));
    let outdated = outdated.filter_map(|(slot, _)| Some((slot.candidate?, slot.name.clone())));
    member.view.discarded.iter().cloned().chain(outdated).collect()
}

/// Removes what serves until this has come; `None`: what does not serve.
pub(super) fn discard(draft: &mut Draft, member: &Member, meanwhile: &Meanwhile, until: Option<Until>) {
    if member.keeps_leftovers {
        return;
    }
    let view = member.view;
    if until.is_none() {
        for container in &view.retired {
            let path = format!("{}/retire/{}", view.service.name, container.id.short());
            remove_container(draft, Some(view.service), container, &path, AnonymousVolumes::Keep);
        }
    }
    for (container, name) in unwanted(member).into_iter().filter(|(one, _)| meanwhile.until(one) == until) {
        let slot = view.slots.iter().find(|slot| slot.name == name);
        let carried = slot.and_then(|slot| slot.current.or(slot.kept)).map(anonymous_volumes).unwrap_or_default();
        let remove = Remove {
            container: existing(container),
            keep_evidence: false,
            // What does not run now and does by then, somebody else has started.
            force: is_up(container),
            volumes: AnonymousVolumes::RemoveExcept { carried: carried.into_values().collect() },
        };
        let path = format!("{}/discard/{}", view.service.name, container.id.short());
        if is_up(container) && (until.is_some() || holds_data(container)) {
            let target = Resource::Container(container.name.clone());
            lifecycle::stop(draft, Some(view.service), container, (&path, &target));
        }
        draft.step(path, Does::Remove(remove), Resource::Container(container.name.clone()), CALL_DEADLINE);
    }
}

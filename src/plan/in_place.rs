//! Putting a container right where it is: its name, limits, restart policy and networks; letting it run, or stopping it.

use super::{
    draft::{CALL_DEADLINE, Draft},
    leftover::Meanwhile,
    lifecycle,
    making::gate,
    rollout::{Member, existing},
    survey::{All, Slot, View, is_up},
    work::Work,
};
use crate::model::{
    container::RestartPolicy,
    names::Resource,
    observed::ObservedContainer,
    step::{Connect, Does, Rename, Update},
};

/// Puts right what can be put right where it is, and starts what should run.
pub(super) fn in_place(draft: &mut Draft, member: &Member, meanwhile: &Meanwhile, all: &All) {
    for (slot, work) in &member.work {
        let path = format!("{}/{}", member.view.service.name, slot.number);
        match work {
            Work::InPlace(container) => {
                rename(draft, slot, container, &path);
                put_right(draft, member.view, slot, container, &path, false, all);
            }
            Work::Start(container) => {
                rename(draft, slot, container, &path);
                put_right(draft, member.view, slot, container, &path, false, all);
                start_and_prove(draft, member.view, slot, container, &path);
            }
            Work::Unpause(container) => {
                rename(draft, slot, container, &path);
                put_right(draft, member.view, slot, container, &path, false, all);
                let unpause = Does::Unpause { container: existing(container) };
                draft.step(format!("{path}/unpause"), unpause, Resource::Container(slot.name.clone()), CALL_DEADLINE);
                gate(draft, member.view, slot, existing(container));
            }
            Work::Restart(container, answer) => {
                draft.why = format!("its liveness probe failed: {answer}");
                let target = Resource::Container(slot.name.clone());
                lifecycle::stop_unwell(draft, member.view.service, container, (&path, &target));
                start_and_prove(draft, member.view, slot, container, &path);
            }
            Work::Halt(container) => {
                if would_come_back(container) {
                    let restart = Some(RestartPolicy::No);
                    let update = Update { container: existing(container), limits: Default::default(), restart };
                    let target = Resource::Container(slot.name.clone());
                    draft.step(format!("{path}/update"), Does::Update(Box::new(update)), target, CALL_DEADLINE);
                }
                if is_up(container) {
                    halt(draft, member.view, slot, container, &path);
                }
            }
            Work::Restore(kept) => {
                if meanwhile.of_slot(slot).is_none() {
                    rename(draft, slot, kept, &path);
                }
                put_right(draft, member.view, slot, kept, &path, true, all);
                if !is_up(kept) {
                    start_and_prove(draft, member.view, slot, kept, &path);
                }
            }
            Work::Await(container) => {
                gate(draft, member.view, slot, existing(container));
            }
            _ => {}
        }
    }
}

fn halt(draft: &mut Draft, view: &View, slot: &Slot, container: &ObservedContainer, path: &str) {
    lifecycle::stop(draft, Some(view.service), container, (path, &Resource::Container(slot.name.clone())));
}

/// Whether the engine would start a stopped container when it starts itself.
pub(super) fn would_come_back(container: &ObservedContainer) -> bool {
    matches!(container.spec.restart, RestartPolicy::Always | RestartPolicy::OnFailure(_))
}

pub(super) fn rename(draft: &mut Draft, slot: &Slot, container: &ObservedContainer, path: &str) {
    if container.name != slot.name {
        let rename = Rename { container: existing(container), to: slot.name.clone() };
        let target = Resource::Container(slot.name.clone());
        draft.step(format!("{path}/rename"), Does::Rename(rename), target, CALL_DEADLINE);
    }
}

fn put_right(
    draft: &mut Draft,
    view: &View,
    slot: &Slot,
    container: &ObservedContainer,
    path: &str,
    restore: bool,
    all: &All,
) {
    let target = Resource::Container(slot.name.clone());
    let difference = &slot.difference;
    let restart = difference
        .restart
        .or(restore.then_some(view.service.container.restart).filter(|p| *p != container.spec.restart));
    if difference.limits.is_some() || restart.is_some() {
        let limits = difference.limits.as_deref().cloned().unwrap_or_default();
        let update = Does::Update(Box::new(Update { container: existing(container), limits, restart }));
        draft.step(format!("{path}/update"), update, target.clone(), CALL_DEADLINE);
    }
    if difference.connect.is_empty() {
        return;
    }
    let mut attachments = view.spec_of(slot, all).networks;
    for network in &difference.connect {
        let attachment = attachments.remove(network).unwrap_or_default();
        let connect = Connect { container: existing(container), network: network.clone(), attachment };
        draft.step(format!("{path}/connect:{network}"), Does::Connect(connect), target.clone(), CALL_DEADLINE);
    }
}

fn start_and_prove(draft: &mut Draft, view: &View, slot: &Slot, container: &ObservedContainer, path: &str) {
    let target = Resource::Container(slot.name.clone());
    lifecycle::start(draft, view.service, &existing(container), None, (path, &target));
    gate(draft, view, slot, existing(container));
}

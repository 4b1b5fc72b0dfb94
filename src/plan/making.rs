//! Making a container: it is created with what it takes over, put on its networks, started and gated; and what takes one
//! back that is not proven.

use super::{
    draft::{CALL_DEADLINE, Draft},
    lifecycle,
    rollout::{Entry, existing},
    strategy::is_stateful,
    survey::{All, Slot, View, can_start, network_order},
};
use crate::model::{
    container::{ContainerSpec, Mount, MountSource},
    names::{ContainerName, Resource, ServiceName, StepId, VolumeName},
    observed::{ObservedContainer, Status},
    policy::ProbeKind,
    step::{AnonymousVolumes, Connect, ContainerRef, Create, Does, Gate, OnDeadline, Proof, Remove},
    units::Millis,
};
use std::collections::BTreeMap;

/// The API version from which on a create takes all the networks of a container.
const NETWORKS_AT_ONCE: (u32, u32) = (1, 44);

/// Creates a container under this name with what it takes over of the old one, connects it and starts it.
pub(super) fn create_and_start(
    draft: &mut Draft,
    entry: &Entry,
    name: ContainerName,
    instead_of: Option<ContainerRef>,
    refs: &BTreeMap<ServiceName, ContainerRef>,
    all: &All,
) -> ContainerRef {
    let path = entry.path();
    let create_id = StepId::new(format!("{path}/create"));
    let container = ContainerRef::Made { by: create_id.clone() };
    let carried = carried(entry);
    let mut spec = entry.view.spec_of(entry.slot, all);
    carry(&mut spec, &carried);
    // They are written before the start.
    spec.files.clear();
    let networks = network_order(&spec);
    let attachments = std::mem::take(&mut spec.networks);
    // An older engine takes one network at a create; a newer one keeps of what is connected afterwards no MAC address.
    let at_once = if all.observed.engine.api >= NETWORKS_AT_ONCE { networks.len() } else { 1 };
    for network in networks.iter().take(at_once) {
        spec.networks.extend(attachments.get(network).map(|attachment| (network.clone(), attachment.clone())));
    }
    let shares = entry.view.service.shares.iter();
    let create = Create {
        service: entry.view.service.name.clone(),
        name,
        image: entry.view.image.id.clone(),
        spec: spec.committed(&all.context.salt),
        parents: shares.filter_map(|parent| Some((parent.clone(), refs.get(parent)?.clone()))).collect(),
        config_text: entry.view.service.config_text.as_ref().map(|text| text.committed(&all.context.salt)),
    };
    give_up(draft, entry, container.clone(), carried);
    draft.step(create_id.as_str(), Does::Create(Box::new(create)), entry.target(), CALL_DEADLINE);
    for network in networks.iter().skip(at_once) {
        let attachment = attachments.get(network).cloned().unwrap_or_default();
        let connect = Connect { container: container.clone(), network: network.clone(), attachment };
        draft.step(format!("{path}/connect:{network}"), Does::Connect(connect), entry.target(), CALL_DEADLINE);
    }
    lifecycle::start(draft, entry.view.service, &container, instead_of, (&path, &entry.target()));
    container
}

/// Goes on with a candidate of an interrupted rollout. One that went down before its time was over, with the host mostly, and
/// that the engine does not start by itself was judged by nobody: it is started. One that was left at its deadline and
/// exited then has had its time.
pub(super) fn go_on_with(
    draft: &mut Draft,
    entry: &Entry,
    candidate: &ObservedContainer,
    instead_of: Option<ContainerRef>,
) -> ContainerRef {
    give_up(draft, entry, existing(candidate), carried(entry));
    let state = &candidate.state;
    let ran = state.started_at.zip(state.finished_at).map(|(start, end)| end.since(start));
    let in_time = ran.is_some_and(|ran| ran < entry.view.service.rollout.deadline);
    if state.status == Status::Exited && can_start(candidate) && in_time {
        let service = entry.view.service;
        let at = (entry.path(), entry.target());
        lifecycle::start(draft, service, &existing(candidate), instead_of, (&at.0, &at.1));
    }
    existing(candidate)
}

/// Takes back a container that was not proven: it is removed with what was made for it, and its log is kept. One that writes
/// data is asked to stop before.
fn give_up(draft: &mut Draft, entry: &Entry, container: ContainerRef, carried: BTreeMap<String, VolumeName>) {
    let volumes = AnonymousVolumes::RemoveExcept { carried: carried.into_values().collect() };
    let remove = Remove { container: container.clone(), keep_evidence: true, force: true, volumes };
    let path = entry.path();
    let remove = draft.back(format!("{path}/undo/remove"), Does::Remove(remove), entry.target(), CALL_DEADLINE);
    draft.also_takes_back(remove);
    if is_stateful(entry.view.service, &entry.view.image.config) {
        let stop = lifecycle::stop_again(draft, entry.view.service, container, (&path, &entry.target()));
        draft.also_takes_back(stop);
    }
}

/// The old container's anonymous volumes that the new one takes, by target.
fn carried(entry: &Entry) -> BTreeMap<String, VolumeName> {
    let spec = &entry.view.service.container;
    let mut volumes = entry.old.map(anonymous_volumes).unwrap_or_default();
    volumes.retain(|target, _| match spec.mounts.get(target) {
        Some(mount) => matches!(mount.source, MountSource::Anonymous(_)),
        None => entry.view.image.config.volumes.contains(target),
    });
    volumes
}

/// Names the anonymous volumes that a container gets.
fn carry(spec: &mut ContainerSpec, volumes: &BTreeMap<String, VolumeName>) {
    for (target, volume) in volumes {
        let source = MountSource::Anonymous(Some(volume.clone()));
        let mount = spec.mounts.entry(target.clone()).or_insert_with(|| Mount::of(source.clone()));
        mount.source = source;
    }
}

pub(super) fn anonymous_volumes(container: &ObservedContainer) -> BTreeMap<String, VolumeName> {
    let named = |(target, mount): (&String, &Mount)| match &mount.source {
        MountSource::Anonymous(Some(name)) => Some((target.clone(), name.clone())),
        _ => None,
    };
    container.spec.mounts.iter().filter_map(named).collect()
}

/// Waits for the proof of several containers, side by side.
pub(super) fn gates(draft: &mut Draft, containers: &[(&Entry, ContainerRef)]) {
    let steps = containers.iter().map(|(entry, container)| gate_step(entry.view, entry.slot, container.clone()));
    let ids = draft.together(steps.collect());
    for ((entry, _), id) in containers.iter().zip(ids) {
        draft.gates.entry(entry.view.service.name.clone()).or_default().push(id);
    }
}

/// Waits for the proof of a container.
pub(super) fn gate(draft: &mut Draft, view: &View, slot: &Slot, container: ContainerRef) {
    let (id, does, target, deadline) = gate_step(view, slot, container);
    let id = draft.step(id, does, target, deadline);
    draft.gates.entry(view.service.name.clone()).or_default().push(id);
}

fn gate_step(view: &View, slot: &Slot, container: ContainerRef) -> (String, Does, Resource, Millis) {
    let service = view.service;
    let by_docker = |probe: &&crate::model::policy::Probe| matches!(probe.attempt, ProbeKind::Docker {});
    let ours = |probe: &Option<crate::model::policy::Probe>| probe.clone().filter(|probe| !by_docker(&probe));
    let asks_docker = [&service.probes.startup, &service.probes.readiness].into_iter().flatten().any(|p| by_docker(&p));
    let proof = if service.one_shot {
        Proof::Completed {}
    } else {
        Proof::Ready {
            startup: ours(&service.probes.startup),
            readiness: ours(&service.probes.readiness),
            docker: asks_docker || service.has_healthcheck(view.image.config.healthcheck.as_ref()),
        }
    };
    let stateful = !service.one_shot && is_stateful(service, &view.image.config);
    let gate = Gate {
        service: service.name.clone(),
        container,
        proof,
        min_ready: service.rollout.min_ready,
        on_deadline: if stateful { OnDeadline::Leave } else { OnDeadline::Undo },
    };
    let id = format!("{}/{}/gate", service.name, slot.number);
    (id, Does::Gate(Box::new(gate)), Resource::Container(slot.name.clone()), service.rollout.deadline)
}

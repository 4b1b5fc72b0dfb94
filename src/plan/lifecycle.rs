//! Starting and stopping a container, with all that belongs to it: the files written before a start, the hooks that run
//! after it and before a stop. No other file makes such a step.

use super::draft::{CALL_DEADLINE, Draft, STOP_MARGIN};
use crate::model::{
    container::ContainerSpec,
    desired::{Hook, Service},
    names::{Resource, StepId},
    observed::ObservedContainer,
    step::{ContainerRef, Does, Exec, Put, Step, Stop},
    units::Millis,
};

/// What a stop waits where nobody says it.
const GRACE: Millis = Millis::seconds(10);

/// Starts a container of a service.
pub(super) fn start(
    draft: &mut Draft,
    service: &Service,
    container: &ContainerRef,
    instead_of: Option<ContainerRef>,
    (path, target): (&str, &Resource),
) {
    for (place, file) in &service.container.files {
        let put = Put { container: container.clone(), path: place.clone(), file: file.clone() };
        draft.step(format!("{path}/put:{place}"), Does::Put(Box::new(put)), target.clone(), CALL_DEADLINE);
    }
    let start = Does::Start { container: container.clone(), instead_of };
    let mut started = draft.step(format!("{path}/start"), start, target.clone(), CALL_DEADLINE);
    let hooks = service.hooks.post_start.iter().enumerate();
    for (number, hook) in hooks.map(|(index, hook)| (index + 1, hook)) {
        started = draft.step(
            format!("{path}/post-start:{number}"),
            exec(container, hook),
            target.clone(),
            service.rollout.deadline,
        );
    }
    // Who waits for its start waits for its hooks too, as in docker compose.
    draft.starts.entry(service.name.clone()).or_default().push(started);
}

/// What starts an old container again in the place of the new one, to be taken back last of all; `None` for the service of
/// one that nothing declares.
pub(super) fn start_again(
    draft: &Draft,
    service: Option<&Service>,
    container: &ContainerRef,
    instead_of: ContainerRef,
    at: (&str, &Resource),
) -> Vec<Step> {
    let (path, target) = at;
    let start = Does::Start { container: container.clone(), instead_of: Some(instead_of) };
    let mut steps = vec![draft.back(format!("{path}/undo/start"), start, target.clone(), CALL_DEADLINE)];
    if let Some(service) = service {
        for (index, hook) in service.hooks.post_start.iter().enumerate() {
            let id = format!("{path}/undo/post-start:{}", index + 1);
            steps.push(draft.back(id, exec(container, hook), target.clone(), service.rollout.deadline));
        }
    }
    steps
}

/// What stops a container that was not proven, to be taken back first of all. Its hooks are for one that serves.
pub(super) fn stop_again(draft: &Draft, service: &Service, container: ContainerRef, at: (&str, &Resource)) -> Step {
    let spec = &service.container;
    let (path, target) = at;
    let stop = Does::Stop(Stop { container, grace: spec.stop_grace });
    draft.back(format!("{path}/undo/stop"), stop, target.clone(), stop_deadline(spec))
}

/// Stops a container that is not well: its hooks have their chance, within the grace, and stop nothing.
pub(super) fn stop_unwell(
    draft: &mut Draft,
    service: &Service,
    container: &ObservedContainer,
    (path, target): (&str, &Resource),
) {
    let stopped = super::rollout::existing(container);
    let grace = container.spec.stop_grace.unwrap_or(GRACE);
    for (index, hook) in service.hooks.pre_stop.iter().enumerate() {
        let exec = Does::Exec(Box::new(Exec { container: stopped.clone(), hook: hook.clone(), may_fail: true }));
        draft.step(format!("{path}/pre-stop:{}", index + 1), exec, target.clone(), grace);
    }
    stop(draft, None, container, (path, target));
}

/// Stops a container; `None` for the service of one that nothing declares. A frozen one can run no hook.
pub(super) fn stop(
    draft: &mut Draft,
    service: Option<&Service>,
    container: &ObservedContainer,
    (path, target): (&str, &Resource),
) -> StepId {
    let stopped = super::rollout::existing(container);
    let hooks = service.filter(|_| container.state.is_running()).into_iter();
    for service in hooks {
        for (index, hook) in service.hooks.pre_stop.iter().enumerate() {
            let id = format!("{path}/pre-stop:{}", index + 1);
            draft.step(id, exec(&stopped, hook), target.clone(), service.rollout.deadline);
        }
    }
    let stop = Stop { container: stopped, grace: container.spec.stop_grace };
    draft.step(format!("{path}/stop"), Does::Stop(stop), target.clone(), stop_deadline(&container.spec))
}

/// A stop's grace, and what the engine needs beside it.
fn stop_deadline(spec: &ContainerSpec) -> Millis {
    let grace = spec.stop_grace.unwrap_or(GRACE);
    Millis(grace.0.saturating_add(STOP_MARGIN.0))
}

fn exec(container: &ContainerRef, hook: &Hook) -> Does {
    Does::Exec(Box::new(Exec { container: container.clone(), hook: hook.clone(), may_fail: false }))
}

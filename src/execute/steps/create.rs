//! Making a container: the spec with its secrets, the namespaces of others resolved, on the networks that no later step
//! connects it to. A lost reply, or a name that is taken, is answered by looking for our rollout label under the name.
//!
//! The engine carries out a create though the program that sent it was killed meanwhile. Its name is taken at once, and the
//! container is there only when it is made. So the next round may not have seen it: it is waited for, and what then has the
//! name, is of this stack and was never started is that one, for the lock keeps every other evenkeel away, and gives way.

use super::{
    super::stage::{Stage, StepError, failed, found},
    Attempt, remove,
};
use crate::{
    engine::ErrorKind,
    model::{
        container::{ContainerSpec, NetworkMode},
        desired::shared_config_hash,
        event::{EventKind, Severity},
        labels,
        names::{ContainerId, ServiceName},
        observed::{ObservedContainer, Status},
        plan::NoteCode,
        step::{Create, Step},
        units::Millis,
        value::Value,
    },
};

/// Between two looks at a name that is taken by no container yet, or by one that is being removed; and so many of them.
const LOOK: Millis = Millis(100);
const LOOKS_MAX: u32 = 100;

/// Makes a container without starting it.
pub(super) async fn create(stage: &Stage<'_>, step: &Step, create: &Create, attempt: Attempt) -> Result<(), StepError> {
    if attempt.doubt
        && let Some(id) = stage.find_made(create).await?
    {
        stage.made(&step.id, id);
        return Ok(());
    }
    let spec = spec(stage, step, create).await?;
    let engine = &stage.effects.engine;
    let mut looks = 0;
    let created = loop {
        let error = match engine.create_container(&create.name, &create.image, &spec).await {
            Err(error) if error.kind == ErrorKind::Conflict => error,
            created => break created?,
        };
        let holder = found(engine.inspect_container(create.name.as_str()).await)?;
        let Some(holder) = holder.filter(|holder| !matches!(holder.state.status, Status::Removing | Status::Dead))
        else {
            // It is not there yet, or no more in a moment.
            if looks == LOOKS_MAX {
                return Err(error.into());
            }
            looks += 1;
            stage.effects.clock.sleep(LOOK).await;
            continue;
        };
        if let Some(id) = stage.find_made(create).await? {
            stage.made(&step.id, id);
            return Ok(());
        }
        if !was_left_behind(stage, &holder) {
            return Err(failed(format!(
                "changed by somebody else: the name `{}` is taken by the container {}",
                create.name,
                holder.id.short()
            )));
        }
        remove::discard(stage, &holder, &create.spec).await?;
        let text = format!("{}: what an interrupted apply had made is removed", create.name);
        stage.tell(EventKind::Warning, Severity::Warning, Some(attempt.item), text).await;
    };
    stage.made(&step.id, created.id);
    for warning in created.warnings {
        let text = format!("{}: {}: {warning}", create.name, NoteCode::EngineWarning);
        stage.tell(EventKind::Warning, Severity::Warning, Some(attempt.item), text).await;
    }
    Ok(())
}

/// Whether it was made by an evenkeel that was killed before it heard of it.
fn was_left_behind(stage: &Stage<'_>, holder: &ObservedContainer) -> bool {
    holder.label(labels::ours::STACK) == Some(stage.plan.stack.as_str())
        && holder.label(labels::ours::ROLLOUT).is_some()
        && holder.state.status == Status::Created
        && holder.state.started_at.is_none()
}

async fn spec(stage: &Stage<'_>, step: &Step, create: &Create) -> Result<ContainerSpec, StepError> {
    let mut spec = create.spec.revealed(&stage.effects.secrets).ok_or_else(|| {
        failed(format!("a sensitive value of `{}` is not the one that the plan was made with", create.service))
    })?;
    let parents = parents(stage, create).await?;
    let parent = |service: &ServiceName| {
        parents.iter().find(|(name, _)| name == service).map(|(_, id)| id.clone()).ok_or_else(|| {
            failed(format!("`{}` shares a namespace of `{service}`, whose container is not there", create.service))
        })
    };
    if let NetworkMode::Service(service) = &spec.network_mode {
        spec.network_mode = NetworkMode::Container(parent(service)?);
    }
    for shared in [&mut spec.ipc, &mut spec.pid].into_iter().flatten() {
        if let Some(service) = shared.strip_prefix("service:") {
            *shared = format!("container:{}", parent(&service.into())?).into();
        }
    }
    if let Some(text) = &create.config_text {
        let id = |service: &ServiceName| parents.iter().find(|(name, _)| name == service).map(|(_, id)| id);
        let text = stage.effects.secrets.reveal(text);
        if let Some(hash) = text.and_then(|text| shared_config_hash(text.reveal(), id)) {
            spec.labels.insert(labels::compose::CONFIG_HASH.into(), Value::plain(hash));
        }
    }
    // Compose writes a service's name or `container:NAME`, the engine takes the name or id of a container.
    for from in &mut spec.volumes_from {
        *from = match from.strip_prefix("container:") {
            Some(container) => container.to_owned(),
            None => {
                let text = from.strip_prefix("service:").unwrap_or(from);
                let (service, mode) = text.split_once(':').map_or((text, None), |(name, mode)| (name, Some(mode)));
                let id = parent(&service.into())?;
                mode.map_or_else(|| id.to_string(), |mode| format!("{id}:{mode}"))
            }
        };
    }
    spec.networks.retain(|name, _| !stage.connected_later(&step.id, name));
    Ok(spec)
}

async fn parents(stage: &Stage<'_>, create: &Create) -> Result<Vec<(ServiceName, ContainerId)>, StepError> {
    let mut parents = Vec::new();
    for (service, container) in &create.parents {
        let id = stage.id_of(container).await?.ok_or_else(|| stage.gone(container))?;
        parents.push((service.clone(), id));
    }
    Ok(parents)
}

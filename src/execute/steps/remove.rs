//! Removing a container: what it leaves behind is kept first where it failed, and of its anonymous volumes only those go
//! that were made for it.

use super::{
    super::{
        Evidence,
        stage::{Stage, StepError, failed, found},
    },
    Attempt, container,
};
use crate::{
    engine::{ErrorKind, clock::within},
    model::{
        container::{ContainerSpec, MountSource},
        event::{EventKind, Severity},
        names::{ContainerId, ServiceName, VolumeName},
        observed::{ObservedContainer, Status},
        step::{AnonymousVolumes, Remove, Step},
        units::Millis,
        value::COMMITTED,
    },
};

/// So much of a failed container's log is kept.
const LOG_MAX: usize = 4 << 20;
/// A log that does not come in this time is not kept: what failed must go all the same.
const LOG_WAIT: Millis = Millis::seconds(10);
/// Between two looks at a container that is being removed.
const LOOK: Millis = Millis(100);

/// Removes a container.
pub(super) async fn remove(stage: &Stage<'_>, step: &Step, remove: &Remove, attempt: Attempt) -> Result<(), StepError> {
    let Some(id) = container::target(stage, &remove.container, attempt).await? else { return Ok(()) };
    let engine = &stage.effects.engine;
    let carried = match &remove.volumes {
        AnonymousVolumes::Keep => None,
        AnonymousVolumes::RemoveExcept { carried } => Some(carried),
    };
    let needs_look = attempt.doubt || remove.keep_evidence || carried.is_some_and(|carried| !carried.is_empty());
    if needs_look {
        let Some(there) = found(engine.inspect_container(id.as_str()).await)? else {
            return gone(stage, remove, attempt, &id).await;
        };
        if remove.keep_evidence && !attempt.doubt {
            keep_evidence(stage, step, remove, attempt, &there).await;
        }
        if let Some(carried) = carried {
            stage.doom(&id, made_for_it(&there, carried));
        }
    }
    let with_volumes = carried.is_some_and(|carried| carried.is_empty());
    match engine.remove_container(&id, remove.force, with_volumes).await {
        Ok(()) => {}
        Err(error) if error.kind == ErrorKind::NotFound => return gone(stage, remove, attempt, &id).await,
        Err(error) if error.kind == ErrorKind::Conflict => {
            let status = found(engine.inspect_container(id.as_str()).await)?.map(|there| there.state.status);
            match status {
                None => {}
                // An earlier call whose reply was lost is still at it; the step's deadline bounds this.
                Some(Status::Removing) => {
                    while found(engine.inspect_container(id.as_str()).await)?.is_some() {
                        stage.effects.clock.sleep(LOOK).await;
                    }
                }
                // The engine restarted meanwhile and started it again, as its policy says.
                Some(Status::Running | Status::Restarting) if stage.was_stopped(&id) => {
                    engine.stop_container(&id, None).await?;
                    engine.remove_container(&id, remove.force, with_volumes).await?;
                }
                Some(_) => return Err(error.into()),
            }
        }
        Err(error) => return Err(error.into()),
    }
    remove_doomed(stage, &id).await
}

/// Removes a container that was never started, with its anonymous volumes but those that this spec carries over too.
pub(super) async fn discard(
    stage: &Stage<'_>,
    there: &ObservedContainer,
    instead: &ContainerSpec,
) -> Result<(), StepError> {
    stage.doom(&there.id, made_for_it(there, &anonymous(instead)));
    match stage.effects.engine.remove_container(&there.id, false, false).await {
        Err(error) if error.kind == ErrorKind::NotFound => {}
        result => result?,
    }
    remove_doomed(stage, &there.id).await
}

/// It is no longer there: as wanted in an undo and after a lost reply, otherwise somebody was here.
async fn gone(stage: &Stage<'_>, remove: &Remove, attempt: Attempt, id: &ContainerId) -> Result<(), StepError> {
    if attempt.is_undo() || attempt.doubt {
        return remove_doomed(stage, id).await;
    }
    Err(stage.gone(&remove.container))
}

async fn remove_doomed(stage: &Stage<'_>, id: &ContainerId) -> Result<(), StepError> {
    for volume in stage.doomed(id) {
        match stage.effects.engine.remove_volume(&volume).await {
            // One that another container uses by now is not this container's alone any more.
            Err(error) if !matches!(error.kind, ErrorKind::NotFound | ErrorKind::Conflict) => {
                return Err(match error.kind {
                    ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::Protocol => error.into(),
                    _ => failed(format!("its container is removed, and its volume is not: {error}")),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

fn made_for_it(there: &ObservedContainer, carried: &[VolumeName]) -> Vec<VolumeName> {
    anonymous(&there.spec).into_iter().filter(|name| !carried.contains(name)).collect()
}

fn anonymous(spec: &ContainerSpec) -> Vec<VolumeName> {
    let names = spec.mounts.values().filter_map(|mount| match &mount.source {
        MountSource::Anonymous(name) => name.clone(),
        _ => None,
    });
    names.collect()
}

async fn keep_evidence(stage: &Stage<'_>, step: &Step, remove: &Remove, attempt: Attempt, there: &ObservedContainer) {
    let secrets = &stage.effects.secrets;
    let log = stage.effects.engine.container_log(&there.id, LOG_MAX);
    let log = match within(&*stage.effects.clock, LOG_WAIT, log).await {
        Some(Ok(log)) => log,
        Some(Err(error)) => format!("({error})"),
        None => format!("(the log did not come within {LOG_WAIT})"),
    };
    let error = stage.trouble(attempt.item).unwrap_or_else(|| format!("removed: {}", step.cause));
    let mut inspect = serde_json::to_value(there).unwrap_or_default();
    mask(&mut inspect, &|text| secrets.mask(text));
    let create = stage.create_of(&remove.container);
    if let Some(asked) = create.and_then(|create| serde_json::to_value(&create.spec).ok()) {
        hide(&mut inspect["spec"], &asked);
    }
    let evidence = Evidence {
        at: stage.now(),
        service: stage
            .create_of(&remove.container)
            .map(|create| create.service.clone())
            .or_else(|| there.service())
            .unwrap_or_else(|| ServiceName::new(there.name.as_str())),
        container: there.id.clone(),
        name: there.name.clone(),
        error: secrets.mask(&error),
        log: secrets.mask(&log),
        answers: stage.answers(&there.id),
        inspect,
    };
    if let Err(error) = stage.effects.journal.keep_evidence(&evidence) {
        let text = format!("the log of {} is not kept: {error}", there.name);
        stage.tell(EventKind::Warning, Severity::Warning, Some(attempt.item), text).await;
    }
}

/// Hides what a plan may not show either, however short: where a commitment was asked for.
fn hide(tree: &mut serde_json::Value, asked: &serde_json::Value) {
    use serde_json::Value as Json;
    match (tree, asked) {
        (Json::String(text), Json::String(asked)) if asked.starts_with(COMMITTED) => *text = "***".into(),
        (Json::Array(items), Json::Array(asked)) => {
            items.iter_mut().zip(asked).for_each(|(one, asked)| hide(one, asked))
        }
        (Json::Object(entries), Json::Object(asked)) => {
            for (name, entry) in entries {
                asked.get(name).into_iter().for_each(|asked| hide(entry, asked));
            }
        }
        _ => {}
    }
}

fn mask(tree: &mut serde_json::Value, with: &dyn Fn(&str) -> String) {
    match tree {
        serde_json::Value::String(text) => *text = with(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| mask(item, with)),
        serde_json::Value::Object(entries) => entries.values_mut().for_each(|value| mask(value, with)),
        _ => {}
    }
}

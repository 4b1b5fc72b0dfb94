//! Start, stop, rename and connect: one call each, on a container that must still be there.

use super::{
    super::stage::{Stage, StepError, failed, found},
    Attempt,
};
use crate::{
    engine::{EngineError, ErrorKind},
    model::{
        names::ContainerId,
        observed::{ObservedContainer, Status},
        step::{Connect, ContainerRef, Rename, Stop},
    },
};

/// The container to act on; `None` when an undo finds that it was never made, so that there is nothing to do.
pub(super) async fn target(
    stage: &Stage<'_>,
    container: &ContainerRef,
    attempt: Attempt,
) -> Result<Option<ContainerId>, StepError> {
    match stage.id_of(container).await? {
        Some(id) => Ok(Some(id)),
        None if attempt.is_undo() => Ok(None),
        None => Err(stage.gone(container)),
    }
}

/// What became of a call on a container that may have gone meanwhile.
pub(super) fn done(
    stage: &Stage<'_>,
    container: &ContainerRef,
    result: Result<(), EngineError>,
) -> Result<(), StepError> {
    match result {
        Err(error) if error.kind == ErrorKind::NotFound => Err(stage.gone(container)),
        result => Ok(result?),
    }
}

async fn inspect(
    stage: &Stage<'_>,
    container: &ContainerRef,
    id: &ContainerId,
) -> Result<ObservedContainer, StepError> {
    let there = found(stage.effects.engine.inspect_container(id.as_str()).await)?;
    there.ok_or_else(|| stage.gone(container))
}

/// Starts a container, unless the one whose place it takes runs.
pub(super) async fn start(
    stage: &Stage<'_>,
    container: &ContainerRef,
    instead_of: Option<&ContainerRef>,
    attempt: Attempt,
) -> Result<(), StepError> {
    let Some(id) = target(stage, container, attempt).await? else { return Ok(()) };
    if let Some(old) = instead_of {
        does_not_run(stage, old, attempt).await?;
    }
    if attempt.doubt {
        let state = inspect(stage, container, &id).await?.state;
        // A new container that has ended already was started; to start it again would run a one-shot twice.
        let ran = matches!(container, ContainerRef::Made { .. }) && state.started_at.is_some();
        if ran || matches!(state.status, Status::Running | Status::Restarting) {
            return Ok(());
        }
    }
    done(stage, container, stage.effects.engine.start_container(&id).await)
}

/// Fails where a container runs in whose place another one is about to be started: somebody started the old one again, or
/// the new one could not be removed. One that is gone is no trouble here.
async fn does_not_run(stage: &Stage<'_>, other: &ContainerRef, attempt: Attempt) -> Result<(), StepError> {
    let Some(id) = stage.id_of(other).await? else { return Ok(()) };
    let there = found(stage.effects.engine.inspect_container(id.as_str()).await)?;
    let Some(there) =
        there.filter(|there| matches!(there.state.status, Status::Running | Status::Restarting | Status::Paused))
    else {
        return Ok(());
    };
    let (name, id) = (&there.name, id.short());
    Err(failed(match attempt.is_undo() {
        true => format!("the container `{name}` ({id}) still runs, and the old one must not run beside it"),
        false => format!(
            "changed by somebody else: the container `{name}` ({id}) was started again, and must not run beside the new one"
        ),
    }))
}

/// Lets a frozen container go on.
pub(super) async fn unpause(stage: &Stage<'_>, container: &ContainerRef, attempt: Attempt) -> Result<(), StepError> {
    let Some(id) = target(stage, container, attempt).await? else { return Ok(()) };
    if attempt.doubt && inspect(stage, container, &id).await?.state.status != Status::Paused {
        return Ok(());
    }
    done(stage, container, stage.effects.engine.unpause_container(&id).await)
}

/// Stops a container.
pub(super) async fn stop(stage: &Stage<'_>, stop: &Stop, attempt: Attempt) -> Result<(), StepError> {
    let Some(id) = target(stage, &stop.container, attempt).await? else { return Ok(()) };
    if attempt.doubt {
        let state = inspect(stage, &stop.container, &id).await?.state;
        if matches!(state.status, Status::Created | Status::Exited | Status::Dead) {
            stage.stopped(&id);
            return Ok(());
        }
    }
    match stage.effects.engine.stop_container(&id, stop.grace).await {
        // What is taken back may be gone already.
        Err(error) if attempt.is_undo() && error.kind == ErrorKind::NotFound => return Ok(()),
        stopped => done(stage, &stop.container, stopped)?,
    }
    stage.stopped(&id);
    Ok(())
}

/// Gives a container another name.
pub(super) async fn rename(stage: &Stage<'_>, rename: &Rename, attempt: Attempt) -> Result<(), StepError> {
    let Some(id) = target(stage, &rename.container, attempt).await? else { return Ok(()) };
    let engine = &stage.effects.engine;
    if attempt.doubt && inspect(stage, &rename.container, &id).await?.name == rename.to {
        return Ok(());
    }
    let result = engine.rename_container(&id, &rename.to).await;
    if let Err(error) = &result
        && matches!(error.kind, ErrorKind::Conflict | ErrorKind::Rejected)
        && let Some(holder) = found(engine.inspect_container(rename.to.as_str()).await)?
    {
        if holder.id == id {
            return Ok(());
        }
        let (to, holder) = (&rename.to, holder.id.short().to_owned());
        return Err(failed(format!("changed by somebody else: the name `{to}` is taken by the container {holder}")));
    }
    done(stage, &rename.container, result)
}

/// Connects a container to one more network.
pub(super) async fn connect(stage: &Stage<'_>, connect: &Connect, attempt: Attempt) -> Result<(), StepError> {
    let Some(id) = target(stage, &connect.container, attempt).await? else { return Ok(()) };
    if attempt.doubt && is_on(&inspect(stage, &connect.container, &id).await?, connect) {
        return Ok(());
    }
    let result = stage.effects.engine.connect(&id, &connect.network, &connect.attachment).await;
    match result {
        // The engine says `not found` of the network and of the container alike.
        Err(error) if error.kind == ErrorKind::NotFound => {
            inspect(stage, &connect.container, &id).await?;
            Err(error.into())
        }
        Err(error) if matches!(error.kind, ErrorKind::Rejected | ErrorKind::Conflict) => {
            let there = inspect(stage, &connect.container, &id).await?;
            if is_on(&there, connect) { Ok(()) } else { Err(error.into()) }
        }
        result => Ok(result?),
    }
}

/// Whether it is on the network, under every name that it should have there.
fn is_on(there: &ObservedContainer, connect: &Connect) -> bool {
    let attached = there.spec.networks.get(&connect.network);
    attached.is_some_and(|attached| connect.attachment.aliases.is_subset(&attached.aliases))
}

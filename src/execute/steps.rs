//! What each kind of step does, and when a call is tried again. A call whose reply was lost is never repeated blindly:
//! the attempt after it first looks whether it was done.

mod container;
mod create;
mod inside;
mod network;
mod pull;
mod remove;
mod update;
mod volume;

use super::{
    progress::{Failure, Item},
    stage::{ENGINE_ABSENT_MAX, ENGINE_RETRY, Stage, StepError, failed},
    tell, wait,
};
use crate::{
    engine::{EngineError, ErrorKind, Sent, clock::within},
    model::{
        event::{EventKind, Severity},
        step::{Does, Step},
        units::Millis,
    },
};

/// A call whose reply is lost is made at most once more.
const LOST_REPLIES_MAX: u32 = 2;
/// An engine that goes away during one step is waited for so often.
const ABSENCES_MAX: u32 = 3;
/// What a gate may take beyond its deadline to fetch the last log lines.
const AFTER_DEADLINE: Millis = Millis::seconds(10);

/// One attempt at a step.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    pub item: Item,
    /// The one before may have been done: look first.
    pub doubt: bool,
    /// How much of the deadline is left.
    pub left: Millis,
}

impl Attempt {
    /// Whether it takes something back: then what is already gone is no fault.
    pub fn is_undo(self) -> bool {
        matches!(self.item, Item::Undo { .. })
    }
}

/// Runs a step to its end, within its deadline; the time that the engine was away does not count. What may fail is done
/// then all the same, and told.
pub(super) async fn perform(stage: &Stage<'_>, item: Item, step: &Step) -> Result<(), StepError> {
    let performed = carry_out(stage, item, step).await;
    let may_fail = matches!(&step.does, Does::Exec(exec) if exec.may_fail);
    match performed {
        Err(error) if may_fail && !matches!(error, StepError::EngineLost(_)) => {
            let text = format!("{}: {}", tell::title(stage, step), failure(stage, &error).error);
            stage.tell(EventKind::Warning, Severity::Warning, Some(item), text).await;
            Ok(())
        }
        performed => performed,
    }
}

async fn carry_out(stage: &Stage<'_>, item: Item, step: &Step) -> Result<(), StepError> {
    let (mut spent, mut doubt, mut lost, mut absences) = (Millis(0), false, 0, 0);
    let mut refusing = None;
    loop {
        let began = stage.now();
        let left = Millis(step.deadline.0.saturating_sub(spent.0));
        let limit = if matches!(step.does, Does::Gate(_)) { Millis(left.0 + AFTER_DEADLINE.0) } else { left };
        let attempted = within(&*stage.effects.clock, limit, attempt(stage, step, Attempt { item, doubt, left })).await;
        spent = Millis(spent.0 + stage.now().since(began).0);
        let error = match attempted {
            None => return Err(failed(format!("it was not done within {}", step.deadline))),
            Some(Err(StepError::Engine(error))) => error,
            Some(result) => return result,
        };
        match (error.kind, error.sent) {
            (ErrorKind::Unreachable, _) if absences < ABSENCES_MAX => {
                if stage.engine_back().await? {
                    (absences, refusing) = (absences + 1, None);
                } else {
                    // It answers over the connections that it has and takes no new one: it is about to end.
                    let since = *refusing.get_or_insert_with(|| stage.now());
                    if stage.now().since(since) >= ENGINE_ABSENT_MAX {
                        let text = format!("the engine took no call within {ENGINE_ABSENT_MAX}: {}", error.message);
                        return Err(StepError::EngineLost(text));
                    }
                    stage.effects.clock.sleep(ENGINE_RETRY).await;
                }
            }
            (ErrorKind::TimedOut | ErrorKind::Protocol, Sent::MaybeSent) if lost < LOST_REPLIES_MAX => lost += 1,
            _ => return Err(StepError::Engine(named(stage, &step.does, error))),
        }
        doubt = true;
    }
}

/// The error with the container's name, which says more to people than the id that the call was made with.
fn named(stage: &Stage<'_>, does: &Does, error: EngineError) -> EngineError {
    let container = match does {
        Does::Connect(connect) => &connect.container,
        Does::Start { container, .. } | Does::Unpause { container } => container,
        Does::Put(put) => &put.container,
        Does::Exec(exec) => &exec.container,
        Does::Stop(stop) => &stop.container,
        Does::Remove(remove) => &remove.container,
        Does::Rename(rename) => &rename.container,
        Does::Update(update) => &update.container,
        _ => return error,
    };
    EngineError { target: stage.name_of(container).to_string(), ..error }
}

/// The failure as the outcome, the events and the records say it, without sensitive values.
pub(super) fn failure(stage: &Stage<'_>, error: &StepError) -> Failure {
    let failure = match error {
        StepError::Failed(failure) => failure.clone(),
        StepError::Engine(error) => Failure { error: sentence(error), by_deadline: false },
        StepError::EngineLost(error) => Failure { error: error.clone(), by_deadline: false },
    };
    Failure { error: stage.effects.secrets.mask(&failure.error), ..failure }
}

/// The engine's own words, and what to do where they do not say it.
fn sentence(error: &EngineError) -> String {
    let hint = match &error.message {
        text if text.contains("port is already allocated") || text.contains("address already in use") => {
            "; find who has the port with `ss -ltnp`, or publish another one".to_owned()
        }
        text if text.contains("no space left on device") => {
            "; free some space, `docker system df` shows what uses it".to_owned()
        }
        text if text.contains("has active endpoints") => format!(
            "; `docker network inspect {}` shows who is on it; where that is nobody, the engine has miscounted, which a \
             restart of the engine mends",
            error.target
        ),
        _ => String::new(),
    };
    format!("{error}{hint}")
}

async fn attempt(stage: &Stage<'_>, step: &Step, attempt: Attempt) -> Result<(), StepError> {
    match &step.does {
        Does::Pull(pull) => pull::pull(stage, attempt.item, pull).await,
        Does::CreateNetwork(network) => network::create(stage, step, network).await,
        Does::RemoveNetwork(name) => network::remove(stage, name).await,
        Does::CreateVolume(volume) => volume::create(stage, step, volume).await,
        Does::RemoveVolume(name) => volume::remove(stage, name).await,
        Does::Create(create) => create::create(stage, step, create, attempt).await,
        Does::Connect(connect) => container::connect(stage, connect, attempt).await,
        Does::Start { container, instead_of } => container::start(stage, container, instead_of.as_ref(), attempt).await,
        Does::Unpause { container } => container::unpause(stage, container, attempt).await,
        Does::Put(put) => inside::put(stage, put, attempt).await,
        Does::Exec(exec) => inside::exec(stage, exec, attempt).await,
        Does::Gate(gate) => wait::wait(stage, gate, attempt).await,
        Does::Drain { wait } => {
            stage.effects.clock.sleep(*wait).await;
            Ok(())
        }
        Does::Stop(stop) => container::stop(stage, stop, attempt).await,
        Does::Remove(remove) => remove::remove(stage, step, remove, attempt).await,
        Does::Rename(rename) => container::rename(stage, rename, attempt).await,
        Does::Update(update) => update::update(stage, update, attempt).await,
    }
}

//! Waiting at a gate: asks the engine and the probes as the gate's clock says, until it has passed or failed. What that
//! means is `gate`; here are only the calls.

use super::{
    gate::{GateState, Verdict, Which},
    progress::{Failure, Item},
    stage::{Stage, StepError, failed, found},
    steps::Attempt,
};
use crate::{
    engine::{ErrorKind, clock::within},
    model::{
        event::{EventKind, Severity},
        names::ContainerId,
        observed::ObservedContainer,
        policy::{Probe, ProbeKind},
        step::{ContainerRef, Gate, Proof},
        units::Millis,
    },
    probe::Answer,
};
use futures::future::{Fuse, FusedFuture, FutureExt};
use std::{future::Future, pin::pin};

/// So much of the log is asked for, and so many of its last lines are shown, when a gate fails.
const LOG_MAX: usize = 16 << 10;
const LOG_LINES: usize = 10;
const LOG_WAIT: Millis = Millis::seconds(5);

/// Waits until the container is proven.
pub(super) async fn wait(stage: &Stage<'_>, gate: &Gate, attempt: Attempt) -> Result<(), StepError> {
    let Some(id) = stage.id_of(&gate.container).await? else {
        return if attempt.is_undo() { Ok(()) } else { Err(stage.gone(&gate.container)) };
    };
    let gate = revealed(stage, gate)?;
    // After the engine was away a container counts its restarts anew.
    let restarts = (matches!(gate.container, ContainerRef::Made { .. }) && !attempt.doubt).then_some(0);
    let mut state = GateState::new(&gate, stage.now(), attempt.left, restarts);
    match observe(stage, &gate, &mut state, &id, attempt).await? {
        Verdict::Passed => {
            if matches!(gate.proof, Proof::Completed {})
                && let Err(error) = stage.effects.journal.completed(&gate.service)
            {
                let text = format!("not on record: {error}");
                stage.tell(EventKind::Warning, Severity::Warning, Some(attempt.item), text).await;
            }
            Ok(())
        }
        Verdict::Failed { reason, by_deadline } => {
            let name = stage.name_of(&gate.container);
            let error = format!("{name} {reason}{}", last_words(stage, &id, &reason).await);
            Err(StepError::Failed(Failure { error, by_deadline }))
        }
        Verdict::Pending => Err(failed("the gate ended without a verdict")),
    }
}

/// Asks until the verdict is there.
async fn observe<'g>(
    stage: &Stage<'_>,
    gate: &'g Gate,
    state: &mut GateState<'g>,
    id: &ContainerId,
    attempt: Attempt,
) -> Result<Verdict, StepError> {
    let (clock, end) = (&*stage.effects.clock, stage.now().plus(attempt.left));
    let mut asking = pin!(Fuse::terminated());
    let mut told: Option<Answer> = None;
    loop {
        let left = end.since(stage.now());
        let there = match within(clock, left, stage.effects.engine.inspect_container(id.as_str())).await {
            None => return Ok(state.verdict(stage.now().max(end))),
            Some(Err(error)) if matches!(error.kind, ErrorKind::TimedOut | ErrorKind::Protocol) => None,
            Some(result) => Some(found(result)?.ok_or_else(|| stage.gone(&gate.container))?),
        };
        if let Some(there) = &there {
            state.observed(stage.now(), &there.state);
        }
        match state.verdict(stage.now()) {
            Verdict::Pending => {}
            verdict => return Ok(verdict),
        }
        if let Some(there) = there
            && let Some((which, probe)) = state.ask(stage.now())
        {
            asking.set(ask(stage, which, probe, there).fuse());
        }
        // Where the engine's answer made no sense nothing was observed, and the wait would be none.
        let wait = state.wait(stage.now()).max(Millis(1));
        tokio::select! {
            biased;
            (which, answer) = &mut asking, if !asking.is_terminated() => {
                let answer = Answer { ok: answer.ok, text: stage.effects.secrets.mask(&answer.text) };
                state.answered(stage.now(), which, &answer);
                stage.answered(id, format!("{} {}", stage.now(), answer.text));
                tell(stage, attempt.item, &answer, &mut told).await;
            }
            () = clock.sleep(wait) => {}
        }
    }
}

/// One attempt. The prober keeps the probe's timeout; one that does not is not waited for.
fn ask<'s>(
    stage: &'s Stage<'_>,
    which: Which,
    probe: &'s Probe,
    there: ObservedContainer,
) -> impl Future<Output = (Which, Answer)> + use<'s> {
    let (prober, clock, timeout) = (&stage.effects.prober, &*stage.effects.clock, probe.timeout);
    async move {
        let patience = Millis(timeout.0.saturating_add(1000));
        let answer = within(clock, patience, prober.attempt(probe, &there)).await;
        (which, answer.unwrap_or_else(|| Answer { ok: false, text: format!("no answer within {timeout}") }))
    }
}

/// Tells an answer when it is another than the one before.
async fn tell(stage: &Stage<'_>, item: Item, answer: &Answer, told: &mut Option<Answer>) {
    let same =
        |before: &Answer| before.ok == answer.ok && (answer.ok || timeless(&before.text) == timeless(&answer.text));
    if told.as_ref().is_some_and(same) {
        return;
    }
    *told = Some(answer.clone());
    let mut event = stage.event(EventKind::StepProgress, Severity::Debug, Some(item), answer.text.clone());
    event.data.insert("ok".into(), answer.ok.into());
    stage.send(event).await;
}

/// An answer without the time that it took: `503 Service Unavailable`.
fn timeless(answer: &str) -> &str {
    answer.strip_suffix(" ms").and_then(|text| text.rsplit_once(" in ")).map_or(answer, |(text, _)| text)
}

/// The last answer, unless the reason says it, and the end of the log.
async fn last_words(stage: &Stage<'_>, id: &ContainerId, reason: &str) -> String {
    let mut words = String::new();
    let last = stage.answers(id).pop();
    // An answer is kept after the time it came at.
    if let Some((_, answer)) = last.as_deref().and_then(|last| last.split_once(' '))
        && !reason.contains(answer)
    {
        words.push_str(&format!("; last answer: {answer}"));
    }
    let log = within(&*stage.effects.clock, LOG_WAIT, stage.effects.engine.container_log(id, LOG_MAX)).await;
    let log = log.and_then(Result::ok).unwrap_or_default();
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LOG_LINES)..];
    if !last.is_empty() {
        words.push_str("\nlast log lines:");
        last.iter().for_each(|line| words.push_str(&format!("\n  {}", line.trim_end())));
    }
    words
}

/// The gate with the texts of its probes.
fn revealed(stage: &Stage<'_>, gate: &Gate) -> Result<Gate, StepError> {
    let mut gate = gate.clone();
    if let Proof::Ready { startup, readiness, .. } = &mut gate.proof {
        for probe in [startup, readiness].into_iter().flatten() {
            let values: Vec<_> = match &mut probe.attempt {
                ProbeKind::Http(http) => http.headers.values_mut().collect(),
                ProbeKind::Exec(exec) => exec.command.iter_mut().collect(),
                ProbeKind::Tcp(_) | ProbeKind::Docker {} => Vec::new(),
            };
            for value in values {
                *value =
                    stage.effects.secrets.reveal(value).ok_or_else(|| {
                        failed(format!("a sensitive value of a probe of `{}` is unknown", gate.service))
                    })?;
            }
        }
    }
    Ok(gate)
}

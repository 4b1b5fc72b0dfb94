//! The clock of a gate: what was seen of a container and what its probes answered, folded into pending, passed or
//! failed. Pure: time is told to it, and it says until when to wait and which probe to try. It must not call anything.

use crate::{
    model::{
        observed::{ContainerState, Health, Status},
        policy::{Probe, ProbeKind},
        step::{Gate, Proof},
        units::{Millis, Timestamp},
    },
    probe::Answer,
};

/// The first wait between two attempts at a container that is not ready; doubled until it is the probe's period.
const RETRY: Millis = Millis(50);
/// The same for a command in the container: each one is a process there.
const RETRY_EXEC: Millis = Millis(250);
/// No period is shorter, whatever the manifest says.
const PERIOD_MIN: Millis = Millis(10);
/// The engine is asked at first and at most this often …
const POLL_FIRST: Millis = Millis(50);
/// … and later at least this often.
const POLL_LAST: Millis = Millis(250);

/// What a gate has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pending,
    Passed,
    Failed {
        /// What is wrong with the container, to stand after its name: `exited with 1`.
        reason: String,
        /// Whether only the time is over.
        by_deadline: bool,
    },
}

/// Which probe to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Startup,
    Readiness,
}

/// See the head of the file.
#[derive(Debug)]
pub struct GateState<'g> {
    gate: &'g Gate,
    began: Timestamp,
    deadline: Millis,
    /// The restart count that is no crash.
    restarts: Option<u32>,
    seen: Option<(Timestamp, ContainerState)>,
    started_up: bool,
    successes: u32,
    failures: u32,
    /// When a failure was counted last: attempts that are made faster than the period do not count twice.
    counted: Option<Timestamp>,
    probe_ready: bool,
    ready_since: Option<Timestamp>,
    asked: Option<Timestamp>,
    asking: bool,
    /// The answer that is awaited is of a container that has been started again since.
    stale: bool,
    next_attempt: Timestamp,
    retry: Millis,
    last_answer: Option<String>,
    crashed: Option<String>,
    completed: bool,
}

impl<'g> GateState<'g> {
    /// Takes when the gate began and how long it may take; and the restart count the container had before, which is 0
    /// for a new one (`None`: the one that is seen first).
    pub fn new(gate: &'g Gate, began: Timestamp, deadline: Millis, restarts: Option<u32>) -> GateState<'g> {
        GateState {
            gate,
            began,
            deadline,
            restarts,
            seen: None,
            started_up: matches!(&gate.proof, Proof::Ready { startup: None, .. }),
            successes: 0,
            failures: 0,
            counted: None,
            probe_ready: matches!(&gate.proof, Proof::Ready { readiness: None, .. }),
            ready_since: None,
            asked: None,
            asking: false,
            stale: false,
            next_attempt: began,
            retry: RETRY,
            last_answer: None,
            crashed: None,
            completed: false,
        }
    }

    /// The engine said so of the container.
    pub fn observed(&mut self, now: Timestamp, state: &ContainerState) {
        let baseline = *self.restarts.get_or_insert(state.restart_count);
        let before = self.seen.replace((now, state.clone()));
        if before.is_some_and(|(_, before)| before.started_at.is_some() && before.started_at != state.started_at) {
            self.begin_anew(now);
        }
        if self.crashed.is_none() {
            self.crashed = crash(state, baseline);
        }
        match self.gate.proof {
            Proof::Completed {} => self.completed |= state.status == Status::Exited && state.exit_code == 0,
            Proof::Ready { .. } if state.status == Status::Exited && self.crashed.is_none() => {
                self.crashed = Some("exited with 0".to_owned());
            }
            Proof::Ready { .. } => self.judge(now),
        }
    }

    /// The probe to try now, if one is due. It counts as being tried until `answered`.
    pub fn ask(&mut self, now: Timestamp) -> Option<(Which, &'g Probe)> {
        let (which, probe) = self.probe()?;
        let due = !self.asking && now >= self.next_attempt && self.runs();
        due.then(|| {
            self.asking = true;
            self.asked = Some(now);
            (which, probe)
        })
    }

    /// A probe answered.
    pub fn answered(&mut self, now: Timestamp, which: Which, answer: &Answer) {
        let Some((due, probe)) = self.probe() else { return };
        self.asking = false;
        self.last_answer = Some(answer.text.clone());
        if !std::mem::take(&mut self.stale) && due == which {
            let period = probe.period.max(PERIOD_MIN);
            match (which, answer.ok) {
                (Which::Startup, true) => self.started_up = true,
                (Which::Startup, false) => {}
                (Which::Readiness, true) => self.succeeded(probe),
                (Which::Readiness, false) => self.failed(now, probe, period),
            }
            self.schedule(now, probe, period, which, answer.ok);
        }
        self.judge(now);
    }

    /// What it has come to. Never pending from the deadline on.
    pub fn verdict(&self, now: Timestamp) -> Verdict {
        if let Some(reason) = &self.crashed {
            return Verdict::Failed { reason: reason.clone(), by_deadline: false };
        }
        let end = self.began.plus(self.deadline);
        let proven = self.ready_since.map(|since| since.plus(self.gate.min_ready));
        let seen = self.seen.as_ref().map(|(at, _)| *at);
        if self.completed || proven.is_some_and(|proven| proven <= end && seen.is_some_and(|seen| seen >= proven)) {
            return Verdict::Passed;
        }
        if now >= end {
            return Verdict::Failed { reason: self.missing(now), by_deadline: true };
        }
        Verdict::Pending
    }

    /// How long to wait before the engine is asked again; an answer of a probe comes in between.
    pub fn wait(&self, now: Timestamp) -> Millis {
        let seen = self.seen.as_ref().map_or(self.began, |(at, _)| *at);
        let mut next = seen.plus(self.poll(now)).min(self.began.plus(self.deadline));
        if let Some(since) = self.ready_since {
            next = next.min(since.plus(self.gate.min_ready));
        }
        if !self.asking && self.runs() && self.probe().is_some() {
            next = next.min(self.next_attempt);
        }
        next.since(now)
    }

    /// Which probe it is at: the startup probe until its first success.
    fn probe(&self) -> Option<(Which, &'g Probe)> {
        match &self.gate.proof {
            Proof::Ready { startup: Some(probe), .. } if !self.started_up => Some((Which::Startup, probe)),
            Proof::Ready { readiness: Some(probe), .. } => Some((Which::Readiness, probe)),
            _ => None,
        }
    }

    fn runs(&self) -> bool {
        self.seen.as_ref().is_some_and(|(_, state)| state.status == Status::Running)
    }

    fn succeeded(&mut self, probe: &Probe) {
        self.failures = 0;
        self.successes = self.successes.saturating_add(1);
        self.probe_ready |= self.successes >= probe.successes;
    }

    fn failed(&mut self, now: Timestamp, probe: &Probe, period: Millis) {
        self.successes = 0;
        let paced = self.counted.is_none_or(|counted| now >= counted.plus(period));
        if self.failures == 0 || paced {
            self.failures = self.failures.saturating_add(1);
            self.counted = Some(now);
        }
        self.probe_ready &= self.failures < probe.failures.max(1);
    }

    /// Attempts at what is not ready yet come quickly at first, so that a gate ends soon after its container is up.
    fn schedule(&mut self, now: Timestamp, probe: &Probe, period: Millis, which: Which, ok: bool) {
        if ok {
            self.retry = RETRY;
        }
        if which == Which::Startup && ok {
            self.next_attempt = now;
        } else if ok || self.probe_ready && which == Which::Readiness {
            self.next_attempt = self.asked.unwrap_or(now).plus(period).max(now);
        } else {
            let first = if matches!(probe.attempt, ProbeKind::Exec(_)) { RETRY_EXEC } else { RETRY };
            self.next_attempt = now.plus(self.retry.max(first).min(period));
            self.retry = Millis(self.retry.max(first).0.saturating_mul(2)).min(Millis::minutes(1));
        }
    }

    /// The container was started again by someone: nothing that was seen before proves it.
    fn begin_anew(&mut self, now: Timestamp) {
        self.started_up = matches!(&self.gate.proof, Proof::Ready { startup: None, .. });
        self.probe_ready = matches!(&self.gate.proof, Proof::Ready { readiness: None, .. });
        (self.successes, self.failures) = (0, 0);
        self.ready_since = None;
        self.stale = self.asking;
        self.next_attempt = now;
        self.retry = RETRY;
    }

    fn judge(&mut self, now: Timestamp) {
        let healthy = match (&self.gate.proof, self.seen.as_ref().map(|(_, state)| state.health)) {
            (_, None | Some(Health::Unhealthy)) => false,
            (Proof::Ready { docker: true, .. }, Some(health)) => health == Health::Healthy,
            _ => true,
        };
        if self.runs() && self.started_up && self.probe_ready && healthy {
            self.ready_since.get_or_insert(now);
        } else {
            self.ready_since = None;
        }
    }

    fn poll(&self, now: Timestamp) -> Millis {
        let period = self.probe().map_or(POLL_LAST, |(_, probe)| probe.period.max(PERIOD_MIN));
        Millis(now.since(self.began).0 / 20).max(POLL_FIRST).min(POLL_LAST).min(period)
    }

    /// What was still missing when the time was over.
    fn missing(&self, now: Timestamp) -> String {
        let span = self.deadline;
        if matches!(self.gate.proof, Proof::Completed {}) {
            return format!("had not exited within {span}");
        }
        let Some((_, state)) = &self.seen else { return format!("could not be inspected within {span}") };
        let why = match (self.ready_since, state.status, state.health) {
            (Some(since), ..) => format!("ready for {} of {}", now.since(since), self.gate.min_ready),
            (None, Status::Running, Health::Starting) if self.started_up && self.probe_ready => {
                "its health check has not answered yet".to_owned()
            }
            (None, Status::Running, Health::Unhealthy) => "Docker says unhealthy".to_owned(),
            (None, Status::Running, _) => match &self.last_answer {
                Some(answer) => format!("last answer: {answer}"),
                None => "it was never ready".to_owned(),
            },
            (None, status, _) => format!("it is {status}"),
        };
        format!("was not ready within {span}: {why}")
    }
}

/// What fails a gate at once, whatever it waits for.
fn crash(state: &ContainerState, restarts: u32) -> Option<String> {
    let memory = if state.oom_killed { ", out of memory" } else { "" };
    match state.status {
        Status::Restarting => Some(format!("exited with {}{memory} and is restarting", state.exit_code)),
        _ if state.restart_count > restarts => {
            let times = state.restart_count - restarts;
            Some(format!("crashed{memory} and was restarted {times} {}", if times == 1 { "time" } else { "times" }))
        }
        Status::Dead => Some("is dead".to_owned()),
        Status::Removing => Some("is being removed: changed by somebody else".to_owned()),
        Status::Exited if state.exit_code != 0 || state.oom_killed => {
            Some(format!("exited with {}{memory}", state.exit_code))
        }
        Status::Created if !state.error.is_empty() => Some(format!("could not start: {}", state.error)),
        Status::Created | Status::Running | Status::Paused | Status::Exited => None,
    }
}

#[cfg(test)]
mod tests;

//! What is going on, learnt from events alone: rollouts, their steps, and how long each took. Pure; drawing is `live`.
//!
//! An event that comes twice, late, or without those that should come before it changes nothing that was said already.

use crate::cli::render::{
    events::{progress_text, words},
    outcome::{done_line, failed_line},
    quantities::took,
    style::{Text, Tone},
};
use crate::model::{
    event::{Event, EventKind},
    names::StepId,
    units::{Millis, Timestamp},
};

/// The rollouts seen, in the order in which they were.
#[derive(Clone, Debug, Default)]
pub struct Board(Vec<Lane>);

/// One rollout of one round.
#[derive(Clone, Debug)]
struct Lane {
    key: LaneKey,
    began: Timestamp,
    ended: bool,
    steps: Vec<StepSeen>,
}

/// The plan and the rollout; absent for steps of no rollout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LaneKey {
    pub round: Option<String>,
    pub rollout: Option<String>,
}

#[derive(Clone, Debug)]
struct StepSeen {
    id: StepId,
    began: Timestamp,
    took: Option<Millis>,
}

/// What to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A rollout goes on.
    Lane { lane: LaneKey, text: Text },
    /// A step goes on, or says something.
    Running { lane: LaneKey, step: StepId, text: Text },
    /// A step ended.
    Ended { lane: LaneKey, step: StepId, text: Text },
    /// A rollout is over: what is drawn of it goes.
    Close { lane: LaneKey },
    /// A line that stays.
    Line(Text),
}

impl Board {
    /// What an event changes in the picture.
    pub fn take(&mut self, event: &Event) -> Vec<Shown> {
        match event.kind {
            EventKind::RolloutStarted => self.lane_began(event),
            EventKind::StepStarted | EventKind::StepProgress => self.step_goes_on(event),
            EventKind::StepDone | EventKind::StepFailed => self.step_ended(event),
            EventKind::RolloutDone => self.lane_done(event),
            // That it failed was said, and what became of it is said at the end.
            EventKind::RolloutUndone => vec![self.close(event)],
            EventKind::RolloutUnproven | EventKind::UndoFailed => {
                vec![self.close(event), Shown::Line(subject_line(event))]
            }
            EventKind::RolloutFailed => vec![Shown::Line(subject_line(event))],
            // What an apply came to is said at its end, with more than this.
            EventKind::ApplyEnded => Vec::new(),
            EventKind::ApplyStarted
            | EventKind::BuildStarted
            | EventKind::BuildProgress
            | EventKind::BuildDone
            | EventKind::BuildFailed
            | EventKind::RevisionMade
            | EventKind::DriftFound
            | EventKind::Adopted
            | EventKind::LockWaiting
            | EventKind::EngineLost
            | EventKind::EngineBack
            | EventKind::KeepStarted
            | EventKind::KeepEnded
            | EventKind::LivenessFailed
            | EventKind::BudgetSpent
            | EventKind::Suspended
            | EventKind::Resumed
            | EventKind::ManifestRefused
            | EventKind::HomeLost
            | EventKind::RoundStuck
            | EventKind::Warning => vec![Shown::Line(progress_text(event))],
        }
    }

    fn lane(&mut self, event: &Event) -> &mut Lane {
        let key = LaneKey { round: event.round.clone(), rollout: event.rollout.clone() };
        let index = self.0.iter().position(|lane| lane.key == key).unwrap_or_else(|| {
            self.0.push(Lane { key, began: event.time, ended: false, steps: Vec::new() });
            self.0.len() - 1
        });
        &mut self.0[index]
    }

    fn close(&mut self, event: &Event) -> Shown {
        let lane = self.lane(event);
        lane.ended = true;
        Shown::Close { lane: lane.key.clone() }
    }

    fn lane_began(&mut self, event: &Event) -> Vec<Shown> {
        let lane = self.lane(event);
        lane.began = lane.began.min(event.time);
        if lane.ended {
            return Vec::new();
        }
        let name = event.rollout.clone().unwrap_or_else(|| "steps".to_owned());
        vec![Shown::Lane { lane: lane.key.clone(), text: Text::toned(Tone::Strong, name).space(2).plain(words(event)) }]
    }

    fn step_goes_on(&mut self, event: &Event) -> Vec<Shown> {
        let Some(step) = event.step.clone() else { return Vec::new() };
        let lane = self.lane(event);
        let seen = lane.step(&step, event.time);
        // What is late must not make a finished step turn again.
        if seen.took.is_some() || lane.ended {
            return Vec::new();
        }
        let text = Text::from(step.as_str()).space(2).and(Tone::Quiet, &event.text);
        vec![Shown::Running { lane: lane.key.clone(), step, text }]
    }

    fn step_ended(&mut self, event: &Event) -> Vec<Shown> {
        let Some(step) = event.step.clone() else { return Vec::new() };
        let lane = self.lane(event);
        let seen = lane.step(&step, event.time);
        if seen.took.is_some() {
            return Vec::new();
        }
        let span = event.time.since(seen.began);
        seen.took = Some(span);
        if lane.ended {
            return Vec::new();
        }
        let failed = event.kind == EventKind::StepFailed;
        let mark = if failed { Text::toned(Tone::Bad, "✗") } else { Text::toned(Tone::Good, "✓") };
        let text = mark.space(1).plain(step.as_str()).space(2).and(Tone::Quiet, took(span));
        let text = if failed { text.space(2).plain(&event.text) } else { text };
        vec![Shown::Ended { lane: lane.key.clone(), step, text }]
    }

    fn lane_done(&mut self, event: &Event) -> Vec<Shown> {
        let lane = self.lane(event);
        if lane.ended {
            return Vec::new();
        }
        lane.ended = true;
        let name = event.rollout.clone().unwrap_or_else(|| "steps".to_owned());
        let line = done_line(&name, &lane.collapsed(event.time));
        vec![Shown::Close { lane: lane.key.clone() }, Shown::Line(line)]
    }
}

impl Lane {
    fn step(&mut self, id: &StepId, now: Timestamp) -> &mut StepSeen {
        let index = self.steps.iter().position(|step| step.id == *id).unwrap_or_else(|| {
            self.steps.push(StepSeen { id: id.clone(), began: now, took: None });
            self.steps.len() - 1
        });
        &mut self.steps[index]
    }

    /// `replaced in 14.2s, ready after 3.1s`, by the kinds of the steps that ended.
    fn collapsed(&self, now: Timestamp) -> String {
        let kind = |step: &StepSeen| step.id.as_str().rsplit('/').next().unwrap_or_default().to_owned();
        let has = |wanted: &str| self.steps.iter().any(|step| kind(step) == wanted);
        let verb = match () {
            () if has("create") && (has("stop") || has("remove")) => "replaced",
            () if has("create") => "created",
            () if has("stop") && has("start") => "restarted in place",
            () if has("stop") => "stopped",
            () if has("start") => "started",
            () if has("update") => "updated in place",
            () if has("remove") => "removed",
            () => "done",
        };
        let gate = self.steps.iter().filter(|step| kind(step) == "gate").filter_map(|step| step.took).max();
        let ready = gate.map(|gate| format!(", ready after {}", took(gate))).unwrap_or_default();
        format!("{verb} in {}{ready}", took(now.since(self.began)))
    }
}

/// `✗ core  …` for a rollout that went wrong.
fn subject_line(event: &Event) -> Text {
    failed_line(event.rollout.as_deref().unwrap_or("steps"), words(event))
}

#[cfg(test)]
mod tests;

//! Draws what the board says: a line with a spinner for all that goes on, lines that stay above it. Knows no events.

use super::board::{LaneKey, Shown};
use crate::cli::render::style::{Style, Text};
use crate::model::names::StepId;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{collections::BTreeMap, time::Duration};

const REDRAW: Duration = Duration::from_millis(100);

/// The lines that are drawn now.
pub struct Live {
    style: Style,
    screen: MultiProgress,
    lanes: BTreeMap<LaneKey, Lane>,
}

struct Lane {
    head: ProgressBar,
    steps: Vec<(StepId, ProgressBar)>,
}

impl Live {
    /// Draws on stderr.
    pub fn on_stderr(style: Style) -> Live {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Live { style, screen, lanes: BTreeMap::new() }
    }

    /// Draws one thing more.
    pub fn show(&mut self, shown: Shown) {
        match shown {
            Shown::Lane { lane, text } => {
                let message = self.paint(&text);
                self.lane(&lane).head.set_message(message);
            }
            Shown::Running { lane, step, text } => {
                let message = self.paint(&text);
                self.step(&lane, &step).set_message(message);
            }
            Shown::Ended { lane, step, text } => {
                let message = format!("  {}", self.paint(&text));
                let bar = self.step(&lane, &step);
                bar.set_style(still());
                bar.finish_with_message(message);
            }
            Shown::Close { lane } => {
                if let Some(lane) = self.lanes.remove(&lane) {
                    lane.clear(&self.screen);
                }
            }
            Shown::Line(text) => {
                // What can't be drawn is no reason to stop.
                let _ = self.screen.println(self.paint(&text));
            }
        }
    }

    /// Takes away everything that is drawn; lines stay.
    pub fn clear(&mut self) {
        for lane in std::mem::take(&mut self.lanes).into_values() {
            lane.clear(&self.screen);
        }
        let _ = self.screen.clear();
    }

    fn paint(&self, text: &Text) -> String {
        text.paint(self.style)
    }

    fn lane(&mut self, key: &LaneKey) -> &mut Lane {
        self.lanes.entry(key.clone()).or_insert_with(|| {
            let head = self.screen.add(ProgressBar::new_spinner().with_style(turning("")));
            head.set_message(key.rollout.clone().unwrap_or_else(|| "steps".to_owned()));
            head.enable_steady_tick(REDRAW);
            Lane { head, steps: Vec::new() }
        })
    }

    fn step(&mut self, key: &LaneKey, id: &StepId) -> ProgressBar {
        let screen = self.screen.clone();
        let lane = self.lane(key);
        if let Some((_, bar)) = lane.steps.iter().find(|(step, _)| step == id) {
            return bar.clone();
        }
        let last = lane.steps.last().map_or(&lane.head, |(_, bar)| bar);
        let bar = screen.insert_after(last, ProgressBar::new_spinner().with_style(turning("  ")));
        bar.enable_steady_tick(REDRAW);
        lane.steps.push((id.clone(), bar.clone()));
        bar
    }
}

impl Lane {
    fn clear(self, screen: &MultiProgress) {
        for (_, bar) in self.steps {
            bar.finish_and_clear();
            screen.remove(&bar);
        }
        self.head.finish_and_clear();
        screen.remove(&self.head);
    }
}

/// A spinner, what goes on, and for how long.
fn turning(indent: &str) -> ProgressStyle {
    template(&format!("{indent}{{spinner}} {{msg}} {{elapsed}}"))
}

/// What ended.
fn still() -> ProgressStyle {
    template("{msg}")
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

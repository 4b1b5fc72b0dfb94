//! The log of a process that goes on for ever and keeps several stacks: one line an event with date, time and stack, or one
//! line of JSON.

use super::{NOTICES_MAX, Next, Progress, QUEUE_LENGTH, Told, lines::Lines};
use crate::cli::{arguments::Format, output::Output};
use crate::model::event::Event;
use std::sync::Arc;
use tokio::sync::mpsc;

impl Progress {
    /// Starts to log what is sent: text to stderr, JSON to stdout. Must be called within a tokio runtime.
    pub fn log(format: Format, output: Output) -> (mpsc::Sender<Event>, Progress) {
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        let (notices, noticed) = mpsc::channel(NOTICES_MAX);
        let begun = Arc::default();
        let told = Told { receiver, noticed, begun: Arc::clone(&begun) };
        let task = tokio::spawn(log(told, format, output));
        (sender, Progress { task, begun, notices })
    }
}

/// A reader that went away does not stop anything.
async fn log(mut told: Told, format: Format, output: Output) {
    let mut lines = Lines::of_stacks();
    while let Some(next) = told.next().await {
        match (next, format) {
            (Next::Event(event), Format::Json) => {
                output.json_line(&*event);
            }
            (Next::Event(event), Format::Text) => {
                if let Some(line) = lines.take(&event, output.talk_style) {
                    output.talk(&format!("{line}\n"));
                }
            }
            (Next::Notice(line), _) => {
                output.talk(&format!("{line}\n"));
            }
        }
    }
}

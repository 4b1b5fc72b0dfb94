//! Progress while something is applied: a live tree on a terminal, one line an event elsewhere. It learns everything from
//! events, keeps on with any order of them, and never makes the sender fail.

mod board;
mod lines;
mod live;

use super::style::Style;
use crate::model::event::{Event, EventKind};
use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{sync::mpsc, task::JoinHandle};

/// As many events wait before the sender does.
const QUEUE_LENGTH: usize = 1024;

/// How progress is shown; always on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A tree that is drawn over and over, finished rollouts collapsed to a line.
    Live,
    /// One line an event.
    Lines,
}

/// The task that shows events.
pub struct Progress {
    task: JoinHandle<()>,
}

impl Progress {
    /// Starts to show what is sent. Must be called within a tokio runtime.
    /// Sets `begun` as soon as something begins.
    pub fn start(mode: Mode, style: Style, begun: Arc<AtomicBool>) -> (mpsc::Sender<Event>, Progress) {
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        let events = Events { receiver, begun };
        let task = match mode {
            Mode::Live => tokio::spawn(show_live(events, style)),
            Mode::Lines => tokio::spawn(show_lines(events, style)),
        };
        (sender, Progress { task })
    }

    /// Waits until every sender is dropped and all that was sent is shown.
    pub async fn finish(self) {
        // A task that panicked has told so itself.
        let _ = self.task.await;
    }
}

/// What is sent, looked at on its way.
struct Events {
    receiver: mpsc::Receiver<Event>,
    begun: Arc<AtomicBool>,
}

impl Events {
    async fn next(&mut self) -> Option<Event> {
        let event = self.receiver.recv().await?;
        if event.kind == EventKind::ApplyStarted {
            self.begun.store(true, Ordering::Relaxed);
        }
        Some(event)
    }
}

async fn show_live(mut events: Events, style: Style) {
    let mut board = board::Board::default();
    let mut live = live::Live::on_stderr(style);
    while let Some(event) = events.next().await {
        for shown in board.take(&event) {
            live.show(shown);
        }
    }
    live.clear();
}

async fn show_lines(mut events: Events, style: Style) {
    let mut lines = lines::Lines::default();
    while let Some(event) = events.next().await {
        if let Some(line) = lines.take(&event, style) {
            // A reader that went away does not stop an apply.
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }
}

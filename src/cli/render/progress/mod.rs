//! Progress while something is applied: a live tree on a terminal, one line an event elsewhere. It learns everything from
//! events, keeps on with any order of them, and never makes the sender fail.

mod board;
mod lines;
mod live;

use super::style::Style;
use crate::model::event::Event;
use std::io::Write;
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
    pub fn start(mode: Mode, style: Style) -> (mpsc::Sender<Event>, Progress) {
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        let task = match mode {
            Mode::Live => tokio::spawn(show_live(receiver, style)),
            Mode::Lines => tokio::spawn(show_lines(receiver, style)),
        };
        (sender, Progress { task })
    }

    /// Waits until every sender is dropped and all that was sent is shown.
    pub async fn finish(self) {
        // A task that panicked has told so itself.
        let _ = self.task.await;
    }
}

async fn show_live(mut events: mpsc::Receiver<Event>, style: Style) {
    let mut board = board::Board::default();
    let mut live = live::Live::on_stderr(style);
    while let Some(event) = events.recv().await {
        for shown in board.take(&event) {
            live.show(shown);
        }
    }
    live.clear();
}

async fn show_lines(mut events: mpsc::Receiver<Event>, style: Style) {
    let mut lines = lines::Lines::default();
    while let Some(event) = events.recv().await {
        if let Some(line) = lines.take(&event, style) {
            // A reader that went away does not stop an apply.
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }
}

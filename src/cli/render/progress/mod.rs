//! Progress while something is applied: a live tree on a terminal, one line an event elsewhere. It learns everything from
//! events, keeps on with any order of them, and never makes the sender fail.

mod board;
mod lines;
mod live;
mod log;

pub use lines::Lines;

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
/// As many notices wait; what is said to a user in a hurry is short.
const NOTICES_MAX: usize = 8;

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
    begun: Arc<AtomicBool>,
    notices: mpsc::Sender<String>,
}

/// What the rest of the command line may ask of progress while it goes on.
#[derive(Clone)]
pub struct Watch {
    begun: Arc<AtomicBool>,
    notices: mpsc::Sender<String>,
}

impl Watch {
    /// Whether something was begun.
    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Says a line in between, without disturbing what is drawn.
    pub fn say(&self, line: &str) {
        // Where so much is said already, one line more would not be read.
        let _ = self.notices.try_send(line.to_owned());
    }
}

impl Progress {
    /// Starts to show what is sent. Must be called within a tokio runtime.
    pub fn start(mode: Mode, style: Style) -> (mpsc::Sender<Event>, Progress) {
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        let (notices, noticed) = mpsc::channel(NOTICES_MAX);
        let begun = Arc::new(AtomicBool::default());
        let told = Told { receiver, noticed, begun: begun.clone() };
        let task = match mode {
            Mode::Live => tokio::spawn(show_live(told, style)),
            Mode::Lines => tokio::spawn(show_lines(told, style)),
        };
        (sender, Progress { task, begun, notices })
    }

    /// For those who ask while it goes on.
    pub fn watch(&self) -> Watch {
        Watch { begun: self.begun.clone(), notices: self.notices.clone() }
    }

    /// Waits until every sender is dropped and all that was sent is shown.
    pub async fn finish(self) {
        // A task that panicked has told so itself.
        let _ = self.task.await;
    }
}

/// What is to be shown next.
enum Next {
    Event(Box<Event>),
    Notice(String),
}

/// What is sent, looked at on its way.
struct Told {
    receiver: mpsc::Receiver<Event>,
    noticed: mpsc::Receiver<String>,
    begun: Arc<AtomicBool>,
}

impl Told {
    /// `None` when no event can come any more.
    async fn next(&mut self) -> Option<Next> {
        tokio::select! {
            biased;
            Some(notice) = self.noticed.recv() => Some(Next::Notice(notice)),
            event = self.receiver.recv() => {
                let event = event?;
                if event.kind == EventKind::ApplyStarted {
                    self.begun.store(true, Ordering::Relaxed);
                }
                Some(Next::Event(Box::new(event)))
            }
        }
    }
}

async fn show_live(mut told: Told, style: Style) {
    let mut board = board::Board::default();
    let mut live = live::Live::on_stderr(style);
    while let Some(next) = told.next().await {
        match next {
            Next::Event(event) => board.take(&event).into_iter().for_each(|shown| live.show(shown)),
            Next::Notice(line) => live.show(board::Shown::Line(line.into())),
        }
    }
    live.clear();
}

async fn show_lines(mut told: Told, style: Style) {
    let mut lines = lines::Lines::default();
    while let Some(next) = told.next().await {
        let line = match next {
            Next::Event(event) => lines.take(&event, style),
            Next::Notice(line) => Some(line),
        };
        if let Some(line) = line {
            // A reader that went away does not stop an apply.
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }
}

//! Where words go: data to stdout, talk to stderr. Writes nowhere else, and a reader that went away (`| head`) is no
//! error.

use super::render::style::Style;
use std::io::{self, IsTerminal, Write};

/// The two streams, and whether each shows colour.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub data_style: Style,
    pub talk_style: Style,
    /// Whether stdout is a terminal.
    pub data_is_terminal: bool,
    /// Whether stderr is a terminal: where progress is drawn.
    pub talk_is_terminal: bool,
}

impl Output {
    /// Of this process: colour only on a terminal, and only where `NO_COLOR` is not set and `TERM` is not `dumb`.
    pub fn of_process() -> Output {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let allowed = !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let (data, talk) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Output {
            data_style: Style { colour: allowed && data },
            talk_style: Style { colour: allowed && talk },
            data_is_terminal: data,
            talk_is_terminal: talk,
        }
    }

    /// Writes to stdout as it is. `false`: nobody reads any more.
    pub fn data(&self, text: &str) -> bool {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).is_ok()
    }

    /// Writes JSON to stdout, indented, and a newline. `false`: nobody reads any more.
    pub fn json(&self, value: &impl serde::Serialize) -> bool {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.data(&format!("{text}\n")),
            Err(error) => self.talk(&format!("could not write JSON: {error}\n")),
        }
    }

    /// Writes JSON to stdout as one line. `false`: nobody reads any more.
    pub fn json_line(&self, value: &impl serde::Serialize) -> bool {
        match serde_json::to_string(value) {
            Ok(text) => self.data(&format!("{text}\n")),
            Err(error) => self.talk(&format!("could not write JSON: {error}\n")),
        }
    }

    /// Writes to stderr as it is. `false`: nobody reads any more.
    pub fn talk(&self, text: &str) -> bool {
        let mut stderr = io::stderr().lock();
        stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).is_ok()
    }
}

//! What is not wrong, but worth saying: unset variables, obsolete fields.

use super::yaml::Position;

/// A remark on a file.
#[derive(Clone, Debug)]
pub struct Warning {
    /// A stable word (`unset-variable`, `obsolete`).
    pub code: &'static str,
    /// Where, when it is in a file.
    pub at: Option<Position>,
    /// One sentence without a period.
    pub message: String,
}

/// Collects warnings, each once.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    pub found: Vec<Warning>,
}

impl Warnings {
    /// A variable that is not set and has no default.
    pub fn unset(&mut self, name: &str, at: &Position) {
        self.push("unset-variable", Some(at), format!("the variable `{name}` is not set, an empty text stands for it"));
    }

    /// Takes a warning; the same sentence a second time is dropped.
    pub fn push(&mut self, code: &'static str, at: Option<&Position>, message: String) {
        if self.found.len() < 1000 && !self.found.iter().any(|known| known.message == message) {
            self.found.push(Warning { code, at: at.cloned(), message });
        }
    }
}

//! What is not wrong, but worth saying: unset variables, obsolete fields.

use std::collections::BTreeSet;

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

/// Collects warnings, each once, and no more than anybody reads.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    pub found: Vec<Warning>,
    said: BTreeSet<String>,
}

const WARNINGS_MAX: usize = 1000;

impl Warnings {
    /// A variable that is not set and has no default.
    pub fn unset(&mut self, name: &str, at: &Position) {
        let message = format!("the variable `{name}` is not set, an empty text stands for it");
        self.push("unset-variable", Some(at), message);
    }

    /// Takes a warning; the same sentence a second time is dropped.
    pub fn push(&mut self, code: &'static str, at: Option<&Position>, message: String) {
        if self.found.len() < WARNINGS_MAX && self.said.insert(message.clone()) {
            self.found.push(Warning { code, at: at.cloned(), message });
        }
    }
}

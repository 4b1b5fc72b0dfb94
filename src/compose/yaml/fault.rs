//! What is wrong with a file, and where: the one error that everything under `compose` reports.

use std::fmt;
use std::sync::Arc;

use super::node::{Position, SourceFile};

/// One thing that is wrong in one place.
#[derive(Clone, Debug)]
pub struct Fault {
    /// A stable word for programs, where there is one (`cycle`, `undefined`, `unknown-field`, …).
    pub code: Option<&'static str>,
    /// The file as its caller named it; empty when the fault is in no file.
    pub file: String,
    /// Line, counted from 1; 0 when there is none.
    pub line: u32,
    /// Column in characters, counted from 1; 0 when there is none.
    pub column: u32,
    /// What is wrong, one sentence without a period.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    source: Option<Arc<SourceFile>>,
}

impl Fault {
    /// A fault at a position.
    pub fn at(position: &Position, message: impl Into<String>) -> Self {
        Self {
            code: None,
            file: position.file.name.clone(),
            line: position.line,
            column: position.column,
            message: short(message),
            hint: None,
            source: Some(position.file.clone()),
        }
    }

    /// A fault of a whole file that could not be read, or of no file at all (`file` empty).
    pub fn of_file(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: None, file: file.into(), line: 0, column: 0, message: short(message), hint: None, source: None }
    }

    /// The same fault with a stable code.
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The same fault with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The line of the file that is at fault, without its line break.
    pub fn source_line(&self) -> Option<&str> {
        let line = usize::try_from(self.line).ok()?.checked_sub(1)?;
        self.source.as_ref()?.text.lines().nth(line)
    }

    /// The whole text of the file at fault, for renderers that show more than one line.
    pub fn source_text(&self) -> Option<&str> {
        self.source.as_ref().map(|file| file.text.as_str())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
            if self.line > 0 {
                write!(f, "{}:{}:", self.line, self.column)?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}

/// Collects faults, so that a file is reported whole; keeps the first 100.
#[derive(Debug, Default)]
pub struct Faults {
    found: Vec<Fault>,
}

const FAULTS_MAX: usize = 100;

/// A longer message is cut, in bytes: it may hold a text of the file, and that may be most of the file.
const MESSAGE_BYTES_MAX: usize = 2000;

fn short(message: impl Into<String>) -> String {
    let mut message = message.into();
    if message.len() > MESSAGE_BYTES_MAX {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        message.push('…');
    }
    message
}

impl Faults {
    /// Takes a fault; the same one a second time, and any beyond the limit, is dropped.
    pub fn push(&mut self, fault: Fault) {
        let known = |f: &Fault| {
            (f.line, f.column, &f.message, &f.file) == (fault.line, fault.column, &fault.message, &fault.file)
        };
        if self.found.len() < FAULTS_MAX && !self.found.iter().any(known) {
            self.found.push(fault);
        }
    }

    /// Takes what another step found.
    pub fn extend(&mut self, faults: Vec<Fault>) {
        faults.into_iter().for_each(|fault| self.push(fault));
    }

    /// The value of a step, or none after its fault is taken.
    pub fn take<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.push(fault)).ok()
    }

    /// Forgets some of what was found.
    pub fn retain(&mut self, keep: impl Fn(&Fault) -> bool) {
        self.found.retain(keep);
    }

    /// True while nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// True once no other fault is taken: there is no use in looking for more.
    pub fn is_full(&self) -> bool {
        self.found.len() >= FAULTS_MAX
    }

    /// The faults in the order of file and line, or `value` when there are none.
    ///
    /// # Errors
    /// The faults, when there are any.
    pub fn or<T>(mut self, value: T) -> Result<T, Vec<Fault>> {
        if self.found.is_empty() {
            return Ok(value);
        }
        self.found.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        Err(self.found)
    }
}

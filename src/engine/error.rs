//! What can become of an engine call. Policy reads `kind` and `sent`; the text is for people.

use std::fmt;

/// A failed engine call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct EngineError {
    /// The call, such as `create container`.
    pub call: &'static str,
    /// What it was about, such as `webkit-core-1`.
    pub target: String,
    pub kind: ErrorKind,
    pub sent: Sent,
    /// The engine's own words, or the connection's; never holds a sensitive value of ours.
    pub message: String,
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {} `{}`: {}", self.call, self.target, self.message)
    }
}

impl EngineError {
    /// What to do, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self.kind {
            ErrorKind::Unreachable => {
                Some("is the engine running? `docker version` tells; DOCKER_HOST names another".into())
            }
            ErrorKind::Refused => Some("run as root, or as a member of the group `docker`".into()),
            ErrorKind::TimedOut => Some("the engine hangs: look at its log, `journalctl -u docker`".into()),
            _ => None,
        }
    }
}

/// Why it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// There is no such thing (404).
    NotFound,
    /// Something else is in the way: a name taken, a container of this state (409).
    Conflict,
    /// Not allowed: permissions on the socket, a registry's refusal (401, 403 of an authorisation).
    Refused,
    /// No connection to the engine.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// An answer that makes no sense.
    Protocol,
    /// The engine understood and said no (400, 403, 500).
    Rejected,
}

/// Whether the engine may have done it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    NotSent,
    MaybeSent,
}

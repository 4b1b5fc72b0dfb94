//! The simulated engine's ways to say no, by the status that the real one answers with.

use crate::engine::{EngineError, ErrorKind, Sent};

/// A no, before it is known which call it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct No {
    pub kind: ErrorKind,
    pub sent: Sent,
    pub message: String,
}

/// What every call of the simulated world gives.
pub(super) type Answer<T> = Result<T, No>;

impl No {
    /// 404.
    pub fn missing(message: impl Into<String>) -> No {
        No { kind: ErrorKind::NotFound, sent: Sent::NotSent, message: message.into() }
    }

    /// 409.
    pub fn conflict(message: impl Into<String>) -> No {
        No { kind: ErrorKind::Conflict, sent: Sent::NotSent, message: message.into() }
    }

    /// 400 or 403.
    pub fn rejected(message: impl Into<String>) -> No {
        No { kind: ErrorKind::Rejected, sent: Sent::NotSent, message: message.into() }
    }

    /// 500: half of it may have been done.
    pub fn internal(message: impl Into<String>) -> No {
        No { kind: ErrorKind::Rejected, sent: Sent::MaybeSent, message: message.into() }
    }

    /// A registry's or the socket's refusal.
    pub fn refused(message: impl Into<String>) -> No {
        No { kind: ErrorKind::Refused, sent: Sent::NotSent, message: message.into() }
    }

    /// An answer without what was asked for.
    pub fn senseless(message: impl Into<String>) -> No {
        No { kind: ErrorKind::Protocol, sent: Sent::MaybeSent, message: message.into() }
    }

    /// No connection.
    pub fn unreachable(sent: Sent, message: impl Into<String>) -> No {
        No { kind: ErrorKind::Unreachable, sent, message: message.into() }
    }

    /// As the answer to a call.
    pub fn to(self, call: &'static str, target: &str) -> EngineError {
        EngineError { call, target: target.to_owned(), kind: self.kind, sent: self.sent, message: self.message }
    }
}

/// The answer to naming a container that is not there.
pub(super) fn no_container(id_or_name: &str) -> No {
    No::missing(format!("No such container: {id_or_name}"))
}

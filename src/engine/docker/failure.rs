//! What went wrong, in our terms: the one place that reads statuses and texts of the engine, so that policy never has to.

use super::{
    super::{EngineError, ErrorKind, Sent},
    connections::ReadError,
};
use crate::model::units::Millis;
use std::{error::Error, io};

/// From bollard's error.
pub(super) fn from_bollard(call: &'static str, target: &str, error: bollard::errors::Error) -> EngineError {
    use bollard::errors::Error as Bollard;
    let (kind, sent, message) = match error {
        Bollard::DockerResponseServerError { status_code, message } => {
            let (kind, sent) = answered(status_code, &message);
            (kind, sent, message)
        }
        // The error at the end of a pull's stream: a text without a status.
        Bollard::DockerStreamError { error } => (stream(&error), Sent::MaybeSent, error),
        Bollard::SocketNotFoundError(path) => {
            return no_connection(call, target, &path, &io::ErrorKind::NotFound.into());
        }
        Bollard::RequestTimeoutError => return timed_out(call, target, super::CHANGE),
        Bollard::HyperLegacyError { err } if err.is_connect() => {
            return match cause(&err) {
                Some(error) => no_connection(call, target, "the engine's socket", error),
                None => unreachable(call, target, Sent::NotSent, chain(&err)),
            };
        }
        Bollard::HyperLegacyError { err } => (ErrorKind::Unreachable, Sent::MaybeSent, lost(&chain(&err))),
        Bollard::HyperResponseError { err } => (ErrorKind::Unreachable, Sent::MaybeSent, lost(&chain(&err))),
        Bollard::IOError { err } => (ErrorKind::Unreachable, Sent::MaybeSent, lost(&chain(&err))),
        other => (ErrorKind::Protocol, Sent::MaybeSent, chain(&other)),
    };
    EngineError { call, target: target.to_owned(), kind, sent, message: one_line(&message) }
}

/// From a read of our own.
pub(super) fn from_read(call: &'static str, target: &str, error: ReadError) -> EngineError {
    match error {
        ReadError::Connect(error) => no_connection(call, target, "the engine's socket", &error),
        ReadError::Broken(message) => unreachable(call, target, Sent::MaybeSent, lost(&message)),
        ReadError::Answer { status, body } => {
            let json: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
            let message = json.as_ref().and_then(|json| json["message"].as_str());
            let message = message.map_or_else(|| String::from_utf8_lossy(&body).into_owned(), str::to_owned);
            let (kind, sent) = answered(status, &message);
            EngineError { call, target: target.to_owned(), kind, sent, message: one_line(&message) }
        }
    }
}

/// No answer within the limit.
pub(super) fn timed_out(call: &'static str, target: &str, limit: Millis) -> EngineError {
    let message = format!("the engine did not answer within {limit}");
    EngineError { call, target: target.to_owned(), kind: ErrorKind::TimedOut, sent: Sent::MaybeSent, message }
}

/// An answer that makes no sense.
pub(super) fn protocol(call: &'static str, target: &str, message: String) -> EngineError {
    EngineError { call, target: target.to_owned(), kind: ErrorKind::Protocol, sent: Sent::MaybeSent, message }
}

/// Something that can't be said to this engine at all, so nothing was sent.
pub(super) fn unsayable(call: &'static str, target: &str, message: String) -> EngineError {
    EngineError { call, target: target.to_owned(), kind: ErrorKind::Rejected, sent: Sent::NotSent, message }
}

/// What an answer's status means. An answer below 500 is a plain no; above, the engine may have got half of it done.
fn answered(status: u16, message: &str) -> (ErrorKind, Sent) {
    let kind = match status {
        401 => ErrorKind::Refused,
        // An authorisation plugin's no; any other 403 is about the state of things (`connect` to a network it is on).
        403 if message.contains("authorization denied") => ErrorKind::Refused,
        // A registry's no reaches us as 404 or 500, and its text is all that tells it apart.
        404 | 500 if is_refusal(message) => ErrorKind::Refused,
        500 if is_absence(message) => ErrorKind::NotFound,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        _ => ErrorKind::Rejected,
    };
    (kind, if status >= 500 { Sent::MaybeSent } else { Sent::NotSent })
}

fn stream(message: &str) -> ErrorKind {
    match message {
        message if is_refusal(message) => ErrorKind::Refused,
        message if is_absence(message) => ErrorKind::NotFound,
        _ => ErrorKind::Rejected,
    }
}

fn is_refusal(message: &str) -> bool {
    ["unauthorized", "authentication required", "no basic auth credentials", "pull access denied", "denied: "]
        .iter()
        .any(|sign| message.contains(sign))
}

fn is_absence(message: &str) -> bool {
    ["manifest unknown", "manifest for ", "name unknown"].iter().any(|sign| message.contains(sign))
}

fn no_connection(call: &'static str, target: &str, socket: &str, error: &io::Error) -> EngineError {
    let (kind, message) = match error.kind() {
        io::ErrorKind::PermissionDenied => (
            ErrorKind::Refused,
            format!("permission denied on {socket}; run evenkeel as root, or as a user in the group `docker`"),
        ),
        io::ErrorKind::NotFound => {
            (ErrorKind::Unreachable, format!("{socket} does not exist; is the Docker engine installed and running?"))
        }
        io::ErrorKind::ConnectionRefused => {
            (ErrorKind::Unreachable, format!("nothing listens on {socket}; is the Docker engine running?"))
        }
        _ => (ErrorKind::Unreachable, format!("no connection to {socket}: {error}")),
    };
    EngineError { call, target: target.to_owned(), kind, sent: Sent::NotSent, message }
}

fn unreachable(call: &'static str, target: &str, sent: Sent, message: String) -> EngineError {
    EngineError { call, target: target.to_owned(), kind: ErrorKind::Unreachable, sent, message: one_line(&message) }
}

fn lost(message: &str) -> String {
    format!("the connection to the engine was lost: {message}")
}

/// The error of the operating system under another one.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io);
        }
        at = error.source();
    }
    None
}

/// An error with its causes, each said once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(error) = at {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        at = error.source();
    }
    text
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::errors::Error as Bollard;

    fn server(status_code: u16, message: &str) -> (ErrorKind, Sent) {
        let error = Bollard::DockerResponseServerError { status_code, message: message.into() };
        let error = from_bollard("do", "it", error);
        (error.kind, error.sent)
    }

    #[test]
    fn a_status_says_what_it_is() {
        use {ErrorKind::*, Sent::*};
        let cases = [
            (404, "No such container: x", (NotFound, NotSent)),
            (409, "Conflict. The container name \"/x\" is already in use", (Conflict, NotSent)),
            (403, "endpoint with name x already exists in network y", (Rejected, NotSent)),
            (403, "authorization denied by plugin opa", (Refused, NotSent)),
            (400, "invalid restart policy", (Rejected, NotSent)),
            (
                404,
                "pull access denied for x, repository does not exist or may require 'docker login'",
                (Refused, NotSent),
            ),
            (500, "Head \"https://r/v2/x\": unauthorized: authentication required", (Refused, MaybeSent)),
            (404, "manifest for r/x:1 not found: manifest unknown", (NotFound, NotSent)),
            (500, "driver failed programming external connectivity", (Rejected, MaybeSent)),
        ];
        for (status, message, expected) in cases {
            assert_eq!(server(status, message), expected, "{status} {message}");
        }
    }

    #[test]
    fn a_closed_socket_says_what_to_do() {
        let error = no_connection("list", "containers", "/run/x.sock", &io::ErrorKind::PermissionDenied.into());
        assert_eq!((error.kind, error.sent), (ErrorKind::Refused, Sent::NotSent));
        assert!(error.message.contains("group `docker`"), "{error}");
        let error = no_connection("list", "containers", "/run/x.sock", &io::ErrorKind::ConnectionRefused.into());
        assert_eq!((error.kind, error.sent), (ErrorKind::Unreachable, Sent::NotSent));
    }
}

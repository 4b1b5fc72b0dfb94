//! The real engine: Docker's API over its unix socket, spoken through bollard. This folder is the only user of bollard;
//! it translates between the API and our own types, field for field as docker compose fills it in, and decides nothing.
//!
//! What is read of containers is not bollard's: its enums are closed, so that one unknown word would fail a whole
//! response, and it leaves fields out that older engines have. `connections` gets the JSON, `json` holds what we read of it.

mod archive;
mod connections;
mod containers;
mod create;
mod events;
mod failure;
mod images;
mod inspect;
mod json;
mod lines;
mod logs;
mod memory;
mod mounts;
mod networks;
mod system;
mod volumes;
mod wire;

use super::{
    EngineError, EngineResult, ErrorKind, Sent,
    clock::{Clock, SystemClock, within},
};
use crate::model::units::Millis;
use bollard::{API_DEFAULT_VERSION, Docker};
use connections::Connections;
use std::{
    future::Future,
    path::Path,
    sync::{Arc, Mutex},
};

/// The oldest API that has what evenkeel needs (Docker 19.03).
const API_OLDEST: (u32, u32) = (1, 40);
/// How long a read may take.
const READ: Millis = Millis::seconds(30);
/// How long a change may take that has no duration of its own.
const CHANGE: Millis = Millis::seconds(120);
/// How long bollard may wait for the head of an answer: our own bounds are always shorter than that.
const BOLLARD_SECONDS: u64 = 30 * 24 * 3600;

/// A Docker engine behind a unix socket. Cheap to clone. Every change makes its own connection, reads keep theirs for the
/// next one; one that breaks breaks no other call, and an engine that was restarted is simply there again.
#[derive(Clone)]
pub struct DockerEngine {
    docker: Docker,
    connections: Arc<Connections>,
    api: (u32, u32),
    clock: Arc<dyn Clock>,
    facts_ahead: Arc<Mutex<Option<system::Ahead>>>,
}

impl DockerEngine {
    /// Connects to the engine behind this socket and agrees with it on an API version, which every later request names.
    /// `Unreachable` when nothing answers there, `Refused` when the socket may not be used.
    pub async fn connect(socket: &Path) -> EngineResult<DockerEngine> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let (call, target) = ("connect to the engine at", socket.display().to_string());
        let connections = Arc::new(Connections::new(socket));
        let spoken = match within(&*clock, READ, connections.ping()).await {
            None => return Err(failure::timed_out(call, &target, READ)),
            Some(answer) => answer.map_err(|error| failure::from_read(call, &target, error))?,
        };
        let api = agree(spoken.as_deref()).map_err(|message| failure::protocol(call, &target, message))?;
        let docker = Docker::connect_with_unix(&socket.to_string_lossy(), BOLLARD_SECONDS, API_DEFAULT_VERSION)
            .map_err(|error| failure::from_bollard(call, &target, error))?;
        let docker = docker.with_request_modifier(move |request| wire::amend(request, api));
        Ok(DockerEngine { docker, connections, api, clock, facts_ahead: Arc::default() })
    }

    /// The API version that is spoken, as two numbers.
    pub fn api(&self) -> (u32, u32) {
        self.api
    }

    /// Runs one call of bollard's within a time limit, and says what went wrong in our terms.
    async fn call<T>(
        &self,
        call: &'static str,
        target: impl std::fmt::Display,
        limit: Millis,
        future: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> EngineResult<T> {
        let target = target.to_string();
        let result = match within(&*self.clock, limit, future).await {
            Some(result) => result.map_err(|error| failure::from_bollard(call, &target, error)),
            None => Err(failure::timed_out(call, &target, limit)),
        };
        if result.as_ref().is_err_and(|error| error.kind == ErrorKind::Unreachable) {
            // An engine that goes away answers on open connections for a while; what is asked next is asked of one that listens.
            self.connections.forget();
        }
        result
    }

    /// Reads the JSON at a path of the API, such as `/containers/json?all=true`, within the time limit of a read.
    async fn read<T: serde::de::DeserializeOwned>(
        &self,
        call: &'static str,
        target: impl std::fmt::Display,
        path: &str,
    ) -> EngineResult<T> {
        let target = target.to_string();
        let path = format!("/v{}.{}{path}", self.api.0, self.api.1);
        match within(&*self.clock, READ, self.connections.get(&path)).await {
            None => Err(failure::timed_out(call, &target, READ)),
            Some(Err(error)) => Err(failure::from_read(call, &target, error)),
            Some(Ok(body)) => serde_json::from_slice(&body).map_err(|error| {
                failure::protocol(call, &target, format!("the engine's answer makes no sense: {error}"))
            }),
        }
    }
}

/// The newest version that both sides speak. An engine that no longer speaks ours says so at the first call.
fn agree(engine: Option<&str>) -> Result<(u32, u32), String> {
    let ours = (API_DEFAULT_VERSION.major_version as u32, API_DEFAULT_VERSION.minor_version as u32);
    let theirs = engine.and_then(two_numbers).ok_or("it does not say which API version it speaks")?;
    match theirs < API_OLDEST {
        true => {
            Err(format!("it speaks API {}.{}, and evenkeel needs 1.40 or newer (Docker 19.03)", theirs.0, theirs.1))
        }
        false => Ok(theirs.min(ours)),
    }
}

fn two_numbers(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The engine answered, but not with what its API promises.
fn missing(call: &'static str, target: impl std::fmt::Display, what: &str) -> EngineError {
    EngineError {
        call,
        target: target.to_string(),
        kind: ErrorKind::Protocol,
        sent: Sent::MaybeSent,
        message: format!("the engine's answer has no {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_that_both_speak_is_taken() {
        assert_eq!(agree(Some("1.41")), Ok((1, 41)));
        assert_eq!(agree(Some("9.99")), Ok((1, 53)));
        assert!(agree(Some("1.39")).is_err());
        assert!(agree(None).is_err());
    }

    /// Answers every request on every connection, also on those that are open when it listens no more.
    async fn serve(mut stream: tokio::net::UnixStream) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut request = [0_u8; 4096];
        while stream.read(&mut request).await.is_ok_and(|bytes| bytes > 0) {
            let answer = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\n{}";
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }

    #[tokio::test]
    async fn an_engine_that_is_going_is_gone_when_it_listens_no_more() {
        use crate::engine::{Containers, System};
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let listening = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream));
            }
        });
        let engine = DockerEngine::connect(&socket).await.unwrap();
        engine.facts().await.unwrap();
        listening.abort();
        std::fs::remove_file(&socket).unwrap();
        let unreachable = |error: EngineError| assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
        unreachable(engine.remove_container(&"1234".into(), true, false).await.unwrap_err());
        unreachable(engine.facts().await.unwrap_err());
    }
}

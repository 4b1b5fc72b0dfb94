//! Reads of the engine, on connections that are kept for the next read. One that broke meanwhile breaks no read: what is
//! read may be asked again, so it is, once and on a new connection. Knows HTTP, not what is asked or answered.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Request,
    client::conn::http1::{self, SendRequest},
    header::HOST,
    http::response::Parts as Head,
};
use hyper_util::rt::TokioIo;
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::net::UnixStream;

/// No answer of the engine that we read whole is longer.
pub(super) const BODY_BYTES_MAX: usize = 64 << 20;
/// At most so many connections are kept while nobody uses them.
const IDLE_MAX: usize = 16;

/// Why a read failed on its way.
#[derive(Debug)]
pub(super) enum ReadError {
    /// There is no connection.
    Connect(std::io::Error),
    /// The connection broke, or what came is no HTTP.
    Broken(String),
    /// The engine answered no.
    Answer { status: u16, body: Bytes },
}

type Connection = SendRequest<Empty<Bytes>>;

/// The connections to the engine behind one socket.
pub(super) struct Connections {
    socket: PathBuf,
    /// The one used last is the last.
    idle: Mutex<Vec<Connection>>,
}

impl Connections {
    pub(super) fn new(socket: &Path) -> Connections {
        Connections { socket: socket.to_owned(), idle: Mutex::default() }
    }

    /// The socket.
    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Lets go of the kept connections.
    pub(super) fn forget(&self) {
        self.idle().clear();
    }

    /// The API version that the engine speaks, where it says one. `/_ping` is the one path that costs it nothing.
    pub(super) async fn ping(&self) -> Result<Option<String>, ReadError> {
        let (head, _) = self.request("/_ping").await?;
        Ok(head.headers.get("Api-Version").and_then(|version| version.to_str().ok()).map(str::to_owned))
    }

    /// Gets a path. Dropping the future closes the connection that it was asked on.
    pub(super) async fn get(&self, path: &str) -> Result<Bytes, ReadError> {
        self.request(path).await.map(|(_, body)| body)
    }

    async fn request(&self, path: &str) -> Result<(Head, Bytes), ReadError> {
        if let Some(kept) = self.kept().await {
            match self.exchange(kept, path).await {
                // An engine that went away took all of them with it.
                Err(ReadError::Broken(_)) => self.idle().clear(),
                answered => return answered,
            }
        }
        self.exchange(self.connect().await?, path).await
    }

    /// A kept connection on which the engine has not hung up.
    async fn kept(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle().pop()?;
            if connection.ready().await.is_ok() {
                return Some(connection);
            }
        }
    }

    async fn connect(&self) -> Result<Connection, ReadError> {
        let stream = UnixStream::connect(&self.socket).await.map_err(ReadError::Connect)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // It ends when the sender and the body of an answer are dropped, or with the engine.
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn exchange(&self, mut connection: Connection, path: &str) -> Result<(Head, Bytes), ReadError> {
        let request = Request::get(path).header(HOST, "docker").body(Empty::new()).map_err(broken)?;
        let (head, body) = connection.send_request(request).await.map_err(broken)?.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(broken)?.to_bytes();
        self.keep(connection);
        match head.status.is_success() {
            true => Ok((head, body)),
            false => Err(ReadError::Answer { status: head.status.as_u16(), body }),
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle();
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn broken(error: impl std::fmt::Display) -> ReadError {
    ReadError::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixListener,
    };

    /// What an engine does with a connection.
    #[derive(Clone, Copy)]
    enum Manner {
        /// Answers as often as it is asked.
        Keeps,
        /// Answers once, and hangs up when it is asked again.
        HangsUpAtTheSecond,
        /// Answers once and hangs up.
        Closes,
        /// Hangs up without a word.
        Mute,
    }

    struct Engine {
        _folder: tempfile::TempDir,
        connections: Connections,
        accepted: Arc<AtomicUsize>,
    }

    impl Engine {
        fn start(manner: Manner) -> Engine {
            let folder = tempfile::tempdir().unwrap();
            let socket = folder.path().join("engine.sock");
            let listener = UnixListener::bind(&socket).unwrap();
            let accepted = Arc::new(AtomicUsize::new(0));
            let count = accepted.clone();
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    count.fetch_add(1, Ordering::Relaxed);
                    tokio::spawn(async move {
                        let mut answers = 0;
                        let mut asked = [0; 1024];
                        while stream.read(&mut asked).await.is_ok_and(|length| length > 0) {
                            if matches!((manner, answers), (Manner::Mute, _) | (Manner::HangsUpAtTheSecond, 1)) {
                                return;
                            }
                            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK").await.unwrap();
                            answers += 1;
                            if matches!(manner, Manner::Closes) {
                                return;
                            }
                        }
                    });
                }
            });
            Engine { _folder: folder, connections: Connections::new(&socket), accepted }
        }

        fn accepted(&self) -> usize {
            self.accepted.load(Ordering::Relaxed)
        }
    }

    #[tokio::test]
    async fn one_connection_serves_one_read_after_the_other() {
        let engine = Engine::start(Manner::Keeps);
        for _ in 0..5 {
            assert_eq!(engine.connections.get("/info").await.unwrap(), "OK");
        }
        assert_eq!(engine.accepted(), 1);
    }

    #[tokio::test]
    async fn reads_at_once_have_connections_of_their_own_and_leave_few_behind() {
        let engine = Engine::start(Manner::Keeps);
        let reads = (0..IDLE_MAX + 8).map(|_| engine.connections.get("/info"));
        futures::future::try_join_all(reads).await.unwrap();
        assert!(engine.connections.idle().len() <= IDLE_MAX);
    }

    #[tokio::test]
    async fn an_engine_that_hung_up_meanwhile_breaks_no_read() {
        for manner in [Manner::HangsUpAtTheSecond, Manner::Closes] {
            let engine = Engine::start(manner);
            for _ in 0..5 {
                assert_eq!(engine.connections.get("/info").await.unwrap(), "OK");
            }
            assert_eq!(engine.accepted(), 5);
        }
    }

    #[tokio::test]
    async fn a_new_connection_that_breaks_is_told_and_not_tried_again() {
        let engine = Engine::start(Manner::Mute);
        assert!(matches!(engine.connections.get("/info").await, Err(ReadError::Broken(_))));
        assert_eq!(engine.accepted(), 1);
    }

    #[tokio::test]
    async fn a_read_that_is_given_up_leaves_no_connection_that_could_answer_late() {
        let engine = Engine::start(Manner::Keeps);
        engine.connections.get("/info").await.unwrap();
        {
            let read = engine.connections.get("/info");
            futures::pin_mut!(read);
            // Asked and not answered yet.
            assert!(futures::poll!(&mut read).is_pending());
        }
        assert!(engine.connections.idle().is_empty());
        assert_eq!(engine.connections.get("/info").await.unwrap(), "OK");
    }
}

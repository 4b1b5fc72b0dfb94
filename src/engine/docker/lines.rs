//! An answer of the engine that does not end: one JSON text a line, on a connection of its own. Knows HTTP, not what the lines
//! say.

use super::connections::{BODY_BYTES_MAX, ReadError, broken};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, body::Incoming, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use std::path::Path;
use tokio::net::UnixStream;

/// No line that we read is longer; an event has all labels of its container.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Gets a path whose answer does not end: one JSON text a line. Dropping it closes the connection.
pub(super) async fn lines(socket: &Path, path: &str) -> Result<Lines, ReadError> {
    let stream = UnixStream::connect(socket).await.map_err(ReadError::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let connection = Connection(tokio::spawn(connection).abort_handle());
    let request = Request::get(path).header(HOST, "docker").body(Empty::<Bytes>::new()).map_err(broken)?;
    let (head, body) = sender.send_request(request).await.map_err(broken)?.into_parts();
    if head.status.is_success() {
        return Ok(Lines { body, rest: BytesMut::new(), too_long: false, _connection: connection });
    }
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(broken)?.to_bytes();
    Err(ReadError::Answer { status: head.status.as_u16(), body })
}

/// See `lines`.
pub(super) struct Lines {
    body: Incoming,
    rest: BytesMut,
    /// What comes up to the next line's end belongs to a line that was given up.
    too_long: bool,
    _connection: Connection,
}

impl Lines {
    /// The next line without its end; of one that is longer than can be read, nothing but an empty one.
    pub(super) async fn next(&mut self) -> Result<Bytes, ReadError> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let mut line = self.rest.split_to(end + 1);
                line.truncate(end);
                let skipped = std::mem::take(&mut self.too_long);
                return Ok(if skipped { Bytes::new() } else { line.freeze() });
            }
            if self.rest.len() > LINE_BYTES_MAX {
                self.rest.clear();
                self.too_long = true;
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.rest.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..])),
                Some(Err(error)) => return Err(broken(error)),
                None => return Err(ReadError::Broken("the engine ended it".to_owned())),
            }
        }
    }
}

/// The task that moves what goes over a connection; it ends with this.
struct Connection(tokio::task::AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers one request with these bytes and closes.
    fn server(folder: &Path, answer: Vec<u8>) -> std::path::PathBuf {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let path = folder.join("engine.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0_u8; 1000];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        });
        path
    }

    #[tokio::test]
    async fn a_stream_gives_its_lines_and_then_why_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for part in ["on", "e\ntwo\n", &"x".repeat(LINE_BYTES_MAX + 70_000), "x\nthree\nrest"] {
            answer.extend(format!("{:x}\r\n{part}\r\n", part.len()).bytes());
        }
        let mut lines = lines(&server(folder.path(), answer), "/events").await.unwrap();
        for expected in ["one", "two", "", "three"] {
            assert_eq!(lines.next().await.unwrap(), expected);
        }
        assert!(matches!(lines.next().await, Err(ReadError::Broken(_))));
    }

    #[tokio::test]
    async fn a_stream_that_is_refused_says_what_the_engine_said() {
        let folder = tempfile::tempdir().unwrap();
        let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno".to_vec();
        let refused = lines(&server(folder.path(), answer), "/events").await;
        assert!(matches!(refused, Err(ReadError::Answer { status: 400, body }) if body == "no"));
    }
}

//! Requests as they go over the socket: the version in the path and what older engines want is put into bollard's, and
//! reads whose answers bollard's types can't hold are made here. Knows JSON and HTTP, not what they mean.

use bollard::BollardRequest;
use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use http_body_util::{BodyExt, Either, Empty, Full, Limited};
use hyper::{
    Method, Request, Response, Uri,
    body::Incoming,
    header::{HOST, HeaderValue},
    http::response::Parts as Head,
};
use hyper_util::rt::TokioIo;
use std::path::Path;
use tokio::net::UnixStream;

/// No answer of the engine that we read whole is longer.
const BODY_BYTES_MAX: usize = 64 << 20;
/// No line of a stream that we read is longer; an event has all labels of its container.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Why a read failed on its way.
#[derive(Debug)]
pub(super) enum WireError {
    /// There is no connection.
    Connect(std::io::Error),
    /// The connection broke, or what came is no HTTP.
    Broken(String),
    /// The engine answered no.
    Answer { status: u16, body: Bytes },
}

/// The API version that the engine speaks, where it says one. `/_ping` is the one path that costs it nothing.
pub(super) async fn ping(socket: &Path) -> Result<Option<String>, WireError> {
    let (head, _) = request(socket, "/_ping").await?;
    Ok(head.headers.get("Api-Version").and_then(|version| version.to_str().ok()).map(str::to_owned))
}

/// Gets a path, on a connection of its own. Dropping the future closes the connection.
pub(super) async fn get(socket: &Path, path: &str) -> Result<Bytes, WireError> {
    request(socket, path).await.map(|(_, body)| body)
}

async fn request(socket: &Path, path: &str) -> Result<(Head, Bytes), WireError> {
    let Open { response, connection: _connection } = open(socket, path).await?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|error| broken(&error))?;
    match body.to_bytes() {
        body if head.status.is_success() => Ok((head, body)),
        body => Err(WireError::Answer { status: head.status.as_u16(), body }),
    }
}

async fn open(socket: &Path, path: &str) -> Result<Open, WireError> {
    let stream = UnixStream::connect(socket).await.map_err(WireError::Connect)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let connection = Connection(tokio::spawn(connection).abort_handle());
    let request =
        Request::get(path).header(HOST, "docker").body(Empty::<Bytes>::new()).map_err(|error| broken(&error))?;
    let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
    Ok(Open { response, connection })
}

/// Gets a path whose answer does not end: one JSON text a line. Dropping it closes the connection.
pub(super) async fn lines(socket: &Path, path: &str) -> Result<Lines, WireError> {
    let Open { response, connection } = open(socket, path).await?;
    let (head, body) = response.into_parts();
    if head.status.is_success() {
        return Ok(Lines { body, rest: BytesMut::new(), too_long: false, _connection: connection });
    }
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|error| broken(&error))?.to_bytes();
    Err(WireError::Answer { status: head.status.as_u16(), body })
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
    pub(super) async fn next(&mut self) -> Result<Bytes, WireError> {
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
                Some(Err(error)) => return Err(broken(&error)),
                None => return Err(WireError::Broken("the engine ended it".to_owned())),
            }
        }
    }
}

/// An answer whose body is still to come.
struct Open {
    response: Response<Incoming>,
    connection: Connection,
}

/// The task that moves what goes over a connection; it ends with this.
struct Connection(tokio::task::AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn broken(error: &dyn std::fmt::Display) -> WireError {
    WireError::Broken(error.to_string())
}

/// Puts right what bollard sends: it names no version in the path, encodes a registry login with an alphabet that the
/// engine does not read (and then takes for no login at all), and has forgotten two fields of older APIs.
pub(super) fn amend(request: BollardRequest, api: (u32, u32)) -> BollardRequest {
    let (mut head, mut body) = request.into_parts();
    let login = head.headers.get("X-Registry-Auth").and_then(|login| login.to_str().ok());
    if let Some(Ok(login)) = login.map(|login| HeaderValue::from_str(&login.replace('+', "-").replace('/', "_"))) {
        head.headers.insert("X-Registry-Auth", login);
    }
    if api < (1, 44) && head.method == Method::POST {
        let change: Option<fn(&mut serde_json::Value)> = match head.uri.path() {
            "/networks/create" => Some(refuse_twins),
            "/containers/create" => Some(name_the_mac_address),
            _ => None,
        };
        if let Some(change) = change {
            body = rewritten(body, change);
        }
    }
    head.uri = versioned(&head.uri, api).unwrap_or(head.uri);
    Request::from_parts(head, body)
}

type Body = <BollardRequest as RequestBody>::Body;

trait RequestBody {
    type Body;
}

impl<B> RequestBody for Request<B> {
    type Body = B;
}

fn rewritten(body: Body, change: fn(&mut serde_json::Value)) -> Body {
    match body {
        Either::Left(whole) => {
            // A body that is there as a whole collects at once.
            let bytes = match whole.collect().now_or_never() {
                Some(Ok(collected)) => collected.to_bytes(),
                _ => Bytes::new(),
            };
            let bytes = match serde_json::from_slice(&bytes) {
                Ok(mut json) => {
                    change(&mut json);
                    Bytes::from(json.to_string())
                }
                Err(_) => bytes,
            };
            Either::Left(Full::new(bytes))
        }
        stream => stream,
    }
}

/// Without it, an engine before API 1.44 makes a second network of the same name.
fn refuse_twins(body: &mut serde_json::Value) {
    body["CheckDuplicate"] = true.into();
}

/// Before API 1.44 the MAC address is a field of the container, not of its endpoint.
fn name_the_mac_address(body: &mut serde_json::Value) {
    let endpoints = body.pointer("/NetworkingConfig/EndpointsConfig").and_then(serde_json::Value::as_object);
    let mac = endpoints.into_iter().flat_map(|all| all.values()).find_map(|endpoint| endpoint["MacAddress"].as_str());
    if let Some(mac) = mac.map(str::to_owned) {
        body["MacAddress"] = mac.into();
    }
}

fn versioned(uri: &Uri, api: (u32, u32)) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    let path = parts.path_and_query.as_ref().map_or("/", |path| path.as_str());
    parts.path_and_query = Some(format!("/v{}.{}{path}", api.0, api.1).parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, body: &str) -> BollardRequest {
        let body = Either::Left(Full::new(Bytes::from(body.to_owned())));
        Request::post(format!("unix://2f746d70{path}")).header("X-Registry-Auth", "a+b/c=").body(body).unwrap()
    }

    fn sent(request: BollardRequest) -> (String, String) {
        let uri = request.uri().to_string();
        let body = request.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
        (uri, String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn the_agreed_version_is_named() {
        let (uri, _) = sent(amend(request("/containers/x/stop?t=3", ""), (1, 41)));
        assert_eq!(uri, "unix://2f746d70/v1.41/containers/x/stop?t=3");
    }

    #[test]
    fn a_login_is_written_as_the_engine_reads_it() {
        let amended = amend(request("/images/create", ""), (1, 41));
        assert_eq!(amended.headers()["X-Registry-Auth"], "a-b_c=");
    }

    #[test]
    fn older_engines_are_told_to_refuse_a_second_network_of_one_name() {
        let (_, body) = sent(amend(request("/networks/create", r#"{"Name":"n"}"#), (1, 41)));
        assert_eq!(body, r#"{"Name":"n","CheckDuplicate":true}"#);
        let (_, body) = sent(amend(request("/networks/create", r#"{"Name":"n"}"#), (1, 44)));
        assert_eq!(body, r#"{"Name":"n"}"#);
    }

    #[test]
    fn older_engines_get_the_mac_address_where_they_look_for_it() {
        let spec = r#"{"NetworkingConfig":{"EndpointsConfig":{"n":{"MacAddress":"02:42:ac:11:00:09"}}}}"#;
        let (_, body) = sent(amend(request("/containers/create?name=x", spec), (1, 41)));
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["MacAddress"], "02:42:ac:11:00:09");
    }

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
        assert!(matches!(lines.next().await, Err(WireError::Broken(_))));
    }

    #[tokio::test]
    async fn a_stream_that_is_refused_says_what_the_engine_said() {
        let folder = tempfile::tempdir().unwrap();
        let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno".to_vec();
        let refused = lines(&server(folder.path(), answer), "/events").await;
        assert!(matches!(refused, Err(WireError::Answer { status: 400, body }) if body == "no"));
    }
}

//! One GET over a connection of its own: 200 to 399 is success, a redirect is not followed. Small on purpose: no proxy, no
//! pool and no name resolution stands between the probe and the container.

use super::{
    Answer, DockerProber,
    place::{self, Place},
};
use crate::{
    engine::clock::{Clock, within},
    model::{observed::ObservedContainer, policy::HttpProbe, units::Millis},
};
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// So much of the body is read, and so long, so that a server does not see its answer cut off. It is never judged.
const BODY_MAX: usize = 16 << 10;
const BODY_WAIT: Millis = Millis(50);

/// Asks once.
pub(super) async fn attempt(
    prober: &DockerProber,
    probe: &HttpProbe,
    timeout: Millis,
    container: &ObservedContainer,
) -> Answer {
    match place::find(prober, probe.host, probe.port, container).await {
        Ok(place) => ask(&*prober.clock, place, probe, timeout).await,
        Err(answer) => answer,
    }
}

async fn ask(clock: &dyn Clock, place: Place, probe: &HttpProbe, timeout: Millis) -> Answer {
    let request = match request(probe, &place.host()) {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    let began = clock.now();
    let stream = match place::connect(place, timeout).await {
        Ok(stream) => stream,
        Err(error) => return place::refused(&error),
    };
    let (answer, _connection) = match send(stream, request).await {
        Ok(answer) => answer,
        Err(error) => return Answer::no(error),
    };
    let status = answer.status();
    let took = clock.now().since(began).0;
    within(clock, BODY_WAIT, read(answer.into_body())).await;
    Answer { ok: (200..400).contains(&status.as_u16()), text: format!("{} in {took} ms", status.to_string().trim()) }
}

/// The task that serves a connection: it ends with this, also when an attempt is given up half-way.
struct Connection(tokio::task::JoinHandle<hyper::Result<()>>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn send(
    stream: TcpStream,
    request: Request<Empty<Bytes>>,
) -> Result<(hyper::Response<Incoming>, Connection), String> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| format!("no HTTP: {error}"))?;
    let connection = Connection(tokio::spawn(connection));
    match sender.send_request(request).await {
        Ok(answer) => Ok((answer, connection)),
        Err(error) if error.is_incomplete_message() => Err("the connection was closed without an answer".to_owned()),
        Err(error) => Err(format!("no HTTP: {error}")),
    }
}

fn request(probe: &HttpProbe, host: &str) -> Result<Request<Empty<Bytes>>, Answer> {
    let path = if probe.path.is_empty() { "/" } else { probe.path.as_str() };
    let mut request = Request::get(path)
        .body(Empty::new())
        .map_err(|_| Answer::no(format!("`{path}` is no path that can be asked for")))?;
    let headers = request.headers_mut();
    let own = [(HOST, host), (USER_AGENT, concat!("evenkeel/", env!("CARGO_PKG_VERSION"))), (CONNECTION, "close")];
    for (name, value) in own {
        headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
    }
    for (name, value) in &probe.headers {
        let header = (name.parse::<HeaderName>().ok()).zip(HeaderValue::from_str(value.reveal()).ok());
        let Some((header, value)) = header else {
            return Err(Answer::no(format!("the header `{name}` can't be sent")));
        };
        headers.insert(header, value);
    }
    Ok(request)
}

async fn read(mut body: Incoming) {
    let mut size = 0;
    while let Some(Ok(frame)) = body.frame().await {
        size += frame.data_ref().map_or(0, Bytes::len);
        if size > BODY_MAX {
            return;
        }
    }
}

#[cfg(test)]
mod tests;

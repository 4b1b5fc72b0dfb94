//! What evenkeel says of itself over HTTP: `/healthz` while its loops turn, `/readyz` while it can do its work. Views of
//! what others know; no rule is here, and nothing can be changed.

use crate::{
    daemon::health::{Health, Reason},
    home,
};
use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::net::TcpListener;

/// What the pages show.
pub struct Pages {
    pub health: Arc<Health>,
    pub state_dir: PathBuf,
}

/// Takes the port. Nothing is answered before `serve`.
///
/// # Errors
/// It is taken, or may not be used.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Answers for ever.
pub async fn serve(listener: TcpListener, pages: Arc<Pages>) {
    // It only ends when the listener does, which is closed with the process.
    let _ = axum::serve(listener, router(pages)).await;
}

fn router(pages: Arc<Pages>) -> Router {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(pages)
}

async fn healthz(State(pages): State<Arc<Pages>>, headers: HeaderMap) -> Response {
    answer(pages.health.stuck(), &headers)
}

async fn readyz(State(pages): State<Arc<Pages>>, headers: HeaderMap) -> Response {
    let mut reasons = pages.health.unready();
    if let Err(error) = home::check_writable(&pages.state_dir) {
        let mut text = error.to_string();
        if let Some(cause) = std::error::Error::source(&error) {
            text = format!("{text}: {cause}");
        }
        reasons.push(Reason { code: "home", stack: None, since: None, text });
    }
    answer(reasons, &headers)
}

/// As JSON: `{"ok": false, "reasons": [{"code", "stack", "since", "text"}]}`.
#[derive(Serialize)]
struct Body {
    ok: bool,
    reasons: Vec<Reason>,
}

fn answer(reasons: Vec<Reason>, headers: &HeaderMap) -> Response {
    let ok = reasons.is_empty();
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let accepts = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accepts.contains("application/json") {
        let body = serde_json::to_string(&Body { ok, reasons }).unwrap_or_default();
        return (status, [(CONTENT_TYPE, "application/json")], body).into_response();
    }
    let text = if ok { "ok\n".to_owned() } else { reasons.iter().map(|reason| format!("{}\n", reason.text)).collect() };
    (status, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::clock::SystemClock, model::units::Millis};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    async fn ask(address: SocketAddr, path: &str, accept: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: t\r\nAccept: {accept}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        let body = reply.split_once("\r\n\r\n").unwrap().1.to_owned();
        (reply[9..12].parse().unwrap(), body)
    }

    #[tokio::test]
    async fn the_pages_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let health = Arc::new(Health::new(Arc::new(SystemClock::start())));
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let taken = listen(address).await.unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        let pages = Arc::new(Pages { health: health.clone(), state_dir: folder.path().join("state") });
        std::fs::create_dir(&pages.state_dir).unwrap();
        tokio::spawn(serve(listener, pages));

        assert_eq!(ask(address, "/healthz", "*/*").await, (200, "ok\n".into()));
        let (status, text) = ask(address, "/readyz", "*/*").await;
        assert!(status == 503 && text.starts_with("the engine can't be reached since "), "{status} {text}");
        health.engine_is_back();
        assert_eq!(
            ask(address, "/readyz", "text/html, application/json").await,
            (200, r#"{"ok":true,"reasons":[]}"#.into())
        );
        health.turns("webkit", Millis::seconds(60));
        health.fails("webkit", "no disk");
        std::fs::remove_dir(folder.path().join("state")).unwrap();
        let (status, text) = ask(address, "/readyz", "application/json").await;
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &json["ok"]), (503, &false.into()));
        assert_eq!(json["reasons"][0]["code"], "rounds");
        assert_eq!(json["reasons"][0]["stack"], "webkit");
        assert_eq!(json["reasons"][1]["code"], "home");
        assert_eq!(ask(address, "/healthz", "*/*").await.0, 200);
        assert_eq!(ask(address, "/other", "*/*").await.0, 404);
    }
}

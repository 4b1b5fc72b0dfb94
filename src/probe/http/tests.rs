//! Real connections to small servers on this machine's loopback.

use super::*;
use crate::{
    engine::clock::SystemClock,
    model::{policy::ProbeHost, value::Value},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

fn probe(path: &str) -> HttpProbe {
    HttpProbe { port: 0, path: path.into(), headers: [].into(), host: ProbeHost::Container }
}

/// Answers one request with this text; gives the request.
async fn server(answer: &'static str) -> (Place, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = Place::Address(listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    (place, served)
}

async fn asked(place: Place, probe: &HttpProbe) -> Answer {
    ask(&SystemClock::start(), place, probe, Millis::seconds(5)).await
}

#[tokio::test]
async fn two_hundreds_and_three_hundreds_are_success() {
    let cases = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, "200 OK in "),
        ("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", true, "302 Found in "),
        ("HTTP/1.0 204 No Content\r\n\r\n", true, "204 No Content in "),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false, "404 Not Found in "),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\nwait", false, "503 Service Unavailable in "),
    ];
    for (text, ok, expected) in cases {
        let (place, _served) = server(text).await;
        let answer = asked(place, &probe("/health")).await;
        assert_eq!(answer.ok, ok, "{answer:?}");
        assert!(answer.text.starts_with(expected) && answer.text.ends_with(" ms"), "{answer:?}");
    }
}

#[tokio::test]
async fn the_request_is_a_get_with_the_headers_as_given() {
    let (place, served) = server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let mut probe = probe("/health?full=1");
    probe.headers.insert("Host".into(), Value::plain("api.example.com"));
    probe.headers.insert("X-Token".into(), Value::sensitive("hunter2"));
    assert!(asked(place, &probe).await.ok);
    let request = served.await.unwrap().to_ascii_lowercase();
    assert!(request.starts_with("get /health?full=1 http/1.1\r\n"), "{request}");
    assert!(request.contains("host: api.example.com\r\n") && request.contains("x-token: hunter2\r\n"), "{request}");
    assert_eq!(request.matches("host:").count(), 1, "{request}");
}

#[tokio::test]
async fn what_is_no_http_is_no_success() {
    let (place, _served) = server("hello\r\n\r\n").await;
    let answer = asked(place, &probe("/")).await;
    assert!(!answer.ok && answer.text.starts_with("no HTTP: "), "{answer:?}");
    let (place, _served) = server("").await;
    assert_eq!(asked(place, &probe("/")).await, Answer::no("the connection was closed without an answer"));
}

#[tokio::test]
async fn nobody_listening_is_connection_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = Place::Address(listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(asked(place, &probe("/")).await, Answer::no("connection refused"));
}

#[tokio::test]
async fn what_can_not_be_sent_is_named_without_its_value() {
    let place = Place::Address("127.0.0.1:9".parse().unwrap());
    let mut header = probe("/");
    header.headers.insert("X-Token".into(), Value::sensitive("hunter2\n"));
    assert_eq!(asked(place, &header).await, Answer::no("the header `X-Token` can't be sent"));
    let answer = asked(place, &probe("not a path")).await;
    assert_eq!(answer, Answer::no("`not a path` is no path that can be asked for"));
}

#[tokio::test]
async fn a_body_without_end_does_not_hold_the_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = Place::Address(listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut rest = Vec::new();
        // Ends only when the prober lets go.
        let _ = stream.read_to_end(&mut rest).await;
    });
    assert!(asked(place, &probe("/events")).await.ok);
    served.await.unwrap();
}

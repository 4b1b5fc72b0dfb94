//! An engine's socket with somebody in between: passes every request on, remembers those that could change something, and
//! can end the program that talks just before or just after one of them. Speaks as much HTTP/1.1 as an engine does.

use std::{
    path::{Path, PathBuf},
    process::Child,
    sync::{Arc, Mutex},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

/// When to end the program: around its `nth` call that could change something, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The engine never hears of the call.
    Before(usize),
    /// The engine has carried it out, and the program never hears of it.
    After(usize),
}

#[derive(Default)]
struct State {
    calls: Vec<String>,
    cut: Option<Cut>,
    victim: Option<Child>,
}

/// See the head of this file. It listens until it is dropped.
pub struct Proxy {
    folder: TempDir,
    state: Arc<Mutex<State>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Proxy {
    /// Stands before the engine at `host`, a `unix://` address.
    pub fn before(host: &str) -> Proxy {
        let engine = PathBuf::from(host.trim_start_matches("unix://"));
        let folder = tempfile::Builder::new().prefix("evk-proxy.").tempdir().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let _inside = runtime.enter();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let shared = state.clone();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (engine, shared) = (engine.clone(), shared.clone());
                tokio::spawn(async move {
                    // Either side may hang up at any time.
                    let _ = pass(client, &engine, &shared).await;
                });
            }
        });
        Proxy { folder, state, runtime: Some(runtime) }
    }

    /// What `DOCKER_HOST` says to come through here.
    pub fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    /// The calls that could change something since this was asked last, `METHOD PATH`.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }

    /// Ends a program at a cut; waits until it has ended, by the cut or by itself. Whether it was cut.
    pub fn cut(&self, cut: Cut, start: impl FnOnce() -> Child) -> bool {
        {
            let mut state = self.state.lock().unwrap();
            state.calls.clear();
            state.cut = Some(cut);
            state.victim = Some(start());
        }
        loop {
            std::thread::sleep(std::time::Duration::from_millis(5));
            let mut state = self.state.lock().unwrap();
            if let Some(_status) = state.victim.as_mut().unwrap().try_wait().unwrap() {
                state.victim = None;
                return state.cut.take().is_none();
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl State {
    /// Ends the program when this is the cut.
    fn reach(&mut self, cut: Cut) -> bool {
        let reached = self.cut == Some(cut);
        if reached {
            self.cut = None;
            let victim = self.victim.as_mut().expect("a cut has a program");
            victim.kill().unwrap();
            victim.wait().unwrap();
        }
        reached
    }
}

/// The head of a message, and what came with it.
struct Message {
    head: Vec<u8>,
    rest: Vec<u8>,
}

impl Message {
    async fn read(stream: &mut UnixStream, mut bytes: Vec<u8>) -> std::io::Result<Option<Message>> {
        loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                let rest = bytes.split_off(end + 4);
                return Ok(Some(Message { head: bytes, rest }));
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.head).into_owned()
    }

    fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let line = text.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))?;
        Some(line[name.len() + 1..].trim().to_ascii_lowercase())
    }
}

/// Passes a body on; what came of the next message is given back.
async fn pass_body(message: Message, from: &mut UnixStream, to: &mut UnixStream) -> std::io::Result<Vec<u8>> {
    let chunked = message.header("transfer-encoding").is_some_and(|encoding| encoding.contains("chunked"));
    let length = message.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut rest = message.rest;
    if chunked {
        loop {
            let line = read_line(from, &mut rest).await?;
            let size = String::from_utf8_lossy(&line);
            let size = usize::from_str_radix(size.trim().split(';').next().unwrap_or_default(), 16).unwrap_or(0);
            to.write_all(&line).await?;
            pass_bytes(from, to, &mut rest, size + 2).await?;
            if size == 0 {
                return Ok(rest);
            }
        }
    }
    pass_bytes(from, to, &mut rest, length).await?;
    Ok(rest)
}

async fn read_line(from: &mut UnixStream, rest: &mut Vec<u8>) -> std::io::Result<Vec<u8>> {
    loop {
        if let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
            let after = rest.split_off(end + 2);
            return Ok(std::mem::replace(rest, after));
        }
        if from.read_buf(rest).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn pass_bytes(
    from: &mut UnixStream,
    to: &mut UnixStream,
    rest: &mut Vec<u8>,
    mut left: usize,
) -> std::io::Result<()> {
    while left > 0 {
        if rest.is_empty() && from.read_buf(rest).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let now = left.min(rest.len());
        to.write_all(&rest[..now]).await?;
        rest.drain(..now);
        left -= now;
    }
    Ok(())
}

async fn pass(mut client: UnixStream, engine: &Path, shared: &Mutex<State>) -> std::io::Result<()> {
    let mut engine = UnixStream::connect(engine).await?;
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    loop {
        let Some(request) = Message::read(&mut client, asked).await? else { return Ok(()) };
        let first = request.text().lines().next().unwrap_or_default().to_owned();
        let call = first.trim_end_matches(" HTTP/1.1").to_owned();
        let number = if changes(&call) {
            let mut state = shared.lock().unwrap();
            state.calls.push(call.clone());
            let number = state.calls.len();
            if state.reach(Cut::Before(number)) {
                return Ok(());
            }
            Some(number)
        } else {
            None
        };
        let upgrade = request.header("upgrade").is_some();
        engine.write_all(&request.head).await?;
        asked = pass_body(request, &mut client, &mut engine).await?;
        let Some(reply) = Message::read(&mut engine, answered).await? else { return Ok(()) };
        if number.is_some_and(|number| shared.lock().unwrap().reach(Cut::After(number))) {
            return Ok(());
        }
        client.write_all(&reply.head).await?;
        let status = reply.text().split(' ').nth(1).unwrap_or_default().to_owned();
        if status == "101" || upgrade {
            client.write_all(&reply.rest).await?;
            tokio::io::copy_bidirectional(&mut client, &mut engine).await?;
            return Ok(());
        }
        if call.starts_with("HEAD") || status == "204" || status == "304" {
            answered = reply.rest;
        } else if reply.header("transfer-encoding").is_none() && reply.header("content-length").is_none() {
            // It ends with the connection.
            client.write_all(&reply.rest).await?;
            tokio::io::copy(&mut engine, &mut client).await?;
            return Ok(());
        } else {
            answered = pass_body(reply, &mut engine, &mut client).await?;
        }
    }
}

/// Everything but questions; waiting for a container is one, though it is a POST.
fn changes(call: &str) -> bool {
    !call.starts_with("GET ") && !call.starts_with("HEAD ") && !call.contains("/wait")
}

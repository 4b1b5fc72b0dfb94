//! An engine's socket with somebody in between, who passes everything on and notes what is asked of the engine, and when.

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// Those that a request can begin with.
const METHODS: [&str; 5] = ["GET ", "HEAD ", "POST ", "PUT ", "DELETE "];

type Asked = Arc<Mutex<Vec<(Instant, String)>>>;

/// See the head of this file. It listens until the program ends.
pub struct Between {
    folder: tempfile::TempDir,
    asked: Asked,
}

impl Between {
    /// Stands before the engine that `DOCKER_HOST` names.
    pub fn engine() -> Between {
        let engine = std::env::var("DOCKER_HOST").expect("DOCKER_HOST names a unix socket");
        let engine = engine.trim_start_matches("unix://").to_owned();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let listener = UnixListener::bind(folder.path().join("docker.sock")).expect("a socket");
        let asked = Asked::default();
        let shared = asked.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(engine) = UnixStream::connect(&engine) else { continue };
                let pair = || Some((client.try_clone().ok()?, engine.try_clone().ok()?));
                if let (Some((asks, hears)), Some((answered, answers))) = (pair(), pair()) {
                    let shared = shared.clone();
                    std::thread::spawn(move || pass(asks, hears, |bytes| note(&shared, bytes)));
                    std::thread::spawn(move || pass(answers, answered, |_| ()));
                }
            }
        });
        Between { folder, asked }
    }

    /// What `DOCKER_HOST` says to come through here.
    pub fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    /// What was asked since the last time, `METHOD PATH`.
    pub fn asked(&self) -> Vec<(Instant, String)> {
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream, see: impl Fn(&[u8])) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        see(&bytes[..count]);
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    // Either side may have hung up by now.
    let _ = to.shutdown(Shutdown::Write);
}

/// A client asks one thing after the other, so a request begins where bytes begin to come.
fn note(asked: &Asked, bytes: &[u8]) {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    if METHODS.iter().any(|method| line.starts_with(method)) {
        let what = line.trim_end_matches(" HTTP/1.1").split('?').next().unwrap_or_default().to_owned();
        asked.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), what));
    }
}

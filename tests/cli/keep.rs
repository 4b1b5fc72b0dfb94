//! `run` where there is no engine: what it refuses, what it says of itself, and how it ends.

use crate::run::Folder;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A `run` that goes on, killed with the value.
struct Going {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
}

impl Going {
    /// Starts it and waits until it waits for the engine.
    fn start(folder: &Folder, arguments: &[&str]) -> Going {
        Going::of(folder.command(&[&["run"], arguments].concat()))
    }

    fn of(mut command: Command) -> Going {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let said = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut going = Going { child, said };
        let line = going.line();
        assert!(line.starts_with("waiting for the engine: could not connect to the engine at "), "{line}");
        going
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("a line");
        line
    }

    fn signal(&self, signal: i32) {
        // SAFETY: the process is our child and not waited for yet.
        let sent = unsafe { libc::kill(i32::try_from(self.child.id()).expect("a pid"), signal) };
        assert_eq!(sent, 0);
    }

    fn code(mut self) -> Option<i32> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            match self.child.try_wait().expect("it can be waited for") {
                Some(status) => return status.code(),
                None => assert!(Instant::now() < deadline, "it does not end"),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        // One that has ended already is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port()
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").expect("a request");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    reply
}

#[test]
fn it_waits_for_the_engine_says_so_and_ends_when_asked() {
    let folder = Folder::of(&[]);
    let port = free_port();
    let going = Going::start(&folder, &["--listen", &format!("127.0.0.1:{port}")]);
    assert!(get(port, "/healthz").starts_with("HTTP/1.1 200 OK"));
    let ready = get(port, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("the engine can't be reached since "), "{ready}");

    let second = folder.evenkeel(&["run", "--listen", "none"]);
    assert!(second.contains("exit 6\n") && second.contains("runs on this home since "), "{second}");
    let other = Folder::of(&[]);
    let taken = other.evenkeel(&["run", "--listen", &format!("127.0.0.1:{port}")]);
    assert!(taken.contains("exit 3\n") && taken.contains("could not listen on"), "{taken}");
    assert!(taken.contains("hint: `--listen ADDRESS:PORT`"), "{taken}");

    going.signal(libc::SIGTERM);
    assert_eq!(going.code(), Some(0));
}

#[test]
fn with_nohup_it_goes_on_when_its_terminal_is_gone() {
    let folder = Folder::of(&[]);
    for ignored in [false, true] {
        let port = free_port();
        let mut command = folder.command(&["run", "--listen", &format!("127.0.0.1:{port}")]);
        if ignored {
            // SAFETY: signal(2) may be called between fork and exec.
            unsafe {
                command.pre_exec(|| {
                    libc::signal(libc::SIGHUP, libc::SIG_IGN);
                    Ok(())
                })
            };
        }
        let mut going = Going::of(command);
        going.signal(libc::SIGHUP);
        if ignored {
            // Whoever ends does not answer any more.
            (0..5).for_each(|_| assert!(get(port, "/healthz").starts_with("HTTP/1.1 200 OK")));
            assert_eq!(going.child.try_wait().expect("it can be waited for"), None);
            going.signal(libc::SIGTERM);
        }
        assert_eq!(going.code(), Some(0));
    }
}

#[test]
fn a_manifest_that_nothing_would_read_is_refused() {
    let folder = Folder::of(&[("evenkeel.yaml", "")]);
    let text = folder.evenkeel(&["run", "-f", "evenkeel.yaml", "--listen", "none"]);
    assert!(text.contains("exit 2\n") && text.contains("`--follow`"), "{text}");
    let text = folder.evenkeel(&["run", "--resync", "0", "--listen", "none"]);
    assert!(text.contains("exit 2\n") && text.contains("at least `1s`"), "{text}");
}

#[test]
fn its_own_compose_file_is_one_that_it_would_keep() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/evenkeel/compose.yaml");
    let text = Folder::of(&[]).evenkeel(&["-f", file, "validate"]);
    assert!(text.contains("exit 0\n") && text.contains("evenkeel is valid: 1 service"), "{text}");
}

//! Connecting from inside a container's network namespace. A thread of its own enters the namespace, connects, and ends;
//! the socket stays in the namespace it was made in and is used from outside. Needs root.

use crate::model::units::Millis;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::{
    fs::File,
    io,
    net::{Ipv4Addr, SocketAddr},
    os::fd::AsFd,
};
use tokio::{net::TcpStream, sync::oneshot};

/// Connects to 127.0.0.1 at this port, as the process sees it.
pub(super) async fn connect(pid: u32, port: u16, timeout: Millis) -> io::Result<TcpStream> {
    let (send, receive) = oneshot::channel();
    let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
    // Never a thread of the runtime: it would go on in the other namespace with whatever it runs next.
    std::thread::Builder::new().name("namespace".to_owned()).spawn(move || {
        let connected = enter(pid).and_then(|()| std::net::TcpStream::connect_timeout(&address, timeout.duration()));
        let _ = send.send(connected);
    })?;
    let stream = receive.await.map_err(|_| io::Error::other("the connecting thread ended"))??;
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}

/// Moves the calling thread into the network namespace of a process, for good.
fn enter(pid: u32) -> io::Result<()> {
    if pid == 0 {
        return Err(io::Error::other("it has no process"));
    }
    let place = format!("/proc/{pid}/ns/net");
    let namespace = File::open(&place).map_err(|error| explained(&error))?;
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|error| explained(&error.into()))
}

fn explained(error: &io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            io::Error::new(error.kind(), "a probe inside a network namespace needs root; use an `exec` probe")
        }
        io::ErrorKind::NotFound => io::Error::new(error.kind(), "its process is gone"),
        kind => io::Error::new(kind, format!("could not enter its network namespace: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Read,
        net::TcpListener,
        process::{Child, Command, Stdio},
    };

    /// A process in a network namespace of its own, ended with the test.
    struct Elsewhere(Child);

    impl Elsewhere {
        /// `None` where this machine does not let us make one.
        fn start() -> Option<Elsewhere> {
            let mut child = Command::new("unshare")
                .args(["--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 60"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .ok()?;
            let mut said = [0; 3];
            let up = child.stdout.take()?.read_exact(&mut said).is_ok();
            let elsewhere = Elsewhere(child);
            up.then_some(elsewhere)
        }

        /// Listens on its loopback.
        fn listen(&self) -> TcpListener {
            let pid = self.0.id();
            let listening = std::thread::spawn(move || enter(pid).and_then(|()| TcpListener::bind("127.0.0.1:0")));
            listening.join().unwrap().unwrap()
        }
    }

    impl Drop for Elsewhere {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[tokio::test]
    async fn loopback_is_that_of_the_process() {
        if !rustix::process::geteuid().is_root() {
            let refused = connect(1, 80, Millis::seconds(1)).await.unwrap_err();
            assert!(refused.to_string().contains("needs root"), "{refused}");
            return;
        }
        let elsewhere = Elsewhere::start().unwrap();
        let listener = elsewhere.listen();
        let port = listener.local_addr().unwrap().port();
        let stream = connect(elsewhere.0.id(), port, Millis::seconds(5)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap().port(), port);
        listener.accept().unwrap();
        drop(listener);
        let refused = connect(elsewhere.0.id(), port, Millis::seconds(5)).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let namespace = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).unwrap();
        assert_eq!(namespace("thread-self"), namespace("self"), "no thread of the runtime has moved");
        assert_ne!(namespace("self"), namespace(&elsewhere.0.id().to_string()));
    }

    #[tokio::test]
    async fn a_process_that_is_gone_is_said_so() {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let error = connect(child.id(), 80, Millis::seconds(1)).await.unwrap_err();
        assert_eq!(error.to_string(), "its process is gone");
        assert_eq!(connect(0, 80, Millis::seconds(1)).await.unwrap_err().to_string(), "it has no process");
    }
}

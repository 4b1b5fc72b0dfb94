//! What a service manager is told, as sd_notify(3) says it: ready, what goes on, alive, stopping. Without one, nothing.

use super::health::Health;
use crate::{engine::clock::Clock, model::units::Millis};
use std::{
    io,
    os::{linux::net::SocketAddrExt, unix::net::SocketAddr, unix::net::UnixDatagram},
};

/// The service manager, where there is one.
#[derive(Debug, Default)]
pub struct Service {
    place: Option<SocketAddr>,
    /// It wants to hear from us at least so often.
    watchdog: Option<Millis>,
}

impl Service {
    /// From the environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Service {
        let place = variable("NOTIFY_SOCKET").filter(|path| !path.is_empty());
        let place = place.and_then(|path| match path.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name).ok(),
            None => SocketAddr::from_pathname(path).ok(),
        });
        let ours = variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let microseconds = variable("WATCHDOG_USEC").filter(|_| ours).and_then(|text| text.parse::<u64>().ok());
        Service { place, watchdog: microseconds.map(|span| Millis(span / 1000)).filter(|span| span.0 > 0) }
    }

    /// All is set up.
    pub fn ready(&self) {
        self.say("READY=1");
    }

    /// What `systemctl status` shows.
    pub fn status(&self, text: &str) {
        self.say(&format!("STATUS={}", text.replace('\n', " ")));
    }

    /// The end is near.
    pub fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// Says that we live, twice as often as is wanted and for as long as no loop is stuck. For ever.
    pub async fn live(&self, clock: &dyn Clock, health: &Health) {
        let Some(span) = self.watchdog else { return std::future::pending().await };
        loop {
            if health.stuck().is_empty() {
                self.say("WATCHDOG=1");
            }
            clock.sleep(Millis((span.0 / 2).max(1))).await;
        }
    }

    /// A manager that does not listen is no reason to stop.
    fn say(&self, text: &str) {
        let Some(place) = &self.place else { return };
        let sent = || -> io::Result<usize> {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            socket.send_to_addr(text.as_bytes(), place)
        };
        if let Err(error) = sent() {
            tracing::debug!(%error, "the service manager does not listen");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::clock::SystemClock;
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_is_stuck_ends_the_signs_of_life() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let heard = UnixDatagram::bind(&path).unwrap();
        heard.set_nonblocking(true).unwrap();
        let service = Service::of(|name| match name {
            "NOTIFY_SOCKET" => Some(path.display().to_string()),
            "WATCHDOG_USEC" => Some("20000000".into()),
            _ => None,
        });
        let next = || {
            let mut buffer = [0_u8; 100];
            let length = heard.recv(&mut buffer).ok()?;
            Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
        };
        service.ready();
        service.status("keeping\n1 stack");
        assert_eq!((next().as_deref(), next().as_deref()), (Some("READY=1"), Some("STATUS=keeping 1 stack")));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let health = Health::new(clock.clone());
        health.turns("webkit", Millis::seconds(5));
        let watched = crate::engine::clock::within(&*clock, Millis::seconds(64), service.live(&*clock, &health));
        assert!(watched.await.is_none());
        // At 0, 10, 20 and 30 seconds; from 35 on it is stuck.
        let signs: Vec<String> = std::iter::from_fn(next).collect();
        assert_eq!(signs, ["WATCHDOG=1"; 4]);
    }

    #[test]
    fn another_process_own_watchdog_is_not_ours() {
        let service = Service::of(|name| match name {
            "WATCHDOG_PID" => Some("1".into()),
            "WATCHDOG_USEC" => Some("20000000".into()),
            _ => None,
        });
        assert_eq!(service.watchdog, None);
        service.ready();
    }
}

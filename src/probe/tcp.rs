//! A connection that opens.

use super::{
    Answer, DockerProber,
    place::{self, Place},
};
use crate::{
    engine::clock::Clock,
    model::{observed::ObservedContainer, policy::TcpProbe, units::Millis},
};

/// Connects once.
pub(super) async fn attempt(
    prober: &DockerProber,
    probe: &TcpProbe,
    timeout: Millis,
    container: &ObservedContainer,
) -> Answer {
    match place::find(prober, probe.host, probe.port, container).await {
        Ok(place) => ask(&*prober.clock, place, timeout).await,
        Err(answer) => answer,
    }
}

async fn ask(clock: &dyn Clock, place: Place, timeout: Millis) -> Answer {
    let began = clock.now();
    match place::connect(place, timeout).await {
        Ok(_) => Answer::yes(format!("open in {} ms", clock.now().since(began).0)),
        Err(error) => place::refused(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::clock::SystemClock;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn an_open_port_answers_and_a_closed_one_refuses() {
        let (clock, listener) = (SystemClock::start(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let place = Place::Address(listener.local_addr().unwrap());
        let answer = ask(&clock, place, Millis::seconds(5)).await;
        assert!(answer.ok && answer.text.starts_with("open in "), "{answer:?}");
        drop(listener);
        assert_eq!(ask(&clock, place, Millis::seconds(5)).await, Answer::no("connection refused"));
    }
}

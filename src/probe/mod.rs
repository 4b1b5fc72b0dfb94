//! One attempt of a probe: http, tcp, exec, Docker's health. Used by gates, by liveness and by monitors; none of them is
//! known here, and no more than one attempt is judged.

mod docker;
mod exec;
mod http;
mod namespace;
mod place;
mod simulated;
mod tcp;

use crate::{
    engine::{
        Engine,
        clock::{Clock, within},
    },
    model::{
        observed::ObservedContainer,
        policy::{Probe, ProbeKind},
    },
};
use async_trait::async_trait;
use std::sync::Arc;

pub use simulated::SimulatedProber;

/// Makes attempts. The real one connects; the simulated one asks the simulated engine.
#[async_trait]
pub trait Prober: Send + Sync {
    /// One attempt at this container, within the probe's timeout.
    async fn attempt(&self, probe: &Probe, container: &ObservedContainer) -> Answer;
}

/// What one attempt gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub ok: bool,
    /// For people: `200 OK in 3 ms`, `connection refused`, `exit 1: …`. Holds no sensitive value.
    pub text: String,
}

impl Answer {
    fn yes(text: impl Into<String>) -> Answer {
        Answer { ok: true, text: text.into() }
    }

    fn no(text: impl Into<String>) -> Answer {
        Answer { ok: false, text: text.into() }
    }
}

/// The real prober: connects from the engine's own host, and runs commands through the engine.
#[derive(Clone)]
pub struct DockerProber {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
}

impl DockerProber {
    /// Takes the engine whose containers are asked, and the clock that times out.
    pub fn new(engine: Arc<dyn Engine>, clock: Arc<dyn Clock>) -> DockerProber {
        DockerProber { engine, clock }
    }
}

#[async_trait]
impl Prober for DockerProber {
    async fn attempt(&self, probe: &Probe, container: &ObservedContainer) -> Answer {
        let attempt = async {
            match &probe.attempt {
                ProbeKind::Http(http) => http::attempt(self, http, probe.timeout, container).await,
                ProbeKind::Tcp(tcp) => tcp::attempt(self, tcp, probe.timeout, container).await,
                ProbeKind::Exec(exec) => exec::attempt(&*self.engine, exec, container).await,
                ProbeKind::Docker {} => docker::attempt(container),
            }
        };
        let answer = within(&*self.clock, probe.timeout, attempt).await;
        answer.unwrap_or_else(|| Answer::no(format!("no answer within {}", probe.timeout)))
    }
}

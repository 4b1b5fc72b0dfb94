//! One attempt of a probe: http, tcp, exec, Docker's health. Used by gates, by liveness and by monitors; none of them is
//! known here, and no more than one attempt is judged.

use crate::model::{observed::ObservedContainer, policy::Probe};
use async_trait::async_trait;

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

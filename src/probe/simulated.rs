//! Probes of simulated containers: the simulated engine knows how they answer.

use super::{Answer, Prober};
use crate::{
    engine::simulated::SimulatedEngine,
    model::{observed::ObservedContainer, policy::Probe},
};
use async_trait::async_trait;

/// Asks the simulated engine.
pub struct SimulatedProber {
    engine: SimulatedEngine,
}

impl SimulatedProber {
    /// Of the containers of this engine.
    pub fn new(engine: SimulatedEngine) -> SimulatedProber {
        SimulatedProber { engine }
    }
}

#[async_trait]
impl Prober for SimulatedProber {
    async fn attempt(&self, probe: &Probe, container: &ObservedContainer) -> Answer {
        let answer = self.engine.answer(probe, container);
        Answer { ok: answer.ok, text: answer.text }
    }
}

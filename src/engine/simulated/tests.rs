//! The simulated engine by itself: each surprise of Docker 20.10, and each fault.

mod faults;
mod lives;
mod surprises;

use super::*;
use crate::{
    engine::{Containers, clock::SystemClock},
    model::{
        container::{ContainerSpec, NetworkMode, RestartPolicy},
        names::{ContainerId, ContainerName},
        observed::{ObservedContainer, Status},
        units::Timestamp,
    },
};

/// A simulated engine with one image that sleeps.
struct Scene {
    engine: SimulatedEngine,
    clock: Arc<dyn Clock>,
    image: ImageId,
}

impl Scene {
    fn new(behaviour: Behaviour) -> Scene {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start_at(Timestamp(1_800_000_000_000)));
        let engine = SimulatedEngine::new(clock.clone(), 7);
        let image = engine.add_image("web:1", ImageConfig::default(), behaviour);
        Scene { engine, clock, image }
    }

    async fn create(&self, name: &str, spec: ContainerSpec) -> ContainerId {
        let mut spec = ContainerSpec { image: "web:1".into(), ..spec };
        if spec.network_mode == NetworkMode::Networks && spec.networks.is_empty() {
            spec.network_mode = NetworkMode::Bridge;
        }
        self.engine.create_container(&ContainerName::from(name), &self.image, &spec).await.unwrap().id
    }

    async fn run(&self, name: &str, spec: ContainerSpec) -> ContainerId {
        let id = self.create(name, spec).await;
        self.engine.start_container(&id).await.unwrap();
        id
    }

    async fn inspect(&self, name: &str) -> ObservedContainer {
        self.engine.inspect_container(name).await.unwrap()
    }

    async fn status(&self, name: &str) -> Status {
        self.inspect(name).await.state.status
    }

    async fn pass(&self, milliseconds: u64) {
        self.clock.sleep(Millis(milliseconds)).await;
    }
}

fn restarts(restart: RestartPolicy) -> ContainerSpec {
    ContainerSpec { restart, ..ContainerSpec::default() }
}

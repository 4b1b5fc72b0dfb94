//! The surprises of Docker 20.10, each on the simulated engine.

use super::*;
use crate::{
    engine::{Containers, ErrorKind, clock::SystemClock},
    model::{
        container::{ContainerSpec, RestartPolicy},
        names::{ContainerId, ContainerName},
        observed::Status,
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
        let spec = ContainerSpec { image: "web:1".into(), ..spec };
        self.engine.create_container(&ContainerName::from(name), &self.image, &spec).await.unwrap().id
    }

    async fn run(&self, name: &str, spec: ContainerSpec) -> ContainerId {
        let id = self.create(name, spec).await;
        self.engine.start_container(&id).await.unwrap();
        id
    }

    async fn status(&self, name: &str) -> Status {
        self.engine.inspect_container(name).await.unwrap().state.status
    }
}

fn restarts(restart: RestartPolicy) -> ContainerSpec {
    ContainerSpec { restart, ..ContainerSpec::default() }
}

#[tokio::test(start_paused = true)]
async fn the_engine_starts_what_its_policy_says_when_it_comes_back() {
    let scene = Scene::new(Behaviour::default());
    let cases = [
        ("no", RestartPolicy::No),
        ("always", RestartPolicy::Always),
        ("unless", RestartPolicy::UnlessStopped),
        ("failure", RestartPolicy::OnFailure(0)),
    ];
    for (name, policy) in cases {
        scene.run(&format!("running-{name}"), restarts(policy)).await;
        let stopped = scene.run(&format!("stopped-{name}"), restarts(policy)).await;
        scene.engine.stop_container(&stopped, None).await.unwrap();
        scene.create(&format!("created-{name}"), restarts(policy)).await;
    }
    scene.engine.restart_engine(Millis::seconds(3));
    let away = scene.engine.inspect_container("running-no").await.unwrap_err();
    assert_eq!((away.kind, away.sent), (ErrorKind::Unreachable, Sent::NotSent));
    scene.clock.sleep(Millis::seconds(3)).await;
    let mut running = Vec::new();
    for container in scene.engine.list_containers().await.unwrap() {
        if container.running {
            running.push(container.name.to_string());
        }
    }
    running.sort();
    // A stop gave it code 143, which its policy takes for a failure.
    let expected = ["running-always", "running-failure", "running-unless", "stopped-always", "stopped-failure"];
    assert_eq!(running, expected);
    assert_eq!(scene.status("created-always").await, Status::Created);
}

//! What every test here needs: the engine, and a name of its own whose containers, networks and volumes are gone after it.

use evenkeel::{
    engine::{Containers, EngineResult, Networks, Volumes, connect, docker::DockerEngine},
    model::{
        container::ContainerSpec,
        names::{ContainerId, ContainerName, ImageId, NetworkName, VolumeName},
    },
};
use std::{
    collections::BTreeSet,
    future::Future,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// A small image with busybox in it, that `tests/images/ensure` has put on the engine.
pub const IMAGE: &str = "evenkeel-test/web:1";

/// The socket of the engine under test.
fn socket() -> PathBuf {
    connect::socket(|name| std::env::var(name).ok()).expect("DOCKER_HOST names a unix socket")
}

async fn engine_at(socket: &Path) -> DockerEngine {
    DockerEngine::connect(socket).await.expect("an engine to test on: `scripts/engine` starts one")
}

/// The id of an image that must be there.
pub async fn image_id(engine: &DockerEngine, reference: &str) -> ImageId {
    use evenkeel::engine::Images;
    let image = engine.inspect_image(reference).await.unwrap();
    image.unwrap_or_else(|| panic!("{reference} is missing: run tests/images/ensure")).id
}

/// A spec that runs a shell script in the test image and can be stopped at once.
pub fn script(text: &str) -> ContainerSpec {
    ContainerSpec {
        image: IMAGE.into(),
        command: Some(["/bin/sh", "-c", text].map(evenkeel::model::value::Value::plain).into()),
        stop_signal: Some("SIGKILL".into()),
        ..ContainerSpec::default()
    }
}

/// Names for one test, and the promise that nothing of them is left.
pub struct Place {
    pub engine: DockerEngine,
    prefix: String,
}

impl Place {
    /// Runs a test and cleans up after it, whether it passes or panics.
    pub async fn with<F: Future<Output = ()> + Send + 'static>(test: impl FnOnce(std::sync::Arc<Place>) -> F) {
        Place::on(socket(), test).await;
    }

    /// The same on the engine behind another socket.
    pub async fn on<F: Future<Output = ()> + Send + 'static>(
        socket: PathBuf,
        test: impl FnOnce(std::sync::Arc<Place>) -> F,
    ) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() % 1_000_000_000;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("evk-test-{}-{now}-{count}", std::process::id());
        let place = std::sync::Arc::new(Place { engine: engine_at(&socket).await, prefix });
        let outcome = tokio::spawn(test(place.clone())).await;
        place.clean().await.expect("nothing is left");
        if let Err(failed) = outcome {
            std::panic::resume_unwind(failed.into_panic());
        }
    }

    /// A name that nothing else on this engine has.
    pub fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.prefix)
    }

    /// Creates a container and starts it.
    pub async fn run(&self, what: &str, spec: &ContainerSpec) -> ContainerId {
        let id = self.create(what, spec).await;
        self.engine.start_container(&id).await.unwrap();
        id
    }

    /// Creates a container.
    pub async fn create(&self, what: &str, spec: &ContainerSpec) -> ContainerId {
        let image = image_id(&self.engine, spec.image.as_str()).await;
        let name = ContainerName::new(self.name(what));
        self.engine.create_container(&name, &image, spec).await.unwrap().id
    }

    async fn clean(&self) -> EngineResult<()> {
        for container in self.engine.list_containers().await? {
            if container.name.as_str().starts_with(&self.prefix) {
                self.engine.remove_container(&container.id, true, true).await?;
            }
        }
        for network in self.engine.list_networks(&BTreeSet::<NetworkName>::new()).await? {
            if network.name.as_str().starts_with(&self.prefix) {
                self.engine.remove_network(&network.name).await?;
            }
        }
        for volume in self.engine.list_volumes().await? {
            if volume.name.as_str().starts_with(&self.prefix) {
                self.engine.remove_volume(&VolumeName::new(volume.name.as_str())).await?;
            }
        }
        Ok(())
    }
}

//! The two engines under comparison, and how each does a step.

use super::{
    operations::{Operation, Until, prefixed},
    sights::{Symbols, answer, seen},
};
use evenkeel::{
    engine::{
        Engine,
        clock::{Clock, SystemClock},
        docker::DockerEngine,
        simulated::{Behaviour, Foreign, SimulatedEngine},
    },
    model::{
        container::{Attachment, WrittenFile},
        desired::{AddressPool, Network, NetworkDefinition, Volume},
        image::ImageConfig,
        names::{ContainerId, ContainerName, ImageId, ImageReference, NetworkName, VolumeName},
        observed::EngineFacts,
        units::Millis,
        value::Value,
    },
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

/// Reference, what the image provides, and how its process behaves.
pub type Images = Vec<(&'static str, ImageConfig, Behaviour)>;

/// No wait for a state takes longer.
const PATIENCE: Millis = Millis::minutes(1);

/// One engine with a course's names on it.
pub struct Subject {
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    prefix: String,
    outside: Outside,
    folder: tempfile::TempDir,
}

/// What is done past evenkeel.
enum Outside {
    Simulated(SimulatedEngine),
    Real(Option<Arc<PrivateEngine>>),
}

impl Subject {
    pub fn simulated(prefix: &str, facts: EngineFacts, images: Images) -> Subject {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let engine = SimulatedEngine::new(clock.clone(), 1);
        engine.set_facts(|own| {
            *own = facts;
            // 20.10 does not say it.
            let first = own.cgroup_version == 1;
            own.supports.blkio_weight = !first || Path::new("/sys/fs/cgroup/blkio/blkio.weight").exists();
        });
        for (reference, config, behaviour) in images {
            engine.add_image(reference, config, behaviour);
        }
        let subject = Subject::new(prefix, Arc::new(engine.clone()), clock, Outside::Simulated(engine.clone()));
        engine.miss_path(&subject.path("nowhere"));
        subject
    }

    pub fn real(prefix: &str, engine: DockerEngine, private: Option<Arc<PrivateEngine>>) -> Subject {
        Subject::new(prefix, Arc::new(engine), Arc::new(SystemClock::start()), Outside::Real(private))
    }

    fn new(prefix: &str, engine: Arc<dyn Engine>, clock: Arc<dyn Clock>, outside: Outside) -> Subject {
        let folder = tempfile::tempdir().unwrap();
        Subject { engine, clock, prefix: prefix.to_owned(), outside, folder }
    }

    /// Does a whole course; what is seen after each step.
    pub async fn run(self, course: &[Operation]) -> Vec<String> {
        let mut symbols = Symbols::default();
        let mut sights = Vec::new();
        for operation in course {
            let answered = self.step(operation).await;
            let sight = match operation {
                Operation::Await(..) | Operation::Begin(_) => String::new(),
                _ => format!("{answered}\n{}", seen(&*self.engine, &self.prefix, &mut symbols).await),
            };
            sights.push(sight.replace(&self.path(""), "FOLDER/"));
        }
        sights
    }

    async fn step(&self, operation: &Operation) -> String {
        use Operation::*;
        let engine = &self.engine;
        match operation {
            CreateNetwork(name, subnet) => {
                let pools = subnet.map(|subnet| AddressPool { subnet: Some(subnet.into()), ..AddressPool::default() });
                let definition = NetworkDefinition { pools: pools.into_iter().collect(), ..Default::default() };
                answer(&engine.create_network(&self.network(name), &Network { definition, ..Default::default() }).await)
            }
            RemoveNetwork(name) => answer(&engine.remove_network(&self.network(name)).await),
            CreateVolume(name, label) => {
                let labels = [("label".to_owned(), Value::plain(*label))].into();
                let volume = Volume { labels, ..Volume::default() };
                answer(&engine.create_volume(&VolumeName::new(self.named(name)), &volume).await)
            }
            RemoveVolume(name) => answer(&engine.remove_volume(&VolumeName::new(self.named(name))).await),
            Tag(from, to) => {
                let image = engine.inspect_image(from).await.unwrap().map_or_else(no_image, |image| image.id);
                answer(&engine.tag_image(&image, &self.tag(to)).await)
            }
            Untag(tag) => answer(&engine.untag_image(&self.tag(tag)).await),
            Kill(name) => self.outside("kill", name, Foreign::Kill),
            Pause(name) => self.outside("pause", name, Foreign::Pause),
            Restart(name) => self.outside("restart", name, Foreign::Restart),
            Disconnect(name, network) => self.disconnect(name, network),
            Write(content) => self.write(content),
            RestartEngine => self.restart_engine().await,
            _ => self.step_of_container(operation).await,
        }
    }

    async fn step_of_container(&self, operation: &Operation) -> String {
        use Operation::*;
        let engine = &self.engine;
        match operation {
            Create(name, spec) => {
                let image = engine.inspect_image(spec.image.as_str()).await.unwrap();
                let image = image.map_or_else(no_image, |image| image.id);
                let spec = prefixed(spec, &self.prefix, &self.path(""));
                let made = engine.create_container(&ContainerName::new(self.named(name)), &image, &spec).await;
                answer(&made.map(|made| made.warnings))
            }
            CreateFromNothing(name) => {
                let name = ContainerName::new(self.named(name));
                let made = engine.create_container(&name, &no_image(), &super::operations::web()).await;
                answer(&made.map(|made| made.warnings))
            }
            Connect(name, network) => {
                let aliases = ["alias".into()].into();
                let attachment = Attachment { aliases, ..Attachment::default() };
                answer(&engine.connect(&self.id(name).await, &self.network(network), &attachment).await)
            }
            Start(name) | Begin(name) => answer(&engine.start_container(&self.id(name).await).await),
            Unpause(name) => answer(&engine.unpause_container(&self.id(name).await).await),
            Stop(name, grace) => {
                answer(&engine.stop_container(&self.id(name).await, Some(Millis::seconds(*grace))).await)
            }
            Remove(name, force, volumes) => {
                answer(&engine.remove_container(&self.id(name).await, *force, *volumes).await)
            }
            Rename(name, to) => {
                answer(&engine.rename_container(&self.id(name).await, &ContainerName::new(self.named(to))).await)
            }
            Update(name, limits, restart) => {
                answer(&engine.update_container(&self.id(name).await, limits, *restart).await)
            }
            Exec(name, command) => {
                let command: Vec<String> = command.iter().map(|word| word.to_string()).collect();
                answer(&engine.exec(&self.id(name).await, &command).await)
            }
            Put(name, path, content) => {
                let file = WrittenFile { content: Value::plain(*content), mode: 0o444, owner: None };
                answer(&engine.put_file(&self.id(name).await, path, &file).await)
            }
            Log(name) => answer(&engine.container_log(&self.id(name).await, 1000).await.map(|log| log.len() > 1000)),
            Await(name, until) => self.wait(name, *until).await,
            other => panic!("{other:?} is no step of a container"),
        }
    }

    async fn wait(&self, name: &str, until: Until) -> String {
        let began = self.clock.now();
        loop {
            let state = self.engine.inspect_container(&self.named(name)).await.unwrap().state;
            let reached = match until {
                Until::Status(status) => state.status == status,
                Until::Health(health) => state.health == health,
                Until::Restarts(count) => state.restart_count >= count,
            };
            if reached {
                return String::new();
            }
            assert!(self.clock.now().since(began) < PATIENCE, "{name} never came to {until:?}: {state:?}");
            self.clock.sleep(Millis(20)).await;
        }
    }

    /// What a person does with `docker`, and nothing of evenkeel's does.
    fn outside(&self, verb: &str, name: &str, foreign: fn(ContainerName) -> Foreign) -> String {
        match &self.outside {
            Outside::Simulated(engine) => done(engine.meddle(&foreign(ContainerName::new(self.named(name)))).is_ok()),
            Outside::Real(private) => done(docker(private, &[verb, &self.named(name)])),
        }
    }

    fn disconnect(&self, name: &str, network: &str) -> String {
        match &self.outside {
            Outside::Simulated(engine) => {
                let name = ContainerName::new(self.named(name));
                done(engine.meddle(&Foreign::Disconnect(name, self.network(network))).is_ok())
            }
            Outside::Real(private) => {
                done(docker(private, &["network", "disconnect", self.network(network).as_str(), &self.named(name)]))
            }
        }
    }

    fn write(&self, content: &str) -> String {
        let path = self.path("app.conf");
        match &self.outside {
            Outside::Simulated(engine) => {
                engine.meddle(&Foreign::Write(path, content.to_owned())).unwrap();
            }
            Outside::Real(_) => {
                std::fs::write(self.path("new"), content).unwrap();
                std::fs::rename(self.path("new"), path).unwrap();
            }
        }
        String::new()
    }

    async fn restart_engine(&self) -> String {
        match &self.outside {
            Outside::Simulated(engine) => {
                engine.restart_engine(Millis::seconds(1));
                self.clock.sleep(Millis::seconds(1)).await;
            }
            Outside::Real(private) => private.as_ref().expect("only a private engine is restarted").restart(),
        }
        String::new()
    }

    /// The id of a container, or a text that is none's.
    async fn id(&self, name: &str) -> ContainerId {
        match self.engine.inspect_container(&self.named(name)).await {
            Ok(container) => container.id,
            Err(_) => ContainerId::new("0".repeat(64)),
        }
    }

    fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn network(&self, name: &str) -> NetworkName {
        NetworkName::new(self.named(name))
    }

    fn tag(&self, name: &str) -> ImageReference {
        ImageReference::new(self.named(name))
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder.path().display())
    }
}

/// The id of no image.
fn no_image() -> ImageId {
    ImageId::new(format!("sha256:{}", "0".repeat(64)))
}

fn done(done: bool) -> String {
    format!("done: {done}")
}

fn docker(private: &Option<Arc<PrivateEngine>>, arguments: &[&str]) -> bool {
    let mut command = Command::new("docker");
    if let Some(private) = private {
        command.env("DOCKER_HOST", &private.address);
    }
    command.args(arguments).output().expect("the docker command is installed").status.success()
}

/// An engine of the test's own, to be restarted.
pub struct PrivateEngine {
    name: String,
    address: String,
}

impl PrivateEngine {
    pub fn start(name: &str) -> PrivateEngine {
        let name = format!("{name}-{}", std::process::id());
        let owner = std::process::id().to_string();
        let address = script(&["start", &name, "--images", "web", "--owner", &owner]);
        PrivateEngine { name, address }
    }

    pub fn socket(&self) -> PathBuf {
        PathBuf::from(self.address.trim_start_matches("unix://"))
    }

    fn restart(&self) {
        script(&["restart", &self.name]);
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        script(&["stop", &self.name]);
    }
}

fn script(arguments: &[&str]) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/private-engine");
    let output = Command::new(path).args(arguments).output().expect("scripts/private-engine runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "scripts/private-engine {arguments:?}: {err}");
    out.trim().to_owned()
}

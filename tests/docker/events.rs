//! The stream of events: each kind of change is told, of the stack that it is about, and nothing else is. One story, told
//! by the real engine and by the simulated one.

use crate::support::{IMAGE, Place, image_id};
use evenkeel::{
    engine::{
        Engine, EngineEvents, ErrorKind, Images, System,
        clock::SystemClock,
        docker::DockerEngine,
        simulated::{Behaviour, Foreign, SimulatedEngine},
    },
    model::{
        container::{Attachment, ContainerSpec, Healthcheck, Limits, NetworkMode, RestartPolicy},
        desired::{Network, Volume},
        names::{ContainerId, ContainerName, ImageId, NetworkName, VolumeName},
        observed::Health,
        units::Millis,
        value::Value,
    },
};
use futures::StreamExt;
use std::{collections::BTreeSet, path::Path, process::Command, sync::Arc, time::Duration};

/// What a person does; words as of the command `docker`.
type Outside<'a> = &'a (dyn Fn(&[&str]) + Send + Sync);

struct Story<'a> {
    engine: &'a dyn Engine,
    image: ImageId,
    /// Also the name of the stack.
    prefix: &'a str,
    outside: Outside<'a>,
}

impl Story<'_> {
    fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.prefix)
    }

    fn labels<N: for<'a> From<&'a str>, T: FromIterator<(N, Value)>>(&self) -> T {
        T::from_iter([(N::from("com.docker.compose.project"), Value::plain(self.prefix))])
    }

    async fn create(&self, what: &str, spec: ContainerSpec) -> ContainerId {
        let name = ContainerName::new(self.name(what));
        let spec = ContainerSpec { image: IMAGE.into(), ..spec };
        self.engine.create_container(&name, &self.image, &spec).await.unwrap().id
    }

    async fn healthy(&self, what: &str) {
        while self.engine.inspect_container(&self.name(what)).await.unwrap().state.health != Health::Healthy {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything that is told of, once each, with the names as they are without the prefix.
    async fn told(&self) -> BTreeSet<String> {
        let events = self.engine.watch().await.unwrap();
        // At once: whose a network is, is asked while it is there.
        let ((), told) = tokio::join!(self.happens(), self.listen(events));
        told
    }

    async fn listen(&self, mut events: EngineEvents) -> BTreeSet<String> {
        let (last, mut told) = (format!("rename {}", self.name("last")), BTreeSet::new());
        loop {
            let next = tokio::time::timeout(Duration::from_secs(60), events.next());
            let event = next.await.unwrap_or_else(|_| panic!("never the last one: {told:#?}"));
            let event = event.expect("it does not end").unwrap();
            if event.what == last {
                return told;
            }
            let of = event.stack.map_or("all".to_owned(), |stack| stack.to_string());
            // Others use this engine too.
            if event.what.contains(self.prefix) || of.contains(self.prefix) {
                told.insert(format!("{of}: {}", event.what).replace(self.prefix, "P"));
            }
        }
    }

    async fn happens(&self) {
        let engine = self.engine;
        let (net, data) = (NetworkName::new(self.name("net")), VolumeName::new(self.name("data")));
        let network = Network { labels: self.labels(), ..Network::default() };
        engine.create_network(&net, &network).await.unwrap();
        let volume = Volume { labels: self.labels(), ..Volume::default() };
        engine.create_volume(&data, &volume).await.unwrap();
        let check = Healthcheck {
            test: ["CMD", "true"].map(Value::plain).into(),
            interval: Some(Millis(200)),
            ..Healthcheck::default()
        };
        let web = self
            .create(
                "web",
                ContainerSpec {
                    labels: self.labels(),
                    networks: [(net.clone(), Attachment::default())].into_iter().collect(),
                    healthcheck: Some(check),
                    ..ContainerSpec::default()
                },
            )
            .await;
        engine.start_container(&web).await.unwrap();
        self.healthy("web").await;
        engine.exec(&web, &["true".to_owned()]).await.unwrap();
        (self.outside)(&["pause", &self.name("web")]);
        engine.unpause_container(&web).await.unwrap();
        self.healthy("web").await;
        let limits = Limits { pids: Some(50), ..Limits::default() };
        engine.update_container(&web, &limits, Some(RestartPolicy::Always)).await.unwrap();
        engine.rename_container(&web, &ContainerName::new(self.name("core"))).await.unwrap();
        (self.outside)(&["network", "disconnect", net.as_str(), &self.name("core")]);
        engine.connect(&web, &net, &Attachment::default()).await.unwrap();
        engine.stop_container(&web, Some(Millis(0))).await.unwrap();
        engine.remove_container(&web, false, true).await.unwrap();
        engine.remove_network(&net).await.unwrap();
        engine.remove_volume(&data).await.unwrap();
        self.of_nobody().await;
        let last = ContainerSpec { labels: self.labels(), ..plain() };
        let last = self.create("first", last).await;
        engine.rename_container(&last, &ContainerName::new(self.name("last"))).await.unwrap();
        engine.remove_container(&last, true, true).await.unwrap();
    }

    /// What no stack's label is on.
    async fn of_nobody(&self) {
        let engine = self.engine;
        let cron = self.create("cron", plain()).await;
        engine.start_container(&cron).await.unwrap();
        engine.remove_container(&cron, true, true).await.unwrap();
        let shared = NetworkName::new(self.name("shared"));
        engine.create_network(&shared, &Network::default()).await.unwrap();
        engine.remove_network(&shared).await.unwrap();
        let volume = VolumeName::new(self.name("pool"));
        engine.create_volume(&volume, &Volume::default()).await.unwrap();
        engine.remove_volume(&volume).await.unwrap();
    }
}

fn plain() -> ContainerSpec {
    ContainerSpec { network_mode: NetworkMode::Bridge, ..ContainerSpec::default() }
}

const TOLD: &[&str] = &[
    "P: connect P-net",
    "P: create P-net",
    "P: destroy P-core",
    "P: destroy P-data",
    "P: destroy P-net",
    "P: die P-core",
    "P: disconnect P-net",
    "P: health_status: healthy P-web",
    "P: pause P-web",
    "P: rename P-core",
    "P: start P-web",
    "P: unpause P-web",
    "P: update P-web",
    "all: create P-shared",
    "all: destroy P-pool",
    "all: destroy P-shared",
];

#[tokio::test]
async fn each_change_is_told_of_its_stack() {
    Place::with(|place: Arc<Place>| async move {
        let prefix = place.name("events");
        let outside = |words: &[&str]| {
            let program = crate::stack::setting("EVENKEEL_TEST_DOCKER");
            assert!(Command::new(program).args(words).status().unwrap().success(), "{words:?}");
        };
        let image = image_id(&place.engine, IMAGE).await;
        let story = Story { engine: &place.engine, image, prefix: &prefix, outside: &outside };
        assert_eq!(story.told().await.iter().collect::<Vec<_>>(), TOLD);
    })
    .await;
}

#[tokio::test]
async fn the_simulated_engine_tells_the_same() {
    Place::with(|place: Arc<Place>| async move {
        let config = place.engine.inspect_image(IMAGE).await.unwrap().unwrap().config;
        let engine = SimulatedEngine::new(Arc::new(SystemClock::start()), 1);
        let image = engine.add_image(IMAGE, config, Behaviour::default());
        let outside = |words: &[&str]| {
            let action = match words {
                ["pause", name] => Foreign::Pause((*name).into()),
                ["network", "disconnect", network, name] => Foreign::Disconnect((*name).into(), (*network).into()),
                words => panic!("{words:?}"),
            };
            engine.meddle(&action).unwrap();
        };
        let story = Story { engine: &engine, image, prefix: "evk-simulated", outside: &outside };
        let told: Vec<String> = story.told().await.iter().map(|line| line.to_owned()).collect();
        assert_eq!(told, TOLD);
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_with_an_error_when_its_engine_goes() {
    let private = crate::private::PrivateEngine::start("events", &[]);
    let host = private.place().host;
    let engine = DockerEngine::connect(Path::new(host.trim_start_matches("unix://"))).await.unwrap();
    let mut events = engine.watch().await.unwrap();
    private.tell("kill", &[]);
    let end = loop {
        match events.next().await.expect("it ends with an error") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(end.kind, ErrorKind::Unreachable, "{end}");
    assert!(events.next().await.is_none());
    assert!(engine.watch().await.is_err());
}

//! A snapshot of a real engine: what is ours, what is somebody else's, and what it is asked for.

use crate::support::{Place, image_id, script};
use evenkeel::{
    engine::{Containers, ErrorKind, Networks, Volumes, docker::DockerEngine},
    model::{
        container::{Attachment, ContainerSpec, HostPort, Limits, Mount, MountSource},
        desired::{Network, Volume},
        names::{ContainerName, NetworkName, StackName, VolumeName},
        observed::Claim,
        units::{Bytes, Timestamp},
        value::Value,
    },
    observe::{Wanted, claim_volume, observe},
};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn labels<N: for<'a> From<&'a str>, T: FromIterator<(N, Value)>>(entries: &[(&str, &str)]) -> T {
    entries.iter().map(|(name, value)| (N::from(name), Value::plain(*value))).collect()
}

#[tokio::test]
async fn ours_is_inspected_and_others_are_looked_at() {
    Place::with(|place| async move {
        let engine = &place.engine;
        let stack = StackName::new(place.name("stack"));
        let project = [("com.docker.compose.project", stack.as_str()), ("com.docker.compose.service", "core")];
        let (network, unused) = (NetworkName::new(place.name("net")), NetworkName::new(place.name("unused")));
        for name in [&network, &unused] {
            let network = Network { labels: labels(&project[..1]), ..Network::default() };
            engine.create_network(name, &network).await.unwrap();
        }
        let volume = VolumeName::new(place.name("data"));
        let ours = ContainerSpec {
            labels: labels(&project),
            networks: [(network.clone(), Attachment::default())].into_iter().collect(),
            mounts: [("/data".to_owned(), Mount::of(MountSource::Volume(volume.clone())))].into(),
            ..script("sleep 600")
        };
        let core = place.run("core", &ours).await;
        // Neither labelled as the stack's nor wanted: only the container says that it matters.
        let joined = NetworkName::new(place.name("joined"));
        engine.create_network(&joined, &Network::default()).await.unwrap();
        engine.connect(&core, &joined, &Attachment::default()).await.unwrap();
        place.create("stopped", &ContainerSpec { labels: labels(&project), ..script("true") }).await;
        let other = ContainerSpec {
            labels: labels(&[
                ("com.docker.compose.project", "theirs"),
                ("com.docker.compose.project.working_dir", "/srv"),
            ]),
            limits: Limits { memory: Some(Bytes::mebi(32)), ..Limits::default() },
            ports: [
                ("80/tcp".to_owned(), vec![HostPort { address: "127.0.0.1".into(), port: "43917".into() }]),
                ("81/tcp".to_owned(), vec![HostPort::default()]),
            ]
            .into(),
            networks: [(network.clone(), Attachment::default())].into_iter().collect(),
            ..script("sleep 600")
        };
        place.run("theirs", &other).await;
        place.run("unlimited", &script("sleep 600")).await;

        let wanted = Wanted { volumes: [VolumeName::new("nothing-of-this-name")].into(), ..Wanted::default() };
        let observed = observe(engine, &stack, &wanted, NOW).await.unwrap();
        assert_eq!(observed.at, NOW);
        assert_eq!(observed.engine.api, engine.api());
        let names = |name: &str| ContainerName::new(place.name(name));
        let ours: Vec<_> = observed.containers.keys().cloned().collect();
        assert_eq!(ours, [names("core"), names("stopped")]);
        assert!(observed.containers[&names("core")].state.is_running());
        let image = image_id(engine, crate::support::IMAGE).await;
        assert_eq!(observed.images.keys().collect::<Vec<_>>(), [&image]);
        assert!(observed.images[&image].expose.contains("8080/tcp"));

        let theirs = &observed.others[&names("theirs")];
        assert!(theirs.running && theirs.memory_used.is_none());
        assert_eq!(theirs.project.as_ref().unwrap().as_str(), "theirs");
        assert_eq!(theirs.working_dir.as_deref(), Some("/srv"));
        assert_eq!(theirs.limits.memory, Some(Bytes::mebi(32)));
        assert_eq!(theirs.published.iter().collect::<Vec<_>>(), ["127.0.0.1:43917/tcp"]);

        let unlimited = &observed.others[&names("unlimited")];
        assert!(unlimited.memory_used.is_some_and(|used| used.0 > 0 && used < Bytes::mebi(64)), "{unlimited:?}");

        assert_eq!(observed.networks[&joined].attached, [names("core")].into());
        assert_eq!(observed.networks[&network].attached, [names("core"), names("theirs")].into());
        assert!(observed.networks[&unused].attached.is_empty() && observed.networks.len() >= 5);
        assert!(observed.volumes.contains_key(&volume));
        assert_eq!(observed.claim, None);
    })
    .await;
}

#[tokio::test]
async fn the_claim_is_read_from_its_volume() {
    Place::with(|place| async move {
        let stack = StackName::new(place.name("stack"));
        let volume = Volume {
            labels: labels(&[
                ("dev.evenkeel.stack", stack.as_str()),
                ("dev.evenkeel.home", "/var/lib/evenkeel"),
                ("dev.evenkeel.machine", "m1"),
            ]),
            ..Volume::default()
        };
        place.engine.create_volume(&claim_volume(&stack), &volume).await.unwrap();
        let observed = observe(&place.engine, &stack, &Wanted::default(), NOW).await;
        place.engine.remove_volume(&claim_volume(&stack)).await.unwrap();
        let claim = Claim { stack, home: "/var/lib/evenkeel".into(), machine: "m1".into() };
        let observed = observed.unwrap();
        assert_eq!(observed.claim, Some(claim));
        assert!(observed.volumes.is_empty(), "the claim is no volume of the stack: {:?}", observed.volumes);
    })
    .await;
}

#[tokio::test]
async fn containers_that_come_and_go_meanwhile_disturb_nothing() {
    Place::with(|place| async move {
        let stack = StackName::new(place.name("stack"));
        let spec =
            ContainerSpec { labels: labels(&[("com.docker.compose.project", stack.as_str())]), ..script("true") };
        let churn = {
            let (place, spec) = (place.clone(), spec.clone());
            tokio::spawn(async move {
                for round in 0..20 {
                    let id = place.create(&format!("short-{round}"), &spec).await;
                    place.engine.remove_container(&id, true, false).await.unwrap();
                }
            })
        };
        let mut looks = 0;
        while !churn.is_finished() || looks == 0 {
            observe(&place.engine, &stack, &Wanted::default(), NOW).await.unwrap();
            looks += 1;
        }
        churn.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_engine_that_is_not_there_or_not_ours_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = DockerEngine::connect(&folder.path().join("no.sock")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.to_string().contains("no.sock"), "{error}");
    let closed = folder.path().join("closed.sock");
    drop(std::os::unix::net::UnixListener::bind(&closed).unwrap());
    let error = DockerEngine::connect(&closed).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");

    let mute = folder.path().join("mute.sock");
    let listener = tokio::net::UnixListener::bind(&mute).unwrap();
    tokio::spawn(async move {
        // Takes each connection and drops it after the request.
        while let Ok((stream, _)) = listener.accept().await {
            stream.readable().await.unwrap();
            drop(stream);
        }
    });
    let error = DockerEngine::connect(&mute).await.err().unwrap();
    assert_eq!((error.kind, error.sent), (ErrorKind::Unreachable, evenkeel::engine::Sent::MaybeSent), "{error}");
}

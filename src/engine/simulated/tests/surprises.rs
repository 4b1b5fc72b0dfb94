//! Creation, networks, volumes, updates, ports, names, images.

use super::*;
use crate::{
    engine::{ErrorKind, Images, Networks, Volumes},
    model::{
        container::{Attachment, Healthcheck, HostPort, Limits, Mount, MountSource},
        desired::{AddressPool, Network, NetworkDefinition, Volume, VolumeDefinition},
        names::{NetworkName, VolumeName},
        units::NanoCpus,
        value::Value,
    },
};
use std::collections::{BTreeMap, BTreeSet};

fn network(subnet: Option<&str>) -> Network {
    let pools = subnet.map(|subnet| AddressPool { subnet: Some(subnet.to_owned()), ..AddressPool::default() });
    let definition = NetworkDefinition { pools: pools.into_iter().collect(), ..NetworkDefinition::default() };
    Network { definition, ..Network::default() }
}

fn on(networks: &[&str]) -> ContainerSpec {
    let networks = networks.iter().map(|name| (NetworkName::from(*name), Attachment::default())).collect();
    ContainerSpec { networks, ..ContainerSpec::default() }
}

fn fixed(network: &str, address: &str) -> ContainerSpec {
    let mut spec = on(&[network]);
    for (_, attachment) in spec.networks.iter_mut() {
        attachment.ipv4 = Some(address.to_owned());
    }
    spec
}

fn mounts(entries: &[(&str, MountSource)]) -> ContainerSpec {
    let mounts = entries.iter().map(|(target, source)| (target.to_string(), Mount::of(source.clone()))).collect();
    ContainerSpec { mounts, ..ContainerSpec::default() }
}

fn publishes(address: &str, port: &str) -> ContainerSpec {
    let on = HostPort { address: address.into(), port: port.into() };
    let ports = BTreeMap::from([("80/tcp".to_owned(), vec![on])]);
    ContainerSpec { ports, network_mode: NetworkMode::Bridge, ..ContainerSpec::default() }
}

fn memory(memory: u64, swap: Option<i64>) -> Limits {
    Limits { memory: Some(Bytes::mebi(memory)), memory_swap: swap.map(|swap| swap << 20), ..Limits::default() }
}

fn kind<T: std::fmt::Debug>(answer: EngineResult<T>) -> ErrorKind {
    answer.unwrap_err().kind
}

#[tokio::test(start_paused = true)]
async fn what_the_image_and_the_engine_provide_reads_back() {
    let scene = Scene::new(Behaviour::default());
    let config = ImageConfig {
        command: Some(vec!["serve".into()]),
        environment: BTreeMap::from([("PATH".into(), "/bin".into()), ("LEVEL".into(), "info".into())]),
        labels: BTreeMap::from([("from".into(), "image".into())]),
        healthcheck: Some(Healthcheck { test: vec![Value::plain("NONE")], ..Healthcheck::default() }),
        volumes: BTreeSet::from(["/data".into()]),
        expose: BTreeSet::from(["80/tcp".into(), "81/tcp".into()]),
        ..ImageConfig::default()
    };
    let image = scene.engine.add_image("rich:1", config, Behaviour::default());
    let mut spec = publishes("", "8080");
    spec.image = "rich:1".into();
    spec.network_mode = NetworkMode::Networks;
    spec.environment.insert("LEVEL".into(), Value::plain("debug"));
    spec.limits = memory(64, None);
    spec.limits.blkio_weight = Some(300);
    let created = scene.engine.create_container(&"rich".into(), &image, &spec).await.unwrap();
    assert_eq!(created.warnings.len(), 1, "{:?}", created.warnings);
    let read = scene.inspect("rich").await.spec;
    assert_eq!(read.image.as_str(), "rich:1");
    assert_eq!(read.command, Some(vec![Value::plain("serve")]));
    assert_eq!(read.environment.get("LEVEL").unwrap().reveal(), "debug");
    assert_eq!(read.environment.get("PATH").unwrap().reveal(), "/bin");
    assert_eq!(read.labels.get("from").unwrap().reveal(), "image");
    assert_eq!(read.limits, Limits { blkio_weight: None, ..memory(64, Some(128)) });
    assert_eq!(read.expose, BTreeSet::from(["81/tcp".to_owned()]));
    assert_eq!(read.network_mode, NetworkMode::None, "on no network");
    assert!(matches!(read.mounts["/data"].source, MountSource::Anonymous(Some(_))));
    assert_eq!((read.ipc.as_deref(), read.shm_size), (Some("private"), Some(Bytes::mebi(64))));
    // By its id where the reference names another image by now.
    scene.engine.add_image("rich:1", ImageConfig::default(), Behaviour::default());
    scene.engine.create_container(&"rich-2".into(), &image, &spec).await.unwrap();
    assert_eq!(scene.inspect("rich-2").await.spec.image.as_str(), image.as_str());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_created_is_refused() {
    let scene = Scene::new(Behaviour::default());
    let engine = &scene.engine;
    scene.create("web", ContainerSpec::default()).await;
    let create = async |name: &str, spec: ContainerSpec| {
        kind(engine.create_container(&ContainerName::from(name), &scene.image, &spec).await)
    };
    assert_eq!(create("web", ContainerSpec::default()).await, ErrorKind::Conflict);
    for name in ["x", "_web", "-web", "we b", ""] {
        assert_eq!(create(name, ContainerSpec::default()).await, ErrorKind::Rejected, "{name}");
    }
    assert_eq!(create("two", on(&["a", "b"])).await, ErrorKind::Rejected);
    let limits = |limits: Limits| ContainerSpec { limits, ..ContainerSpec::default() };
    assert_eq!(create("small", limits(memory(1, None))).await, ErrorKind::Rejected);
    let cpus = Limits { cpus: Some(NanoCpus(900_000_000_000)), ..Limits::default() };
    assert_eq!(create("cpus", limits(cpus)).await, ErrorKind::Rejected);
    let swap = Limits { memory_swap: Some(64 << 20), ..Limits::default() };
    assert_eq!(create("swap", limits(swap)).await, ErrorKind::Rejected);
    engine.miss_path("/nowhere");
    assert_eq!(create("bind", mounts(&[("/x", MountSource::Bind("/nowhere".into()))])).await, ErrorKind::Rejected);
    let missing = engine.create_container(&"no".into(), &"sha256:0".into(), &ContainerSpec::default()).await;
    assert_eq!(kind(missing), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_running_container_is_connected_only_once() {
    let scene = Scene::new(Behaviour::default());
    let (one, two) = (NetworkName::from("one"), NetworkName::from("two"));
    for name in [&one, &two] {
        scene.engine.create_network(name, &network(None)).await.unwrap();
    }
    let attachment = Attachment { aliases: BTreeSet::from(["api".into()]), ..Attachment::default() };
    let id = scene.create("web", on(&["one"])).await;
    // Before its start hardly anything is checked, and a second connect changes nothing.
    scene.engine.connect(&id, &one, &attachment).await.unwrap();
    assert!(scene.inspect("web").await.spec.networks[&one].aliases.is_empty());
    scene.engine.connect(&id, &two, &attachment).await.unwrap();
    scene.engine.start_container(&id).await.unwrap();
    let read = scene.inspect("web").await;
    assert_eq!(read.addresses.len(), 2);
    assert_eq!(read.spec.networks[&two].aliases, BTreeSet::from(["api", id.short()].map(Into::into)));
    assert_eq!(kind(scene.engine.connect(&id, &two, &attachment).await), ErrorKind::Rejected);
    assert_eq!(kind(scene.engine.connect(&id, &"none-such".into(), &attachment).await), ErrorKind::NotFound);

    let host = scene.run("host", ContainerSpec { network_mode: NetworkMode::Host, ..ContainerSpec::default() }).await;
    assert_eq!(kind(scene.engine.connect(&host, &one, &attachment).await), ErrorKind::Rejected);

    scene.engine.stop_container(&id, None).await.unwrap();
    assert!(scene.inspect("web").await.addresses.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_network_in_use_stays_and_a_stopped_user_is_no_use() {
    let scene = Scene::new(Behaviour::default());
    let name = NetworkName::from("net");
    scene.engine.create_network(&name, &network(None)).await.unwrap();
    assert_eq!(kind(scene.engine.create_network(&name, &network(None)).await), ErrorKind::Conflict);
    let id = scene.run("web", on(&["net"])).await;
    assert_eq!(kind(scene.engine.remove_network(&name).await), ErrorKind::Rejected);
    let listed = scene.engine.list_networks(&BTreeSet::from([name.clone()])).await.unwrap();
    let attached = &listed.iter().find(|network| network.name == name).unwrap().attached;
    assert_eq!(*attached, BTreeSet::from(["web".into()]));
    scene.engine.stop_container(&id, None).await.unwrap();
    scene.engine.remove_network(&name).await.unwrap();
    assert_eq!(kind(scene.engine.remove_network(&name).await), ErrorKind::NotFound);
    // It remembers which network it was on; another one of that name is no help.
    scene.engine.create_network(&name, &network(None)).await.unwrap();
    assert_eq!(kind(scene.engine.start_container(&id).await), ErrorKind::NotFound);
    assert_eq!(scene.status("web").await, Status::Exited);
    assert_eq!(kind(scene.engine.remove_network(&"bridge".into()).await), ErrorKind::Rejected);
}

#[tokio::test(start_paused = true)]
async fn parallel_creates_of_one_network_make_twins() {
    let scene = Scene::new(Behaviour::default());
    let name = NetworkName::from("net");
    let (definition, engine) = (network(None), &scene.engine);
    let made = futures::future::join_all((0..20).map(|_| engine.create_network(&name, &definition))).await;
    let twins = made.iter().filter(|answer| answer.is_ok()).count();
    assert!(twins > 1, "{twins}");
    let listed = scene.engine.list_networks(&BTreeSet::new()).await.unwrap();
    assert_eq!(listed.iter().find(|network| network.name == name).unwrap().ids.len(), twins);
    assert_eq!(kind(scene.engine.remove_network(&name).await), ErrorKind::Rejected);
}

#[tokio::test(start_paused = true)]
async fn a_fixed_address_belongs_to_one_running_container() {
    let scene = Scene::new(Behaviour::default());
    scene.engine.create_network(&"net".into(), &network(Some("10.9.0.0/24"))).await.unwrap();
    scene.engine.create_network(&"auto".into(), &network(None)).await.unwrap();
    let first = scene.run("first", fixed("net", "10.9.0.5")).await;
    assert_eq!(scene.inspect("first").await.addresses[&NetworkName::from("net")], "10.9.0.5");
    let second = scene.create("second", fixed("net", "10.9.0.5")).await;
    assert_eq!(kind(scene.engine.start_container(&second).await), ErrorKind::Rejected);
    let state = scene.inspect("second").await.state;
    assert_eq!((state.status, state.exit_code), (Status::Created, 128));
    scene.engine.stop_container(&first, None).await.unwrap();
    scene.engine.start_container(&second).await.unwrap();
    let third = scene.create("third", fixed("auto", "10.8.0.9")).await;
    assert_eq!(kind(scene.engine.start_container(&third).await), ErrorKind::Rejected);
}

#[tokio::test(start_paused = true)]
async fn a_port_belongs_to_one_running_container_and_a_failed_start_leaves_it_created() {
    let scene = Scene::new(Behaviour::default());
    let first = scene.run("first", publishes("", "8080")).await;
    for (name, address) in [("second", ""), ("local", "127.0.0.1")] {
        let id = scene.create(name, publishes(address, "8080")).await;
        let error = scene.engine.start_container(&id).await.unwrap_err();
        assert_eq!((error.kind, error.sent), (ErrorKind::Rejected, Sent::MaybeSent));
        let state = scene.inspect(name).await.state;
        assert_eq!((state.status, state.exit_code, state.error), (Status::Created, 128, error.message));
        assert!(state.started_at.is_none());
    }
    scene.run("range", publishes("", "8080-8082")).await;
    scene.run("any", publishes("", "")).await;
    scene.engine.stop_container(&first, None).await.unwrap();
    let second = scene.inspect("second").await.id;
    scene.engine.start_container(&second).await.unwrap();
    assert_eq!(kind(scene.engine.start_container(&first).await), ErrorKind::Rejected);
    let state = scene.inspect("first").await.state;
    assert_eq!(
        (state.status, state.exit_code),
        (Status::Exited, 143),
        "it keeps the code of its end, where that is not 0"
    );
    scene.engine.meddle(&Foreign::TakePort(9090)).unwrap();
    let taken = scene.create("taken", publishes("", "9090")).await;
    assert_eq!(kind(scene.engine.start_container(&taken).await), ErrorKind::Rejected);
}

#[tokio::test(start_paused = true)]
async fn an_update_ignores_zeros_and_refuses_memory_alone() {
    let scene = Scene::new(Behaviour { memory: Bytes::mebi(100), ..Behaviour::default() });
    let id = scene.run("web", ContainerSpec::default()).await;
    let update = async |limits: &Limits| scene.engine.update_container(&id, limits, None).await;
    let limits = async || scene.inspect("web").await.spec.limits;
    assert_eq!(kind(update(&memory(128, None)).await), ErrorKind::Conflict, "its swap is the default");
    update(&memory(128, Some(256))).await.unwrap();
    assert_eq!(limits().await, memory(128, Some(256)));
    update(&memory(256, None)).await.expect("it fits under the swap that is set");
    assert_eq!(kind(update(&memory(257, None)).await), ErrorKind::Conflict);
    update(&Limits { memory: Some(Bytes(0)), cpus: Some(NanoCpus(0)), ..Limits::default() }).await.unwrap();
    assert_eq!(limits().await, memory(256, Some(256)), "zeros change nothing");
    assert_eq!(kind(update(&memory(1, Some(2))).await), ErrorKind::Rejected);
    assert_eq!(kind(update(&memory(64, Some(32))).await), ErrorKind::Rejected);
    let error = update(&memory(64, Some(128))).await.unwrap_err();
    assert_eq!((error.kind, error.sent), (ErrorKind::Rejected, Sent::MaybeSent), "it is below what it uses");
    assert_eq!(limits().await, memory(256, Some(256)));
    update(&Limits { pids: Some(100), ..Limits::default() }).await.unwrap();
    update(&Limits { pids: Some(-1), ..Limits::default() }).await.unwrap();
    assert_eq!(limits().await.pids, None);
    scene.engine.update_container(&id, &Limits::default(), Some(RestartPolicy::Always)).await.unwrap();
    assert_eq!(scene.inspect("web").await.spec.restart, RestartPolicy::Always);
    scene.engine.stop_container(&id, None).await.unwrap();
    update(&memory(64, Some(128))).await.expect("nothing is in use");
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_is_there_answers_as_it_is() {
    let scene = Scene::new(Behaviour::default());
    let name = VolumeName::from("data");
    let labelled = |text: &str| Volume {
        labels: BTreeMap::from([("by".to_owned(), Value::plain(text))]),
        definition: VolumeDefinition { driver: None, options: BTreeMap::from([("o".into(), Value::plain(text))]) },
        ..Volume::default()
    };
    let made = scene.engine.create_volume(&name, &labelled("one")).await.unwrap();
    assert_eq!(made.labels["by"], "one");
    assert_eq!(scene.engine.create_volume(&name, &labelled("two")).await.unwrap(), made);
    let id = scene.create("web", mounts(&[("/data", MountSource::Volume(name.clone()))])).await;
    assert_eq!(kind(scene.engine.remove_volume(&name).await), ErrorKind::Conflict);
    scene.engine.remove_container(&id, false, true).await.unwrap();
    scene.engine.remove_volume(&name).await.expect("a named one stays when its container goes with its volumes");
    assert_eq!(kind(scene.engine.remove_volume(&name).await), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn an_anonymous_volume_goes_with_whom_it_was_made_for_unless_another_has_it() {
    let scene = Scene::new(Behaviour::default());
    let volumes = async || scene.engine.list_volumes().await.unwrap().len();
    let old = scene.create("old", mounts(&[("/data", MountSource::Anonymous(None))])).await;
    let carried = scene.inspect("old").await.spec;
    let new = scene.create("new", ContainerSpec { mounts: carried.mounts.clone(), ..ContainerSpec::default() }).await;
    assert_eq!(scene.inspect("new").await.spec.mounts, carried.mounts);
    // It is named in the request of the new one, so it does not go with that one.
    scene.engine.remove_container(&new, false, true).await.unwrap();
    assert_eq!(volumes().await, 1);
    scene.engine.remove_container(&old, false, true).await.unwrap();
    assert_eq!(volumes().await, 0);

    // Carried by `volumes_from` it is as anonymous as it was, and the last one takes it along.
    let old = scene.create("old", mounts(&[("/data", MountSource::Anonymous(None))])).await;
    let new = scene.create("new", ContainerSpec { volumes_from: vec!["old".into()], ..ContainerSpec::default() }).await;
    scene.engine.remove_container(&old, false, true).await.unwrap();
    assert_eq!(volumes().await, 1, "another has it");
    scene.engine.remove_container(&new, false, true).await.unwrap();
    assert_eq!(volumes().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_container_sees_a_bound_file_as_it_was_at_its_start() {
    let scene = Scene::new(Behaviour::default());
    let write = |content: &str| scene.engine.meddle(&Foreign::Write("/srv/app.conf".into(), content.into())).unwrap();
    write("one");
    let id = scene.run("web", mounts(&[("/etc/app.conf", MountSource::Bind("/srv/app.conf".into()))])).await;
    let read = async || {
        let command = ["cat".to_owned(), "/etc/app.conf".to_owned()];
        scene.engine.exec(&id, &command).await.unwrap().output
    };
    assert_eq!(read().await, "one");
    write("two");
    assert_eq!(read().await, "one");
    scene.engine.stop_container(&id, None).await.unwrap();
    scene.engine.start_container(&id).await.unwrap();
    assert_eq!(read().await, "two");
}

#[tokio::test(start_paused = true)]
async fn names_are_one_space_and_a_running_container_is_removed_only_by_force() {
    let scene = Scene::new(Behaviour::default());
    let web = scene.run("web", ContainerSpec::default()).await;
    let other = scene.create("other", ContainerSpec::default()).await;
    assert_eq!(kind(scene.engine.rename_container(&other, &"web".into()).await), ErrorKind::Conflict);
    assert_eq!(kind(scene.engine.rename_container(&web, &"web".into()).await), ErrorKind::Rejected);
    scene.engine.rename_container(&web, &"kept".into()).await.unwrap();
    scene.engine.rename_container(&other, &"web".into()).await.unwrap();
    assert_eq!(scene.inspect("web").await.id, other);
    assert_eq!(scene.inspect(web.short()).await.name.as_str(), "kept");
    assert_eq!(kind(scene.engine.remove_container(&web, false, false).await), ErrorKind::Conflict);
    scene.engine.remove_container(&web, true, false).await.unwrap();
    assert_eq!(kind(scene.engine.remove_container(&web, true, false).await), ErrorKind::NotFound);
    assert_eq!(kind(scene.engine.start_container(&web).await), ErrorKind::NotFound);
    assert_eq!(kind(scene.engine.exec(&other, &["true".to_owned()]).await), ErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn images_are_pulled_tagged_and_untagged() {
    let scene = Scene::new(Behaviour::default());
    let engine = &scene.engine;
    let login = Login { username: Value::plain("us"), password: Value::sensitive("secret") };
    let id = engine.publish("reg/app:2", ImageConfig::default(), Behaviour::default(), Bytes(10), Some(login.clone()));
    let silent = |_: u64, _: Option<u64>| {};
    assert_eq!(engine.inspect_image("reg/app:2").await.unwrap(), None);
    assert_eq!(kind(engine.pull_image(&"reg/app:3".into(), None, None, &silent).await), ErrorKind::NotFound);
    assert_eq!(kind(engine.pull_image(&"reg/app:2".into(), None, None, &silent).await), ErrorKind::Refused);
    engine.pull_image(&"reg/app:2".into(), None, Some(&login), &silent).await.unwrap();
    let image = engine.inspect_image("reg/app:2").await.unwrap().unwrap();
    assert_eq!((&image.id, image.digests.len()), (&id, 1));
    assert_eq!(engine.inspect_image(&image.digests[0]).await.unwrap().unwrap().id, id);
    engine.create_container(&"app".into(), &id, &ContainerSpec::default()).await.unwrap();
    assert_eq!(kind(engine.untag_image(&"reg/app:2".into()).await), ErrorKind::Conflict);
    engine.tag_image(&id, &"kept:1".into()).await.unwrap();
    engine.untag_image(&"reg/app:2".into()).await.unwrap();
    assert_eq!(engine.list_tags().await.unwrap().get(&"kept:1".into()), Some(&id));
    assert_eq!(kind(engine.untag_image(&"reg/app:2".into()).await), ErrorKind::NotFound);
    engine.untag_image(&"web:1".into()).await.unwrap();
    assert_eq!(engine.inspect_image(scene.image.as_str()).await.unwrap(), None, "nothing used it");
}

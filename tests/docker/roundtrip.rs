//! What is sent to the engine reads back as it was sent, field by field; and each call does on a real engine what its
//! trait says.

use crate::support::{IMAGE, Place, image_id, script};
use evenkeel::{
    engine::{Containers, ErrorKind, Images, Networks, Sent, System, Volumes},
    model::{
        container::*,
        desired::{AddressPool, Network, NetworkDefinition, Volume, VolumeDefinition},
        fields::{difference, fields},
        names::{ContainerId, ContainerName, ImageReference, NetworkName, VolumeName},
        observed::{Health, ObservedContainer, Status},
        units::{Bytes, Millis, NanoCpus},
        value::Value,
    },
};
use std::{collections::BTreeMap, sync::Arc};

fn texts<N: for<'a> From<&'a str>, T: FromIterator<N>>(texts: &[&str]) -> T {
    texts.iter().map(|text| N::from(text)).collect()
}

fn values<N: for<'a> From<&'a str>, T: FromIterator<(N, Value)>>(entries: &[(&str, &str)]) -> T {
    entries.iter().map(|(name, value)| (N::from(name), Value::plain(*value))).collect()
}

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn bind(path: &str) -> Mount {
    Mount { create_host_path: true, ..Mount::of(MountSource::Bind(path.into())) }
}

/// As many fields as this engine and its kernel hold.
fn rich(place: &Place) -> ContainerSpec {
    let volume = VolumeName::new(place.name("data"));
    ContainerSpec {
        image: IMAGE.into(),
        entrypoint: Some(vec![Value::plain("/bin/sh"), Value::plain("-c")]),
        command: Some(vec![Value::plain("sleep 600")]),
        environment: values(&[("LOG_LEVEL", "debug"), ("EMPTY", ""), ("EQUALS", "a=b=c"), ("LINES", "one\ntwo")]),
        labels: values(&[("us.team", "core"), ("com.docker.compose.project", "evk"), ("empty", "")]),
        working_dir: Some("/tmp".into()),
        user: Some("0:0".into()),
        group_add: texts(&["33", "44"]),
        hostname: Some("core".into()),
        domainname: Some("example.com".into()),
        stop_signal: Some("SIGINT".into()),
        stop_grace: Some(Millis::seconds(7)),
        tty: true,
        stdin_open: true,
        init: Some(true),
        read_only: true,
        restart: RestartPolicy::OnFailure(3),
        healthcheck: Some(Healthcheck {
            test: vec![Value::plain("CMD-SHELL"), Value::plain("true")],
            interval: Some(Millis(1500)),
            timeout: Some(Millis::seconds(2)),
            start_period: Some(Millis::seconds(5)),
            start_interval: None,
            retries: Some(4),
        }),
        limits: Limits {
            memory: Some(Bytes::mebi(64)),
            memory_swap: Some(96 << 20),
            memory_reservation: Some(Bytes::mebi(32)),
            memory_swappiness: Some(10),
            cpus: Some(NanoCpus(500_000_000)),
            pids: Some(50),
            cpu_shares: Some(512),
            cpuset: Some("0".into()),
            oom_kill_disable: Some(true),
            oom_score_adj: Some(100),
            ..Limits::default()
        },
        ulimits: [("nofile".to_owned(), Ulimit { soft: 1024, hard: 2048 })].into(),
        ports: [
            ("8080/tcp".to_owned(), vec![HostPort { address: "127.0.0.1".into(), port: String::new() }]),
            ("53/udp".to_owned(), vec![HostPort::default()]),
        ]
        .into(),
        expose: texts(&["9000/tcp"]),
        mounts: [
            ("/bound".to_owned(), bind("/tmp")),
            ("/read".to_owned(), Mount { read_only: true, ..bind("/etc") }),
            (
                "/shared".to_owned(),
                Mount { propagation: Some("private".into()), ..Mount::of(MountSource::Bind("/etc".into())) },
            ),
            ("/strict".to_owned(), Mount { read_only: true, ..Mount::of(MountSource::Bind("/usr".into())) }),
            ("/data".to_owned(), Mount::of(MountSource::Volume(volume.clone()))),
            ("/nocopy".to_owned(), Mount { no_copy: true, ..Mount::of(MountSource::Volume(volume)) }),
            (
                "/tmpfs".to_owned(),
                Mount { tmpfs_options: Some("size=4m,mode=1777".into()), ..Mount::of(MountSource::Tmpfs) },
            ),
            ("/plain".to_owned(), Mount::of(MountSource::Tmpfs)),
            ("/short".to_owned(), Mount { tmpfs_options: Some(String::new()), ..Mount::of(MountSource::Tmpfs) }),
            (
                "/sized".to_owned(),
                Mount { tmpfs_size: Some(Bytes::mebi(8)), tmpfs_mode: Some(0o700), ..Mount::of(MountSource::Tmpfs) },
            ),
        ]
        .into(),
        networks: [(
            NetworkName::new(place.name("net")),
            Attachment {
                aliases: texts(&["core", "api"]),
                ipv4: Some("10.213.7.9".into()),
                mac: Some("02:42:0a:d5:07:63".into()),
                ..Attachment::default()
            },
        )]
        .into_iter()
        .collect(),
        ipc: Some("private".into()),
        pid: Some("host".into()),
        shm_size: Some(Bytes::mebi(16)),
        cap_add: texts(&["NET_ADMIN"]),
        cap_drop: texts(&["CHOWN", "KILL"]),
        security_opt: texts(&["no-new-privileges:true"]),
        sysctls: map(&[("net.core.somaxconn", "1024")]),
        devices: [("/dev/mynull".to_owned(), Device { source: "/dev/null".into(), permissions: "rwm".into() })].into(),
        device_cgroup_rules: texts(&["c 1:3 rw"]),
        dns: texts(&["10.0.0.53"]),
        dns_search: texts(&["example.com"]),
        dns_options: texts(&["ndots:2"]),
        extra_hosts: texts(&["db:10.0.0.5"]),
        logging: Some(Logging {
            driver: Some("json-file".into()),
            options: values(&[("max-size", "1m"), ("max-file", "2")]),
        }),
        ..ContainerSpec::default()
    }
}

async fn network(place: &Place, what: &str) -> NetworkName {
    let name = NetworkName::new(place.name(what));
    let pools = vec![AddressPool { subnet: Some("10.213.7.0/24".into()), ..AddressPool::default() }];
    let definition = NetworkDefinition { pools, ..NetworkDefinition::default() };
    place.engine.create_network(&name, &Network { definition, ..Network::default() }).await.unwrap();
    name
}

/// What the engine and the image add to a spec that is silent about it, as this engine does it.
fn with_defaults(mut spec: ContainerSpec, read: &ContainerSpec) -> ContainerSpec {
    spec.environment.entry("PATH".into()).or_insert(Value::plain("/bin"));
    spec.environment.entry("VERSION".into()).or_insert(Value::plain("1"));
    spec.expose.insert("8080/tcp".into());
    let ports: Vec<String> = spec.ports.keys().cloned().collect();
    spec.expose.retain(|port| !ports.contains(port));
    spec.runtime = Some("runc".into());
    spec.cgroupns = read.cgroupns.clone();
    // Sharing the host's processes switches labels off.
    spec.security_opt.insert("label=disable".into());
    spec
}

#[track_caller]
fn assert_same(sent: &ContainerSpec, read: &ContainerSpec) {
    let differences = difference(&fields(sent), &fields(read));
    assert!(differences.is_empty(), "what was sent → what reads back: {differences:#?}");
}

#[tokio::test]
async fn a_container_reads_back_as_it_was_sent() {
    Place::with(|place| async move {
        network(&place, "net").await;
        let sent = rich(&place);
        let id = place.create("rich", &sent).await;
        let created = place.engine.inspect_container(id.as_str()).await.unwrap();
        assert_same(&with_defaults(sent.clone(), &created.spec), &created.spec);
        assert_eq!(created.state.status, Status::Created);
        assert_eq!(created.name.as_str(), place.name("rich"));
        assert_eq!(created.image, image_id(&place.engine, IMAGE).await);

        place.engine.start_container(&id).await.unwrap();
        let running = place.engine.inspect_container(created.name.as_str()).await.unwrap();
        let mut expected = with_defaults(sent, &running.spec);
        // From its start on it has its short id as an alias too.
        for (_, attachment) in expected.networks.iter_mut() {
            attachment.aliases.insert(id.short().into());
        }
        assert_same(&expected, &running.spec);
        assert_eq!(running.state.status, Status::Running);
        assert_eq!(running.state.health, Health::Starting);
        assert!(running.state.pid > 0 && running.state.started_at.is_some() && running.state.finished_at.is_none());
        let network = NetworkName::new(place.name("net"));
        assert_eq!(running.addresses.get(&network).map(String::as_str), Some("10.213.7.9"));
    })
    .await;
}

#[tokio::test]
async fn a_silent_spec_reads_back_with_what_image_and_engine_provide() {
    Place::with(|place| async move {
        let sent = ContainerSpec {
            image: "evenkeel-test/web:volume".into(),
            network_mode: NetworkMode::None,
            ..ContainerSpec::default()
        };
        let id = place.create("silent", &sent).await;
        let read = place.engine.inspect_container(id.as_str()).await.unwrap().spec;
        let MountSource::Anonymous(Some(volume)) = read.mounts["/data"].source.clone() else {
            panic!("the image's volume is anonymous: {:?}", read.mounts);
        };
        let expected = ContainerSpec {
            command: Some(vec![Value::plain("/bin/web")]),
            environment: values(&[("PATH", "/bin"), ("VERSION", "1")]),
            expose: texts(&["8080/tcp"]),
            mounts: [("/data".to_owned(), Mount::of(MountSource::Anonymous(Some(volume.clone()))))].into(),
            ipc: Some("private".into()),
            cgroupns: read.cgroupns.clone(),
            runtime: Some("runc".into()),
            shm_size: Some(Bytes::mebi(64)),
            logging: Some(Logging { driver: Some("json-file".into()), options: BTreeMap::new() }),
            ..sent.clone()
        };
        assert_same(&expected, &read);

        // The volume goes on to another container by its name, and is anonymous there too.
        let carried = ContainerSpec { mounts: read.mounts.clone(), ..sent };
        let next = place.create("next", &carried).await;
        let next = place.engine.inspect_container(next.as_str()).await.unwrap();
        assert_eq!(next.spec.mounts, read.mounts);
    })
    .await;
}

#[tokio::test]
async fn whose_namespaces_it_uses_reads_back() {
    Place::with(|place| async move {
        let parent = place.run("parent", &script("sleep 600")).await;
        let shared = format!("container:{parent}");
        let sent = ContainerSpec {
            network_mode: NetworkMode::Container(parent.clone()),
            ipc: Some("shareable".into()),
            pid: Some(shared.as_str().into()),
            volumes_from: vec![format!("{parent}:ro")],
            ..script("sleep 600")
        };
        let id = place.create("child", &sent).await;
        let read = place.engine.inspect_container(id.as_str()).await.unwrap().spec;
        assert_eq!(read.network_mode, NetworkMode::Container(parent.clone()));
        assert_eq!(read.hostname, None);
        assert_eq!((read.ipc, read.pid, read.volumes_from), (sent.ipc, sent.pid, sent.volumes_from));
        assert!(read.networks.is_empty() && read.mounts.is_empty());

        let host = ContainerSpec { network_mode: NetworkMode::Host, ..script("sleep 600") };
        let id = place.create("host", &host).await;
        let read = place.engine.inspect_container(id.as_str()).await.unwrap().spec;
        assert_eq!((read.network_mode, read.networks.len()), (NetworkMode::Host, 0));

        let bridge = ContainerSpec { network_mode: NetworkMode::Bridge, ..script("sleep 600") };
        let id = place.run("bridge", &bridge).await;
        let read = place.engine.inspect_container(id.as_str()).await.unwrap();
        assert_eq!((read.spec.network_mode.clone(), read.spec.networks.len()), (NetworkMode::Bridge, 0));
        assert!(read.addresses.contains_key(&NetworkName::new("bridge")), "{:?}", read.addresses);
    })
    .await;
}

#[tokio::test]
async fn a_second_network_is_connected_with_its_aliases_and_only_once() {
    Place::with(|place| async move {
        let (first, second) = (NetworkName::new(place.name("a")), NetworkName::new(place.name("b")));
        for name in [&first, &second] {
            place.engine.create_network(name, &Network::default()).await.unwrap();
        }
        let networks = [(first.clone(), Attachment::default())].into_iter().collect();
        let id = place.create("web", &ContainerSpec { networks, ..script("sleep 600") }).await;
        let attachment = Attachment { aliases: texts(&["api"]), ..Attachment::default() };
        place.engine.connect(&id, &second, &attachment).await.unwrap();
        place.engine.start_container(&id).await.unwrap();
        let read = place.engine.inspect_container(id.as_str()).await.unwrap();
        assert!(read.spec.networks[&second].aliases.contains("api"), "{:?}", read.spec.networks);
        assert_eq!(read.addresses.len(), 2);

        let error = place.engine.connect(&id, &second, &attachment).await.unwrap_err();
        assert_eq!((error.kind, error.sent), (ErrorKind::Rejected, Sent::NotSent), "{error}");

        let listed = place.engine.list_networks(&[first.clone()].into()).await.unwrap();
        let of = |name: &NetworkName| listed.iter().find(|network| network.name == *name).unwrap();
        assert_eq!(of(&first).attached, [ContainerName::new(place.name("web"))].into());
        assert!(of(&second).attached.is_empty(), "it was not asked for");
        let error = place.engine.remove_network(&first).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected, "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_network_reads_back_and_is_made_only_once() {
    Place::with(|place| async move {
        let name = NetworkName::new(place.name("net"));
        let network = Network {
            definition: NetworkDefinition {
                driver: Some("bridge".into()),
                options: map(&[("com.docker.network.bridge.enable_icc", "false")]),
                internal: true,
                attachable: true,
                ipv6: Some(false),
                pools: vec![AddressPool {
                    subnet: Some("10.213.8.0/24".into()),
                    ip_range: Some("10.213.8.128/25".into()),
                    gateway: Some("10.213.8.1".into()),
                    auxiliary: map(&[("router", "10.213.8.2")]),
                }],
                ..NetworkDefinition::default()
            },
            labels: values(&[("us", "yes")]),
            ..Network::default()
        };
        place.engine.create_network(&name, &network).await.unwrap();
        let error = place.engine.create_network(&name, &network).await.unwrap_err();
        assert_eq!((error.kind, error.sent), (ErrorKind::Conflict, Sent::NotSent), "{error}");
        let listed = place.engine.list_networks(&[name.clone()].into()).await.unwrap();
        let read = listed.into_iter().find(|network| network.name == name).unwrap();
        assert_eq!(read.definition, network.definition);
        assert_eq!(read.labels, map(&[("us", "yes")]));
        assert_eq!((read.ids.len(), read.attached.len()), (1, 0));
        place.engine.remove_network(&name).await.unwrap();
        let error = place.engine.remove_network(&name).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_volume_answers_with_what_is_there_already() {
    Place::with(|place| async move {
        let name = VolumeName::new(place.name("data"));
        let volume = |team: &str| Volume {
            definition: VolumeDefinition {
                driver: Some("local".into()),
                options: values(&[("type", "tmpfs"), ("device", "tmpfs"), ("o", "size=1m")]),
            },
            labels: values(&[("team", team)]),
            ..Volume::default()
        };
        let made = place.engine.create_volume(&name, &volume("one")).await.unwrap();
        assert_eq!(made.definition, volume("one").definition);
        assert_eq!(made.labels, map(&[("team", "one")]));
        let second = place.engine.create_volume(&name, &volume("two")).await.unwrap();
        assert_eq!(second, made);
        assert!(place.engine.list_volumes().await.unwrap().contains(&made));

        let mounts = [("/data".to_owned(), Mount::of(MountSource::Volume(name.clone())))].into();
        let id = place.create("user", &ContainerSpec { mounts, ..script("sleep 600") }).await;
        let error = place.engine.remove_volume(&name).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
        place.engine.remove_container(&id, false, false).await.unwrap();
        place.engine.remove_volume(&name).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn start_stop_rename_and_remove_do_what_they_say() {
    Place::with(|place| async move {
        let engine = &place.engine;
        let id = place.run("web", &script("trap 'exit 3' TERM; while :; do sleep 0.05; done")).await;
        engine.start_container(&id).await.expect("one that runs already is no error");
        let error = engine.remove_container(&id, false, false).await.unwrap_err();
        assert_eq!((error.kind, error.sent), (ErrorKind::Conflict, Sent::NotSent), "{error}");

        let other = place.create("other", &script("true")).await;
        let taken = ContainerName::new(place.name("web"));
        let error = engine.rename_container(&other, &taken).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
        let image = image_id(engine, IMAGE).await;
        let error = engine.create_container(&taken, &image, &script("true")).await.unwrap_err();
        assert_eq!((error.kind, error.sent), (ErrorKind::Conflict, Sent::NotSent), "{error}");
        engine.rename_container(&other, &ContainerName::new(place.name("third"))).await.unwrap();
        assert_eq!(engine.inspect_container(&place.name("third")).await.unwrap().id, other);

        engine.stop_container(&id, Some(Millis::seconds(5))).await.unwrap();
        engine.stop_container(&id, None).await.expect("one that does not run is no error");
        let stopped = engine.inspect_container(id.as_str()).await.unwrap();
        assert_eq!(stopped.state.status, Status::Exited);
        assert!(stopped.state.finished_at.is_some());
        engine.remove_container(&id, false, false).await.unwrap();
        let error = engine.inspect_container(id.as_str()).await.unwrap_err();
        assert_eq!((error.kind, error.sent), (ErrorKind::NotFound, Sent::NotSent), "{error}");
    })
    .await;
}

#[tokio::test]
async fn limits_and_restart_policy_change_where_the_container_is() {
    Place::with(|place| async move {
        let limits = Limits { memory: Some(Bytes::mebi(32)), memory_swap: Some(64 << 20), ..Limits::default() };
        let id = place.run("web", &ContainerSpec { limits, ..script("sleep 600") }).await;
        let changed = Limits {
            memory: Some(Bytes::mebi(128)),
            memory_swap: Some(256 << 20),
            cpus: Some(NanoCpus(250_000_000)),
            pids: Some(20),
            ..Limits::default()
        };
        place.engine.update_container(&id, &changed, Some(RestartPolicy::UnlessStopped)).await.unwrap();
        let read = place.engine.inspect_container(id.as_str()).await.unwrap();
        assert_eq!((read.spec.limits, read.spec.restart), (changed, RestartPolicy::UnlessStopped));
        assert_eq!(read.state.status, Status::Running);

        // No limit is −1 in what is sent, and nothing in what reads back.
        let unlimited = Limits { pids: Some(-1), ..Limits::default() };
        place.engine.update_container(&id, &unlimited, Some(RestartPolicy::No)).await.unwrap();
        let read = place.engine.inspect_container(id.as_str()).await.unwrap();
        assert_eq!((read.spec.limits.pids, read.spec.restart), (None, RestartPolicy::No));
        // Some kernels give the engine no figures; then it says so, and not that nothing is used.
        match place.engine.memory_used(&id).await {
            Ok(used) => assert!(used > Bytes(0) && used < Bytes::mebi(128), "{used}"),
            Err(error) => assert_eq!(error.kind, ErrorKind::Protocol, "{error}"),
        }
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_log_is_read_whole() {
    Place::with(|place| async move {
        let lines = "i=0; while [ $i -lt 3000 ]; do echo line-$i; i=$((i+1)); done; echo oops >&2";
        let id = place.run("talker", &script(lines)).await;
        exited(&place, &id).await;
        let all = place.engine.container_log(&id, 1 << 20).await.unwrap();
        // The two streams are written down as they come, so where one stands in the other is the engine's.
        let (error, output): (Vec<&str>, Vec<&str>) = all.lines().partition(|line| *line == "oops");
        assert_eq!(error.len(), 1);
        assert_eq!(output, (0..3000).map(|number| format!("line-{number}")).collect::<Vec<_>>());
        let end = place.engine.container_log(&id, 30).await.unwrap();
        assert_eq!(end.len(), 30);
        assert!(all.ends_with(&end));
        // More than the first attempt's lines, less than all.
        let part = place.engine.container_log(&id, 20_000).await.unwrap();
        assert_eq!(part.len(), 20_000);
        assert!(all.ends_with(&part));

        let tty = place.run("tty", &ContainerSpec { tty: true, ..script("printf 'no newline at the end'") }).await;
        exited(&place, &tty).await;
        assert_eq!(place.engine.container_log(&tty, 1000).await.unwrap(), "no newline at the end");
    })
    .await;
}

#[tokio::test]
async fn a_command_in_a_container_answers_with_code_and_output() {
    Place::with(|place| async move {
        let id = place.run("web", &script("sleep 600")).await;
        let exec = async |text: &str| {
            place.engine.exec(&id, &["/bin/sh".to_owned(), "-c".to_owned(), text.to_owned()]).await.unwrap()
        };
        let answer = exec("echo out; echo err >&2; exit 7").await;
        assert_eq!(answer.exit_code, 7);
        assert!(answer.output.contains("out") && answer.output.contains("err"), "{answer:?}");
        let answer = exec("i=0; while [ $i -lt 2000 ]; do echo line-$i; i=$((i+1)); done").await;
        assert_eq!((answer.exit_code, answer.output.len()), (0, 4096));
        assert!(answer.output.ends_with("line-1999\n"));
        place.engine.stop_container(&id, Some(Millis(0))).await.unwrap();
        let error = place.engine.exec(&id, &["true".to_owned()]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_container_that_cannot_start_says_why_and_stays_created() {
    Place::with(|place| async move {
        let missing = ContainerSpec { command: Some(vec![Value::plain("/no/such/program")]), ..script("") };
        let id = place.create("broken", &missing).await;
        let error = place.engine.start_container(&id).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected, "{error}");
        assert!(error.message.contains("/no/such/program"), "{error}");
        let read = place.engine.inspect_container(id.as_str()).await.unwrap();
        assert_eq!(read.state.status, Status::Created);

        let restarting = ContainerSpec { restart: RestartPolicy::Always, ..script("exit 1") };
        let id = place.run("crash", &restarting).await;
        until(&place, &id, |container| container.state.restart_count > 0).await;
        let seen = until(&place, &id, |container| container.state.status == Status::Restarting).await;
        assert!(!seen.state.is_running());
    })
    .await;
}

#[tokio::test]
async fn tags_name_images_and_go() {
    Place::with(|place| async move {
        let engine = &place.engine;
        let image = image_id(engine, IMAGE).await;
        let tag = ImageReference::new(format!("evenkeel.local/{}/web:kept", place.name("stack")));
        engine.tag_image(&image, &tag).await.unwrap();
        assert_eq!(engine.list_tags().await.unwrap().get(&tag), Some(&image));
        let local = engine.inspect_image(tag.as_str()).await.unwrap().unwrap();
        assert_eq!(local.id, image);
        assert!(local.tags.contains(&tag) && local.config.expose.contains("8080/tcp"));
        engine.untag_image(&tag).await.unwrap();
        assert_eq!(engine.inspect_image(tag.as_str()).await.unwrap(), None);
        assert!(engine.inspect_image(image.as_str()).await.unwrap().is_some(), "only the tag went");
        assert_eq!(engine.inspect_image("evenkeel-test/nothing:1").await.unwrap(), None);
        let health =
            engine.inspect_image("evenkeel-test/web:health").await.unwrap().unwrap().config.healthcheck.unwrap();
        assert_eq!((health.interval, health.retries), (Some(Millis::seconds(1)), Some(3)));
    })
    .await;
}

#[tokio::test]
async fn a_pull_that_the_registry_does_not_answer_is_an_error_with_its_name() {
    Place::with(|place| async move {
        let reference = ImageReference::new("127.0.0.1:9/nothing:1");
        let error = place.engine.pull_image(&reference, None, None, &|_, _| ()).await.unwrap_err();
        assert_eq!((error.kind, error.call), (ErrorKind::Rejected, "pull image"), "{error}");
        assert!(error.to_string().contains("127.0.0.1:9/nothing:1"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn the_engine_says_what_it_is() {
    Place::with(|place| async move {
        let facts = place.engine.facts().await.unwrap();
        assert!(!facts.id.is_empty() && !facts.version.is_empty() && !facts.host_name.is_empty());
        assert_eq!(facts.api, place.engine.api());
        assert!(facts.memory > Bytes::mebi(100) && facts.cpus >= NanoCpus(1_000_000_000));
        assert!(!facts.logging_driver.is_empty() && facts.supports.memory);
    })
    .await;
}

async fn exited(place: &Arc<Place>, id: &ContainerId) {
    until(place, id, |container| container.state.status == Status::Exited).await;
}

/// Waits for a state of a container, for at most half a minute.
async fn until(place: &Place, id: &ContainerId, wanted: impl Fn(&ObservedContainer) -> bool) -> ObservedContainer {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let container = place.engine.inspect_container(id.as_str()).await.unwrap();
        if wanted(&container) {
            return container;
        }
        assert!(std::time::Instant::now() < deadline, "still {:?}", container.state);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

//! Starts, ends, restarts and health.

use super::*;
use crate::{
    engine::ErrorKind,
    model::{
        container::{Healthcheck, Limits},
        observed::Health,
        policy::{HttpProbe, Probe, ProbeHost, ProbeKind},
        value::Value,
    },
};

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

#[tokio::test(start_paused = true)]
async fn a_kill_by_hand_keeps_the_policy_quiet_until_the_engine_restarts() {
    let scene = Scene::new(Behaviour::default());
    for (name, policy) in [("always", RestartPolicy::Always), ("unless", RestartPolicy::UnlessStopped)] {
        scene.run(name, restarts(policy)).await;
        scene.engine.meddle(&Foreign::Kill(name.into())).unwrap();
    }
    scene.pass(60_000).await;
    assert_eq!((scene.status("always").await, scene.status("unless").await), (Status::Exited, Status::Exited));
    scene.engine.restart_engine(Millis(1));
    scene.pass(1).await;
    assert_eq!((scene.status("always").await, scene.status("unless").await), (Status::Running, Status::Exited));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_is_started_again_after_a_growing_wait() {
    let scene = Scene::new(Behaviour::exits(Millis(50), 1));
    let id = scene.run("crash", restarts(RestartPolicy::Always)).await;
    let mut counts = Vec::new();
    for _ in 0..4 {
        scene.pass(60).await;
        let state = scene.inspect("crash").await.state;
        counts.push((state.status, state.restart_count));
        // One that is restarting can't be removed, and starting it changes nothing.
        if state.status == Status::Restarting {
            let error = scene.engine.remove_container(&id, false, false).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Conflict);
            scene.engine.start_container(&id).await.unwrap();
        }
        scene.pass(100 << (counts.len() - 1)).await;
    }
    assert_eq!(counts, (1..=4).map(|count| (Status::Restarting, count)).collect::<Vec<_>>());
    scene.pass(60).await;
    scene.engine.stop_container(&id, None).await.unwrap();
    scene.pass(600_000).await;
    let state = scene.inspect("crash").await.state;
    assert_eq!((state.status, state.exit_code, state.restart_count > 3), (Status::Exited, 1, true));
    scene.engine.start_container(&id).await.unwrap();
    assert_eq!(scene.inspect("crash").await.state.restart_count, 0, "a start by hand begins anew");
}

#[tokio::test(start_paused = true)]
async fn on_failure_ends_with_a_success_or_with_its_last_try() {
    let scene = Scene::new(Behaviour::exits(Millis(10), 7));
    scene.run("failing", restarts(RestartPolicy::OnFailure(3))).await;
    let once = scene.engine.add_image("once:1", ImageConfig::default(), Behaviour::exits(Millis(10), 0));
    let spec = ContainerSpec { image: "once:1".into(), ..restarts(RestartPolicy::OnFailure(0)) };
    let id = scene.engine.create_container(&"once".into(), &once, &spec).await.unwrap().id;
    scene.engine.start_container(&id).await.unwrap();
    scene.pass(60_000).await;
    let (failing, once) = (scene.inspect("failing").await.state, scene.inspect("once").await.state);
    assert_eq!((failing.status, failing.exit_code, failing.restart_count), (Status::Exited, 7, 3));
    assert_eq!((once.status, once.exit_code, once.restart_count), (Status::Exited, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stop_takes_what_the_process_takes_and_at_most_its_grace() {
    let scene = Scene::new(Behaviour { stop_takes: Some(Millis(300)), stop_code: 0, ..Behaviour::default() });
    let deaf = scene.engine.add_image("deaf:1", ImageConfig::default(), Behaviour::ignores_stop());
    let id = scene.run("polite", ContainerSpec::default()).await;
    let before = scene.clock.now();
    scene.engine.stop_container(&id, None).await.unwrap();
    assert_eq!(scene.clock.now().since(before), Millis(300));
    assert_eq!(scene.inspect("polite").await.state.exit_code, 0);
    scene.engine.stop_container(&id, None).await.expect("one that does not run is no error");

    let spec = ContainerSpec { image: "deaf:1".into(), stop_grace: Some(Millis(2500)), ..ContainerSpec::default() };
    let id = scene.engine.create_container(&"deaf".into(), &deaf, &spec).await.unwrap().id;
    for (grace, takes) in [(Some(Millis(700)), 700), (None, 2000)] {
        scene.engine.start_container(&id).await.unwrap();
        let before = scene.clock.now();
        scene.engine.stop_container(&id, grace).await.unwrap();
        assert_eq!(scene.clock.now().since(before), Millis(takes), "a grace in the spec is whole seconds");
        assert_eq!(scene.inspect("deaf").await.state.exit_code, 137);
    }
}

#[tokio::test(start_paused = true)]
async fn too_much_memory_is_an_oom_kill() {
    let behaviour = Behaviour { memory: Bytes::mebi(64), ..Behaviour::ready_after(Millis(200)) };
    let scene = Scene::new(behaviour);
    let limits = Limits { memory: Some(Bytes::mebi(32)), ..Limits::default() };
    scene.run("fat", ContainerSpec { limits, ..ContainerSpec::default() }).await;
    assert_eq!(scene.status("fat").await, Status::Running);
    scene.pass(200).await;
    let state = scene.inspect("fat").await.state;
    assert_eq!((state.status, state.exit_code, state.oom_killed), (Status::Exited, 137, true));
}

#[tokio::test(start_paused = true)]
async fn health_follows_the_checks() {
    let behaviour = Behaviour { unwell_after: Some(Millis(5500)), ..Behaviour::ready_after(Millis(1200)) };
    let scene = Scene::new(behaviour);
    let check = |start_period| Healthcheck {
        test: vec![Value::plain("CMD"), Value::plain("check")],
        interval: Some(Millis(1000)),
        retries: Some(2),
        start_period,
        ..Healthcheck::default()
    };
    let spec = ContainerSpec { healthcheck: Some(check(None)), ..ContainerSpec::default() };
    assert_eq!(scene.create("never", spec.clone()).await.short().len(), 12);
    assert_eq!(scene.inspect("never").await.state.health, Health::None);
    let id = scene.run("web", spec).await;
    let mut seen = Vec::new();
    for _ in 0..8 {
        seen.push(scene.inspect("web").await.state.health);
        scene.pass(1000).await;
    }
    use Health::{Healthy, Starting, Unhealthy};
    // Checks at 1 s (fails), 2 s to 5 s (pass), 6 s and 7 s (fail).
    assert_eq!(seen, [Starting, Starting, Healthy, Healthy, Healthy, Healthy, Healthy, Unhealthy]);
    scene.engine.stop_container(&id, None).await.unwrap();
    assert_eq!(scene.inspect("web").await.state.health, Unhealthy);

    let sick = scene.engine.add_image("sick:1", ImageConfig::default(), Behaviour::never_ready());
    for (name, start_period, at_most) in [("soon", None, 2), ("late", Some(Millis(3000)), 4)] {
        let spec = ContainerSpec {
            image: "sick:1".into(),
            healthcheck: Some(check(start_period)),
            ..ContainerSpec::default()
        };
        let id = scene.engine.create_container(&name.into(), &sick, &spec).await.unwrap().id;
        scene.engine.start_container(&id).await.unwrap();
        scene.pass(at_most * 1000 - 1).await;
        assert_eq!(scene.inspect(name).await.state.health, Starting, "{name}");
        scene.pass(1).await;
        assert_eq!(scene.inspect(name).await.state.health, Unhealthy, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restarted_parent_leaves_those_that_share_its_network_without_one() {
    let scene = Scene::new(Behaviour::default());
    let parent = scene.create("parent", ContainerSpec::default()).await;
    let shares = ContainerSpec { network_mode: NetworkMode::Container("parent".into()), ..ContainerSpec::default() };
    let child = scene.create("child", shares).await;
    let error = scene.engine.start_container(&child).await.unwrap_err();
    assert_eq!((error.kind, scene.inspect("child").await.state.exit_code), (ErrorKind::Conflict, 128));
    assert_eq!(scene.inspect("child").await.spec.network_mode, NetworkMode::Container(parent.clone()));

    scene.engine.start_container(&parent).await.unwrap();
    scene.engine.start_container(&child).await.unwrap();
    let probe = Probe::of(ProbeKind::Http(HttpProbe {
        port: 80,
        path: "/".into(),
        headers: Default::default(),
        host: ProbeHost::Loopback,
    }));
    let answers = async || {
        let mut answers = Vec::new();
        for name in ["parent", "child"] {
            answers.push(scene.engine.answer(&probe, &scene.inspect(name).await).ok);
        }
        answers
    };
    assert_eq!(answers().await, [true, true]);
    scene.engine.meddle(&Foreign::Restart("parent".into())).unwrap();
    assert_eq!(scene.status("child").await, Status::Running);
    assert_eq!(answers().await, [true, false]);
    scene.engine.meddle(&Foreign::Restart("child".into())).unwrap();
    assert_eq!(answers().await, [true, true]);

    scene.engine.remove_container(&parent, true, false).await.unwrap();
    scene.engine.stop_container(&child, None).await.unwrap();
    assert_eq!(scene.engine.start_container(&child).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_answered_as_the_behaviour_says() {
    let behaviour = Behaviour::ready_after(Millis(500)).with("answer=8080/health:200 answer=8080/:503").unwrap();
    let scene = Scene::new(behaviour);
    scene.run("web", ContainerSpec::default()).await;
    let ask = async |port, path: &str| {
        let probe = ProbeKind::Http(HttpProbe {
            port,
            path: path.into(),
            headers: Default::default(),
            host: ProbeHost::Container,
        });
        scene.engine.answer(&Probe::of(probe), &scene.inspect("web").await)
    };
    assert_eq!(ask(8080, "/health").await.text, "connection refused");
    scene.pass(500).await;
    let answers =
        [ask(8080, "/health").await, ask(8080, "/").await, ask(8080, "/else").await, ask(9090, "/health").await];
    assert_eq!(answers.each_ref().map(|answer| answer.ok), [true, false, false, false]);
    assert_eq!(answers.map(|answer| answer.text), ["200", "503", "404", "connection refused"]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_process_stands_still_and_goes_on_where_it_was() {
    let scene = Scene::new(Behaviour { exit: Behaviour::exits(Millis(5000), 3).exit, ..Behaviour::default() });
    let id = scene.run("web", restarts(RestartPolicy::No)).await;
    scene.pass(2000).await;
    let running = scene.inspect("web").await.state;
    scene.engine.meddle(&Foreign::Pause("web".into())).unwrap();
    scene.pass(60_000).await;
    let frozen = scene.inspect("web").await.state;
    assert_eq!((frozen.status, frozen.pid, frozen.started_at), (Status::Paused, running.pid, running.started_at));
    assert!(!scene.engine.list_containers().await.unwrap()[0].running);
    assert_eq!(scene.engine.exec(&id, &["true".into()]).await.unwrap_err().kind, ErrorKind::Conflict);
    scene.engine.unpause_container(&id).await.unwrap();
    scene.pass(2990).await;
    assert_eq!(scene.status("web").await, Status::Running);
    scene.pass(20).await;
    assert_eq!(scene.inspect("web").await.state.exit_code, 3);
    assert_eq!(scene.engine.unpause_container(&id).await.unwrap_err().kind, ErrorKind::Rejected);
}

#[tokio::test(start_paused = true)]
async fn a_pause_makes_unhealthy_until_a_check_succeeds_again() {
    let scene = Scene::new(Behaviour::default());
    let test = vec![Value::plain("CMD"), Value::plain("true")];
    let check = Healthcheck { test, interval: Some(Millis(1000)), ..Healthcheck::default() };
    let id = scene.run("web", ContainerSpec { healthcheck: Some(check), ..ContainerSpec::default() }).await;
    scene.pass(1500).await;
    assert_eq!(scene.inspect("web").await.state.health, Health::Healthy);
    scene.engine.meddle(&Foreign::Pause("web".into())).unwrap();
    assert_eq!(scene.inspect("web").await.state.health, Health::Unhealthy);
    scene.pass(5000).await;
    scene.engine.unpause_container(&id).await.unwrap();
    scene.pass(990).await;
    assert_eq!(scene.inspect("web").await.state.health, Health::Unhealthy);
    scene.pass(20).await;
    assert_eq!(scene.inspect("web").await.state.health, Health::Healthy);
}

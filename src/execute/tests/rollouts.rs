//! The three strategies, their undo, one-shots, and what happens to the others.

use super::scene::*;
use crate::{
    engine::{Containers, simulated::Behaviour},
    model::{
        container::{ContainerSpec, RestartPolicy},
        event::EventKind,
        names::ServiceName,
        outcome::{AfterFailure, RolloutResult},
        step::{Does, Gate, OnDeadline, Proof},
        units::Millis,
    },
};

fn crashing() -> Behaviour {
    Behaviour { log: "loading\ncould not open the database\n".into(), ..Behaviour::exits(Millis(1500), 3) }
}

#[tokio::test(start_paused = true)]
async fn start_first_replaces_without_a_gap() {
    let scene = Scene::new(Behaviour::ready_after(Millis(700)));
    let old = scene.runs("web", "s-web-1").await;
    let (steps, rollout) = start_first("web", &old, &scene.new);
    let waiting = waiting_name(&old, "s-web-1");
    let before = scene.engine.mutations();
    scene.engine.keep_history();
    let outcome = scene.execute(&plan(steps, vec![rollout])).await;
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(
        scene.calls(before),
        [
            format!("create container {waiting}"),
            format!("start container {waiting}"),
            "stop container s-web-1".to_owned(),
            "remove container s-web-1".to_owned(),
            format!("rename container {waiting}"),
        ]
    );
    assert_eq!(scene.containers(), ["s-web-1 web:2 running"]);
    assert_eq!(scene.recorded(), ["done web @7"]);
    let web = ServiceName::from("web");
    assert!(scene.engine.history().iter().all(|seen| seen.ready(&web) >= 1), "there was a gap");
    let took = outcome.rollouts[0].took;
    assert!(took >= Millis(2700) && took <= Millis(3000), "ready after 0.7 s, for 2 s: {took}");
}

#[tokio::test(start_paused = true)]
async fn a_rollout_without_min_ready_takes_no_longer_than_its_container() {
    let scene = Scene::new(Behaviour::ready_after(Millis(400)));
    let old = scene.runs("web", "s-web-1").await;
    let (mut steps, rollout) = start_first("web", &old, &scene.new);
    for step in &mut steps {
        if let Does::Gate(gate) = &mut step.does {
            gate.min_ready = Millis(0);
        }
    }
    let outcome = scene.execute(&plan(steps, vec![rollout])).await;
    assert!(outcome.succeeded());
    let took = outcome.rollouts[0].took;
    assert!(took >= Millis(400) && took < Millis(900), "{took}");
}

#[tokio::test(start_paused = true)]
async fn start_first_takes_a_bad_container_back_and_keeps_what_it_left_behind() {
    let scene = Scene::new(crashing());
    let old = scene.runs("web", "s-web-1").await;
    let (steps, rollout) = start_first("web", &old, &scene.new);
    let waiting = waiting_name(&old, "s-web-1");
    let before = scene.engine.mutations();
    let outcome = scene.execute(&plan(steps, vec![rollout])).await;
    let (step, error, after) = failure(&outcome, 0);
    assert_eq!((step.as_str(), after), ("web/1/gate", AfterFailure::Restored));
    assert_eq!(
        error,
        format!(
            "{waiting} exited with 3 and is restarting; last answer: connected\nlast log lines:\n  loading\n  \
             could not open the database"
        )
    );
    assert_eq!(
        scene.calls(before),
        [
            format!("create container {waiting}"),
            format!("start container {waiting}"),
            format!("remove container {waiting}"),
        ]
    );
    assert_eq!(scene.containers(), ["s-web-1 web:1 running"]);
    assert_eq!(
        scene.recorded(),
        ["failed web at web/1/gate not begun [] @4".to_owned(), format!("evidence of {waiting} @4")],
        "on record before the first undo step"
    );
    let evidence = scene.record.evidence.lock().unwrap()[0].clone();
    assert_eq!(evidence.service.as_str(), "web");
    assert!(evidence.log.contains("could not open the database"));
    assert_eq!(evidence.error, error);
    assert!(evidence.answers.last().unwrap().ends_with(" connected"), "{:?}", evidence.answers);
    assert_eq!(evidence.inspect["state"]["exitCode"], 3);
}

#[tokio::test(start_paused = true)]
async fn stop_first_keeps_the_old_container_until_the_new_one_is_proven() {
    let scene = Scene::new(Behaviour::default());
    let old = scene.runs("web", "s-web-1").await;
    let (steps, rollout) = stop_first("web", &old, &scene.new);
    let aside = waiting_name(&old, "s-web-1");
    let before = scene.engine.mutations();
    let outcome = scene.execute(&plan(steps, vec![rollout])).await;
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(
        scene.calls(before),
        [
            "update container s-web-1".to_owned(),
            "stop container s-web-1".to_owned(),
            "rename container s-web-1".to_owned(),
            "create container s-web-1".to_owned(),
            "start container s-web-1".to_owned(),
            format!("remove container {aside}"),
        ]
    );
    assert_eq!(scene.containers(), ["s-web-1 web:2 running"]);
}

#[tokio::test(start_paused = true)]
async fn stop_first_gives_the_old_container_its_name_policy_and_life_back() {
    let scene = Scene::new(crashing());
    let old = scene.runs("web", "s-web-1").await;
    let (steps, rollout) = stop_first("web", &old, &scene.new);
    let outcome = scene.execute(&plan(steps, vec![rollout])).await;
    assert_eq!(failure(&outcome, 0).2, AfterFailure::Restored);
    assert_eq!(scene.containers(), ["s-web-1 web:1 running"]);
    let back = scene.engine.inspect_container("s-web-1").await.unwrap();
    assert_eq!(back.spec.restart, RestartPolicy::Always);
}

#[tokio::test(start_paused = true)]
async fn recreate_treats_all_replicas_at_once_and_takes_all_back() {
    for (behaviour, image, after) in [(Behaviour::default(), "web:2", None), (crashing(), "web:1", Some(()))] {
        let scene = Scene::new(behaviour);
        let mut steps = Vec::new();
        let mut take_back = Vec::new();
        let (mut gates, mut removes) = (Vec::new(), Vec::new());
        for number in 1..=2 {
            let name = format!("s-web-{number}");
            let old = scene.runs("web", &name).await;
            let id = |what: &str| format!("web/{number}/{what}");
            let new = made(&id("create"));
            steps.extend(chained([
                (id("policy"), policy(&old, RestartPolicy::No)),
                (id("stop"), stop(&old)),
                (id("aside"), rename(&old, &waiting_name(&old, &name))),
                (id("create"), create("web", &name, &scene.new)),
                (id("start"), start(&new)),
            ]));
            gates.push(step(&id("gate"), &["web/1/start", "web/2/start"], gate("web", &new)));
            removes.push(step(&id("remove"), &["web/1/gate", "web/2/gate"], remove(&old)));
            take_back.extend([
                ("discard", discard(&new)),
                ("name", rename(&old, &name)),
                ("policy", policy(&old, RestartPolicy::Always)),
                ("start", start(&old)),
            ]);
        }
        steps.extend(gates);
        steps.extend(removes);
        let undos = steps.iter().map(|step| undo(step.id.as_str(), &take_back)).collect();
        let rollout = rollout("web", true, &steps, undos);
        let outcome = scene.execute(&plan(steps, vec![rollout])).await;
        assert_eq!(outcome.succeeded(), after.is_none(), "{outcome:?}");
        assert_eq!(scene.containers(), [format!("s-web-1 {image} running"), format!("s-web-2 {image} running")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_deploy_that_fails_leaves_nothing() {
    let scene = Scene::new(Behaviour::never_ready());
    let new = made("web/1/create");
    let steps = chained([
        ("web/1/create".to_owned(), create("web", "s-web-1", &scene.new)),
        ("web/1/start".to_owned(), start(&new)),
        ("web/1/gate".to_owned(), gate("web", &new)),
    ]);
    let undos = vec![undo("web/1/gate", &[("discard", discard(&new))])];
    let rollout = rollout("web", false, &steps, undos);
    let outcome = scene.execute(&plan(steps, vec![rollout])).await;
    let (_, error, after) = failure(&outcome, 0);
    assert_eq!(error, "s-web-1 was not ready within 1m: last answer: connection refused");
    assert_eq!(after, AfterFailure::Nothing);
    assert_eq!(scene.containers(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_has_not_begun_is_not_begun_and_what_has_goes_on() {
    let scene = Scene::new(crashing());
    let web = scene.runs("web", "s-web-1").await;
    let api = scene.runs("api", "s-api-1").await;
    let late = scene.runs("late", "s-late-1").await;
    let (mut steps, web) = start_first("web", &web, &scene.new);
    let (more, api) = start_first("api", &api, &scene.old);
    steps.extend(more);
    let (mut more, late) = start_first("late", &late, &scene.old);
    more[0].after = vec!["web/1/rename".into()];
    steps.extend(more);
    let outcome = scene.execute(&plan(steps, vec![web, api, late])).await;
    assert_eq!(failure(&outcome, 0).2, AfterFailure::Restored);
    assert_eq!(outcome.rollouts[1].result, RolloutResult::Done);
    assert_eq!(outcome.rollouts[2].result, RolloutResult::NotBegun);
    assert_eq!(scene.containers(), ["s-api-1 web:1 running", "s-late-1 web:1 running", "s-web-1 web:1 running"]);
    assert!(scene.recorded()[0].starts_with("failed web at web/1/gate not begun [late]"), "{:?}", scene.recorded());
}

#[tokio::test(start_paused = true)]
async fn a_stateful_container_is_left_at_its_deadline_but_not_when_it_exits() {
    for (behaviour, after) in [(Behaviour::never_ready(), AfterFailure::Left), (crashing(), AfterFailure::Restored)] {
        let scene = Scene::new(behaviour);
        let old = scene.runs("web", "s-web-1").await;
        let (mut steps, rollout) = stop_first("web", &old, &scene.new);
        for step in &mut steps {
            if let Does::Gate(gate) = &mut step.does {
                gate.on_deadline = OnDeadline::Leave;
            }
        }
        let outcome = scene.execute(&plan(steps, vec![rollout])).await;
        assert_eq!(failure(&outcome, 0).2, after);
        let left = after == AfterFailure::Left;
        assert_eq!(scene.containers().len(), if left { 2 } else { 1 });
        assert_eq!(scene.recorded()[0].starts_with("left web"), left, "{:?}", scene.recorded());
    }
}

#[tokio::test(start_paused = true)]
async fn a_one_shot_is_remembered_and_a_failed_one_stops_those_that_wait_for_it() {
    for (code, done) in [(0, true), (3, false)] {
        let scene = Scene::new(Behaviour::exits(Millis::seconds(2), code));
        let job = made("job/create");
        let completed = Does::Gate(Box::new(Gate {
            service: "job".into(),
            container: job.clone(),
            proof: Proof::Completed {},
            min_ready: Millis(0),
            on_deadline: OnDeadline::Undo,
        }));
        let once = create_of("job", "s-job-1", &scene.new, spec("job", "p-1/job"));
        let mut steps = chained([
            ("job/create".to_owned(), once),
            ("job/start".to_owned(), start(&job)),
            ("job/gate".to_owned(), completed),
        ]);
        let job = rollout("job", false, &steps, vec![undo("job/gate", &[("discard", discard(&job))])]);
        let after = step("web/create", &["job/gate"], create("web", "s-web-1", &scene.old));
        let web = rollout("web", false, std::slice::from_ref(&after), vec![]);
        steps.push(after);
        let outcome = scene.execute(&plan(steps, vec![job, web])).await;
        assert_eq!(outcome.succeeded(), done);
        let containers = scene.containers();
        if done {
            assert_eq!(containers, ["s-job-1 web:2 exited", "s-web-1 web:1 created"]);
            assert_eq!(scene.recorded(), ["completed job @2", "done job @2", "done web @3"]);
        } else {
            assert_eq!(failure(&outcome, 0).1, "s-job-1 exited with 3");
            assert_eq!(outcome.rollouts[1].result, RolloutResult::NotBegun);
            assert_eq!(containers, [""; 0]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn events_tell_the_story_in_order() {
    let scene = Scene::new(crashing());
    let old = scene.runs("web", "s-web-1").await;
    let (steps, rollout) = start_first("web", &old, &scene.new);
    scene.execute(&plan(steps, vec![rollout])).await;
    let waiting = waiting_name(&old, "s-web-1");
    let events = scene.events.lock().unwrap();
    let lines: Vec<String> = events
        .iter()
        .filter(|event| event.kind != EventKind::StepStarted)
        .map(|event| {
            let kind = serde_json::to_value(event.kind).unwrap();
            let step = event.step.as_ref().map_or("-", |step| step.as_str());
            format!("{} {step} {}", kind.as_str().unwrap(), event.text.lines().next().unwrap())
        })
        .collect();
    let reason = format!("{waiting} exited with 3 and is restarting; last answer: connected");
    assert_eq!(
        lines,
        [
            "rollout-started - web: image changed".to_owned(),
            format!("step-done web/1/create create {waiting}"),
            format!("step-done web/1/start start {waiting}"),
            "step-progress web/1/gate connected".to_owned(),
            format!("step-failed web/1/gate wait until {waiting} is ready for 2s: {reason}"),
            format!("rollout-failed - web: failed at web/1/gate: {reason}"),
            format!("step-done web/1/gate/undo/discard remove {waiting}"),
            "rollout-undone - web: taken back, what ran before serves".to_owned(),
        ]
    );
    assert!(events.iter().all(|event| event.rollout.as_deref() == Some("web")));
    assert!(events.iter().all(|event| event.round.as_deref() == Some("p-1")));
}

#[tokio::test(start_paused = true)]
async fn many_new_containers_start_together() {
    let scene = Scene::new(Behaviour::default());
    scene.engine.set_latency(Millis(100));
    let (mut steps, mut rollouts) = (Vec::new(), Vec::new());
    for number in 0..32 {
        let (service, id) = (format!("web{number}"), |what: &str| format!("web{number}/{what}"));
        let new = made(&id("create"));
        let spec = ContainerSpec { restart: RestartPolicy::Always, ..spec(&service, "p-1/web") };
        let chain = chained([
            (id("create"), create_of(&service, &format!("s-{service}-1"), &scene.new, spec)),
            (id("start"), start(&new)),
            (id("gate"), gate(&service, &new)),
        ]);
        rollouts.push(rollout(&service, false, &chain, vec![]));
        steps.extend(chain);
    }
    let began = scene.effects.clock.now();
    let outcome = scene.execute(&plan(steps, rollouts)).await;
    assert!(outcome.succeeded());
    let took = scene.effects.clock.now().since(began);
    assert!(took < Millis(3000), "64 calls of 0.1 s, sixteen at a time, and 2 s of gates: {took}");
}

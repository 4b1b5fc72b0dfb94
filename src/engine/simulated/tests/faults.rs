//! What goes wrong, what is recorded, and what it costs.

use super::*;
use crate::{
    engine::{Engine, ErrorKind, Volumes},
    model::{
        container::{Mount, MountSource},
        desired::Volume,
        names::VolumeName,
    },
};

async fn make(scene: &Scene, name: &str) -> EngineResult<()> {
    scene.engine.create_volume(&VolumeName::from(name), &Volume::default()).await.map(|_| ())
}

async fn volumes(scene: &Scene) -> Vec<String> {
    scene.engine.list_volumes().await.unwrap().into_iter().map(|volume| volume.name.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_killed_caller_hears_nothing_until_it_is_started_again() {
    for (fault, left) in [(Fault::KillBefore(2), 1), (Fault::KillAfter(2), 2)] {
        let scene = Scene::new(Behaviour::default());
        scene.engine.arm([fault]);
        let course = async {
            for name in ["one", "two", "three"] {
                make(&scene, name).await.unwrap();
            }
        };
        tokio::select! {
            () = course => panic!("it was to be killed"),
            () = scene.engine.until_killed() => {}
        }
        let silent = scene.engine.list_volumes();
        assert!(crate::engine::clock::within(&*scene.clock, Millis::minutes(60), silent).await.is_none());
        scene.engine.revive();
        assert_eq!(volumes(&scene).await.len(), left);
        let calls = scene.engine.calls();
        assert_eq!((calls[1].answer, calls[1].done), (None, left == 2));
    }
}

#[tokio::test(start_paused = true)]
async fn each_fault_does_or_leaves_what_it_says() {
    let scene = Scene::new(Behaviour::default());
    scene.engine.arm([
        Fault::LoseReply(1),
        Fault::Fail(2, ErrorKind::Conflict),
        Fault::Disconnect(3, Millis(500)),
        Fault::RestartEngine(5, Millis(500)),
        Fault::Meddle(7, Foreign::RemoveVolume("one".into())),
    ]);
    let error = make(&scene, "one").await.unwrap_err();
    assert_eq!((error.kind, error.sent), (ErrorKind::Unreachable, Sent::MaybeSent));
    assert_eq!(volumes(&scene).await, ["one"]);
    assert_eq!(make(&scene, "two").await.unwrap_err().kind, ErrorKind::Conflict);
    for expected in [Sent::NotSent, Sent::NotSent, Sent::MaybeSent, Sent::NotSent] {
        let error = make(&scene, "three").await.unwrap_err();
        assert_eq!((error.kind, error.sent), (ErrorKind::Unreachable, expected));
        if scene.engine.mutations() == 4 {
            scene.pass(500).await;
        }
    }
    scene.pass(500).await;
    make(&scene, "four").await.unwrap();
    assert_eq!(volumes(&scene).await, ["four"]);
}

#[tokio::test(start_paused = true)]
async fn the_history_shows_what_happens_by_itself_too() {
    let scene = Scene::new(Behaviour::exits(Millis(100), 1));
    scene.engine.keep_history();
    let data = Mount::of(MountSource::Volume("data".into()));
    let writer =
        || ContainerSpec { mounts: [("/data".to_owned(), data.clone())].into(), ..restarts(RestartPolicy::Always) };
    scene.run("one", writer()).await;
    scene.run("two", writer()).await;
    scene.pass(150).await;
    assert_eq!(scene.status("one").await, Status::Restarting);
    let history = scene.engine.history();
    let shown: Vec<(Option<&str>, usize)> = history
        .iter()
        .map(|snapshot| (snapshot.after.as_ref().map(|call| call.call), snapshot.shared_writers().len()))
        .collect();
    let (create, start) = (Some("create container"), Some("start container"));
    assert_eq!(shown, [(create, 0), (start, 0), (create, 0), (start, 1), (None, 0)]);
    assert_eq!(history[3].shared_writers()[0].0, "data");
}

#[tokio::test(start_paused = true)]
async fn a_stop_goes_on_when_its_caller_is_gone() {
    let scene = Scene::new(Behaviour { stop_takes: Some(Millis(2000)), ..Behaviour::default() });
    let id = scene.run("web", ContainerSpec::default()).await;
    let stop = scene.engine.stop_container(&id, None);
    assert!(crate::engine::clock::within(&*scene.clock, Millis(100), stop).await.is_none());
    assert_eq!(scene.status("web").await, Status::Running);
    scene.pass(2000).await;
    assert_eq!(scene.status("web").await, Status::Exited);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_containers_take_moments() {
    let scene = Scene::new(Behaviour::default());
    let began = std::time::Instant::now();
    for number in 0..10_000 {
        scene.run(&format!("web-{number}"), restarts(RestartPolicy::Always)).await;
    }
    for container in scene.engine.list_containers().await.unwrap() {
        scene.engine.inspect_container(container.id.as_str()).await.unwrap();
    }
    scene.engine.restart_engine(Millis(1));
    scene.pass(1).await;
    assert_eq!(scene.engine.list_containers().await.unwrap().iter().filter(|one| one.running).count(), 10_000);
    // A bound that only a cost that grows with the square can miss.
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_course() {
    let course = async || {
        let scene = Scene::new(Behaviour { jitter: Millis(1000), ..Behaviour::default() });
        let id = scene.run("web", ContainerSpec::default()).await;
        scene.pass(500).await;
        (id, scene.engine.snapshot())
    };
    assert_eq!(course().await, course().await);
}

#[test]
fn it_is_an_engine() {
    fn takes(_: Option<&dyn Engine>) {}
    let none: Option<&SimulatedEngine> = None;
    takes(none.map(|engine| engine as &dyn Engine));
}

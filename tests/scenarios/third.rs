//! A third desired state meets what an interrupted rollout from the first to the second left: the old container kept and
//! stopped, the new one running in its place, not proven; or the new one beside an old one that was stopped for it. The
//! only running one serves until what is asked for now does.

use crate::support::{Host, SHOP, shop};
use evenkeel::{
    engine::{Containers, Volumes, simulated::Fault},
    model::{container::MountSource, observed::Status},
};

/// The web service with this image and this strategy.
fn web(image: &str, strategy: &str) -> String {
    shop("image: web:1", &format!("image: {image}\n      rollout: {{strategy: {strategy}}}"))
}

/// The first one kept, the second one running in its place.
async fn left(from: &str, to: &str) -> Host {
    let mut host = Host::new();
    host.settle(from).await;
    // Update (the restart policy), stop, rename, create, start.
    host.killed(to, Fault::KillAfter(5), false).await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    host.engine.keep_history();
    host
}

fn always_ready(host: &Host) {
    for seen in host.engine.history() {
        assert!(seen.ready(&"web".into()) > 0, "no web was ready after {:?}", seen.after);
    }
}

#[tokio::test(start_paused = true)]
async fn that_starts_first_replaces_the_running_one_without_a_gap() {
    let host = left(&web("web:1", "stopFirst"), &web("web:2", "stopFirst")).await;
    host.settle(&web("checked:1", "startFirst")).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 checked:1 running"]);
    always_ready(&host);
}

#[tokio::test(start_paused = true)]
async fn that_is_the_first_again_starts_the_kept_one_without_a_gap() {
    let from = web("web:1", "stopFirst");
    let host = left(&from, &web("web:2", "stopFirst")).await;
    let kept = host.containers().iter().find(|line| line.contains("_shop-web-1")).unwrap()[..12].to_owned();
    host.settle(&web("web:1", "startFirst")).await;
    assert_eq!(host.id_of("shop-web-1")[..12], kept);
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    always_ready(&host);
    host.settle(&from).await;
}

#[tokio::test(start_paused = true)]
async fn that_fails_gives_the_running_one_its_place_back() {
    let host = left(&web("web:1", "stopFirst"), &web("web:2", "stopFirst")).await;
    let second = host.id_of("shop-web-1");
    for strategy in ["startFirst", "stopFirst"] {
        let applied = host.apply(&web("web:crash", strategy)).await;
        assert_eq!(applied.exit, 4, "{applied:?}");
        assert_eq!(host.id_of("shop-web-1"), second);
        assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:2 running"]);
    }
    host.assert_settled(&web("web:2", "stopFirst")).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_database_stops_the_running_one_in_time_and_two_never_write() {
    let host = left(SHOP, &shop("image: db:1", "image: db:2")).await;
    let second = host.id_of("shop-db-1");
    let before = host.engine.mutations();
    host.settle(&shop("image: db:1", "image: db:1\n      environment: {LEVEL: debug}")).await;
    assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 web:1 running"]);
    assert!(host.engine.history().iter().all(|seen| seen.shared_writers().is_empty()));
    let calls = &host.engine.calls()[before..];
    let stopped = calls.iter().position(|call| call.call == "stop container");
    let removed = calls.iter().position(|call| call.call == "remove container");
    assert!(stopped.is_some() && stopped < removed, "{second} is stopped before anything goes: {calls:?}");
}

#[tokio::test(start_paused = true)]
async fn ends_the_same_wherever_it_is_killed() {
    for (first, second, third) in [
        (web("web:1", "stopFirst"), web("web:2", "stopFirst"), web("checked:1", "startFirst")),
        (web("web:1", "stopFirst"), web("web:2", "stopFirst"), web("web:1", "startFirst")),
        (SHOP.to_owned(), shop("db:1", "db:2"), shop("image: db:1", "image: db:1\n      environment: {LEVEL: debug}")),
        (SHOP.to_owned(), shop("db:1", "db:2"), SHOP.to_owned()),
    ] {
        let host = left(&first, &second).await;
        let before = host.engine.mutations();
        host.settle(&third).await;
        let (calls, wanted) = (host.engine.mutations() - before, host.containers());
        for call in 1..=calls as u64 {
            for fault in [Fault::KillBefore(call), Fault::KillAfter(call), Fault::LoseReply(call)] {
                let mut host = left(&first, &second).await;
                let request = host.request(&third, &[]);
                host.apply_with(&request, [fault.clone()], false).await;
                tokio::time::sleep(std::time::Duration::from_secs(60)).await;
                host.settle(&third).await;
                assert_eq!(host.containers(), wanted, "{fault:?}");
                let writers = host.engine.history().into_iter().find(|seen| !seen.shared_writers().is_empty());
                assert!(writers.is_none(), "{fault:?}: {writers:?}");
                if third.contains("startFirst") {
                    always_ready(&host);
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_another_leaves_none_of_them_behind() {
    let mut host = left(SHOP, &shop("image: db:1", "image: db:2")).await;
    let third = shop("image: db:1", "image: db:1\n      environment: {LEVEL: debug}");
    // The running one is stopped and kept, too.
    host.killed(&third, Fault::KillAfter(3), false).await;
    let kept = host.containers().iter().filter(|line| line.contains("_shop-db-1") && line.ends_with("exited")).count();
    assert_eq!(kept, 2, "{:?}", host.containers());
    host.settle(&shop("image: db:1", "image: web:2")).await;
    assert_eq!(host.containers(), ["shop-db-1 web:2 running", "shop-web-1 web:1 running"]);
    let running = |seen: &evenkeel::engine::simulated::Seen| seen.status == Status::Running;
    assert!(host.engine.snapshot().containers.iter().all(running));
}

/// The web service with this image, and one beside it on its network.
fn pair(web: &str, side: &str) -> String {
    shop(
        "    db:\n",
        &format!("    side:\n      image: {side}\n      restart: unless-stopped\n      network_mode: 'service:web'\n    db:\n"),
    )
    .replace("image: web:1\n      restart: unless-stopped\n      environment", &format!("image: {web}\n      restart: unless-stopped\n      environment"))
}

/// The first one runs, and the way to the second is cut off after so many calls.
async fn cut_off(from: &str, to: &str, call: u64) -> Host {
    let mut host = Host::new();
    host.settle(from).await;
    host.killed(to, Fault::KillAfter(call), false).await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    host.engine.keep_history();
    host
}

async fn calls(from: &str, to: &str) -> u64 {
    let host = Host::new();
    host.settle(from).await;
    let before = host.engine.mutations();
    host.settle(to).await;
    (host.engine.mutations() - before) as u64
}

fn always_served(host: &Host, services: &[&str], what: &str) {
    for seen in host.engine.history() {
        for service in services {
            assert!(seen.ready(&(*service).into()) > 0, "{what}: no {service} was ready after {:?}", seen.after);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn that_meets_a_stopped_old_one_and_its_successor_lets_that_serve() {
    let all = ["web:1", "web:2", "checked:1"].map(|image| web(image, "startFirst"));
    for call in 1..=calls(&all[0], &all[1]).await {
        let host = cut_off(&all[0], &all[1], call).await;
        host.settle(&all[2]).await;
        assert_eq!(host.containers(), ["shop-db-1 db:1 running", "shop-web-1 checked:1 running"]);
        always_served(&host, &["web"], &format!("{call}"));
    }
}

#[tokio::test(start_paused = true)]
async fn that_meets_a_stopped_old_one_leaves_the_data_that_it_had() {
    let sharing = |image: &str| {
        shop("image: web:1", &format!("image: {image}\n      rollout: {{strategy: startFirst, sharedVolumes: true}}"))
    };
    let (first, second, third) = (sharing("db:1"), sharing("web:2"), sharing("checked:1"));
    // Create, start, stop.
    let host = cut_off(&first, &second, 3).await;
    let old = host.engine.inspect_container("shop-web-1").await.unwrap();
    let MountSource::Anonymous(Some(data)) = old.spec.mounts["/data"].source.clone() else { panic!("{old:?}") };
    host.settle(&third).await;
    let volumes = host.engine.list_volumes().await.unwrap();
    assert!(volumes.iter().any(|volume| volume.name == data), "{volumes:?}");
}

#[tokio::test(start_paused = true)]
async fn of_a_unit_lets_what_was_proven_serve_until_all_of_it_is() {
    let first = pair("web:1", "web:1");
    for second in [pair("web:2", "web:1"), pair("web:2", "web:2")] {
        let count = calls(&first, &second).await;
        for third in [
            pair("checked:1", "web:1"),
            pair("checked:1", "web:2"),
            pair("web:1", "checked:1"),
            pair("web:2", "checked:1"),
            first.clone(),
        ] {
            let alone = Host::new();
            alone.settle(&third).await;
            for call in 1..=count {
                let what = format!("{call} of {second} then {third}");
                let host = cut_off(&first, &second, call).await;
                host.settle(&third).await;
                assert_eq!(host.containers(), alone.containers(), "{what}");
                always_served(&host, &["web", "side"], &what);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_unit_that_is_cut_off_too_ends_the_same_without_a_gap() {
    let (first, second, third) = (pair("web:1", "web:1"), pair("web:2", "web:2"), pair("checked:1", "web:1"));
    let alone = Host::new();
    alone.settle(&third).await;
    // The old dependant has stopped for the new one, and the old parent still runs.
    let mut before = 1;
    while !cut_off(&first, &second, before).await.containers().iter().any(|line| line.ends_with("exited")) {
        before += 1;
    }
    let host = cut_off(&first, &second, before).await;
    let calls = host.engine.mutations();
    host.settle(&third).await;
    for call in 1..=(host.engine.mutations() - calls) as u64 {
        for fault in [Fault::KillAfter(call), Fault::LoseReply(call)] {
            let mut host = cut_off(&first, &second, before).await;
            let request = host.request(&third, &[]);
            host.apply_with(&request, [fault.clone()], false).await;
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
            host.settle(&third).await;
            assert_eq!(host.containers(), alone.containers(), "{fault:?}");
            always_served(&host, &["web", "side"], &format!("{fault:?}"));
        }
    }
}

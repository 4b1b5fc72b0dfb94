//! Killed before or after every call of a rollout, or its reply lost, with the home kept or lost, and started again: the
//! end is always the same.

use crate::support::{Host, SHOP, shop};
use evenkeel::engine::{Containers, Volumes, simulated::Fault};

/// What is there at the end, and how many volumes.
async fn end(host: &Host) -> (Vec<String>, usize) {
    (host.containers(), host.engine.list_volumes().await.unwrap().len())
}

/// Tries every place of the way from one manifest to another.
async fn every_place(from: &str, to: &str) {
    let host = Host::new();
    host.settle(from).await;
    let before = host.engine.mutations();
    host.settle(to).await;
    let (calls, wanted) = (host.engine.mutations() - before, end(&host).await);
    for call in 1..=calls as u64 {
        for fault in [Fault::KillBefore(call), Fault::KillAfter(call), Fault::LoseReply(call)] {
            for wipe in [false, true] {
                let mut host = Host::new();
                host.settle(from).await;
                let request = host.request(to, &[]);
                host.apply_with(&request, [fault.clone()], wipe).await;
                tokio::time::sleep(std::time::Duration::from_secs(60)).await;
                let applied = host.apply(to).await;
                assert_eq!(applied.exit, 0, "{fault:?}, wipe {wipe}: {applied:?}");
                host.assert_settled(to).await;
                assert_eq!(end(&host).await, wanted, "{fault:?}, wipe {wipe}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_first_apply() {
    let nothing = SHOP.replace("    web:\n", "    other: {image: 'web:1', restart: always}\n    web:\n");
    let nothing = &nothing[..nothing.find("    web:\n").unwrap()];
    every_place(nothing, &SHOP.replace("    web:\n", "    other: {image: 'web:1', restart: always}\n    web:\n")).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_start_first_rollout() {
    every_place(SHOP, &shop("image: web:1", "image: web:2")).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_start_first_rollout_with_replicas_on_two_networks() {
    let two = SHOP
        .replace("image: web:1", "image: web:1\n      deploy: {replicas: 2}\n      networks: [default, back]")
        .replace("  volumes: {data: {}}", "  networks: {back: {}}\n  volumes: {data: {}}");
    every_place(&two, &two.replace("web:1", "web:2")).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_stop_first_rollout() {
    every_place(SHOP, &shop("image: db:1", "image: db:2")).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_stop_first_rollout_with_an_anonymous_volume() {
    let anonymous = SHOP.replace("      volumes: ['data:/data']\n", "");
    every_place(&anonymous, &anonymous.replace("db:1", "db:2")).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_service_under_a_new_name() {
    let next = SHOP.replace("  services:\n", "  prune: true\n  services:\n").replace("    db:\n", "    store:\n");
    every_place(SHOP, &next.replace("depends_on: [db]", "depends_on: [store]")).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_one_shot() {
    let job = shop("image: web:1\n      restart: unless-stopped", "image: job:1\n      restart: 'no'");
    every_place(&job, &job.replace("job:1", "job:2")).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_unit() {
    let unit = shop("depends_on: [db]", "network_mode: 'service:db'");
    every_place(&unit, &unit.replace("db:1", "db:2")).await;
    every_place(&unit, &unit.replace("web:1", "web:2")).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_unit_that_starts_first() {
    let unit = SHOP.replace("image: db:1", "image: checked:1").replace("      volumes: ['data:/data']\n", "");
    let unit = unit.replace("depends_on: [db]", "network_mode: 'service:db'");
    every_place(&unit, &unit.replace("checked:1", "web:2")).await;
}

/// Killed anywhere on the way from one manifest to another, its home lost, and then an update fails: what served is what is
/// left, under its name and with its policy. That is the old one until the call that `proven` counts, the tag of the new
/// image among them.
async fn every_place_and_then_a_failure(from: &str, to: &str, broken: &str, proven: u64) {
    let host = Host::new();
    host.settle(from).await;
    let (mutations, old) = (host.engine.mutations(), served(&host).await);
    host.settle(to).await;
    let (calls, new) = (host.engine.mutations() - mutations, served(&host).await);
    let wanted = end(&host).await;
    for call in 1..=calls as u64 {
        for (fault, carried_out) in [(Fault::KillBefore(call), call - 1), (Fault::KillAfter(call), call)] {
            let mut host = Host::new();
            host.settle(from).await;
            host.apply_with(&host.request(to, &[]), [fault.clone()], true).await;
            let applied = host.apply(broken).await;
            assert_eq!(applied.exit, 4, "{fault:?}: {applied:?}");
            let left = if carried_out < proven { &old } else { &new };
            assert_eq!(served(&host).await, *left, "{fault:?}");
            host.settle(to).await;
            assert_eq!(end(&host).await, wanted, "{fault:?}");
        }
    }
}

/// What runs, with its restart policy.
async fn served(host: &Host) -> Vec<String> {
    let mut lines = host.containers();
    for line in &mut lines {
        let name = line.split(' ').next().unwrap_or_default();
        let restart = host.engine.inspect_container(name).await.unwrap().spec.restart;
        line.push_str(&format!(" {restart:?}"));
    }
    lines
}

#[tokio::test(start_paused = true)]
async fn of_a_start_first_rollout_and_the_next_one_fails() {
    let update = shop("image: web:1", "image: web:2");
    every_place_and_then_a_failure(SHOP, &update, &shop("image: web:1", "image: web:crash"), 4).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_stop_first_rollout_and_the_next_one_fails() {
    let update = shop("image: db:1", "image: db:2");
    every_place_and_then_a_failure(SHOP, &update, &shop("image: db:1", "image: web:crash"), 7).await;
}

/// The current revision is what was gone back to, so an apply goes on with it: held is what is declared, not what is left.
#[tokio::test(start_paused = true)]
async fn of_a_rollback() {
    let third = shop("LOG_LEVEL: info", "LOG_LEVEL: debug").replace("db:1", "db:1\n      environment: {NOTE: new}");
    for (left, calls) in [(shop("image: web:1", "image: web:2"), 5), (shop("image: db:1", "image: db:2"), 6)] {
        for call in 1..=calls {
            for fault in [Fault::KillBefore(call), Fault::KillAfter(call), Fault::LoseReply(call)] {
                let host = Host::new();
                host.settle(SHOP).await;
                let wanted = end(&host).await;
                host.settle(&left).await;
                host.rollback_with(fault.clone()).await;
                let applied = host.apply(&left).await;
                assert_eq!(applied.exit, 9, "{fault:?}: {applied:?}");
                assert_eq!(end(&host).await, wanted, "{fault:?}");
                host.assert_settled(SHOP).await;
                // Its gates passed, so there is a way back to it.
                host.settle(&third).await;
                host.rollback_with(Fault::LoseReply(0)).await;
                host.assert_settled(SHOP).await;
            }
        }
    }
}

/// What a rollback holds is looked after like everything else.
#[tokio::test(start_paused = true)]
async fn what_was_rolled_back_is_repaired_though_it_is_held() {
    let host = Host::new();
    host.settle(SHOP).await;
    let left = shop("image: web:1", "image: web:2");
    host.settle(&left).await;
    host.rollback_with(Fault::LoseReply(0)).await;
    host.remove("shop-web-1");
    let applied = host.apply(&left).await;
    assert_eq!(applied.exit, 9, "{applied:?}");
    host.assert_settled(SHOP).await;
}

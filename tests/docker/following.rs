//! `run --follow`: a manifest is taken once it is whole; what is half saved or wrong changes nothing that runs.

use crate::{
    going::{Going, events, is_whole, of_kind, told, wait_for},
    stack::{Stack, wait_until},
};
use std::{fs::File, io::Write, time::Duration};

const COMPOSE: &str = r#"services:
  web:
    image: evenkeel-test/web:1
    restart: always
    environment:
      SAY: "one"
  store:
    image: evenkeel-test/web:1
    restart: always
"#;
const SPEC: &str = "defaults: {rollout: {minReady: 200ms, deadline: 60s}}";
const BOTH: [&str; 2] = ["store-1", "web-1"];

fn followed(what: &str, spec: &str) -> Stack {
    let stack = Stack::new(what);
    stack.declare(COMPOSE, spec);
    stack.evenkeel(&["apply"]).exits(0);
    stack
}

#[test]
fn a_manifest_that_is_being_saved_is_taken_when_it_is_whole() {
    let stack = followed("saving", SPEC);
    let _going = Going::start(&stack, &["--follow"]);
    let before = stack.ids();
    let next = COMPOSE.replace("\"one\"", "\"two\"");
    // A slow writer: some of what it leaves for a moment is valid and declares less.
    let mut file = File::create(stack.path("compose.yaml")).unwrap();
    for piece in next.as_bytes().chunks(next.len().div_ceil(14)) {
        file.write_all(piece).unwrap();
        file.flush().unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    drop(file);
    wait_until("the whole one is rolled", || is_whole(&stack, &BOTH) && stack.ids()["web-1"] != before["web-1"]);
    let all = events(&stack);
    assert_eq!(of_kind(&all, "revision-made").count(), 2, "the first apply's, and the whole one's");
    assert_eq!(stack.ids()["store-1"], before["store-1"]);
    let said: Vec<String> = serde_json::from_value(stack.inspect("web-1")["Config"]["Env"].clone()).unwrap();
    assert!(said.contains(&"SAY=two".to_owned()), "{said:?}");
}

#[test]
fn a_manifest_that_stays_half_saved_changes_nothing_that_runs_and_is_told_once() {
    let stack = followed("halfsaved", SPEC);
    let _going = Going::start(&stack, &["--follow", "--resync", "1s"]);
    let before = stack.containers();
    // In a key, in a quoted value, with nothing in it at all.
    let places = [COMPOSE.find("image").unwrap() + 3, COMPOSE.find("one").unwrap() + 1, 0];
    for (count, place) in places.into_iter().enumerate() {
        let refused = told(&stack, "manifest-refused").len();
        assert_eq!(refused, count, "{:?}", told(&stack, "manifest-refused"));
        // At once, or a busy machine shows an empty file first, which is another mistake.
        stack.write("compose.yaml.new", &COMPOSE[..place]);
        std::fs::rename(stack.path("compose.yaml.new"), stack.path("compose.yaml")).unwrap();
        wait_for(&stack, "manifest-refused", refused, "the manifest is wrong, and nothing is changed");
        // It looks again, and says it no second time.
        let known = told(&stack, "drift-found").len();
        stack.docker(&["kill", &stack.full("web-1")]);
        wait_for(&stack, "drift-found", known, "service/web: not running");
        wait_until("it keeps what it had", || stack.containers() == before);
    }
    assert_eq!(told(&stack, "manifest-refused").len(), places.len());

    // Valid, and a service is missing: it is not removed.
    stack.write("compose.yaml", &COMPOSE[..COMPOSE.find("  store").unwrap()]);
    wait_until("it is taken over", || told(&stack, "revision-made").len() == 2);
    wait_until("it is done", || told(&stack, "apply-ended").len() == 2);
    assert_eq!(stack.containers(), before);

    stack.write("compose.yaml", &COMPOSE.replace("web:1", "web:2"));
    wait_until("a whole one rolls", || is_whole(&stack, &BOTH));
    assert!(stack.containers().values().all(|container| container.image == "evenkeel-test/web:2"));
}

#[test]
fn a_manifest_that_is_broken_before_it_starts_stops_no_repair_and_is_taken_once_it_is_whole() {
    let stack = followed("brokenfirst", SPEC);
    let whole = std::fs::read_to_string(stack.path("evenkeel.yaml")).unwrap();
    stack.write("evenkeel.yaml", &format!("{whole}  [\n"));
    stack.evenkeel(&["stop", "store"]).exits(0);
    stack.evenkeel(&["start", "store"]).exits(0);
    let _going = Going::start(&stack, &["--follow"]);
    wait_for(&stack, "manifest-refused", 0, "evenkeel.yaml:");
    stack.docker(&["kill", &stack.full("web-1")]);
    wait_until("it is started again", || stack.containers()["web-1"].state == "running");
    stack.write("compose.yaml", &COMPOSE.replace("web:1", "web:2"));
    stack.write("evenkeel.yaml", &whole);
    wait_until("it rolls", || {
        is_whole(&stack, &BOTH) && stack.containers().values().all(|one| one.image == "evenkeel-test/web:2")
    });
}

#[test]
fn a_manual_service_is_held_until_it_is_named() {
    let stack = followed("manual", &format!("{SPEC}, services: {{store: {{rollout: {{apply: manual}}}}}}"));
    let _going = Going::start(&stack, &["--follow"]);
    let store = stack.ids()["store-1"].clone();
    stack.write("compose.yaml", &COMPOSE.replace("web:1", "web:2"));
    let image = |name: &str| stack.containers().get(name).map(|container| container.image.clone());
    wait_until("the other one rolls", || image("web-1").as_deref() == Some("evenkeel-test/web:2"));
    wait_until("it is done", || told(&stack, "apply-ended").len() == 2);
    wait_for(&stack, "warning", 0, "service/store is held: manual: ");
    assert_eq!(stack.ids()["store-1"], store);
    stack.docker(&["kill", &stack.full("store-1")]);
    wait_for(&stack, "drift-found", 0, "service/store: not running");
    wait_until("it is started as it was", || stack.containers()["store-1"].state == "running");
    assert_eq!(stack.ids()["store-1"], store);
    stack.evenkeel(&["apply", "store"]).exits(0);
    wait_until("all is whole", || is_whole(&stack, &BOTH));
    assert_eq!(image("store-1").as_deref(), Some("evenkeel-test/web:2"));
}

//! A colleague runs `docker compose up` while evenkeel stands in a gate. It can't be prevented: the gate fails, what is left
//! to take back is taken back, and the next apply comes to its end. Of a service with data never two run at once meanwhile,
//! and the data is kept.

use crate::stack::{Ran, Stack, finish, wait_until};

const COMPOSE: &str = r#"
services:
  web: {image: "evenkeel-test/web:1", restart: unless-stopped, environment: {VERSION: "<version>", FAIL: "<fail>"}<volume>}
"#;
const SPEC: &str = "services: {web: {probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms}},
  rollout: {minReady: 200ms, deadline: 120s<strategy>}}}";

struct Office {
    stack: Stack,
    volume: &'static str,
    strategy: &'static str,
}

impl Office {
    /// Version 1 runs; without a declared strategy `volume` decides it.
    fn open(what: &str, volume: &'static str, strategy: &'static str) -> Office {
        let office = Office { stack: Stack::new(what), volume, strategy };
        office.declare("1", "");
        office.stack.evenkeel(&["apply"]).exits(0);
        office
    }

    fn declare(&self, version: &str, fail: &str) {
        let compose = COMPOSE.replace("<version>", version).replace("<fail>", fail).replace("<volume>", self.volume);
        self.stack.declare(&compose, &SPEC.replace("<strategy>", self.strategy));
    }

    /// evenkeel rolls version 2, which never gets ready; in its gate the colleague brings up this version.
    fn meddled_with(&self, version: &str) -> Ran {
        self.declare("2", "health");
        let old = self.stack.containers()["web-1"].id.clone();
        let child = self.stack.start(&["apply"]);
        wait_until("the new one runs", || {
            let containers = self.stack.containers();
            containers.values().any(|container| container.id != old && container.state == "running")
        });
        self.declare(version, "");
        // Its own success is its own: of two containers of one replica it takes one away, and may then clash with the other.
        self.stack.compose(&["up", "-d"]);
        finish(&["apply"], child).says("web/1/gate failed")
    }

    /// One container runs as declared, under its name and with its policy.
    #[track_caller]
    fn is_whole(&self, version: &str) {
        let containers = self.stack.containers();
        let names: Vec<_> = containers.keys().collect();
        assert_eq!(names, ["web-1"], "{containers:?}");
        assert_eq!(
            (containers["web-1"].state.as_str(), containers["web-1"].policy.as_str()),
            ("running", "unless-stopped")
        );
        assert_eq!(self.stack.answers("web-1", "/version"), version);
        self.stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    }

    /// The volume is the one of version 1, and no two ever wrote to it: each holds a lock on a file there while it runs.
    #[track_caller]
    fn has_kept_its_data(&self) {
        let log = self.stack.exec("web-1", &["cat", "/data/log"]);
        assert!(log.starts_with("start 1 "), "{log}");
        assert!(!log.contains("overlap"), "{log}");
    }
}

#[test]
fn in_a_start_first_rollout_what_ran_serves_on() {
    let office = Office::open("colleague", "", "");
    let before = office.stack.containers();
    office.meddled_with("1").exits(4);
    assert_eq!(office.stack.containers(), before);
    office.is_whole("1");
}

#[test]
fn in_a_start_first_rollout_a_third_version_is_no_end() {
    let office = Office::open("colleague3", "", "");
    let ran = office.meddled_with("3");
    assert!(matches!(ran.code, 4 | 5), "{}", ran.all());
    office.stack.evenkeel(&["apply"]).exits(0);
    office.is_whole("3");
}

const VOLUME: &str = ", volumes: [\"data:/data\"]}\nvolumes: {data: ";

#[test]
fn in_a_stop_first_rollout_what_ran_serves_again() {
    let office = Office::open("colleagued", VOLUME, "");
    let before = office.stack.containers();
    office.meddled_with("1").exits(4);
    assert_eq!(office.stack.containers(), before);
    office.is_whole("1");
    office.has_kept_its_data();
}

#[test]
fn in_a_stop_first_rollout_a_third_version_is_no_end() {
    let office = Office::open("colleagued3", VOLUME, "");
    // The old one, kept until the new one is proven, is gone: what ran before can't serve again.
    office.meddled_with("3").exits(5).says("changed by somebody else");
    office.stack.evenkeel(&["apply"]).exits(0);
    office.is_whole("3");
    office.has_kept_its_data();
}

const RECREATE: &str = ", strategy: recreate";

#[test]
fn in_a_recreating_rollout_what_ran_before_is_made_again() {
    let office = Office::open("colleaguer", VOLUME, RECREATE);
    office.meddled_with("1").exits(4);
    office.is_whole("1");
    office.has_kept_its_data();
}

#[test]
fn in_a_recreating_rollout_a_third_version_is_no_end() {
    let office = Office::open("colleaguer3", VOLUME, RECREATE);
    let ran = office.meddled_with("3");
    assert!(matches!(ran.code, 4 | 5), "{}", ran.all());
    office.stack.evenkeel(&["apply"]).exits(0);
    office.is_whole("3");
    office.has_kept_its_data();
}

//! A stack whose evenkeel is ended around one call after the other, with its home kept or lost; and what must be so
//! whatever was ended: one service rolls start-first, the other has data and rolls stop-first.

use crate::{
    proxy::{Cut, Proxy},
    stack::{Place, Stack},
};
use std::{collections::BTreeSet, fs, process::Stdio};

const COMPOSE: &str = r#"
services:
  web:
    image: evenkeel-test/web:<version>
    restart: unless-stopped
  store:
    image: evenkeel-test/web:volume
    environment: {VERSION: "<data version>", FAIL: "<fail>"}
    volumes: ["named:/named"]
    restart: always
volumes: {named: }
"#;
const SPEC: &str = r#"services: {
  web: {probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms}}, rollout: {minReady: 200ms, deadline: 20s}},
  store: {probes: {readiness: {http: {port: 8080, path: /health}, period: 100ms}}, rollout: {minReady: 200ms, deadline: 20s}}}"#;

/// Of each call: whether the engine hears of it before evenkeel ends.
pub type Side = fn(usize) -> Cut;

/// See the head of this file.
pub struct Victim {
    pub stack: Stack,
    proxy: Proxy,
    side: Side,
    /// What the failure messages say.
    what: String,
}

impl Victim {
    pub fn at(place: &Place, name: &str, side: Side) -> Victim {
        let stack = Stack::at(name, place.clone());
        Victim { what: name.to_owned(), proxy: Proxy::before(&place.host), side, stack }
    }

    /// Declares both services in these versions. `fail` is what the one with data does at its start, empty for nothing.
    pub fn declare(&self, web: u32, store: u32, fail: &str) {
        let versions = COMPOSE.replace("<version>", &web.to_string()).replace("<data version>", &store.to_string());
        self.stack.declare(&versions.replace("<fail>", fail), SPEC);
    }

    /// Applies for the first time, and writes what must be there at every later end.
    pub fn begin(&self, version: u32) {
        self.declare(version, version, "");
        self.stack.evenkeel(&["apply"]).exits(0);
        let write = "echo in the named one >/named/kept; echo in the anonymous one >/data/kept";
        self.stack.exec("store-1", &["sh", "-c", write]);
    }

    /// Runs evenkeel and ends it around its call of this number; with `wipe` its home is lost then. `None`: it was cut,
    /// else what it called.
    pub fn cut(&mut self, number: usize, words: &[&str], wipe: bool) -> Option<Vec<String>> {
        let was_cut = self.proxy.cut((self.side)(number), || {
            let mut command = self.stack.command(words);
            command.env("DOCKER_HOST", self.proxy.host()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        });
        let calls: Vec<String> = self.proxy.calls().iter().map(|call| named(call)).collect();
        self.what = format!("{} {words:?} {:?} of {calls:?}, wiped: {wipe}", self.stack.name, (self.side)(number));
        if was_cut && wipe {
            fs::remove_dir_all(self.stack.home()).unwrap();
        }
        (!was_cut).then_some(calls)
    }

    /// What comes after a cut.
    #[track_caller]
    pub fn then(&self, words: &[&str], code: i32) {
        let ran = self.stack.evenkeel(words);
        assert_eq!(ran.code, code, "{} and then {words:?}: {}", self.what, ran.all());
    }

    /// Both run in these versions, with their policies and data, and nothing else is there.
    #[track_caller]
    pub fn runs(&self, web: u32, store: u32) {
        let (stack, what) = (&self.stack, &self.what);
        let containers = stack.containers();
        assert_eq!(containers.keys().collect::<Vec<_>>(), ["store-1", "web-1"], "{what}: {containers:?}");
        assert!(containers.values().all(|container| container.state == "running"), "{what}: {containers:?}");
        assert_eq!(containers["web-1"].image, format!("evenkeel-test/web:{web}"), "{what}");
        assert_eq!(containers["web-1"].policy, "unless-stopped", "{what}");
        assert_eq!(containers["store-1"].policy, "always", "{what}");
        assert_eq!(stack.answers("store-1", "/version"), store.to_string(), "{what}");
        let log = stack.exec("store-1", &["cat", "/data/log"]);
        assert!(!log.contains("overlap"), "{what}: two ran on one volume: {log}");
    }

    /// What `begin` wrote is there, and as declared all is.
    #[track_caller]
    pub fn is_whole(&self) {
        let kept = self.stack.exec("store-1", &["cat", "/named/kept", "/data/kept"]);
        assert_eq!(kept, "in the named one\nin the anonymous one", "{}", self.what);
        self.then(&["diff", "--exit-code"], 0);
    }

    /// The volumes that its containers have.
    pub fn mounted(&self) -> Vec<String> {
        let stack = &self.stack;
        let form = "{{range .Mounts}}{{println .Name}}{{end}}";
        let names = stack.docker(&["inspect", "-f", form, &stack.full("store-1"), &stack.full("web-1")]);
        names.split_whitespace().map(str::to_owned).collect()
    }

    /// Nothing of the stack is there, but for these volumes.
    #[track_caller]
    pub fn is_gone(&self, volumes: &[String]) {
        let (stack, what) = (&self.stack, &self.what);
        assert_eq!(stack.containers(), [].into(), "{what}");
        let named = format!("name={}", stack.name);
        let left = |words: &[&str]| stack.docker(words).lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(left(&["network", "ls", "-q", "--filter", &named]), [""; 0], "{what}");
        assert_eq!(left(&["volume", "ls", "-q", "--filter", &format!("name={}", stack.name)]), volumes, "{what}");
        let reference = format!("reference=evenkeel.local/{}/*", stack.name);
        assert_eq!(left(&["images", "-q", "--filter", &reference]), [""; 0], "{what}");
    }
}

/// What a call does, without what it does it to.
fn named(call: &str) -> String {
    let (method, path) = call.split_once(' ').unwrap_or_default();
    let words: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').skip(2).collect();
    let last = words.last().copied().unwrap_or_default();
    match (words[0], method) {
        ("containers", "DELETE") => "remove".to_owned(),
        ("containers", _) => last.to_owned(),
        ("images", "DELETE") => "untag".to_owned(),
        ("images", _) => last.to_owned(),
        (kind, "DELETE") => format!("remove {}", kind.trim_end_matches('s')),
        (kind, _) => format!("{last} {}", kind.trim_end_matches('s')),
    }
}

/// Goes on with numbers from 1 until one is through before it is cut: what that one gave.
pub fn until_through<T>(mut go: impl FnMut(usize) -> Option<T>) -> T {
    (1..60).find_map(&mut go).expect("it comes to its end some time")
}

/// Runs all at once, and waits for all before one that failed is told, so that none is left behind.
pub fn at_once<T: Send>(all: Vec<Box<dyn FnOnce() -> T + Send + '_>>) -> Vec<T> {
    std::thread::scope(|scope| {
        let started: Vec<_> = all.into_iter().map(|one| scope.spawn(one)).collect();
        let ended: Vec<_> = started.into_iter().map(|thread| thread.join()).collect();
        ended.into_iter().map(|ended| ended.unwrap_or_else(|failed| std::panic::resume_unwind(failed))).collect()
    })
}

/// The lines that a docker command prints.
pub fn listed(place: &Place, words: &[&str]) -> BTreeSet<String> {
    place.docker(words).lines().map(str::to_owned).collect()
}

/// On an engine that has nothing but these stacks: only their two containers are there, and only volumes that these mount,
/// and the claims.
#[track_caller]
pub fn nothing_else_is_there(place: &Place, victims: &[Victim]) {
    let claim = |victim: &Victim| format!("evenkeel_home_{}", victim.stack.name);
    let known = victims.iter().flat_map(|victim| [vec![claim(victim)], victim.mounted()].concat()).collect();
    assert_eq!(listed(place, &["volume", "ls", "-q"]), known);
    assert_eq!(listed(place, &["ps", "-aq"]).len(), 2 * victims.len());
}

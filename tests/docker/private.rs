//! An engine that one test may kill and break: see `scripts/private-engine`. It is gone after the test.

use crate::stack::{Place, Ran, setting};
use std::process::Command;

/// See the head of this file.
pub struct PrivateEngine {
    name: String,
}

impl PrivateEngine {
    /// Starts one with the web images. `more` are arguments of the script.
    pub fn start(what: &str, more: &[&str]) -> PrivateEngine {
        let owner = std::process::id().to_string();
        let engine = PrivateEngine { name: format!("e2e{owner}-{what}") };
        let mut words = vec!["--images", "web", "--owner", &owner];
        words.extend(more);
        engine.tell("start", &words);
        engine
    }

    /// How programs come to it.
    pub fn place(&self) -> Place {
        let socket = self.tell("socket", &[]).out;
        let namespace = self.tell("namespace", &[]).out;
        Place { host: format!("unix://{}", socket.trim()), namespace: Some(namespace.trim().to_owned()) }
    }

    /// One of the script's verbs: `kill`, `restart`, `halt`, `crash`.
    pub fn tell(&self, verb: &str, more: &[&str]) -> Ran {
        let output = Command::new(setting("EVENKEEL_TEST_ENGINES")).args([verb, &self.name]).args(more).output();
        Ran::of(format!("private-engine {verb} {}", self.name), output.unwrap()).exits(0)
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        // A failure here must not hide the test's own.
        let _ = Command::new(setting("EVENKEEL_TEST_ENGINES")).args(["stop", &self.name]).output();
    }
}

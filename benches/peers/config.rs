//! `config` beside `docker compose config`, on a project larger and slower to read than real ones tend to be.

use crate::{
    Project, RUNS,
    measure::{Figures, alternate},
    report,
};
use std::process::Command;

/// A case of the tests, which docker compose answered too: twenty services, anchors, variables, every kind of mount.
const LARGE: &str = include_str!("../../tests/compose/a-large-project/compose.yaml");

/// The whole model in JSON, and the hashes.
pub fn prints() {
    let project = Project::new("evkbench-config", LARGE);
    for words in [&["config", "--format", "json"][..], &["config", "--hash", "*"]] {
        let ours = || project.evenkeel(words);
        let theirs = || -> Command { project.docker_compose(words) };
        let [ours, theirs]: [Figures; 2] = alternate(RUNS, ours, theirs);
        report::beside(("evenkeel config", &ours), ("docker compose config", &theirs));
        let what = format!("of docker compose's time, {}", words[1]);
        report::held_to(&what, ours.seconds().median / theirs.seconds().median, "", 0.5);
    }
}

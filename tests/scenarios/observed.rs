//! Each release leaves what engines said of a stack that it had applied, in `tests/observed`. No later one finds anything
//! to do about it, with the home of that time or without.

use evenkeel::{
    cli::render::{plan::plan_text, style::Style},
    load::{Memory, Sources, load},
    model::{
        names::PlanId,
        observed::Observed,
        plan::{CurrentRevision, Facts, Plan, PlanContext, Purpose},
        revision::Revision,
        value::Salt,
    },
    plan::plan,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What one release left of one engine.
struct Left {
    folder: PathBuf,
    files: Memory,
    observed: Observed,
    revision: Revision,
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn all_left() -> Vec<Left> {
    let releases = inside(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/observed"));
    releases.iter().flat_map(|release| inside(release)).map(left).collect()
}

fn left(folder: PathBuf) -> Left {
    let text = |file: &Path| fs::read_to_string(file).unwrap();
    let read = |file: &str| text(&folder.join(file));
    let declared = inside(&folder).into_iter().filter(|file| file.extension().is_none_or(|kind| kind != "json"));
    let in_srv = |file: PathBuf| (Path::new("/srv/fixture").join(file.file_name().unwrap()), text(&file));
    Left {
        files: Memory(declared.map(in_srv).collect()),
        observed: serde_json::from_str(&read("observed.json")).unwrap(),
        revision: serde_json::from_str(&read("revision.json")).unwrap(),
        folder,
    }
}

impl Left {
    /// What this version would do about it.
    fn plan(&self, purpose: Purpose, with_home: bool) -> Plan {
        let sources = Sources::new("/srv/fixture", ["/srv/fixture/evenkeel.yaml"], &self.files);
        let (desired, _) = load(&sources).unwrap_or_else(|error| panic!("{}: {error}", self.folder.display()));
        let Revision { number, made, desired: before, images, .. } = self.revision.clone();
        let current = CurrentRevision { number, made, desired: before.into(), images: images.clone() };
        let facts = Facts { identity: self.observed.claim.clone(), current: Some(current), ..Facts::default() };
        let context = PlanContext {
            plan: PlanId::new("p-000000000001"),
            now: self.observed.at,
            salt: Salt::new("0".repeat(32)),
            images,
            selected: None,
            purpose,
            yes: false,
            second_stack: false,
            dropped: Default::default(),
            root: true,
            attended: false,
            unwell: Default::default(),
            facts: if with_home { facts } else { Facts::default() },
        };
        plan(&desired, &self.observed, &context)
    }
}

#[test]
fn nothing_is_to_be_done_about_what_any_release_left() {
    for left in all_left() {
        for (purpose, with_home) in [(Purpose::Apply, true), (Purpose::Keep, true), (Purpose::Apply, false)] {
            let plan = left.plan(purpose, with_home);
            let what = format!("{}, {purpose:?}, home: {with_home}", left.folder.display());
            assert!(plan.is_empty(), "{what}\n{}", plan_text(&plan, Style::PLAIN));
        }
    }
}

#[test]
fn what_differs_from_it_is_seen() {
    for mut left in all_left() {
        let compose = left.files.0.get_mut(Path::new("/srv/fixture/compose.yaml")).unwrap();
        *compose = compose.replace("LOG_LEVEL: info", "LOG_LEVEL: debug");
        let plan = left.plan(Purpose::Apply, true);
        let fields: Vec<_> = plan.changes.iter().flat_map(|change| &change.fields).map(|field| &field.path).collect();
        assert_eq!(fields, ["environment.LOG_LEVEL"], "{}", left.folder.display());
    }
}

#[test]
fn this_version_left_what_two_engines_said() {
    let of_this = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/observed").join(env!("CARGO_PKG_VERSION"));
    assert!(of_this.is_dir() && inside(&of_this).len() >= 2, "`make observed` has not been run for this version");
}

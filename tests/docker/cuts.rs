//! evenkeel is killed around each call that could change something, verb by verb. In half of the runs its home is lost too.
//! The next apply, or the same verb again, always comes to the same end, with nothing left over.

use crate::{
    private::PrivateEngine,
    proxy::Cut,
    stack::Place,
    victim::{Side, Victim, at_once, listed, nothing_else_is_there, until_through},
};
use std::collections::BTreeSet;

/// The rollout of the service with data, then of the other.
const STOP_FIRST: [&str; 6] = ["update", "stop", "rename", "create", "start", "remove"];
const START_FIRST: [&str; 5] = ["create", "start", "stop", "remove", "rename"];

/// A story, its victim at its end, and what it called when it was not cut.
type Story<'a> = Box<dyn FnOnce() -> (Victim, Vec<String>) + Send + 'a>;

/// Images are tagged at any time meanwhile: the calls without that, and how many images were.
fn beside_tags(calls: &[String]) -> (Vec<&str>, usize) {
    let rest: Vec<&str> = calls.iter().map(String::as_str).filter(|call| *call != "tag").collect();
    let tags = calls.len() - rest.len();
    (rest, tags)
}

/// The version after this run's; each run has another than the one before.
fn version(run: usize) -> u32 {
    u32::try_from(run % 3).unwrap() + 1
}

/// `wiped` says whether the home is lost after the cuts of odd numbers, or of even ones; `fail` what the one with data does
/// at its start in the update that is cut: then the undo is cut too.
fn updated(place: &Place, name: &str, side: Side, wiped: usize, fail: &str) -> (Victim, Vec<String>) {
    let mut victim = Victim::at(place, name, side);
    victim.begin(version(0));
    let calls = until_through(|number| {
        victim.declare(version(number), version(number), fail);
        let calls = victim.cut(number, &["apply"], number % 2 == wiped);
        victim.declare(version(number), version(number), "");
        victim.then(&["apply"], 0);
        victim.runs(version(number), version(number));
        victim.is_whole();
        calls
    });
    (victim, calls)
}

#[test]
fn killed_in_an_update_or_its_undo_the_next_apply_comes_to_the_same_end() {
    let engine = PrivateEngine::start("cuts", &[]);
    let place = &engine.place();
    let stories: Vec<Story> = vec![
        Box::new(move || updated(place, "before", Cut::Before, 0, "")),
        Box::new(move || updated(place, "after", Cut::After, 1, "")),
        Box::new(move || updated(place, "undone", Cut::After, 0, "exit:1")),
    ];
    let (victims, calls): (Vec<_>, Vec<_>) = at_once(stories).into_iter().unzip();
    // The last run's image is none of those that the home knows since it was lost, so it is tagged.
    let update = [STOP_FIRST.as_slice(), &START_FIRST].concat();
    assert_eq!(beside_tags(&calls[0]), (update.clone(), 1));
    assert_eq!(beside_tags(&calls[1]), (update, 1));
    let undone = ["update", "stop", "rename", "create", "start", "stop", "remove", "rename", "update", "start"];
    assert_eq!(
        beside_tags(&calls[2]).0,
        undone,
        "the one with data goes first: where it fails, the other is not begun"
    );
    nothing_else_is_there(place, &victims);
}

/// A restart makes no revision: an apply finishes or takes back what it has begun.
fn restarted(place: &Place, name: &str, side: Side, wiped: usize) -> (Victim, Vec<String>) {
    let mut victim = Victim::at(place, name, side);
    victim.begin(1);
    let calls = until_through(|number| {
        let calls = victim.cut(number, &["restart"], number % 2 == wiped);
        victim.then(&["apply"], 0);
        victim.runs(1, 1);
        victim.is_whole();
        calls
    });
    (victim, calls)
}

/// What a killed rollback has begun the next apply goes on with, for it is the current revision; what is declared is held.
fn rolled_back(place: &Place, name: &str, side: Side) -> (Victim, Vec<String>) {
    let mut victim = Victim::at(place, name, side);
    victim.begin(1);
    let calls = until_through(|number| {
        let left = if number % 2 == 0 { 2 } else { 3 };
        victim.declare(left, left, "");
        victim.then(&["apply"], 0);
        victim.runs(left, left);
        let calls = victim.cut(number, &["rollback"], false);
        victim.then(&["apply"], 9);
        victim.runs(1, 1);
        victim.declare(1, 1, "");
        victim.is_whole();
        calls
    });
    (victim, calls)
}

/// Only one service is applied; the other follows after it.
fn applied_alone(place: &Place, name: &str, side: Side, wiped: usize, service: &str) -> (Victim, Vec<String>) {
    let mut victim = Victim::at(place, name, side);
    victim.begin(version(0));
    let calls = until_through(|number| {
        let (old, new) = (version(number - 1), version(number));
        victim.declare(new, new, "");
        let calls = victim.cut(number, &["apply", service], number % 2 == wiped);
        victim.then(&["apply", service], 0);
        let (web, store) = if service == "web" { (new, old) } else { (old, new) };
        victim.runs(web, store);
        victim.then(&["apply"], 0);
        victim.runs(new, new);
        victim.is_whole();
        calls
    });
    (victim, calls)
}

#[test]
fn killed_in_a_restart_a_rollback_or_an_apply_of_one_service_the_end_is_the_same() {
    let engine = PrivateEngine::start("cutverbs", &[]);
    let place = &engine.place();
    let stories: Vec<Story> = vec![
        Box::new(move || restarted(place, "restart-b", Cut::Before, 0)),
        Box::new(move || restarted(place, "restart-a", Cut::After, 1)),
        Box::new(move || rolled_back(place, "rollback-b", Cut::Before)),
        Box::new(move || rolled_back(place, "rollback-a", Cut::After)),
        Box::new(move || applied_alone(place, "web-b", Cut::Before, 1, "web")),
        Box::new(move || applied_alone(place, "store-a", Cut::After, 0, "store")),
    ];
    let (victims, calls): (Vec<_>, Vec<_>) = at_once(stories).into_iter().unzip();
    let both = [STOP_FIRST.as_slice(), &START_FIRST].concat();
    for (calls, wanted) in calls[..4].iter().zip([&both, &both, &both, &both]) {
        assert_eq!(calls, wanted);
    }
    assert_eq!(beside_tags(&calls[4]), (START_FIRST.to_vec(), 1));
    assert_eq!(calls[5], STOP_FIRST);
    nothing_else_is_there(place, &victims);
}

/// What came up and went again.
struct UpAndDown {
    victim: Victim,
    up: Vec<String>,
    down: Vec<String>,
    /// All that must be left of it.
    volumes: BTreeSet<String>,
}

/// Comes up from nothing and goes again, and both are cut. `words` are those of the going.
fn up_and_down(place: &Place, name: &str, side: Side, wiped: usize, words: &[&str]) -> UpAndDown {
    let mut victim = Victim::at(place, name, side);
    let named = format!("{}_named", victim.stack.name);
    let keeps = !words.contains(&"--volumes");
    let kept = if keeps { vec![named] } else { Vec::new() };
    let mut volumes: BTreeSet<String> = kept.iter().cloned().collect();
    let mut up = None;
    let down = until_through(|number| {
        victim.declare(1, 1, "");
        let calls = victim.cut(number, &["apply"], number % 2 == wiped);
        victim.then(&["apply"], 0);
        victim.runs(1, 1);
        victim.then(&["diff", "--exit-code"], 0);
        volumes.extend(victim.mounted().into_iter().filter(|_| keeps));
        up = up.take().or(calls);
        let down = victim.cut(number, words, number % 2 == wiped);
        victim.then(words, 0);
        victim.is_gone(&kept);
        up.as_ref().and(down)
    });
    UpAndDown { victim, up: up.unwrap_or_default(), down, volumes }
}

#[test]
fn killed_in_a_first_apply_or_a_down_the_same_again_comes_to_its_end() {
    let engine = PrivateEngine::start("cutdown", &[]);
    let place = &engine.place();
    let without = &["down", "--yes"];
    let with = &["down", "--yes", "--volumes"];
    let ended = at_once::<UpAndDown>(vec![
        Box::new(move || up_and_down(place, "down-b", Cut::Before, 0, without)),
        Box::new(move || up_and_down(place, "down-a", Cut::After, 1, without)),
        Box::new(move || up_and_down(place, "volumes-b", Cut::Before, 1, with)),
        Box::new(move || up_and_down(place, "volumes-a", Cut::After, 0, with)),
    ]);
    // The claim, by the revision and by the first round; what the containers need; they; the tags of their images.
    let claimed = ["create volume", "create volume"];
    let up = ["create network", "create", "create", "start", "start", "tag", "tag"];
    let gone = ["stop", "remove", "stop", "remove", "remove network"];
    let let_go = ["untag", "untag", "remove volume"];
    for (story, keeps) in ended.iter().zip([true, true, false, false]) {
        // Where volumes were kept, the last run found the named one.
        let volume: &[&str] = if keeps { &[] } else { &["create volume"] };
        assert_eq!(sorted(&story.up), sorted(&[claimed.as_slice(), volume, &up].concat()));
        // The anonymous one goes with its container.
        let volumes: &[&str] = if keeps { &[] } else { &["remove volume"] };
        assert_eq!(sorted(&story.down), sorted(&[gone.as_slice(), volumes, &let_go].concat()));
    }
    let known = ended.iter().flat_map(|story| story.volumes.iter().cloned()).collect();
    assert_eq!(listed(place, &["volume", "ls", "-q"]), known);
    ended.iter().for_each(|story| assert_eq!(story.victim.stack.ids(), [].into()));
}

fn sorted<T: AsRef<str>>(calls: &[T]) -> Vec<&str> {
    let mut calls: Vec<&str> = calls.iter().map(AsRef::as_ref).collect();
    calls.sort_unstable();
    calls
}

//! What the verbs say where no engine answers, or nothing is known yet: what to do, with the right exit code, and nothing
//! left behind.

use crate::run::Folder;
use insta::assert_snapshot;

const COMPOSE: &str = "name: shop\nservices: {web: {image: 'web:1', restart: unless-stopped}}\n";

fn without_engine(lines: &[&[&str]]) -> (Folder, String) {
    let folder = Folder::of(&[("compose.yaml", COMPOSE)]);
    let all: Vec<String> = lines.iter().map(|arguments| folder.evenkeel(arguments)).collect();
    (folder, all.join("\n"))
}

#[test]
fn no_engine() {
    let (folder, all) = without_engine(&[&["diff"], &["status"], &["down"]]);
    assert_snapshot!("no_engine", all);
    assert!(!folder.path().join("home").exists(), "looking makes no home");
}

#[test]
fn no_engine_to_act_on() {
    let (_, all) = without_engine(&[&["apply"], &["restart"], &["rollback"], &["down", "--yes"], &["stop", "web"]]);
    assert_eq!(all.matches("\nexit 3\n").count(), 5, "{all}");
}

#[test]
fn no_home() {
    let (_, all) = without_engine(&[&["history"], &["events"], &["logs", "web", "--failed"], &["logs", "web"]]);
    assert_snapshot!("no_home", all);
}

#[test]
fn an_engine_elsewhere_is_refused_with_what_to_do() {
    let folder = Folder::of(&[("compose.yaml", COMPOSE)]);
    let output = folder.command(&["diff"]).env("DOCKER_HOST", "tcp://10.0.0.1:2375").output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(3));
    assert_snapshot!("engine_elsewhere", String::from_utf8_lossy(&output.stderr));
    assert!(folder.evenkeel(&["-H", "ssh://vps", "diff"]).contains("error: not built yet: -H\n"));
}

#[test]
fn a_wrong_manifest_contacts_nothing() {
    let folder = Folder::of(&[("compose.yaml", "services: {web: {imgae: x}}\n")]);
    for verb in ["diff", "apply"] {
        let text = folder.evenkeel(&[verb]);
        assert!(text.contains("\nexit 2\n") && text.contains("imgae") && !text.contains("no.sock"), "{text}");
    }
}

#[test]
fn what_happened_can_be_asked_of_a_manifest_that_is_wrong_today() {
    for (file, text) in [
        ("compose.yaml", "name: shop\nservices: {web: {imgae: x}}\n"),
        ("evenkeel.yaml", "apiVersion: evenkeel.dev/v1\nkind: Stack\nmetadata: {name: shop}\nspec: {serivces: {}}\n"),
    ] {
        let text = Folder::of(&[(file, text)]).evenkeel(&["history"]);
        assert!(text.contains("error: there is no home for stack `shop`\n"), "{text}");
    }
}

#[test]
fn a_saved_plan_that_is_none() {
    let folder = Folder::of(&[("compose.yaml", COMPOSE), ("plan.json", "{}")]);
    let all = [folder.evenkeel(&["apply", "--plan", "plan.json"]), folder.evenkeel(&["apply", "--plan", "no.json"])];
    assert_snapshot!("no_saved_plan", all.join("\n"));
}

#[test]
fn unsetting_what_is_not_in_force() {
    let (_, all) = without_engine(&[&["diff", "--unset", "web"]]);
    assert_snapshot!("unset_nothing", all);
}

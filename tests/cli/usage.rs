//! Wrong uses, help, and what is not built: every error is a sentence and a hint, on stderr, with exit code 2.

use crate::run::{Folder, evenkeel};
use insta::assert_snapshot;

#[test]
fn help() {
    assert_snapshot!("help", evenkeel(&["--help"]));
    assert_snapshot!("help_apply", evenkeel(&["apply", "-h"]));
    assert_snapshot!("help_diff", evenkeel(&["diff", "-h"]));
    assert_snapshot!("help_pause", evenkeel(&["pause", "-h"]));
}

#[test]
fn every_verb_has_help_on_stdout() {
    let verbs = [
        "init",
        "validate",
        "config",
        "diff",
        "apply",
        "status",
        "history",
        "rollback",
        "restart",
        "run",
        "pause",
        "resume",
        "stop",
        "start",
        "down",
        "leave",
        "logs",
        "events",
        "schema",
        "explain",
        "completions",
    ];
    for verb in verbs {
        let text = evenkeel(&[verb, "--help"]);
        assert!(text.contains("\nexit 0\n") && text.ends_with("--- stderr\n"), "{text}");
    }
}

#[test]
fn wrong_usage() {
    let lines: &[&[&str]] = &[
        &["aply"],
        &["apply", "--imag", "x"],
        &["apply", "--image", "core"],
        &["apply", "--set", "MY-TOKEN=hunter2hunter2"],
        &["apply", "--lock-wait", "5"],
        &["apply", "--plan", "p.json", "core"],
        &["apply", "--yes", "--confirm"],
        &["rollback", "--to", "last"],
        &["restart", "--reason", " "],
        &["down", "--reason", "two\nlines"],
        &["history", "--last", "0"],
        &["logs"],
        &["diff", "a b"],
        &["diff", "--format", "yaml"],
        &["schema", "backup"],
        &["pause"],
        &["pause", "--all", "core"],
        &["stop", "core", "--for", "0s"],
    ];
    let all: Vec<String> = lines.iter().map(|arguments| evenkeel(arguments)).collect();
    assert_snapshot!("wrong_usage", all.join("\n"));
    let set = all.iter().find(|text| text.contains("--set"));
    assert!(set.is_some_and(|text| text.matches("hunter2").count() == 2), "only the first line has it, which is ours");
    for text in all {
        assert!(text.contains("\nexit 2\n--- stdout\n--- stderr\nerror: ") && text.contains("\n\nhint: "), "{text}");
    }
}

#[test]
fn what_is_not_built_is_refused_by_name_and_not_listed() {
    for verb in ["backup", "capacity", "gateway"] {
        let text = evenkeel(&[verb, "--for", "1h", "core"]);
        assert!(text.contains(&format!("exit 2\n--- stdout\n--- stderr\nerror: not built yet: {verb}\n")), "{text}");
        assert!(!evenkeel(&["--help"]).contains(&format!("\n  {verb} ")), "{verb} is listed");
    }
}

#[test]
fn a_verb_alone_says_what_there_is() {
    let text = evenkeel(&[]);
    assert!(text.starts_with("$ evenkeel \nexit 2\n--- stdout\n--- stderr\nKeeps a Docker host"), "{text}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let folder = Folder::of(&[]);
    let mut child =
        folder.command(&["explain"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// It is named, and nothing of what it holds is shown.
#[test]
fn an_env_file_that_cannot_be_read() {
    let compose = "services: {web: {image: nginx}}\n";
    let folder = Folder::of(&[("compose.yaml", compose), (".env", "USER=us\nTOKEN=\"hunter2\n")]);
    let text = folder.evenkeel(&["validate"]);
    assert!(text.contains("error: line 2: unterminated quoted value of TOKEN") && text.contains("--> .env"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

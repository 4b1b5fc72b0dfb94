//! `evenkeel init` beside what docker compose runs: what it writes changes nothing, and knows what the engine knows.

use crate::{adoption::declare, stack::Stack};
use std::{fs, os::unix::fs::PermissionsExt};

/// The stack's containers as they are, after its diff was found to be empty and it was applied.
fn taken_over_untouched(stack: &Stack) -> String {
    let made = stack.containers();
    let told = stack.evenkeel(&["init"]).exits(0).says("taken over untouched").err;
    stack.evenkeel(&["validate"]).exits(0);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0).says("no changes");
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.containers(), made);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0).says("no changes");
    told
}

fn manifest(stack: &Stack) -> String {
    fs::read_to_string(stack.path("evenkeel.yaml")).unwrap()
}

#[test]
fn a_project_with_every_kind_of_field_is_taken_over_untouched() {
    let stack = Stack::new("init-all");
    declare(&stack, "evenkeel-test/redis:1");
    fs::remove_file(stack.path("evenkeel.yaml")).unwrap();
    stack.compose(&["up", "-d"]).exits(0);
    taken_over_untouched(&stack);
    let manifest = manifest(&stack);
    assert!(manifest.contains(&format!("metadata: {{name: {}}}", stack.name)), "{manifest}");
    assert!(!manifest.contains("abcdefgh"), "a secret is written: {manifest}");
}

#[test]
fn what_answers_becomes_a_probe_and_what_is_used_a_suggestion() {
    let stack = Stack::new("init-seen");
    stack.write(
        "compose.yaml",
        "services:\n  web: {image: evenkeel-test/web:1, expose: ['9229', '8080'], restart: always}\n  \
         quiet: {image: evenkeel-test/web:1, expose: ['9999'], environment: {PORT: '8081'}, restart: always, mem_limit: 64m}\n  \
         off: {image: evenkeel-test/web:1, profiles: [extra], restart: always}\n",
    );
    stack.compose(&["--profile", "extra", "up", "-d"]).exits(0);
    taken_over_untouched(&stack);
    let manifest = manifest(&stack);
    for part in [
        "profiles: [extra]",
        "    web:\n      probes:\n        readiness: {tcp: {port: 8080}}",
        "    quiet:\n      # probes: {readiness: {tcp: {port: 9999}}}   # took no connection",
        "# limits: {memory: 64Mi}   # uses ",
        "# capacity: {memory: ",
    ] {
        assert!(manifest.contains(part), "no `{part}` in\n{manifest}");
    }
    assert_eq!(manifest.matches("# limits:").count(), 2, "one has its limit already: {manifest}");
}

/// The labels of what runs say from which files it was made, and under which name.
#[test]
fn a_project_of_several_files_and_variables_is_found_by_its_labels() {
    let stack = Stack::new("init-files");
    stack.write("compose.yaml", "services: {web: {image: 'evenkeel-test/web:${VERSION:?}', restart: always}}");
    stack.write("compose.live.yaml", "services: {web: {environment: {A: b}}}");
    stack.write("live.env", "VERSION=2\n");
    stack.compose(&["-f", "compose.yaml", "-f", "compose.live.yaml", "--env-file", "live.env", "up", "-d"]).exits(0);
    taken_over_untouched(&stack);
    let compose = "  compose:\n    files: [compose.yaml, compose.live.yaml]\n    envFiles: [live.env]\n";
    assert!(manifest(&stack).contains(compose), "{}", manifest(&stack));

    // From elsewhere by its name, to another place.
    let elsewhere = stack.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let out = stack.command(&["init", "--project", &stack.name, "-o", "there.yaml"]).current_dir(&elsewhere).output();
    assert!(out.unwrap().status.success());
    let there = fs::read_to_string(elsewhere.join("there.yaml")).unwrap();
    assert!(there.contains(&format!("{}/compose.live.yaml", stack.folder.path().display())), "{there}");
    let diff = stack.command(&["-f", "elsewhere/there.yaml", "diff", "--exit-code"]).output().unwrap();
    assert!(diff.status.success(), "{}", String::from_utf8_lossy(&diff.stdout));
}

#[test]
fn what_cannot_be_said_for_certain_is_refused() {
    let stack = Stack::new("init-unclear");
    stack.write("gone/compose.yaml", "services: {web: {image: evenkeel-test/web:1}}");
    stack.compose(&["-f", "gone/compose.yaml", "up", "-d"]).exits(0);
    stack.evenkeel(&["init"]).exits(2).says("there is no Compose file in this folder").says(&stack.name);
    stack.evenkeel(&["init", "--project", "nothing-of-this-name"]).exits(2).says("no project `nothing-of-this-name`");
    assert!(!stack.path("gone/evenkeel.yaml").exists());
}

/// Nothing but the containers says what the project is.
#[test]
fn a_project_whose_files_are_gone_is_written_from_what_runs() {
    let stack = Stack::new("init-gone");
    declare(&stack, "evenkeel-test/redis:1");
    stack.compose(&["up", "-d"]).exits(0);
    for file in ["evenkeel.yaml", "compose.yaml", "web.env"] {
        fs::remove_file(stack.path(file)).unwrap();
    }
    let made = stack.containers();
    let project = ["init", "--project", stack.name.as_str()];
    stack.evenkeel(&[&project[..], &["-o", "-"]].concat()).exits(2).says("environments are never printed");
    stack.evenkeel(&project).exits(0).says("that run, without their Compose files").says("taken over untouched");
    let env = stack.path(&format!("{}.web.env", stack.name));
    assert_eq!(fs::metadata(&env).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&env).unwrap().contains("SECRET_TOKEN=abcdefgh\n"));
    assert!(!manifest(&stack).contains("abcdefgh"), "{}", manifest(&stack));
    stack.evenkeel(&project).exits(2).says("is there already");
    stack.evenkeel(&["diff", "--exit-code"]).exits(0).says("no changes");
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(stack.containers(), made);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    // What evenkeel made of it names the manifest as its file.
    stack.evenkeel(&["restart", "store"]).exits(0);
    stack.evenkeel(&["init", "--project", &stack.name, "--force"]).exits(2).says("is a manifest already");
}

#[test]
fn what_containers_do_not_say_for_certain_is_refused_by_name() {
    let stack = Stack::new("init-unsaid");
    let compose = "services:\n  web: {image: evenkeel-test/web:1, restart: always, environment: {LINES: \"a\\nb\"}, \
                   labels: {api.token: hunter2hunter2}}\n";
    stack.write("gone/compose.yaml", compose);
    stack.compose(&["-f", "gone/compose.yaml", "up", "-d"]).exits(0);
    fs::remove_dir_all(stack.path("gone")).unwrap();
    let refused = stack.evenkeel(&["init", "--project", &stack.name]).exits(2);
    assert!(!refused.all().contains("hunter2"), "{}", refused.all());
    refused
        .says("service/web: labels.api.token looks like a secret")
        .says("service/web: environment.LINES has several lines");
    assert_eq!(fs::read_dir(stack.folder.path()).unwrap().count(), 0, "nothing is written");
}

//! Verbs that need no engine: `explain`, `schema`, `completions`, `validate`, `config`.

use crate::run::{Folder, evenkeel};
use insta::assert_snapshot;

const MANIFEST: &str = "\
apiVersion: evenkeel.dev/v1
kind: Stack
metadata: {name: shop}
spec:
  compose: {files: [compose.yaml]}
  services:
    web:
      limits: {memory: 64Mi}
      probes: {readiness: {http: {port: 80, path: /}}}
";

const COMPOSE: &str = "\
services:
  web:
    image: web:${TAG:-1}
    restart: unless-stopped
    environment: {LOG_LEVEL: info, PASSWORD: hunter2hunter2}
    logging: {options: {max-size: 10m}}
";

#[test]
fn explain() {
    let all: Vec<String> = [vec!["explain", "volume-changed"], vec!["explain", "slow-gate"], vec!["explain", "4"]]
        .iter()
        .chain([&vec!["explain", "exit"], &vec!["explain", "volume-chnaged"], &vec!["explain", "x"]])
        .map(|arguments| evenkeel(arguments))
        .collect();
    assert_snapshot!("explain", all.join("\n"));
}

#[test]
fn every_code_listed_can_be_explained() {
    let list = evenkeel(&["explain"]);
    let codes: Vec<&str> = list
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(codes.len() > 40, "{list}");
    for code in codes {
        assert!(evenkeel(&["explain", code]).contains("\nexit 0\n"), "{code}");
    }
}

#[test]
fn schemas_are_json() {
    for of in ["stack", "plan", "event", "status"] {
        let output = Folder::of(&[]).command(&["schema", of]).output().expect("the binary runs");
        let schema: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(schema.get("$schema").is_some(), "{of}");
    }
}

#[test]
fn completions_name_every_verb() {
    let script = evenkeel(&["completions", "bash"]);
    for verb in ["apply", "diff", "rollback", "--lock-wait"] {
        assert!(script.contains(verb), "{verb}");
    }
}

#[test]
fn a_valid_manifest() {
    let folder = Folder::of(&[("evenkeel.yaml", MANIFEST), ("compose.yaml", COMPOSE)]);
    let all = [folder.evenkeel(&["validate"]), folder.evenkeel(&["validate", "--format", "json"])];
    assert_snapshot!("validate", all.join("\n"));
    assert!(!all.concat().contains("hunter2"), "a secret is printed");
}

#[test]
fn every_fault_of_a_manifest_is_told_at_once_with_its_place() {
    let manifest = MANIFEST.replace("memory: 64Mi", "memroy: 64Mi").replace("port: 80", "port: eighty");
    let folder = Folder::of(&[("evenkeel.yaml", &manifest), ("compose.yaml", COMPOSE)]);
    let all = [folder.evenkeel(&["validate"]), folder.evenkeel(&["validate", "--format", "json"])];
    assert_snapshot!("validate_faults", all.join("\n"));
}

#[test]
fn no_manifest_and_a_missing_one() {
    let folder = Folder::of(&[]);
    let all = [folder.evenkeel(&["validate"]), folder.evenkeel(&["-f", "stack.yaml", "validate"])];
    assert_snapshot!("no_manifest", all.join("\n"));
}

#[test]
fn config_prints_the_model_as_docker_compose_does_secrets_included() {
    let folder = Folder::of(&[("compose.yaml", COMPOSE)]);
    let lines: &[&[&str]] = &[
        &["config"],
        &["config", "--services"],
        &["config", "--images"],
        &["config", "--variables"],
        &["config", "--hash", "web"],
        &["config", "--hash", "wbe"],
        &["config", "--networks"],
        &["config", "--volumes"],
        &["config", "--models"],
        &["config", "--quiet"],
        &["config", "--output", "written.yaml"],
        &["config", "--services", "--images"],
        &["config", "wbe"],
        &["config", "--no-interpolate"],
        &["config", "-f", "compose.yaml", "--format", "json"],
    ];
    let all: Vec<String> = lines.iter().map(|arguments| folder.evenkeel(arguments)).collect();
    // The project is named after the folder, which is another each time.
    let name = folder.path().file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect();
    assert_snapshot!("config", all.join("\n").replace(&name, "NAME"));
}

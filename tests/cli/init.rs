//! `init` without an engine: what it writes, what it leaves alone, and what it says of what it can't take.

use crate::run::Folder;
use insta::assert_snapshot;

const COMPOSE: &str = "\
name: shop
services:
  web:
    image: web:${TAG:-1}
    ports: [\"8080:80\"]
    environment: {PASSWORD: hunter2hunter2}
    restart: unless-stopped
    depends_on: [db]
  db:
    image: postgres:16
    healthcheck: {test: [CMD, pg_isready], interval: 2s}
    volumes: [\"data:/var/lib/postgresql/data\"]
    stop_grace_period: 60s
    restart: unless-stopped
volumes: {data: }
";

#[test]
fn a_first_manifest_is_written_told_of_and_valid() {
    let folder = Folder::of(&[("compose.yaml", COMPOSE)]);
    assert_snapshot!("init", folder.evenkeel(&["init"]));
    let manifest = std::fs::read_to_string(folder.path().join("evenkeel.yaml")).expect("a manifest");
    assert_snapshot!("init_manifest", manifest);
    assert!(folder.evenkeel(&["validate"]).contains("shop is valid: 2 services"));
    assert!(!folder.path().join("home").exists(), "a first look makes no home");
}

#[test]
fn printed_it_is_the_same_and_nothing_is_written() {
    let folder = Folder::of(&[("compose.yaml", COMPOSE)]);
    let output = folder.command(&["init", "-o", "-"]).output().expect("the binary runs");
    assert!(!folder.path().join("evenkeel.yaml").exists());
    folder.evenkeel(&["init"]);
    let manifest = std::fs::read(folder.path().join("evenkeel.yaml")).expect("a manifest");
    assert_eq!(String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&manifest));
}

#[test]
fn a_manifest_that_is_there_stays() {
    let folder = Folder::of(&[("compose.yaml", COMPOSE), ("evenkeel.yaml", "mine\n")]);
    let text = folder.evenkeel(&["init"]);
    assert_snapshot!("init_there_already", text);
    let manifest = || std::fs::read_to_string(folder.path().join("evenkeel.yaml")).expect("a manifest");
    assert_eq!(manifest(), "mine\n");
    assert!(folder.evenkeel(&["init", "-o", "other.yaml"]).contains("evenkeel -f other.yaml diff"));
    assert_eq!(manifest(), "mine\n");
    assert!(folder.evenkeel(&["init", "--force"]).contains("\nexit 0\n"));
    assert!(manifest().contains("kind: Stack"));
}

#[test]
fn what_it_cannot_take() {
    let broken = "services:\n  web:\n    imgae: x\n";
    let folder = Folder::of(&[("broken.yaml", broken), ("stack.yaml", "apiVersion: evenkeel.dev/v1\nkind: Stack\n")]);
    let lines: &[&[&str]] = &[
        &["init"],
        &["init", "-f", "missing.yaml"],
        &["init", "-f", "broken.yaml"],
        &["init", "-f", "stack.yaml"],
        &["init", "--project", "shop"],
        &["init", "--project", "My Shop"],
    ];
    let all: Vec<String> = lines.iter().map(|arguments| folder.evenkeel(arguments)).collect();
    assert_snapshot!("init_refused", all.join("\n"));
    assert!(!folder.path().join("evenkeel.yaml").exists());
}

#[test]
fn several_files_elsewhere_with_profiles_and_variables() {
    let base = "services: {web: {image: 'web:${TAG}'}, debug: {image: x, profiles: [dev]}, mail: {image: x, profiles: [mail]}}\n";
    let files =
        [("app/a.yaml", base), ("app/more/b.yaml", "services: {web: {restart: always}}\n"), ("app/prod.env", "A=1\n")];
    let folder = Folder::of(&files);
    let mut command = folder.command(&["init", "-f", "app/a.yaml", "-f", "app/more/b.yaml", "--project", "live"]);
    command.env("TAG", "3").env("COMPOSE_PROFILES", "dev").env("COMPOSE_ENV_FILES", "app/prod.env");
    let output = command.output().expect("the binary runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("wrote app/evenkeel.yaml for live: 2 services of a.yaml, more/b.yaml\n"), "{told}");
    let manifest = std::fs::read_to_string(folder.path().join("app/evenkeel.yaml")).expect("a manifest");
    let compose = "metadata: {name: live}\nspec:\n  compose:\n    files: [a.yaml, more/b.yaml]\n    envFiles: [prod.env]\n    profiles: [dev]\n";
    assert!(manifest.contains(compose), "{manifest}");
    assert!(manifest.contains("TAG from") && manifest.contains("whether mail is wanted"), "{manifest}");
}

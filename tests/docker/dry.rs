//! Looking changes nothing, and what is secret is neither shown nor stored to be read.

use crate::{
    proxy::Proxy,
    stack::{Stack, holds},
};

#[test]
fn looking_sends_no_call_that_could_change_something() {
    let mut stack = Stack::new("dry");
    let compose = "services: {web: {image: evenkeel-test/web:1, restart: always}, once: {image: evenkeel-test/web:oneshot, restart: \"no\"}}";
    stack.declare(
        compose,
        "services: {web: {probes: {readiness: {exec: {command: [/bin/web, check]}}}, rollout: {minReady: 200ms}}}",
    );
    let proxy = Proxy::before(&stack.place.host);
    stack.variables.insert("DOCKER_HOST".to_owned(), proxy.host());
    let look = || {
        for words in [
            &["validate"][..],
            &["diff"],
            &["diff", "--format", "json"],
            &["diff", "--out", "plan.json"],
            &["diff", "--image", "web=evenkeel-test/web:2"],
            &["status"],
            &["status", "--format", "json"],
            &["config"],
            &["init", "-o", "-"],
        ] {
            stack.evenkeel(words).exits(0);
        }
        assert_eq!(proxy.calls(), <[String; 0]>::default());
    };
    look();
    assert!(!stack.home().exists(), "nor is a home made");
    stack.evenkeel(&["apply"]).exits(0);
    assert!(!proxy.calls().is_empty(), "an apply is seen");
    look();
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(proxy.calls(), <[String; 0]>::default(), "an apply that changes nothing calls nothing");
    stack.docker(&["update", "--pids-limit", "99", &stack.full("web-1")]);
    stack.docker(&["stop", &stack.full("web-1")]);
    look();
}

#[test]
fn secrets_are_neither_shown_nor_readable_in_the_home() {
    let stack = Stack::new("secrets");
    let secrets = ["hunter2-envfile", "hunter3-dotenv", "hunter4-secret", "hunter5-literal"];
    stack.write("web.env", "API_TOKEN=hunter2-envfile\nSAY=says hunter2-envfile at its start\n");
    stack.write(".env", "FROM_DOTENV=hunter3-dotenv\n");
    stack.write("token", "hunter4-secret\n");
    let compose = r#"
services:
  web:
    image: evenkeel-test/web:1
    env_file: [web.env]
    environment: {URL: "http://us:${FROM_DOTENV}@db/", DB_PASSWORD: hunter5-literal}
    labels: {us.dsn: "${FROM_DOTENV}"}
    secrets: [token]
    restart: always
secrets: {token: {file: ./token}}
"#;
    stack.declare(compose, "defaults: {rollout: {minReady: 300ms, deadline: 20s}}");
    let unseen = |words: &[&str], code: i32| {
        let said = stack.evenkeel(words).exits(code).all();
        for secret in secrets {
            assert!(!said.contains(secret), "evenkeel {} shows {secret}: {said}", words.join(" "));
        }
        said
    };
    let look = |words: &[&[&str]]| words.iter().for_each(|words| drop(unseen(words, 0)));
    look(&[
        &["diff"],
        &["diff", "--format", "json"],
        &["diff", "--format", "markdown"],
        &["diff", "--out", "plan.json"],
        &["init", "-o", "-"],
    ]);
    look(&[&["apply"]]);
    // Without its files the label of this service would have to stand in the manifest.
    let gone = ["init", "--project", stack.name.as_str(), "-o", "gone.yaml"];
    std::fs::rename(stack.path("compose.yaml"), stack.path("aside.yaml")).unwrap();
    assert!(unseen(&gone, 2).contains("service/web: labels.us.dsn looks like a secret"));
    std::fs::rename(stack.path("aside.yaml"), stack.path("compose.yaml")).unwrap();
    stack.write("web.env", "API_TOKEN=hunter2-envfile2\nSAY=says hunter2-envfile2 at its start\n");
    assert!(unseen(&["diff"], 0).contains("API_TOKEN"));
    look(&[&["diff", "--format", "json"], &["apply"]]);
    unseen(&["apply", "--image", "web=evenkeel-test/web:crash"], 4);
    look(&[&["logs", "web", "--failed"], &["logs", "web", "--failed", "--format", "json"]]);
    look(&[&["events"], &["events", "--format", "json"], &["history"], &["status"], &["status", "--format", "json"]]);
    for secret in secrets {
        assert_eq!(holds(&stack.home(), secret.as_bytes()), None, "{secret} can be read");
    }
    let plan = std::fs::read_to_string(stack.path("plan.json")).unwrap();
    assert!(secrets.iter().all(|secret| !plan.contains(secret)), "{plan}");
    let labels = stack.inspect("web-1")["Config"]["Labels"].clone();
    for (name, value) in labels.as_object().unwrap().iter().filter(|(name, _)| name.starts_with("dev.evenkeel")) {
        assert!(secrets.iter().all(|secret| !value.to_string().contains(secret)), "{name}: {value}");
    }
}

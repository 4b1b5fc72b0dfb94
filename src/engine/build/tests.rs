//! What is handed to bake, and what is read of what it says.

use super::*;
use crate::model::value::Value;

fn build(target: Json) -> (ImageReference, Build) {
    let build = Build {
        context: ".".into(),
        always: false,
        pull_first: false,
        target: Value::sensitive(target.to_string()),
        args: BTreeMap::from([("A".to_owned(), Value::sensitive("${B} %{C} $D"))]),
        environment: BTreeMap::new(),
    };
    (ImageReference::new("x:1"), build)
}

#[test]
fn all_targets_are_handed_over_and_those_wanted_are_the_group() {
    let known = BTreeMap::from([
        ("a.b".into(), build(json!({"context": "/a", "ssh": ["default="], "network": "host"}))),
        (
            "c".into(),
            build(json!({"context": "/c", "entitlements": ["security.insecure"], "contexts": {"x": "target:a_b"}})),
        ),
    ]);
    let file = bake_file(&Order { known, wanted: BTreeSet::from(["c".into()]) });
    assert_eq!(file["group"]["default"]["targets"], json!(["c"]));
    assert_eq!(file["target"]["a_b"]["context"], "/a");
    assert_eq!(file["target"]["c"]["args"]["A"], "$${B} %%{C} $D");
    let allowed: Vec<String> = allowed(&file).into_iter().collect();
    assert_eq!(allowed, ["network.host", "security.insecure", "ssh"]);
}

#[test]
fn the_steps_are_told_and_what_buildx_does_for_itself_is_not() {
    assert_eq!(step("#6 [2/2] RUN make"), Some("[2/2] RUN make"));
    assert_eq!(step("#12 [web build 1/3] FROM x"), Some("[web build 1/3] FROM x"));
    for line in ["#2 [internal] load .dockerignore", "#6 0.1 hi", "#6 DONE 0.5s", "------", "", "#x [1/1] y"] {
        assert_eq!(step(line), None, "{line}");
    }
}

#[tokio::test]
async fn a_build_may_print_what_is_no_text() {
    let mut command = Command::new("sh");
    command.args(["-c", "printf '#6 [1/1] RUN make\\n#6 0.1 \\377caf\\351\\n' >&2; exit 3"]).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (output, (said, mut heard), mut last) = (child.stderr.take(), mpsc::channel(4), VecDeque::new());
    let status = follow(&mut child, output, &said, &mut last).await.unwrap();
    assert_eq!(status.code(), Some(3));
    assert_eq!(heard.recv().await.as_deref(), Some("[1/1] RUN make"));
    assert_eq!(last, ["#6 [1/1] RUN make", "#6 0.1 \u{fffd}caf\u{fffd}"]);
}

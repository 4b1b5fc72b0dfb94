//! Each folder of `examples/` does what it says. None is left out.

use crate::stack::{Stack, free_port, get};
use std::{collections::BTreeSet, fs, path::Path};

/// A copy of an example under a name of this test's own.
fn example(name: &str) -> Stack {
    let stack = Stack::new(name);
    for entry in fs::read_dir(folder().join(name)).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let (declared, own) = (format!("{{name: {name}}}"), format!("{{name: {}}}", stack.name));
        fs::write(stack.path(&file), text.replace(&declared, &own)).unwrap();
    }
    stack.evenkeel(&["validate"]).exits(0);
    stack.evenkeel(&["apply"]).exits(0);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    stack
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

#[test]
fn each_example_has_a_test() {
    let all = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    // The simulated one needs no engine, and tests itself.
    let tested = ["quickstart", "recreate", "simulated", "start-first", "stop-first"].map(str::to_owned);
    assert_eq!(all.collect::<BTreeSet<_>>(), BTreeSet::from(tested));
}

#[test]
fn quickstart() {
    // Its port is a variable of the Compose file.
    let port = free_port();
    let mut stack = Stack::new("quickstart");
    for file in ["compose.yaml", "evenkeel.yaml", "nginx.conf"] {
        let text = fs::read_to_string(folder().join("quickstart").join(file)).unwrap();
        fs::write(stack.path(file), text.replace("{name: quickstart}", &format!("{{name: {}}}", stack.name))).unwrap();
    }
    stack.variables.insert("FRONT_PORT".to_owned(), port.to_string());
    stack.evenkeel(&["apply"]).exits(0);
    assert_eq!(get(port, "/").unwrap().0, 200);
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:2"]).exits(0);
    assert_eq!(get(port, "/version").unwrap().1.trim(), "2");
    stack.docker(&["rm", "-f", &stack.full("web-2")]);
    stack.evenkeel(&["diff", "--exit-code"]).exits(1).says("web-2");
    stack.evenkeel(&["apply"]).exits(0);
    stack.evenkeel(&["diff", "--exit-code"]).exits(0);
    stack.evenkeel(&["status"]).exits(0).says("web");
    stack.evenkeel(&["down", "--yes", "--volumes"]).exits(0);
    assert_eq!(stack.ids().len(), 0);
}

#[test]
fn start_first() {
    let stack = example("start-first");
    stack.evenkeel(&["diff", "--image", "web=evenkeel-test/web:2"]).exits(0).says("start-first");
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:2"]).exits(0);
    let updated = stack.containers();
    assert!(updated.values().all(|container| container.image == "evenkeel-test/web:2"), "{updated:?}");
    stack.evenkeel(&["apply", "--image", "web=evenkeel-test/web:crash"]).exits(4);
    assert_eq!(stack.containers(), updated);
}

#[test]
fn stop_first() {
    let stack = example("stop-first");
    stack.exec("db-1", &["psql", "-U", "postgres", "-c", "create table kept (n int)"]);
    let compose = fs::read_to_string(stack.path("compose.yaml")).unwrap();
    let before = stack.ids();
    fs::write(stack.path("compose.yaml"), compose.replace("restart:", "environment: {A: b}\n    restart:")).unwrap();
    stack.evenkeel(&["diff"]).exits(0).says("stop-first");
    stack.evenkeel(&["apply"]).exits(0);
    assert_ne!(stack.ids(), before);
    stack.exec("db-1", &["psql", "-U", "postgres", "-c", "select n from kept"]);
}

#[test]
fn recreate() {
    let stack = example("recreate");
    stack.evenkeel(&["apply", "--image", "worker=evenkeel-test/web:2"]).exits(0);
    let updated = stack.containers();
    assert!(updated.values().all(|container| container.image == "evenkeel-test/web:2"), "{updated:?}");
    stack.evenkeel(&["apply", "--image", "worker=evenkeel-test/web:crash"]).exits(4);
    assert_eq!(stack.containers(), updated);
}

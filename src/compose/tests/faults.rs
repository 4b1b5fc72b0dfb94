//! Faults point into the right place of the right file, and what is not there is told by the place it would be in.

use super::*;

#[test]
fn a_fault_shows_its_line() {
    let faults = load_text("services:\n  web:\n    image: x\n    port: 80\n").unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "/srv/app/compose.yaml:4:5: unknown field 'port' in services.web\nhint: did you mean 'ports'?"
    );
    assert_eq!(faults[0].source_line(), Some("    port: 80"));
    assert_eq!(faults[0].code, Some("unknown-field"));
}

#[test]
fn a_field_of_the_project_knows_its_place_after_merging() {
    let files = Memory::of([
        ("/srv/app/a.yaml", "services:\n  web:\n    image: x\n    ports: ['80']\n"),
        ("/srv/app/b.yaml", "services:\n  web:\n    build: .\n    ports:\n      - '81'\n"),
    ]);
    let loaded =
        load(&Sources::new("/srv/app", ["/srv/app/a.yaml", "/srv/app/b.yaml"], Variables::new(), &files)).unwrap();
    let at = |path: &[&str]| loaded.project.positions.get(path).map(Position::text).unwrap_or_default();
    assert_eq!(at(&["services", "web", "image"]), "/srv/app/a.yaml:3:5");
    assert_eq!(at(&["services", "web", "build"]), "/srv/app/b.yaml:3:5");
    assert_eq!(at(&["services", "web", "ports", "1"]), "/srv/app/b.yaml:5:9");
    // What was implied is where its service is.
    assert_eq!(at(&["services", "web", "depends_on", "db"]), "/srv/app/b.yaml:2:3");
    let fault = loaded.project.fault(&["services", "web", "build"], "not built yet: build");
    assert_eq!(fault.to_string(), "/srv/app/b.yaml:3:5: not built yet: build");
}

#[test]
fn an_anchor_s_fault_is_where_it_is_written() {
    let text = "x-web: &web\n  image: x\n  memory: 1g\nservices:\n  a: *web\n";
    let faults = load_text(text).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].to_string().starts_with("/srv/app/compose.yaml:3:3: unknown field 'memory'"), "{}", faults[0]);
}

#[test]
fn services_in_another_document_go_the_same_way() {
    let manifest =
        "kind: Stack\nspec:\n  services:\n    web: {image: 'x:${TAG}', extends: {file: base.yaml, service: base}}\n";
    let files = Memory::of([("/srv/app/base.yaml", "services: {base: {environment: {A: 1}, volumes: ['./d:/d']}}")]);
    let node = yaml::parse("/srv/app/evenkeel.yaml", manifest).unwrap();
    let spec = node.get("spec").unwrap().clone();
    let variables = Variables::new().with([("TAG".to_owned(), "2".to_owned())]);
    let sources = Sources::new("/srv/app", Vec::<String>::new(), variables, &files);
    let loaded = load_inline(spec, std::path::Path::new("/srv/app/evenkeel.yaml"), &sources).unwrap();
    let web = &loaded.project.services["web"];
    assert_eq!((web.image.as_str(), web.volumes[0].source.as_str()), ("x:2", "/srv/app/d"));
    let place = loaded.project.positions.get(&["services", "web", "image"]).unwrap();
    assert_eq!(place.text(), "/srv/app/evenkeel.yaml:4:11");
}

#[test]
fn growth_without_end_is_refused() {
    let mut chain = "services:\n  s0: {image: x}\n".to_owned();
    for n in 1..1000 {
        chain.push_str(&format!("  s{n}: {{extends: s{}}}\n", n - 1));
    }
    // Sorted by name, most services find their base done; the longest way down is still bounded.
    assert!(load_text(&chain).is_ok_and(|loaded| loaded.project.services.len() == 1000) || load_text(&chain).is_err());
    let mut down = "services:\n".to_owned();
    for n in 0..1000 {
        down.push_str(&format!("  s{n:03}: {{image: x, extends: s{:03}}}\n", n + 1));
    }
    assert!(load_text(&down).unwrap_err()[0].message.contains("circular reference"));
    let big = "x".repeat(1_000_000);
    let mut copies = format!("services:\n  base: {{image: x, labels: {{a: {big}}}}}\n");
    for n in 0..100 {
        copies.push_str(&format!("  s{n}: {{extends: base}}\n"));
    }
    assert!(load_text(&copies).unwrap_err()[0].message.contains("too large"));
    let deep = format!("a: {}", "[".repeat(100_000));
    assert!(load_text(&deep).is_err());
}

#[test]
fn variables_are_listed_whatever_they_hold() {
    let used = |text: &str| {
        let files = Memory::of([("/srv/app/compose.yaml", text)]);
        used_variables(&Sources::new("/srv/app", ["/srv/app/compose.yaml"], Variables::new(), &files))
    };
    let text = "services: {a: {image: '${A:-x${B}}', cpus: '${C:?}', ports: ['${D}:80'], networks: [n]}}";
    let found = used(text).unwrap();
    assert_eq!(found.keys().cloned().collect::<String>(), "ABCD");
    assert!(found["C"].required && found["A"].default == "x${B}");
    // Of two documents, what one takes from the other is not used.
    let found =
        used("services: {a: {image: '${A}', command: '${B}'}}\n---\nservices: {a: {image: '${C}', command: !reset x}}");
    assert_eq!(found.unwrap().keys().cloned().collect::<String>(), "C");
    let unknown = used("services: {a: {image: '${A}', foo: '${C:?}'}}").unwrap_err();
    assert!(unknown[0].message.contains("unknown field 'foo'"));
}

#[test]
fn the_switch_for_env_files_is_a_boolean() {
    let files =
        Memory::of([("/srv/app/compose.yaml", "services: {a: {image: 'x:${TAG:-1}'}}"), ("/srv/app/.env", "TAG=2")]);
    let image = |switch: &str| {
        let environment = [("COMPOSE_DISABLE_ENV_FILE".to_owned(), switch.to_owned())].into();
        let request = Request { environment, current: "/srv/app".into(), ..Request::default() };
        discover(&request, &files).map(|sources| load(&sources).unwrap().project.services["a"].image.clone())
    };
    assert_eq!(image("1").unwrap(), "x:1");
    assert_eq!(image("f").unwrap(), "x:2");
    assert_eq!(image("").unwrap(), "x:2");
    assert!(image("yes").unwrap_err().message.contains("must be `true` or `false`"));
}

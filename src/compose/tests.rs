//! Whole files.

use super::*;

#[test]
fn a_small_file_is_loaded() {
    let files = Memory::of([(
        "/srv/app/compose.yaml",
        "services: {web: {image: 'nginx:${TAG:-1}', ports: ['80:80']}}",
    )]);
    let sources = Sources::new(
        "/srv/app",
        ["/srv/app/compose.yaml"],
        Variables::new(),
        &files,
    );
    let loaded = load(&sources).unwrap();
    assert_eq!(loaded.project.name, "app");
    assert_eq!(loaded.project.services["web"].image, "nginx:1");
}

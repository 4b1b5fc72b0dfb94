//! Each folder of `tests/compose` is a project with docker compose's own answers: the model in JSON and YAML and the
//! hashes, or, where docker compose refuses it, the faults that we show.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::compose::*;

#[test]
fn every_case_is_answered_as_docker_compose_answers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() > 20, "the cases are missing");
    let wrong: Vec<String> = folders.iter().filter_map(|folder| check(folder).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Runs a case as if its folder were `/srv/<name>`, where docker compose's answers were made.
fn check(folder: &Path) -> Result<(), String> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap();
    let home = PathBuf::from("/srv").join(name);
    let mut files = Memory::default();
    collect(folder, &home, &mut files);
    let case: Json = serde_json::from_str(&files.0[&home.join("case.json")]).unwrap();
    let texts = |key: &str| -> Vec<String> {
        case[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut environment: BTreeMap<String, String> = serde_json::from_value(case["environment"].clone()).unwrap();
    environment.insert("HOME".to_owned(), "/root".to_owned());
    let request = Request {
        files: texts("files").into_iter().map(PathBuf::from).collect(),
        profiles: texts("profiles"),
        environment,
        current: home.clone(),
        ..Request::default()
    };
    let answer = |file: &str| files.0.get(&home.join(file)).cloned();
    let loaded = load(&discover(&request, &files).unwrap()).map_err(|broken| broken.faults);
    match (loaded, answer("expected.faults")) {
        (Err(faults), Some(expected)) => {
            let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
            same(name, &expected, &format!("{}\n", shown.join("\n")))
        }
        (Err(faults), None) => Err(format!("{name}: refused: {}", faults[0])),
        (Ok(_), Some(_)) => Err(format!("{name}: accepted")),
        (Ok(loaded), None) => {
            let project = &loaded.project;
            same(name, &answer("expected.json").unwrap(), &format!("{}\n", render::json(project).unwrap()))?;
            same(name, &answer("expected.yaml").unwrap(), &render::yaml(project))?;
            same(name, &answer("expected.hashes").unwrap(), &render::hashes(project, "*"))
        }
    }
}

fn collect(folder: &Path, home: &Path, files: &mut Memory) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let place = home.join(path.file_name().unwrap());
        if path.is_dir() {
            collect(&path, &place, files);
        } else {
            files.0.insert(place, std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn same(name: &str, expected: &str, found: &str) -> Result<(), String> {
    let (mut expected, mut found) = (expected.lines(), found.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (expected.next(), found.next()) {
            (None, None) => return Ok(()),
            (a, b) if a == b => {}
            (a, b) => {
                return Err(format!("{name}: line {number}\n  expected {a:?}\n  found    {b:?}"));
            }
        }
    }
}

//! What lies on the disk, and what happens when it is touched.

use super::*;
use crate::home::HomeError;
use crate::model::{fields::FieldChange, revision::Hold};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

fn files_in(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A home with a secret in everything that can hold one.
fn filled(dir: &Path) -> Home {
    let home = open(dir);
    apply(&home, &[("core", "core:1")]);
    apply(&home, &[("core", "core:2")]);
    let failed = super::undo::failed(&["core"], &[]);
    home.rollout_failed(Some(1), &failed, false, Timestamp(9), &by("ann")).unwrap();
    home.keep_evidence(&evidence("core", SECRET)).unwrap();
    let field = FieldChange { path: "command".into(), from: None, to: Some(Value::sensitive(SECRET)) };
    home.did_not_take(&"c1".into(), &[field]).unwrap();
    let hold = Hold {
        since: Timestamp(1),
        actor: "ann".into(),
        reason: SECRET.into(),
        left: DesiredHash::new(SECRET),
        left_replicas: None,
    };
    home.set_hold(&"core".into(), &hold).unwrap();
    home.completed(&"core".into(), &DesiredHash::new(SECRET)).unwrap();
    home
}

#[test]
fn no_file_holds_a_secret_or_a_hash_of_one() {
    let dir = tempfile::tempdir().unwrap();
    let home = filled(dir.path());
    let hash = home.current_hash(&"core".into()).unwrap().unwrap();
    let search = || {
        for path in files_in(dir.path()) {
            let bytes = fs::read(&path).unwrap();
            for text in [SECRET, hash.as_str()] {
                assert!(!holds(&bytes, text), "{text} in {}", path.display());
            }
        }
    };
    search();
    assert!(
        files_in(dir.path()).iter().any(|path| holds(&fs::read(path).unwrap(), "undone: core")),
        "it looked at the right files"
    );
    drop(home);
    search();
    let database = rusqlite::Connection::open(dir.path().join("stacks/webkit/home.db")).unwrap();
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    search();
}

#[test]
fn everything_is_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("a/b");
    let home = open(&state);
    apply(&home, &[]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&state.join("stacks/webkit"))), (0o700, 0o700));
    for path in files_in(&state) {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path()));
    let key = dir.path().join("key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let error = Home::open(dir.path(), &stack()).unwrap_err();
    assert!(matches!(error, HomeError::KeyExposed { mode: 0o640, .. }), "{error}");
    assert!(error.hint().unwrap().contains(&format!("chmod 600 {}", key.display())));
    assert!(matches!(Home::read(dir.path(), &stack()), Err(HomeError::KeyExposed { .. })));
}

#[test]
fn without_its_key_or_with_another_nothing_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path()));
    let key = dir.path().join("key");
    let kept = fs::read_to_string(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert!(matches!(Home::open(dir.path(), &stack()), Err(HomeError::KeyMissing { .. })));
    assert!(matches!(Home::read(dir.path(), &stack()), Err(HomeError::KeyMissing { .. })));
    assert!(!key.exists(), "no other key takes its place");
    for (text, expected) in [("00".repeat(32), "is not the one"), ("short".to_owned(), "does not hold a key")] {
        fs::write(&key, text).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let error = Home::open(dir.path(), &stack()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.hint().unwrap().contains("backup"));
    }
    fs::write(&key, kept).unwrap();
    assert_eq!(open(dir.path()).current().unwrap().unwrap().number, 3);
}

#[test]
fn a_flipped_bit_does_not_unseal() {
    let dir = tempfile::tempdir().unwrap();
    let home = filled(dir.path());
    let tables = [("revisions", 3), ("facts", 4), ("evidence", 1)];
    for (table, count) in tables {
        let change = format!(
            "UPDATE {table} SET sealed = CAST(substr(sealed, 1, 40) || x'00' || substr(sealed, 42) AS BLOB) \
             WHERE substr(sealed, 41, 1) != x'00'"
        );
        let changed = home.store.write(super::super::Durability::Process, |db| Ok(db.execute(&change, [])?)).unwrap();
        assert!(changed > 0 && changed <= count, "{table} {changed}");
    }
    drop(home);
    let home = open(dir.path());
    for error in [home.current().unwrap_err(), home.facts().unwrap_err(), home.evidence_of(&"core".into()).unwrap_err()]
    {
        assert!(matches!(error, HomeError::Tampered { .. }), "{error}");
        assert!(error.hint().unwrap().contains("backup"), "{error}");
    }
    assert_eq!(home.list().unwrap().len(), 3, "what is not sealed can be read still");
}

#[test]
fn what_was_sealed_for_one_place_does_not_unseal_in_another() {
    let dir = tempfile::tempdir().unwrap();
    drop(filled(dir.path()));
    let home = open(dir.path());
    let swap = "UPDATE revisions SET sealed = (SELECT sealed FROM revisions WHERE number = 2) WHERE number = 3";
    home.store.write(super::super::Durability::Process, |db| Ok(db.execute(swap, [])?)).unwrap();
    assert!(matches!(home.current(), Err(HomeError::Tampered { .. })));
    assert!(home.revision(2).unwrap().is_some());
}

//! The database file: older, newer, damaged, not writable, only read.

use super::*;
use crate::home::{
    EventQuery, Holder, HomeError, LockError,
    paths::StackFolder,
    schema,
    store::{Durability, Store},
};
use crate::model::units::Millis;
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

fn database(dir: &Path) -> PathBuf {
    dir.join("stacks/webkit/home.db")
}

/// Every file below `dir` with its bytes, but for SQLite's index of its log: a reader makes its marks in it.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else {
            let index = path.display().to_string().ends_with("-shm");
            let bytes = if index { Vec::new() } else { fs::read(&path).unwrap() };
            files.insert(path, bytes);
        }
    }
    files
}

/// From here on this thread obeys permission bits, even as root.
fn without_override() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    let mut sets = capabilities(None).unwrap();
    sets.effective -= CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
    set_capabilities(None, sets).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_home_survives_being_closed_and_opened() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    assert_eq!(home.moved_aside(), None);
    apply(&home, &[("core", "core:1")]);
    home.append(&[event("told", 1, Severity::Info)]).unwrap();
    let current = home.current().unwrap();
    drop(home);
    let home = open(dir.path());
    assert_eq!(home.current().unwrap(), current);
    assert_eq!(home.events(&EventQuery::default()).unwrap().len(), 1);
}

#[test]
fn two_stacks_share_a_state_directory_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (open(dir.path()), Home::open(dir.path(), &"other".into()).unwrap());
    apply(&one, &[("core", "core:1")]);
    assert_eq!(other.current().unwrap(), None);
    assert_eq!(one.identity(), other.identity());
    assert_eq!(one.identity().home, dir.path().canonicalize().unwrap().display().to_string());
}

#[test]
fn an_older_file_is_brought_forward_with_all_that_is_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = StackFolder::new(dir.path(), &stack()).unwrap();
    folder.create().unwrap();
    let old = ["CREATE TABLE words (word TEXT); INSERT INTO words VALUES ('kept');"];
    drop(Store::open(&folder, &old).unwrap());
    let new = [old[0], "ALTER TABLE words ADD COLUMN length INTEGER;", "UPDATE words SET length = length(word);"];
    let store = Store::open(&folder, &new).unwrap().store;
    let read = |db: &rusqlite::Transaction<'_>| {
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        Ok((version, db.query_row("SELECT word, length FROM words", [], |row| Ok((row.get(0)?, row.get(1)?)))?))
    };
    assert_eq!(store.read(read).unwrap(), (3, ("kept".to_owned(), 4)));
    assert!(matches!(Store::open(&folder, &old), Err(HomeError::Newer { found: 3, known: 1, .. })));
}

#[test]
fn a_step_that_fails_leaves_the_older_file_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let folder = StackFolder::new(dir.path(), &stack()).unwrap();
    folder.create().unwrap();
    let old = ["CREATE TABLE words (word TEXT);"];
    drop(Store::open(&folder, &old).unwrap());
    assert!(Store::open(&folder, &[old[0], "DROP TABLE words;", "no statement;"]).is_err());
    let store = Store::open(&folder, &old).unwrap().store;
    store.read(|db| Ok(db.query_row("SELECT count(*) FROM words", [], |_| Ok(()))?)).unwrap();
}

/// A file as the first release wrote it, with the key `00…`: it must open for ever.
#[test]
fn a_file_of_the_first_version_opens() {
    let dir = tempfile::tempdir().unwrap();
    let folder = StackFolder::new(dir.path(), &stack()).unwrap();
    folder.create().unwrap();
    fs::write(folder.key(), "00".repeat(32)).unwrap();
    set_mode(&folder.key(), 0o600);
    let db = rusqlite::Connection::open(folder.database()).unwrap();
    db.execute_batch(include_str!("fixtures/version-1.sql")).unwrap();
    drop(db);
    let home = open(dir.path());
    let current = home.current().unwrap().unwrap();
    assert_eq!((current.number, current.reason.as_str(), current.by.commit.as_deref()), (14, "down", Some("3f2c1")));
    assert_eq!(current.desired, Desired { networks: BTreeMap::new(), ..desired(&[]) });
    assert_eq!(home.facts().unwrap().completed, BTreeMap::from([("migrate".into(), DesiredHash::new("5e1f"))]));
    assert_eq!(home.events(&EventQuery::default()).unwrap(), [Event { seq: 7, ..event("told", 1, Severity::Info) }]);
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let db = rusqlite::Connection::open(database(dir.path())).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let before = fs::read(database(dir.path())).unwrap();
    for error in [Home::open(dir.path(), &stack()).unwrap_err(), Home::read(dir.path(), &stack()).unwrap_err()] {
        assert!(matches!(error, HomeError::Newer { found: 99, .. }), "{error}");
    }
    assert_eq!(fs::read(database(dir.path())).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    for number in 1..=2 {
        drop(open(dir.path()));
        for ending in ["-wal", "-shm"] {
            fs::remove_file(dir.path().join(format!("stacks/webkit/home.db{ending}"))).unwrap();
        }
        fs::write(database(dir.path()), "nonsense ".repeat(1000)).unwrap();
        let home = open(dir.path());
        let aside = home.moved_aside().unwrap().to_owned();
        assert!(aside.ends_with(format!("home.db.damaged-{number}")), "{}", aside.display());
        assert!(fs::read(aside).unwrap().starts_with(b"nonsense"));
        assert_eq!(apply(&home, &[("core", "core:1")]), 1);
        drop(home);
        assert_eq!(open(dir.path()).moved_aside(), None);
    }
}

/// A home whose newest revision is in the log alone, and whose file is damaged.
fn damaged(dir: &Path) {
    let home = open(dir);
    apply(&home, &[("core", "core:1")]);
    drop(home);
    assert!(fs::metadata(dir.join("stacks/webkit/home.db-wal")).unwrap().len() > 0);
}

#[test]
fn a_damaged_file_is_moved_aside_before_its_log() {
    let dir = tempfile::tempdir().unwrap();
    damaged(dir.path());
    let at = |name: &str| dir.path().join("stacks/webkit").join(name);
    fs::write(database(dir.path()), "nonsense ".repeat(1000)).unwrap();
    fs::remove_file(at("home.db-wal")).unwrap();
    fs::write(at("home.db-wal"), "nonsense ".repeat(1000)).unwrap();
    // The log can't go where it should: so it was as if the power had been cut before.
    fs::create_dir_all(at("home.db.damaged-1-wal/full")).unwrap();
    assert!(Home::open(dir.path(), &stack()).is_err());
    assert!(!database(dir.path()).exists() && at("home.db.damaged-1").exists());
}

#[test]
fn a_log_whose_file_was_moved_aside_is_moved_after_it() {
    let dir = tempfile::tempdir().unwrap();
    damaged(dir.path());
    let at = |name: &str| dir.path().join("stacks/webkit").join(name);
    fs::rename(database(dir.path()), at("home.db.damaged-1")).unwrap();
    let log = fs::read(at("home.db-wal")).unwrap();
    let home = open(dir.path());
    assert_eq!(home.moved_aside(), Some(at("home.db.damaged-1").as_path()));
    assert_eq!(home.current().unwrap(), None);
    assert_eq!(fs::read(at("home.db.damaged-1-wal")).unwrap(), log);
    drop(home);
    assert_eq!(open(dir.path()).moved_aside(), None);
}

#[test]
fn a_home_that_could_only_be_read_is_written_once_that_is_possible() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let home = Home::read(dir.path(), &stack()).unwrap().unwrap();
    let home = home.reopened().unwrap().expect("it can be written");
    apply(&home, &[("core", "core:1")]);
    assert!(home.reopened().unwrap().is_none());
}

#[test]
fn damage_that_is_found_later_is_told_and_moved_aside_at_the_next_opening() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    for _ in 0..20 {
        apply(&home, &[("core", "core:1"), ("web", "web:1")]);
    }
    home.store.read(|db| Ok(db.query_row("SELECT 1", [], |_| Ok(()))?)).unwrap();
    drop(home);
    let db = rusqlite::Connection::open(database(dir.path())).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(db);
    let mut bytes = fs::read(database(dir.path())).unwrap();
    let pages = bytes.len() / 4096;
    assert!(pages > 20);
    // All but the first page, which says that it is a database and which tables it has.
    bytes[4096..].fill(0xa5);
    fs::write(database(dir.path()), bytes).unwrap();
    let error = match Home::open(dir.path(), &stack()) {
        Err(error) => error,
        Ok(home) => home.current().unwrap_err(),
    };
    assert!(matches!(error, HomeError::Damaged { .. }), "{error}");
    assert!(error.hint().unwrap().contains("apply"));
    let home = open(dir.path());
    assert!(home.moved_aside().is_some());
    assert_eq!(home.current().unwrap(), None);
}

#[test]
fn where_there_is_no_home_reading_makes_none() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Home::read(&dir.path().join("none"), &stack()).unwrap().is_none());
    assert_eq!(snapshot(dir.path()), BTreeMap::new());
}

#[test]
fn reading_writes_nothing_and_sees_what_others_write() {
    let dir = tempfile::tempdir().unwrap();
    let writer = open(dir.path());
    apply(&writer, &[("core", "core:1")]);
    let reader = Home::read(dir.path(), &stack()).unwrap().unwrap();
    assert_eq!(reader.current().unwrap(), writer.current().unwrap());
    apply(&writer, &[("core", "core:2")]);
    assert_eq!(reader.current().unwrap().unwrap().number, 2);
    drop(writer);
    assert_eq!(reader.current().unwrap().unwrap().number, 2);
    drop(reader);
    let before = snapshot(dir.path());
    let reader = Home::read(dir.path(), &stack()).unwrap().unwrap();
    assert_eq!((reader.current().unwrap().unwrap().number, reader.list().unwrap().len()), (2, 2));
    assert_eq!(snapshot(dir.path()), before);
    for refused in [reader.append(&[event("x", 1, Severity::Info)]).err(), reader.clear_hold(&"core".into()).err()] {
        assert!(matches!(refused, Some(HomeError::ReadOnly { .. })));
    }
}

#[test]
fn what_an_opening_has_to_read_of_the_log_stays_short() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    for number in 0..600 {
        home.append(&[event("told", number, Severity::Info)]).unwrap();
    }
    let log = fs::metadata(dir.path().join("stacks/webkit/home.db-wal")).unwrap().len();
    assert!(log < 1 << 20, "{log} bytes");
}

#[test]
fn reading_works_without_the_right_to_write_with_and_without_a_log() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    apply(&home, &[("core", "core:1")]);
    drop(home);
    let folder = dir.path().join("stacks/webkit");
    without_override();
    let unwritable = |mode: u32| {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            set_mode(&path, if mode == 0o500 { 0o400 } else { 0o600 });
        }
        set_mode(&folder, mode);
        set_mode(dir.path(), mode);
    };
    let read = || Home::read(dir.path(), &stack()).unwrap().unwrap().current().unwrap().unwrap().number;
    unwritable(0o500);
    assert!(fs::metadata(folder.join("home.db-wal")).unwrap().len() > 0);
    assert_eq!(read(), 1, "what stands in the log counts");
    let error = Home::open(dir.path(), &stack()).unwrap_err();
    assert!(matches!(error, HomeError::NotWritable { .. }), "{error:?}");
    unwritable(0o700);
    let db = rusqlite::Connection::open(folder.join("home.db")).unwrap();
    db.pragma_update(None, "user_version", schema::known(schema::MIGRATIONS)).unwrap();
    drop(db);
    assert!(!folder.join("home.db-wal").exists(), "another program closed it");
    unwritable(0o500);
    let before = snapshot(dir.path());
    assert_eq!(read(), 1);
    assert_eq!(snapshot(dir.path()), before);
    unwritable(0o700);
}

#[test]
fn a_home_that_can_not_be_made_says_which_path_why_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    without_override();
    set_mode(dir.path(), 0o500);
    let error = Home::open(&dir.path().join("state"), &stack()).unwrap_err();
    let HomeError::NotWritable { path, source } = &error else { panic!("{error:?}") };
    assert!(path.starts_with(&dir.path().display().to_string()));
    assert_eq!(source.raw_os_error(), Some(rustix::io::Errno::ACCESS.raw_os_error()));
    assert!(error.hint().unwrap().contains("EVENKEEL_STATE_DIR"));
    set_mode(dir.path(), 0o700);
    fs::write(dir.path().join("state"), "a file").unwrap();
    assert!(matches!(Home::open(&dir.path().join("state"), &stack()), Err(HomeError::NotWritable { .. })));
}

#[test]
fn a_full_disk_is_told_and_the_home_stays_whole() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    apply(&home, &[("core", "core:1")]);
    let limit = |pages: i64| {
        home.store.read(|db| Ok(db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)).unwrap();
    };
    limit(1);
    let error = home.keep_evidence(&evidence("core", &"x".repeat(1 << 20))).unwrap_err();
    assert!(matches!(error, HomeError::Full { .. }), "{error:?}");
    assert_eq!(home.current().unwrap().unwrap().number, 1);
    limit(1_000_000);
    home.keep_evidence(&evidence("core", "x")).unwrap();
    assert_eq!(home.evidence_list().unwrap().len(), 1);
}

#[test]
fn what_the_database_refuses_is_told_by_its_kind() {
    let home = Home::in_memory(&stack()).unwrap();
    let told = |code| {
        let refused = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        home.store.write(Durability::Process, |_| Err::<(), _>(HomeError::from(refused))).unwrap_err()
    };
    assert!(matches!(told(rusqlite::ffi::SQLITE_BUSY), HomeError::Busy { .. }));
    assert!(matches!(told(rusqlite::ffi::SQLITE_FULL), HomeError::Full { .. }));
    assert!(matches!(told(rusqlite::ffi::SQLITE_IOERR_SHMSIZE), HomeError::Full { .. }));
    assert!(matches!(told(rusqlite::ffi::SQLITE_READONLY), HomeError::NotWritable { .. }));
    assert!(matches!(told(rusqlite::ffi::SQLITE_NOTADB), HomeError::Damaged { .. }));
    assert!(matches!(told(rusqlite::ffi::SQLITE_IOERR_READ), HomeError::Database { .. }));
}

#[tokio::test]
async fn who_may_only_read_can_not_lock_but_sees_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = crate::engine::clock::SystemClock::start();
    let writer = open(dir.path());
    apply(&writer, &[]);
    let reader = Home::read(dir.path(), &stack()).unwrap().unwrap();
    assert_eq!(reader.holder().unwrap(), None);
    let holder = Holder { actor: "ann".into(), doing: "apply".into() };
    let guard = writer.lock(holder.clone(), Millis(0), &clock).await.unwrap();
    assert_eq!(reader.holder().unwrap().unwrap().holder, holder);
    let refused = reader.lock(holder, Millis(0), &clock).await.unwrap_err();
    assert!(matches!(refused, LockError::Home(HomeError::ReadOnly { .. })));
    drop(guard);
    assert_eq!(reader.holder().unwrap(), None);
}

#[test]
fn the_known_version_is_the_number_of_steps() {
    assert_eq!(schema::known(schema::MIGRATIONS), 4);
}

//! Copies of mounted files: what is written, for whom, where, and for how long.

use super::*;
use crate::{
    home::HomeError,
    model::{
        container::{Mount, MountSource},
        content::Permissions,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::PathBuf,
};

fn content(text: &str, permissions: Option<Permissions>) -> Content {
    Content {
        target: "/etc/config".into(),
        source: Some("/srv/config".into()),
        sha256: hex::encode(Sha256::digest(text)),
        bytes: Value::sensitive(STANDARD.encode(text)),
        permissions,
    }
}

/// A stack whose one service mounts the copy of a content.
fn mounting(home: &Home, content: &Content) -> Desired {
    let mut desired = desired(&[("core", "core:1")]);
    let service = desired.services.get_mut(&ServiceName::from("core")).unwrap();
    service.container.mounts.insert(content.target.clone(), Mount::of(MountSource::Bind(home.copy_of(content))));
    service.contents = vec![content.clone()];
    desired
}

fn copies(dir: &Path) -> Vec<PathBuf> {
    let folder = dir.join("stacks/webkit/copies");
    let entries = fs::read_dir(folder).map(|entries| entries.map(|entry| entry.unwrap().path()).collect());
    entries.unwrap_or_default()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_copy_is_written_where_it_is_mounted_and_only_where_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    let content = content("one", None);
    let mut unmounted = mounting(&home, &content);
    unmounted.services.get_mut(&ServiceName::from("core")).unwrap().container.mounts.clear();
    home.put_copies(&unmounted).unwrap();
    assert_eq!(copies(dir.path()), [] as [PathBuf; 0]);
    home.put_copies(&mounting(&home, &content)).unwrap();
    let path = PathBuf::from(home.copy_of(&content));
    assert_eq!(copies(&dir.path().canonicalize().unwrap()), std::slice::from_ref(&path));
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o444, 0o700));
    assert!(!path.display().to_string().contains(&content.sha256), "the name tells nothing of the content");
}

#[test]
fn a_copy_is_for_those_who_could_read_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    let me = fs::metadata(dir.path()).unwrap();
    let mine = content("one", Some(Permissions { mode: 0o4640, uid: me.uid(), gid: me.gid() }));
    home.put_copies(&mounting(&home, &mine)).unwrap();
    assert_eq!(mode(Path::new(&home.copy_of(&mine))), 0o440);

    let theirs = content("one", Some(Permissions { mode: 0o400, uid: 999, gid: 998 }));
    assert_ne!(home.copy_of(&theirs), home.copy_of(&mine));
    home.put_copies(&mounting(&home, &theirs)).unwrap();
    let found = fs::metadata(home.copy_of(&theirs)).unwrap();
    let given = (found.uid(), found.gid(), found.mode() & 0o7777);
    let expected = if me.uid() == 0 { (999, 998, 0o400) } else { (me.uid(), me.gid(), 0o444) };
    assert_eq!(given, expected);
}

#[test]
fn a_copy_that_was_lost_or_changed_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    let content = content("one", None);
    let desired = mounting(&home, &content);
    let path = home.copy_of(&content);
    home.put_copies(&desired).unwrap();
    fs::remove_file(&path).unwrap();
    home.put_copies(&desired).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "other").unwrap();
    home.put_copies(&desired).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
}

#[test]
fn what_can_not_be_written_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    let content = content("one", None);
    fs::write(dir.path().join("stacks/webkit/copies"), "").unwrap();
    let error = home.put_copies(&mounting(&home, &content)).unwrap_err();
    assert!(matches!(&error, HomeError::NotWritable { path, .. } if path.ends_with("copies")), "{error:?}");
}

#[test]
fn copies_follow_a_home_that_was_moved() {
    let dir = tempfile::tempdir().unwrap();
    let (before, after) = (dir.path().join("before"), dir.path().join("after"));
    let home = open(&before);
    let content = content("one", None);
    home.put_copies(&mounting(&home, &content)).unwrap();
    home.make_current(new(mounting(&home, &content), "rollback to 1")).unwrap();
    drop(home);
    fs::rename(&before, &after).unwrap();
    let home = open(&after);
    let current = home.current().unwrap().unwrap().desired;
    assert_eq!(current, mounting(&home, &content));
    assert!(home.copy_of(&content).starts_with(&after.canonicalize().unwrap().display().to_string()));
}

#[test]
fn a_copy_is_kept_as_long_as_a_revision_that_mounts_it() {
    let dir = tempfile::tempdir().unwrap();
    let home = open(dir.path());
    let content = content("one", None);
    home.put_copies(&mounting(&home, &content)).unwrap();
    home.make_current(new(mounting(&home, &content), "rollback to 1")).unwrap();
    for count in 1..=crate::home::revisions::REVISIONS_MAX {
        home.remove_unused_copies().unwrap();
        assert_eq!(copies(dir.path()).len(), 1, "{count}");
        apply(&home, &[("core", "core:2")]);
    }
    home.remove_unused_copies().unwrap();
    assert_eq!(copies(dir.path()), [] as [PathBuf; 0]);
}

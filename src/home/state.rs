//! The state directory as a whole: which stacks have a home in it, which home it is, and who runs on it.

use super::{
    Identity,
    error::HomeError,
    lock::{self, Held, Holder, LockError, LockGuard},
    paths::StackFolder,
};
use crate::model::{names::StackName, units::Timestamp};
use std::{fs, io, os::unix::fs::DirBuilderExt, path::Path};

/// The stacks that have a home in a state directory, in no order that means anything; none where there is no directory.
pub fn stacks(state_dir: &Path) -> Result<Vec<StackName>, HomeError> {
    let folder = state_dir.join("stacks");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(HomeError::files(&folder, error)),
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let has_home = |name: &StackName| StackFolder::new(state_dir, name).is_ok_and(|folder| folder.database().exists());
    Ok(names.map(StackName::new).filter(has_home).collect())
}

/// Which home a state directory is, for the claims of its stacks.
pub fn identity(state_dir: &Path) -> Identity {
    Identity::of(state_dir)
}

/// The right to run on a state directory, which one process at a time has.
#[derive(Debug)]
pub struct RunLock {
    _guard: LockGuard,
    /// Why the directory can't be written, where it can't: what runs is kept all the same.
    pub unwritable: Option<HomeError>,
}

/// Takes that right. Makes the directory where it is missing.
///
/// # Errors
/// `Held`, with who holds it.
pub fn lock_run(state_dir: &Path, holder: &Holder, now: Timestamp) -> Result<RunLock, LockError> {
    let path = state_dir.join("run");
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(state_dir);
    let written = made
        .map_err(|source| HomeError::writing(state_dir, source))
        .and_then(|()| lock::attempt_file(&path, holder, now));
    let (attempt, unwritable) = match written {
        Err(error) if error.forbids_writing() => {
            let there = if path.exists() { &path } else { state_dir };
            // Who may not read it either is told what stands in the way of a usual home.
            let Ok(attempt) = lock::attempt_unwritten(there) else { return Err(error.into()) };
            (attempt, Some(error))
        }
        attempt => (attempt?, None),
    };
    match attempt {
        lock::Attempt::Got(guard) => Ok(RunLock { _guard: guard, unwritable }),
        lock::Attempt::Held(Held { holder: Holder { actor, doing }, since }) => {
            Err(LockError::Held { actor, since, doing })
        }
    }
}

/// Whether a state directory can be written, found out by doing it.
///
/// # Errors
/// Why it can't.
pub fn check_writable(state_dir: &Path) -> Result<(), HomeError> {
    let path = state_dir.join("writable");
    let written = fs::write(&path, "1").and_then(|()| match fs::remove_file(&path) {
        // Somebody else found it out at the same moment.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    });
    written.map_err(|source| HomeError::writing(&path, source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;

    #[test]
    fn stacks_are_found_and_what_is_none_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(stacks(folder.path()).unwrap(), []);
        drop(Home::open(folder.path(), &"webkit".into()).unwrap());
        fs::create_dir(folder.path().join("stacks/empty")).unwrap();
        fs::create_dir(folder.path().join("stacks/a b")).unwrap();
        assert_eq!(stacks(folder.path()).unwrap(), [StackName::from("webkit")]);
        assert_eq!(&identity(folder.path()), Home::open(folder.path(), &"webkit".into()).unwrap().identity());
    }

    #[test]
    fn one_at_a_time_runs_and_the_second_is_told_who() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("state");
        let holder = Holder { actor: "ana@vps".into(), doing: "run".into() };
        let first = lock_run(&dir, &holder, Timestamp(1_800_000_000_000)).unwrap();
        let second = lock_run(&dir, &holder, Timestamp(1_800_000_000_001)).unwrap_err();
        assert!(second.to_string().starts_with("`ana@vps` holds the lock since 2027"), "{second}");
        drop(first);
        lock_run(&dir, &holder, Timestamp(1_800_000_000_002)).unwrap();
    }

    #[test]
    fn where_nothing_can_be_written_one_at_a_time_runs_too() {
        // Nobody, not even root, makes a file there.
        let dir = Path::new("/sys/kernel");
        let holder = Holder { actor: "ana@vps".into(), doing: "run".into() };
        let first = lock_run(dir, &holder, Timestamp(1_800_000_000_000)).unwrap();
        assert!(first.unwritable.as_ref().unwrap().to_string().contains("/sys/kernel/run"), "{first:?}");
        lock_run(dir, &holder, Timestamp(1_800_000_000_001)).unwrap_err();
        drop(first);
        lock_run(dir, &holder, Timestamp(1_800_000_000_002)).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_written_says_so() {
        let folder = tempfile::tempdir().unwrap();
        check_writable(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        check_writable(&folder.path().join("none")).unwrap_err();
        let many = || (0..200).for_each(|_| check_writable(folder.path()).unwrap());
        std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(many))));
    }
}

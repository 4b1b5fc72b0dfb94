//! Files that somebody else writes, such as those of a manifest: a change of one rings a bell, once they were left alone
//! for a moment. What the system does not tell is found by the next resync.

use crate::{
    controllers::Wake,
    engine::clock::{Clock, within},
    model::units::Millis,
};
use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Files that change for longer than this between two changes are taken as they are.
const QUIET: Millis = Millis(300);
/// Nobody writes a manifest for longer.
const WRITING_MAX: Millis = Millis::seconds(3);

/// The files that are watched, by way of their folders: an editor replaces a file, and a folder can wait for one.
pub struct Files {
    watcher: Mutex<RecommendedWatcher>,
    /// The folders watched, and which folder each was: another one under its name is not watched.
    folders: Mutex<BTreeMap<PathBuf, (u64, u64)>>,
    files: Arc<Mutex<BTreeSet<PathBuf>>>,
    changed: Arc<Notify>,
}

impl Files {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// The system can watch no more, as text.
    pub fn start() -> Result<Files, String> {
        let (files, changed) = (Arc::new(Mutex::new(BTreeSet::new())), Arc::new(Notify::new()));
        let (watched, ring) = (files.clone(), changed.clone());
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if is_change(&event, &locked(&watched)) {
                ring.notify_one();
            }
        });
        let watcher = watcher.map_err(|error| format!("could not watch files: {error}"))?;
        Ok(Files { watcher: Mutex::new(watcher), folders: Mutex::default(), files, changed })
    }

    /// From now on these files, absolute ones, whether they are there or not.
    pub fn watch(&self, files: BTreeSet<PathBuf>) {
        let wanted: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
        let (mut folders, mut watcher) = (locked(&self.folders), locked(&self.watcher));
        let gone: Vec<PathBuf> = folders.keys().filter(|folder| !wanted.contains(folder.as_path())).cloned().collect();
        for folder in gone {
            folders.remove(&folder);
            // One that was removed is not watched any more anyway.
            let _ = watcher.unwatch(&folder);
        }
        for folder in wanted {
            let Ok(found) = folder.metadata().map(|found| (found.dev(), found.ino())) else { continue };
            if folders.get(folder) == Some(&found) {
                continue;
            }
            let _ = watcher.unwatch(folder);
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(folders.insert(folder.to_owned(), found)),
                Err(error) => tracing::warn!(%error, folder = %folder.display(), "could not watch a folder"),
            }
        }
        drop((folders, watcher));
        *locked(&self.files) = files;
    }

    /// Rings when something changed and is quiet again. For ever.
    pub async fn ring(&self, wake: &Wake, clock: &dyn Clock) {
        loop {
            self.changed.notified().await;
            let quiet = async { while within(clock, QUIET, self.changed.notified()).await.is_some() {} };
            let _ = within(clock, WRITING_MAX, quiet).await;
            wake.up("a file changed");
        }
    }
}

fn is_change(event: &notify::Result<Event>, files: &BTreeSet<PathBuf>) -> bool {
    let Ok(event) = event else { return true };
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => {}
        // Loading reads them.
        EventKind::Access(_) => return false,
        // Events were lost.
        _ if event.need_rescan() => return true,
        _ => {}
    }
    event.paths.iter().any(|path| files.contains(path))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::clock::SystemClock;
    use std::fs;

    #[tokio::test]
    async fn a_change_of_a_watched_file_rings_and_reading_it_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("evenkeel.yaml"), "one").unwrap();
        let (files, wake, clock) = (Files::start().unwrap(), Wake::default(), SystemClock::start());
        files.watch([path("evenkeel.yaml"), path("later.env"), path("none/at/all")].into());
        let woken = async |change: &(dyn Fn() + Sync)| {
            change();
            let woken = tokio::select! {
                woken = within(&clock, Millis::seconds(2), wake.woken()) => woken,
                () = files.ring(&wake, &clock) => None,
            };
            woken.is_some()
        };
        assert!(woken(&|| fs::write(path("evenkeel.yaml"), "two").unwrap()).await);
        let replace = || {
            fs::write(path("new"), "three").unwrap();
            fs::rename(path("new"), path("evenkeel.yaml")).unwrap();
        };
        assert!(woken(&replace).await);
        assert!(woken(&|| fs::write(path("later.env"), "A=1").unwrap()).await);
        assert!(!woken(&|| drop(fs::read(path("evenkeel.yaml")).unwrap())).await);
        assert!(!woken(&|| fs::write(path("other"), "x").unwrap()).await);
        assert!(woken(&|| fs::remove_file(path("later.env")).unwrap()).await);
    }
}

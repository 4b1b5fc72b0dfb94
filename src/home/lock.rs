//! The lock of a stack: one at a time changes it. The kernel frees a file lock when its holder dies, however it dies;
//! who that is, since when and doing what stands in the locked file and means nothing once the lock is free.

use super::{Home, error::HomeError, paths::StackFolder};
use crate::{
    engine::clock::Clock,
    model::units::{Millis, Timestamp},
};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::Read,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Between two attempts to get a lock that somebody holds.
const POLL: Millis = Millis(100);
/// Before the last attempt: a `status` that looks whether the lock is held holds it for an instant itself.
const GLIMPSE: Millis = Millis(20);

/// Who wants the lock, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// `--actor`, a CI variable, or `user@host`.
    pub actor: String,
    /// Such as `apply` or `rollback core`.
    pub doing: String,
}

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    #[serde(flatten)]
    pub holder: Holder,
    pub since: Timestamp,
}

/// Why the lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds it still.
    #[error("`{actor}` holds the lock since {since}: {doing}")]
    Held { actor: String, since: Timestamp, doing: String },
    /// The lock's file can't be used.
    #[error(transparent)]
    Home(#[from] HomeError),
}

/// The lock, held until this is dropped.
#[derive(Debug)]
pub struct LockGuard(Grip);

#[derive(Debug)]
enum Grip {
    File(File),
    Memory(Arc<Mutex<MemoryLock>>),
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        match &self.0 {
            // Best effort: what stands in a file that nobody has locked means nothing.
            Grip::File(file) => drop(file.set_len(0)),
            Grip::Memory(lock) => locked(lock).held = None,
        }
    }
}

/// Where the locks of a home are.
pub(super) enum Locks {
    Files(StackFolder),
    Memory(Arc<Mutex<MemoryLock>>),
}

/// The lock of a home that lives in memory.
#[derive(Debug, Default)]
pub(super) struct MemoryLock {
    held: Option<Held>,
    waiting: u32,
}

impl Home {
    /// Takes the lock of the stack, waiting at most `wait` for it; with a wait, those who ask `is_awaited` are told.
    /// A wait of zero is one attempt.
    pub async fn lock(&self, holder: Holder, wait: Millis, clock: &dyn Clock) -> Result<LockGuard, LockError> {
        self.store.refuse_read_only()?;
        let began = clock.now();
        let mut waiting = None;
        loop {
            let held = match self.locks.attempt(&holder, clock.now())? {
                Attempt::Got(guard) => return Ok(guard),
                Attempt::Held(held) => held,
            };
            let left = wait.0.saturating_sub(clock.now().since(began).0);
            if left == 0 {
                return self.last_attempt(&holder, held, clock).await;
            }
            if waiting.is_none() {
                waiting = self.locks.wait()?;
            }
            clock.sleep(Millis(left.min(POLL.0))).await;
        }
    }

    /// Whether somebody waits for the lock. A repair by `run` that is about to begin steps back then.
    pub fn is_awaited(&self) -> Result<bool, HomeError> {
        self.locks.is_awaited()
    }

    /// Who holds the lock now; `None` when nobody does. Takes nothing, so it is old when it is read.
    pub fn holder(&self) -> Result<Option<Held>, HomeError> {
        self.locks.holder()
    }

    async fn last_attempt(&self, holder: &Holder, held: Held, clock: &dyn Clock) -> Result<LockGuard, LockError> {
        clock.sleep(GLIMPSE).await;
        match self.locks.attempt(holder, clock.now())? {
            Attempt::Got(guard) => Ok(guard),
            Attempt::Held(now) => {
                let Held { holder: Holder { actor, doing }, since } = if now.since.0 > 0 { now } else { held };
                Err(LockError::Held { actor, since, doing })
            }
        }
    }
}

/// What became of an attempt.
pub(super) enum Attempt {
    Got(LockGuard),
    Held(Held),
}

/// Somebody who waits, until this is dropped.
enum Waiting {
    /// Locked together with the others who wait.
    File {
        _file: File,
    },
    Memory(Arc<Mutex<MemoryLock>>),
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Waiting::Memory(lock) = self {
            let mut lock = locked(lock);
            lock.waiting = lock.waiting.saturating_sub(1);
        }
    }
}

impl Locks {
    fn attempt(&self, holder: &Holder, now: Timestamp) -> Result<Attempt, HomeError> {
        match self {
            Locks::Files(folder) => attempt_file(&folder.lock(), holder, now),
            Locks::Memory(lock) => {
                let held = Held { holder: holder.clone(), since: now };
                let mut memory = locked(lock);
                Ok(match &memory.held {
                    Some(held) => Attempt::Held(held.clone()),
                    None => {
                        memory.held = Some(held);
                        Attempt::Got(LockGuard(Grip::Memory(Arc::clone(lock))))
                    }
                })
            }
        }
    }

    /// Tells that somebody waits; `None` when this could not be told just now, because somebody was looking.
    fn wait(&self) -> Result<Option<Waiting>, HomeError> {
        match self {
            Locks::Files(folder) => {
                let path = folder.waiting();
                let file = open(&path)?;
                let shared = try_flock(&file, &path, FlockOperation::NonBlockingLockShared)?;
                Ok(shared.then_some(Waiting::File { _file: file }))
            }
            Locks::Memory(lock) => {
                locked(lock).waiting += 1;
                Ok(Some(Waiting::Memory(Arc::clone(lock))))
            }
        }
    }

    fn is_awaited(&self) -> Result<bool, HomeError> {
        match self {
            Locks::Files(folder) => {
                is_locked(&folder.waiting(), FlockOperation::NonBlockingLockExclusive).map(|held| held.is_some())
            }
            Locks::Memory(lock) => Ok(locked(lock).waiting > 0),
        }
    }

    fn holder(&self) -> Result<Option<Held>, HomeError> {
        match self {
            Locks::Files(folder) => {
                let held = is_locked(&folder.lock(), FlockOperation::NonBlockingLockShared)?;
                Ok(held.map(|file| read_held(&file)))
            }
            Locks::Memory(lock) => Ok(locked(lock).held.clone()),
        }
    }
}

/// Locks a file, which is made where it is missing, and writes into it who did.
pub(super) fn attempt_file(path: &Path, holder: &Holder, now: Timestamp) -> Result<Attempt, HomeError> {
    let file = open(path)?;
    if !try_flock(&file, path, FlockOperation::NonBlockingLockExclusive)? {
        return Ok(Attempt::Held(read_held(&file)));
    }
    let text = serde_json::to_vec(&Held { holder: holder.clone(), since: now })
        .map_err(|source| HomeError::Unwritable { what: "the holder of the lock".to_owned(), source })?;
    file.set_len(0).and_then(|()| file.write_all_at(&text, 0)).map_err(|source| HomeError::writing(path, source))?;
    Ok(Attempt::Got(LockGuard(Grip::File(file))))
}

/// Locks what is there already, a file or a folder, where nothing can be written: nobody reads there who did.
pub(super) fn attempt_unwritten(path: &Path) -> Result<Attempt, HomeError> {
    let file = fs::File::open(path).map_err(|source| HomeError::files(path, source))?;
    match try_flock(&file, path, FlockOperation::NonBlockingLockExclusive)? {
        true => Ok(Attempt::Got(LockGuard(Grip::File(file)))),
        false => Ok(Attempt::Held(read_held(&file))),
    }
}

fn locked(lock: &Mutex<MemoryLock>) -> MutexGuard<'_, MemoryLock> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open(path: &Path) -> Result<File, HomeError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| HomeError::writing(path, source))
}

/// The file, when somebody else has locked it; opened to be read, so that who may not write can look too.
fn is_locked(path: &Path, attempt: FlockOperation) -> Result<Option<File>, HomeError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(HomeError::files(path, error)),
    };
    Ok((!try_flock(&file, path, attempt)?).then_some(file))
}

fn try_flock(file: &File, path: &Path, operation: FlockOperation) -> Result<bool, HomeError> {
    match flock(file, operation) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(HomeError::files(path, error.into())),
    }
}

/// Who holds a locked file. In the instant in which the holder has not written it yet nobody knows; the moment is 1970.
fn read_held(mut file: &File) -> Held {
    let mut text = String::new();
    let read = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
    read.unwrap_or_else(|| Held {
        holder: Holder { actor: "somebody".to_owned(), doing: "something".to_owned() },
        since: Timestamp(0),
    })
}

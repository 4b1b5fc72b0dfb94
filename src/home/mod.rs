//! The state directory on the engine's own host: revisions, events, facts, evidence, the lock and the sealing key. Knows
//! nothing of Docker, reads no clock, and stores no sensitive value unsealed.
//!
//! One state directory serves one engine; a `Home` is one stack in it. Its calls block, each for milliseconds.

mod copies;
mod error;
mod events;
mod evidence;
mod facts;
mod identity;
mod lock;
mod paths;
mod revisions;
mod schema;
mod sealing;
mod state;
mod store;
#[cfg(test)]
mod tests;
mod undo;

pub use error::HomeError;
pub use events::EventQuery;
pub use evidence::EvidenceSummary;
pub use identity::Identity;
pub use lock::{Held, Holder, LockError, LockGuard};
pub use paths::state_dir;
pub use revisions::{NewRevision, Records, RevisionSummary, ServiceSummary};
pub use state::{RunLock, check_writable, identity, lock_run, stacks};

use crate::model::names::StackName;
use lock::Locks;
use paths::StackFolder;
use revisions::Body;
use rusqlite::OptionalExtension;
use sealing::{Key, Sealer};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
};
use store::{Durability, Opened, Store};

/// What evenkeel remembers of one stack.
pub struct Home {
    stack: StackName,
    store: Store,
    sealer: Sealer,
    locks: Locks,
    // Found out when they are asked for: most need neither, and in a container it takes a while.
    copies_on_host: OnceLock<PathBuf>,
    identity: OnceLock<Identity>,
    moved_aside: Option<PathBuf>,
    remembered: Mutex<Option<(u64, Arc<Body>)>>,
}

impl Home {
    /// Opens the home of a stack to be used; makes the state directory (0700), the key (0600) and the database where they
    /// are missing, and upgrades an older database. A damaged one is moved aside: see `moved_aside`.
    pub fn open(state_dir: &Path, stack: &StackName) -> Result<Home, HomeError> {
        let folder = StackFolder::new(state_dir, stack)?;
        folder.create()?;
        // Looked for before the key: who makes both at this moment makes the key first.
        let sealed_already = folder.database().exists();
        let key = match Key::read(&folder.key())? {
            Some(key) => key,
            None if sealed_already => {
                return Err(HomeError::KeyMissing { path: folder.key().display().to_string() });
            }
            None => Key::read_or_create(&folder.key())?,
        };
        let Opened { store, moved_aside } = Store::open(&folder, schema::MIGRATIONS)?;
        let home = Home::of(stack, store, &key, folder, moved_aside);
        home.check_key(true)?;
        Ok(home)
    }

    /// The same where there is one; none is made.
    pub fn open_known(state_dir: &Path, stack: &StackName) -> Result<Option<Home>, HomeError> {
        match StackFolder::new(state_dir, stack)?.database().exists() {
            true => Home::open(state_dir, stack).map(Some),
            false => Ok(None),
        }
    }

    /// Opens the home of a stack to be read: no file is made, nothing is written but SQLite's own marks in the index
    /// of its log (where it may), and the state directory need not be writable.
    /// `None` when there is none. What others write from then on is seen by most calls, but open it anew for each look: of
    /// a home that no process has written to since its files were copied it stays the state of the opening.
    pub fn read(state_dir: &Path, stack: &StackName) -> Result<Option<Home>, HomeError> {
        let folder = StackFolder::new(state_dir, stack)?;
        let Some(store) = Store::read_only(&folder)? else {
            return Ok(None);
        };
        let missing = || HomeError::KeyMissing { path: folder.key().display().to_string() };
        let key = Key::read(&folder.key())?.ok_or_else(missing)?;
        let home = Home::of(stack, store, &key, folder, None);
        home.check_key(false)?;
        Ok(Some(home))
    }

    /// A home that lives as long as this value, for simulations. It is on no machine, and named as if it were the usual
    /// state directory.
    pub fn in_memory(stack: &StackName) -> Result<Home, HomeError> {
        let store = Store::in_memory()?;
        let sealer = Sealer::new(&Key::of_memory(), stack, store.path());
        Ok(Home {
            stack: stack.clone(),
            store,
            sealer,
            locks: Locks::Memory(Arc::default()),
            copies_on_host: Path::new("/var/lib/evenkeel/stacks").join(stack.as_str()).join("copies").into(),
            identity: Identity { home: "/var/lib/evenkeel".to_owned(), machine: None }.into(),
            moved_aside: None,
            remembered: Mutex::default(),
        })
    }

    /// The same home under another name, for simulations of two.
    pub fn with_identity(self, identity: Identity) -> Home {
        Home { identity: identity.into(), ..self }
    }

    fn of(stack: &StackName, store: Store, key: &Key, folder: StackFolder, moved_aside: Option<PathBuf>) -> Home {
        Home {
            stack: stack.clone(),
            sealer: Sealer::new(key, stack, store.path()),
            store,
            copies_on_host: OnceLock::new(),
            identity: OnceLock::new(),
            locks: Locks::Files(folder),
            moved_aside,
            remembered: Mutex::default(),
        }
    }

    /// The home as it is to be used from now on, where its files are gone or are others: they were removed while it was
    /// open; or where it could only be read, and can be written by now. `None` while neither is so, and for one in memory.
    pub fn reopened(&self) -> Result<Option<Home>, HomeError> {
        match &self.locks {
            Locks::Files(folder) if self.store.refuse_read_only().is_err() => {
                Ok(Home::open(folder.state_dir(), &self.stack).ok())
            }
            Locks::Files(folder) if !self.store.is_there() => Home::open(folder.state_dir(), &self.stack).map(Some),
            _ => Ok(None),
        }
    }

    /// The stack that it is the home of.
    pub fn stack(&self) -> &StackName {
        &self.stack
    }

    /// Which home this is, for the claim of the stack.
    pub fn identity(&self) -> &Identity {
        self.identity.get_or_init(|| match &self.locks {
            Locks::Files(folder) => Identity::of(folder.state_dir()),
            Locks::Memory(_) => Identity::of(self.store.path()),
        })
    }

    /// Where the damaged database was put that this opening found: what was in it is lost to evenkeel, and the user should
    /// be told.
    pub fn moved_aside(&self) -> Option<&Path> {
        self.moved_aside.as_deref()
    }

    /// The database remembers the key that it is sealed with, so that another one is refused before anything is mixed.
    fn check_key(&self, remember: bool) -> Result<(), HomeError> {
        let mark = self.sealer.mark();
        let read = |transaction: &rusqlite::Transaction<'_>| -> Result<Option<String>, HomeError> {
            let query = "SELECT value FROM meta WHERE name = 'key'";
            Ok(transaction.query_row(query, [], |row| row.get(0)).optional()?)
        };
        let found = match self.store.read(read)? {
            None if remember => Some(self.store.write(Durability::PowerCut, |transaction| {
                transaction.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('key', ?1)", [&mark])?;
                Ok(read(transaction)?.unwrap_or_default())
            })?),
            found => found,
        };
        match (found, &self.locks) {
            (Some(found), Locks::Files(folder)) if found != mark => {
                Err(HomeError::KeyOther { path: folder.key().display().to_string() })
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Home {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Home({} at {})", self.stack, self.store.path().display())
    }
}

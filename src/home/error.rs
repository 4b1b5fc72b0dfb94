//! What can go wrong in the home, and what to do about it.

use std::io;

/// A home that can't be used as asked. The message says what failed, `hint` what to do.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The folder or a file in it can't be used.
    #[error("could not use the home `{path}`")]
    Files {
        path: String,
        #[source]
        source: io::Error,
    },
    /// The folder or a file in it can't be written; reading may still work.
    #[error("could not write to the home `{path}`")]
    NotWritable {
        path: String,
        #[source]
        source: io::Error,
    },
    /// The disk is full, or the user's quota is.
    #[error("the disk of the home `{path}` is full")]
    Full { path: String },
    /// It was opened with `Home::read`.
    #[error("the home `{path}` was opened only to be read")]
    ReadOnly { path: String },
    /// Neither `EVENKEEL_STATE_DIR` nor a home directory of the user says where the home is.
    #[error("there is no folder to keep the state in")]
    NoPlace,
    /// A stack's name that can't be the name of a folder.
    #[error("`{name}` can't be the name of a stack")]
    StackName { name: String },
    /// Another process keeps the file busy for longer than five seconds.
    #[error("another process keeps the home `{path}` busy")]
    Busy { path: String },
    /// The file was written by a newer evenkeel.
    #[error("the home `{path}` was written by a newer evenkeel (format {found}; this one knows {known})")]
    Newer { path: String, found: i64, known: i64 },
    /// The file was written by an older evenkeel and can't be upgraded, because it is only read.
    #[error("the home `{path}` was written by an older evenkeel (format {found}; this one reads {known})")]
    Older { path: String, found: i64, known: i64 },
    /// The file is damaged.
    #[error("the home `{path}` is damaged")]
    Damaged {
        path: String,
        #[source]
        source: rusqlite::Error,
    },
    /// The key can be read by others than its owner.
    #[error("the key `{path}` can be read by others (mode {mode:04o})")]
    KeyExposed { path: String, mode: u32 },
    /// There is a home, but not its key.
    #[error("the key `{path}` is missing")]
    KeyMissing { path: String },
    /// The key file is not a key.
    #[error("`{path}` does not hold a key")]
    KeyDamaged { path: String },
    /// The key is not the one that the home was sealed with.
    #[error("the key `{path}` is not the one that the home was sealed with")]
    KeyOther { path: String },
    /// Something sealed was changed since, or stands where something else stood.
    #[error("could not unseal {what} of the home `{path}`: it was changed after it was written")]
    Tampered { path: String, what: String },
    /// Something was unsealed and is not what it should be.
    #[error("could not understand {what} of the home")]
    Unreadable {
        what: String,
        #[source]
        source: serde_json::Error,
    },
    /// Something can't be written as JSON.
    #[error("could not write down {what}")]
    Unwritable {
        what: String,
        #[source]
        source: serde_json::Error,
    },
    /// It was never made, or is kept no more.
    #[error("there is no revision {number}")]
    NoRevision { number: u64 },
    /// Nothing was ever applied.
    #[error("there is no current revision")]
    NoCurrent,
    /// What runs is adopted before anything else, or never.
    #[error("there are revisions already, so nothing can be adopted as revision 0")]
    NotFirst,
    /// The system gives no random bytes.
    #[error("could not get random bytes from the system: {reason}")]
    Random { reason: String },
    /// The database refused something else.
    #[error("could not use the database of the home `{path}`")]
    Database {
        path: String,
        #[source]
        source: rusqlite::Error,
    },
}

impl From<rusqlite::Error> for HomeError {
    /// Without a path; the store that made the call puts it in, and says more precisely what it was.
    fn from(source: rusqlite::Error) -> HomeError {
        HomeError::Database { path: String::new(), source }
    }
}

impl HomeError {
    /// What to do about it, as a sentence without a period; `None` where it is a bug or speaks for itself.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            HomeError::Files { path, .. } => {
                format!("give this user `{path}`, or name another folder with EVENKEEL_STATE_DIR")
            }
            HomeError::NotWritable { path, .. } => format!(
                "make `{path}` writable for this user, or run as the one who owns it, or name another folder with \
                 EVENKEEL_STATE_DIR"
            ),
            HomeError::Full { path } => format!("free some space on the disk of `{path}`, then try again"),
            HomeError::NoPlace => "set EVENKEEL_STATE_DIR to a folder".to_owned(),
            HomeError::StackName { .. } => {
                "use lowercase letters, digits, `-` and `_`, beginning with a letter or a digit".to_owned()
            }
            HomeError::Busy { .. } => "wait for the other evenkeel to end, then try again".to_owned(),
            HomeError::Newer { .. } => "use that newer evenkeel, or a newer one still".to_owned(),
            HomeError::Older { .. } => "any `evenkeel apply` upgrades it".to_owned(),
            HomeError::Damaged { path, .. } => format!(
                "run `evenkeel apply`: it moves `{path}` aside and starts a new one from what runs; check the disk, too"
            ),
            HomeError::KeyExposed { path, .. } => format!(
                "run `chmod 600 {path}`; if somebody may have read it, change the secrets that this stack was given"
            ),
            HomeError::KeyMissing { path } | HomeError::KeyDamaged { path } | HomeError::KeyOther { path } => format!(
                "put `{path}` back from a backup; without it, move the folder that it is in aside: a new home is \
                 started from what runs"
            ),
            HomeError::Tampered { path, .. } => {
                format!("put the home back from a backup, or move `{path}` aside: a new home is started from what runs")
            }
            HomeError::NoRevision { .. } => "`evenkeel history` lists those that are kept".to_owned(),
            HomeError::NoCurrent => "run `evenkeel apply` first".to_owned(),
            HomeError::ReadOnly { .. }
            | HomeError::Unreadable { .. }
            | HomeError::Unwritable { .. }
            | HomeError::NotFirst
            | HomeError::Random { .. }
            | HomeError::Database { .. } => return None,
        })
    }

    /// Whether it is the home that can't be written, by rights, by its mount or by its disk, and not a moment's trouble: then
    /// nobody can take the lock, an apply as little as anybody else.
    pub fn forbids_writing(&self) -> bool {
        match self {
            HomeError::Full { .. } | HomeError::ReadOnly { .. } => true,
            HomeError::NotWritable { source, .. } => {
                matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
            }
            _ => false,
        }
    }

    /// What a failed file operation at `path` is.
    pub(super) fn files(path: &std::path::Path, source: io::Error) -> HomeError {
        let path = path.display().to_string();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => HomeError::Full { path },
            _ => HomeError::Files { path, source },
        }
    }

    /// What a failed attempt to write at `path` is.
    pub(super) fn writing(path: &std::path::Path, source: io::Error) -> HomeError {
        match HomeError::files(path, source) {
            HomeError::Files { path, source } => HomeError::NotWritable { path, source },
            error => error,
        }
    }
}

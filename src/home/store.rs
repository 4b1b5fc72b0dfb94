//! The database file: how it is opened to be written or only read, and what its failures mean. Knows no table.

use super::{
    error::HomeError,
    paths::{StackFolder, with_ending},
    schema,
};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, config::DbConfig, ffi::SQLITE_IOERR_SHMSIZE,
};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a writer waits for another one; each holds the file for milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const OPENING_POLL: Duration = Duration::from_millis(10);
/// The log of the database is cut to this after it was taken over into the file, in bytes.
const LOG_BYTES_MAX: i64 = 4 << 20;
/// When so much of the log is not in the file yet, it is taken over. Who opens the database first reads all that is not,
/// so this is what every start of the program waits for.
const LOG_PAGES_MAX: u32 = 100;
/// So much of the file is kept in memory at most, in KiB. Events are written and not read again, and what else is read is
/// little, so that more would only fill with them.
const CACHE_KIB_MAX: i64 = 512;

/// How sure a write must be before it returns. Both survive the death of the process at any instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// It survives a power cut: what is decided upon.
    PowerCut,
    /// A power cut may take the newest of it: what is told.
    Process,
}

/// An open database.
pub(super) struct Store {
    path: PathBuf,
    connection: Mutex<Connection>,
    writable: bool,
    /// Which file it was at the opening: device and number.
    file: Option<(u64, u64)>,
}

/// A store, and where the damaged file went that it takes the place of.
pub(super) struct Opened {
    pub(super) store: Store,
    pub(super) moved_aside: Option<PathBuf>,
}

impl Store {
    /// Opens the file to be written; makes it when there is none, upgrades an older one, refuses a newer one, moves a
    /// damaged one aside.
    pub(super) fn open(folder: &StackFolder, migrations: &[&str]) -> Result<Opened, HomeError> {
        let path = folder.database();
        let _alone = alone(&folder.opening())?;
        let suspect = with_ending(&path, SUSPECT);
        if let Some(aside) = finish_moving(&path)? {
            let connection = connect(&path, migrations).map_err(|error| placed(&path, error))?;
            return Ok(Opened { store: Store::of(path, connection, true), moved_aside: Some(aside) });
        }
        let damaged = if suspect.exists() && path.exists() { !is_sound(&path) } else { false };
        if !damaged {
            match connect(&path, migrations) {
                Err(error) if is_damage(&error) => {}
                Err(error) => return Err(placed(&path, error)),
                Ok(connection) => {
                    remove_if_there(&suspect)?;
                    return Ok(Opened { store: Store::of(path, connection, true), moved_aside: None });
                }
            }
        }
        let moved_aside = Some(move_aside(&path)?);
        remove_if_there(&suspect)?;
        let connection = connect(&path, migrations).map_err(|error| placed(&path, error))?;
        Ok(Opened { store: Store::of(path, connection, true), moved_aside })
    }

    /// Opens the file to be read: nothing is written and no file is made. `None` when there is no file yet.
    pub(super) fn read_only(folder: &StackFolder) -> Result<Option<Store>, HomeError> {
        let path = folder.database();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.len() == 0 && !has_bytes(&with_ending(&path, "-wal")) => return Ok(None),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(HomeError::files(&path, error)),
        }
        let (connection, found) = connect_to_read(&path).map_err(|error| placed(&path, error))?;
        let known = schema::known(schema::MIGRATIONS);
        let shown = path.display().to_string();
        match found {
            0 => Ok(None),
            found if found > known => Err(HomeError::Newer { path: shown, found, known }),
            found if found < known => Err(HomeError::Older { path: shown, found, known }),
            _ => Ok(Some(Store::of(path, connection, false))),
        }
    }

    /// A database that lives as long as this value.
    pub(super) fn in_memory() -> Result<Store, HomeError> {
        let path = PathBuf::from(IN_MEMORY);
        let mut connection = Connection::open_in_memory()?;
        schema::migrate(&mut connection, &path, schema::MIGRATIONS)?;
        Ok(Store::of(path, connection, true))
    }

    fn of(path: PathBuf, connection: Connection, writable: bool) -> Store {
        let file = identity(&path);
        Store { path, connection: Mutex::new(connection), writable, file }
    }

    /// Whether its file is still the one that was opened.
    pub(super) fn is_there(&self) -> bool {
        identity(&self.path) == self.file
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn refuse_read_only(&self) -> Result<(), HomeError> {
        match self.writable {
            true => Ok(()),
            false => Err(HomeError::ReadOnly { path: self.path.display().to_string() }),
        }
    }

    /// Does something in one transaction: all of it, or on an error or a death nothing.
    pub(super) fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, HomeError>,
    ) -> Result<T, HomeError> {
        self.refuse_read_only()?;
        let mut connection = self.connection();
        let result = write_in(&mut connection, durability, work);
        result.map_err(|error| self.explained(error))
    }

    /// Reads from one moment of the database.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, HomeError>) -> Result<T, HomeError> {
        let mut connection = self.connection();
        let result = connection.transaction().map_err(HomeError::from).and_then(|transaction| work(&transaction));
        result.map_err(|error| self.explained(error))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves the connection whole: its transaction was rolled back when it was dropped.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn explained(&self, error: HomeError) -> HomeError {
        if self.writable && self.path != Path::new(IN_MEMORY) && is_damage(&error) {
            // Best effort: the error is told anyway, and the mark only makes the next opening look closely.
            let _marked = File::create(with_ending(&self.path, SUSPECT));
        }
        placed(&self.path, error)
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// What a database without a file is called.
const IN_MEMORY: &str = ":memory:";

/// Beside the file when something in it was seen to be damaged: the next opening checks all of it.
const SUSPECT: &str = ".suspect";

fn write_in<T>(
    connection: &mut Connection,
    durability: Durability,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, HomeError>,
) -> Result<T, HomeError> {
    connection.pragma_update(
        None,
        "synchronous",
        if durability == Durability::PowerCut { "FULL" } else { "NORMAL" },
    )?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    transaction.commit()?;
    Ok(result)
}

/// A lock that lets one process at a time open the database; each has it for milliseconds.
fn alone(path: &Path) -> Result<File, HomeError> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| HomeError::writing(path, source))?;
    for _ in 0..=BUSY_TIMEOUT.as_millis() / OPENING_POLL.as_millis() {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(OPENING_POLL),
            Err(error) => return Err(HomeError::files(path, error.into())),
        }
    }
    Err(HomeError::Busy { path: path.display().to_string() })
}

fn connect(path: &Path, migrations: &[&str]) -> Result<Connection, HomeError> {
    // SQLite makes files as the umask says; made here first, it is the owner's alone whatever folder it is in. One that is
    // there is not opened: closing it would end the locks of every other connection that this process has to it.
    match OpenOptions::new().create_new(true).append(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(HomeError::writing(path, error)),
        _ => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // The log and its index stay when the last writer leaves: a reader without the right to write needs them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX)?;
    // Less than zero: not in pages.
    connection.pragma_update(None, "cache_size", -CACHE_KIB_MAX)?;
    schema::migrate(&mut connection, path, migrations)?;
    Ok(connection)
}

/// A connection that changes neither the file nor its log and makes no file, and the version of what it found.
fn connect_to_read(path: &Path) -> Result<(Connection, i64), HomeError> {
    let (log, index) = (with_ending(path, "-wal"), with_ending(path, "-shm"));
    let (first, second) = match (has_bytes(&log), log.exists() && index.exists()) {
        // The index is written to where that is allowed: a writer in this process shares it. Where it is not allowed, or
        // the disk is full, SQLite makes its own in memory.
        (_, true) => ("cache=private", Some("readonly_shm=1")),
        // Nothing but the file itself counts, and SQLite would make the log.
        (false, false) => ("immutable=1", None),
        // A log without its index: somebody copied one without the other. SQLite has to make it, where it may.
        (true, false) => ("cache=private", None),
    };
    connect_so(path, first).or_else(|error| match second {
        Some(second) => connect_so(path, second),
        None => Err(error),
    })
}

fn connect_so(path: &Path, way: &str) -> Result<(Connection, i64), HomeError> {
    let uri = format!("file:{}?mode=ro&{way}", in_uri(path));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let found = schema::found(&connection)?;
    Ok((connection, found))
}

fn in_uri(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    path.as_os_str()
        .as_bytes()
        .iter()
        .map(|&byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn has_bytes(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0)
}

fn is_sound(path: &Path) -> bool {
    let check = || -> rusqlite::Result<String> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
    };
    match check() {
        Ok(verdict) => verdict == "ok",
        Err(error) => !matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)),
    }
}

/// Gives the damaged file, with its log and index, a name that says so, and tells it. The file goes first: without its log it
/// would be an older state, and be taken for the truth.
fn move_aside(path: &Path) -> Result<PathBuf, HomeError> {
    let free = asides(path).find(|aside| !aside.exists()).unwrap_or_else(|| with_ending(path, ".damaged"));
    move_if_there(path, &free)?;
    move_log_aside(path, &free)?;
    Ok(free)
}

/// Moves the log after its file, where a power cut came between the two. Gives where the file is.
fn finish_moving(path: &Path) -> Result<Option<PathBuf>, HomeError> {
    if path.exists() || !with_ending(path, "-wal").exists() {
        return Ok(None);
    }
    let last = asides(path).take_while(|aside| aside.exists()).last();
    let Some(last) = last.filter(|last| !with_ending(last, "-wal").exists()) else { return Ok(None) };
    move_log_aside(path, &last)?;
    Ok(Some(last))
}

fn move_log_aside(path: &Path, aside: &Path) -> Result<(), HomeError> {
    for ending in ["-shm", "-wal"] {
        move_if_there(&with_ending(path, ending), &with_ending(aside, ending))?;
    }
    Ok(())
}

/// What damaged files are called, the first one first.
fn asides(path: &Path) -> impl Iterator<Item = PathBuf> {
    (1_u32..).map(|number| with_ending(path, &format!(".damaged-{number}")))
}

/// Gives a file another name in its folder, and puts that on the disk before anything else is done.
fn move_if_there(from: &Path, to: &Path) -> Result<(), HomeError> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(HomeError::writing(from, error)),
        Ok(()) => {}
    }
    let folder = from.parent().unwrap_or(from);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| HomeError::writing(folder, source))
}

fn remove_if_there(path: &Path) -> Result<(), HomeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(HomeError::writing(path, error)),
        _ => Ok(()),
    }
}

fn is_damage(error: &HomeError) -> bool {
    matches!(error, HomeError::Database { source, .. } if matches!(
        source.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    ))
}

fn extended_code(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}

/// Says which file a database error is about, and what kind of failure it is.
fn placed(path: &Path, error: HomeError) -> HomeError {
    let HomeError::Database { source, .. } = error else {
        return error;
    };
    let shown = path.display().to_string();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => HomeError::Damaged { path: shown, source },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => HomeError::Busy { path: shown },
        Some(ErrorCode::DiskFull) => HomeError::Full { path: shown },
        // No room for the index of the log.
        _ if extended_code(&source) == Some(SQLITE_IOERR_SHMSIZE) => HomeError::Full { path: shown },
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            // SQLite keeps the system's reason to itself; the same attempt shows it.
            let attempt = OpenOptions::new().append(true).open(path).err();
            HomeError::NotWritable { path: shown, source: attempt.unwrap_or_else(|| io::Error::other(source)) }
        }
        _ => HomeError::Database { path: shown, source },
    }
}

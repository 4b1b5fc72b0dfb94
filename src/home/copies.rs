//! Copies of mounted files, for a rollback to mount where a file has another content by now. They lie unsealed, as the
//! files themselves do, for the engine must mount them; their folder is for its owner alone, and their names tell nothing.

use super::{Home, error::HomeError, lock::Locks, paths::StackFolder};
use crate::model::{
    container::MountSource,
    content::{Content, Permissions},
    desired::{Desired, Service},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rusqlite::Transaction;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions, Permissions as Mode},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

/// What everybody may do with a copy of which it isn't known who may.
const READABLE: u32 = 0o444;

impl Home {
    /// Where the copy of a content is, or would be, as the engine's host has it. The same content has the same place,
    /// as long as the home is where it is.
    pub fn copy_of(&self, content: &Content) -> String {
        self.copies_on_host().join(self.sealer.copy_name(content)).display().to_string()
    }

    fn copies_on_host(&self) -> &Path {
        self.copies_on_host.get_or_init(|| match &self.locks {
            Locks::Files(folder) => on_host(folder),
            Locks::Memory(_) => PathBuf::new(),
        })
    }

    /// Whether a service mounts a copy that lies in this home.
    pub fn mounts_copies(&self, service: &Service) -> bool {
        self.mounted_copies(service).next().is_some()
    }

    /// Writes those copies that this desired state mounts and that are missing, or are not what they were.
    pub fn put_copies(&self, desired: &Desired) -> Result<(), HomeError> {
        let Locks::Files(folder) = &self.locks else { return Ok(()) };
        for content in desired.services.values().flat_map(|service| self.mounted_copies(service)) {
            put(folder, &folder.copies().join(self.sealer.copy_name(content)), content)?;
        }
        Ok(())
    }

    /// Removes the copies that no kept revision mounts.
    pub fn remove_unused_copies(&self) -> Result<(), HomeError> {
        let Locks::Files(folder) = &self.locks else { return Ok(()) };
        let folder = folder.copies();
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(|error| HomeError::files(&folder, error))?,
        };
        let used = self.store.read(|transaction| {
            let mut statement = transaction.prepare_cached("SELECT DISTINCT name FROM copies")?;
            let names = statement.query_map([], |row| row.get::<_, String>(0))?;
            Ok(names.collect::<Result<BTreeSet<_>, _>>()?)
        })?;
        for entry in entries {
            let path = entry.map_err(|error| HomeError::files(&folder, error))?.path();
            if !name_of(&path).is_some_and(|name| used.contains(name)) {
                fs::remove_file(&path).map_err(|error| HomeError::writing(&path, error))?;
            }
        }
        Ok(())
    }

    /// The home may have been moved since a revision was made: its copies moved with it.
    pub(super) fn follow_copies(&self, desired: &mut Desired) {
        for service in desired.services.values_mut() {
            for content in &service.contents {
                let Some(mount) = service.container.mounts.get_mut(&content.target) else { continue };
                let MountSource::Bind(path) = &mut mount.source else { continue };
                if name_of(Path::new(path)) == Some(self.sealer.copy_name(content).as_str()) {
                    *path = self.copy_of(content);
                }
            }
        }
    }

    /// Remembers which copies a revision mounts.
    pub(super) fn record_copies(
        &self,
        transaction: &Transaction<'_>,
        revision: i64,
        desired: &Desired,
    ) -> Result<(), HomeError> {
        let mut statement =
            transaction.prepare_cached("INSERT OR IGNORE INTO copies (revision, name) VALUES (?1, ?2)")?;
        // By their place alone: what runs may be all that is known of a copy, where an older home was damaged.
        let mounts = desired.services.values().flat_map(|service| service.container.mounts.values());
        for mount in mounts {
            let MountSource::Bind(path) = &mount.source else { continue };
            if let Ok(name) = Path::new(path).strip_prefix(self.copies_on_host()) {
                statement.execute(rusqlite::params![revision, name.display().to_string()])?;
            }
        }
        Ok(())
    }

    fn mounted_copies<'a>(&'a self, service: &'a Service) -> impl Iterator<Item = &'a Content> {
        service.contents.iter().filter(|content| {
            let mount = service.container.mounts.get(&content.target);
            let bound = mount.and_then(|mount| match &mount.source {
                MountSource::Bind(path) => Some(path),
                _ => None,
            });
            bound.is_some_and(|path| *path == self.copy_of(content))
        })
    }
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// Writes a copy whole or not at all.
fn put(folder: &StackFolder, path: &Path, content: &Content) -> Result<(), HomeError> {
    if fs::read(path).is_ok_and(|found| hex::encode(Sha256::digest(&found)) == content.sha256) {
        return Ok(());
    }
    let copies = folder.copies();
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&copies);
    made.map_err(|error| HomeError::writing(&copies, error))?;
    let draft = super::paths::with_ending(path, ".draft");
    let bytes = STANDARD.decode(content.bytes.reveal()).map_err(io::Error::other);
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&bytes?)?;
        give(&file, content.permissions)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(|error| HomeError::writing(path, error))
}

/// Lets those read a copy who could read the file. Where its owner can't be given to it, whoever is in the container may:
/// to the host's users the folder is closed.
fn give(file: &fs::File, permissions: Option<Permissions>) -> io::Result<()> {
    let metadata = file.metadata()?;
    let mode = match permissions {
        None => READABLE,
        Some(Permissions { mode, uid, gid }) => {
            let is_theirs = (metadata.uid(), metadata.gid()) == (uid, gid);
            if is_theirs || fchown(file, Some(uid), Some(gid)).is_ok() { mode } else { mode | READABLE }
        }
    };
    // Neither more than reading and running, nor another user's powers.
    file.set_permissions(Mode::from_mode(mode & 0o555))
}

/// The folder of the copies as the engine's host has it.
fn on_host(folder: &StackFolder) -> PathBuf {
    let state_dir = super::identity::on_this_host(folder.state_dir());
    let within = folder.copies();
    within.strip_prefix(folder.state_dir()).map(|within| state_dir.join(within)).unwrap_or(within.clone())
}

//! What loading is given, what it says when something is wrong, and a record of every file it read.

use crate::{
    compose::{Fault, Reader},
    model::desired::Overrides,
};
use sha2::{Digest, Sha256};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

/// What to load. Nothing else is looked at: no process environment, no current folder.
pub struct Sources<'a> {
    /// What `-f` named, or `find_manifest` found: one Stack manifest, or Compose files merged in this order. Relative
    /// ones are in `working_dir`.
    pub files: Vec<PathBuf>,
    /// The absolute current folder.
    pub working_dir: PathBuf,
    /// The process environment.
    pub environment: BTreeMap<String, String>,
    /// What this command line changes: an image for a service that does not exist is a fault.
    pub overrides: Overrides,
    /// What the current revision has in force; `overrides` wins over it.
    pub in_force: Overrides,
    /// The names of the files in the folder where the manifest was looked for, to mention Compose files that are not
    /// read. Empty when `-f` was given.
    pub siblings: Vec<String>,
    /// False leaves unchecked what refers to what in Compose files (`config --no-consistency`).
    pub consistency: bool,
    /// False leaves env files unread, where nothing of their content is printed.
    pub env_files: bool,
    /// What a service with `use_api_socket` gets to read: a Docker config with the logins of the user, and nothing else.
    /// Asked for where there is such a service; the error is a sentence.
    pub logins: fn() -> Result<String, String>,
    /// The file system.
    pub reader: &'a dyn Reader,
}

impl<'a> Sources<'a> {
    /// Files in a folder, with an empty environment, no overrides and no logins.
    pub fn new<P: Into<PathBuf>>(
        working_dir: impl Into<PathBuf>,
        files: impl IntoIterator<Item = P>,
        reader: &'a dyn Reader,
    ) -> Sources<'a> {
        Sources {
            files: files.into_iter().map(Into::into).collect(),
            working_dir: working_dir.into(),
            environment: BTreeMap::new(),
            overrides: Overrides::default(),
            in_force: Overrides::default(),
            siblings: Vec::new(),
            consistency: true,
            env_files: true,
            logins: || Ok(r#"{"auths":{}}"#.to_owned()),
            reader,
        }
    }
}

/// All that is wrong with a manifest and the files that it pulls in. `diagnostics::render` shows it to people.
#[derive(Clone, Debug)]
pub struct LoadError {
    /// In the order of file and line; never empty.
    pub faults: Vec<Fault>,
}

impl LoadError {
    /// Names files in the working folder by their relative path, as the user knows them.
    pub(super) fn new(mut faults: Vec<Fault>, working_dir: &Path) -> LoadError {
        for fault in &mut faults {
            if let Ok(relative) = Path::new(&fault.file).strip_prefix(working_dir) {
                fault.file = relative.display().to_string();
            }
        }
        faults.sort_by(|one, other| (&one.file, one.line, one.column).cmp(&(&other.file, other.line, other.column)));
        LoadError { faults }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::diagnostics::render(&self.faults, false).trim_end())
    }
}

impl std::error::Error for LoadError {}

/// The file system, with a record of what was read.
pub struct Recording<'a> {
    inner: &'a dyn Reader,
    read: RefCell<Record>,
}

/// The files read, and a hash of each in the order in which they were first read.
#[derive(Default)]
struct Record {
    known: BTreeSet<PathBuf>,
    hashes: Vec<[u8; 32]>,
}

impl<'a> Recording<'a> {
    /// Nothing read yet.
    pub fn new(inner: &'a dyn Reader) -> Recording<'a> {
        Recording { inner, read: RefCell::default() }
    }

    /// The file system itself, for what must leave no record (credentials).
    pub fn unrecorded(&self) -> &'a dyn Reader {
        self.inner
    }

    /// Whether a file was read.
    pub fn has_read(&self, path: &Path) -> bool {
        self.read.borrow().known.contains(path)
    }

    /// SHA-256 (hex) of the contents, in the order in which they were first read.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        self.read.borrow().hashes.iter().for_each(|content| hash.update(content));
        hex::encode(hash.finalize())
    }
}

impl Reader for Recording<'_> {
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        let content = self.inner.read(path)?;
        let mut record = self.read.borrow_mut();
        if record.known.insert(path.to_owned()) {
            record.hashes.push(Sha256::digest(&content).into());
        }
        Ok(content)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.inner.is_file(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.inner.is_folder(path)
    }

    fn follow_link(&self, path: &Path) -> Option<PathBuf> {
        self.inner.follow_link(path)
    }

    fn mode_and_owner(&self, path: &Path) -> Option<(u32, u32, u32)> {
        self.inner.mode_and_owner(path)
    }
}

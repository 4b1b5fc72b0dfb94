//! Reading files: the only door to the file system, so that tests and fuzzing feed memory instead.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// What loading asks of a file system.
pub trait Reader {
    /// The content of a file.
    ///
    /// # Errors
    /// What the file system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// True when there is a file (no folder) of this name.
    fn is_file(&self, path: &Path) -> bool;

    /// True when there is a folder of this name.
    fn is_folder(&self, path: &Path) -> bool;

    /// The path with its first symbolic link followed, when it has one (`develop.watch` asks).
    fn follow_link(&self, path: &Path) -> Option<PathBuf>;

    /// The mode (lower twelve bits), user and group of a file; `None` where that isn't known.
    fn mode_and_owner(&self, path: &Path) -> Option<(u32, u32, u32)>;
}

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

/// No file that Compose reads is longer, in bytes.
const FILE_BYTES_MAX: u64 = 8 << 20;

impl Reader for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        use io::Read as _;
        let mut content = Vec::new();
        let length = std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut content)?;
        if length as u64 > FILE_BYTES_MAX {
            let message = format!("it has more than {FILE_BYTES_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(content)
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn follow_link(&self, path: &Path) -> Option<PathBuf> {
        let mut prefixes: Vec<&Path> = path.ancestors().collect();
        prefixes.reverse();
        let link = prefixes.into_iter().find(|prefix| prefix.is_symlink())?;
        let rest = path.strip_prefix(link).ok()?;
        std::fs::canonicalize(link).ok().map(|target| target.join(rest))
    }

    fn mode_and_owner(&self, path: &Path) -> Option<(u32, u32, u32)> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.mode() & 0o7777, metadata.uid(), metadata.gid()))
    }
}

/// A file system with files over it that are not written yet.
#[derive(Clone)]
pub struct Overlay<'a> {
    /// The files, by absolute path.
    pub files: BTreeMap<PathBuf, String>,
    /// All else.
    pub below: &'a dyn Reader,
}

impl Reader for Overlay<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.files.get(path) {
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => self.below.read(path),
        }
    }

    fn is_file(&self, path: &Path) -> bool {
        self.files.contains_key(path) || self.below.is_file(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.below.is_folder(path)
    }

    fn follow_link(&self, path: &Path) -> Option<PathBuf> {
        self.below.follow_link(path)
    }

    fn mode_and_owner(&self, path: &Path) -> Option<(u32, u32, u32)> {
        self.below.mode_and_owner(path)
    }
}

/// Files in memory, by absolute path.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub BTreeMap<PathBuf, String>);

impl Memory {
    /// Files by name and content.
    pub fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self(files.into_iter().map(|(name, text)| (PathBuf::from(name), text.to_owned())).collect())
    }
}

impl Reader for Memory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "no such file or directory");
        self.0.get(path).map(|text| text.as_bytes().to_vec()).ok_or_else(missing)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.0.keys().any(|file| file != path && file.starts_with(path))
    }

    fn follow_link(&self, _: &Path) -> Option<PathBuf> {
        None
    }

    fn mode_and_owner(&self, _: &Path) -> Option<(u32, u32, u32)> {
        None
    }
}

//! Where the home is, and which file in it is what. One state directory serves one engine; each stack has a folder in it.

use super::error::HomeError;
use crate::model::names::StackName;
use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// The state directory: `EVENKEEL_STATE_DIR`, else `/var/lib/evenkeel` for root, else `evenkeel` in the user's state
/// directory (`XDG_STATE_HOME`, `~/.local/state`). Nothing is created.
pub fn state_dir() -> Result<PathBuf, HomeError> {
    let root = rustix::process::geteuid().is_root();
    let dir = choose(root, |name| std::env::var_os(name).map(PathBuf::from)).ok_or(HomeError::NoPlace)?;
    std::path::absolute(&dir).map_err(|source| HomeError::files(&dir, source))
}

fn choose(root: bool, variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.as_os_str().is_empty());
    set("EVENKEEL_STATE_DIR")
        .or_else(|| root.then(|| PathBuf::from("/var/lib/evenkeel")))
        .or_else(|| set("XDG_STATE_HOME").filter(|dir| dir.is_absolute()).map(|dir| dir.join("evenkeel")))
        .or_else(|| set("HOME").map(|home| home.join(".local/state/evenkeel")))
}

/// The files of one stack in the state directory.
#[derive(Clone, Debug)]
pub(super) struct StackFolder {
    state_dir: PathBuf,
    folder: PathBuf,
}

impl StackFolder {
    /// Takes the state directory and a stack's name; refuses a name that would lead elsewhere.
    pub(super) fn new(state_dir: &Path, stack: &StackName) -> Result<StackFolder, HomeError> {
        let name = stack.as_str();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
        if name.is_empty() || name.starts_with('.') || name.len() > 200 || !name.chars().all(plain) {
            return Err(HomeError::StackName { name: name.to_owned() });
        }
        Ok(StackFolder { state_dir: state_dir.to_owned(), folder: state_dir.join("stacks").join(name) })
    }

    /// Makes the folders that are missing, for their owner alone.
    pub(super) fn create(&self) -> Result<(), HomeError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(|source| HomeError::writing(&self.folder, source))
    }

    /// What is sealed is sealed with this, for all stacks.
    pub(super) fn key(&self) -> PathBuf {
        self.state_dir.join("key")
    }

    pub(super) fn database(&self) -> PathBuf {
        self.folder.join("home.db")
    }

    /// Held while the database is opened, upgraded or moved aside.
    pub(super) fn opening(&self) -> PathBuf {
        self.folder.join("opening")
    }

    /// Held by the one who changes the stack; says who that is.
    pub(super) fn lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// Held by those who wait for the lock.
    pub(super) fn waiting(&self) -> PathBuf {
        self.folder.join("waiting")
    }

    /// Written whenever a person wants something else of a service: see `Home::wanted`.
    pub(super) fn wanted(&self) -> PathBuf {
        self.folder.join("wanted")
    }

    /// Mounted by the engine: see `copies`.
    pub(super) fn copies(&self) -> PathBuf {
        self.folder.join("copies")
    }

    pub(super) fn state_dir(&self) -> &Path {
        &self.state_dir
    }
}

/// A path with an ending after its last part: `home.db` and `-wal` give `home.db-wal`.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(ending);
    PathBuf::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_set_says_where() {
        let choose = |root, set: &[(&str, &str)]| {
            let found = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value));
            choose(root, found).map(|path| path.display().to_string())
        };
        let all = [("EVENKEEL_STATE_DIR", "/srv/ek"), ("XDG_STATE_HOME", "/xdg"), ("HOME", "/home/ann")];
        assert_eq!(choose(true, &all).as_deref(), Some("/srv/ek"));
        assert_eq!(choose(true, &all[1..]).as_deref(), Some("/var/lib/evenkeel"));
        assert_eq!(choose(false, &all[1..]).as_deref(), Some("/xdg/evenkeel"));
        assert_eq!(choose(false, &all[2..]).as_deref(), Some("/home/ann/.local/state/evenkeel"));
        assert_eq!(choose(false, &[("EVENKEEL_STATE_DIR", ""), ("HOME", "")]), None);
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["", ".", "..", "../etc", "a/b", "a\0b", ".hidden", "a b"] {
            let folder = StackFolder::new(Path::new("/state"), &StackName::new(name));
            assert!(matches!(folder, Err(HomeError::StackName { .. })), "{name:?}");
        }
        let folder = StackFolder::new(Path::new("/state"), &"web-kit_2".into()).unwrap();
        assert_eq!(folder.database(), Path::new("/state/stacks/web-kit_2/home.db"));
    }
}

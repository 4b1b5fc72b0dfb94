//! Runs the binary in a folder of its own, with an environment of its own.

use std::{path::Path, process::Command};

/// A folder with files, gone with the value.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// Files by name and content.
    pub fn of(files: &[(&str, &str)]) -> Folder {
        let folder = Folder(tempfile::tempdir().expect("a temporary folder"));
        for (name, content) in files {
            let path = folder.path().join(name);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).expect("a folder in it");
            }
            std::fs::write(path, content).expect("a file in it");
        }
        folder
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The exit code, stdout and stderr of `evenkeel ARGUMENTS` as one text; the folder's path is written `DIR`.
    pub fn evenkeel(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("the binary runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&*self.path().to_string_lossy(), "DIR");
        let code = output.status.code().map_or("killed".to_owned(), |code| code.to_string());
        format!(
            "$ evenkeel {}\nexit {code}\n--- stdout\n{}--- stderr\n{}",
            arguments.join(" "),
            text(&output.stdout),
            text(&output.stderr)
        )
    }

    /// The command, not run yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("HOME", self.path()).env("EVENKEEL_STATE_DIR", self.path().join("home"));
        // No engine: what should not contact one must not need one.
        command.env("DOCKER_HOST", format!("unix://{}/no.sock", self.path().display()));
        command
    }
}

/// Runs in an empty folder.
pub fn evenkeel(arguments: &[&str]) -> String {
    Folder::of(&[]).evenkeel(arguments)
}

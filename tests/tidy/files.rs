//! The files of the package: what git tracks or would track, without what is built.

use std::{path::PathBuf, process::Command};

/// The package's folder.
pub fn root() -> PathBuf {
    // At run time, so that a binary built elsewhere checks the folder that it is run in.
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into())
}

/// Paths of files from the package's folder, with `/`, sorted. Without git: everything but `target` and hidden folders.
pub fn tracked() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root())
        .output()
        .ok()
        .filter(|output| output.status.success());
    let mut paths: Vec<String> = match listed {
        Some(output) => output
            .stdout
            .split(|byte| *byte == 0)
            .filter(|path| !path.is_empty())
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .filter(|path| root().join(path).is_file())
            .collect(),
        None => walk(""),
    };
    paths.sort();
    paths.dedup();
    paths
}

fn walk(folder: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let Ok(entries) = std::fs::read_dir(root().join(folder)) else { return paths };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && name != "target" && !name.starts_with('.') => paths.extend(walk(&path)),
            Ok(kind) if kind.is_file() => paths.push(path),
            _ => {}
        }
    }
    paths
}

/// Lines of tracked files that name this checkout's folder, or the one it lies in.
pub fn machine_paths() -> Vec<String> {
    let mut places = Vec::new();
    for place in [Some(root()), root().parent().map(PathBuf::from)].into_iter().flatten() {
        let depth = place.components().count();
        // `/tmp` or `/home` alone may be written anywhere.
        if depth > 2 {
            places.push(place.to_string_lossy().into_owned());
        }
    }
    let mut faults = Vec::new();
    for path in tracked() {
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place.as_str())) {
                faults.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    faults
}

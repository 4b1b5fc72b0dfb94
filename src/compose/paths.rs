//! Relative paths, `~`, and which fields hold paths.

use std::path::{Path as FilePath, PathBuf};

use super::path::Path;
use super::reader::Reader;
use super::yaml::{Fault, Faults, Node, Value};

/// A path without `.`, `..` and doubled slashes, as Go's `Clean` makes it; an empty one is `.`.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// A path in a folder; an absolute one stays.
pub(crate) fn join(folder: &FilePath, path: &str) -> PathBuf {
    if path.starts_with('/') {
        PathBuf::from(path)
    } else {
        PathBuf::from(clean(&format!("{}/{path}", folder.display())))
    }
}

/// The folder that relative paths are in, and the home of `~`.
pub(crate) struct Base<'a> {
    pub folder: &'a FilePath,
    pub home: Option<&'a str>,
    pub reader: &'a dyn Reader,
}

impl Base<'_> {
    /// Makes every path of a canonical model absolute.
    pub fn resolve(&self, node: &mut Node, faults: &mut Faults) {
        self.walk(node, &Path::root(), faults);
    }

    fn walk(&self, node: &mut Node, path: &Path<'_>, faults: &mut Faults) {
        match path.parts().as_slice() {
            ["services", _, "build", "context"] | ["services", _, "build", "additional_contexts", _] => {
                self.text(node, |text| self.context(text))
            }
            ["services", _, "env_file", _, "path"]
            | ["services", _, "label_file", _]
            | ["services", _, "extends", "file"] => {
                self.text(node, |text| self.plain(text));
            }
            ["services", _, "develop", "watch", _, "path"] => self.text(node, |text| {
                let path = self.plain(text);
                self.reader.follow_link(FilePath::new(&path)).map_or(path, |target| target.display().to_string())
            }),
            ["services", _, "build", "ssh", _] | ["configs" | "secrets", _, "file"] => {
                self.text(node, |text| self.host(text))
            }
            ["services", _, "volumes", _] => self.mount(node, faults),
            ["volumes", _] => self.volume(node),
            _ => match &mut node.value {
                Value::Map(map) => {
                    map.iter_mut().for_each(|(key, entry)| self.walk(&mut entry.node, &path.child(key), faults))
                }
                Value::Seq(items) => items
                    .iter_mut()
                    .enumerate()
                    .for_each(|(i, item)| self.walk(item, &path.child(&i.to_string()), faults)),
                _ => {}
            },
        }
    }

    fn text(&self, node: &mut Node, change: impl Fn(&str) -> String) {
        if let Value::String(text) = &mut node.value {
            *text = change(text);
        }
    }

    fn home(&self, path: &str) -> String {
        match (path.strip_prefix('~'), self.home) {
            (Some(rest), Some(home)) => clean(&format!("{home}/{rest}")),
            _ => path.to_owned(),
        }
    }

    /// An empty path stays empty.
    fn plain(&self, path: &str) -> String {
        let path = self.home(path);
        if path.is_empty() || path.starts_with('/') { path } else { join(self.folder, &path).display().to_string() }
    }

    /// A path of the engine's host, which may be Windows.
    fn host(&self, path: &str) -> String {
        let path = self.home(path);
        if path.starts_with('/') || is_windows(&path) { path } else { join(self.folder, &path).display().to_string() }
    }

    fn context(&self, context: &str) -> String {
        const REMOTE: [&str; 7] = ["https://", "http://", "git://", "ssh://", "github.com/", "git@", "service:"];
        let remote = context.contains("://") || REMOTE.iter().any(|prefix| context.starts_with(prefix));
        if remote { context.to_owned() } else { self.plain(context) }
    }

    fn mount(&self, node: &mut Node, faults: &mut Faults) {
        if node.get("type").and_then(Node::as_str) != Some("bind") {
            return;
        }
        match node.get_mut("source") {
            Some(source) if source.as_str().is_none() => {
                let message = format!("the source of a mount must be a string, found {}", source.kind());
                faults.push(Fault::at(&source.at, message).code("type"));
            }
            Some(source) => self.text(source, |text| self.host(text)),
            None => {
                let message = "invalid mount config for type \"bind\": field Source must not be empty";
                faults.push(Fault::at(&node.at, message).code("required"));
            }
        }
    }

    /// A volume of the local driver that is really a bind.
    fn volume(&self, node: &mut Node) {
        let local = node.get("driver").and_then(Node::as_str) == Some("local");
        let Some(options) = node.get_mut("driver_opts").filter(|_| local) else {
            return;
        };
        if options.get("o").and_then(Node::as_str) == Some("bind")
            && let Some(device) = options.get_mut("device")
        {
            self.text(device, |text| self.host(text));
        }
    }
}

/// True for what docker compose would fetch: a git repository or an artifact of a registry.
pub(crate) fn is_remote(path: &str) -> bool {
    path.contains("://") || path.starts_with("git@") || path.starts_with("github.com/")
}

/// `C:\x`, `C:/x` or `\\host\share\x`.
fn is_windows(path: &str) -> bool {
    let bytes = path.as_bytes();
    let drive = matches!(bytes, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    let share =
        path.strip_prefix("\\\\").is_some_and(|rest| rest.split('\\').filter(|part| !part.is_empty()).count() >= 2);
    drive || share
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (path, expected) in
            [("/a/../b//c/.", "/b/c"), ("", "."), ("../a/..", ".."), ("/..", "/"), ("a/./b", "a/b"), ("./", ".")]
        {
            assert_eq!(clean(path), expected, "{path}");
        }
    }
}

//! The short form of a mount: `[source:]target[:options]`.

use crate::compose::paths::clean;
use crate::compose::yaml::{Map, Node, Origin, Position, Value};

/// A mount read from its short form.
#[derive(Debug, Default)]
pub(crate) struct ShortMount {
    source: String,
    pub target: String,
    read_only: bool,
    nocopy: bool,
    propagation: String,
    selinux: String,
    /// A text of one or two characters is a target and nothing else.
    bare: bool,
}

/// Reads a short form.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse_mount(text: &str) -> Result<ShortMount, &'static str> {
    let mut mount = ShortMount::default();
    match text.len() {
        0 => return Err("invalid empty volume spec"),
        1 | 2 => {
            return Ok(ShortMount { target: text.to_owned(), bare: true, ..mount });
        }
        _ => {}
    }
    let parts = sections(text);
    for (index, part) in parts.iter().enumerate() {
        let last = index + 1 == parts.len();
        if part.is_empty() {
            return Err("empty section between colons");
        }
        if mount.source.is_empty() && !last {
            mount.source.clone_from(part);
        } else if mount.target.is_empty() {
            mount.target.clone_from(part);
        } else if !last {
            return Err("too many colons");
        } else {
            part.split(',').for_each(|option| mount.option(option));
        }
    }
    Ok(mount)
}

/// Cuts at colons, but not behind the letter of a Windows drive and not in a `${…}`.
fn sections(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let drive = |part: &String| part.chars().count() == 1 && part.starts_with(char::is_alphabetic);
        match c {
            '$' if characters.peek() == Some(&'{') => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ':' if depth == 0 && !parts.last().is_some_and(drive) => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

impl ShortMount {
    fn option(&mut self, option: &str) {
        match option {
            "ro" => self.read_only = true,
            "rw" => self.read_only = false,
            "nocopy" => self.nocopy = true,
            "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => {
                option.clone_into(&mut self.propagation)
            }
            "z" | "Z" => option.clone_into(&mut self.selinux),
            // docker compose ignores what it does not know.
            _ => {}
        }
    }

    /// The long form.
    pub fn node(&self, at: &Position, origin: Origin) -> Node {
        let text = |value: &str| Node::string(value, at.clone()).from_origin(origin);
        let flag = || Node::new(Value::Bool(true), at.clone());
        let bind = is_host_path(&self.source);
        let mut node = Node::map(at, [("type", Node::string(if bind { "bind" } else { "volume" }, at.clone()))]);
        if !self.source.is_empty() {
            node.set("source", text(&self.source));
        }
        node.set("target", text(&clean(&self.target)));
        if self.read_only {
            node.set("read_only", flag());
        }
        let mut options = Node::new(Value::Map(Map::new()), at.clone());
        for (key, value) in [("propagation", &self.propagation), ("selinux", &self.selinux)] {
            if !value.is_empty() {
                options.set(key, text(value));
            }
        }
        if bind {
            options.set("create_host_path", flag());
        }
        if bind || !self.propagation.is_empty() || !self.selinux.is_empty() {
            node.set("bind", options);
        }
        if self.nocopy || !bind && !self.bare {
            let mut options = Node::new(Value::Map(Map::new()), at.clone());
            if self.nocopy {
                options.set("nocopy", flag());
            }
            node.set("volume", options);
        }
        node
    }
}

/// A path of the host, not the name of a volume.
fn is_host_path(source: &str) -> bool {
    let mut characters = source.chars();
    let first = characters.next();
    matches!(first, Some('.' | '/' | '~'))
        || source.starts_with("\\\\")
        || first.is_some_and(char::is_alphabetic) && characters.next() == Some(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told() {
        for (text, message) in [
            ("ab::b", "empty section"),
            ("/a:/b:ro:x", "too many colons"),
            ("", "invalid empty"),
            (":/a", "empty section"),
        ] {
            assert!(parse_mount(text).unwrap_err().starts_with(message), "{text}");
        }
    }

    #[test]
    fn windows_drives_are_no_separators() {
        let mount = parse_mount("C:\\data:/data:ro").unwrap();
        assert_eq!((mount.source.as_str(), mount.target.as_str(), mount.read_only), ("C:\\data", "/data", true));
    }
}

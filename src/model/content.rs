//! The content of mounted files (configs, secrets, read-only bound files), whose change rolls a service.

use super::value::{Salt, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One mounted file whose content counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// The path in the container.
    pub target: String,
    /// The path on the host, where it is a file there; else it is written into the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// SHA-256 (hex) of the content.
    pub sha256: String,
    /// The content itself, base64; always sensitive. Kept so that a rollback can have it back.
    pub bytes: Value,
    /// Who may use the file; absent where that isn't known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Permissions>,
}

/// Who may use a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    /// The lower twelve bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

/// The label that says which contents a container was made with: `1:<salt>:<HMAC-SHA-256(salt, sorted list)>`. It can be
/// checked without the home, and gives away nothing. `None` where nothing is mounted.
pub fn label(salt: &Salt, contents: &[Content]) -> Option<String> {
    (!contents.is_empty()).then(|| format!("1:{}:{}", salt.as_str(), salt.digest(sorted_list(contents).as_bytes())))
}

/// Whether a container's label says these contents. A container without one (adopted) counts as unchanged.
pub fn matches(observed: Option<&str>, contents: &[Content]) -> bool {
    let Some(observed) = observed else {
        return true;
    };
    let mut parts = observed.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("1"), Some(salt), Some(digest)) => Salt::new(salt).digest(sorted_list(contents).as_bytes()) == digest,
        _ => false,
    }
}

fn sorted_list(contents: &[Content]) -> String {
    // Who may use a file that is written into the container is part of what it was made with.
    let rights = |content: &Content| match (&content.source, content.permissions) {
        (None, Some(Permissions { mode, uid, gid })) => format!(" {mode:o} {uid}:{gid}"),
        _ => String::new(),
    };
    let line = |content: &Content| format!("{} {}{}\n", content.target, content.sha256, rights(content));
    let mut lines: Vec<String> = contents.iter().map(line).collect();
    lines.sort();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(target: &str, sha256: &str) -> Content {
        let bytes = Value::sensitive("");
        Content { target: target.into(), source: None, sha256: sha256.into(), bytes, permissions: None }
    }

    #[test]
    fn a_label_matches_the_contents_it_was_made_from_and_no_others() {
        let contents = [content("/b", "22"), content("/a", "11")];
        let label = label(&Salt::new("5a17"), &contents).unwrap();
        assert!(matches(Some(&label), &[content("/a", "11"), content("/b", "22")]));
        assert!(!matches(Some(&label), &[content("/a", "11"), content("/b", "23")]));
        assert!(matches(None, &contents), "an adopted container counts as unchanged");
    }
}

//! The keys that lead to a node while a tree is walked; rules match on them as slices.

use std::fmt;

/// A path from the root of a tree; list items are under their index.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    key: &'a str,
    depth: usize,
}

/// No rule looks deeper.
const DEPTH_MAX: usize = 9;

impl<'a> Path<'a> {
    /// The root.
    pub fn root() -> Self {
        Self { parent: None, key: "", depth: 0 }
    }

    /// One key further.
    pub fn child(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), key, depth: self.depth + 1 }
    }

    /// All keys from the root; none for a path deeper than any rule.
    pub fn parts(&self) -> Vec<&str> {
        if self.depth > DEPTH_MAX { Vec::new() } else { self.keys() }
    }

    /// All keys from the root.
    pub fn keys(&self) -> Vec<&str> {
        let mut parts = vec![""; self.depth];
        let mut path = self;
        while let Some(parent) = path.parent {
            parts[path.depth - 1] = path.key;
            path = parent;
        }
        parts
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.keys().join("."))
    }
}

//! `!reset` and `!override`: which fields of earlier files are taken away before this one is merged.

use super::path::Path;
use super::yaml::{Mark, Node, Value};

/// The paths that a file resets or overrides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resets(Vec<Vec<String>>);

impl Resets {
    /// Takes the `!reset` nodes out of a tree and remembers where they, and the `!override` ones, were.
    pub fn take(node: &mut Node) -> Self {
        let mut resets = Self::default();
        resets.walk(node, &mut Vec::new());
        resets
    }

    fn walk(&mut self, node: &mut Node, path: &mut Vec<String>) {
        match &mut node.value {
            Value::Map(map) => {
                map.retain(|key, entry| {
                    path.push(key.clone());
                    let keep = self.keep(&mut entry.node, path);
                    path.pop();
                    keep
                });
            }
            // An item of a list can be left out, but not taken away from an earlier file.
            Value::Seq(items) => {
                let mut index = 0_usize;
                items.retain_mut(|item| {
                    path.push(format!("[{index}]"));
                    let keep = self.keep(item, path);
                    path.pop();
                    index += 1;
                    keep
                });
            }
            _ => {}
        }
    }

    fn keep(&mut self, node: &mut Node, path: &mut Vec<String>) -> bool {
        match node.mark {
            Mark::Reset => {
                self.0.push(path.clone());
                false
            }
            Mark::Override => {
                self.0.push(path.clone());
                true
            }
            _ => {
                self.walk(node, path);
                true
            }
        }
    }

    /// Takes the remembered fields out of an earlier model, or of the part of it at `at`.
    pub fn apply(&self, node: &mut Node, at: &Path<'_>) {
        let prefix = at.keys();
        for path in &self.0 {
            let inside = path.len() > prefix.len() && path.iter().zip(&prefix).all(|(a, b)| a == b);
            if inside {
                remove(node, &path[prefix.len()..]);
            }
        }
    }
}

fn remove(node: &mut Node, path: &[String]) {
    match path {
        [] => {}
        [key] => {
            if let Some(map) = node.as_map_mut() {
                map.remove(key);
            }
        }
        [key, rest @ ..] => {
            if let Some(inner) = node.get_mut(key) {
                remove(inner, rest);
            }
        }
    }
}

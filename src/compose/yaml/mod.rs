//! YAML with positions: text in, a tree of [`Node`]s out, each key and value knowing its file, line and column.
//!
//! The text becomes tokens, the tokens events, the events the tree, by the rules of docker compose's library, so that what
//! one refuses the other does. Anchors, aliases and `<<` are resolved here; `!reset` and `!override` are kept as a [`Mark`] for whoever merges.
//! Scalars follow YAML 1.2 as docker compose's library reads it (`yes` is text, `017` is fifteen, `1_000` a thousand).
//! Any input ends within the limits below: no panic, no bomb. This module must know nothing of Compose or the manifest.

mod cursor;
mod events;
mod fault;
mod merge_keys;
mod node;
mod parse;
mod scalar;
mod token_text;
mod tokens;

pub use fault::{Fault, Faults};
pub use node::{Entry, Map, Mark, Node, Origin, Position, SourceFile, Value};
pub use scalar::{go_date, go_float, plain_is_text};

use std::sync::Arc;

/// The longest text that is read, in bytes. Real Compose files are a hundredth of it.
pub const TEXT_BYTES_MAX: usize = 4 << 20;

/// How much one file may grow to once its aliases are copied out, in bytes (a node counts as 128 and its text).
pub const TREE_BYTES_MAX: usize = 32 << 20;

/// How deep collections may be in each other, aliases put in.
pub const DEPTH_MAX: usize = 256;

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// Reads a text of one document.
///
/// `name` is how faults name the file. An empty text is a null node at its start.
///
/// # Errors
/// The first fault that makes the text unreadable, duplicate keys and more than one document included.
pub fn parse(name: &str, text: &str) -> Result<Node, Fault> {
    let file = Arc::new(SourceFile::new(name, text));
    let mut documents = parse::documents(&file)?;
    if let Some(second) = documents.get(1) {
        return Err(Fault::at(&second.at, "expected one document, found another one here"));
    }
    Ok(documents.pop().unwrap_or_else(|| Node::null(Position::start(&file))))
}

/// Reads every document of a text, in order; none for a text without content.
///
/// # Errors
/// As [`parse`], but several documents are fine.
pub fn parse_all(name: &str, text: &str) -> Result<Vec<Node>, Fault> {
    parse::documents(&Arc::new(SourceFile::new(name, text)))
}

#[cfg(test)]
mod tests;

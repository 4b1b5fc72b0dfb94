//! Which variables a file uses: what `config --variables` lists.

use std::collections::BTreeMap;

use super::{Piece, Pieces};
use crate::compose::yaml::{Node, Value};

/// A variable of a Compose file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// True for `?` and `:?`.
    pub required: bool,
    /// What stands for it when it is not set.
    pub default: String,
    /// What stands for it when it is set (`+`).
    pub presence: String,
}

/// Adds every variable of a tree, those in defaults included.
pub(crate) fn collect(node: &Node, out: &mut BTreeMap<String, Variable>) {
    match &node.value {
        Value::String(text) => of_text(text, out, 0),
        Value::Seq(items) => items.iter().for_each(|item| collect(item, out)),
        Value::Map(map) => map.values().for_each(|entry| collect(&entry.node, out)),
        _ => {}
    }
}

fn of_text(text: &str, out: &mut BTreeMap<String, Variable>, depth: usize) {
    if depth > super::DEPTH_MAX {
        return;
    }
    for piece in Pieces::new(text) {
        let (name, operator, operand) = match piece {
            Piece::Variable(name) => (name, "", ""),
            Piece::Operation { name, operator, operand } => (name, operator.trim_start_matches(':'), operand),
            _ => continue,
        };
        let value = |wanted: &str| {
            if operator == wanted { operand.to_owned() } else { String::new() }
        };
        let variable =
            Variable { name: name.to_owned(), required: operator == "?", default: value("-"), presence: value("+") };
        out.insert(name.to_owned(), variable);
        if operator == "-" || operator == "+" {
            of_text(operand, out, depth + 1);
        }
    }
}

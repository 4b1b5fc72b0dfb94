//! `<<`: the fields of other mappings, under those that a mapping has itself.

use super::fault::Fault;
use super::node::{Map, Mark, Node, Value};

/// Puts the fields of what `<<` names under `own`; of a list, earlier mappings win.
pub(super) fn apply(own: &mut Map, source: Node) -> Result<(), Fault> {
    match source.value {
        Value::Map(fields) => add(own, fields),
        Value::Seq(items) => {
            for item in items {
                let at = item.at.clone();
                let Value::Map(fields) = item.value else {
                    return Err(refused(&at));
                };
                add(own, fields);
            }
        }
        _ => return Err(refused(&source.at)),
    }
    Ok(())
}

fn add(own: &mut Map, fields: Map) {
    for (key, mut entry) in fields {
        match own.get(&key) {
            None => {}
            // `!reset` takes away what earlier files say; of this file only the line that it stands on.
            Some(known) if known.node.mark == Mark::Reset && entry.node.mark != Mark::Reset => {
                entry.node.mark = Mark::Override;
            }
            Some(_) => continue,
        }
        own.insert(key, entry);
    }
}

fn refused(at: &super::node::Position) -> Fault {
    Fault::at(at, "map merge requires a mapping or a list of mappings as the value")
}

//! `<<`: the fields of other mappings, under those that a mapping has itself.

use super::fault::Fault;
use super::node::{Map, Node, Value};

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
    for (key, entry) in fields {
        own.entry(key).or_insert(entry);
    }
}

fn refused(at: &super::node::Position) -> Fault {
    Fault::at(at, "map merge requires a mapping or a list of mappings as the value")
}

//! Which fields exist and what they accept: the Compose Specification's rules, checked on the merged tree so that every
//! fault has its position.

mod deploy;
mod nested;
mod parts;
mod repeats;
mod rules;
#[cfg(test)]
pub(crate) mod sample;
mod service;

use rules::{Object, Rule};

use super::path::Path;
use super::yaml::{Fault, Faults, Map, Mark, Node, Value};

/// Checks a whole Compose file, merged with those before it.
pub(crate) fn check(node: &Node, faults: &mut Faults) {
    Check { faults }.node(node, &parts::FILE, &Path::root());
}

struct Check<'a> {
    faults: &'a mut Faults,
}

impl Check<'_> {
    fn node(&mut self, node: &Node, rule: &Rule, path: &Path<'_>) {
        match rule {
            Rule::Any => {}
            Rule::Scalar(_) | Rule::Range(..) | Rule::Words(_) | Rule::Text(..) => self.scalar(node, rule, path),
            Rule::List { item, unique } => self.list(node, rule, item, *unique, path),
            Rule::Object(object) => match &node.value {
                Value::Map(map) => self.object(node, map, object, path),
                _ => self.wrong_kind(node, rule, path),
            },
            Rule::Dict { key, value, open } => match &node.value {
                Value::Map(map) => self.dict(map, *key, value, *open, path),
                _ => self.wrong_kind(node, rule, path),
            },
            Rule::OneOf(rules) => match rules.iter().find(|rule| rule.takes(node)) {
                Some(rule) => self.node(node, rule, path),
                None => self.wrong_kind(node, rule, path),
            },
        }
    }

    fn scalar(&mut self, node: &Node, rule: &Rule, path: &Path<'_>) {
        if !rule.takes(node) {
            return self.wrong_kind(node, rule, path);
        }
        match (rule, &node.value) {
            (Rule::Range(least, most), Value::Int(_) | Value::Float(_)) => self.range(node, *least, *most, path),
            (Rule::Words(words), Value::String(text)) if !words.contains(&text.as_str()) => {
                let list: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
                self.fault(node, path, &format!("must be one of {}, not `{text}`", list.join(", ")));
            }
            (Rule::Text(fits, what), Value::String(text)) if !fits(text) => {
                self.fault(node, path, &format!("must be {what}, not `{text}`"));
            }
            _ => {}
        }
    }

    fn range(&mut self, node: &Node, least: f64, most: f64, path: &Path<'_>) {
        let number = match node.value {
            #[expect(clippy::cast_precision_loss, reason = "no limit has that many digits")]
            Value::Int(value) => value as f64,
            Value::Float(value) => value,
            _ => return,
        };
        if number < least {
            self.fault(node, path, &format!("must be greater than or equal to {least}"));
        } else if number > most {
            self.fault(node, path, &format!("must be less than or equal to {most}"));
        }
    }

    fn list(&mut self, node: &Node, rule: &Rule, item: &Rule, unique: bool, path: &Path<'_>) {
        let Some(items) = node.as_seq() else {
            return self.wrong_kind(node, rule, path);
        };
        for (index, node) in items.iter().enumerate() {
            self.node(node, item, &path.child(&index.to_string()));
        }
        for index in if unique { repeats::of(items) } else { Vec::new() } {
            self.fault(&items[index], &path.child(&index.to_string()), "is a repetition of an earlier item");
        }
    }

    fn object(&mut self, node: &Node, map: &Map, object: &Object, path: &Path<'_>) {
        for (key, entry) in map {
            match object.fields.iter().find(|(name, _)| name == key) {
                Some((_, rule)) => self.node(&entry.node, rule, &path.child(key)),
                None if object.open || object.extensions && key.starts_with("x-") => {}
                None => self.unknown(key, entry, object, path),
            }
        }
        for name in object.required.iter().filter(|name| !map.contains_key(**name)) {
            self.fault(node, path, &format!("lacks the field '{name}'"));
        }
    }

    fn unknown(&mut self, key: &str, entry: &super::yaml::Entry, object: &Object, path: &Path<'_>) {
        if self.faults.is_full() {
            return;
        }
        let place = if path.keys().is_empty() { "the file".to_owned() } else { path.to_string() };
        let fault = Fault::at(&entry.key_at, format!("unknown field '{key}' in {place}")).code("unknown-field");
        // No field is longer than this, so a longer key is near to none.
        const KEY_BYTES_MAX: usize = 32;
        let names = object.fields.iter().filter(|_| key.len() <= KEY_BYTES_MAX);
        let near = names.map(|(name, _)| (strsim::damerau_levenshtein(name, key), *name)).min();
        self.faults.push(match near {
            Some((distance, name)) if distance <= 2 && distance < key.chars().count() => {
                fault.hint(format!("did you mean '{name}'?"))
            }
            _ => fault,
        });
    }

    fn dict(&mut self, map: &Map, fits: fn(&str) -> bool, value: &Rule, open: bool, path: &Path<'_>) {
        for (key, entry) in map {
            if fits(key) {
                self.node(&entry.node, value, &path.child(key));
            } else if !open {
                let message = format!("'{key}' is no valid name in {path}");
                self.faults
                    .push(Fault::at(&entry.key_at, message).code("name").hint("use letters, digits, '.', '_' and '-'"));
            }
        }
    }

    fn wrong_kind(&mut self, node: &Node, rule: &Rule, path: &Path<'_>) {
        let mut kinds = Vec::new();
        rule.kinds(&mut kinds);
        let list = match kinds.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => kinds.concat(),
        };
        let article = if list.starts_with('i') { "an" } else { "a" };
        let message = format!("{path} must be {article} {list}, found {}", node.kind());
        let fault = Fault::at(&node.at, message).code("type");
        let date = node.mark == Mark::Timestamp;
        self.faults.push(if date { fault.hint("write the date in quotes") } else { fault });
    }

    fn fault(&mut self, node: &Node, path: &Path<'_>, what: &str) {
        let place = if path.keys().is_empty() { "the file".to_owned() } else { path.to_string() };
        self.faults.push(Fault::at(&node.at, format!("{place} {what}")).code("schema"));
    }
}

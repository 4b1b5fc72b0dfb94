//! Commands and other lists of texts.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::compose::project::record::{Field, Form, Reading};
use crate::compose::shell_words;
use crate::compose::text::Text;
use crate::compose::yaml::{Node, Value};

/// A command: `None` is what the image says, an empty list clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command(pub Option<Vec<Text>>);

impl Field for Command {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        match &node.value {
            Value::String(line) => match shell_words::split(line) {
                Ok(words) => Self(Some(words.into_iter().map(|word| Text::new(word, node.origin)).collect())),
                Err(message) => {
                    reading.refuse(node, &format!("has an {message}"));
                    Self(None)
                }
            },
            Value::Seq(_) => Self(Some(Vec::read(node, reading))),
            _ => Self(None),
        }
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, form: Form) -> bool {
        form == Form::Yaml && self.0.is_none()
    }
}

/// A healthcheck's test: `CMD`, `CMD-SHELL` or `NONE` and what follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthTest(pub Vec<Text>);

impl Field for HealthTest {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        match &node.value {
            Value::String(line) => Self(vec![Text::literal("CMD-SHELL"), Text::new(line.as_str(), node.origin)]),
            _ => Self(Vec::read(node, reading)),
        }
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
    }
}

/// A text, or several (`dns`, `tmpfs`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StringList(pub Vec<String>);

impl Field for StringList {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        match &node.value {
            Value::String(text) => Self(vec![text.clone()]),
            _ => Self(Vec::read(node, reading)),
        }
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
    }
}

/// Texts or numbers, all kept as text (`expose`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(pub Vec<String>);

impl Field for Numbers {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        let Some(items) = node.as_seq() else {
            return Self(StringList::read(node, reading).0);
        };
        Self(items.iter().map(|item| item.print().unwrap_or_default()).collect())
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
    }
}

/// Options of a provider: each name with one or more texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MultiOptions(pub BTreeMap<String, Vec<Text>>);

impl Field for MultiOptions {
    fn read(node: &Node, _: &mut Reading) -> Self {
        let mut out = BTreeMap::new();
        for (name, entry) in node.as_map().into_iter().flatten() {
            let items = entry.node.as_seq().unwrap_or(std::slice::from_ref(&entry.node));
            let texts = items.iter().map(|item| Text::new(item.print_any(), item.origin));
            out.insert(name.clone(), texts.collect());
        }
        Self(out)
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
    }
}

//! The words in which the schema is written: what a node may be.

use crate::compose::yaml::{Mark, Node, Value};

/// What a node may be.
pub(super) enum Rule {
    /// Anything.
    Any,
    /// A scalar of one of these kinds.
    Scalar(&'static [Kind]),
    /// A whole number between two, or a text.
    Range(f64, f64),
    /// One of these words.
    Words(&'static [&'static str]),
    /// A text that fits, and what such a text is called.
    Text(fn(&str) -> bool, &'static str),
    /// A list.
    List { item: &'static Rule, unique: bool },
    /// A mapping with known fields.
    Object(&'static Object),
    /// A mapping whose keys the user names; `open` leaves other keys unchecked.
    Dict { key: fn(&str) -> bool, value: &'static Rule, open: bool },
    /// The first that takes the node's kind.
    OneOf(&'static [Rule]),
}

/// A mapping with known fields.
pub(super) struct Object {
    pub fields: &'static [(&'static str, Rule)],
    pub required: &'static [&'static str],
    /// Fields that begin with `x-` are allowed.
    pub extensions: bool,
    /// Any other field is allowed.
    pub open: bool,
}

/// The kinds of scalars.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Int,
    Number,
    Text,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "boolean",
            Self::Int => "integer",
            Self::Number => "number",
            Self::Text => "string",
        }
    }

    fn takes(self, node: &Node) -> bool {
        match (&node.value, self) {
            (Value::Null, Self::Null) | (Value::Bool(_), Self::Bool) | (Value::Int(_), Self::Int | Self::Number) => {
                true
            }
            (Value::Float(value), Self::Int) => value.fract() == 0.0,
            (Value::Float(_), Self::Number) => true,
            (Value::String(_), Self::Text) => node.mark != Mark::Timestamp,
            _ => false,
        }
    }
}

impl Rule {
    /// True when the node is of a kind that the rule is about.
    pub fn takes(&self, node: &Node) -> bool {
        match self {
            Self::Any => true,
            Self::Scalar(kinds) => kinds.iter().any(|kind| kind.takes(node)),
            Self::Range(..) => [Kind::Int, Kind::Text].iter().any(|kind| kind.takes(node)),
            Self::Words(_) | Self::Text(..) => Kind::Text.takes(node),
            Self::List { .. } => node.as_seq().is_some(),
            Self::Object(_) | Self::Dict { .. } => node.as_map().is_some(),
            Self::OneOf(rules) => rules.iter().any(|rule| rule.takes(node)),
        }
    }

    /// The words for those kinds.
    pub fn kinds(&self, out: &mut Vec<&'static str>) {
        match self {
            Self::Any => {}
            Self::Scalar(kinds) => out.extend(kinds.iter().map(|kind| kind.word())),
            Self::Range(..) => out.extend(["integer", "string"]),
            Self::Words(_) | Self::Text(..) => out.push("string"),
            Self::List { .. } => out.push("list"),
            Self::Object(_) | Self::Dict { .. } => out.push("mapping"),
            Self::OneOf(rules) => rules.iter().for_each(|rule| rule.kinds(out)),
        }
    }
}

pub(super) const TEXT: Rule = Rule::Scalar(&[Kind::Text]);
pub(super) const FLAG: Rule = Rule::Scalar(&[Kind::Bool, Kind::Text]);
pub(super) const BOOL: Rule = Rule::Scalar(&[Kind::Bool]);
pub(super) const NUMBER: Rule = Rule::Scalar(&[Kind::Number]);
pub(super) const NUMBER_OR_TEXT: Rule = Rule::Scalar(&[Kind::Number, Kind::Text]);
pub(super) const INT: Rule = Rule::Scalar(&[Kind::Int]);
pub(super) const INT_OR_TEXT: Rule = Rule::Scalar(&[Kind::Int, Kind::Text]);
pub(super) const NULL: Rule = Rule::Scalar(&[Kind::Null]);
pub(super) const ANY_SCALAR: Rule = Rule::Scalar(&[Kind::Text, Kind::Number, Kind::Bool, Kind::Null]);
pub(super) const TEXTS: Rule = Rule::List { item: &TEXT, unique: false };
pub(super) const UNIQUE_TEXTS: Rule = Rule::List { item: &TEXT, unique: true };
pub(super) const TEXT_OR_TEXTS: Rule = Rule::OneOf(&[TEXT, UNIQUE_TEXTS]);
pub(super) const NUMBERS: Rule = Rule::List { item: &NUMBER_OR_TEXT, unique: true };
/// A mapping of scalars, or a list of texts.
pub(super) const PAIRS: Rule =
    Rule::OneOf(&[Rule::Dict { key: filled, value: &ANY_SCALAR, open: false }, UNIQUE_TEXTS]);
/// Options of a driver.
pub(super) const OPTIONS: Rule = Rule::Dict { key: filled, value: &NUMBER_OR_TEXT, open: true };

/// A mapping with fields, extensions allowed, nothing required.
pub(super) const fn fields(fields: &'static [(&'static str, Rule)]) -> Object {
    Object { fields, required: &[], extensions: true, open: false }
}

/// The same without extensions.
pub(super) const fn closed(fields: &'static [(&'static str, Rule)], required: &'static [&'static str]) -> Object {
    Object { fields, required, extensions: false, open: false }
}

/// A mapping with fields, extensions allowed, some required.
pub(super) const fn needing(fields: &'static [(&'static str, Rule)], required: &'static [&'static str]) -> Object {
    Object { fields, required, extensions: true, open: false }
}

/// Any key that is not empty.
pub(super) fn filled(key: &str) -> bool {
    !key.is_empty()
}

/// A name of a service, network, volume, secret, config or model.
pub(super) fn name(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

//! How typed fields are read from the tree and written back in docker compose's form: one trait, and the macro that
//! lists a record's keys once, in the order in which docker compose writes them.

use std::collections::BTreeMap;

use serde_json::{Map as JsonMap, Number, Value as Json};

use crate::compose::natural_order;
use crate::compose::text::Text;
use crate::compose::yaml::{Fault, Faults, Mark, Node, Value, go_date};

/// The fields that begin with `x-`, as they are written.
pub type Extensions = BTreeMap<String, Json>;

/// The two forms in which docker compose writes a model; they leave out different empty things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `--format json` and the config hash.
    Json,
    /// `--format yaml`: no zero structures, no unset commands, extensions written.
    Yaml,
}

/// What goes wrong while reading, and where in the model the reading is.
#[derive(Default)]
pub(crate) struct Reading {
    pub faults: Faults,
    path: Vec<String>,
}

impl Reading {
    /// Reads a part under a key.
    pub fn under<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(key.to_owned());
        let value = read(self);
        self.path.pop();
        value
    }

    /// A value that does not fit its field.
    pub fn refuse(&mut self, node: &Node, what: &str) {
        self.faults.push(Fault::at(&node.at, format!("{} {what}", self.path.join("."))).code("type"));
    }
}

/// A value of a field.
pub(crate) trait Field: Sized + Default {
    /// Reads it from a node that is not null (null is the default).
    fn read(node: &Node, reading: &mut Reading) -> Self;
    /// Writes it, empty or not.
    fn tree(&self, form: Form) -> Json;
    /// True when a record leaves it out.
    fn is_unset(&self, form: Form) -> bool;
}

/// Reads a field that may be null.
pub(crate) fn read_or_default<T: Field>(node: &Node, reading: &mut Reading) -> T {
    if node.is_null() { T::default() } else { T::read(node, reading) }
}

/// Defines a record: its public struct, how it is read, how it is written.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$doc:meta])* $key:literal => $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
            /// The fields that begin with `x-`.
            pub extensions: $crate::compose::project::Extensions,
        }

        impl $crate::compose::project::record::Field for $name {
            fn read(node: &$crate::compose::yaml::Node, reading: &mut $crate::compose::project::record::Reading) -> Self {
                let Some(map) = node.as_map() else {
                    reading.refuse(node, "must be a mapping");
                    return Self::default();
                };
                let mut record = Self::default();
                $(if let Some(entry) = map.get($key) {
                    record.$field = reading.under($key, |r| $crate::compose::project::record::read_or_default(&entry.node, r));
                })*
                record.extensions = $crate::compose::project::record::extensions(map);
                record
            }

            fn tree(&self, form: $crate::compose::project::record::Form) -> serde_json::Value {
                let mut out = serde_json::Map::new();
                $(if !$crate::compose::project::record::Field::is_unset(&self.$field, form) {
                    out.insert($key.to_owned(), $crate::compose::project::record::Field::tree(&self.$field, form));
                })*
                $crate::compose::project::record::write_extensions(&mut out, &self.extensions, form);
                serde_json::Value::Object(out)
            }

            fn is_unset(&self, form: $crate::compose::project::record::Form) -> bool {
                form == $crate::compose::project::record::Form::Yaml && *self == Self::default()
            }
        }
    };
}
pub(crate) use record;

/// The `x-` fields of a mapping.
pub(crate) fn extensions(map: &crate::compose::yaml::Map) -> Extensions {
    map.iter()
        .filter(|(key, _)| key.starts_with("x-"))
        .map(|(key, entry)| (key.clone(), untyped(&entry.node)))
        .collect()
}

/// Adds the `x-` fields where the form has them.
pub(crate) fn write_extensions(out: &mut JsonMap<String, Json>, extensions: &Extensions, form: Form) {
    if form == Form::Yaml {
        let fields = extensions.iter().map(|(key, value)| (key.clone(), ordered(value)));
        out.extend(natural_order::sort(fields.collect()));
    }
}

/// The same tree with its mappings in the order of the YAML form.
pub(crate) fn ordered(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(ordered).collect(),
        Json::Object(map) => {
            let fields = map.iter().map(|(key, value)| (key.clone(), ordered(value)));
            Json::Object(natural_order::sort(fields.collect()).into_iter().collect())
        }
        scalar => scalar.clone(),
    }
}

/// A tree without types, as JSON; a float that JSON does not have is its text.
pub(crate) fn untyped(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => {
            let number = || Number::from_f64(*value).map_or_else(|| Json::from(value.to_string()), Json::Number);
            node.beyond_int().map_or_else(number, Json::from)
        }
        Value::String(text) if node.mark == Mark::Timestamp => Json::from(go_date(text)),
        Value::String(text) => Json::from(text.as_str()),
        Value::Seq(items) => items.iter().map(untyped).collect(),
        Value::Map(map) => Json::Object(map.iter().map(|(key, entry)| (key.clone(), untyped(&entry.node))).collect()),
    }
}

impl Field for String {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        match &node.value {
            Value::String(text) => text.clone(),
            Value::Int(value) => value.to_string(),
            _ => {
                reading.refuse(node, "must be a string");
                Self::default()
            }
        }
    }

    fn tree(&self, _: Form) -> Json {
        Json::from(self.as_str())
    }

    fn is_unset(&self, _: Form) -> bool {
        self.is_empty()
    }
}

impl Field for Text {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        Self::new(String::read(node, reading), node.origin)
    }

    fn tree(&self, _: Form) -> Json {
        Json::from(self.as_str())
    }

    fn is_unset(&self, _: Form) -> bool {
        self.value.is_empty()
    }
}

impl Field for bool {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        match &node.value {
            Value::Bool(value) => *value,
            Value::String(text) => crate::compose::interpolate::boolean(text).unwrap_or_else(|| {
                reading.refuse(node, &format!("is an invalid boolean: {text}"));
                false
            }),
            _ => {
                reading.refuse(node, "must be a boolean");
                false
            }
        }
    }

    fn tree(&self, _: Form) -> Json {
        Json::Bool(*self)
    }

    fn is_unset(&self, _: Form) -> bool {
        !*self
    }
}

/// A whole number as docker compose reads it for a signed field: fractions are cut, text is parsed; what does not fit
/// becomes what Go makes of it.
fn whole(node: &Node, reading: &mut Reading) -> i64 {
    // The first number beyond, on either side.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    match &node.value {
        Value::Int(value) => return *value,
        Value::Float(value) => {
            let fits = (-BEYOND..BEYOND).contains(value);
            #[expect(clippy::cast_possible_truncation, reason = "the fraction is cut on purpose")]
            let cut = if fits { *value as i64 } else { i64::MIN };
            return node.beyond_int().map_or(cut, u64::cast_signed);
        }
        Value::String(text) => {
            if let Ok(value) = text.parse() {
                return value;
            }
        }
        _ => {}
    }
    reading.refuse(node, "must be an integer");
    0
}

impl Field for i64 {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        whole(node, reading)
    }

    fn tree(&self, _: Form) -> Json {
        Json::from(*self)
    }

    fn is_unset(&self, _: Form) -> bool {
        *self == 0
    }
}

macro_rules! unsigned {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn read(node: &Node, reading: &mut Reading) -> Self {
                let negative = match node.value {
                    Value::Int(value) => value < 0,
                    Value::Float(value) => value < 0.0,
                    _ => true,
                };
                if negative {
                    reading.refuse(node, "must be a whole number of at least 0");
                    return 0;
                }
                // docker compose keeps the lowest bits of what is too large.
                let lowest = whole(node, reading).cast_unsigned() & u64::from(<$type>::MAX);
                <$type>::try_from(lowest).unwrap_or_default()
            }

            fn tree(&self, _: Form) -> Json {
                Json::from(*self)
            }

            fn is_unset(&self, _: Form) -> bool {
                *self == 0
            }
        }
    )*};
}
unsigned!(u16, u32, u64);

impl Field for f32 {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        let text = match &node.value {
            Value::Int(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::String(text) => text.clone(),
            _ => String::new(),
        };
        // Nothing that JSON has no form for: docker compose can't make a hash of it.
        text.parse().ok().filter(|value: &Self| value.is_finite()).unwrap_or_else(|| {
            reading.refuse(node, "must be a finite number");
            0.0
        })
    }

    fn tree(&self, _: Form) -> Json {
        // Through its text, so that the 64-bit number of JSON has the same shortest digits.
        self.to_string().parse().ok().and_then(Number::from_f64).map_or(Json::Null, Json::Number)
    }

    fn is_unset(&self, _: Form) -> bool {
        *self == 0.0
    }
}

impl<T: Field> Field for Option<T> {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        Some(T::read(node, reading))
    }

    fn tree(&self, form: Form) -> Json {
        self.as_ref().map_or(Json::Null, |value| value.tree(form))
    }

    fn is_unset(&self, _: Form) -> bool {
        self.is_none()
    }
}

impl<T: Field> Field for Vec<T> {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        let Some(items) = node.as_seq() else {
            reading.refuse(node, "must be a list");
            return Self::new();
        };
        let read = |(index, item): (usize, &Node)| reading.under(&index.to_string(), |r| read_or_default(item, r));
        items.iter().enumerate().map(read).collect()
    }

    fn tree(&self, form: Form) -> Json {
        self.iter().map(|item| item.tree(form)).collect()
    }

    fn is_unset(&self, _: Form) -> bool {
        self.is_empty()
    }
}

impl<T: Field> Field for BTreeMap<String, T> {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        let Some(map) = node.as_map() else {
            reading.refuse(node, "must be a mapping");
            return Self::new();
        };
        let mut out = Self::new();
        for (key, entry) in map {
            out.insert(key.clone(), reading.under(key, |r| read_or_default(&entry.node, r)));
        }
        out
    }

    fn tree(&self, form: Form) -> Json {
        let fields = self.iter().map(|(key, value)| (key.clone(), value.tree(form)));
        Json::Object(match form {
            Form::Json => fields.collect(),
            Form::Yaml => natural_order::sort(fields.collect()).into_iter().collect(),
        })
    }

    fn is_unset(&self, _: Form) -> bool {
        self.is_empty()
    }
}

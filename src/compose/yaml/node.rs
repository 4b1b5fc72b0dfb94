//! The tree: nodes, their values, positions and where a value came from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A text that was read, shared by all positions in it.
pub struct SourceFile {
    /// As the caller named it; faults show it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// The name alone: a text may hold what no log should.
impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl SourceFile {
    /// A file by name and text.
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned() }
    }
}

/// A place in a file; line and column are counted from 1, columns in characters.
#[derive(Clone, Debug)]
pub struct Position {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    /// The first character of a file.
    pub fn start(file: &Arc<SourceFile>) -> Self {
        Self { file: file.clone(), line: 1, column: 1 }
    }

    /// `file:line:column`.
    pub fn text(&self) -> String {
        format!("{}:{}:{}", self.file.name, self.line, self.column)
    }
}

/// Where a value came from: everything but a literal is treated as sensitive when it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Written in the file as it is.
    #[default]
    Literal,
    /// A variable was put in, or the whole value is one (`environment: [KEY]`).
    Interpolated,
    /// Read from an `env_file` or `label_file`.
    EnvFile,
    /// The content of a secret or config.
    Content,
}

impl Origin {
    /// The origin of a value made of two.
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

/// What a tag says about merging, or about a scalar that has no type of its own here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// Nothing.
    #[default]
    None,
    /// `!reset`: take the field away.
    Reset,
    /// `!override`: take this instead of merging.
    Override,
    /// A plain scalar that YAML 1.1 reads as a date (`2024-01-01`); its value is the text.
    Timestamp,
}

/// A value at a place.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it is written.
    pub at: Position,
    /// Where it came from.
    pub origin: Origin,
    /// What its tag says.
    pub mark: Mark,
    /// A plain scalar's text as written, where the value is not that text (`2.50`, `0x1F`, `True`, `~`).
    pub raw: Option<Box<str>>,
}

/// The values that YAML has.
#[derive(Clone, Debug)]
pub enum Value {
    /// Nothing, `~`, `null`.
    Null,
    /// `true`, `false` (also capitalised).
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    Seq(Vec<Node>),
    /// A mapping with text keys.
    Map(Map),
}

/// The value under a key, and where the key is written.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where the key is written.
    pub key_at: Position,
    /// The value.
    pub node: Node,
}

/// A mapping, in the order of its keys.
pub type Map = BTreeMap<String, Entry>;

impl Node {
    /// A literal value at a place.
    pub fn new(value: Value, at: Position) -> Self {
        Self { value, at, origin: Origin::Literal, mark: Mark::None, raw: None }
    }

    /// A null at a place.
    pub fn null(at: Position) -> Self {
        Self::new(Value::Null, at)
    }

    /// A text at a place.
    pub fn string(text: impl Into<String>, at: Position) -> Self {
        Self::new(Value::String(text.into()), at)
    }

    /// A mapping at a place, its keys at the same one.
    pub fn map<const N: usize>(at: &Position, fields: [(&str, Node); N]) -> Self {
        let entry = |(key, node): (&str, Node)| (key.to_owned(), Entry { key_at: at.clone(), node });
        Self::new(Value::Map(fields.into_iter().map(entry).collect()), at.clone())
    }

    /// The same value, from elsewhere.
    pub fn from_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The text, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The mapping, when it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The mapping, when it is one.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, when it is one.
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key).map(|entry| &entry.node)
    }

    /// The value under a key of a mapping.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.as_map_mut()?.get_mut(key).map(|entry| &mut entry.node)
    }

    /// Puts a value under a key of a mapping (nothing happens on other nodes), the key where the value is.
    pub fn set(&mut self, key: &str, node: Node) {
        if let Some(map) = self.as_map_mut() {
            map.insert(key.to_owned(), Entry { key_at: node.at.clone(), node });
        }
    }

    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// A scalar as Go's `fmt.Sprint` writes it, which is how docker compose turns numbers into text; none for lists
    /// and mappings, `<nil>` for null.
    pub fn print(&self) -> Option<String> {
        match &self.value {
            Value::Null => Some("<nil>".to_owned()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Int(value) => Some(value.to_string()),
            Value::Float(value) => {
                Some(self.beyond_int().map_or_else(|| super::go_float(*value), |value| value.to_string()))
            }
            Value::String(text) => Some(text.clone()),
            Value::Seq(_) | Value::Map(_) => None,
        }
    }

    /// Any value as Go's `fmt.Sprint` writes it, lists (`[a b]`) and mappings (`map[a:b]`) included.
    pub fn print_any(&self) -> String {
        let list = |items: Vec<String>| items.join(" ");
        match &self.value {
            Value::Seq(items) => format!("[{}]", list(items.iter().map(Node::print_any).collect())),
            Value::Map(map) => {
                let pair = |(key, entry): (&String, &Entry)| format!("{key}:{}", entry.node.print_any());
                format!("map[{}]", list(map.iter().map(pair).collect()))
            }
            _ => self.print().unwrap_or_default(),
        }
    }

    /// A whole number too large for 64 bits with a sign but not without.
    pub fn beyond_int(&self) -> Option<u64> {
        self.raw.as_deref()?.replace('_', "").parse().ok()
    }

    /// The word for the kind of value, as messages say it.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) => "integer",
            Value::Float(_) => "number",
            Value::String(_) if self.mark == Mark::Timestamp => "date",
            Value::String(_) => "string",
            Value::Seq(_) => "list",
            Value::Map(_) => "mapping",
        }
    }

    /// Equal in value, wherever it is written.
    pub fn same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Seq(a), Value::Seq(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k == l && a.node.same(&b.node))
            }
            _ => false,
        }
    }

    /// What the tree weighs in the budget of [`super::TREE_BYTES_MAX`].
    pub fn weight(&self) -> usize {
        let own = match &self.value {
            Value::String(text) => text.len(),
            Value::Seq(items) => items.iter().map(Node::weight).sum(),
            Value::Map(map) => map.iter().map(|(key, entry)| key.len() + 64 + entry.node.weight()).sum(),
            _ => 0,
        };
        128 + own
    }
}

//! Parser events to trees: anchors, aliases, tags, duplicate keys, and the budget that ends a bomb.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cursor::{Place, Problem};
use super::events::{Event, Events, Properties};
use super::fault::Fault;
use super::node::{Entry, Map, Mark, Node, Position, SourceFile, Value};
use super::{DEPTH_MAX, KEY_BYTES_MAX, TEXT_BYTES_MAX, TREE_BYTES_MAX, merge_keys, scalar};

/// What the tags of YAML's own types begin with.
const CORE: &str = "tag:yaml.org,2002:";

/// The tag that `<<` has.
const MERGE: &str = "tag:yaml.org,2002:merge";

/// All documents of a file.
pub(super) fn documents(file: &Arc<SourceFile>) -> Result<Vec<Node>, Fault> {
    if file.text.len() > TEXT_BYTES_MAX {
        let message = format!("the file has {} bytes, more than the {TEXT_BYTES_MAX} that are read", file.text.len());
        return Err(Fault::at(&Position::start(file), message).code("too-large"));
    }
    let unreadable = |problem: Problem| Fault::at(&position(file, problem.at), problem.message).code("yaml");
    let mut builder = Builder::default();
    let mut events = Events::new(&file.text).map_err(unreadable)?;
    loop {
        match events.next().map_err(unreadable)? {
            (Event::End, _) => return Ok(builder.documents),
            (event, place) => builder.event(event, position(file, place))?,
        }
    }
}

fn position(file: &Arc<SourceFile>, place: Place) -> Position {
    let counted = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
    Position { file: file.clone(), line: counted(place.line), column: counted(place.column) }
}

/// A collection that is not closed yet.
enum Open<'a> {
    Seq { node: Node, anchor: Option<&'a str>, items: Vec<Node> },
    Map { node: Node, anchor: Option<&'a str>, map: Map, key: Option<Key>, merges: Vec<Node> },
}

struct Key {
    text: String,
    at: Position,
    merge: bool,
}

/// A finished anchored node, its weight and its height, or none while it is still open.
type Anchor = Option<(Node, usize, usize)>;

#[derive(Default)]
struct Builder<'a> {
    open: Vec<Open<'a>>,
    /// Those of earlier documents too, as docker compose has it.
    anchors: BTreeMap<&'a str, Anchor>,
    spent: usize,
    documents: Vec<Node>,
}

impl<'a> Builder<'a> {
    fn event(&mut self, event: Event<'a>, at: Position) -> Result<(), Fault> {
        match event {
            Event::Scalar { text, plain, properties: Properties { anchor, tag } } => {
                let merge = text == "<<" && (plain && tag.is_none() || tag.as_deref() == Some(MERGE));
                let node = self.scalar(text, plain, tag.as_deref(), at)?;
                self.finish(node, anchor, merge)?;
            }
            Event::SequenceStart(Properties { anchor, tag }) => {
                self.start(anchor, &at)?;
                let node = marked(Node::null(at), tag.as_deref());
                self.open.push(Open::Seq { node, anchor, items: Vec::new() });
            }
            Event::MappingStart(Properties { anchor, tag }) => {
                self.start(anchor, &at)?;
                let node = marked(Node::null(at), tag.as_deref());
                self.open.push(Open::Map { node, anchor, map: Map::new(), key: None, merges: Vec::new() });
            }
            Event::SequenceEnd => {
                if let Some(Open::Seq { mut node, anchor, items }) = self.open.pop() {
                    node.value = Value::Seq(items);
                    self.finish(node, anchor, false)?;
                }
            }
            Event::MappingEnd => {
                if let Some(Open::Map { mut node, anchor, mut map, merges, .. }) = self.open.pop() {
                    for merge in merges {
                        merge_keys::apply(&mut map, merge)?;
                    }
                    node.value = Value::Map(map);
                    self.finish(node, anchor, false)?;
                }
            }
            Event::Alias(name) => {
                let node = self.alias(name, &at)?;
                self.finish(node, None, false)?;
            }
            Event::Other | Event::End => {}
        }
        Ok(())
    }

    /// A collection begins.
    fn start(&mut self, anchor: Option<&'a str>, at: &Position) -> Result<(), Fault> {
        if let Some(name) = anchor {
            self.anchors.insert(name, None);
        }
        self.check_depth(1, at)
    }

    fn check_depth(&self, more: usize, at: &Position) -> Result<(), Fault> {
        if self.open.len() + more > DEPTH_MAX {
            let message = format!("lists and mappings are in each other deeper than {DEPTH_MAX}");
            return Err(Fault::at(at, message).code("too-large"));
        }
        Ok(())
    }

    /// A copy of what an anchor names, at its own place: a fault in it is shown where it is written.
    fn alias(&mut self, name: &str, at: &Position) -> Result<Node, Fault> {
        let (node, weight, height) = match self.anchors.get(name) {
            Some(Some(anchor)) => anchor,
            Some(None) => return Err(Fault::at(at, "an anchor's value contains itself").code("yaml")),
            None => return Err(Fault::at(at, format!("unknown anchor '{name}' referenced")).code("yaml")),
        };
        self.check_depth(*height, at)?;
        self.spent += weight;
        if self.spent > TREE_BYTES_MAX {
            return Err(over_budget(at));
        }
        Ok(node.clone())
    }

    fn scalar(&mut self, text: String, plain: bool, tag: Option<&str>, at: Position) -> Result<Node, Fault> {
        let core = tag.and_then(|tag| tag.strip_prefix(CORE));
        let (value, mark) = match (core, tag) {
            (Some("binary"), _) => (Value::String(binary(&text, &at)?), Mark::None),
            (Some("timestamp"), _) => (Value::String(text.clone()), Mark::Timestamp),
            (Some(kind @ ("int" | "float" | "bool" | "null")), _) => (typed(kind, &text, &at)?, Mark::None),
            (None, None | Some("!")) if plain => scalar::resolve(&text),
            _ => (Value::String(text.clone()), Mark::None),
        };
        let raw = (!matches!(value, Value::String(_))).then(|| text.into());
        let mut node = marked(Node::new(value, at), tag);
        if mark != Mark::None {
            node.mark = mark;
        }
        node.raw = raw;
        Ok(node)
    }

    /// Puts a finished node where it belongs: under a key, as a key, in a list, or as the document.
    fn finish(&mut self, node: Node, anchor: Option<&'a str>, merge: bool) -> Result<(), Fault> {
        self.spent += 128 + node.as_str().map_or(0, str::len);
        if let Some(name) = anchor {
            let weight = node.weight();
            self.spent += weight;
            if self.spent <= TREE_BYTES_MAX {
                self.anchors.insert(name, Some((node.clone(), weight, height(&node))));
            }
        }
        if self.spent > TREE_BYTES_MAX {
            return Err(over_budget(&node.at));
        }
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some(Open::Seq { items, .. }) => items.push(node),
            Some(Open::Map { map, key: slot, merges, .. }) => match slot.take() {
                None => *slot = Some(key(node, merge)?),
                Some(key) if key.merge => {
                    if !merges.is_empty() {
                        let message = "mapping key `<<` is already defined in this mapping";
                        return Err(Fault::at(&key.at, message).code("duplicate-key").hint("name both in one list"));
                    }
                    merges.push(node);
                }
                Some(key) => {
                    if let Some(earlier) = map.get(&key.text) {
                        let message =
                            format!("mapping key `{}` is already defined at line {}", key.text, earlier.key_at.line);
                        return Err(Fault::at(&key.at, message).code("duplicate-key"));
                    }
                    map.insert(key.text, Entry { key_at: key.at, node });
                }
            },
        }
        Ok(())
    }
}

fn key(node: Node, merge: bool) -> Result<Key, Fault> {
    match node.value {
        Value::String(text) if text.len() > KEY_BYTES_MAX => {
            let message = format!("the key has more than {KEY_BYTES_MAX} bytes");
            Err(Fault::at(&node.at, message).code("too-large"))
        }
        Value::String(text) if node.mark != Mark::Timestamp => Ok(Key { text, at: node.at, merge }),
        _ => {
            let text = node.raw.as_deref().map_or_else(|| node.kind().to_owned(), |raw| format!("`{raw}`"));
            let fault = Fault::at(&node.at, format!("non-string key {text}")).code("non-string-key");
            Err(fault.hint("write the key in quotes"))
        }
    }
}

/// How many collections deep a tree is.
fn height(node: &Node) -> usize {
    match &node.value {
        Value::Seq(items) => 1 + items.iter().map(height).max().unwrap_or(0),
        Value::Map(map) => 1 + map.values().map(|entry| height(&entry.node)).max().unwrap_or(0),
        _ => 0,
    }
}

fn marked(mut node: Node, tag: Option<&str>) -> Node {
    node.mark = match tag {
        Some("!reset") => Mark::Reset,
        Some("!override") => Mark::Override,
        _ => Mark::None,
    };
    node
}

fn typed(kind: &str, text: &str, at: &Position) -> Result<Value, Fault> {
    let resolved = scalar::resolve(text).0;
    match (kind, resolved) {
        ("int", Value::Int(value)) => Ok(Value::Int(value)),
        ("float", Value::Float(value)) => Ok(Value::Float(value)),
        #[expect(clippy::cast_precision_loss, reason = "`!!float 1` asks for it")]
        ("float", Value::Int(value)) => Ok(Value::Float(value as f64)),
        ("bool", Value::Bool(value)) => Ok(Value::Bool(value)),
        ("null", Value::Null) => Ok(Value::Null),
        _ => Err(Fault::at(at, format!("cannot read `{text}` as !!{kind}")).code("yaml")),
    }
}

fn over_budget(at: &Position) -> Fault {
    Fault::at(at, "the file grows too large here once its anchors are put in").code("too-large")
}

/// The text that a `!!binary` scalar holds.
fn binary(text: &str, at: &Position) -> Result<String, Fault> {
    let fault = || Fault::at(at, "the !!binary value holds no text in base 64").code("yaml");
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for c in text.bytes().filter(|c| !c.is_ascii_whitespace() && *c != b'=') {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(fault()),
        };
        bits = ((bits << 6) | u32::from(digit)) & 0xFFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xFF) as u8);
        }
    }
    String::from_utf8(bytes).map_err(|_| fault())
}

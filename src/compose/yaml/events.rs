//! Tokens to events: what begins, what ends, and the scalars and aliases between.

use super::cursor::{Place, Problem};
use super::tokens::{Kind, Token, Tokens};
use std::collections::BTreeMap;

/// The anchor and tag of a node.
#[derive(Debug, Default)]
pub(super) struct Properties<'a> {
    pub anchor: Option<&'a str>,
    /// In full (`tag:yaml.org,2002:str`, `!reset`); `!` stands for no tag.
    pub tag: Option<String>,
}

/// What a text is made of, in order.
#[derive(Debug)]
pub(super) enum Event<'a> {
    Scalar { text: String, plain: bool, properties: Properties<'a> },
    SequenceStart(Properties<'a>),
    SequenceEnd,
    MappingStart(Properties<'a>),
    MappingEnd,
    Alias(&'a str),
    Other,
    End,
}

/// What is expected next.
#[derive(Clone, Copy, Debug)]
enum State {
    /// The first document needs no `---`.
    Document {
        bare: bool,
    },
    Content,
    DocumentEnd,
    BlockNode,
    BlockEntry,
    IndentlessEntry,
    BlockKey,
    BlockValue,
    FlowEntry {
        first: bool,
    },
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowKey {
        first: bool,
    },
    FlowValue,
    FlowNoValue,
    End,
}

/// Reads events.
pub(super) struct Events<'a> {
    tokens: Tokens<'a>,
    state: State,
    /// What follows once the node that is open is read.
    after: Vec<State>,
    /// What `%TAG` says: handles and their prefixes.
    handles: BTreeMap<String, String>,
}

type Next<'a> = Result<(Event<'a>, Place), Problem>;

impl<'a> Events<'a> {
    /// # Errors
    /// A control character in the text.
    pub fn new(text: &'a str) -> Result<Self, Problem> {
        let state = State::Document { bare: true };
        Ok(Self { tokens: Tokens::new(text)?, state, after: Vec::new(), handles: BTreeMap::new() })
    }

    /// The next event, and where it is written.
    ///
    /// # Errors
    /// What makes the text unreadable; nothing can be read after it.
    pub fn next(&mut self) -> Next<'a> {
        match self.state {
            State::Document { bare } => self.document(bare),
            State::Content => match self.kind()? {
                Kind::Version(..)
                | Kind::TagDirective(..)
                | Kind::DocumentStart
                | Kind::DocumentEnd
                | Kind::StreamEnd => {
                    let at = self.tokens.peek()?.start;
                    self.leave();
                    Ok(empty(at))
                }
                _ => self.node(true, false),
            },
            State::BlockNode => self.node(true, false),
            State::DocumentEnd => {
                let at = self.tokens.peek()?.start;
                if *self.kind()? == Kind::DocumentEnd {
                    self.tokens.next()?;
                }
                self.handles.clear();
                self.state = State::Document { bare: false };
                Ok((Event::Other, at))
            }
            State::BlockEntry => self.block_entry(),
            State::IndentlessEntry => self.indentless_entry(),
            State::BlockKey => self.block_key(),
            State::BlockValue => self.block_value(),
            State::FlowEntry { first } => self.flow_entry(first),
            State::FlowPairKey => match self.kind()? {
                Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd => {
                    let at = self.tokens.next()?.end;
                    self.state = State::FlowPairValue;
                    Ok(empty(at))
                }
                _ => self.node_then(State::FlowPairValue, false, false),
            },
            State::FlowPairValue => self.flow_value(State::FlowPairEnd, Kind::FlowSequenceEnd),
            State::FlowPairEnd => {
                self.state = State::FlowEntry { first: false };
                Ok((Event::MappingEnd, self.tokens.peek()?.start))
            }
            State::FlowKey { first } => self.flow_key(first),
            State::FlowValue => self.flow_value(State::FlowKey { first: false }, Kind::FlowMappingEnd),
            State::FlowNoValue => {
                self.state = State::FlowKey { first: false };
                Ok(empty(self.tokens.peek()?.start))
            }
            State::End => Ok((Event::End, self.tokens.peek()?.start)),
        }
    }

    fn kind(&mut self) -> Result<&Kind<'a>, Problem> {
        Ok(&self.tokens.peek()?.kind)
    }

    fn leave(&mut self) {
        self.state = self.after.pop().unwrap_or(State::End);
    }

    /// Takes the last token of a collection.
    fn close(&mut self, event: Event<'a>) -> Next<'a> {
        let at = self.tokens.next()?.start;
        self.leave();
        Ok((event, at))
    }

    fn fault<T>(&mut self, message: &str) -> Result<T, Problem> {
        Err(Problem::new(self.tokens.peek()?.start, message))
    }

    fn document(&mut self, bare: bool) -> Next<'a> {
        while !bare && *self.kind()? == Kind::DocumentEnd {
            self.tokens.next()?;
        }
        let at = self.tokens.peek()?.start;
        match self.kind()? {
            Kind::StreamEnd => {
                self.state = State::End;
                return Ok((Event::End, at));
            }
            Kind::Version(..) | Kind::TagDirective(..) | Kind::DocumentStart => {
                self.directives()?;
                if *self.kind()? != Kind::DocumentStart {
                    return self.fault("did not find expected <document start>");
                }
                self.tokens.next()?;
                self.state = State::Content;
            }
            _ if bare => self.state = State::BlockNode,
            _ => return self.fault("did not find expected <document start>"),
        }
        self.after.push(State::DocumentEnd);
        Ok((Event::Other, at))
    }

    fn directives(&mut self) -> Result<(), Problem> {
        let mut version = false;
        while matches!(self.kind()?, Kind::Version(..) | Kind::TagDirective(..)) {
            let Token { kind, start, .. } = self.tokens.next()?;
            match kind {
                Kind::Version(..) if version => return Err(Problem::new(start, "found duplicate %YAML directive")),
                Kind::Version(1, 1) => version = true,
                Kind::Version(..) => {
                    return Err(Problem::new(start, "found incompatible YAML document: it is read as YAML 1.1"));
                }
                Kind::TagDirective(handle, _) if self.handles.contains_key(&handle) => {
                    return Err(Problem::new(start, "found duplicate %TAG directive"));
                }
                Kind::TagDirective(handle, prefix) => drop(self.handles.insert(handle, prefix)),
                _ => {}
            }
        }
        Ok(())
    }

    fn node_then(&mut self, next: State, block: bool, indentless: bool) -> Next<'a> {
        self.after.push(next);
        self.node(block, indentless)
    }

    fn node(&mut self, block: bool, indentless: bool) -> Next<'a> {
        if let Kind::Alias(name) = *self.kind()? {
            let at = self.tokens.next()?.start;
            self.leave();
            return Ok((Event::Alias(name), at));
        }
        let (properties, described) = self.properties()?;
        let at = self.tokens.peek()?.start;
        match self.kind()? {
            Kind::BlockEntry if indentless => {
                self.state = State::IndentlessEntry;
                Ok((Event::SequenceStart(properties), at))
            }
            Kind::Scalar { .. } => {
                self.leave();
                match self.tokens.next()?.kind {
                    Kind::Scalar { text, plain } => Ok((Event::Scalar { text, plain, properties }, at)),
                    _ => Ok(empty(at)),
                }
            }
            Kind::FlowSequenceStart => {
                self.state = State::FlowEntry { first: true };
                self.tokens.next()?;
                Ok((Event::SequenceStart(properties), at))
            }
            Kind::FlowMappingStart => {
                self.state = State::FlowKey { first: true };
                self.tokens.next()?;
                Ok((Event::MappingStart(properties), at))
            }
            Kind::BlockSequenceStart if block => {
                self.state = State::BlockEntry;
                self.tokens.next()?;
                Ok((Event::SequenceStart(properties), at))
            }
            Kind::BlockMappingStart if block => {
                self.state = State::BlockKey;
                self.tokens.next()?;
                Ok((Event::MappingStart(properties), at))
            }
            _ => match described {
                Some(at) => {
                    self.leave();
                    Ok((Event::Scalar { text: String::new(), plain: true, properties }, at))
                }
                None => self.fault("did not find expected node content"),
            },
        }
    }

    /// The anchor and tag before a node, in either order, and where they end.
    fn properties(&mut self) -> Result<(Properties<'a>, Option<Place>), Problem> {
        let (mut properties, mut end) = (Properties::default(), None);
        loop {
            match self.kind()? {
                Kind::Anchor(name) if properties.anchor.is_none() => properties.anchor = Some(name),
                Kind::Tag(..) if properties.tag.is_none() => {}
                _ => return Ok((properties, end)),
            }
            let token = self.tokens.next()?;
            end = Some(token.end);
            if let Kind::Tag(handle, suffix) = token.kind {
                properties.tag = Some(self.full_tag(&handle, suffix, token.start)?);
            }
        }
    }

    fn full_tag(&self, handle: &str, suffix: String, at: Place) -> Result<String, Problem> {
        let declared = self.handles.get(handle);
        match (handle, declared) {
            ("", _) => Ok(suffix),
            (_, Some(prefix)) => Ok(format!("{prefix}{suffix}")),
            ("!", None) => Ok(format!("!{suffix}")),
            ("!!", None) => Ok(format!("tag:yaml.org,2002:{suffix}")),
            _ => Err(Problem::new(at, "while parsing a node, found undefined tag handle")),
        }
    }

    fn block_entry(&mut self) -> Next<'a> {
        match self.kind()? {
            Kind::BlockEntry => {
                let at = self.tokens.next()?.end;
                if matches!(self.kind()?, Kind::BlockEntry | Kind::BlockEnd) {
                    return Ok(empty(at));
                }
                self.node_then(State::BlockEntry, true, false)
            }
            Kind::BlockEnd => self.close(Event::SequenceEnd),
            _ => self.fault("while parsing a block collection, did not find expected '-' indicator"),
        }
    }

    /// A list that is no further right than the key above it.
    fn indentless_entry(&mut self) -> Next<'a> {
        if *self.kind()? != Kind::BlockEntry {
            self.leave();
            return Ok((Event::SequenceEnd, self.tokens.peek()?.start));
        }
        let at = self.tokens.next()?.end;
        if matches!(self.kind()?, Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd) {
            return Ok(empty(at));
        }
        self.node_then(State::IndentlessEntry, true, false)
    }

    fn block_key(&mut self) -> Next<'a> {
        match self.kind()? {
            Kind::Key => {
                let at = self.tokens.next()?.end;
                if matches!(self.kind()?, Kind::Key | Kind::Value | Kind::BlockEnd) {
                    self.state = State::BlockValue;
                    return Ok(empty(at));
                }
                self.node_then(State::BlockValue, true, true)
            }
            Kind::BlockEnd => self.close(Event::MappingEnd),
            _ => self.fault("while parsing a block mapping, did not find expected key"),
        }
    }

    fn block_value(&mut self) -> Next<'a> {
        let mut at = self.tokens.peek()?.start;
        if *self.kind()? == Kind::Value {
            at = self.tokens.next()?.end;
            if !matches!(self.kind()?, Kind::Key | Kind::Value | Kind::BlockEnd) {
                return self.node_then(State::BlockKey, true, true);
            }
        }
        self.state = State::BlockKey;
        Ok(empty(at))
    }

    fn flow_entry(&mut self, first: bool) -> Next<'a> {
        if !first && *self.kind()? != Kind::FlowSequenceEnd {
            if *self.kind()? != Kind::FlowEntry {
                return self.fault("while parsing a flow sequence, did not find expected ',' or ']'");
            }
            self.tokens.next()?;
        }
        match self.kind()? {
            Kind::Key => {
                self.state = State::FlowPairKey;
                let at = self.tokens.next()?.start;
                Ok((Event::MappingStart(Properties::default()), at))
            }
            Kind::FlowSequenceEnd => self.close(Event::SequenceEnd),
            _ => self.node_then(State::FlowEntry { first: false }, false, false),
        }
    }

    fn flow_key(&mut self, first: bool) -> Next<'a> {
        if !first && *self.kind()? != Kind::FlowMappingEnd {
            if *self.kind()? != Kind::FlowEntry {
                return self.fault("while parsing a flow mapping, did not find expected ',' or '}'");
            }
            self.tokens.next()?;
        }
        match self.kind()? {
            Kind::Key => {
                self.tokens.next()?;
                if matches!(self.kind()?, Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd) {
                    self.state = State::FlowValue;
                    return Ok(empty(self.tokens.peek()?.start));
                }
                self.node_then(State::FlowValue, false, false)
            }
            Kind::FlowMappingEnd => self.close(Event::MappingEnd),
            _ => self.node_then(State::FlowNoValue, false, false),
        }
    }

    fn flow_value(&mut self, next: State, end: Kind<'a>) -> Next<'a> {
        if *self.kind()? == Kind::Value {
            self.tokens.next()?;
            if *self.kind()? != Kind::FlowEntry && *self.kind()? != end {
                return self.node_then(next, false, false);
            }
        }
        self.state = next;
        Ok(empty(self.tokens.peek()?.start))
    }
}

/// A value that is not written.
fn empty<'a>(at: Place) -> (Event<'a>, Place) {
    (Event::Scalar { text: String::new(), plain: true, properties: Properties::default() }, at)
}

//! A text to tokens: indentation to where blocks begin and end, and which text before a `:` is a key.
//!
//! The rules are those of the YAML library that docker compose has, a reader of YAML 1.1: it takes `{a: x:}` and refuses
//! `[a?b]`, a tab on an empty line and `%YAML 1.2`. Another reader than this would accept other files.

use std::collections::VecDeque;

use super::cursor::{Cursor, Place, Problem};

/// A token and where it starts and ends.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub kind: Kind<'a>,
    pub start: Place,
    pub end: Place,
}

/// What a token is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    StreamEnd,
    /// `%YAML`.
    Version(u8, u8),
    /// `%TAG`: handle and prefix.
    TagDirective(String, String),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    /// Handle and suffix.
    Tag(String, String),
    Scalar {
        text: String,
        plain: bool,
    },
}

/// What may turn out to be a key, should a `:` follow it.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    /// It stands where only a key can.
    required: bool,
    /// Its place among all tokens.
    number: usize,
    at: Place,
}

/// How far behind its start a key's `:` may be, in characters.
const KEY_LENGTH_MAX: usize = 1024;

/// How far a comment looks for the next one, in bytes.
const COMMENT_GAP_MAX: usize = 512;

/// How deep what is written in brackets, or by indentation, is followed. The tree's own limit is lower.
const LEVELS_MAX: usize = 10_000;

/// Reads tokens, as many at once as it takes to tell what the next one is.
pub(super) struct Tokens<'a> {
    pub(super) cursor: Cursor<'a>,
    queue: VecDeque<Token<'a>>,
    /// How many were taken from the queue.
    taken: usize,
    ended: bool,
    /// The column of the block that is open; -1 for none.
    pub(super) indent: isize,
    indents: Vec<isize>,
    /// One for the block, and one for each open bracket.
    keys: Vec<SimpleKey>,
    pub(super) key_allowed: bool,
    /// The line of the last token, but for one that a comment belongs under.
    last_line: Option<usize>,
}

impl<'a> Tokens<'a> {
    /// # Errors
    /// A control character in the text.
    pub fn new(text: &'a str) -> Result<Self, Problem> {
        Ok(Self {
            cursor: Cursor::new(text)?,
            queue: VecDeque::new(),
            taken: 0,
            ended: false,
            indent: -1,
            indents: Vec::new(),
            keys: vec![SimpleKey::default()],
            key_allowed: true,
            last_line: None,
        })
    }

    /// The next token, which stays. After the end it is the end again.
    pub fn peek(&mut self) -> Result<&Token<'a>, Problem> {
        while !self.ended && (self.queue.is_empty() || self.head_may_be_key()?) {
            self.fetch()?;
            let last = self.queue.back().filter(|token| token.kind != Kind::BlockEntry);
            self.last_line = last.map(|token| token.end.line);
        }
        if self.queue.is_empty() {
            let at = self.cursor.place;
            self.queue.push_back(Token { kind: Kind::StreamEnd, start: at, end: at });
        }
        Ok(&self.queue[0])
    }

    /// Takes the next token.
    pub fn next(&mut self) -> Result<Token<'a>, Problem> {
        self.peek()?;
        self.taken += 1;
        let at = self.cursor.place;
        Ok(self.queue.pop_front().unwrap_or(Token { kind: Kind::StreamEnd, start: at, end: at }))
    }

    pub(super) fn in_flow(&self) -> bool {
        self.keys.len() > 1
    }

    fn head_may_be_key(&mut self) -> Result<bool, Problem> {
        let (taken, place) = (self.taken, self.cursor.place);
        for key in self.keys.iter_mut().filter(|key| key.possible && key.number == taken) {
            if key.is_valid(place)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn fetch(&mut self) -> Result<(), Problem> {
        self.skip_to_token();
        let column = self.column();
        self.unroll(column);
        if self.cursor.is_end() {
            return self.fetch_end();
        }
        if column == 0 && self.cursor.at(0) == b'%' {
            self.leave_blocks()?;
            let token = self.directive()?;
            self.queue.push_back(token);
            return Ok(());
        }
        if self.cursor.is_document_indicator() {
            self.leave_blocks()?;
            let kind = if self.cursor.at(0) == b'-' { Kind::DocumentStart } else { Kind::DocumentEnd };
            self.take(3, kind);
            return Ok(());
        }
        let (block, bare) = (!self.in_flow(), self.cursor.is_blank_or_end(1));
        match self.cursor.at(0) {
            b'[' => self.open(Kind::FlowSequenceStart),
            b'{' => self.open(Kind::FlowMappingStart),
            b']' => self.close(Kind::FlowSequenceEnd),
            b'}' => self.close(Kind::FlowMappingEnd),
            b',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.take(1, Kind::FlowEntry);
                Ok(())
            }
            b'-' if bare => self.block_entry(),
            b'?' if bare || !block => self.key(),
            b':' if bare || !block => self.value(),
            b'*' | b'&' => self.atom(Self::anchor),
            b'!' => self.atom(Self::tag),
            b'|' | b'>' if block => {
                self.remove_key()?;
                self.key_allowed = true;
                let token = self.block_scalar()?;
                self.queue.push_back(token);
                Ok(())
            }
            b'\'' | b'"' => self.atom(Self::quoted_scalar),
            b'-' if !self.cursor.is_blank(1) => self.atom(Self::plain_scalar),
            b'?' | b':' if block && !bare => self.atom(Self::plain_scalar),
            b'\t' | b'-' | b'?' | b':' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => {
                Err(Problem::new(self.cursor.place, "found character that cannot start any token"))
            }
            _ => self.atom(Self::plain_scalar),
        }
    }

    /// Goes over blanks, comments and ends of lines. Tabs are blanks only where no key can be.
    fn skip_to_token(&mut self) {
        loop {
            let tabs = self.in_flow() || !self.key_allowed;
            self.cursor.pass(|c| c.at(0) == b' ' || tabs && c.at(0) == b'\t');
            while self.cursor.at(0) == b'#' {
                let behind_token = self.last_line == Some(self.cursor.place.line);
                self.cursor.pass(|c| !c.is_break_or_end(0));
                if !behind_token {
                    self.skip_to_comment();
                }
            }
            if !self.cursor.is_break(0) {
                return;
            }
            self.cursor.skip_line();
            self.key_allowed |= !self.in_flow();
        }
    }

    /// Goes to the next line's comment, should one follow near with nothing but blanks between, tabs included.
    fn skip_to_comment(&mut self) {
        let gap = (1..COMMENT_GAP_MAX).find(|ahead| !matches!(self.cursor.at(*ahead), b' ' | b'\t' | b'\r' | b'\n'));
        if gap.is_some_and(|ahead| self.cursor.at(ahead) == b'#') {
            while self.cursor.at(0) != b'#' {
                if self.cursor.is_break(0) { _ = self.cursor.skip_line() } else { self.cursor.skip() }
            }
        }
    }

    fn column(&self) -> isize {
        isize::try_from(self.cursor.place.column).unwrap_or(isize::MAX)
    }

    /// Takes characters for a token.
    fn take(&mut self, characters: usize, kind: Kind<'a>) {
        let start = self.cursor.place;
        (0..characters).for_each(|_| self.cursor.skip());
        self.queue.push_back(Token { kind, start, end: self.cursor.place });
    }

    fn fetch_end(&mut self) -> Result<(), Problem> {
        if self.cursor.place.column != 0 {
            self.cursor.place.column = 0;
            self.cursor.place.line += 1;
        }
        self.leave_blocks()?;
        self.ended = true;
        self.take(0, Kind::StreamEnd);
        Ok(())
    }

    fn leave_blocks(&mut self) -> Result<(), Problem> {
        self.unroll(-1);
        self.remove_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn open(&mut self, kind: Kind<'a>) -> Result<(), Problem> {
        self.save_key()?;
        if self.keys.len() > LEVELS_MAX {
            return Err(Problem::new(self.cursor.place, "too many brackets are in each other"));
        }
        self.keys.push(SimpleKey::default());
        self.key_allowed = true;
        self.take(1, kind);
        Ok(())
    }

    fn close(&mut self, kind: Kind<'a>) -> Result<(), Problem> {
        self.remove_key()?;
        if self.in_flow() {
            self.keys.pop();
        }
        self.key_allowed = false;
        self.take(1, kind);
        Ok(())
    }

    fn block_entry(&mut self) -> Result<(), Problem> {
        // In brackets it is as wrong, which the grammar says.
        if !self.in_flow() {
            if !self.key_allowed {
                let message = "block sequence entries are not allowed in this context";
                return Err(Problem::new(self.cursor.place, message));
            }
            self.roll(self.cursor.place, None, Kind::BlockSequenceStart)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.take(1, Kind::BlockEntry);
        Ok(())
    }

    fn key(&mut self) -> Result<(), Problem> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(Problem::new(self.cursor.place, "mapping keys are not allowed in this context"));
            }
            self.roll(self.cursor.place, None, Kind::BlockMappingStart)?;
        }
        self.remove_key()?;
        self.key_allowed = !self.in_flow();
        self.take(1, Kind::Key);
        Ok(())
    }

    fn value(&mut self) -> Result<(), Problem> {
        let place = self.cursor.place;
        let last = self.keys.len() - 1;
        if self.keys[last].is_valid(place)? {
            let SimpleKey { number, at, .. } = self.keys[last];
            self.insert(number, Kind::Key, at);
            self.roll(at, Some(number), Kind::BlockMappingStart)?;
            self.keys[last].possible = false;
            self.key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.key_allowed {
                    return Err(Problem::new(place, "mapping values are not allowed in this context"));
                }
                self.roll(place, None, Kind::BlockMappingStart)?;
            }
            self.key_allowed = !self.in_flow();
        }
        self.take(1, Kind::Value);
        Ok(())
    }

    /// What may be a key: an alias, an anchor, a tag, a scalar.
    fn atom(&mut self, read: impl FnOnce(&mut Self) -> Result<Token<'a>, Problem>) -> Result<(), Problem> {
        self.save_key()?;
        self.key_allowed = false;
        let token = read(self)?;
        self.queue.push_back(token);
        Ok(())
    }

    fn save_key(&mut self) -> Result<(), Problem> {
        if !self.key_allowed {
            return Ok(());
        }
        self.remove_key()?;
        let required = !self.in_flow() && self.indent == self.column();
        let number = self.taken + self.queue.len();
        let last = self.keys.len() - 1;
        self.keys[last] = SimpleKey { possible: true, required, number, at: self.cursor.place };
        Ok(())
    }

    fn remove_key(&mut self) -> Result<(), Problem> {
        let last = self.keys.len() - 1;
        let key = &mut self.keys[last];
        if key.possible && key.required {
            return Err(key.lost());
        }
        key.possible = false;
        Ok(())
    }

    /// A block begins where its column is right of the one that is open.
    fn roll(&mut self, at: Place, number: Option<usize>, kind: Kind<'a>) -> Result<(), Problem> {
        let column = isize::try_from(at.column).unwrap_or(isize::MAX);
        if self.in_flow() || self.indent >= column {
            return Ok(());
        }
        if self.indents.len() > LEVELS_MAX {
            return Err(Problem::new(at, "too many blocks are in each other"));
        }
        self.indents.push(self.indent);
        self.indent = column;
        self.insert(number.unwrap_or(self.taken + self.queue.len()), kind, at);
        Ok(())
    }

    fn insert(&mut self, number: usize, kind: Kind<'a>, at: Place) {
        let index = number.saturating_sub(self.taken).min(self.queue.len());
        self.queue.insert(index, Token { kind, start: at, end: at });
    }

    /// Blocks end that are right of a column.
    fn unroll(&mut self, column: isize) {
        while !self.in_flow() && self.indent > column {
            self.take(0, Kind::BlockEnd);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }
}

impl SimpleKey {
    /// False once the line or the room for a key is over.
    fn is_valid(&mut self, now: Place) -> Result<bool, Problem> {
        if self.possible && (self.at.line < now.line || self.at.index + KEY_LENGTH_MAX < now.index) {
            if self.required {
                return Err(self.lost());
            }
            self.possible = false;
        }
        Ok(self.possible)
    }

    fn lost(&self) -> Problem {
        Problem::new(self.at, "could not find expected ':'")
    }
}

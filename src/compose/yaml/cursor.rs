//! A text character by character, with the place of each: what is a blank, what ends a line. Knows no token.

use std::fmt;

/// A place in a text: line and column from 0, the index in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
    pub index: usize,
}

/// Why a text can't be read, and where.
#[derive(Debug)]
pub(super) struct Problem {
    pub at: Place,
    pub message: String,
}

impl Problem {
    pub fn new(at: Place, message: impl fmt::Display) -> Self {
        Self { at, message: message.to_string() }
    }
}

/// Where reading is. Behind the end every byte is 0, which no text holds.
pub(super) struct Cursor<'a> {
    pub text: &'a str,
    bytes: &'a [u8],
    position: usize,
    pub place: Place,
}

impl<'a> Cursor<'a> {
    /// At the start of a text.
    ///
    /// # Errors
    /// A control character.
    pub fn new(text: &'a str) -> Result<Self, Problem> {
        let mut cursor = Self { text, bytes: text.as_bytes(), position: 0, place: Place::default() };
        match text.char_indices().find(|(_, c)| is_forbidden(*c)) {
            None => Ok(cursor),
            Some((at, _)) => {
                while cursor.position < at {
                    match cursor.is_break(0) {
                        true => _ = cursor.skip_line(),
                        false => cursor.skip(),
                    }
                }
                Err(Problem::new(cursor.place, "control characters are not allowed"))
            }
        }
    }

    /// The byte `ahead` of the cursor.
    pub fn at(&self, ahead: usize) -> u8 {
        self.bytes.get(self.position + ahead).copied().unwrap_or(0)
    }

    pub fn is_end(&self) -> bool {
        self.position >= self.bytes.len()
    }

    /// A space or tab.
    pub fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.at(ahead), b' ' | b'\t')
    }

    /// What ends a line, the characters of other alphabets included.
    pub fn is_break(&self, ahead: usize) -> bool {
        match self.at(ahead) {
            b'\r' | b'\n' => true,
            0xC2 => self.at(ahead + 1) == 0x85,
            0xE2 => self.at(ahead + 1) == 0x80 && matches!(self.at(ahead + 2), 0xA8 | 0xA9),
            _ => false,
        }
    }

    pub fn is_break_or_end(&self, ahead: usize) -> bool {
        self.position + ahead >= self.bytes.len() || self.is_break(ahead)
    }

    pub fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// A character of names: of anchors, tags' handles and directives.
    pub fn is_name(&self) -> bool {
        matches!(self.at(0), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-')
    }

    /// `---` or `...` alone at the start of a line.
    pub fn is_document_indicator(&self) -> bool {
        let dashes = [self.at(0), self.at(1), self.at(2)];
        self.place.column == 0 && (dashes == *b"---" || dashes == *b"...") && self.is_blank_or_end(3)
    }

    /// Goes one character on, which ends no line.
    pub fn skip(&mut self) {
        self.position += match self.at(0) {
            0..0x80 => 1,
            0x80..0xE0 => 2,
            0xE0..0xF0 => 3,
            _ => 4,
        };
        self.place.column += 1;
        self.place.index += 1;
    }

    /// Goes over what ends a line; gives what that is to a text.
    pub fn skip_line(&mut self) -> &'static str {
        let (bytes, characters, text) = match (self.at(0), self.at(1), self.at(2)) {
            (b'\r', b'\n', _) => (2, 2, "\n"),
            (b'\r' | b'\n', ..) => (1, 1, "\n"),
            (0xC2, ..) => (2, 1, "\n"),
            (_, _, 0xA8) => (3, 1, "\u{2028}"),
            _ => (3, 1, "\u{2029}"),
        };
        self.position += bytes;
        self.place = Place { line: self.place.line + 1, column: 0, index: self.place.index + characters };
        text
    }

    /// Goes on while a condition holds, within a line; gives what was passed.
    pub fn pass(&mut self, holds: impl Fn(&Self) -> bool) -> &'a str {
        let start = self.position;
        while holds(self) {
            self.skip();
        }
        &self.text[start..self.position]
    }
}

fn is_forbidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}' => true,
        _ => false,
    }
}

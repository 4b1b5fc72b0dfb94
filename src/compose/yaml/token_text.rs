//! The tokens that hold a text: scalars of each style, anchors, tags and directives.

use super::cursor::{Cursor, Place, Problem};
use super::tokens::{Kind, Token, Tokens};

type Read<'a> = Result<Token<'a>, Problem>;

/// Blanks and ends of lines between two words of a scalar.
#[derive(Default)]
struct Gap {
    blanks: String,
    first_break: &'static str,
    more_breaks: String,
    lines: bool,
}

impl Gap {
    /// Puts what the gap stands for into a text, and is empty again.
    fn fold_into(&mut self, text: &mut String) {
        if !self.lines {
            text.push_str(&self.blanks);
        } else if self.first_break != "\n" {
            text.push_str(self.first_break);
            text.push_str(&self.more_breaks);
        } else if self.more_breaks.is_empty() {
            text.push(' ');
        } else {
            text.push_str(&self.more_breaks);
        }
        *self = Self::default();
    }

    fn take_break(&mut self, cursor: &mut Cursor<'_>) {
        let text = cursor.skip_line();
        if self.lines {
            self.more_breaks.push_str(text);
        } else {
            self.blanks.clear();
            self.first_break = text;
            self.lines = true;
        }
    }

    fn take_blank(&mut self, cursor: &mut Cursor<'_>) {
        if !self.lines {
            self.blanks.push(char::from(cursor.at(0)));
        }
        cursor.skip();
    }
}

impl<'a> Tokens<'a> {
    fn token(&self, start: Place, kind: Kind<'a>) -> Token<'a> {
        Token { kind, start, end: self.cursor.place }
    }

    pub(super) fn plain_scalar(&mut self) -> Read<'a> {
        let (start, flow) = (self.cursor.place, self.in_flow());
        let mut end = start;
        let indent = usize::try_from(self.indent + 1).unwrap_or(0);
        let (mut text, mut gap) = (String::new(), Gap::default());
        while !self.cursor.is_document_indicator() && self.cursor.at(0) != b'#' {
            let word = self.cursor.pass(|c| !c.is_blank_or_end(0) && !ends_plain(c, flow));
            if !word.is_empty() {
                if !text.is_empty() {
                    gap.fold_into(&mut text);
                }
                text.push_str(word);
                end = self.cursor.place;
            }
            if !self.cursor.is_blank(0) && !self.cursor.is_break(0) {
                break;
            }
            loop {
                if self.cursor.is_break(0) {
                    gap.take_break(&mut self.cursor);
                } else if self.cursor.is_blank(0) {
                    if gap.lines && self.cursor.place.column < indent && self.cursor.at(0) == b'\t' {
                        return Err(Problem::new(self.cursor.place, "found a tab character that violates indentation"));
                    }
                    gap.take_blank(&mut self.cursor);
                } else {
                    break;
                }
            }
            if !flow && self.cursor.place.column < indent {
                break;
            }
        }
        self.key_allowed |= gap.lines;
        Ok(Token { kind: Kind::Scalar { text, plain: true }, start, end })
    }

    pub(super) fn quoted_scalar(&mut self) -> Read<'a> {
        let start = self.cursor.place;
        let quote = self.cursor.at(0);
        self.cursor.skip();
        let mut text = String::new();
        loop {
            if self.cursor.is_document_indicator() {
                return Err(Problem::new(start, "while scanning a quoted scalar, found unexpected document indicator"));
            }
            if self.cursor.is_end() {
                return Err(Problem::new(start, "while scanning a quoted scalar, found unexpected end of stream"));
            }
            let mut gap = Gap::default();
            while !self.cursor.is_blank_or_end(0) {
                text.push_str(self.cursor.pass(|c| !c.is_blank_or_end(0) && c.at(0) != quote && c.at(0) != b'\\'));
                match (self.cursor.at(0), self.cursor.at(1)) {
                    (b'\'', b'\'') if quote == b'\'' => {
                        text.push('\'');
                        self.cursor.skip();
                        self.cursor.skip();
                    }
                    (b'\\', _) if quote == b'\'' => {
                        text.push('\\');
                        self.cursor.skip();
                    }
                    (b'\\', _) if self.cursor.is_break(1) => {
                        self.cursor.skip();
                        self.cursor.skip_line();
                        gap.lines = true;
                        break;
                    }
                    (b'\\', _) => self.escape(start, &mut text)?,
                    (end, _) if end == quote => break,
                    _ => {}
                }
            }
            if self.cursor.at(0) == quote {
                break;
            }
            loop {
                if self.cursor.is_blank(0) {
                    gap.take_blank(&mut self.cursor);
                } else if self.cursor.is_break(0) {
                    gap.take_break(&mut self.cursor);
                } else {
                    break;
                }
            }
            gap.fold_into(&mut text);
        }
        self.cursor.skip();
        Ok(self.token(start, Kind::Scalar { text, plain: false }))
    }

    fn escape(&mut self, start: Place, text: &mut String) -> Result<(), Problem> {
        let fault = |problem: &str| Err(Problem::new(start, format!("while parsing a quoted scalar, {problem}")));
        let digits = match self.cursor.at(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            other => {
                let Some(c) = escaped(other) else { return fault("found unknown escape character") };
                text.push(c);
                0
            }
        };
        self.cursor.skip();
        self.cursor.skip();
        if digits == 0 {
            return Ok(());
        }
        let mut code = 0_u32;
        for _ in 0..digits {
            let Some(digit) = char::from(self.cursor.at(0)).to_digit(16) else {
                return fault("did not find expected hexadecimal number");
            };
            code = code << 4 | digit;
            self.cursor.skip();
        }
        match char::from_u32(code) {
            Some(c) => text.push(c),
            None => return fault("found invalid Unicode character escape code"),
        }
        Ok(())
    }

    pub(super) fn block_scalar(&mut self) -> Read<'a> {
        let start = self.cursor.place;
        let literal = self.cursor.at(0) == b'|';
        self.cursor.skip();
        let (keep, increment) = self.block_header(start)?;
        let mut indent = increment.map(|increment| usize::try_from(self.indent.max(0)).unwrap_or(0) + increment);
        let (mut text, mut breaks, mut last_break) = (String::new(), String::new(), "");
        let mut after_blank = false;
        let mut column = self.block_breaks(start, &mut indent, &mut breaks)?;
        while self.cursor.place.column == column && !self.cursor.is_end() {
            let blank = self.cursor.is_blank(0);
            if !literal && last_break == "\n" && !after_blank && !blank {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(last_break);
            }
            text.push_str(&breaks);
            breaks.clear();
            after_blank = blank;
            text.push_str(self.cursor.pass(|c| !c.is_break_or_end(0)));
            last_break = if self.cursor.is_end() { "" } else { self.cursor.skip_line() };
            column = self.block_breaks(start, &mut indent, &mut breaks)?;
        }
        if keep != Some(false) {
            text.push_str(last_break);
        }
        if keep == Some(true) {
            text.push_str(&breaks);
        }
        Ok(self.token(start, Kind::Scalar { text, plain: false }))
    }

    /// What stands behind `|` or `>`: whether ends of lines are kept (`+`) or go (`-`), and the indentation.
    fn block_header(&mut self, start: Place) -> Result<(Option<bool>, Option<usize>), Problem> {
        let fault = |problem: &str| Err(Problem::new(start, format!("while scanning a block scalar, {problem}")));
        let (mut keep, mut increment) = (None, None);
        for _ in 0..2 {
            match self.cursor.at(0) {
                sign @ (b'+' | b'-') if keep.is_none() => keep = Some(sign == b'+'),
                b'0' if increment.is_none() => return fault("found an indentation indicator equal to 0"),
                digit @ b'1'..=b'9' if increment.is_none() => increment = Some(usize::from(digit - b'0')),
                _ => break,
            }
            self.cursor.skip();
        }
        self.cursor.pass(|c| c.is_blank(0));
        if self.cursor.at(0) == b'#' {
            self.cursor.pass(|c| !c.is_break_or_end(0));
        }
        if !self.cursor.is_break_or_end(0) {
            return fault("did not find expected comment or line break");
        }
        if self.cursor.is_break(0) {
            self.cursor.skip_line();
        }
        Ok((keep, increment))
    }

    /// Goes over indentation and empty lines; gives the indentation, which the first line that is not empty decides.
    fn block_breaks(
        &mut self,
        start: Place,
        indent: &mut Option<usize>,
        breaks: &mut String,
    ) -> Result<usize, Problem> {
        let mut widest = 0;
        loop {
            let within = |c: &Cursor<'_>| indent.is_none_or(|indent| c.place.column < indent);
            self.cursor.pass(|c| within(c) && c.at(0) == b' ');
            widest = widest.max(self.cursor.place.column);
            if within(&self.cursor) && self.cursor.at(0) == b'\t' {
                let problem = "found a tab character where an indentation space is expected";
                return Err(Problem::new(start, format!("while scanning a block scalar, {problem}")));
            }
            if !self.cursor.is_break(0) {
                break;
            }
            breaks.push_str(self.cursor.skip_line());
        }
        let least = usize::try_from(self.indent + 1).unwrap_or(0).max(1);
        Ok(*indent.get_or_insert(widest.max(least)))
    }

    pub(super) fn anchor(&mut self) -> Read<'a> {
        let start = self.cursor.place;
        let alias = self.cursor.at(0) == b'*';
        self.cursor.skip();
        let name = self.cursor.pass(|c| c.is_name());
        let ended = matches!(self.cursor.at(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ended && !self.cursor.is_blank_or_end(0) {
            let what = if alias { "alias" } else { "anchor" };
            let message = format!(
                "while scanning an {what}, did not find expected alphabetic or numeric character: its name has letters, digits, `_` and `-` alone"
            );
            return Err(Problem::new(start, message));
        }
        Ok(self.token(start, if alias { Kind::Alias(name) } else { Kind::Anchor(name) }))
    }

    pub(super) fn tag(&mut self) -> Read<'a> {
        let start = self.cursor.place;
        let fault = |problem: &str| Problem::new(start, format!("while scanning a tag, {problem}"));
        let (handle, suffix) = if self.cursor.at(1) == b'<' {
            self.cursor.skip();
            self.cursor.skip();
            let suffix = self.uri(start)?;
            if self.cursor.at(0) != b'>' {
                return Err(fault("did not find the expected '>'"));
            }
            self.cursor.skip();
            (String::new(), suffix)
        } else {
            let handle = self.handle();
            if handle.len() > 1 && handle.ends_with('!') {
                (handle, self.uri(start)?)
            } else {
                match format!("{}{}", &handle[1..], self.cursor.pass(is_uri)) {
                    bare if bare.is_empty() => (String::new(), "!".to_owned()),
                    suffix => ("!".to_owned(), suffix),
                }
            }
        };
        if !self.cursor.is_blank_or_end(0) {
            return Err(fault("did not find expected whitespace or line break"));
        }
        Ok(self.token(start, Kind::Tag(handle, suffix)))
    }

    /// `!`, `!name` or `!name!`.
    fn handle(&mut self) -> String {
        self.cursor.skip();
        let name = self.cursor.pass(|c| c.is_name());
        let closed = self.cursor.at(0) == b'!';
        if closed {
            self.cursor.skip();
        }
        format!("!{name}{}", if closed { "!" } else { "" })
    }

    fn uri(&mut self, start: Place) -> Result<String, Problem> {
        let uri = self.cursor.pass(is_uri);
        if uri.is_empty() {
            return Err(Problem::new(start, "while scanning a tag, did not find expected tag URI"));
        }
        Ok(uri.to_owned())
    }

    pub(super) fn directive(&mut self) -> Read<'a> {
        let start = self.cursor.place;
        let fault = |problem: &str| Err(Problem::new(start, format!("while scanning a directive, {problem}")));
        self.cursor.skip();
        let name = self.cursor.pass(|c| c.is_name());
        if name.is_empty() || !self.cursor.is_blank_or_end(0) {
            return fault("could not find expected directive name");
        }
        self.cursor.pass(|c| c.is_blank(0));
        let word = self.cursor.pass(|c| !c.is_blank_or_end(0));
        let kind = match name {
            "YAML" => {
                let number =
                    |digits: &str| digits.parse::<u8>().ok().filter(|_| digits.len() < 3 && !digits.starts_with('+'));
                match word.split_once('.').and_then(|(major, minor)| Some((number(major)?, number(minor)?))) {
                    Some((major, minor)) => Kind::Version(major, minor),
                    None => return fault("did not find expected version number"),
                }
            }
            "TAG" => {
                self.cursor.pass(|c| c.is_blank(0));
                let prefix = self.cursor.pass(is_uri);
                if !word.starts_with('!') || word.len() > 1 && !word.ends_with('!') || prefix.is_empty() {
                    return fault("did not find expected tag handle and prefix");
                }
                Kind::TagDirective(word.to_owned(), prefix.to_owned())
            }
            _ => return fault("found unknown directive name"),
        };
        self.cursor.pass(|c| c.is_blank(0));
        if self.cursor.at(0) == b'#' {
            self.cursor.pass(|c| !c.is_break_or_end(0));
        }
        if !self.cursor.is_break_or_end(0) {
            return fault("did not find expected comment or line break");
        }
        Ok(self.token(start, kind))
    }
}

fn ends_plain(cursor: &Cursor<'_>, flow: bool) -> bool {
    match cursor.at(0) {
        b':' => cursor.is_blank_or_end(1),
        b',' | b'?' | b'[' | b']' | b'{' | b'}' => flow,
        _ => false,
    }
}

fn escaped(c: u8) -> Option<char> {
    Some(match c {
        b'0' => '\0',
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\u{B}',
        b'f' => '\u{C}',
        b'r' => '\r',
        b'e' => '\u{1B}',
        b' ' | b'"' | b'\'' | b'\\' => char::from(c),
        b'N' => '\u{85}',
        b'_' => '\u{A0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}

fn is_uri(cursor: &Cursor<'_>) -> bool {
    cursor.is_name() || b";/?:@&=+$,.!~*'()[]%".contains(&cursor.at(0))
}

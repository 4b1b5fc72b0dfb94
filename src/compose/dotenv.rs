//! `.env` and env files: names and values, quotes, comments, several lines, variables in values.

use std::collections::BTreeMap;

use super::interpolate::{InterpolationError, interpolate};

/// Values of one file may not grow beyond this by putting variables in, in bytes.
const EXPANDED_BYTES_MAX: usize = 4 << 20;

/// What is wrong with a line. What the file holds is secret, and not told but for names of variables.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DotenvError {
    /// The line, counted from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

/// The two formats of env files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Quotes, comments and variables have a meaning.
    DotEnv,
    /// Every character after `=` is the value.
    Raw,
}

/// Reads a text into `out`, later lines over earlier ones.
///
/// `outside` answers for variables in values, and before `out` does; a name without `=` takes its value from it.
///
/// # Errors
/// The first line that can't be read.
pub fn parse(
    text: &str,
    format: Format,
    out: &mut BTreeMap<String, String>,
    outside: &dyn Fn(&str) -> Option<String>,
) -> Result<(), DotenvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { text, at: 0, line: 1, out, outside, expanded: 0 };
    match format {
        Format::DotEnv => reader.dotenv(),
        Format::Raw => reader.raw(),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    out: &'a mut BTreeMap<String, String>,
    outside: &'a dyn Fn(&str) -> Option<String>,
    expanded: usize,
}

impl<'a> Reader<'a> {
    fn raw(&mut self) -> Result<(), DotenvError> {
        for (index, line) in self.text.split('\n').enumerate() {
            self.line = u32::try_from(index + 1).unwrap_or(u32::MAX);
            let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) =
                line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value.to_owned())));
            if name.is_empty() {
                return self.fail("no variable name on the line".to_owned());
            }
            if name.contains(char::is_whitespace) {
                return self.fail("the name of a variable contains whitespaces".to_owned());
            }
            if let Some(value) = value.or_else(|| (self.outside)(name)) {
                self.out.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }

    fn dotenv(&mut self) -> Result<(), DotenvError> {
        while self.skip_to_statement() {
            let (name, inherited) = self.name()?;
            if name.contains(' ') {
                return self.fail("key cannot contain a space".to_owned());
            }
            let value = if inherited { (self.outside)(&name) } else { Some(self.value(&name)?) };
            if let Some(value) = value {
                self.out.insert(name, value);
            }
        }
        Ok(())
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Skips white space and comments; false at the end.
    fn skip_to_statement(&mut self) -> bool {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            let skipped = &rest[..rest.len() - trimmed.len()];
            self.line += newlines(skipped);
            self.at += skipped.len();
            if !self.rest().starts_with('#') {
                return !self.rest().is_empty();
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    /// The name, and whether it stands without a value.
    fn name(&mut self) -> Result<(String, bool), DotenvError> {
        if let Some(after) = self.rest().strip_prefix("export").filter(|after| after.starts_with(char::is_whitespace)) {
            self.at = self.text.len() - after.trim_start_matches(is_space).len();
        }
        let rest = self.rest();
        for (offset, c) in rest.char_indices() {
            match c {
                '=' | ':' | '\n' => {
                    self.at += offset + c.len_utf8();
                    let inherited = c == '\n';
                    let name = rest[..offset].trim_end().to_owned();
                    if inherited {
                        self.line += 1;
                    }
                    self.at += self.rest().len() - self.rest().trim_start_matches(is_space).len();
                    return Ok((name, inherited));
                }
                '_' | '.' | '-' | '[' | ']' => {}
                c if is_space(c) || c.is_alphabetic() || c.is_numeric() => {}
                c => {
                    return self.fail(format!("unexpected character \"{c}\" in the name of a variable"));
                }
            }
        }
        if rest.is_empty() {
            return self.fail("zero length string".to_owned());
        }
        // docker compose reads a name at the very end of a file as the empty name with that text as its value.
        Ok((String::new(), false))
    }

    fn value(&mut self, name: &str) -> Result<String, DotenvError> {
        match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(name, quote),
            _ => {
                let rest = self.rest();
                let end = rest.find('\n').unwrap_or(rest.len());
                let line = rest[..end].to_owned();
                self.at += (end + 1).min(rest.len());
                let value = line.split(" #").next().unwrap_or_default().trim_end().to_owned();
                let value = self.expand(name, &value);
                self.line += 1;
                value
            }
        }
    }

    fn quoted(&mut self, name: &str, quote: char) -> Result<String, DotenvError> {
        let rest = self.rest();
        let mut value = String::new();
        let mut escaped = false;
        for (offset, c) in rest.char_indices().skip(1) {
            if c == quote && !escaped {
                let result = if quote == '"' { self.expand(name, &unescape(&value)) } else { Ok(value) };
                self.line += newlines(&rest[..offset]);
                self.at += offset + 1;
                return result;
            }
            if c == '\\' && !escaped {
                escaped = true;
                continue;
            }
            if escaped && c != quote {
                value.push('\\');
            }
            escaped = false;
            value.push(c);
        }
        self.fail(format!("unterminated quoted value of {name}"))
    }

    fn expand(&mut self, name: &str, value: &str) -> Result<String, DotenvError> {
        if !value.contains('$') {
            return Ok(value.to_owned());
        }
        let lookup = |name: &str| (self.outside)(name).or_else(|| self.out.get(name).cloned());
        let text = match interpolate(value, &lookup) {
            Ok(out) => out.text,
            // It would show the value.
            Err(InterpolationError::Invalid(_)) => {
                return self.fail(format!("invalid interpolation format in the value of {name}"));
            }
            Err(error) => return self.fail(error.to_string()),
        };
        self.expanded += text.len();
        if self.expanded > EXPANDED_BYTES_MAX {
            return self.fail("the values grow too large once variables are put in".to_owned());
        }
        Ok(text)
    }

    fn fail<T>(&self, message: String) -> Result<T, DotenvError> {
        Err(DotenvError { line: self.line, message })
    }
}

fn newlines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|b| *b == b'\n').count()).unwrap_or(u32::MAX)
}

/// White space within a line.
fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

/// The escapes of a double-quoted value; `\$` becomes `$$`, which stands for a dollar.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let replaced = match after.chars().next() {
            Some('a') => "\u{7}",
            Some('b') => "\u{8}",
            Some('f') => "\u{c}",
            Some('n') => "\n",
            Some('r') => "\r",
            Some('t') => "\t",
            Some('v') => "\u{b}",
            Some('"') => "\"",
            Some('\\') => "\\",
            Some('$') => "$$",
            Some('0') => {
                let digits: String = after[1..].chars().take(3).take_while(char::is_ascii_digit).collect();
                let octal = u32::from_str_radix(&digits, 8)
                    .ok()
                    .filter(|n| digits.len() == 3 && *n < 256)
                    .and_then(char::from_u32);
                match octal {
                    Some(c) => out.push(c),
                    // The zero gets lost.
                    None => out.push_str(&format!("\\{digits}")),
                }
                rest = &after[1 + digits.len()..];
                continue;
            }
            _ => {
                out.push('\\');
                rest = after;
                continue;
            }
        };
        out.push_str(replaced);
        rest = &after[1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let mut out = BTreeMap::new();
        let outside = |name: &str| (name == "OUT").then(|| "side".to_owned());
        parse(text, Format::DotEnv, &mut out, &outside).map_err(|e| format!("{}: {}", e.line, e.message))?;
        Ok(out.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn values() {
        for (text, expected) in [
            ("A=1\nB=2 # two\nC=3#three\n", "A=1|B=2|C=3#three"),
            ("A='x y' \nB=\"a\\nb\"\nC='a\\nb'", "A=x y|B=a\nb|C=a\\nb"),
            ("export A=1\nB: yaml\n\n# comment\nOUT\nMISSING\n", "A=1|B=yaml|OUT=side"),
            ("A=1\nB=${A}-$OUT\nC='$A'\nD=\"\\$A\"\n", "A=1|B=1-side|C=$A|D=$A"),
            ("A=\"one\ntwo\"\nB=3", "A=one\ntwo|B=3"),
            ("A=\nB=\"\"", "A=|B="),
            ("A=it's \"fine\"\r\nB=1\r\n", "A=it's \"fine\"|B=1"),
            ("A=\"say \\\"hi\\\"\"", "A=say \"hi\""),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn faults_name_the_line() {
        assert_eq!(read("A=1\nB!=2\n").unwrap_err(), "2: unexpected character \"!\" in the name of a variable");
        assert_eq!(read("A=1\n\nB=\"x\n").unwrap_err(), "3: unterminated quoted value of B");
        assert!(read("A=1\nA B=2\n").unwrap_err().starts_with("2: key cannot contain a space"));
    }

    #[test]
    fn faults_show_nothing_of_what_the_file_holds() {
        for text in ["A=\"hunter2\n", "hunter2!=1\n", "A=hunter2${\n", "hunter2 1=2\n", "A=${B?missing}hunter2\n"] {
            let error = read(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
        let raw = |text: &str| parse(text, Format::Raw, &mut BTreeMap::new(), &|_| None).unwrap_err().message;
        assert!(!raw("=hunter2").contains("hunter2") && !raw("hunter2 x").contains("hunter2"));
    }

    #[test]
    fn a_bomb_of_variables_is_refused() {
        let mut text = "A0=xxxxxxxxxxxxxxxx\n".to_owned();
        for n in 1..60 {
            text.push_str(&format!("A{n}=$A{0}$A{0}\n", n - 1));
        }
        assert!(read(&text).unwrap_err().contains("too large"));
    }

    #[test]
    fn raw_keeps_every_character() {
        let mut out = BTreeMap::new();
        parse("A=\"1\" # $B\n#c\n", Format::Raw, &mut out, &|_| None).unwrap();
        assert_eq!(out["A"], "\"1\" # $B");
    }
}

//! Variables in texts: `$VAR`, `${VAR}`, and the operators `:-` `-` `:?` `?` `:+` `+`, nested; `$$` is a dollar.
//!
//! The rules are docker compose's to the letter, its surprises included: a brace with an operator must close on its line,
//! and the first operator after the name is the one.

mod tree;
mod variables;

pub(crate) use tree::{boolean, interpolate_tree};
pub use variables::Variable;
pub(crate) use variables::collect;

/// How deep defaults may be nested in defaults.
const DEPTH_MAX: usize = 50;

/// How long the values that are put into one text may be together, in bytes.
const GROWTH_BYTES_MAX: usize = 4 << 20;

/// What a text became.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Interpolated {
    /// The text.
    pub text: String,
    /// True when a variable or its default was put in.
    pub changed: bool,
    /// The variables without a value that became empty.
    pub unset: Vec<String>,
}

/// Why a text can't be interpolated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InterpolationError {
    /// A `${` that is no variable.
    #[error("invalid interpolation format: \"{0}\"; you may need to escape any $ with another $")]
    Invalid(String),
    /// A `?` variable without a value.
    #[error("required variable {name} is missing a value{}{reason}", if .reason.is_empty() { "" } else { ": " })]
    Missing {
        /// The variable.
        name: String,
        /// What the file says about it.
        reason: String,
    },
    /// Defaults in defaults in defaults.
    #[error("variables are nested deeper than {DEPTH_MAX}")]
    TooDeep,
    /// Long values, put in again and again.
    #[error("the text grows too large once variables are put in")]
    TooLong,
}

/// Puts variables into a text.
///
/// # Errors
/// The first variable that can't be put in.
pub fn interpolate(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Interpolated, InterpolationError> {
    let mut left = GROWTH_BYTES_MAX;
    interpolate_within(text, lookup, &mut left)
}

/// The same, where values may be no longer than `left` together, in bytes; it is what is left of that afterwards.
pub(crate) fn interpolate_within(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    left: &mut usize,
) -> Result<Interpolated, InterpolationError> {
    let mut out = Interpolated::default();
    Expansion { lookup, left }.expand(text, &mut out, 0)?;
    Ok(out)
}

/// The values of all variables, and what may still be put in of them.
struct Expansion<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    left: &'a mut usize,
}

/// One piece of a text.
pub(crate) enum Piece<'a> {
    Plain(&'a str),
    Dollar,
    Variable(&'a str),
    Operation { name: &'a str, operator: &'a str, operand: &'a str },
    Invalid,
}

impl Expansion<'_> {
    fn expand(&mut self, text: &str, out: &mut Interpolated, depth: usize) -> Result<(), InterpolationError> {
        if depth > DEPTH_MAX {
            return Err(InterpolationError::TooDeep);
        }
        for piece in Pieces::new(text) {
            match piece {
                Piece::Plain(plain) => out.text.push_str(plain),
                Piece::Dollar => out.text.push('$'),
                Piece::Invalid => return Err(InterpolationError::Invalid(text.to_owned())),
                Piece::Variable(name) => {
                    out.changed = true;
                    match self.value(name)? {
                        Some(value) => out.text.push_str(&value),
                        None => out.unset.push(name.to_owned()),
                    }
                }
                Piece::Operation { name, operator, operand } => {
                    out.changed = true;
                    self.operate(name, operator, operand, out, depth)?;
                }
            }
        }
        Ok(())
    }

    /// The value of a variable, once it is taken from what is left: also one that is only looked at is copied.
    fn value(&mut self, name: &str) -> Result<Option<String>, InterpolationError> {
        let value = (self.lookup)(name);
        let length = value.as_ref().map_or(0, String::len);
        *self.left = self.left.checked_sub(length).ok_or(InterpolationError::TooLong)?;
        Ok(value)
    }

    fn operate(
        &mut self,
        name: &str,
        operator: &str,
        operand: &str,
        out: &mut Interpolated,
        depth: usize,
    ) -> Result<(), InterpolationError> {
        // The operand is expanded even where it is not used: a fault in it is a fault.
        let mut inner = Interpolated::default();
        self.expand(operand, &mut inner, depth + 1)?;
        out.unset.append(&mut inner.unset);
        let value = self.value(name)?;
        let filled =
            if operator.starts_with(':') { value.as_deref().is_some_and(|v| !v.is_empty()) } else { value.is_some() };
        match (operator.trim_start_matches(':'), filled) {
            ("?", false) => Err(InterpolationError::Missing { name: name.to_owned(), reason: inner.text }),
            ("-", false) | ("+", true) => {
                out.text.push_str(&inner.text);
                Ok(())
            }
            _ => {
                out.text.push_str(value.as_deref().unwrap_or_default());
                Ok(())
            }
        }
    }
}

/// Cuts a text into its pieces, from left to right, in time linear to its length.
pub(crate) struct Pieces<'a> {
    text: &'a str,
    at: usize,
    /// The end of the line that was looked at last, and the last `}` in it.
    line: Option<(usize, Option<usize>)>,
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: None }
    }

    /// The last `}` of the line that `self.at` is in.
    fn last_brace(&mut self) -> Option<usize> {
        let (end, brace) = match self.line {
            Some(line) if self.at <= line.0 => line,
            _ => {
                let end = self.text[self.at..].find('\n').map_or(self.text.len(), |n| self.at + n);
                (end, self.text[self.at..end].rfind('}').map(|n| self.at + n))
            }
        };
        self.line = Some((end, brace));
        brace.filter(|brace| *brace >= self.at)
    }

    fn braced(&mut self) -> Piece<'a> {
        let start = self.at;
        let body = &self.text[start + 2..];
        let name = name_of(body);
        let rest = &body[name.len()..];
        if !name.is_empty() && rest.starts_with('}') {
            self.at = start + 2 + name.len() + 1;
            return Piece::Variable(name);
        }
        let operator = [":?", ":-", ":+", "?", "-", "+"].into_iter().find(|operator| rest.starts_with(operator));
        let operand_at = start + 2 + name.len() + operator.map_or(0, str::len);
        let (Some(operator), Some(last)) =
            (operator.filter(|_| !name.is_empty()), self.last_brace().filter(|last| *last >= operand_at))
        else {
            self.at = self.text.len();
            return Piece::Invalid;
        };
        let end = closing(&self.text[start..=last]).map_or(last, |n| start + n);
        if end < operand_at {
            self.at = self.text.len();
            return Piece::Invalid;
        }
        self.at = end + 1;
        Piece::Operation { name, operator, operand: &self.text[operand_at..end] }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let Some(after) = rest.strip_prefix('$') else {
            let end = rest.find('$').unwrap_or(rest.len());
            self.at += end;
            return Some(Piece::Plain(&rest[..end]));
        };
        if after.starts_with('$') {
            self.at += 2;
            return Some(Piece::Dollar);
        }
        if after.starts_with('{') {
            return Some(self.braced());
        }
        let name = name_of(after);
        if name.is_empty() {
            self.at += 1;
            return Some(Piece::Plain(&rest[..1]));
        }
        self.at += 1 + name.len();
        Some(Piece::Variable(name))
    }
}

/// The variable's name at the start of a text; may be empty.
fn name_of(text: &str) -> &str {
    let end = text.find(|c: char| !(c == '_' || c.is_ascii_alphanumeric())).unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &text[..end] }
}

/// Where the first brace of a text closes; what follows a `{` directly is not looked at.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut open, mut at) = (0_i64, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'}' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            b'{' => {
                open += 1;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests;

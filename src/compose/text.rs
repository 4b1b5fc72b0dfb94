//! A text that knows where it came from, used wherever a value may be sensitive.

use std::fmt;

use super::yaml::Origin;

/// A text and its origin. Formatting prints the text: whoever shows it to people asks [`Text::is_sensitive`] first. The
/// debug form hides what is no literal, as it ends up in logs.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

impl Text {
    /// A text from somewhere.
    pub fn new(value: impl Into<String>, origin: Origin) -> Self {
        Self { value: value.into(), origin }
    }

    /// A text written in a file.
    pub fn literal(value: impl Into<String>) -> Self {
        Self::new(value, Origin::Literal)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.value
    }

    /// True when its origin alone makes it sensitive: it is no literal.
    pub fn is_sensitive(&self) -> bool {
        self.origin != Origin::Literal
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sensitive() { f.write_str("***") } else { write!(f, "{:?}", self.value) }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.value
    }
}

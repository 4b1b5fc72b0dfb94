//! Text with tones. Colour is an option that adds ANSI sequences and nothing else: the words are the same without it, and
//! no meaning is in a colour alone. What comes from outside can't smuggle control characters to a terminal.

/// How text is written out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether tones become ANSI colours.
    pub colour: bool,
}

impl Style {
    /// No colour.
    pub const PLAIN: Style = Style { colour: false };
    /// ANSI colours.
    pub const COLOUR: Style = Style { colour: true };
}

/// What a piece of text is, which colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    /// A name that a reader looks for.
    Strong,
    /// Added, ready, done.
    Good,
    /// Changed, waiting.
    Change,
    /// Removed, failed.
    Bad,
    /// A hint, a code.
    Note,
    /// What may be skipped.
    Quiet,
}

impl Tone {
    fn sequence(self) -> Option<&'static str> {
        match self {
            Tone::Plain => None,
            Tone::Strong => Some("1"),
            Tone::Good => Some("32"),
            Tone::Change => Some("33"),
            Tone::Bad => Some("31"),
            Tone::Note => Some("36"),
            Tone::Quiet => Some("2"),
        }
    }
}

/// A line, or a part of one, in pieces of one tone each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<(Tone, String)>);

impl Text {
    /// Nothing.
    pub fn new() -> Text {
        Text::default()
    }

    /// One piece of one tone.
    pub fn toned(tone: Tone, text: impl AsRef<str>) -> Text {
        Text::new().and(tone, text)
    }

    /// One more piece; its control characters are escaped.
    pub fn and(mut self, tone: Tone, text: impl AsRef<str>) -> Text {
        let text = text.as_ref();
        if !text.is_empty() {
            self.0.push((tone, clean(text)));
        }
        self
    }

    /// One more piece without a tone.
    pub fn plain(self, text: impl AsRef<str>) -> Text {
        self.and(Tone::Plain, text)
    }

    /// One more piece without a tone that may go over several lines.
    pub fn lines(mut self, text: &str) -> Text {
        let lines: Vec<String> = text.lines().map(clean).collect();
        self.0.push((Tone::Plain, lines.join("\n")));
        self
    }

    /// All pieces of another text after these.
    pub fn append(mut self, other: Text) -> Text {
        self.0.extend(other.0);
        self
    }

    /// So many spaces.
    pub fn space(mut self, count: usize) -> Text {
        self.0.push((Tone::Plain, " ".repeat(count)));
        self
    }

    /// The number of characters.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, text)| text.is_empty())
    }

    /// Written out, without the spaces at its end.
    pub fn paint(&self, style: Style) -> String {
        let mut pieces = self.0.clone();
        while let Some((_, last)) = pieces.last_mut() {
            last.truncate(last.trim_end_matches(' ').len());
            if !last.is_empty() {
                break;
            }
            pieces.pop();
        }
        pieces
            .into_iter()
            .map(|(tone, text)| match tone.sequence().filter(|_| style.colour && !text.trim().is_empty()) {
                Some(sequence) => format!("\x1b[{sequence}m{text}\x1b[0m"),
                None => text,
            })
            .collect()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::new().plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::new().plain(text)
    }
}

/// The text with its control characters escaped (`\n`, `\u{1b}`), so that it is one line and harmless.
pub fn clean(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_adds_sequences_and_nothing_else() {
        let text = Text::toned(Tone::Good, "+").space(1).plain("core").space(3);
        assert_eq!(text.paint(Style::PLAIN), "+ core");
        assert_eq!(text.paint(Style::COLOUR), "\x1b[32m+\x1b[0m core");
        assert_eq!(text.width(), 9);
    }

    #[test]
    fn what_comes_from_outside_cannot_write_on_the_terminal() {
        assert_eq!(Text::from("a\x1b[2J\nb").paint(Style::PLAIN), "a\\u{1b}[2J\\nb");
        assert_eq!(Text::new().lines("a\x07\nb").paint(Style::PLAIN), "a\\u{7}\nb");
    }
}

//! A page of YAML with comments: remarks are wrapped, suggestions are lines that become part of the document when their `#`
//! is taken away. Nothing of a user's can end a comment or a scalar.

use crate::compose::render::tree as tree_text;

/// No line of a remark is longer.
const WIDTH: usize = 110;

/// Whether suggestions are commented out: a test writes them live, to hold them to the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suggestions {
    Commented,
    #[cfg(test)]
    Live,
}

/// The page.
#[derive(Clone, Debug)]
pub struct Page {
    text: String,
    suggestions: Suggestions,
}

impl Page {
    /// An empty one.
    pub fn new(suggestions: Suggestions) -> Page {
        Page { text: String::new(), suggestions }
    }

    /// A line of the document, so many levels deep.
    pub fn line(&mut self, depth: usize, text: &str) {
        self.push(depth, text);
    }

    /// A tree of the document, in block style.
    pub fn block(&mut self, depth: usize, tree: &serde_json::Value) {
        let text = tree_text(tree);
        let margin = "  ".repeat(depth);
        // Lines of a block scalar may be empty, and stay so.
        let lines =
            text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{margin}{line}\n") });
        self.text.extend(lines);
    }

    /// A line of the document that does nothing yet, with what it is for.
    pub fn suggestion(&mut self, depth: usize, text: &str, reason: &str) {
        let mark = match self.suggestions {
            Suggestions::Commented => "# ",
            #[cfg(test)]
            Suggestions::Live => "",
        };
        let reason = if reason.is_empty() { String::new() } else { format!("   # {}", clean(reason)) };
        self.push(depth, &format!("{mark}{text}{reason}"));
    }

    /// A remark, wrapped.
    pub fn remark(&mut self, depth: usize, text: &str) {
        self.wrapped(depth, text, "# ", "# ");
    }

    /// An item of a list of remarks, wrapped.
    pub fn item(&mut self, depth: usize, text: &str) {
        self.wrapped(depth, text, "# - ", "#   ");
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.text
    }

    fn push(&mut self, depth: usize, text: &str) {
        self.text.push_str(&"  ".repeat(depth));
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn wrapped(&mut self, depth: usize, text: &str, first: &str, next: &str) {
        let text = clean(text);
        let mut line = first.to_owned();
        let mut is_begun = false;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let width = depth * 2 + line.chars().count() + 1 + word.chars().count();
            if is_begun && width > WIDTH {
                self.push(depth, &line);
                line = next.to_owned();
                is_begun = false;
            }
            if is_begun {
                line.push(' ');
            }
            line.push_str(word);
            is_begun = true;
        }
        self.push(depth, &line);
    }
}

/// A text without anything that ends a line.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

/// A text as a YAML scalar that is read back as this text, in a flow list too.
pub fn scalar(text: &str) -> String {
    const WORDS: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"];
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '.' | '_'));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    let is_word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    let is_number = text.starts_with('.') && text[1..].starts_with(|c: char| c.is_ascii_digit() || c.is_alphabetic());
    let is_dotfile = text.len() > 4 && text.starts_with(".env");
    if begins && text.chars().all(plain) && !is_word && (!is_number || is_dotfile || text == ".env") {
        return text.to_owned();
    }
    // A JSON string is a YAML scalar.
    serde_json::Value::from(text).to_string()
}

/// A flow list of texts.
pub fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(scalar).collect();
    format!("[{}]", texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::yaml;

    #[test]
    fn a_remark_is_wrapped_and_stays_a_comment() {
        let mut page = Page::new(Suggestions::Commented);
        page.remark(1, &format!("{} evil\nkey: value", "word ".repeat(30)));
        page.item(0, &"item ".repeat(40));
        let text = page.into_text();
        assert!(text.lines().all(|line| line.trim_start().starts_with('#') && line.len() <= WIDTH), "{text}");
        assert!(text.contains("\n#   item"), "{text}");
    }

    #[test]
    fn every_text_is_read_back_as_it_is() {
        for text in
            ["web", "1", "1e3", "true", "Off", "null", "~", ".env", ".5", ".inf", "a b", "a: b", "a #b", "./x", "", "é"]
        {
            let document = format!("{{{}: {}}}", scalar(text), list([text]));
            let tree = yaml::parse_all("x", &document).unwrap().remove(0);
            let (key, entry) = tree.as_map().unwrap().iter().next().unwrap();
            assert_eq!(key, text, "{document}");
            let item = match &entry.node.value {
                yaml::Value::Seq(items) => items[0].as_str().map(str::to_owned),
                _ => None,
            };
            assert_eq!(item.as_deref(), Some(text), "{document}");
        }
    }
}

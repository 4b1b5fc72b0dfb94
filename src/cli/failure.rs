//! An error as the user reads it: one sentence without a period, then a blank line and a hint. The only place that
//! decides how an error looks.

use super::{
    exit::Exit,
    render::style::{Style, Text, Tone},
};

/// Why a verb ends early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// One sentence without a period, names in backticks.
    pub sentence: String,
    /// Instead of the sentence: diagnostics that are rendered already, every line ended.
    pub rendered: Option<String>,
    /// What to do, where there is something to do.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Failure {
        Failure { exit, sentence: sentence.into(), rendered: None, hint: None }
    }

    /// Diagnostics that are rendered already.
    pub fn rendered(exit: Exit, text: String) -> Failure {
        Failure { exit, sentence: String::new(), rendered: Some(text), hint: None }
    }

    /// A wrong use of the command line.
    pub fn usage(sentence: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, sentence)
    }

    /// The same with what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// An error and every cause under it, as one sentence.
    pub fn because(exit: Exit, error: &dyn std::error::Error) -> Failure {
        let mut sentence = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Some errors already end with the words of their source.
            if !sentence.ends_with(&text) {
                sentence = format!("{sentence}: {text}");
            }
            cause = error.source();
        }
        Failure::new(exit, sentence)
    }

    /// What goes to stderr.
    pub fn text(&self, style: Style) -> String {
        if let Some(rendered) = &self.rendered {
            return rendered.clone();
        }
        let mut text = Text::toned(Tone::Bad, "error:").plain(" ").lines(&self.sentence).paint(style);
        text.push('\n');
        if let Some(hint) = &self.hint {
            text.push('\n');
            text.push_str(&Text::toned(Tone::Note, "hint:").plain(" ").lines(hint).paint(style));
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_sentence_and_a_hint() {
        let failure = Failure::usage("no service `cor`").hint("did you mean `core`?");
        assert_eq!(failure.text(Style::PLAIN), "error: no service `cor`\n\nhint: did you mean `core`?\n");
        assert_eq!(Failure::usage("no").text(Style::PLAIN), "error: no\n");
    }

    #[test]
    fn causes_are_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("could not read `a`")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("no such disk"));
        assert_eq!(Failure::because(Exit::Usage, &error).sentence, "could not read `a`: no such disk");
    }
}

//! A command line in one text to its words, as docker compose splits it (not as a shell would run it).

/// The words of a line. Quotes and backslashes group; an unquoted `;`, `&`, `|`, `<` or `>` ends the line, which is
/// what docker compose does.
///
/// # Errors
/// An unclosed quote, backquote or parenthesis, or a stray one.
pub fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Words::default();
    for c in line.chars() {
        if !words.take(c)? {
            break;
        }
    }
    words.finish()
}

const INVALID: &str = "invalid command line string";

#[derive(Default)]
struct Words {
    done: Vec<String>,
    word: String,
    begun: bool,
    escaped: bool,
    single: bool,
    double: bool,
    back: bool,
    paren: bool,
}

impl Words {
    /// Takes a character; false when the line ends here.
    fn take(&mut self, c: char) -> Result<bool, &'static str> {
        if self.escaped {
            self.escaped = false;
            return Ok(self.push(c));
        }
        if c == '\\' {
            if self.single {
                self.word.push(c);
            } else {
                self.escaped = true;
            }
            return Ok(true);
        }
        let quoted = self.single || self.double || self.back || self.paren;
        match c {
            ' ' | '\t' | '\r' | '\n' if quoted => self.word.push(c),
            ' ' | '\t' | '\r' | '\n' => self.end_word(),
            '"' if !self.single && !self.paren => {
                self.begun |= self.double;
                self.double = !self.double;
            }
            '\'' if !self.double && !self.paren => {
                self.begun |= self.single;
                self.single = !self.single;
            }
            ';' | '&' | '|' | '<' | '>' if !quoted => {
                if c == '>' && self.word.starts_with(|first: char| first.is_ascii_digit()) {
                    self.begun = false;
                }
                return Ok(false);
            }
            _ => {
                self.bracket(c)?;
                return Ok(self.push(c));
            }
        }
        Ok(true)
    }

    /// Backquotes and `$(…)` hold spaces together and stay in the word.
    fn bracket(&mut self, c: char) -> Result<(), &'static str> {
        let plain = !self.single && !self.double;
        match c {
            '`' if plain && !self.paren => self.back = !self.back,
            ')' if plain && !self.back => self.paren = !self.paren,
            '(' if plain && !self.back => {
                if self.paren || !self.word.ends_with('$') {
                    return Err(INVALID);
                }
                self.paren = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn push(&mut self, c: char) -> bool {
        self.word.push(c);
        self.begun = true;
        true
    }

    fn end_word(&mut self) {
        if self.begun {
            self.done.push(std::mem::take(&mut self.word));
            self.begun = false;
        }
    }

    fn finish(mut self) -> Result<Vec<String>, &'static str> {
        self.end_word();
        if self.escaped || self.single || self.double || self.back || self.paren {
            return Err(INVALID);
        }
        Ok(self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_are_split_as_docker_compose_does() {
        let cases: [(&str, &[&str]); 9] = [
            ("sh -c 'a b' \"c d\"", &["sh", "-c", "a b", "c d"]),
            ("a\\ b c", &["a b", "c"]),
            ("", &[]),
            ("a '' b", &["a", "", "b"]),
            ("echo a && b", &["echo", "a"]),
            ("echo $(a b) `c d`", &["echo", "$(a b)", "`c d`"]),
            ("a 'x\\ty'", &["a", "x\\ty"]),
            ("printf \"a\\nb\" c\\td", &["printf", "anb", "ctd"]),
            ("echo hi 2>file", &["echo", "hi"]),
        ];
        for (line, words) in cases {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
        for line in ["'a", "a (b)", "a\\", "a )"] {
            assert!(split(line).is_err(), "{line}");
        }
    }
}

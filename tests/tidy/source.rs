//! A Rust source as tokens, each with its line, the module it stands in, and whether it is test code. Knows no rule.

use std::collections::BTreeSet;

/// One file.
pub struct Source {
    /// From the package's folder: `src/plan/mod.rs`.
    pub path: String,
    pub text: String,
    pub tokens: Vec<Token>,
    /// The files of the modules that it declares: each the candidates of one `mod name;`.
    pub declares: Vec<Vec<String>>,
}

/// A word, a sign or a literal. Comments are none, and a literal's text is not kept.
#[derive(Clone, Debug)]
pub struct Token {
    pub text: String,
    pub line: usize,
    pub is_word: bool,
    /// Inside `#[cfg(test)]`, in a file that only tests have, or under `tests/`.
    pub test: bool,
    /// The modules around it within its file.
    pub inner: Vec<String>,
}

impl Source {
    /// Reads all sources together: what is test code depends on who declares a file.
    pub fn read_all(texts: Vec<(String, String)>) -> Vec<Source> {
        let mut test_files: BTreeSet<String> = BTreeSet::new();
        let mut sources: Vec<Source> = Vec::new();
        for (path, text) in texts {
            let (source, tests) = read(path, text);
            test_files.extend(tests);
            sources.push(source);
        }
        for source in &mut sources {
            let below = |file: &String| match file.strip_suffix("/mod.rs").or(file.strip_suffix(".rs")) {
                Some(folder) => source.path == *file || source.path.starts_with(&format!("{folder}/")),
                None => false,
            };
            if source.path.starts_with("tests/") || test_files.iter().any(below) {
                source.tokens.iter_mut().for_each(|token| token.test = true);
            }
        }
        sources
    }

    /// The module of this file: `[plan, order]`; `None` outside of `src`.
    pub fn module(&self) -> Option<Vec<String>> {
        let path = self.path.strip_prefix("src/")?;
        let path = path.strip_suffix("/mod.rs").or(path.strip_suffix(".rs"))?;
        if path == "lib" || path == "main" {
            return Some(Vec::new());
        }
        Some(path.split('/').map(str::to_owned).collect())
    }

    /// The tokens that run outside of tests.
    pub fn live(&self) -> impl Iterator<Item = (usize, &Token)> {
        self.tokens.iter().enumerate().filter(|(_, token)| !token.test)
    }

    /// Whether these tokens stand here, one after another.
    pub fn reads(&self, at: usize, texts: &[&str]) -> bool {
        texts.iter().enumerate().all(|(offset, text)| self.tokens.get(at + offset).is_some_and(|t| t.text == *text))
    }
}

fn read(path: String, text: String) -> (Source, Vec<String>) {
    let mut tokens = tokenize(&text);
    let mut declares = Vec::new();
    let mut tests = Vec::new();
    mark(&mut tokens, &path, &mut declares, &mut tests);
    (Source { path, text, tokens, declares }, tests)
}

/// Words, signs and literals. `'a'` and `'a`, raw strings, nested comments and byte strings are told apart.
pub fn tokenize(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(&c) = chars.get(at) {
        let start = at;
        let rest = &chars[at..];
        let mut push = |text: String, is_word: bool| {
            tokens.push(Token { text, line, is_word, test: false, inner: Vec::new() });
        };
        at += match c {
            _ if c.is_whitespace() => 1,
            '/' if rest.get(1) == Some(&'/') => length_until(rest, |rest| rest.first() == Some(&'\n')),
            '/' if rest.get(1) == Some(&'*') => block_comment(rest),
            '"' => {
                push("\"\"".into(), false);
                string(rest)
            }
            'r' | 'b' | 'c' if literal_prefix(rest).is_some() => {
                push("\"\"".into(), false);
                literal_prefix(rest).unwrap_or(1)
            }
            '\'' => match character(rest) {
                Some(length) => {
                    push("''".into(), false);
                    length
                }
                None => 1,
            },
            _ if c.is_alphabetic() || c == '_' => {
                let length = length_until(rest, |rest| !rest.first().is_some_and(|c| c.is_alphanumeric() || *c == '_'));
                push(rest[..length].iter().collect(), true);
                length
            }
            _ if c.is_ascii_digit() => {
                push("0".into(), false);
                length_until(rest, |rest| !rest.first().is_some_and(|c| c.is_alphanumeric() || *c == '_'))
            }
            ':' if rest.get(1) == Some(&':') => {
                push("::".into(), false);
                2
            }
            _ => {
                push(c.to_string(), false);
                1
            }
        };
        line += chars[start..at.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

fn length_until(rest: &[char], end: impl Fn(&[char]) -> bool) -> usize {
    (1..rest.len()).find(|at| end(&rest[*at..])).unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match (rest[at], rest.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The length of `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `b'…'`, `c"…"`; `None` when it is a word.
fn literal_prefix(rest: &[char]) -> Option<usize> {
    let letters = rest.iter().take(2).take_while(|c| matches!(c, 'r' | 'b' | 'c')).count();
    let hashes = rest[letters..].iter().take_while(|c| **c == '#').count();
    let raw = rest[..letters].contains(&'r');
    match rest.get(letters + hashes) {
        Some('"') if raw => {
            let ending: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let body = &rest[letters + hashes + 1..];
            let end = (0..body.len()).find(|at| body[*at..].starts_with(&ending)).unwrap_or(body.len());
            Some(letters + hashes + 1 + end + ending.len())
        }
        Some('"') if hashes == 0 => Some(letters + string(&rest[letters..])),
        Some('\'') if hashes == 0 && rest[0] == 'b' => character(&rest[letters..]).map(|length| letters + length),
        _ => None,
    }
}

/// The length of a character literal; `None` for a lifetime.
fn character(rest: &[char]) -> Option<usize> {
    match (rest.get(1)?, rest.get(2)) {
        ('\\', _) => rest.iter().skip(3).position(|c| *c == '\'').map(|at| at + 4),
        (_, Some('\'')) => Some(3),
        _ => None,
    }
}

/// Tells each token its inner modules and whether it is test code, and collects the files that modules are in.
fn mark(tokens: &mut [Token], path: &str, declares: &mut Vec<Vec<String>>, tests: &mut Vec<String>) {
    let mut inner: Vec<(String, usize)> = Vec::new();
    let mut depth = 0_usize;
    let mut test_until: Option<usize> = None;
    let mut given_path: Option<String> = None;
    for at in 0..tokens.len() {
        tokens[at].inner = inner.iter().map(|(name, _)| name.clone()).collect();
        let text = tokens[at].text.clone();
        if test_until.is_none() && is_test_attribute(tokens, at) {
            test_until = Some(end_of_item(tokens, end_of_attribute(tokens, at)));
        }
        tokens[at].test = test_until.is_some();
        if text == "mod" && tokens.get(at + 2).is_some_and(|token| token.text == "{") {
            inner.push((tokens[at + 1].text.clone(), depth));
        }
        if text == "mod" && tokens.get(at + 2).is_some_and(|token| token.text == ";") {
            let files = module_files(path, &tokens[at].inner, &tokens[at + 1].text, given_path.take());
            if tokens[at].test {
                tests.extend(files.clone());
            }
            declares.push(files);
        }
        if text == "path" && at >= 2 && tokens[at - 1].text == "[" {
            given_path = Some(String::new());
        }
        match text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                if inner.last().is_some_and(|(_, outside)| *outside == depth) {
                    inner.pop();
                }
            }
            _ => {}
        }
        if test_until == Some(at) {
            test_until = None;
        }
    }
}

fn is_test_attribute(tokens: &[Token], at: usize) -> bool {
    let is = |offset: usize, text: &str| tokens.get(at + offset).is_some_and(|token| token.text == text);
    if !(is(0, "#") && is(1, "[") && is(2, "cfg")) {
        return false;
    }
    let words = &tokens[at..end_of_attribute(tokens, at)];
    words.iter().any(|token| token.text == "test") && !words.iter().any(|token| token.text == "not")
}

/// The index behind `]`.
fn end_of_attribute(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.text.as_str() {
            "[" => depth += 1,
            "]" => {
                depth -= 1;
                if depth == 0 {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// The index of an item's last token: `;`, or the `}` of its body, or the `,` of a field.
fn end_of_item(tokens: &[Token], from: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = from;
    while tokens.get(at).is_some_and(|token| token.text == "#") {
        at = end_of_attribute(tokens, at);
    }
    let keyword = tokens[at..].iter().map(|t| t.text.as_str()).find(|text| {
        ["use", "fn", "mod", "impl", "struct", "enum", "trait", "const", "static", "type", "let", "macro_rules"]
            .contains(text)
    });
    let ends_with_body = !matches!(keyword, Some("use" | "const" | "static" | "type" | "let"));
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token.text == "}" && ends_with_body {
                    return index;
                }
            }
            ";" if depth == 0 => return index,
            _ => {}
        }
    }
    tokens.len().saturating_sub(1)
}

/// Where `mod name;` may be. A `#[path]` is not used here, and would be found as a file that nothing reaches.
fn module_files(path: &str, inner: &[String], name: &str, given: Option<String>) -> Vec<String> {
    if given.is_some() {
        return Vec::new();
    }
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let is_root = matches!(file, "mod.rs" | "lib.rs" | "main.rs") || folder == "tests" || folder == "benches";
    let mut base = folder.to_owned();
    if !is_root {
        base = format!("{base}/{}", file.trim_end_matches(".rs"));
    }
    for module in inner {
        base = format!("{base}/{module}");
    }
    vec![format!("{base}/{name}.rs"), format!("{base}/{name}/mod.rs")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokenize(text).into_iter().filter(|token| token.is_word).map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        let text = r##"a // unwrap
            /* b /* c */ d */ e "f \" g" r#"h "i" "# 'j' '\'' &'k l b"m" br"n" b'o' '\u{1b}' p"##;
        assert_eq!(words(text), ["a", "e", "k", "l", "p"]);
    }

    #[test]
    fn lines_are_counted_through_literals() {
        let tokens = tokenize("\"a\nb\"\n/*\n*/ x");
        assert_eq!(tokens.last().map(|token| (token.text.as_str(), token.line)), Some(("x", 4)));
    }

    #[test]
    fn test_code_is_known_by_its_attribute_and_its_file() {
        let lib = "mod a;\n#[cfg(test)] use b::{c};\nfn live() {}\n#[cfg(test)]\nmod tests { fn dead() {} }\n#[cfg(test)] mod far;\nfn live2() {}";
        let sources = Source::read_all(vec![
            ("src/lib.rs".into(), lib.into()),
            ("src/far/deep.rs".into(), "fn dead2() {}".into()),
            ("src/a.rs".into(), "#[cfg(not(test))] fn live3() {}".into()),
        ]);
        let live: Vec<&str> = sources
            .iter()
            .flat_map(|source| source.live())
            .map(|(_, token)| token.text.as_str())
            .filter(|text| text.starts_with("live") || text.starts_with("dead"))
            .collect();
        assert_eq!(live, ["live", "live2", "live3"]);
    }
}

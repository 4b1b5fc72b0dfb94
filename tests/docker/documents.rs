//! Each page of `docs/` does what it says: its files are written, its commands run in their order, and what they print is
//! what the page shows. A line `…` stands for any lines; ids, times and sizes may differ. None is left out.

use crate::stack::{EVENKEEL, Ran, Stack, setting};
use std::{collections::BTreeMap, collections::BTreeSet, fs, os::unix::fs::symlink, path::Path};

/// The stack's name on every page.
const NAME: &str = "shop";
/// The state directory on every page.
const HOME: &str = "/var/lib/evenkeel";

/// A command of a page, and what the page shows of it.
struct Shown {
    command: String,
    lines: Vec<String>,
}

/// One page, in a folder with its files.
struct Page {
    stack: Stack,
    commands: Vec<Shown>,
}

impl Page {
    fn new(name: &str) -> Page {
        let page = Page { stack: Stack::new("docs"), commands: Vec::new() };
        let folder = page.folder();
        fs::create_dir_all(page.stack.path("bin")).unwrap();
        fs::create_dir_all(page.stack.path("docker/cli-plugins")).unwrap();
        fs::create_dir_all(&folder).unwrap();
        symlink(EVENKEEL, page.stack.path("bin/evenkeel")).unwrap();
        symlink(setting("EVENKEEL_TEST_DOCKER"), page.stack.path("bin/docker")).unwrap();
        symlink(setting("EVENKEEL_TEST_COMPOSE"), page.stack.path("docker/cli-plugins/docker-compose")).unwrap();
        let text = fs::read_to_string(pages().join(name)).unwrap();
        let mut commands = Vec::new();
        for (language, body) in blocks(&text) {
            match language {
                "yaml" => {
                    let (first, _) = body.split_once('\n').unwrap();
                    let file = first.strip_prefix("# ").unwrap_or_else(|| panic!("no name of a file: {first}"));
                    fs::write(folder.join(file), page.own(&body)).unwrap();
                }
                "console" => commands.extend(page.commands(&body)),
                other => panic!("{name}: nothing is done with `{other}`"),
            }
        }
        Page { commands, ..page }
    }

    /// docker compose names a project after its folder.
    fn folder(&self) -> std::path::PathBuf {
        self.stack.path(&self.stack.name)
    }

    fn commands(&self, body: &str) -> Vec<Shown> {
        let mut commands: Vec<Shown> = Vec::new();
        for line in body.lines() {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push(Shown { command: self.own(command), lines: Vec::new() }),
                (None, Some(last)) => last.lines.push(line.to_owned()),
                (None, None) => panic!("no command before `{line}`"),
            }
        }
        commands
    }

    /// A text with this test's own name and home.
    fn own(&self, text: &str) -> String {
        let home = self.stack.home().display().to_string();
        text.replace(HOME, &home).replace(NAME, &self.stack.name)
    }

    fn run(&self, command: &str) -> Ran {
        let mut shell = self.stack.place.command("bash");
        let path = format!("{}:{}", self.stack.path("bin").display(), std::env::var("PATH").unwrap());
        shell.args(["-c", command]).current_dir(self.folder()).envs(&self.stack.variables);
        shell.env("PATH", path).env("DOCKER_CONFIG", self.stack.path("docker"));
        Ran::of(command.to_owned(), shell.output().unwrap())
    }

    /// Runs every command, and tells after each what ran by then.
    fn holds(&self, mut after: impl FnMut(&str, &BTreeMap<String, String>)) {
        let mut code = 0;
        for (index, shown) in self.commands.iter().enumerate() {
            if shown.command == "echo $?" {
                assert_eq!(shown.lines, [code.to_string()]);
                continue;
            }
            let ran = self.run(&shown.command);
            code = ran.code;
            let is_asked = self.commands.get(index + 1).is_some_and(|next| next.command == "echo $?");
            assert!(code == 0 || is_asked, "`{}` ended with {code}\n{}", ran.line, ran.all());
            self.compare(shown, &ran);
            after(&shown.command, &self.stack.ids());
        }
    }

    /// Data where there is data, else talk; a page that shows nothing of it shows that there is none, but for what docker
    /// compose tells of its work.
    fn compare(&self, shown: &Shown, ran: &Ran) {
        let told = if ran.out.is_empty() { &ran.err } else { &ran.out };
        if shown.lines.is_empty() && ran.out.is_empty() && shown.command.contains("docker compose up") {
            return;
        }
        let normal = |line: &str| normal(&line.replace(&self.stack.name, NAME));
        let told: Vec<String> = told.lines().map(normal).collect();
        let expected: Vec<String> = shown.lines.iter().map(|line| normal(line)).collect();
        assert!(
            matches(&expected, &told),
            "`{}` is shown with\n{}\n\nand printed\n{}",
            ran.line,
            expected.join("\n"),
            told.join("\n")
        );
    }
}

fn pages() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// The fenced blocks of a page: their language and their text.
fn blocks(text: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language, format!("{}\n", body.join("\n"))));
        }
    }
    blocks
}

/// Whether lines are those expected, where `…` stands for any.
fn matches(expected: &[String], told: &[String]) -> bool {
    match expected.split_first() {
        None => told.is_empty(),
        Some((first, rest)) if first == "…" => (0..=told.len()).any(|skipped| matches(rest, &told[skipped..])),
        Some((first, rest)) => told.split_first().is_some_and(|(line, more)| line == first && matches(rest, more)),
    }
}

/// A line with one space for many, and with what is another each time put out of the way.
fn normal(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
        let digest = inner.strip_prefix("sha256:").unwrap_or(inner);
        let is_id = digest.len() == 12 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_time = ["ms", "s"].iter().any(|unit| inner.strip_suffix(unit).is_some_and(number));
        match (is_id, is_time) {
            (true, _) => word.replace(digest, "ID"),
            (_, true) => word.replace(inner, "TIME"),
            _ => word.to_owned(),
        }
    });
    let words: Vec<String> = words.collect();
    let size = |index: usize| words.get(index + 1).is_some_and(|unit| unit == "MiB" || unit == "GiB");
    let words = words.iter().enumerate().map(|(index, word)| if size(index) { "SIZE" } else { word.as_str() });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn each_page_has_a_test() {
    let all = fs::read_dir(pages()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let tested = ["leave-evenkeel.md", "take-over-a-running-project.md"].map(str::to_owned);
    assert_eq!(all.collect::<BTreeSet<_>>(), BTreeSet::from(tested));
}

#[test]
fn take_over_a_running_project() {
    let page = Page::new("take-over-a-running-project.md");
    let mut first = BTreeMap::new();
    let mut applied = 0;
    page.holds(|command, ids| {
        if first.is_empty() {
            first.clone_from(ids);
        }
        applied += usize::from(command == "evenkeel apply");
        match applied {
            0 | 1 => assert_eq!(*ids, first, "untouched: {command}"),
            _ => assert_eq!((ids["store-1"] == first["store-1"], ids["web-1"] == first["web-1"]), (true, false)),
        }
    });
    assert_eq!((applied, first.len()), (2, 2));
}

#[test]
fn leave_evenkeel() {
    let page = Page::new("leave-evenkeel.md");
    let mut made = BTreeMap::new();
    page.holds(|command, ids| {
        if made.is_empty() {
            made.clone_from(ids);
        }
        assert_eq!(*ids, made, "untouched: {command}");
    });
    assert_eq!(made.len(), 2);
    assert!(!page.stack.home().join("stacks").join(&page.stack.name).exists());
    // And back again.
    let ran = page.run("evenkeel apply");
    assert_eq!((ran.code, page.stack.ids()), (0, made), "{}", ran.all());
}

#[test]
fn what_differs_each_time_is_put_out_of_the_way_and_nothing_else() {
    let one = normal("  web  replaced in 6.1s, at (13c0dc88ef3b), sha256:ea767985e9c8; uses 12 MiB");
    assert_eq!(one, "web replaced in TIME, at (ID), sha256:ID; uses SIZE MiB");
    let lines = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
    assert!(matches(&lines("a|…|d"), &lines("a|b|c|d")) && matches(&lines("a|…"), &lines("a")));
    assert!(!matches(&lines("a|…|d"), &lines("a|b")) && !matches(&lines("a"), &lines("a|b")));
}

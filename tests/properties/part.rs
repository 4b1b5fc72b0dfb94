//! One service of a random stack: what a person might write for it.

use crate::seed::Seed;
use std::collections::BTreeMap;

/// One service of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub image: &'static str,
    pub replicas: u32,
    pub probe: bool,
    pub startup: bool,
    pub volume: bool,
    pub shared_volumes: bool,
    pub back: bool,
    /// Whether it is on a network of somebody else, too.
    pub outer: bool,
    /// Whether it mounts a volume of somebody else, and only reads it.
    pub borrowed: Option<bool>,
    pub port: bool,
    /// A file that is mounted read-only (by `config`, `secret` or `bind`), and which content it has.
    pub file: Option<(&'static str, u32)>,
    /// Whose network it uses.
    pub shares: Option<&'static str>,
    pub strategy: Option<&'static str>,
    pub memory: Option<u32>,
    pub level: u32,
    pub min_ready: u32,
    pub drain: u32,
    pub restart: &'static str,
    pub depends: BTreeMap<&'static str, bool>,
}

impl Part {
    /// One whose image is fine.
    pub fn fine(seed: &mut Seed) -> Part {
        Part {
            image: fine_image(seed),
            replicas: seed.pick(&[1, 1, 1, 2, 3]),
            probe: seed.percent(30),
            startup: seed.percent(15),
            volume: seed.percent(20),
            shared_volumes: seed.percent(15),
            back: seed.percent(25),
            outer: seed.percent(12),
            borrowed: if seed.percent(10) { Some(seed.percent(50)) } else { None },
            port: seed.percent(15),
            file: if seed.percent(25) { Some((seed.pick(&KINDS), 0)) } else { None },
            shares: None,
            strategy: seed.pick(&[None, None, None, Some("startFirst"), Some("stopFirst"), Some("recreate")]),
            memory: seed.pick(&[None, Some(64), Some(96)]),
            level: 0,
            min_ready: seed.pick(&[1, 2]),
            drain: seed.pick(&[0, 0, 1]),
            restart: seed.pick(&["always", "unless-stopped"]),
            depends: BTreeMap::new(),
        }
    }

    /// Changes one thing of it.
    pub fn change(&mut self, seed: &mut Seed) {
        match seed.below(18) {
            0..=2 => {
                self.image = match self.image {
                    "web:1" => "web:2",
                    "db:1" => "db:2",
                    "db:2" => "db:1",
                    "job:1" => "job:2",
                    _ => "web:1",
                }
            }
            3 => self.image = fine_image(seed),
            4 | 5 => self.level += 1,
            6 => self.replicas = seed.pick(&[1, 2, 3]),
            7 => self.memory = seed.pick(&[None, Some(64), Some(96), Some(128)]),
            8 => self.volume = !self.volume,
            9 => self.back = !self.back,
            10 => self.port = !self.port,
            11 => self.restart = seed.pick(&["always", "unless-stopped"]),
            12 | 13 => self.file = self.file.map_or(Some((seed.pick(&KINDS), 0)), |(kind, of)| Some((kind, of + 1))),
            14 => self.outer = !self.outer,
            15 => self.borrowed = seed.pick(&[None, Some(true), Some(false)]),
            16 => self.startup = !self.startup,
            _ => self.strategy = seed.pick(&[None, Some("startFirst"), Some("stopFirst"), Some("recreate")]),
        }
    }

    /// Gives it an image that never gets through its gate. A one-shot stays one, and others do not become one.
    pub fn break_it(&mut self, seed: &mut Seed) {
        let image = seed.pick(&["web:broken", "web:crash", "db:broken", "job:broken"]);
        self.image = match (self.is_job(), image) {
            (true, _) => "job:broken",
            (false, "job:broken") => "web:crash",
            (false, image) => image,
        };
    }

    pub fn is_job(&self) -> bool {
        self.image.starts_with("job")
    }

    /// Whether its image never gets through a gate.
    pub fn breaks(&self) -> bool {
        self.image.ends_with("broken") || self.image.ends_with("crash")
    }

    /// Whether only one of it can run at a time.
    fn is_exclusive(&self) -> bool {
        let writes = self.volume || self.image.starts_with("db") || self.borrowed == Some(false);
        self.port || writes && !self.shared_volumes
    }

    /// Whether two of it can run at once, and evenkeel knows it.
    pub fn starts_first(&self) -> bool {
        let chosen = match self.strategy {
            Some(declared) => declared == "startFirst",
            None => !self.is_exclusive(),
        };
        !self.is_job() && chosen
    }

    /// Takes away what does not go together.
    pub fn tidy(&mut self) {
        if self.is_job() {
            (self.replicas, self.port, self.shares, self.probe, self.startup) = (1, false, None, false, false);
            (self.restart, self.strategy) = ("'no'", None);
        } else if self.restart == "'no'" {
            self.restart = "always";
        }
        if self.image == "late:1" || self.image.ends_with(":broken") && !self.is_job() {
            self.probe = true;
        }
        if self.port || self.shares.is_some() {
            self.replicas = 1;
        }
        if self.shares.is_some() {
            (self.port, self.back, self.outer) = (false, false, false);
        }
        // A declared startFirst does not go with what only one can hold.
        if self.is_exclusive() && self.strategy == Some("startFirst") {
            self.strategy = None;
        }
    }
}

/// How a file gets into a container.
const KINDS: [&str; 3] = ["config", "secret", "bind"];

fn fine_image(seed: &mut Seed) -> &'static str {
    seed.pick(&["web:1", "web:1", "web:2", "db:1", "db:2", "checked:1", "late:1", "job:1", "job:2"])
}

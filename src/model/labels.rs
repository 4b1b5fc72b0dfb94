//! The labels that containers, networks and volumes carry: docker compose's, so that its commands work on what evenkeel
//! runs, and evenkeel's own. None of them is ever compared as drift.

use super::value::Value;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::{borrow::Borrow, collections::BTreeMap, fmt};

/// The labels of a container: those of the user, and apart from them docker compose's and ours, which tell thousands of
/// containers apart and by which none is compared. Each is one list, for they are few.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<LabelName, Value>")]
pub struct Labels {
    users: List,
    bookkeeping: List,
}

type List = LiteMap<LabelName, Value>;

impl Labels {
    /// Those of the user, by name.
    pub fn users(&self) -> impl Iterator<Item = (&LabelName, &Value)> {
        self.users.iter()
    }

    /// docker compose's and ours, by name.
    pub fn bookkeeping(&self) -> impl Iterator<Item = (&LabelName, &Value)> {
        self.bookkeeping.iter()
    }

    /// All of them, by name.
    pub fn iter(&self) -> std::vec::IntoIter<(&LabelName, &Value)> {
        let mut all: Vec<_> = self.users().chain(self.bookkeeping()).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all.into_iter()
    }

    /// All values, those of the user first.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.users.iter_mut().chain(self.bookkeeping.iter_mut()).map(|(_, value)| value)
    }

    /// What a label says.
    pub fn get(&self, name: &str) -> Option<&Value> {
        if is_bookkeeping(name) { self.bookkeeping.get(name) } else { self.users.get(name) }
    }

    /// Sets one.
    pub fn insert(&mut self, name: LabelName, value: Value) {
        self.list_of(&name).insert(name, value);
    }

    /// Sets one that is not there.
    pub fn provide(&mut self, name: LabelName, value: impl FnOnce() -> Value) {
        self.list_of(&name).entry(name).or_insert_with(value);
    }

    /// Takes one away.
    pub fn remove(&mut self, name: &str) {
        self.list_of(&name.into()).remove(name);
    }

    /// Makes room for so many more of docker compose's and ours.
    pub fn reserve(&mut self, more: usize) {
        self.bookkeeping.reserve(more);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.bookkeeping.is_empty()
    }

    fn list_of(&mut self, name: &LabelName) -> &mut List {
        if is_bookkeeping(name.as_str()) { &mut self.bookkeeping } else { &mut self.users }
    }
}

impl Extend<(LabelName, Value)> for Labels {
    fn extend<I: IntoIterator<Item = (LabelName, Value)>>(&mut self, labels: I) {
        labels.into_iter().for_each(|(name, value)| self.insert(name, value));
    }
}

impl FromIterator<(LabelName, Value)> for Labels {
    fn from_iter<I: IntoIterator<Item = (LabelName, Value)>>(labels: I) -> Labels {
        let mut all = Labels::default();
        all.extend(labels);
        all
    }
}

impl From<BTreeMap<LabelName, Value>> for Labels {
    fn from(labels: BTreeMap<LabelName, Value>) -> Labels {
        labels.into_iter().collect()
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a LabelName, &'a Value);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for Labels {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

/// A container's label's name. Those that every container carries are one text for all of them: a stack of thousands is
/// sorted by them, and that is a matter of how much memory is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct LabelName(SmolStr);

impl LabelName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for LabelName {
    fn from(text: &str) -> LabelName {
        let known = EVERYWHERE.into_iter().find(|known| *known == text);
        LabelName(known.map_or_else(|| SmolStr::new(text), SmolStr::new_static))
    }
}

impl From<String> for LabelName {
    fn from(text: String) -> LabelName {
        LabelName::from(text.as_str())
    }
}

impl fmt::Display for LabelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Borrow<str> for LabelName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// The labels of every container.
const EVERYWHERE: [&str; 14] = [
    compose::PROJECT,
    compose::SERVICE,
    compose::NUMBER,
    compose::ONEOFF,
    compose::CONFIG_HASH,
    compose::IMAGE,
    compose::DEPENDS_ON,
    compose::CONFIG_FILES,
    compose::WORKING_DIR,
    compose::ENVIRONMENT_FILE,
    compose::VERSION,
    ours::STACK,
    ours::ROLLOUT,
    ours::CONTENT,
];

/// docker compose's labels (`com.docker.compose.…`).
pub mod compose {
    pub const PREFIX: &str = "com.docker.compose.";
    pub const PROJECT: &str = "com.docker.compose.project";
    pub const SERVICE: &str = "com.docker.compose.service";
    pub const NUMBER: &str = "com.docker.compose.container-number";
    pub const ONEOFF: &str = "com.docker.compose.oneoff";
    pub const CONFIG_HASH: &str = "com.docker.compose.config-hash";
    pub const IMAGE: &str = "com.docker.compose.image";
    pub const DEPENDS_ON: &str = "com.docker.compose.depends_on";
    pub const CONFIG_FILES: &str = "com.docker.compose.project.config_files";
    pub const WORKING_DIR: &str = "com.docker.compose.project.working_dir";
    pub const ENVIRONMENT_FILE: &str = "com.docker.compose.project.environment_file";
    pub const VERSION: &str = "com.docker.compose.version";
    pub const NETWORK: &str = "com.docker.compose.network";
    pub const VOLUME: &str = "com.docker.compose.volume";
    /// The docker compose whose model evenkeel follows.
    pub const VERSION_FOLLOWED: &str = "2.40.3";
}

/// evenkeel's labels (`dev.evenkeel.…`): facts fixed at creation.
pub mod ours {
    pub const PREFIX: &str = "dev.evenkeel.";
    /// On everything evenkeel makes: the stack.
    pub const STACK: &str = "dev.evenkeel.stack";
    /// On containers: `<plan id>/<unit>`, to find one again whose creation's reply was lost.
    pub const ROLLOUT: &str = "dev.evenkeel.rollout";
    /// On containers: `1:<salt>:<HMAC>` of the contents mounted; see `content::label`.
    pub const CONTENT: &str = "dev.evenkeel.content";
    /// On the claim volume: where the home is, as mounted on the host.
    pub const HOME: &str = "dev.evenkeel.home";
    /// On the claim volume: the host's machine id.
    pub const MACHINE: &str = "dev.evenkeel.machine";
}

/// Whether a label is docker compose's or ours: written by the tool, not by the user.
pub fn is_bookkeeping(label: &str) -> bool {
    label.starts_with(compose::PREFIX) || label.starts_with(ours::PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_the_user_stand_apart_and_all_are_one_map_by_name() {
        let text =
            r#"{"a":"1","com.docker.compose.project":"shop","com.example":"2","dev.evenkeel.stack":"shop","z":"3"}"#;
        let mut labels: Labels = serde_json::from_str(text).unwrap();
        let names = |part: &mut dyn Iterator<Item = (&LabelName, &Value)>| {
            part.map(|(name, _)| name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(&mut labels.users()), ["a", "com.example", "z"]);
        assert_eq!(names(&mut labels.bookkeeping()), [compose::PROJECT, ours::STACK]);
        assert_eq!(serde_json::to_string(&labels).unwrap(), text);

        labels.provide("a".into(), || unreachable!("it is there"));
        labels.provide(ours::CONTENT.into(), || Value::plain("x"));
        assert_eq!(labels.get(ours::CONTENT), Some(&Value::plain("x")));
        for name in ["a", "com.example", "z", compose::PROJECT, ours::STACK, ours::CONTENT] {
            assert!(!labels.is_empty());
            labels.remove(name);
        }
        assert!(labels.is_empty());
    }
}

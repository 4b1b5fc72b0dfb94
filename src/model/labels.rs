//! The labels that containers, networks and volumes carry: docker compose's, so that its commands work on what evenkeel
//! runs, and evenkeel's own. None of them is ever compared as drift.

use super::value::Value;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// The labels of a container: those of the user, and apart from them docker compose's and ours, which tell thousands of
/// containers apart and by which none is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<SmolStr, Value>")]
pub struct Labels {
    users: List,
    /// Those of `KNOWN`, each at its place there: one of them is found without a look at the others. Absent where there is
    /// none.
    known: Option<Box<[Option<Value>; KNOWN.len()]>>,
    /// docker compose's and ours of any other name.
    others: List,
}

/// One list, for they are few.
type List = LiteMap<SmolStr, Value>;

/// The labels of every container, those first that say whose it is.
const KNOWN: [&str; 14] = [
    compose::SERVICE,
    compose::NUMBER,
    compose::ONEOFF,
    ours::STACK,
    ours::CONTENT,
    compose::CONFIG_HASH,
    compose::WORKING_DIR,
    compose::CONFIG_FILES,
    compose::PROJECT,
    compose::IMAGE,
    compose::DEPENDS_ON,
    compose::ENVIRONMENT_FILE,
    compose::VERSION,
    ours::ROLLOUT,
];

impl Labels {
    /// Those of the user, by name.
    pub fn users(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.users.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// docker compose's and ours.
    pub fn bookkeeping(&self) -> impl Iterator<Item = (&str, &Value)> {
        let known = self.known.iter().flat_map(|known| KNOWN.into_iter().zip(known.iter()));
        let known = known.filter_map(|(name, value)| Some((name, value.as_ref()?)));
        known.chain(self.others.iter().map(|(name, value)| (name.as_str(), value)))
    }

    /// All of them, by name.
    pub fn iter(&self) -> std::vec::IntoIter<(&str, &Value)> {
        let mut all: Vec<_> = self.users().chain(self.bookkeeping()).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all.into_iter()
    }

    /// All values, in a fixed order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        let lists = self.users.iter_mut().chain(self.others.iter_mut()).map(|(_, value)| value);
        lists.chain(self.known.iter_mut().flat_map(|known| known.iter_mut().flatten()))
    }

    /// What a label says.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match place(name) {
            Some(place) => self.known.as_ref()?[place].as_ref(),
            None if is_bookkeeping(name) => self.others.get(name),
            None => self.users.get(name),
        }
    }

    /// Sets one.
    pub fn insert(&mut self, name: SmolStr, value: Value) {
        match place(&name) {
            Some(place) => self.known.get_or_insert_default()[place] = Some(value),
            None => _ = self.list_of(&name).insert(name, value),
        }
    }

    /// Sets one that is not there.
    pub fn provide(&mut self, name: SmolStr, value: impl FnOnce() -> Value) {
        if self.get(&name).is_none() {
            self.insert(name, value());
        }
    }

    /// Takes one away.
    pub fn remove(&mut self, name: &str) {
        match place(name) {
            Some(place) => self.known.iter_mut().for_each(|known| known[place] = None),
            None => _ = self.list_of(name).remove(name),
        }
        // None of them is the same as no place for any.
        self.known = self.known.take().filter(|known| known.iter().any(Option::is_some));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.known.is_none() && self.others.is_empty()
    }

    /// Where one is that is not known.
    fn list_of(&mut self, name: &str) -> &mut List {
        if is_bookkeeping(name) { &mut self.others } else { &mut self.users }
    }
}

/// Where a known label stands.
fn place(name: &str) -> Option<usize> {
    KNOWN.iter().position(|known| *known == name)
}

impl Extend<(SmolStr, Value)> for Labels {
    fn extend<I: IntoIterator<Item = (SmolStr, Value)>>(&mut self, labels: I) {
        labels.into_iter().for_each(|(name, value)| self.insert(name, value));
    }
}

impl FromIterator<(SmolStr, Value)> for Labels {
    fn from_iter<I: IntoIterator<Item = (SmolStr, Value)>>(labels: I) -> Labels {
        let mut all = Labels::default();
        all.extend(labels);
        all
    }
}

impl From<BTreeMap<SmolStr, Value>> for Labels {
    fn from(labels: BTreeMap<SmolStr, Value>) -> Labels {
        labels.into_iter().collect()
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = (&'a str, &'a Value);
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
        let text = r#"{"a":"1","com.docker.compose.project":"shop","com.docker.compose.replace":"x","com.example":"2","dev.evenkeel.stack":"shop","z":"3"}"#;
        let mut labels: Labels = serde_json::from_str(text).unwrap();
        let users: Vec<&str> = labels.users().map(|(name, _)| name).collect();
        assert_eq!(users, ["a", "com.example", "z"]);
        assert_eq!(serde_json::to_string(&labels).unwrap(), text);

        labels.provide("a".into(), || unreachable!("it is there"));
        labels.provide(ours::CONTENT.into(), || Value::plain("x"));
        assert_eq!(labels.get(ours::CONTENT), Some(&Value::plain("x")));
        labels.values_mut().for_each(|value| *value = Value::plain("same"));
        assert!(labels.iter().all(|(_, value)| value.reveal() == "same"));
        let names: Vec<String> = labels.iter().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(names.len(), 7);
        for name in names {
            assert!(labels.get(&name).is_some());
            labels.remove(&name);
            assert!(labels.get(&name).is_none());
        }
        assert_eq!(labels, Labels::default());
        assert!(labels.is_empty());
    }
}

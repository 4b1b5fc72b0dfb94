//! Where variables are looked up: layers, the first that has one wins.

use std::collections::BTreeMap;

/// An ordered lookup: overrides, then the process environment, then env files.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    layers: Vec<BTreeMap<String, String>>,
}

impl Variables {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a layer below those there are.
    pub fn with(mut self, layer: impl IntoIterator<Item = (String, String)>) -> Self {
        self.layers.push(layer.into_iter().collect());
        self
    }

    /// Puts one variable above all layers.
    pub fn with_override(mut self, name: &str, value: &str) -> Self {
        self.layers.insert(0, BTreeMap::from([(name.to_owned(), value.to_owned())]));
        self
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.layers.iter().find_map(|layer| layer.get(name)).map(String::as_str)
    }

    /// Every variable that has a value, with the value that counts.
    pub fn all(&self) -> BTreeMap<&str, &str> {
        self.layers.iter().rev().flatten().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The lookup as a function.
    pub(crate) fn lookup(&self) -> impl Fn(&str) -> Option<String> + '_ {
        |name| self.get(name).map(str::to_owned)
    }
}

//! The waves in which services come: each after those that it waits for.

use crate::model::{desired::Desired, names::ServiceName};
use std::collections::{BTreeMap, BTreeSet};

/// The services in waves, by `depends_on` alone: each as early as it can be. There is no cycle in what was loaded; what
/// hung in one would come last.
pub fn waves(desired: &Desired) -> Vec<Vec<&ServiceName>> {
    let mut waits: BTreeMap<&ServiceName, BTreeSet<&ServiceName>> = desired
        .services
        .iter()
        .map(|(name, service)| {
            let on = service.depends_on.keys().chain(&service.shares);
            (name, on.filter(|other| *other != name && desired.services.contains_key(*other)).collect())
        })
        .collect();
    let mut waves = Vec::new();
    while !waits.is_empty() {
        let mut free: Vec<&ServiceName> = waits.iter().filter(|(_, on)| on.is_empty()).map(|(name, _)| *name).collect();
        if free.is_empty() {
            free = waits.keys().copied().collect();
        }
        waits.retain(|name, _| !free.contains(name));
        waits.values_mut().for_each(|on| on.retain(|name| !free.contains(name)));
        waves.push(free);
    }
    waves
}

#[cfg(test)]
mod tests {
    use super::super::tests::desired;
    use super::*;

    fn text(services: &str) -> String {
        let desired = desired(&format!("services: {{{services}}}"));
        let wave = |wave: Vec<&ServiceName>| wave.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
        waves(&desired).into_iter().map(wave).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn each_comes_after_those_that_it_waits_for() {
        assert_eq!(
            text("a: {image: x, depends_on: [b, c]}, b: {image: x, depends_on: [c]}, c: {image: x}"),
            "c | b | a"
        );
        assert_eq!(text("a: {image: x}, b: {image: x}"), "a b");
        assert_eq!(text("a: {image: x, network_mode: 'service:b'}, b: {image: x}"), "b | a");
    }
}

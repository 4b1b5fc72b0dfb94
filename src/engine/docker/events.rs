//! The engine's event stream: what changed, and whose it is. Containers tell their labels with each event; networks and
//! volumes do not, so it is remembered what there is, and asked of what is new. Whatever can't be read or told apart is an
//! event of nobody in particular.

use super::{
    DockerEngine, READ, failure,
    json::Listed,
    lines::{self, Lines},
};
use crate::{
    engine::{EngineEvent, EngineEvents, EngineResult, Networks, Volumes, clock::within},
    model::{
        labels::{compose, ours},
        names::StackName,
    },
};
use futures::stream;
use serde::Deserialize;
use std::collections::BTreeMap;

const CALL: &str = "watch the events of";
const TARGET: &str = "the engine";

/// What the engine is asked for. Health checks and commands in containers emit three events each; none of these is
/// one of them.
const TYPES: &[&str] = &["container", "network", "volume"];
const ACTIONS: &[&str] = &[
    "die",
    "start",
    "oom",
    "health_status",
    "destroy",
    "rename",
    "update",
    "pause",
    "unpause",
    "connect",
    "disconnect",
    "create",
];

impl DockerEngine {
    pub(super) async fn events(&self) -> EngineResult<EngineEvents> {
        // The engine answers before it listens to itself: what happens in between it tells because of `since`, by its clock.
        self.clock.set();
        let now = self.clock.now().0.max(0);
        let since = format!("{}.{:03}", now / 1000, now % 1000);
        let filters = serde_json::json!({"type": TYPES, "event": ACTIONS}).to_string();
        let (major, minor) = self.api();
        let path = format!("/v{major}.{minor}/events?since={since}&filters={}", encoded(&filters));
        let lines = match within(&*self.clock, READ, lines::lines(self.connections.socket(), &path)).await {
            None => return Err(failure::timed_out(CALL, TARGET, READ)),
            Some(lines) => lines.map_err(|error| failure::from_read(CALL, TARGET, error))?,
        };
        let owners = Owners::of(self).await?;
        let watching = Watching { engine: self.clone(), lines, owners };
        Ok(Box::pin(stream::unfold(Some(watching), next)))
    }
}

/// An open stream.
struct Watching {
    engine: DockerEngine,
    lines: Lines,
    owners: Owners,
}

async fn next(watching: Option<Watching>) -> Option<(EngineResult<EngineEvent>, Option<Watching>)> {
    let mut watching = watching?;
    loop {
        match watching.lines.next().await {
            Ok(line) => {
                if let Some(event) = watching.read(&line).await {
                    return Some((Ok(event), Some(watching)));
                }
            }
            Err(error) => return Some((Err(failure::from_read(CALL, TARGET, error)), None)),
        }
    }
}

impl Watching {
    /// What a line says; `None` where it is nobody's business.
    async fn read(&mut self, line: &[u8]) -> Option<EngineEvent> {
        let Ok(told) = serde_json::from_slice::<Told>(line) else {
            return Some(EngineEvent { stack: None, what: "something that can't be read".to_owned() });
        };
        if told.is_new_thing()
            && let Some(owner) = self.engine.owner(&told.r#type, &told.actor.id).await
        {
            self.owners.0.insert(told.key(), owner);
        }
        self.owners.event(&told)
    }
}

/// Who something belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    Stack(StackName),
    Nobody,
}

impl Owner {
    fn of(labels: &BTreeMap<String, String>) -> Owner {
        let label = labels.get(compose::PROJECT).or_else(|| labels.get(ours::STACK));
        label.map_or(Owner::Nobody, |name| Owner::Stack(StackName::new(name)))
    }
}

/// What there is, by type and id (of volumes the name), and whose it is.
#[derive(Debug, Default)]
struct Owners(BTreeMap<(Kind, String), Owner>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Container,
    Network,
    Volume,
    #[default]
    #[serde(other)]
    Other,
}

/// An event as the engine writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Told {
    r#type: Kind,
    action: String,
    actor: Actor,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Actor {
    #[serde(rename = "ID")]
    id: String,
    /// The labels of a container among them.
    #[serde(rename = "Attributes")]
    attributes: BTreeMap<String, String>,
}

impl Told {
    fn key(&self) -> (Kind, String) {
        (self.r#type, self.actor.id.clone())
    }

    /// A network or a volume was made, and its labels are not told.
    fn is_new_thing(&self) -> bool {
        self.action == "create" && matches!(self.r#type, Kind::Network | Kind::Volume)
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.actor.attributes.get(name).map(String::as_str)
    }

    /// The engine can only be asked for actions whatever they are done to.
    fn is_asked_for(&self) -> bool {
        match self.r#type {
            Kind::Container => self.action != "create",
            Kind::Volume => self.action == "destroy",
            Kind::Network | Kind::Other => true,
        }
    }
}

impl Owners {
    /// Of all that is there now.
    async fn of(engine: &DockerEngine) -> EngineResult<Owners> {
        let nothing = Default::default();
        let (containers, networks, volumes) = futures::try_join!(
            engine.read::<Vec<Listed>>("list", "containers", "/containers/json?all=true"),
            engine.list_networks(&nothing),
            engine.list_volumes(),
        )?;
        let mut owners = BTreeMap::new();
        for container in containers {
            owners.insert((Kind::Container, container.id), Owner::of(&container.labels));
        }
        for network in networks {
            for id in network.ids {
                owners.insert((Kind::Network, id), Owner::of(&network.labels));
            }
        }
        for volume in volumes {
            owners.insert((Kind::Volume, volume.name.to_string()), Owner::of(&volume.labels));
        }
        Ok(Owners(owners))
    }

    /// The event that is told on, and what is remembered of it.
    fn event(&mut self, told: &Told) -> Option<EngineEvent> {
        let key = told.key();
        let name = told.attribute("name").unwrap_or(&told.actor.id);
        let event = |stack: Option<StackName>| Some(EngineEvent { stack, what: format!("{} {name}", told.action) });
        let owner = match told.r#type {
            Kind::Container => {
                let owner = Owner::of(&told.actor.attributes);
                self.0.insert(key.clone(), owner.clone());
                Some(owner)
            }
            // Whose network it is matters less than who is on it.
            Kind::Network if matches!(told.action.as_str(), "connect" | "disconnect") => {
                let container = told.attribute("container").unwrap_or_default();
                self.0.get(&(Kind::Container, container.to_owned())).cloned()
            }
            Kind::Network | Kind::Volume => self.0.get(&key).cloned(),
            Kind::Other => None,
        };
        if told.action == "destroy" {
            self.0.remove(&key);
        }
        if !told.is_asked_for() {
            return None;
        }
        match (owner, told.r#type) {
            (Some(Owner::Stack(stack)), _) => event(Some(stack)),
            (Some(Owner::Nobody), Kind::Container) => None,
            (Some(Owner::Nobody), Kind::Network) if matches!(told.action.as_str(), "connect" | "disconnect") => None,
            (Some(Owner::Nobody), Kind::Volume) if is_drawn(&told.actor.id) => None,
            // A network or volume of nobody may be an external one of anybody.
            (Some(Owner::Nobody) | None, _) => event(None),
        }
    }
}

/// The name that the engine gives a volume without one.
fn is_drawn(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Labelled {
    labels: Option<BTreeMap<String, String>>,
}

impl DockerEngine {
    /// Whose a new network or volume is; `None` where that can't be learned.
    async fn owner(&self, kind: &Kind, id: &str) -> Option<Owner> {
        let folder = if *kind == Kind::Network { "networks" } else { "volumes" };
        let labelled: Labelled =
            self.read("read the labels of", id, &format!("/{folder}/{}", encoded(id))).await.ok()?;
        Some(Owner::of(&labelled.labels.unwrap_or_default()))
    }
}

/// Percent-encoded, so that it can stand anywhere in a URL.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: &str, action: &str, id: &str, attributes: &[(&str, &str)]) -> Told {
        let attributes: BTreeMap<&str, &str> = attributes.iter().copied().collect();
        let actor = serde_json::json!({"ID": id, "Attributes": attributes});
        serde_json::from_value(serde_json::json!({"Type": kind, "Action": action, "Actor": actor, "time": 1})).unwrap()
    }

    fn shown(event: Option<EngineEvent>) -> String {
        match event {
            Some(EngineEvent { stack, what }) => format!("{}: {what}", stack.map_or("all".into(), |s| s.to_string())),
            None => "nothing".to_owned(),
        }
    }

    #[test]
    fn an_event_is_of_whose_container_it_is() {
        let mut owners = Owners::default();
        let ours = [(compose::PROJECT, "webkit"), ("name", "webkit-core-1")];
        assert_eq!(shown(owners.event(&told("container", "create", "c1", &ours))), "nothing");
        let on = [("container", "c1"), ("name", "proxy")];
        assert_eq!(shown(owners.event(&told("network", "connect", "n1", &on))), "webkit: connect proxy");
        assert_eq!(shown(owners.event(&told("container", "die", "c1", &ours))), "webkit: die webkit-core-1");
        assert_eq!(shown(owners.event(&told("container", "die", "c2", &[("name", "cron")]))), "nothing");
        let cron = [("container", "c2"), ("name", "proxy")];
        assert_eq!(shown(owners.event(&told("network", "disconnect", "n1", &cron))), "nothing");
        assert_eq!(shown(owners.event(&told("container", "destroy", "c1", &ours))), "webkit: destroy webkit-core-1");
        assert_eq!(shown(owners.event(&told("network", "disconnect", "n1", &on))), "all: disconnect proxy");
        assert_eq!(owners.0.len(), 1);
    }

    #[test]
    fn what_may_be_anybodys_is_told_to_all() {
        let mut owners = Owners::default();
        owners.0.insert((Kind::Volume, "data".into()), Owner::Stack("webkit".into()));
        owners.0.insert((Kind::Volume, "shared".into()), Owner::Nobody);
        owners.0.insert((Kind::Volume, "0".repeat(64)), Owner::Nobody);
        assert_eq!(shown(owners.event(&told("volume", "destroy", "data", &[]))), "webkit: destroy data");
        assert_eq!(shown(owners.event(&told("volume", "destroy", "shared", &[]))), "all: destroy shared");
        assert_eq!(shown(owners.event(&told("volume", "destroy", &"0".repeat(64), &[]))), "nothing");
        assert_eq!(shown(owners.event(&told("network", "destroy", "n", &[("name", "edge")]))), "all: destroy edge");
        assert_eq!(shown(owners.event(&told("plugin", "remove", "x", &[]))), "all: remove x");
    }

    #[test]
    fn any_text_can_stand_in_a_url() {
        assert_eq!(encoded(r#"{"a":["b c"]}"#), "%7B%22a%22%3A%5B%22b%20c%22%5D%7D");
    }
}

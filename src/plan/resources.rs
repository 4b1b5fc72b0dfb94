//! Networks and volumes: made when they are missing, held when their definition changed, never touched when external.
//! Labels alone are no change, and nothing that holds data is removed here.

use super::{draft::CALL_DEADLINE, survey::All};
use crate::model::{
    desired::{AddressPool, Desired, Network, NetworkDefinition, Service, Volume, VolumeDefinition},
    fields::{FieldChange, difference, fields},
    labels::{compose, ours},
    names::{NetworkName, Resource, StepId, VolumeName},
    plan::{Action, Change, Held, HeldCode, PlanContext, Reason},
    step::{Cause, Does, Step},
    value::Value,
};
use std::collections::BTreeMap;

/// What networks and volumes ask for.
#[derive(Default)]
pub(super) struct Resources<'a> {
    pub changes: Vec<Change>,
    pub held: Vec<Held>,
    pub making: Making<'a>,
}

/// All that were looked at, with the step that makes each that is missing.
#[derive(Default)]
pub(super) struct Making<'a> {
    networks: BTreeMap<&'a NetworkName, Option<Step>>,
    volumes: BTreeMap<&'a VolumeName, Option<Step>>,
}

impl Making<'_> {
    /// The steps, in the order of names: networks first.
    pub fn into_steps(self) -> impl Iterator<Item = Step> {
        self.networks.into_values().chain(self.volumes.into_values()).flatten()
    }
}

impl<'a> Resources<'a> {
    /// Plans the networks and volumes that a service needs. What no service uses is not made, as docker compose does.
    pub fn need(&mut self, all: &All<'a>, service: &'a Service) {
        for name in service.container.networks.keys() {
            let Some(network) = all.desired.networks.get(name) else { continue };
            if !self.making.networks.contains_key(name) {
                let step = self.network(name, network, all);
                self.making.networks.insert(name, step);
            }
        }
        for name in service.volumes() {
            let Some(volume) = all.desired.volumes.get(name) else { continue };
            if !self.making.volumes.contains_key(name) {
                let step = self.volume(name, volume, all);
                self.making.volumes.insert(name, step);
            }
        }
    }

    /// The steps that a service's containers wait for.
    pub fn needed_by(&self, service: &Service) -> impl Iterator<Item = &StepId> {
        let Making { networks, volumes } = &self.making;
        let networks = service.container.networks.keys().filter_map(|name| networks.get(name)?.as_ref());
        let volumes = service.volumes().filter_map(|name| volumes.get(name)?.as_ref());
        networks.chain(volumes).map(|step| &step.id)
    }

    /// Makes what is missing: a change for people, and its step.
    fn make(&mut self, id: String, does: Does, change: Change) -> Step {
        let (target, cause) = (change.resource.clone(), change.cause);
        self.changes.push(change);
        Step { id: StepId::new(id), after: Vec::new(), does, target, cause, deadline: CALL_DEADLINE }
    }

    fn network(&mut self, name: &NetworkName, network: &Network, all: &All) -> Option<Step> {
        let All { desired, observed, context, .. } = *all;
        let resource = Resource::Network(name.clone());
        let Some(seen) = observed.networks.get(name) else {
            if network.external {
                let command = format!("docker network create {name}");
                self.held.push(missing(resource, network.declared_at.as_deref(), command));
                return None;
            }
            let known =
                context.facts.current.as_ref().is_some_and(|current| current.desired.networks.contains_key(name));
            let does = Does::CreateNetwork(labelled_network(network, desired, context));
            return Some(self.make(format!("network:{name}/create"), does, created(resource, known, context)));
        };
        if seen.ids.len() > 1 {
            self.held.push(Held {
                resource,
                code: HeldCode::NetworkAmbiguous,
                reason: format!("{} networks are named `{name}`", seen.ids.len()),
                hint: format!("remove all but one: `docker network rm {}`", seen.ids[1..].join(" ")),
            });
            return None;
        }
        if network.external {
            return None;
        }
        let changes = difference(
            &fields(&network_normal(&seen.definition, &network.definition)),
            &fields(&network_normal(&network.definition, &network.definition)),
        );
        if !changes.is_empty() {
            self.held.push(Held {
                resource,
                code: HeldCode::NetworkChanged,
                reason: format!("its definition changed: {}", paths(&changes)),
                hint: format!(
                    "a network can't be changed in use: stop its services, `docker network rm {name}`, then apply again; see `evenkeel explain network-changed`"
                ),
            });
        }
        None
    }

    fn volume(&mut self, name: &VolumeName, volume: &Volume, all: &All) -> Option<Step> {
        let All { desired, observed, context, .. } = *all;
        let resource = Resource::Volume(name.clone());
        let Some(seen) = observed.volumes.get(name) else {
            if volume.external {
                let command = format!("docker volume create {name}");
                self.held.push(missing(resource, volume.declared_at.as_deref(), command));
                return None;
            }
            let known =
                context.facts.current.as_ref().is_some_and(|current| current.desired.volumes.contains_key(name));
            let does = Does::CreateVolume(labelled_volume(volume, desired, context));
            return Some(self.make(format!("volume:{name}/create"), does, created(resource, known, context)));
        };
        if volume.external {
            return None;
        }
        let normal = |definition: &VolumeDefinition| {
            let mut definition = definition.clone();
            definition.driver = definition.driver.filter(|driver| driver != "local" && !driver.is_empty());
            fields(&definition)
        };
        let changes = difference(&normal(&seen.definition), &normal(&volume.definition));
        if !changes.is_empty() {
            self.held.push(Held {
                resource,
                code: HeldCode::VolumeChanged,
                reason: format!("its definition changed: {}", paths(&changes)),
                hint: "a volume can't be changed without moving its data; see `evenkeel explain volume-changed`".into(),
            });
        }
        None
    }
}

/// Only what was asked for counts: the engine fills in addresses and options of its own.
fn network_normal(of: &NetworkDefinition, asked: &NetworkDefinition) -> NetworkDefinition {
    let mut normal = of.clone();
    normal.driver = normal.driver.filter(|driver| driver != "bridge" && !driver.is_empty());
    normal.ipam_driver = normal.ipam_driver.filter(|driver| driver != "default" && !driver.is_empty());
    normal.ipv6 = normal.ipv6.filter(|on| *on);
    normal.ipv4 = normal.ipv4.filter(|on| !*on);
    normal.options.retain(|name, _| asked.options.contains_key(name));
    normal.ipam_options.retain(|name, _| asked.ipam_options.contains_key(name));
    if asked.pools.is_empty() {
        normal.pools.clear();
    }
    // The engine lists those of IPv4 first, whatever the order in which they were asked for.
    let is_v6 = |pool: &AddressPool| pool.subnet.as_ref().is_some_and(|subnet| subnet.contains(':'));
    let mut pools_asked = asked.pools.clone();
    normal.pools.sort_by_key(is_v6);
    pools_asked.sort_by_key(is_v6);
    for (pool, asked) in normal.pools.iter_mut().zip(&pools_asked) {
        if asked.gateway.is_none() {
            pool.gateway = None;
        }
    }
    normal
}

fn labelled_network(network: &Network, desired: &Desired, context: &PlanContext) -> Network {
    let mut network = network.clone();
    let labels = &mut network.labels;
    bookkeeping(labels, desired, &network.config_hash);
    labels.insert(compose::NETWORK.to_owned(), Value::plain(&network.key));
    labels.values_mut().for_each(|value| *value = value.committed(&context.salt));
    network
}

fn labelled_volume(volume: &Volume, desired: &Desired, context: &PlanContext) -> Volume {
    let mut volume = volume.clone();
    bookkeeping(&mut volume.labels, desired, &volume.config_hash);
    volume.labels.insert(compose::VOLUME.to_owned(), Value::plain(&volume.key));
    let values = volume.labels.values_mut().chain(volume.definition.options.values_mut());
    values.for_each(|value| *value = value.committed(&context.salt));
    volume
}

fn bookkeeping(labels: &mut BTreeMap<String, Value>, desired: &Desired, config_hash: &str) {
    labels.insert(compose::PROJECT.to_owned(), Value::plain(desired.stack.as_str()));
    labels.insert(compose::VERSION.to_owned(), Value::plain(compose::VERSION_FOLLOWED));
    if !config_hash.is_empty() {
        labels.insert(compose::CONFIG_HASH.to_owned(), Value::plain(config_hash));
    }
    labels.insert(ours::STACK.to_owned(), Value::plain(desired.stack.as_str()));
}

fn created(resource: Resource, known: bool, context: &PlanContext) -> Change {
    let reason = if known { Reason::Missing } else { Reason::New };
    Change {
        resource,
        action: Action::Create,
        reason,
        cause: cause(known, context),
        strategy: None,
        fields: Vec::new(),
    }
}

fn cause(known: bool, context: &PlanContext) -> Cause {
    match (&context.facts.current, known) {
        (None, _) => context.facts.cause_of_first(),
        (Some(_), true) => Cause::Drift,
        (Some(_), false) => Cause::Manifest,
    }
}

fn missing(resource: Resource, declared_at: Option<&str>, command: String) -> Held {
    let place = declared_at.map(|place| format!(", declared external at {place}")).unwrap_or_default();
    Held {
        code: HeldCode::ExternalMissing,
        reason: format!("`{resource}`{place}, does not exist"),
        resource,
        hint: format!("make it: `{command}`"),
    }
}

fn paths(changes: &[FieldChange]) -> String {
    let shown = |value: &Option<Value>| value.as_ref().map_or("none".to_owned(), Value::to_string);
    let one = |change: &FieldChange| format!("{} {} → {}", change.path, shown(&change.from), shown(&change.to));
    changes.iter().map(one).collect::<Vec<_>>().join(", ")
}

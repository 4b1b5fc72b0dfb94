//! One container against what it should be: which fields differ, and what each difference asks for. The rules are an
//! ordered table; the first that matches wins.

use super::{
    normal::{Surroundings, normal},
    survey::{Parents, link},
};
use crate::model::{
    container::{ContainerSpec, Limits, NetworkMode, RestartPolicy},
    content,
    desired::{Desired, Service},
    fields::{FieldChange, difference, fields},
    image::{ImageConfig, ResolvedImage},
    labels::ours,
    names::{ContainerName, NetworkName, ServiceName},
    observed::{EngineFacts, ObservedContainer},
    plan::Reason,
    policy::LimitsPolicy,
    value::Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// How a container differs.
#[derive(Clone, Debug, Default)]
pub(super) struct Difference {
    /// For people; empty when nothing differs.
    pub fields: Vec<FieldChange>,
    /// Why it must be replaced, the weightiest reason first; empty when it need not be.
    pub replace: BTreeSet<Reason>,
    /// Limits to set where it is.
    pub limits: Option<Box<Limits>>,
    /// The restart policy to set where it is.
    pub restart: Option<RestartPolicy>,
    /// Networks to connect it to.
    pub connect: BTreeSet<NetworkName>,
}

impl Difference {
    /// Whether it is what it should be.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Leaves out fields that were set before and read back otherwise: setting them again would come to the same.
    pub fn without(&mut self, not_taken: &[FieldChange]) {
        let known = |change: &FieldChange| {
            let same = |other: &FieldChange| other.path == change.path && reads(&other.to) == reads(&change.to);
            not_taken.iter().any(same)
        };
        self.fields.retain(|change| !known(change));
        let asks = |change: &FieldChange| {
            let path = change.path.as_str();
            !["image", "restart"].contains(&path) && !path.starts_with("limits.") && !path.starts_with("content")
        };
        if !self.fields.iter().any(asks) {
            self.replace.remove(&Reason::ConfigurationChanged);
            self.connect.clear();
        }
        if !self.fields.iter().any(|change| change.path.starts_with("limits.")) {
            self.limits = None;
            self.replace.remove(&Reason::LimitChanged);
        }
        if !self.fields.iter().any(|change| change.path == "restart") {
            self.restart = None;
        }
    }
}

fn reads(value: &Option<Value>) -> Option<&str> {
    value.as_ref().map(Value::reveal)
}

/// What is compared, and among what.
pub(super) struct Comparison<'a> {
    pub service: &'a Service,
    pub name: &'a ContainerName,
    pub image: &'a ResolvedImage,
    pub container: &'a ObservedContainer,
    /// What the container's own image provides.
    pub own_image: &'a ImageConfig,
    pub engine: &'a EngineFacts,
    /// Its links to other services, see `Desired::links_of`.
    pub links: &'a BTreeSet<String>,
    /// The containers of the services whose namespaces it shares.
    pub parents: &'a Parents<'a>,
    /// The current revision, to know which networks were declared and which files were mounted.
    pub current: Option<&'a Desired>,
}

/// Compares with the spec of the replica, whose bookkeeping labels say nothing here. Fields that did not take before are the caller's to drop.
pub(super) fn compare(of: &Comparison) -> Difference {
    let name = of.name.as_str();
    let (image, engine) = (&of.image.config, of.engine);
    let around = Surroundings { image, engine, id: None, name, parents: Some(of.parents) };
    let mut wanted = normal(&of.service.container, &around);
    link(&mut wanted, of.links);
    let around = Surroundings { image: of.own_image, engine, id: Some(&of.container.id), name, parents: None };
    let mut found = normal(&of.container.spec, &around);
    forgive(&mut found, &wanted, of);

    let mut result = Difference::default();
    if of.container.image != of.image.id {
        let shown = |spec: &ContainerSpec, id: &str| Some(Value::plain(format!("{} (sha256:{id})", spec.image)));
        result.fields.push(FieldChange {
            path: "image".into(),
            from: shown(&of.container.spec, of.container.image.short()),
            to: Some(Value::plain(of.image.shown(&of.service.container.image))),
        });
        result.replace.insert(Reason::ImageChanged);
    }
    // Most are the same, and are known to be sooner than their fields are told.
    let same = found == wanted;
    let mut changes = if same { Vec::new() } else { difference(&fields(&found), &fields(&wanted)) };
    mask_what_was_sensitive(&mut changes, of);
    changes.iter().for_each(|change| judge(change, &found, &wanted, of, &mut result));
    result.fields.extend(changes.into_iter().map(masked_when_gone));
    result.fields.extend(content_changes(of));
    if result.fields.iter().any(|change| change.path.starts_with("content")) {
        result.replace.insert(Reason::ContentChanged);
    }
    result
}

/// Drops from what was found what nobody asked for and what does no harm: an address that the engine chose, and a
/// network that somebody connected by hand.
fn forgive(found: &mut ContainerSpec, wanted: &ContainerSpec, of: &Comparison) {
    if found.network_mode != wanted.network_mode {
        return;
    }
    let current = of.current.and_then(|current| current.services.get(&of.service.name));
    let by_hand = |name: &NetworkName| is_by_hand(name, of.container, &of.service.name, current);
    found.networks.retain(|name, _| wanted.networks.contains_key(name) || !by_hand(name));
    for (name, attachment) in &mut found.networks {
        let Some(asked) = wanted.networks.get(name) else { continue };
        if asked.mac.is_none() {
            attachment.mac = None;
        }
        if asked.driver_options.is_empty() {
            attachment.driver_options.clear();
        }
        forgive_links(&mut attachment.links, &asked.links);
    }
    forgive_links(&mut found.links, &wanted.links);
    if wanted.logging.is_none() && found.logging.as_ref().is_some_and(|logging| logging.driver.is_none()) {
        // The engine writes its own default options into the container.
        found.logging = None;
    }
    if !matches!(wanted.network_mode, NetworkMode::Networks) && wanted.hostname.is_none() {
        // A container that shares a network has the other's name.
        found.hostname = None;
    }
}

/// A linked service that has more or fewer containers by now is linked all the same: docker compose renews no link either.
fn forgive_links(found: &mut BTreeSet<String>, wanted: &BTreeSet<String>) {
    let by_alias = |links: &BTreeSet<String>| {
        let mut containers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (container, alias) in links.iter().filter_map(|link| link.split_once(':')) {
            containers.entry(alias.to_owned()).or_default().insert(container.to_owned());
        }
        containers
    };
    let (have, want) = (by_alias(found), by_alias(wanted));
    let same = have.len() == want.len()
        && have
            .iter()
            .all(|(alias, has)| want.get(alias).is_some_and(|wants| has.is_subset(wants) || wants.is_subset(has)));
    if same {
        found.clone_from(wanted);
    }
}

/// Whether somebody connected a container to a network that is not declared for it now. The current revision may already
/// be the one that no longer declares it, where an apply was killed. Who connects by hand gives no alias; evenkeel and
/// docker compose give the service's name.
fn is_by_hand(
    network: &NetworkName,
    container: &ObservedContainer,
    service: &ServiceName,
    current: Option<&Service>,
) -> bool {
    let attached = container.spec.networks.get(network);
    !current.is_some_and(|service| service.container.networks.contains_key(network))
        && !attached.is_some_and(|attached| attached.aliases.contains(service.as_str()))
}

/// The networks that somebody connected a container of this service to.
pub fn connected_by_hand(service: &Service, container: &ObservedContainer) -> BTreeSet<NetworkName> {
    if service.container.network_mode != NetworkMode::Networks {
        return BTreeSet::new();
    }
    let by_hand = |name: &&NetworkName| is_by_hand(name, container, &service.name, Some(service));
    container.spec.networks.keys().filter(by_hand).cloned().collect()
}

/// What one changed field asks for.
fn judge(change: &FieldChange, found: &ContainerSpec, wanted: &ContainerSpec, of: &Comparison, into: &mut Difference) {
    let path = change.path.as_str();
    if path == "restart" {
        into.restart = Some(wanted.restart);
        return;
    }
    if let Some(name) = network_of(path, wanted).filter(|name| !found.networks.contains_key(*name)) {
        into.connect.insert(name.clone());
        return;
    }
    if path.starts_with("limits.") {
        if of.service.rollout.limits == LimitsPolicy::InPlace && in_place(path, found, wanted, of) {
            into.limits = Some(limits_to_send(into.limits.take(), path, wanted));
        } else {
            into.replace.insert(Reason::LimitChanged);
        }
        return;
    }
    into.replace.insert(Reason::ConfigurationChanged);
}

/// The declared network that a path is about: the names hold dots at times, so the longest that fits.
fn network_of<'a>(path: &str, wanted: &'a ContainerSpec) -> Option<&'a NetworkName> {
    let rest = path.strip_prefix("networks.")?;
    let fits = |name: &&NetworkName| {
        rest.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    wanted.networks.keys().filter(fits).max_by_key(|name| name.as_str().len())
}

/// Whether the engine can change this limit without a restart.
fn in_place(path: &str, found: &ContainerSpec, wanted: &ContainerSpec, of: &Comparison) -> bool {
    let quota = found.limits.cpu_quota.is_some() || found.limits.cpu_period.is_some();
    match path {
        "limits.pids" => true,
        "limits.memory" => wanted.limits.memory.is_some_and(|size| {
            // The kernel refuses to go below what is in use; a tenth more leaves it room to breathe.
            of.container.memory_used.is_none_or(|used| size.0 >= used.0.saturating_add(used.0 / 10))
        }),
        "limits.memorySwap" => wanted.limits.memory.is_some(),
        "limits.memoryReservation" => wanted.limits.memory_reservation.is_some(),
        "limits.cpus" => wanted.limits.cpus.is_some() && !quota,
        _ => false,
    }
}

/// Adds one limit to those to send. Memory and swap go together, or the engine refuses.
fn limits_to_send(limits: Option<Box<Limits>>, path: &str, wanted: &ContainerSpec) -> Box<Limits> {
    let mut limits = limits.unwrap_or_default();
    match path {
        "limits.pids" => limits.pids = Some(wanted.limits.pids.unwrap_or(-1)),
        "limits.memory" | "limits.memorySwap" => {
            limits.memory = wanted.limits.memory;
            let twice = wanted.limits.memory.map(|size| i64::try_from(size.0.saturating_mul(2)).unwrap_or(i64::MAX));
            limits.memory_swap = wanted.limits.memory_swap.or(twice);
        }
        "limits.memoryReservation" => limits.memory_reservation = wanted.limits.memory_reservation,
        "limits.cpus" => limits.cpus = wanted.limits.cpus,
        _ => {}
    }
    limits
}

/// A value that the current revision keeps as sensitive stays so, however plain the one in its place is.
fn mask_what_was_sensitive(changes: &mut [FieldChange], of: &Comparison) {
    let current = of.current.and_then(|current| current.services.get(&of.service.name));
    let Some(current) = current.filter(|_| !changes.is_empty()) else { return };
    let before = fields(&current.container);
    for change in changes {
        if let Some(known) = before.get(&change.path) {
            change.from = change.from.take().map(|value| value.as_sensitive_as(known));
        }
    }
}

/// A value that can be sensitive and is no longer declared is shown as if it were: nothing says that it is not.
fn masked_when_gone(mut change: FieldChange) -> FieldChange {
    const CAN_BE_SENSITIVE: [&str; 6] =
        ["environment.", "labels.", "command", "entrypoint", "healthcheck.test", "logging.options."];
    if change.to.is_none() && CAN_BE_SENSITIVE.iter().any(|prefix| change.path.starts_with(prefix)) {
        change.from = change.from.map(|value| Value::sensitive(value.reveal()));
    }
    change
}

/// Which mounted contents differ from those that the container was made with.
fn content_changes(of: &Comparison) -> Vec<FieldChange> {
    if content::matches(of.container.label(ours::CONTENT), &of.service.contents) {
        return Vec::new();
    }
    let before: BTreeMap<&str, &str> = of
        .current
        .and_then(|current| current.services.get(&of.service.name))
        .map(|service| service.contents.iter().map(|item| (item.target.as_str(), item.sha256.as_str())).collect())
        .unwrap_or_default();
    let after: BTreeMap<&str, &str> =
        of.service.contents.iter().map(|item| (item.target.as_str(), item.sha256.as_str())).collect();
    let targets: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let secret = |hash: Option<&&str>| hash.map(|hash| Value::sensitive(*hash));
    let changes: Vec<FieldChange> = targets
        .into_iter()
        .filter(|target| before.get(target) != after.get(target))
        .map(|target| FieldChange {
            path: format!("content.{target}"),
            from: secret(before.get(target)),
            to: secret(after.get(target)),
        })
        .collect();
    if changes.is_empty() {
        // The files are those of the current revision, and the container was made before it.
        return vec![FieldChange {
            path: "content".into(),
            from: Some(Value::sensitive("before")),
            to: Some(Value::sensitive("after")),
        }];
    }
    changes
}

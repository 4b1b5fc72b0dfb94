//! A desired state read from what runs: revision 0 of a stack that was there before evenkeel, and what is left to go by
//! when a home is lost.

use super::{
    normal::{Surroundings, normal},
    order::Places,
    ownership::Containers,
    survey::{is_up, split_prefix},
};
use crate::model::{
    container::{NetworkMode, RestartPolicy},
    desired::{Desired, Service},
    image::{ImageConfig, Images, ResolvedImage},
    labels::compose,
    names::ServiceName,
    observed::{Observed, ObservedContainer},
    units::Timestamp,
};
use std::cmp::Reverse;

/// The stack as it runs, with the policy that is declared now, and what its images are. Services that don't run are not
/// in it.
pub fn as_it_runs(declared: &Desired, observed: &Observed) -> (Desired, Images) {
    let places = Places::of(declared);
    let by_service = Containers::of(&places, observed).by_service(&places);
    let mut desired = declared.clone();
    desired.services.clear();
    desired.networks.retain(|name, _| observed.networks.contains_key(name));
    desired.volumes.retain(|name, _| observed.volumes.contains_key(name));
    let mut images = Images::new();
    for (name, containers) in by_service {
        let Some(first) = containers.iter().min_by_key(|container| (container.number(), claim(container))) else {
            continue;
        };
        let config = observed.images.get(&first.image).cloned().unwrap_or_default();
        let service = service_of(&name, first, &containers, declared, observed, &config);
        images.insert(
            service.container.image.clone(),
            ResolvedImage { id: first.image.clone(), config, ..ResolvedImage::default() },
        );
        desired.services.insert(name, service);
    }
    (desired, images)
}

/// How good a container's claim is to be what served, the best first. What an interrupted rollout kept served before it;
/// a candidate is not proven, and counts where nothing else runs. Among equals the newest.
fn claim(container: &ObservedContainer) -> (bool, bool, bool, Reverse<Timestamp>) {
    let prefix = split_prefix(&container.name).0;
    let is_kept = prefix == Some(container.id.short());
    (!is_kept, !is_up(container), prefix.is_some(), Reverse(container.created))
}

fn service_of(
    name: &ServiceName,
    first: &ObservedContainer,
    containers: &[&ObservedContainer],
    declared: &Desired,
    observed: &Observed,
    image: &ImageConfig,
) -> Service {
    let (_, final_name) = split_prefix(&first.name);
    let around = Surroundings { image, engine: &observed.engine, id: Some(&first.id), name: final_name, parents: None };
    let mut container = normal(&first.spec, &around);
    container.image = first.spec.image.clone();
    let today = declared.services.get(name);
    if container.restart == RestartPolicy::No {
        // An interrupted rollout may have taken it.
        container.restart = today.map_or(RestartPolicy::No, |service| service.container.restart);
    }
    let bookkeeping =
        |label: &str| label.starts_with(compose::PREFIX) && label != compose::NUMBER && label != compose::IMAGE;
    container.labels.extend(
        first
            .spec
            .labels
            .bookkeeping()
            .filter(|(label, _)| bookkeeping(label))
            .map(|(label, value)| (label.into(), value.clone())),
    );
    for (_, attachment) in container.networks.iter_mut() {
        // The engine gives every container an address; only a declared one is fixed, and that can't be told apart here.
        attachment.mac = None;
    }
    let by_number = format!("{}-{name}-{}", declared.stack, first.number());
    let container_name = (final_name != by_number).then(|| final_name.to_owned());
    let mut service = Service {
        name: name.clone(),
        build: today.and_then(|service| service.build.clone()),
        replicas: containers.iter().map(|container| container.number()).max().unwrap_or(1),
        container_name,
        pull_policy: today.map(|service| service.pull_policy).unwrap_or_default(),
        depends_on: today.map(|service| service.depends_on.clone()).unwrap_or_default(),
        shares: today.map(|service| service.shares.clone()).unwrap_or_default(),
        // Its attachments have them, to the containers that were there.
        links: Vec::new(),
        probes: today.map(|service| service.probes.clone()).unwrap_or_default(),
        liveness: today.and_then(|service| service.liveness.clone()),
        rollout: today.map(|service| service.rollout.clone()).unwrap_or_default(),
        one_shot: today.is_some_and(|service| service.one_shot),
        contents: today.map(|service| service.contents.clone()).unwrap_or_default(),
        hooks: today.map(|service| service.hooks.clone()).unwrap_or_default(),
        config_hash: first.label(compose::CONFIG_HASH).unwrap_or_default().to_owned(),
        config_text: today.and_then(|service| service.config_text.clone()),
        container,
    };
    if let (NetworkMode::Container(_), Some(today)) = (&service.container.network_mode, today) {
        service.container.network_mode = today.container.network_mode.clone();
    }
    // What is sensitive where it is declared is sensitive here; where nothing is declared, all is.
    let declared_values = today.map(|service| service.container.clone());
    service.container.environment.iter_mut().for_each(|(key, value)| {
        let known = declared_values.as_ref().and_then(|spec| spec.environment.get(key));
        let plain = known.is_some_and(|known| !known.is_sensitive());
        if !plain {
            *value = crate::model::value::Value::sensitive(value.reveal());
        }
    });
    service
}

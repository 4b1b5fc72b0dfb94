//! One service of the desired state: its container, how many, when, and with which policy.

use super::{
    Making, build,
    container::{Translation, restart_is_written},
    contents, policy,
    registries::Keeper,
    sensitive::Exceptions,
    sources::Recording,
};
use crate::{
    compose::{
        project::{self, Project},
        yaml::Faults,
    },
    model::{
        container::{Limits, NetworkMode, RestartPolicy},
        desired::{Link, Overrides, Service},
        names::{ImageReference, ServiceName},
        policy::{Condition, Dependency, PullPolicy},
        units::{Bytes, Millis},
        value::Value,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Every enabled service, without bookkeeping labels.
pub fn services(
    making: &mut Making<'_>,
    exceptions: &Exceptions,
    overrides: &Overrides,
    recording: &Recording<'_>,
) -> BTreeMap<ServiceName, Service> {
    let project = &making.read.loaded.project;
    let keeper = Keeper::new(making.read, recording);
    let awaited = awaited(project);
    let mut services = BTreeMap::new();
    for (name, written) in &project.services {
        let named_elsewhere = image(making, name, overrides);
        // An image that is named instead of what is built needs no build.
        let build = match &named_elsewhere {
            Some(_) => None,
            None => build::of(name, written, making, exceptions),
        };
        let (faults, notes) = (&mut *making.faults, &mut *making.notes);
        let mut translation = Translation { project, exceptions, files: recording, faults, notes };
        let mut container = translation.container(name, written);
        container.image =
            named_elsewhere.unwrap_or_else(|| ImageReference::new(written.image_name(&project.name, name)));
        let hooks = translation.hooks(name, written);
        let own = policy::written(making.read, name);
        policy::limit(&own, &mut container.limits);
        check_swap(project, name, &container.limits, making.faults);
        let stops_by_itself =
            restart_is_written(written) && matches!(container.restart, RestartPolicy::No | RestartPolicy::OnFailure(_));
        let one_shot = stops_by_itself || awaited.contains(name.as_str());
        let contents = contents::of(name, written, &container, recording, making.notes);
        let service = Service {
            name: ServiceName::new(name),
            container_name: Some(written.container_name.clone()).filter(|name| !name.is_empty()),
            build,
            replicas: u32::try_from(written.replicas()).unwrap_or(u32::MAX),
            pull_policy: pull_policy(&written.pull_policy),
            depends_on: depends_on(project, written),
            shares: shares(written, &container.network_mode),
            links: written.links.iter().map(|text| link(text)).collect(),
            probes: policy::probes(making.read, name, &own, &keeper, making.faults),
            liveness: policy::liveness(making.read, name, &own, one_shot, &keeper, making.faults),
            rollout: policy::rollout(making.read, name, &own, one_shot, making.faults),
            one_shot,
            contents,
            hooks,
            config_hash: crate::compose::config_hash(written),
            config_text: crate::compose::config_text(written).map(Value::sensitive),
            container,
        };
        services.insert(ServiceName::new(name), service);
    }
    contents::check(project, recording, making.faults);
    services
}

/// The engine refuses less memory and swap together than memory.
fn check_swap(project: &Project, name: &str, limits: &Limits, faults: &mut Faults) {
    if let (Some(memory), Some(both @ 1..)) = (limits.memory, limits.memory_swap)
        && u64::try_from(both).is_ok_and(|both| both < memory.0)
    {
        let both = Bytes(both.unsigned_abs());
        let message = format!(
            "{name}: `memswap_limit` is memory and swap together, so {both} is less than its memory of {memory}"
        );
        faults.push(project.fault(&["services", name, "memswap_limit"], message).code("range"));
    }
}

/// The image that wins over the Compose file's: the command line's, else the manifest's.
fn image(making: &Making<'_>, name: &str, overrides: &Overrides) -> Option<ImageReference> {
    let declared = making.read.stack.spec.images.get(name).map(ImageReference::new);
    overrides.images.get(&ServiceName::new(name)).cloned().or(declared)
}

/// The services that another awaits the end of.
fn awaited(project: &Project) -> BTreeSet<&str> {
    let dependencies = project.services.values().flat_map(|service| &service.depends_on);
    let ended =
        dependencies.filter(|(_, dependency)| dependency.condition == project::Condition::CompletedSuccessfully);
    ended.map(|(name, _)| name.as_str()).collect()
}

/// Dependencies on services that run at all: an optional one may be disabled by its profiles.
fn depends_on(project: &Project, service: &project::Service) -> BTreeMap<ServiceName, Dependency> {
    let enabled = service.depends_on.iter().filter(|(name, _)| project.services.contains_key(*name));
    let condition = |condition| match condition {
        project::Condition::Started => Condition::ServiceStarted,
        project::Condition::Healthy => Condition::ServiceHealthy,
        project::Condition::CompletedSuccessfully => Condition::ServiceCompletedSuccessfully,
    };
    let dependency = |written: &project::Dependency| Dependency {
        condition: condition(written.condition),
        restart: written.restart,
        required: written.required,
    };
    enabled.map(|(name, written)| (ServiceName::new(name), dependency(written))).collect()
}

/// When an image is looked for at its registry. What is not known has been refused.
fn pull_policy(written: &str) -> PullPolicy {
    const DAY: u64 = 24 * 60 * 60;
    match written {
        "always" => PullPolicy::Always,
        "never" => PullPolicy::Never,
        "refresh" => PullPolicy::Every(Millis(0)),
        "daily" => PullPolicy::Every(Millis::seconds(DAY)),
        "weekly" => PullPolicy::Every(Millis::seconds(7 * DAY)),
        text => text.strip_prefix("every_").and_then(span).map_or(PullPolicy::Missing, PullPolicy::Every),
    }
}

/// `1w2d3h4m5s`.
fn span(text: &str) -> Option<Millis> {
    let (mut seconds, mut number) = (0_u64, None::<u64>);
    for character in text.chars() {
        if let Some(digit) = character.to_digit(10) {
            number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit.into()));
            continue;
        }
        let unit = match character {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            'w' => 7 * 24 * 60 * 60,
            _ => return None,
        };
        seconds = seconds.saturating_add(number.take()?.saturating_mul(unit));
    }
    number.is_none().then_some(Millis::seconds(seconds))
}

/// `service` or `service:alias`.
fn link(text: &str) -> Link {
    let (service, alias) = text.split_once(':').unwrap_or((text, text));
    Link { service: ServiceName::new(service), alias: alias.to_owned() }
}

/// The services whose namespaces or volumes it uses.
fn shares(service: &project::Service, mode: &NetworkMode) -> BTreeSet<ServiceName> {
    let network = match mode {
        NetworkMode::Service(name) => Some(name.clone()),
        _ => None,
    };
    let namespaces =
        [&service.ipc, &service.pid, &service.uts].into_iter().filter_map(|text| text.strip_prefix("service:"));
    let volumes = service.volumes_from.iter().filter(|source| !source.starts_with("container:"));
    let volumes = volumes.map(|source| source.split(':').next().unwrap_or(source));
    network.into_iter().chain(namespaces.chain(volumes).map(ServiceName::new)).collect()
}

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
        desired::{Overrides, Service},
        names::{ImageReference, ServiceName},
        policy::{Condition, Dependency, PullPolicy},
        units::Bytes,
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
        let mut translation = Translation { project, exceptions, faults: making.faults, notes: making.notes };
        let mut container = translation.container(name, written);
        let named_elsewhere = image(making, name, overrides);
        // An image that is named instead of what is built needs no build.
        let build = match &named_elsewhere {
            Some(_) => None,
            None => build::of(name, written, making, exceptions),
        };
        container.image =
            named_elsewhere.unwrap_or_else(|| ImageReference::new(written.image_name(&project.name, name)));
        let own = policy::written(making.read, name);
        policy::limit(&own, &mut container.limits);
        check_swap(project, name, &container.limits, making.faults);
        let stops_by_itself =
            restart_is_written(written) && matches!(container.restart, RestartPolicy::No | RestartPolicy::OnFailure(_));
        let one_shot = stops_by_itself || awaited.contains(name.as_str());
        let contents = contents::of(name, &container, recording, making.notes);
        let service = Service {
            name: ServiceName::new(name),
            container_name: Some(written.container_name.clone()).filter(|name| !name.is_empty()),
            build,
            replicas: u32::try_from(written.replicas()).unwrap_or(u32::MAX),
            pull_policy: match written.pull_policy.as_str() {
                "always" => PullPolicy::Always,
                "never" => PullPolicy::Never,
                _ => PullPolicy::Missing,
            },
            depends_on: depends_on(project, written),
            shares: shares(written, &container.network_mode),
            probes: policy::probes(making.read, name, &own, &keeper, making.faults),
            liveness: policy::liveness(making.read, name, &own, one_shot, &keeper, making.faults),
            rollout: policy::rollout(making.read, name, &own, one_shot, making.faults),
            one_shot,
            contents,
            config_hash: crate::compose::config_hash(written),
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

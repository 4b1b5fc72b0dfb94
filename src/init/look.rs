//! What an engine shows: the Compose projects that run on it, and of one of them what its services use and answer. Only
//! reads; a port is tried by opening a connection and closing it.

use super::{Inline, Project, Seen, Use, inline, readiness::ports};
use crate::{
    engine::{ContainerSummary, Engine, EngineResult, ErrorKind},
    model::{
        container::NetworkMode,
        desired::{Desired, Service},
        labels::{compose, ours},
        names::{ServiceName, StackName},
        observed::{Health, ObservedContainer},
        policy::{Probe, ProbeHost, ProbeKind, TcpProbe},
        units::Timestamp,
    },
    observe::{self, observe},
    plan::as_it_runs,
    probe::Prober,
};
use futures::{StreamExt, TryStreamExt, stream};
use std::{collections::BTreeMap, path::PathBuf};

/// How many services are looked at, or ports tried, at once.
const AT_ONCE: usize = 8;

/// The projects on an engine, running or not.
pub async fn projects(engine: &dyn Engine) -> EngineResult<BTreeMap<StackName, Project>> {
    Ok(projects_of(&engine.list_containers().await?))
}

fn projects_of(containers: &[ContainerSummary]) -> BTreeMap<StackName, Project> {
    let mut projects: BTreeMap<StackName, Project> = BTreeMap::new();
    let mut containers: Vec<&ContainerSummary> = containers.iter().filter(|container| !is_one_off(container)).collect();
    // The last one says where the project is: one that runs, and was made by evenkeel, which may have taken the others over
    // from elsewhere.
    containers.sort_by_key(|container| (container.running, container.labels.contains_key(ours::STACK)));
    for container in containers {
        let label = |name: &str| container.labels.get(name).map(String::as_str).unwrap_or_default();
        let paths = |name: &str| -> Vec<PathBuf> {
            label(name).split(',').filter(|path| !path.is_empty()).map(PathBuf::from).collect()
        };
        if label(compose::PROJECT).is_empty() {
            continue;
        }
        let project = projects.entry(StackName::from(label(compose::PROJECT))).or_default();
        project.services.insert(label(compose::SERVICE).to_owned());
        project.running += usize::from(container.running);
        project.working_dir = PathBuf::from(label(compose::WORKING_DIR));
        project.config_files = paths(compose::CONFIG_FILES);
        project.environment_files = paths(compose::ENVIRONMENT_FILE);
    }
    projects
}

fn is_one_off(container: &ContainerSummary) -> bool {
    container.labels.get(compose::ONEOFF).is_some_and(|text| text.eq_ignore_ascii_case("true"))
}

/// The services of a project as they run, for a manifest that has no Compose files to name.
pub async fn what_runs(engine: &dyn Engine, stack: &StackName, now: Timestamp) -> EngineResult<Inline> {
    let observed = observe(engine, stack, &observe::Wanted::default(), now).await?;
    let mut declared = Desired::empty(stack.clone());
    declared.policy.adopt = true;
    let (running, _) = as_it_runs(&declared, &observed);
    Ok(inline(&running, &observed))
}

/// What a stack uses and answers. `runs`: whether the containers of its name are its own.
pub async fn look(engine: &dyn Engine, prober: &dyn Prober, desired: &Desired, runs: bool) -> EngineResult<Seen> {
    let (facts, listed) = futures::try_join!(engine.facts(), engine.list_containers())?;
    let mut by_service: BTreeMap<ServiceName, Vec<ContainerSummary>> = BTreeMap::new();
    for container in listed.into_iter().filter(|container| runs && container.running && !is_one_off(container)) {
        let label = |name: &str| container.labels.get(name).map(String::as_str);
        if label(compose::PROJECT) == Some(desired.stack.as_str())
            && let Some(service) = label(compose::SERVICE)
        {
            by_service.entry(ServiceName::from(service)).or_default().push(container);
        }
    }
    let services = desired.services.values().map(|service| {
        let containers = by_service.remove(&service.name).unwrap_or_default();
        async move { Ok((service.name.clone(), look_at(engine, prober, service, containers).await?)) }
    });
    let services = stream::iter(services.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(Seen { memory: facts.memory, services })
}

async fn look_at(
    engine: &dyn Engine,
    prober: &dyn Prober,
    service: &Service,
    listed: Vec<ContainerSummary>,
) -> EngineResult<Use> {
    let mut containers = Vec::new();
    for container in listed {
        match engine.inspect_container(container.id.as_str()).await {
            Ok(container) => containers.push(container),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    containers.retain(|container| container.state.is_running());
    containers.sort_by_key(ObservedContainer::number);
    let image = match containers.first() {
        Some(container) => engine.inspect_image(container.image.as_str()).await?,
        None => engine.inspect_image(service.container.image.as_str()).await?,
    };
    let mut seen = Use { running: containers.len(), image: image.map(|image| image.config), ..Use::default() };
    for container in &containers {
        // An engine that can't count stops nothing.
        seen.memory = seen.memory.max(engine.memory_used(&container.id).await.ok());
    }
    let healths = containers.iter().map(|container| container.state.health);
    seen.health =
        healths.max_by_key(|health| (*health == Health::Unhealthy, *health != Health::None)).unwrap_or_default();
    if let Some(container) = containers.first() {
        seen.ports = tried(prober, service, container, &seen).await;
    }
    Ok(seen)
}

/// Tries the ports of one container. On the host's own network whoever answers may be somebody else.
async fn tried(
    prober: &dyn Prober,
    service: &Service,
    container: &ObservedContainer,
    seen: &Use,
) -> BTreeMap<u16, bool> {
    if container.spec.network_mode == NetworkMode::Host {
        return BTreeMap::new();
    }
    let ports = ports(service, seen.image.as_ref()).into_iter().map(|port| async move {
        let attempt = ProbeKind::Tcp(TcpProbe { port, host: ProbeHost::Container });
        (port, prober.attempt(&Probe::of(attempt), container).await.ok)
    });
    stream::iter(ports.collect::<Vec<_>>()).buffer_unordered(AT_ONCE).collect().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_tell_of_projects_and_those_that_run_win() {
        let container = |running, labels: &[(&str, &str)]| ContainerSummary {
            id: "1".into(),
            name: "x".into(),
            image: "sha256:1".into(),
            labels: labels.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
            running,
        };
        let of = |running, service, files| {
            let labels = [
                (compose::PROJECT, "shop"),
                (compose::SERVICE, service),
                (compose::ONEOFF, "False"),
                (compose::WORKING_DIR, "/srv/shop"),
                (compose::CONFIG_FILES, files),
            ];
            container(running, &labels)
        };
        let mut listed = vec![
            container(true, &[]),
            of(true, "web", "/srv/shop/a.yaml,/srv/shop/b.yaml"),
            of(false, "db", "/srv/shop/old.yaml"),
            container(true, &[(compose::PROJECT, "shop"), (compose::SERVICE, "once"), (compose::ONEOFF, "True")]),
        ];
        let projects = projects_of(&listed);
        let shop = &projects[&StackName::from("shop")];
        assert_eq!((projects.len(), shop.running), (1, 1));
        assert_eq!(shop.config_files, [PathBuf::from("/srv/shop/a.yaml"), PathBuf::from("/srv/shop/b.yaml")]);
        assert_eq!(shop.services.iter().map(String::as_str).collect::<Vec<_>>(), ["db", "web"]);
        let mut made = of(true, "web", "/srv/shop/evenkeel.yaml");
        made.labels.insert(ours::STACK.into(), "shop".into());
        listed.insert(1, made);
        let of_ours = &projects_of(&listed)[&StackName::from("shop")];
        assert_eq!(of_ours.config_files, [PathBuf::from("/srv/shop/evenkeel.yaml")]);
    }
}

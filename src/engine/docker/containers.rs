//! Containers: list, inspect, and the calls that change one.

use super::{
    CHANGE, DockerEngine, READ, archive, create, failure, inspect,
    json::{Inspected, Listed},
    logs::Tail,
    memory, missing,
};
use crate::{
    engine::{ContainerSummary, Containers, Created, EngineError, EngineResult, ErrorKind, ExecAnswer, Images, Sent},
    model::{
        container::{Attachment, ContainerSpec, Limits, RestartPolicy, WrittenFile},
        desired::Hook,
        names::{ContainerId, ContainerName, ImageId, NetworkName},
        observed::ObservedContainer,
        units::{Bytes, Millis},
    },
};
use async_trait::async_trait;
use bollard::{
    exec::{CreateExecOptions, StartExecResults},
    models,
    query_parameters::{
        CreateContainerOptions, RemoveContainerOptions, RenameContainerOptionsBuilder, StartContainerOptions,
        StopContainerOptions, UploadToContainerOptions,
    },
};
use futures::StreamExt;
use serde::Deserialize;
use std::collections::BTreeMap;

/// From this API version on docker compose, and so we, say no MAC address for a container that is on no network of ours.
const MAC_OF_ENDPOINT: (u32, u32) = (1, 44);
/// The longest that a command in a container may take; callers have shorter limits of their own.
const EXEC: Millis = Millis::minutes(10);
/// How much of a command's output is kept: the end of it.
const EXEC_OUTPUT_BYTES_MAX: usize = 4096;
/// How long a stop waits where neither the caller nor the container says it.
const GRACE_DEFAULT: Millis = Millis::seconds(10);
/// What a stop may take beyond its grace.
const GRACE_MARGIN: Millis = Millis::seconds(30);

#[async_trait]
impl Containers for DockerEngine {
    async fn list_containers(&self) -> EngineResult<Vec<ContainerSummary>> {
        let listed: Vec<Listed> = self.read("list", "containers", "/containers/json?all=true").await?;
        Ok(listed.into_iter().map(summary).collect())
    }

    async fn inspect_container(&self, id_or_name: &str) -> EngineResult<ObservedContainer> {
        let from: Inspected =
            self.read("inspect container", id_or_name, &path("inspect container", id_or_name, "json")?).await?;
        Ok(inspect::observed(from, self.api()))
    }

    async fn create_container(
        &self,
        name: &ContainerName,
        image: &ImageId,
        spec: &ContainerSpec,
    ) -> EngineResult<Created> {
        // By its name where that still names this image, so that `docker ps` shows it; else by id, which cannot move.
        let named = match spec.image.as_str() {
            "" => None,
            reference => self.inspect_image(reference).await?.filter(|local| local.id == *image),
        };
        let from = if named.is_some() { spec.image.as_str() } else { image.as_str() };
        let mut spec = spec.clone();
        if self.api() >= MAC_OF_ENDPOINT {
            spec.mac = None;
        }
        let body = create::body(from, &spec)
            .map_err(|message| failure::unsayable("create container", name.as_str(), message))?;
        let options = CreateContainerOptions {
            name: Some(name.to_string()),
            platform: spec.platform.clone().unwrap_or_default(),
        };
        let made = self.docker.create_container(Some(options), body);
        let made = self.call("create container", name, CHANGE, made).await?;
        Ok(Created { id: ContainerId::new(made.id), warnings: made.warnings })
    }

    async fn connect(
        &self,
        container: &ContainerId,
        network: &NetworkName,
        attachment: &Attachment,
    ) -> EngineResult<()> {
        let request = models::NetworkConnectRequest {
            container: container.to_string(),
            endpoint_config: Some(create::endpoint(attachment)),
        };
        let connected = self.docker.connect_network(network.as_str(), request);
        self.call("connect a container to network", network, CHANGE, connected).await
    }

    async fn put_file(&self, container: &ContainerId, path: &str, file: &WrittenFile) -> EngineResult<()> {
        let call = "write a file into container";
        let archive = archive::of(path, file)
            .map_err(|error| failure::unsayable(call, container.short(), format!("`{path}`: {error}")))?;
        let options = UploadToContainerOptions {
            path: "/".to_owned(),
            no_overwrite_dir_non_dir: Some("true".to_owned()),
            copy_uidgid: file.owner.map(|_| "true".to_owned()),
        };
        let sent =
            self.docker.upload_to_container(container.as_str(), Some(options), bollard::body_full(archive.into()));
        self.call(call, container.short(), CHANGE, sent).await
    }

    async fn start_container(&self, container: &ContainerId) -> EngineResult<()> {
        let started = self.docker.start_container(container.as_str(), None::<StartContainerOptions>);
        self.call("start container", container.short(), CHANGE, started).await
    }

    async fn unpause_container(&self, container: &ContainerId) -> EngineResult<()> {
        self.call("unpause container", container.short(), CHANGE, self.docker.unpause_container(container.as_str()))
            .await
    }

    async fn stop_container(&self, container: &ContainerId, grace: Option<Millis>) -> EngineResult<()> {
        let wait = match grace {
            Some(grace) => grace,
            None => self.inspect_container(container.as_str()).await?.spec.stop_grace.unwrap_or(GRACE_DEFAULT),
        };
        // Rounded up: a grace under a second is no order to kill at once.
        let seconds = grace.map(|grace| i32::try_from(grace.0.div_ceil(1000)).unwrap_or(i32::MAX));
        let stopped =
            self.docker.stop_container(container.as_str(), Some(StopContainerOptions { t: seconds, signal: None }));
        let limit = Millis(wait.0.saturating_add(GRACE_MARGIN.0));
        self.call("stop container", container.short(), limit, stopped).await
    }

    async fn remove_container(&self, container: &ContainerId, force: bool, volumes: bool) -> EngineResult<()> {
        let options = RemoveContainerOptions { force, v: volumes, link: false };
        let removed = self.docker.remove_container(container.as_str(), Some(options));
        self.call("remove container", container.short(), CHANGE, removed).await
    }

    async fn rename_container(&self, container: &ContainerId, to: &ContainerName) -> EngineResult<()> {
        let options = RenameContainerOptionsBuilder::default().name(to.as_str()).build();
        let renamed = self.docker.rename_container(container.as_str(), options);
        self.call("rename a container to", to, READ, renamed).await
    }

    async fn update_container(
        &self,
        container: &ContainerId,
        limits: &Limits,
        restart: Option<RestartPolicy>,
    ) -> EngineResult<()> {
        let updated = self.docker.update_container(container.as_str(), create::update(limits, restart));
        self.call("update container", container.short(), CHANGE, updated).await
    }

    async fn container_log(&self, container: &ContainerId, bytes_max: usize) -> EngineResult<String> {
        self.tail_of_log(container, bytes_max).await
    }

    async fn memory_used(&self, container: &ContainerId) -> EngineResult<Bytes> {
        let call = "read the memory use of container";
        let pid = self.inspect_container(container.as_str()).await?.state.pid;
        if let Some(used) = memory::used(pid, container) {
            return Ok(used);
        }
        let path = path(call, container.as_str(), "stats?stream=false&one-shot=true")?;
        let stats: Stats = self.read(call, container.short(), &path).await?;
        stats.memory_stats.used().ok_or_else(|| missing(call, container.short(), "memory use"))
    }

    async fn run_hook(&self, container: &ContainerId, hook: &Hook) -> EngineResult<ExecAnswer> {
        let environment = hook.environment.iter().map(|(name, value)| format!("{name}={}", value.reveal()));
        let environment: Vec<String> = environment.chain(hook.unset.iter().cloned()).collect();
        let options = CreateExecOptions {
            cmd: Some(hook.command.iter().map(|word| word.reveal().to_owned()).collect()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            user: hook.user.clone(),
            privileged: hook.privileged.then_some(true),
            working_dir: hook.working_dir.clone(),
            env: Some(environment).filter(|environment| !environment.is_empty()),
            ..Default::default()
        };
        let call = "run a command in container";
        let exec = self.docker.create_exec(container.as_str(), options);
        let exec = self.call(call, container.short(), READ, exec).await?.id;
        let output = self.call(call, container.short(), EXEC, self.exec_output(&exec)).await?;
        Ok(ExecAnswer { exit_code: self.exec_exit_code(container, &exec).await?, output })
    }
}

impl DockerEngine {
    async fn exec_output(&self, exec: &str) -> Result<String, bollard::errors::Error> {
        let mut tail = Tail::new(EXEC_OUTPUT_BYTES_MAX);
        if let StartExecResults::Attached { mut output, .. } = self.docker.start_exec(exec, None).await? {
            while let Some(part) = output.next().await {
                tail.push(part?.as_ref());
            }
        }
        Ok(tail.into_text())
    }

    /// The output can end a moment before the engine has noted the exit.
    async fn exec_exit_code(&self, container: &ContainerId, exec: &str) -> EngineResult<i64> {
        let call = "read the exit code of a command in container";
        for pause in [10, 20, 50, 100, 200, 500, 1000] {
            let answer = self.call(call, container.short(), READ, self.docker.inspect_exec(exec)).await?;
            match answer.exit_code {
                Some(code) if answer.running != Some(true) => return Ok(code),
                _ => self.clock.sleep(Millis(pause)).await,
            }
        }
        Err(missing(call, container.short(), "exit code"))
    }
}

/// The path of something of a container; a text that can be no container's id or name names none.
fn path(call: &'static str, id_or_name: &str, what: &str) -> EngineResult<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if id_or_name.is_empty() || !id_or_name.bytes().all(plain) {
        return Err(EngineError {
            call,
            target: id_or_name.to_owned(),
            kind: ErrorKind::NotFound,
            sent: Sent::NotSent,
            message: "this is no container's name".to_owned(),
        });
    }
    Ok(format!("/containers/{id_or_name}/{what}"))
}

fn summary(from: Listed) -> ContainerSummary {
    // A container that others link to has their names for it too: `/web/db`.
    let name = from.names.iter().filter_map(|name| name.strip_prefix('/')).find(|name| !name.contains('/'));
    ContainerSummary {
        name: ContainerName::new(name.unwrap_or(&from.id)),
        id: ContainerId::new(from.id),
        image: ImageId::new(from.image_id),
        labels: from.labels,
        running: from.state == "running",
    }
}

#[derive(Deserialize)]
struct Stats {
    #[serde(default)]
    memory_stats: MemoryStats,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MemoryStats {
    /// Absent where the engine has no figures: the container does not run, or its kernel does not count.
    usage: Option<u64>,
    /// Of the kernel's own names; cgroup v1 has the sums over all children as `total_…`.
    stats: BTreeMap<String, u64>,
}

impl MemoryStats {
    fn used(&self) -> Option<Bytes> {
        let cache = ["total_inactive_file", "inactive_file"].iter().find_map(|name| self.stats.get(*name));
        Some(Bytes(self.usage?.saturating_sub(cache.copied().unwrap_or(0))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_leave_its_path_names_no_container() {
        assert_eq!(path("inspect", "web-1_a.b", "json").unwrap(), "/containers/web-1_a.b/json");
        for name in ["", "../images", "a b", "a?b"] {
            assert_eq!(path("inspect", name, "json").unwrap_err().kind, ErrorKind::NotFound, "{name}");
        }
    }

    #[test]
    fn cache_that_can_go_is_not_used_memory() {
        let used = |json: &str| serde_json::from_str::<Stats>(json).unwrap().memory_stats.used();
        assert_eq!(
            used(r#"{"memory_stats":{"usage":100,"stats":{"total_inactive_file":30,"inactive_file":10}}}"#),
            Some(Bytes(70))
        );
        assert_eq!(used(r#"{"memory_stats":{"usage":100,"stats":{"inactive_file":10}}}"#), Some(Bytes(90)));
        assert_eq!(used(r#"{"memory_stats":{}}"#), None);
    }
}

//! Services written from what runs, where their Compose files are gone: each container's fields back into Compose syntax.
//! Environments go to files of their own, for nobody knows which of their values are secret. Whether what is written means
//! what runs is not judged here: whoever writes it holds a plan against it.

use crate::{
    load::looks_secret,
    model::{
        container::{Attachment, ContainerSpec, Healthcheck, Limits, Mount, MountSource, NetworkMode, RestartPolicy},
        desired::{Desired, Service},
        labels::compose,
        names::{ContainerId, NetworkName, ServiceName, StackName, VolumeName},
        observed::{Observed, ObservedContainer},
        units::Bytes,
        value::Value,
    },
};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// What stands in a manifest instead of Compose files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inline {
    /// The Compose fields of each service.
    pub services: BTreeMap<String, Json>,
    pub networks: Json,
    pub volumes: Json,
    /// The files of environments, by name; what is in them must not be shown.
    pub env_files: BTreeMap<String, String>,
    /// What can't be written, as `service/web: why`.
    pub unsaid: Vec<String>,
}

/// Writes services as they run: `running` is what was read from the engine, made normal.
pub fn inline(running: &Desired, observed: &Observed) -> Inline {
    let mut writing = Writing { stack: &running.stack, observed, inline: Inline::default() };
    let (mut networks, mut volumes) = (Map::new(), Map::new());
    for (name, service) in &running.services {
        let fields = writing.service(service, &mut networks, &mut volumes);
        writing.inline.services.insert(name.to_string(), Json::Object(fields));
    }
    writing.inline.networks = Json::Object(networks);
    writing.inline.volumes = Json::Object(volumes);
    writing.inline
}

struct Writing<'a> {
    stack: &'a StackName,
    observed: &'a Observed,
    inline: Inline,
}

/// Fields that are there only where they say something.
struct Fields(Map<String, Json>);

impl Fields {
    fn set(&mut self, name: &str, value: impl Into<Json>) {
        let value = value.into();
        let says_nothing = match &value {
            Json::Null | Json::Bool(false) => true,
            Json::Array(items) => items.is_empty(),
            Json::Object(map) => map.is_empty(),
            _ => false,
        };
        if !says_nothing {
            self.0.insert(name.to_owned(), value);
        }
    }
}

/// A text that no variable is put into.
fn text(text: impl AsRef<str>) -> Json {
    Json::from(text.as_ref().replace('$', "$$"))
}

fn texts<T: AsRef<str>>(all: impl IntoIterator<Item = T>) -> Json {
    all.into_iter().map(text).collect()
}

fn optional<T: AsRef<str>>(value: Option<T>) -> Json {
    value.map_or(Json::Null, text)
}

/// A size as Compose writes it: `64m`, `1g`.
fn size(bytes: Bytes) -> String {
    bytes.to_string().replace("Gi", "g").replace("Mi", "m").replace("Ki", "k")
}

fn words(words: Option<&Vec<Value>>) -> Json {
    words.map_or(Json::Null, |words| texts(words.iter().map(Value::reveal)))
}

impl Writing<'_> {
    fn service(
        &mut self,
        service: &Service,
        networks: &mut Map<String, Json>,
        volumes: &mut Map<String, Json>,
    ) -> Map<String, Json> {
        let (name, spec) = (&service.name, &service.container);
        self.refuse_secrets(name, spec);
        let mut fields = Fields(Map::new());
        fields.set("image", text(spec.image.as_str()));
        fields.set("container_name", optional(service.container_name.as_ref()));
        fields.set("entrypoint", words(spec.entrypoint.as_ref()));
        fields.set("command", words(spec.command.as_ref()));
        fields.set("env_file", self.environment(name, spec));
        let own = spec.labels.users();
        fields
            .set("labels", own.map(|(label, value)| (label.to_string(), text(value.reveal()))).collect::<Map<_, _>>());
        fields.set("restart", self.restart(name, spec));
        fields.set("healthcheck", spec.healthcheck.as_ref().map_or(Json::Null, healthcheck));
        fields.set("depends_on", self.depends_on(name));
        if service.replicas > 1 {
            fields.set("scale", service.replicas);
        }
        process(&mut fields, spec);
        limits(&mut fields, &spec.limits);
        security(&mut fields, spec);
        fields.set("volumes", self.mounts(spec, volumes));
        let tmpfs = spec
            .mounts
            .iter()
            .filter_map(|(target, mount)| Some(format!("{target}:{}", mount.tmpfs_options.as_ref()?)));
        fields.set("tmpfs", texts(tmpfs));
        self.network(&mut fields, spec, networks);
        fields.0
    }

    /// A secret in a word or a label would stand in the manifest for everybody to read.
    fn refuse_secrets(&mut self, name: &ServiceName, spec: &ContainerSpec) {
        let own = spec.labels.users();
        let named = own.map(|(label, value)| (format!("labels.{label}"), looks_secret(label, value.reveal())));
        let word = |value: &Value| {
            let (name, value) = value.reveal().split_once('=').unwrap_or(("", value.reveal()));
            looks_secret(name.trim_start_matches('-'), value)
        };
        let lists = [("entrypoint", spec.entrypoint.as_ref()), ("command", spec.command.as_ref())];
        let lists = lists.into_iter().map(|(list, words)| (list.to_owned(), words.is_some_and(|w| w.iter().any(word))));
        let check = spec.healthcheck.as_ref().is_some_and(|check| check.test.iter().any(word));
        let found = named.chain(lists).chain([("healthcheck.test".to_owned(), check)]);
        let found: Vec<String> = found.filter(|(_, secret)| *secret).map(|(field, _)| field).collect();
        for field in found {
            self.inline.unsaid.push(format!("service/{name}: {field} looks like a secret"));
        }
    }

    /// The environment that the image does not give, in a file that takes every text as it is.
    fn environment(&mut self, name: &ServiceName, spec: &ContainerSpec) -> Json {
        let mut lines = String::new();
        for (variable, value) in &spec.environment {
            if value.reveal().contains(['\n', '\r']) {
                self.inline.unsaid.push(format!("service/{name}: environment.{variable} has several lines"));
            }
            lines.push_str(&format!("{variable}={}\n", value.reveal()));
        }
        if lines.is_empty() {
            return Json::Null;
        }
        let file = format!("{}.{name}.env", self.stack);
        self.inline.env_files.insert(file.clone(), lines);
        json!([{"path": text(file), "format": "raw"}])
    }

    fn containers(&self, name: &ServiceName) -> impl Iterator<Item = &ObservedContainer> {
        self.observed.containers.values().filter(move |container| container.service().as_ref() == Some(name))
    }

    /// Without a policy a service is long-running; what has ended and is not started again was run once.
    fn restart(&self, name: &ServiceName, spec: &ContainerSpec) -> Json {
        match spec.restart {
            RestartPolicy::No if self.containers(name).any(|container| container.state.is_running()) => Json::Null,
            policy => text(policy.to_string()),
        }
    }

    /// docker compose's label: `db:service_started:false,cache:service_healthy:true`.
    fn depends_on(&self, name: &ServiceName) -> Json {
        let label =
            self.containers(name).find_map(|container| container.label(compose::DEPENDS_ON)).unwrap_or_default();
        let entry = |one: &str| {
            let mut parts = one.split(':');
            let (on, condition, restart) = (parts.next()?, parts.next()?, parts.next()?);
            // What does not run is no longer there to be waited for.
            self.containers(&ServiceName::from(on)).next()?;
            let mut fields = Map::from_iter([("condition".to_owned(), text(condition))]);
            if restart == "true" {
                fields.insert("restart".to_owned(), true.into());
            }
            Some((on.to_owned(), Json::Object(fields)))
        };
        Json::Object(label.split(',').filter_map(entry).collect())
    }

    fn mounts(&self, spec: &ContainerSpec, volumes: &mut Map<String, Json>) -> Json {
        let mounts = spec.mounts.iter().filter(|(_, mount)| mount.tmpfs_options.is_none());
        mounts.map(|(target, mount)| self.mount(target, mount, volumes)).collect()
    }

    fn mount(&self, target: &str, mount: &Mount, volumes: &mut Map<String, Json>) -> Json {
        let mut fields = Fields(Map::new());
        let kind = match &mount.source {
            MountSource::Bind(source) => {
                fields.set("source", text(source));
                let mut bind = Fields(Map::new());
                bind.set("propagation", optional(mount.propagation.as_ref()));
                bind.set("recursive", optional(mount.recursive.as_ref()));
                bind.set("selinux", optional(mount.selinux.as_ref()));
                fields.set("bind", bind.0);
                "bind"
            }
            MountSource::Volume(name) => {
                fields.set("source", text(self.volume(name, volumes)));
                fields.set("volume", mount.subpath.as_ref().map_or(Json::Null, |path| json!({"subpath": text(path)})));
                "volume"
            }
            MountSource::Anonymous(_) => "volume",
            MountSource::Tmpfs => {
                let mut tmpfs = Fields(Map::new());
                tmpfs.set("size", optional(mount.tmpfs_size.map(size)));
                tmpfs.set("mode", mount.tmpfs_mode.map_or(Json::Null, Json::from));
                fields.set("tmpfs", tmpfs.0);
                "tmpfs"
            }
            MountSource::Image(image) => {
                fields.set("source", text(image));
                fields.set("image", mount.subpath.as_ref().map_or(Json::Null, |path| json!({"subpath": text(path)})));
                "image"
            }
            MountSource::Pipe(source) => {
                fields.set("source", text(source));
                "npipe"
            }
        };
        let mut all = Fields(Map::from_iter([("type".to_owned(), kind.into()), ("target".to_owned(), text(target))]));
        all.set("read_only", mount.read_only);
        all.0.extend(fields.0);
        Json::Object(all.0)
    }

    /// The key of a volume, declared as it is. One that is not of this project is somebody else's.
    fn volume(&self, name: &VolumeName, volumes: &mut Map<String, Json>) -> String {
        let observed = self.observed.volumes.get(name);
        let own = observed.and_then(|volume| key_in(&volume.labels, compose::VOLUME, self.stack));
        let key = own.clone().unwrap_or_else(|| name.to_string());
        let mut fields = Fields(Map::new());
        match (own, observed) {
            (Some(key), Some(volume)) => {
                if name.as_str() != format!("{}_{key}", self.stack) {
                    fields.set("name", text(name.as_str()));
                }
                let definition = &volume.definition;
                fields.set("driver", optional(definition.driver.as_ref().filter(|driver| *driver != "local")));
                let options = definition.options.iter().map(|(name, value)| (name.clone(), text(value.reveal())));
                fields.set("driver_opts", options.collect::<Map<_, _>>());
            }
            _ => {
                fields.set("name", text(name.as_str()));
                fields.set("external", true);
            }
        }
        volumes.insert(key.clone(), Json::Object(fields.0));
        key
    }

    fn network(&self, fields: &mut Fields, spec: &ContainerSpec, networks: &mut Map<String, Json>) {
        let mode = match &spec.network_mode {
            NetworkMode::Networks => Json::Null,
            NetworkMode::Host => text("host"),
            NetworkMode::None => text("none"),
            NetworkMode::Bridge => text("bridge"),
            NetworkMode::Service(name) => text(format!("service:{name}")),
            NetworkMode::Container(id) => text(self.sharing(id.as_str())),
        };
        fields.set("network_mode", mode);
        for (field, value) in [("ipc", &spec.ipc), ("pid", &spec.pid)] {
            let shared = |text: &str| match text.strip_prefix("container:") {
                Some(id) => self.sharing(id),
                None => text.to_owned(),
            };
            fields.set(field, optional(value.as_deref().map(shared)));
        }
        if spec.network_mode == NetworkMode::Networks {
            let attached = spec.networks.iter().map(|(name, attachment)| {
                let key = self.declared_network(name, attachment, networks);
                (key, self.attachment(spec, attachment))
            });
            fields.set("networks", attached.collect::<Map<_, _>>());
        }
        let ports = spec.ports.iter().flat_map(|(port, hosts)| hosts.iter().map(move |host| (port, host)));
        let ports = ports.map(|(port, host)| {
            let (target, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
            let mut fields = Fields(Map::new());
            fields.set("target", target.parse::<u16>().map_or_else(|_| text(target), Json::from));
            fields.set("published", optional(Some(&host.port).filter(|port| !port.is_empty())));
            fields.set("host_ip", optional(Some(&host.address).filter(|address| !address.is_empty())));
            fields.set("protocol", text(protocol));
            Json::Object(fields.0)
        });
        fields.set("ports", ports.collect::<Vec<_>>());
        fields.set("expose", texts(&spec.expose));
    }

    /// `service:web` for a container of the project.
    fn sharing(&self, id: &str) -> String {
        let of_project = self.observed.containers.values().find(|container| container.id == ContainerId::new(id));
        match of_project.and_then(ObservedContainer::service) {
            Some(service) => format!("service:{service}"),
            None => format!("container:{id}"),
        }
    }

    /// The key of a network, declared as it is. One that is not of this project is somebody else's.
    fn declared_network(&self, name: &NetworkName, attached: &Attachment, networks: &mut Map<String, Json>) -> String {
        let observed = self.observed.networks.get(name);
        let own = observed.and_then(|network| key_in(&network.labels, compose::NETWORK, self.stack));
        let key = own.clone().unwrap_or_else(|| name.to_string());
        let mut fields = Fields(Map::new());
        match (own, observed) {
            (Some(key), Some(network)) => {
                if name.as_str() != format!("{}_{key}", self.stack) {
                    fields.set("name", text(name.as_str()));
                }
                let definition = &network.definition;
                fields.set("driver", optional(definition.driver.as_ref().filter(|driver| *driver != "bridge")));
                let options = definition.options.iter().map(|(name, value)| (name.clone(), text(value)));
                fields.set("driver_opts", options.collect::<Map<_, _>>());
                fields.set("internal", definition.internal);
                fields.set("attachable", definition.attachable);
                fields.set("enable_ipv6", definition.ipv6.filter(|on| *on).map_or(Json::Null, Json::Bool));
                if attached.ipv4.is_some() || attached.ipv6.is_some() {
                    let pools =
                        definition.pools.iter().filter_map(|pool| Some(json!({"subnet": pool.subnet.as_ref()?})));
                    fields.set("ipam", json!({"config": pools.collect::<Vec<_>>()}));
                }
            }
            _ => {
                fields.set("name", text(name.as_str()));
                fields.set("external", true);
            }
        }
        // A fixed address of one service tells of the pools, whichever service comes first.
        if fields.0.contains_key("ipam") || !networks.contains_key(&key) {
            networks.insert(key.clone(), Json::Object(fields.0));
        }
        key
    }

    fn attachment(&self, spec: &ContainerSpec, attached: &Attachment) -> Json {
        let service = spec.labels.get(compose::SERVICE).map(Value::reveal);
        let mut fields = Fields(Map::new());
        fields.set("aliases", texts(attached.aliases.iter().filter(|alias| Some(alias.as_str()) != service)));
        fields.set("ipv4_address", optional(attached.ipv4.as_ref()));
        fields.set("ipv6_address", optional(attached.ipv6.as_ref()));
        fields.set("link_local_ips", texts(&attached.link_local));
        let options = attached.driver_options.iter().map(|(name, value)| (name.clone(), text(value)));
        fields.set("driver_opts", options.collect::<Map<_, _>>());
        if fields.0.is_empty() { Json::Null } else { Json::Object(fields.0) }
    }
}

/// The key that docker compose's label gives a network or volume of this project.
fn key_in(labels: &BTreeMap<String, String>, kind: &str, stack: &StackName) -> Option<String> {
    labels.get(kind).filter(|_| labels.get(compose::PROJECT).map(String::as_str) == Some(stack.as_str())).cloned()
}

fn healthcheck(check: &Healthcheck) -> Json {
    if check.is_none() {
        return json!({"disable": true});
    }
    let mut fields = Fields(Map::new());
    fields.set("test", texts(check.test.iter().map(Value::reveal)));
    for (field, span) in [
        ("interval", check.interval),
        ("timeout", check.timeout),
        ("start_period", check.start_period),
        ("start_interval", check.start_interval),
    ] {
        fields.set(field, optional(span.map(|span| span.to_string())));
    }
    fields.set("retries", check.retries.map_or(Json::Null, Json::from));
    Json::Object(fields.0)
}

fn process(fields: &mut Fields, spec: &ContainerSpec) {
    for (field, value) in [
        ("working_dir", &spec.working_dir),
        ("user", &spec.user),
        ("hostname", &spec.hostname),
        ("domainname", &spec.domainname),
        ("stop_signal", &spec.stop_signal),
        ("uts", &spec.uts),
        ("userns_mode", &spec.userns),
        ("cgroup", &spec.cgroupns),
        ("cgroup_parent", &spec.cgroup_parent),
        ("runtime", &spec.runtime),
    ] {
        fields.set(field, optional(value.as_ref()));
    }
    fields.set("group_add", texts(&spec.group_add));
    fields.set("stop_grace_period", optional(spec.stop_grace.map(|grace| grace.to_string())));
    fields.set("tty", spec.tty);
    fields.set("stdin_open", spec.stdin_open);
    fields.set("init", spec.init.map_or(Json::Null, Json::Bool));
    fields.set("read_only", spec.read_only);
    fields.set("privileged", spec.privileged);
    fields.set("dns", texts(&spec.dns));
    fields.set("dns_search", texts(&spec.dns_search));
    fields.set("dns_opt", texts(&spec.dns_options));
    fields.set("extra_hosts", texts(&spec.extra_hosts));
    if let Some(logging) = &spec.logging {
        let mut own = Fields(Map::new());
        own.set("driver", optional(logging.driver.as_ref()));
        let options = logging.options.iter().map(|(name, value)| (name.clone(), text(value.reveal())));
        own.set("options", options.collect::<Map<_, _>>());
        fields.set("logging", own.0);
    }
}

fn limits(fields: &mut Fields, limits: &Limits) {
    fields.set("mem_limit", optional(limits.memory.map(size)));
    fields.set("mem_reservation", optional(limits.memory_reservation.map(size)));
    fields.set("cpus", limits.cpus.map_or(Json::Null, |cpus| text(cpus.to_string())));
    for (field, number) in [
        ("memswap_limit", limits.memory_swap),
        ("mem_swappiness", limits.memory_swappiness),
        ("pids_limit", limits.pids),
        ("cpu_shares", limits.cpu_shares),
        ("cpu_period", limits.cpu_period),
        ("cpu_quota", limits.cpu_quota),
        ("cpu_rt_period", limits.cpu_rt_period),
        ("cpu_rt_runtime", limits.cpu_rt_runtime),
        ("oom_score_adj", limits.oom_score_adj),
    ] {
        fields.set(field, number.map_or(Json::Null, Json::from));
    }
    fields.set("cpuset", optional(limits.cpuset.as_ref()));
    fields.set("oom_kill_disable", limits.oom_kill_disable.map_or(Json::Null, Json::Bool));
    fields.set("blkio_config", limits.blkio_weight.map_or(Json::Null, |weight| json!({"weight": weight})));
}

fn security(fields: &mut Fields, spec: &ContainerSpec) {
    fields.set("cap_add", texts(&spec.cap_add));
    fields.set("cap_drop", texts(&spec.cap_drop));
    fields.set("security_opt", texts(&spec.security_opt));
    fields.set("sysctls", spec.sysctls.iter().map(|(name, value)| (name.clone(), text(value))).collect::<Map<_, _>>());
    let ulimits =
        spec.ulimits.iter().map(|(name, limit)| (name.clone(), json!({"soft": limit.soft, "hard": limit.hard})));
    fields.set("ulimits", ulimits.collect::<Map<_, _>>());
    let devices =
        spec.devices.iter().map(|(target, device)| format!("{}:{target}:{}", device.source, device.permissions));
    fields.set("devices", texts(devices));
    fields.set("device_cgroup_rules", texts(&spec.device_cgroup_rules));
    fields.set("shm_size", optional(spec.shm_size.map(size)));
    let options = spec.storage_options.iter().map(|(name, value)| (name.clone(), text(value)));
    fields.set("storage_opt", options.collect::<Map<_, _>>());
}

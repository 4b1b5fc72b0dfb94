//! One Compose service as the container that docker compose 2.40 would create for it, in our own type. Labels are the
//! user's alone here; `load::labels` adds those of docker compose and ours.
//!
//! What docker compose does and evenkeel cannot do yet has been refused before (`load::refused`), so that nothing is left
//! out here without a word.

mod devices;
mod hooks;
mod json;
mod limits;
mod mounts;
mod network;
mod run;

use super::sensitive::{self, Exceptions};
use crate::{
    compose::{
        Reader,
        project::{Command, Project, Service},
        yaml::Faults,
    },
    model::{
        container::{ContainerSpec, Ulimit},
        names::ImageReference,
        plan::{Note, NoteCode},
        units::Bytes,
        value::Value,
    },
};
use std::collections::{BTreeMap, BTreeSet};

pub use run::restart_is_written;

/// What translating a service needs beside the service.
pub struct Translation<'a> {
    pub project: &'a Project,
    pub exceptions: &'a Exceptions,
    pub files: &'a dyn Reader,
    pub faults: &'a mut Faults,
    pub notes: &'a mut Vec<Note>,
}

impl Translation<'_> {
    /// The spec that every container of a service is made from, without bookkeeping labels.
    pub fn container(&mut self, name: &str, service: &Service) -> ContainerSpec {
        let mut spec = ContainerSpec {
            image: ImageReference::new(&service.image),
            platform: set(&service.platform),
            entrypoint: words(&service.entrypoint),
            command: words(&service.command),
            labels: service
                .labels
                .0
                .iter()
                .map(|(label, text)| (label.as_str().into(), self.exceptions.named(name, label, text)))
                .collect(),
            working_dir: set(&service.working_dir),
            user: set(&service.user),
            group_add: service.group_add.iter().cloned().collect(),
            hostname: set(&service.hostname),
            domainname: set(&service.domainname),
            stop_signal: set(&service.stop_signal),
            stop_grace: service.stop_grace_period.map(run::whole_seconds),
            tty: service.tty,
            stdin_open: service.stdin_open,
            init: service.init,
            read_only: service.read_only,
            privileged: service.privileged,
            restart: self.restart(name, service),
            healthcheck: service.healthcheck.as_ref().map(run::healthcheck),
            limits: limits::limits(service),
            ulimits: ulimits(service),
            ipc: set(&service.ipc),
            pid: set(&service.pid),
            uts: set(&service.uts),
            userns: set(&service.userns_mode),
            cgroupns: set(&service.cgroup),
            cgroup_parent: set(&service.cgroup_parent),
            isolation: set(&service.isolation),
            runtime: set(&service.runtime),
            shm_size: bytes(service.shm_size.0),
            cap_add: capabilities(&service.cap_add),
            cap_drop: capabilities(&service.cap_drop),
            security_opt: self.security(name, service),
            unmasked: service.security_opt.iter().any(|option| option == UNMASKED),
            sysctls: texts(&service.sysctls.0),
            dns: service.dns.0.clone(),
            dns_search: service.dns_search.0.clone(),
            dns_options: service.dns_opt.clone(),
            extra_hosts: service.extra_hosts.lines(':').into_iter().collect(),
            volumes_from: self.volumes_from(name, service),
            storage_options: service.storage_opt.clone(),
            annotations: texts(&service.annotations.0),
            logging: service.logging.as_ref().map(run::logging),
            ..ContainerSpec::default()
        };
        self.environment(name, service, &mut spec);
        if service.credential_spec.is_some() {
            self.notes.push(Note {
                code: NoteCode::ComposeWarning,
                text: format!("{name}: `credential_spec` is for Windows containers; docker compose leaves it out too"),
                hint: None,
            });
        }
        devices::add(service, &mut spec);
        self.network(name, service, &mut spec);
        self.mounts(name, service, &mut spec);
        spec
    }

    /// A variable that is set nowhere takes the image's away. That is noted: it is seldom what was meant.
    fn environment(&mut self, name: &str, service: &Service, spec: &mut ContainerSpec) {
        for (variable, text) in &service.environment.0 {
            match text {
                Some(text) => {
                    spec.environment.insert(variable.into(), self.exceptions.named(name, variable, text));
                }
                None => {
                    spec.unset.insert(variable.clone());
                    self.notes.push(Note {
                        code: NoteCode::VariableNotSet,
                        text: format!(
                            "{name}: its variable `{variable}` is set nowhere, so the container does not have it"
                        ),
                        hint: None,
                    });
                }
            }
        }
    }
}

/// The security option that is no option of the engine's.
const UNMASKED: &str = "systempaths=unconfined";

impl Translation<'_> {
    /// Security options; a seccomp profile from a file is the profile itself for the engine.
    fn security(&mut self, name: &str, service: &Service) -> BTreeSet<String> {
        let options = service.security_opt.iter().enumerate().filter(|(_, option)| *option != UNMASKED);
        let option = |(index, option): (usize, &String)| {
            let (kind, value) = option.split_once('=').or_else(|| option.split_once(':')).unwrap_or((option, ""));
            if kind != "seccomp" || matches!(value, "unconfined" | "builtin") {
                return option.clone();
            }
            let path = self.project.working_dir.join(value);
            let profile =
                self.files.read(&path).map_err(|error| error.to_string()).and_then(|bytes| json::compact(&bytes));
            profile.map(|profile| format!("seccomp={profile}")).unwrap_or_else(|error| {
                let place = ["services", name, "security_opt", &index.to_string()];
                let message = format!("the seccomp profile `{}` could not be read: {error}", path.display());
                self.faults.push(self.project.fault(&place, message).code("read"));
                option.clone()
            })
        };
        options.map(option).collect()
    }

    /// `service` or `container:name`. docker compose drops a mode, so one is noted.
    fn volumes_from(&mut self, name: &str, service: &Service) -> Vec<String> {
        let without_mode = |from: &String| {
            let parts = if from.starts_with("container:") { 2 } else { 1 };
            let kept = from.split(':').take(parts).collect::<Vec<_>>().join(":");
            if kept != *from {
                self.notes.push(Note {
                    code: NoteCode::ComposeWarning,
                    text: format!(
                        "{name}: `volumes_from: {from}` mounts all of it as `{kept}` has it, writable or not"
                    ),
                    hint: None,
                });
            }
            kept
        };
        service.volumes_from.iter().map(without_mode).collect()
    }
}

/// A text, unless it is empty, which means "not set" in the Compose model.
fn set<T: for<'a> From<&'a str>>(text: &str) -> Option<T> {
    (!text.is_empty()).then(|| text.into())
}

/// A size, unless it is zero, which means "not set" in the Compose model.
fn bytes(size: i64) -> Option<Bytes> {
    u64::try_from(size).ok().filter(|size| *size > 0).map(Bytes)
}

/// A number, unless it is zero, which means "not set" in the Compose model.
fn number(number: i64) -> Option<i64> {
    (number != 0).then_some(number)
}

/// Capabilities as the engine keeps them: `CAP_NET_ADMIN`, `ALL`.
fn capabilities(names: &[String]) -> BTreeSet<String> {
    let full = |name: &String| match name.trim().to_ascii_uppercase() {
        name if name == "ALL" || name.starts_with("CAP_") => name,
        name => format!("CAP_{name}"),
    };
    names.iter().map(full).collect()
}

fn words(command: &Command) -> Option<Vec<Value>> {
    command.0.as_ref().map(|words| words.iter().map(sensitive::word).collect())
}

fn texts(pairs: &BTreeMap<String, crate::compose::Text>) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| (name.clone(), text.as_str().to_owned())).collect()
}

fn ulimits(service: &Service) -> BTreeMap<String, Ulimit> {
    let set = service.ulimits.iter().filter_map(|(name, ulimit)| Some((name.clone(), ulimit.as_ref()?.limits())));
    set.map(|(name, (soft, hard))| (name, Ulimit { soft, hard })).collect()
}

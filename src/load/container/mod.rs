//! One Compose service as the container that docker compose 2.40 would create for it, in our own type. Labels are the
//! user's alone here; `load::labels` adds those of docker compose and ours.
//!
//! What docker compose does and evenkeel cannot do yet has been refused before (`load::refused`), so that nothing is left
//! out here without a word.

mod devices;
mod limits;
mod mounts;
mod network;
mod run;

use super::sensitive::{self, Exceptions};
use crate::{
    compose::{
        project::{Command, Project, Service},
        yaml::Faults,
    },
    model::{
        container::{ContainerSpec, Ulimit},
        names::ImageReference,
        plan::Note,
        units::Bytes,
        value::Value,
    },
};
use std::collections::BTreeMap;

pub use run::restart_is_written;

/// What translating a service needs beside the service.
pub struct Translation<'a> {
    pub project: &'a Project,
    pub exceptions: &'a Exceptions,
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
            environment: self.environment(name, service),
            labels: service
                .labels
                .0
                .iter()
                .map(|(label, text)| (label.clone(), self.exceptions.named(name, label, text)))
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
            cap_add: service.cap_add.iter().cloned().collect(),
            cap_drop: service.cap_drop.iter().cloned().collect(),
            security_opt: service.security_opt.iter().cloned().collect(),
            sysctls: texts(&service.sysctls.0),
            dns: service.dns.0.clone(),
            dns_search: service.dns_search.0.clone(),
            dns_options: service.dns_opt.clone(),
            extra_hosts: service.extra_hosts.lines(':').into_iter().collect(),
            volumes_from: service.volumes_from.clone(),
            storage_options: service.storage_opt.clone(),
            annotations: texts(&service.annotations.0),
            logging: service.logging.as_ref().map(run::logging),
            ..ContainerSpec::default()
        };
        devices::add(service, &mut spec);
        self.network(name, service, &mut spec);
        self.mounts(name, service, &mut spec);
        spec
    }

    /// A variable that is set nowhere unsets the image's for docker compose; that one is noted, because it is left out.
    fn environment(&mut self, name: &str, service: &Service) -> BTreeMap<String, Value> {
        let mut environment = BTreeMap::new();
        for (variable, text) in &service.environment.0 {
            match text {
                Some(text) => {
                    environment.insert(variable.clone(), self.exceptions.named(name, variable, text));
                }
                None => self.notes.push(Note {
                    code: crate::model::plan::NoteCode::VariableNotSet,
                    text: format!("{name}: its variable `{variable}` is set nowhere and is left out"),
                    hint: None,
                }),
            }
        }
        environment
    }
}

/// A text, unless it is empty, which means "not set" in the Compose model.
fn set(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A size, unless it is zero, which means "not set" in the Compose model.
fn bytes(size: i64) -> Option<Bytes> {
    u64::try_from(size).ok().filter(|size| *size > 0).map(Bytes)
}

/// A number, unless it is zero, which means "not set" in the Compose model.
fn number(number: i64) -> Option<i64> {
    (number != 0).then_some(number)
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

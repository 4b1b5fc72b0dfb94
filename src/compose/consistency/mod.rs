//! What must hold between the parts of a project: references that exist, fields that agree, no cycle.

mod amounts;
mod cycles;

use std::collections::BTreeMap;

use crate::compose::project::{MountKind, Project, Service};
use crate::compose::yaml::Faults;

/// Checks the enabled services and what they refer to.
pub(crate) fn check(project: &Project, faults: &mut Faults) {
    for (name, service) in &project.services {
        let mut checks = Checks { project, name, service, faults };
        checks.image();
        checks.networks();
        checks.references();
        checks.dependencies();
        checks.replicas();
        checks.limits();
        checks.watched();
        checks.targets();
    }
    container_names(project, faults);
    for (name, secret) in &project.secrets {
        if !secret.external && secret.file.is_empty() && secret.environment.is_empty() {
            let message = format!("secret \"{name}\" must declare either `file` or `environment`");
            faults.push(project.fault(&["secrets", name], message).code("required"));
        }
    }
    cycles::check(project, faults);
}

/// No two services with one container name.
fn container_names(project: &Project, faults: &mut Faults) {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    let named = project.services.iter().filter(|(_, service)| !service.container_name.is_empty());
    for (name, service) in named {
        if let Some(other) = known.insert(&service.container_name, name) {
            let message = format!(
                "services.{name}: container name \"{}\" is already in use by service {other}",
                service.container_name
            );
            let path = ["services", name, "container_name"];
            faults.push(project.fault(&path, message).code("conflict"));
        }
    }
}

struct Checks<'a> {
    project: &'a Project,
    name: &'a str,
    service: &'a Service,
    faults: &'a mut Faults,
}

impl Checks<'_> {
    fn fault(&mut self, path: &[&str], code: &'static str, message: String) {
        let keys: Vec<&str> = ["services", self.name].into_iter().chain(path.iter().copied()).collect();
        self.faults.push(self.project.fault(&keys, message).code(code));
    }

    fn image(&mut self) {
        let (name, service) = (self.name, self.service);
        if service.build.is_none() && service.image.is_empty() && service.provider.is_none() {
            self.fault(
                &[],
                "required",
                format!("service \"{name}\" has neither an image nor a build context specified"),
            );
        }
        let Some(build) = &service.build else { return };
        if !build.dockerfile_inline.is_empty() && !build.dockerfile.is_empty() {
            let message = format!("service \"{name}\" declares mutually exclusive dockerfile and dockerfile_inline");
            self.fault(&["build", "dockerfile_inline"], "conflict", message);
        }
        for (context, source) in &build.additional_contexts.0 {
            let Some(target) = source.as_str().strip_prefix("service:") else {
                continue;
            };
            let problem = match self.project.services.get(target) {
                None => "unknown",
                Some(other) if other.build.is_none() => "non-buildable",
                Some(_) => continue,
            };
            let message =
                format!("service \"{name}\" declares {problem} service \"{target}\" as additional contexts {context}");
            self.fault(&["build", "additional_contexts", context], "undefined", message);
        }
        if !build.platforms.0.is_empty()
            && !service.platform.is_empty()
            && !build.platforms.0.contains(&service.platform)
        {
            let message = format!("service.build.platforms MUST include service.platform \"{}\"", service.platform);
            self.fault(&["build", "platforms"], "conflict", message);
        }
    }

    fn networks(&mut self) {
        let (name, service) = (self.name, self.service);
        if !service.network_mode.is_empty() && !service.networks.is_empty() {
            let message = format!("service {name} declares mutually exclusive `network_mode` and `networks`");
            self.fault(&["network_mode"], "conflict", message);
        }
        for network in service.networks.keys().filter(|key| !self.project.networks.contains_key(*key)) {
            self.fault(
                &["networks", network],
                "undefined",
                format!("service \"{name}\" refers to undefined network {network}"),
            );
        }
        let shared = service.network_mode.strip_prefix("service:");
        if let Some(target) = shared.filter(|target| !self.project.services.contains_key(*target)) {
            self.fault(
                &["network_mode"],
                "undefined",
                format!("service \"{target}\" not found for network_mode 'service:{target}'"),
            );
        }
        if let Some(first) = service.healthcheck.as_ref().and_then(|check| check.test.0.first())
            && !matches!(first.as_str(), "CMD" | "CMD-SHELL" | "NONE")
        {
            let message = "healthcheck.test must start either by \"CMD\", \"CMD-SHELL\" or \"NONE\"".to_owned();
            self.fault(&["healthcheck", "test"], "conflict", message);
        }
    }

    fn references(&mut self) {
        let (name, service, project) = (self.name, self.service, self.project);
        for (index, mount) in service.volumes.iter().enumerate() {
            let named = mount.kind == MountKind::Volume && !mount.source.is_empty();
            if named && !project.volumes.contains_key(&mount.source) {
                let message = format!("service \"{name}\" refers to undefined volume {}", mount.source);
                self.fault(&["volumes", &index.to_string()], "undefined", message);
            }
        }
        let build_secrets = service.build.as_ref().map_or(&[][..], |build| &build.secrets);
        let lists = [
            (build_secrets, &project.secrets, "build secret", &["build", "secrets"][..]),
            (&service.configs, &project.configs, "config", &["configs"]),
            (&service.secrets, &project.secrets, "secret", &["secrets"]),
        ];
        for (mounts, known, what, field) in lists {
            for (index, mount) in mounts.iter().enumerate().filter(|(_, mount)| !known.contains_key(&mount.source)) {
                let index = index.to_string();
                let path: Vec<&str> = field.iter().copied().chain([index.as_str()]).collect();
                self.fault(
                    &path,
                    "undefined",
                    format!("service \"{name}\" refers to undefined {what} {}", mount.source),
                );
            }
        }
        for model in service.models.keys().filter(|key| !project.models.contains_key(*key)) {
            self.fault(
                &["models", model],
                "undefined",
                format!("service \"{name}\" refers to undefined model {model}"),
            );
        }
    }

    fn dependencies(&mut self) {
        for (target, dependency) in &self.service.depends_on {
            if self.project.services.contains_key(target) {
                continue;
            }
            let disabled = self.project.disabled_services.get(target);
            if disabled.is_some() && !dependency.required {
                continue;
            }
            let hint = disabled
                .map(|other| format!("it is disabled; enable one of its profiles: {}", other.profiles.join(", ")));
            let message = format!("service \"{}\" depends on undefined service \"{target}\"", self.name);
            let fault = self.project.fault(&["services", self.name, "depends_on", target], message).code("undefined");
            self.faults.push(match hint {
                Some(hint) => fault.hint(hint),
                None => fault,
            });
        }
    }

    /// No two mounts at one place.
    fn targets(&mut self) {
        let mut known: BTreeMap<&str, String> = BTreeMap::new();
        let (name, service) = (self.name, self.service);
        let memory = service.tmpfs.0.iter().map(|tmpfs| tmpfs.split(':').next().unwrap_or_default());
        let memory = memory.enumerate().map(|(index, path)| ("tmpfs", index, path));
        let mounts = service.volumes.iter().enumerate().map(|(index, mount)| ("volumes", index, mount.target.as_str()));
        for (field, index, path) in memory.chain(mounts) {
            let place = format!("services.{name}.{field}[{index}]");
            match known.get(path) {
                Some(earlier) => {
                    let message = format!("{place}: target {path} already mounted as {earlier}");
                    self.fault(&[field, &index.to_string()], "conflict", message);
                }
                None => {
                    known.insert(path, place);
                }
            }
        }
    }
}

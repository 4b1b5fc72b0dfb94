//! Compose fields that docker compose acts on and evenkeel does not yet: each is refused by name, so that nothing is left
//! out silently. `load::tests::fields` holds every field of a service to that.

use crate::compose::{
    Project, Service,
    project::{FileObject, MountKind},
    yaml::Faults,
};
use std::collections::BTreeMap;

/// Refuses what is not built yet, and what docker compose itself refuses at `up`.
pub fn check(project: &Project, faults: &mut Faults) {
    for (name, service) in &project.services {
        let mut check = Check { project, name, faults };
        check.fields(service);
        check.mounts(service);
    }
    let mut used = project.used();
    // What only a build reads needs no file.
    let mounted = |name: &str| {
        let mounts = |service: &Service| service.secrets.iter().any(|mount| mount.source == name);
        project.services.values().any(mounts)
    };
    used.secrets.retain(|name, _| mounted(name));
    files(project, "secrets", &used.secrets, faults);
    files(project, "configs", &used.configs, faults);
}

struct Check<'a> {
    project: &'a Project,
    name: &'a str,
    faults: &'a mut Faults,
}

impl Check<'_> {
    fn unbuilt(&mut self, field: &[&str], wrong: bool) {
        self.unbuilt_as(field, "", wrong);
    }

    /// Refuses a field for what it says.
    fn unbuilt_as(&mut self, field: &[&str], what: &str, wrong: bool) {
        if wrong {
            let path: Vec<&str> = ["services", self.name].into_iter().chain(field.iter().copied()).collect();
            let message = format!("not built yet: `{}`{what}", super::tree::shown(&path));
            self.faults.push(self.project.fault(&path, message).code("not-built"));
        }
    }

    fn fields(&mut self, service: &Service) {
        if let Some(build) = &service.build
            && !matches!(build.isolation.as_str(), "" | "default")
        {
            let message =
                format!("`services.{}.build.isolation` needs Windows, which is not built for here", self.name);
            let path = ["services", self.name, "build", "isolation"];
            self.faults.push(self.project.fault(&path, message).code("windows"));
        }
        self.unbuilt(&["models"], !service.models.is_empty());
        self.unbuilt(&["provider"], service.provider.is_some());
        let pull = service.pull_policy.as_str();
        let known = pull != "build" || service.build.is_some();
        self.unbuilt_as(&["pull_policy"], &format!(": {pull}"), !known);
    }

    fn mounts(&mut self, service: &Service) {
        for (index, mount) in service.volumes.iter().enumerate() {
            let index = index.to_string();
            let kind = mount.kind.as_str();
            let known = mount.kind != MountKind::Cluster;
            self.unbuilt_as(&["volumes", &index, "type"], &format!(": {kind}"), !known);
        }
    }
}

/// Secrets and configs that docker compose refuses too.
fn files(project: &Project, section: &str, objects: &BTreeMap<&String, &FileObject>, faults: &mut Faults) {
    for (name, object) in objects {
        let mut refuse = |field: &str, message: String, code: &'static str| {
            faults.push(project.fault(&[section, name, field], message).code(code));
        };
        for (field, used) in [
            ("external", object.external),
            ("driver", !object.driver.is_empty()),
            ("template_driver", !object.template_driver.is_empty()),
        ] {
            if used {
                refuse(field, format!("`{section}.{name}.{field}` needs Swarm, which is not used here"), "swarm");
            }
        }
    }
}

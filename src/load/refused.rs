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
        check.network(service);
        check.mounts(service);
        check.options(service);
    }
    let mut used = project.without_unused();
    // What only a build reads needs no file.
    let mounted = |name: &String| {
        let mounts = |service: &Service| service.secrets.iter().any(|mount| mount.source == *name);
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
        if let Some(build) = &service.build {
            let isolated = !matches!(build.isolation.as_str(), "" | "default");
            self.unbuilt(&["build", "isolation"], isolated);
            self.unbuilt_as(&["build", "platforms"], " of several", build.platforms.0.len() > 1);
        }
        self.unbuilt(&["credential_spec"], service.credential_spec.is_some());
        self.unbuilt(&["external_links"], !service.external_links.is_empty());
        self.unbuilt(&["models"], !service.models.is_empty());
        self.unbuilt(&["post_start"], !service.post_start.is_empty());
        self.unbuilt(&["pre_stop"], !service.pre_stop.is_empty());
        self.unbuilt(&["provider"], service.provider.is_some());
        self.unbuilt(&["use_api_socket"], service.use_api_socket);
        let renamed = service.links.iter().any(|link| link.split_once(':').is_some_and(|(name, alias)| name != alias));
        self.unbuilt_as(&["links"], " with another name than the service's", renamed);
        let pull = service.pull_policy.as_str();
        let known = matches!(pull, "" | "always" | "never" | "missing" | "if_not_present")
            || pull == "build" && service.build.is_some();
        self.unbuilt_as(&["pull_policy"], &format!(": {pull}"), !known);
        let blkio = service.blkio_config.as_ref();
        for (field, used) in [
            ("weight_device", blkio.is_some_and(|blkio| !blkio.weight_device.is_empty())),
            ("device_read_bps", blkio.is_some_and(|blkio| !blkio.device_read_bps.is_empty())),
            ("device_read_iops", blkio.is_some_and(|blkio| !blkio.device_read_iops.is_empty())),
            ("device_write_bps", blkio.is_some_and(|blkio| !blkio.device_write_bps.is_empty())),
            ("device_write_iops", blkio.is_some_and(|blkio| !blkio.device_write_iops.is_empty())),
        ] {
            self.unbuilt(&["blkio_config", field], used);
        }
    }

    fn network(&mut self, service: &Service) {
        let mode = service.network_mode.as_str();
        let known = matches!(mode, "" | "host" | "none" | "bridge" | "default")
            || mode.starts_with("service:")
            || mode.starts_with("container:");
        self.unbuilt_as(&["network_mode"], &format!(": {mode}"), !known);
        self.unbuilt_as(
            &["mac_address"],
            " without a network",
            !service.mac_address.is_empty() && service.networks.is_empty(),
        );
        for (key, attachment) in &service.networks {
            let attachment = attachment.as_ref();
            let priority = attachment.is_some_and(|attachment| attachment.gw_priority != 0);
            self.unbuilt(&["networks", key, "gw_priority"], priority);
            let interface = attachment.is_some_and(|attachment| !attachment.interface_name.is_empty());
            self.unbuilt(&["networks", key, "interface_name"], interface);
        }
    }

    fn mounts(&mut self, service: &Service) {
        for (index, mount) in service.volumes.iter().enumerate() {
            let index = index.to_string();
            let kind = mount.kind.as_str();
            let known = !matches!(mount.kind, MountKind::Cluster | MountKind::Image);
            self.unbuilt_as(&["volumes", &index, "type"], &format!(": {kind}"), !known);
            let recursive = mount.bind.as_ref().is_some_and(|bind| !matches!(bind.recursive.as_str(), "" | "enabled"));
            self.unbuilt(&["volumes", &index, "bind", "recursive"], recursive);
        }
    }

    fn options(&mut self, service: &Service) {
        for (index, option) in service.security_opt.iter().enumerate() {
            let index = index.to_string();
            let (name, value) = option.split_once('=').or_else(|| option.split_once(':')).unwrap_or((option, ""));
            let from_file = name == "seccomp" && !matches!(value, "unconfined" | "builtin");
            self.unbuilt_as(&["security_opt", &index], ", a seccomp profile from a file", from_file);
            self.unbuilt_as(&["security_opt", &index], ": systempaths", name == "systempaths");
        }
    }
}

/// Secrets and configs: from files only, for now.
fn files(project: &Project, section: &str, objects: &BTreeMap<String, FileObject>, faults: &mut Faults) {
    for (name, object) in objects {
        let mut refuse = |field: &str, message: String, code: &'static str| {
            faults.push(project.fault(&[section, name, field], message).code(code));
        };
        // These docker compose refuses too.
        for (field, used) in [
            ("external", object.external),
            ("driver", !object.driver.is_empty()),
            ("template_driver", !object.template_driver.is_empty()),
        ] {
            if used {
                refuse(field, format!("`{section}.{name}.{field}` needs Swarm, which is not used here"), "swarm");
            }
        }
        let written = |field: &str| project.positions.get(&[section, name, field]).is_some();
        if !object.environment.is_empty() {
            refuse("environment", format!("not built yet: `{section}.{name}.environment`"), "not-built");
        } else if object.content.is_some() && object.file.is_empty() && written("content") {
            refuse("content", format!("not built yet: `{section}.{name}.content`"), "not-built");
        }
    }
}

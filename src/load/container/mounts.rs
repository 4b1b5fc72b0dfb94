//! What is mounted where: volumes first, then secrets, then configs, each only where nothing is mounted yet.

use super::Translation;
use crate::{
    compose::project::{FileMount, FileObject, Mount as Written, MountKind, Service},
    model::{
        container::{ContainerSpec, Mount, MountSource},
        names::VolumeName,
        plan::{Note, NoteCode},
    },
};
use std::collections::BTreeMap;

/// The folder of secrets in a container; configs are put in its root.
const SECRETS: &str = "/run/secrets/";

impl Translation<'_> {
    /// Fills in the mounts.
    pub(super) fn mounts(&mut self, name: &str, service: &Service, spec: &mut ContainerSpec) {
        for text in &service.tmpfs.0 {
            let (target, options) = text.split_once(':').unwrap_or((text, ""));
            let mount = Mount { tmpfs_options: super::set(options), ..Mount::of(MountSource::Tmpfs) };
            spec.mounts.insert(target.to_owned(), mount);
        }
        for mount in &service.volumes {
            spec.mounts.insert(mount.target.clone(), self.mount(mount));
        }
        let project = self.project;
        self.files(name, "secrets", &service.secrets, &project.secrets, SECRETS, spec);
        self.files(name, "configs", &service.configs, &project.configs, "/", spec);
    }

    fn mount(&self, written: &Written) -> Mount {
        let source = match written.kind {
            MountKind::Volume if written.source.is_empty() => MountSource::Anonymous(None),
            MountKind::Volume | MountKind::Cluster | MountKind::Image => {
                let declared = self.project.volumes.get(&written.source);
                MountSource::Volume(VolumeName::new(declared.map_or(&written.source, |volume| &volume.name)))
            }
            MountKind::Bind => MountSource::Bind(written.source.clone()),
            MountKind::Tmpfs => MountSource::Tmpfs,
            MountKind::NamedPipe => MountSource::Pipe(written.source.clone()),
        };
        let mut mount = Mount { read_only: written.read_only, ..Mount::of(source) };
        match written.kind {
            MountKind::Bind => {
                // Without options docker compose takes the engine's older form, which makes the missing folder.
                mount.create_host_path = written.bind.as_ref().is_none_or(|bind| bind.create_host_path);
                mount.propagation = written.bind.as_ref().and_then(|bind| super::set(&bind.propagation));
                mount.selinux = written.bind.as_ref().and_then(|bind| super::set(&bind.selinux));
            }
            MountKind::Volume => {
                mount.no_copy = written.volume.as_ref().is_some_and(|volume| volume.nocopy);
                mount.subpath = written.volume.as_ref().and_then(|volume| super::set(&volume.subpath));
            }
            MountKind::Tmpfs => {
                mount.tmpfs_size = written.tmpfs.as_ref().and_then(|tmpfs| super::bytes(tmpfs.size.0));
                mount.tmpfs_mode = written.tmpfs.as_ref().map(|tmpfs| tmpfs.mode).filter(|mode| *mode != 0);
            }
            MountKind::Cluster | MountKind::Image | MountKind::NamedPipe => {}
        }
        mount
    }

    /// Secrets or configs from files: read-only binds of the file itself.
    fn files(
        &mut self,
        name: &str,
        section: &'static str,
        mounts: &[FileMount],
        objects: &BTreeMap<String, FileObject>,
        folder: &str,
        spec: &mut ContainerSpec,
    ) {
        for written in mounts {
            let Some(object) = objects.get(&written.source).filter(|object| !object.file.is_empty()) else {
                continue;
            };
            let target = match written.target.as_str() {
                "" => format!("{folder}{}", written.source),
                absolute if absolute.starts_with('/') => absolute.to_owned(),
                relative => format!("{folder}{relative}"),
            };
            if !written.uid.is_empty() || !written.gid.is_empty() || written.mode.is_some() {
                self.notes.push(Note {
                    code: NoteCode::ComposeWarning,
                    text: format!(
                        "{name}: `uid`, `gid` and `mode` of {section} are ignored: the file is mounted as it is"
                    ),
                    hint: None,
                });
            }
            let mount = Mount { read_only: true, ..Mount::of(MountSource::Bind(object.file.clone())) };
            spec.mounts.entry(target).or_insert(mount);
        }
    }
}

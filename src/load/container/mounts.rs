//! What is mounted where: volumes first, then secrets, then configs, each only where nothing is mounted yet.

use super::Translation;
use crate::{
    compose::project::{FileMount, FileObject, Mount as Written, MountKind, Service},
    model::{
        container::{ContainerSpec, Mount, MountSource, Owner, WrittenFile},
        names::VolumeName,
        plan::{Note, NoteCode},
        value::Value,
    },
};
use std::collections::BTreeMap;

/// The folder of secrets in a container; configs are put in its root.
const SECRETS: &str = "/run/secrets/";
/// Who may use a file that is written into a container, where nothing says it: everybody may read it.
const READABLE: u32 = 0o444;

impl Translation<'_> {
    /// Fills in the mounts.
    pub(super) fn mounts(&mut self, name: &str, service: &Service, spec: &mut ContainerSpec) {
        for text in &service.tmpfs.0 {
            let (target, options) = text.split_once(':').unwrap_or((text, ""));
            let mount = Mount { tmpfs_options: Some(options.to_owned()), ..Mount::of(MountSource::Tmpfs) };
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
            MountKind::Image => MountSource::Image(written.source.clone()),
            MountKind::Volume | MountKind::Cluster => {
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
                mount.recursive = written.bind.as_ref().and_then(|bind| super::set(&bind.recursive));
                mount.recursive = mount.recursive.filter(|word| word != "enabled");
                // Only the older form has a place for it, and docker compose takes that one where it says all the rest.
                let older = mount.create_host_path
                    && written
                        .bind
                        .as_ref()
                        .is_none_or(|bind| bind.propagation.is_empty() && bind.recursive.is_empty());
                mount.selinux = written.bind.as_ref().and_then(|bind| super::set(&bind.selinux)).filter(|_| older);
            }
            MountKind::Volume => {
                mount.no_copy = written.volume.as_ref().is_some_and(|volume| volume.nocopy);
                mount.subpath = written.volume.as_ref().and_then(|volume| super::set(&volume.subpath));
            }
            MountKind::Tmpfs => {
                mount.tmpfs_size = written.tmpfs.as_ref().and_then(|tmpfs| super::bytes(tmpfs.size.0));
                mount.tmpfs_mode = written.tmpfs.as_ref().map(|tmpfs| tmpfs.mode).filter(|mode| *mode != 0);
            }
            MountKind::Image => {
                mount.subpath = written.image.as_ref().and_then(|image| super::set(&image.subpath));
            }
            MountKind::Cluster | MountKind::NamedPipe => {}
        }
        mount
    }

    /// Secrets and configs: from files read-only binds of the file itself, others written into the container.
    fn files(
        &mut self,
        name: &str,
        section: &'static str,
        mounts: &[FileMount],
        objects: &BTreeMap<String, FileObject>,
        folder: &str,
        spec: &mut ContainerSpec,
    ) {
        for (index, written) in mounts.iter().enumerate() {
            let Some(object) = objects.get(&written.source) else {
                continue;
            };
            let target = match written.target.as_str() {
                "" => format!("{folder}{}", written.source),
                absolute if absolute.starts_with('/') => absolute.to_owned(),
                relative => format!("{folder}{relative}"),
            };
            let path = ["services", name, section, &index.to_string()].map(str::to_owned);
            if let Some(content) = self.content(section, &written.source, object, &path) {
                if let Some(file) = self.written(name, &content, written, spec.read_only, &path) {
                    spec.files.insert(target, file);
                }
                continue;
            }
            if object.file.is_empty() {
                continue;
            }
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

    /// The content that a secret or config has of its own: written in the Compose file, or from a variable.
    fn content(&mut self, section: &str, source: &str, object: &FileObject, path: &[String]) -> Option<String> {
        let text = object.content.as_ref().map(|text| text.as_str().to_owned());
        if object.environment.is_empty() {
            return text.filter(|_| object.file.is_empty());
        }
        if text.is_none() {
            let one = section.trim_end_matches('s');
            let message = format!("the variable `{}` that the {one} `{source}` needs is not set", object.environment);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            self.faults.push(self.project.fault(&path, message).code("unset").hint("set it, `NAME=` for an empty one"));
        }
        Some(text.unwrap_or_default())
    }

    /// A file to write; `None` for one without content, which docker compose does not make either.
    fn written(
        &mut self,
        name: &str,
        content: &str,
        written: &FileMount,
        read_only: bool,
        path: &[String],
    ) -> Option<WrittenFile> {
        let mut refuse = |field: Option<&str>, message: String, hint: &str| {
            let path: Vec<&str> = path.iter().map(String::as_str).chain(field).collect();
            self.faults.push(self.project.fault(&path, message).code("content").hint(hint));
        };
        if content.is_empty() {
            return None;
        }
        if read_only {
            let message = format!("`{}` can't be written into `{name}`, whose root is read-only", written.source);
            refuse(None, message, "keep its content in a file, and name that with `file`");
        }
        let mut number = |field: &str, text: &str| match text {
            "" => Some(0),
            text => text.parse().ok().or_else(|| {
                refuse(Some(field), format!("`{text}` is no number"), "a name means nothing outside of the container");
                None
            }),
        };
        let (uid, gid) = (number("uid", &written.uid), number("gid", &written.gid));
        let owned = !written.uid.is_empty() || !written.gid.is_empty();
        let owner = owned.then(|| Owner { uid: uid.unwrap_or_default(), gid: gid.unwrap_or_default() });
        let mode = written.mode.and_then(|mode| u32::try_from(mode.0).ok()).unwrap_or(READABLE);
        Some(WrittenFile { content: Value::sensitive(content), mode, owner })
    }
}

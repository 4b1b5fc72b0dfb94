//! The content of the files that are mounted read-only: its change rolls the service, and a rollback has it back.

use super::{api_socket, sources::Recording};
use crate::{
    compose::{
        Reader, Service,
        project::{FileObject, Project},
        yaml::Faults,
    },
    model::{
        container::{ContainerSpec, MountSource},
        content::{Content, Permissions},
        plan::{Note, NoteCode},
        value::Value,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, path::Path};

/// What is larger is data, and not compared, in bytes.
const CONTENT_BYTES_MAX: usize = 1 << 20;

/// Folders whose files the kernel makes up: they have another content at each look.
const KERNELS: [&str; 3] = ["/proc", "/sys", "/dev"];

/// The contents of a container's read-only bound files, secrets and configs among them, and of the files that are written
/// into it. Logins for the engine's socket are none: others roll no service.
pub fn of(
    service: &str,
    written: &Service,
    spec: &ContainerSpec,
    recording: &Recording<'_>,
    notes: &mut Vec<Note>,
) -> Vec<Content> {
    let mut contents = Vec::new();
    for (target, mount) in &spec.mounts {
        let MountSource::Bind(source) = &mount.source else {
            continue;
        };
        let path = Path::new(source);
        if !mount.read_only || KERNELS.iter().any(|folder| path.starts_with(folder)) || !recording.is_file(path) {
            continue;
        }
        match recording.read(path) {
            Ok(bytes) if bytes.len() <= CONTENT_BYTES_MAX => contents.push(Content {
                target: target.clone(),
                source: Some(source.clone()),
                sha256: hex::encode(Sha256::digest(&bytes)),
                bytes: Value::sensitive(STANDARD.encode(&bytes)),
                permissions: recording.mode_and_owner(path).map(|(mode, uid, gid)| Permissions { mode, uid, gid }),
            }),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {}
            Err(error) => notes.push(Note {
                code: NoteCode::ComposeWarning,
                text: format!(
                    "{service}: `{source}` could not be read, so a change of it does not roll the service: {error}"
                ),
                hint: None,
            }),
        }
    }
    let files = spec.files.iter().filter(|(target, _)| !api_socket::is_logins(written, target));
    for (target, file) in files {
        let bytes = file.content.reveal().as_bytes();
        let (uid, gid) = file.owner.map_or((0, 0), |owner| (owner.uid, owner.gid));
        contents.push(Content {
            target: target.clone(),
            source: None,
            sha256: hex::encode(Sha256::digest(bytes)),
            bytes: Value::sensitive(STANDARD.encode(bytes)),
            permissions: Some(Permissions { mode: file.mode, uid, gid }),
        });
    }
    contents
}

/// Secrets and configs must be there: the engine refuses a container whose file is missing.
pub fn check(project: &Project, recording: &Recording<'_>, faults: &mut Faults) {
    let used = project.used();
    let mut missing = |section: &str, objects: &BTreeMap<&String, &FileObject>| {
        let files = objects.iter().filter(|(_, object)| !object.file.is_empty() && !object.external);
        for (name, object) in files {
            let path = Path::new(&object.file);
            if !recording.is_file(path) && !recording.is_folder(path) {
                let message = format!("the file of `{section}.{name}` does not exist: `{}`", object.file);
                faults.push(project.fault(&[section, name, "file"], message).code("read"));
            }
        }
    };
    missing("secrets", &used.secrets);
    missing("configs", &used.configs);
}

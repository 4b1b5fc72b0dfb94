//! What is mounted into a container: volumes, binds, memory, images, devices, secrets and configs.

use serde_json::Value as Json;

use super::record::{Field, Form, Reading, record};
use super::values::{Bytes, FileMode, Pairs};
use crate::compose::yaml::Node;

record! {
    /// A mount.
    pub struct Mount {
        /// What kind.
        "type" => kind: MountKind,
        /// The volume's key, the absolute host path, or the image; empty for an anonymous volume or memory.
        "source" => source: String,
        /// The path in the container.
        "target" => target: String,
        /// Mounted read-only.
        "read_only" => read_only: bool,
        /// The consistency requirement (Docker Desktop).
        "consistency" => consistency: String,
        /// Options of a bind.
        "bind" => bind: Option<BindOptions>,
        /// Options of a volume.
        "volume" => volume: Option<VolumeOptions>,
        /// Options of memory.
        "tmpfs" => tmpfs: Option<TmpfsOptions>,
        /// Options of an image.
        "image" => image: Option<ImageOptions>,
    }
}

/// The kinds of mounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MountKind {
    /// A volume, named or anonymous.
    #[default]
    Volume,
    /// A path of the host.
    Bind,
    /// Memory.
    Tmpfs,
    /// A named pipe (Windows).
    NamedPipe,
    /// A cluster volume.
    Cluster,
    /// An image's files.
    Image,
}

const KINDS: [(&str, MountKind); 6] = [
    ("volume", MountKind::Volume),
    ("bind", MountKind::Bind),
    ("tmpfs", MountKind::Tmpfs),
    ("npipe", MountKind::NamedPipe),
    ("cluster", MountKind::Cluster),
    ("image", MountKind::Image),
];

impl MountKind {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("volume", |(word, _)| word)
    }
}

impl Field for MountKind {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        let known = KINDS.iter().find(|(word, _)| Some(*word) == node.as_str());
        known.map(|(_, kind)| *kind).unwrap_or_else(|| {
            reading.refuse(node, "is no kind of mount");
            Self::default()
        })
    }

    fn tree(&self, _: Form) -> Json {
        Json::from(self.as_str())
    }

    fn is_unset(&self, _: Form) -> bool {
        false
    }
}

record! {
    /// Options of a bind.
    pub struct BindOptions {
        /// `z` (shared) or `Z` (private) relabelling.
        "selinux" => selinux: String,
        /// How mounts propagate (`rprivate`, `rshared`, …).
        "propagation" => propagation: String,
        /// Makes the host path when it is missing.
        "create_host_path" => create_host_path: bool,
        /// How submounts are bound (`enabled`, `disabled`, `writable`, `readonly`).
        "recursive" => recursive: String,
    }
}

record! {
    /// Options of a volume.
    pub struct VolumeOptions {
        /// Labels of an anonymous volume.
        "labels" => labels: Pairs,
        /// Does not copy what the image has there.
        "nocopy" => nocopy: bool,
        /// The folder in the volume.
        "subpath" => subpath: String,
    }
}

record! {
    /// Options of memory.
    pub struct TmpfsOptions {
        /// Its size.
        "size" => size: Bytes,
        /// Its permission bits.
        "mode" => mode: u32,
    }
}

record! {
    /// Options of an image.
    pub struct ImageOptions {
        /// The folder in the image.
        "subpath" => subpath: String,
    }
}

record! {
    /// A device of the host.
    pub struct Device {
        /// The path on the host.
        "source" => source: String,
        /// The path in the container.
        "target" => target: String,
        /// `r`, `w`, `m`.
        "permissions" => permissions: String,
    }
}

record! {
    /// A secret or config as a file in a container or build.
    pub struct FileMount {
        /// The key of the project's secret or config.
        "source" => source: String,
        /// The path; empty: `/<source>` for a config.
        "target" => target: String,
        /// The owner.
        "uid" => uid: String,
        /// The group.
        "gid" => gid: String,
        /// The permission bits.
        "mode" => mode: Option<FileMode>,
    }
}

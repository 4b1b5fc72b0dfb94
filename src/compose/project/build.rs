//! How an image is built, and what `watch` does.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::mounts::FileMount;
use super::record::{Field, Form, Reading, record};
use super::run::Hook;
use super::values::{Assignments, Bytes, HostList, Pairs, StringList, Ulimit};
use crate::compose::yaml::Node;

record! {
    /// A build.
    pub struct Build {
        /// The folder, absolute, or a URL.
        "context" => context: String,
        /// The Dockerfile in it.
        "dockerfile" => dockerfile: String,
        /// The Dockerfile's text, instead.
        "dockerfile_inline" => dockerfile_inline: String,
        /// Extra privileges of the build.
        "entitlements" => entitlements: Vec<String>,
        /// Build arguments.
        "args" => args: Assignments,
        /// The provenance attestation.
        "provenance" => provenance: String,
        /// The SBOM attestation.
        "sbom" => sbom: String,
        /// SSH agents and keys.
        "ssh" => ssh: SshKeys,
        /// Labels of the image.
        "labels" => labels: Pairs,
        /// Where layers come from.
        "cache_from" => cache_from: StringList,
        /// Where layers go.
        "cache_to" => cache_to: StringList,
        /// Without a cache.
        "no_cache" => no_cache: bool,
        /// Further named contexts.
        "additional_contexts" => additional_contexts: Pairs,
        /// Pulls the base images.
        "pull" => pull: bool,
        /// Lines of `/etc/hosts`.
        "extra_hosts" => extra_hosts: HostList,
        /// The isolation technology (Windows).
        "isolation" => isolation: String,
        /// The network of the build.
        "network" => network: String,
        /// The stage.
        "target" => target: String,
        /// Secrets of the build.
        "secrets" => secrets: Vec<FileMount>,
        /// The size of `/dev/shm`.
        "shm_size" => shm_size: Bytes,
        /// Further names of the image.
        "tags" => tags: StringList,
        /// Ulimits.
        "ulimits" => ulimits: BTreeMap<String, Option<Ulimit>>,
        /// The platforms.
        "platforms" => platforms: StringList,
        /// Extended privileges.
        "privileged" => privileged: bool,
    }
}

/// SSH agents and keys by id; without a path: the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshKeys(pub BTreeMap<String, String>);

impl Field for SshKeys {
    fn read(node: &Node, _: &mut Reading) -> Self {
        let path = |node: &Node| {
            if node.is_null() { String::new() } else { node.print_any() }
        };
        Self(node.as_map().into_iter().flatten().map(|(id, entry)| (id.clone(), path(&entry.node))).collect())
    }

    fn tree(&self, _: Form) -> Json {
        let key = |(id, path): (&String, &String)| match path.is_empty() {
            true => Json::from(id.as_str()),
            false => Json::from(format!("{id}: {path}")),
        };
        self.0.iter().map(key).collect()
    }

    fn is_unset(&self, _: Form) -> bool {
        self.0.is_empty()
    }
}

record! {
    /// What happens in development.
    pub struct Develop {
        /// The watched paths.
        "watch" => watch: Vec<Trigger>,
    }
}

record! {
    /// A watched path and what its change does.
    pub struct Trigger {
        /// The path, absolute.
        "path" => path: Required,
        /// `sync`, `rebuild`, `restart`, `sync+restart`, `sync+exec`.
        "action" => action: Required,
        /// The path in the container.
        "target" => target: String,
        /// What runs after a sync.
        "exec" => exec: Hook,
        /// Only these files.
        "include" => include: StringList,
        /// Not these files.
        "ignore" => ignore: StringList,
        /// Syncs at the start.
        "initial_sync" => initial_sync: bool,
    }
}

/// A text that is written even when it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Required(pub String);

impl Field for Required {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        Self(String::read(node, reading))
    }

    fn tree(&self, form: Form) -> Json {
        self.0.tree(form)
    }

    fn is_unset(&self, _: Form) -> bool {
        false
    }
}

//! What is known of images: what a reference stands for now, and what an image brings with it.

use super::{
    container::Healthcheck,
    names::{ImageId, ImageReference},
    units::Bytes,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What each reference of a desired state stands for, decided before planning and kept by the revision.
pub type Images = BTreeMap<ImageReference, ResolvedImage>;

/// One reference, resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedImage {
    /// What it is.
    pub id: ImageId,
    /// How to get it, where a registry said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Whether it must be pulled before it can be used.
    pub pull: bool,
    /// Whether `apply` builds it before it can be used; then nobody knows its id yet, and it is empty.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub build: bool,
    /// How much a pull transfers, where the registry said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Bytes>,
    pub config: ImageConfig,
}

impl ResolvedImage {
    /// A reference with what it stands for, to be shown.
    pub fn shown(&self, reference: &ImageReference) -> String {
        match self.build {
            true => format!("{reference} (to be built)"),
            false => format!("{reference} (sha256:{})", self.id.short()),
        }
    }
}

impl Default for ImageId {
    fn default() -> Self {
        ImageId::new("")
    }
}

/// What an image provides where a container's own spec is silent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ImageConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Paths that get an anonymous volume.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub volumes: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub expose: BTreeSet<String>,
}

//! `config`: the resolved Compose model, as docker compose prints it. The one verb that shows sensitive values.

use super::arguments::ManifestArguments;
use clap::{Args, ValueEnum};

/// Show the resolved Compose model, as `docker compose config` prints it, secrets included
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// How the model is written
    #[arg(long, value_enum, default_value_t)]
    pub format: ModelFormat,
    /// Only the config hash of a service, or of all with '*'
    #[arg(long, value_name = "SERVICE", conflicts_with_all = ["services", "images", "profiles", "variables"])]
    pub hash: Option<String>,
    /// Only the names of the services
    #[arg(long, conflicts_with_all = ["images", "profiles", "variables"])]
    pub services: bool,
    /// Only the images
    #[arg(long, conflicts_with_all = ["profiles", "variables"])]
    pub images: bool,
    /// Only the profiles
    #[arg(long, conflicts_with = "variables")]
    pub profiles: bool,
    /// Only the interpolation variables and their defaults
    #[arg(long)]
    pub variables: bool,
}

/// How a model is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ModelFormat {
    #[default]
    Yaml,
    Json,
}

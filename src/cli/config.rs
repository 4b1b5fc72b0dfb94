//! `config`: the resolved Compose model, as docker compose prints it. The one verb that shows sensitive values.

use super::{
    arguments::{ManifestArguments, OverrideArguments},
    exit::Exit,
    failure::Failure,
    manifest,
    output::Output,
    render::style::clean,
};
use crate::{
    compose::{Fault, render},
    load,
    model::desired::Overrides,
};
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

/// Prints what was asked for of the model; with its warnings on stderr.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let named = named.and(&arguments.manifest);
    let sources = manifest::sources(&named, &OverrideArguments::default(), Overrides::default())?;
    let loaded = load::load_project(&sources).map_err(|error| manifest::refused(&error, output))?;
    for warning in &loaded.warnings {
        output.talk(&format!("warning: {}\n", clean(&warning.message)));
    }
    let project = &loaded.project;
    if let Some(service) = arguments.hash.as_deref().filter(|name| *name != "*")
        && let Some(unknown) = service.split(',').find(|name| !project.services.contains_key(*name))
    {
        return Err(Failure::usage(format!("there is no service `{unknown}`")).hint("`--services` lists them"));
    }
    let unwritable =
        |fault: Fault| Failure::rendered(Exit::Usage, load::diagnostics::render(&[fault], output.talk_style.colour));
    let text = match arguments {
        Arguments { hash: Some(selected), .. } => render::hashes(project, selected),
        Arguments { services: true, .. } => render::services(project),
        Arguments { images: true, .. } => render::images(project),
        Arguments { profiles: true, .. } => render::profiles(project),
        Arguments { variables: true, .. } => render::variables(&loaded.variables),
        Arguments { format: ModelFormat::Json, .. } => render::json(project).map_err(unwritable)?,
        Arguments { format: ModelFormat::Yaml, .. } => render::yaml(project),
    };
    output.data(&if text.is_empty() || text.ends_with('\n') { text } else { format!("{text}\n") });
    Ok(Exit::Done)
}

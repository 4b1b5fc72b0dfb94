//! `config`: the resolved Compose model, as docker compose prints it. The one verb that shows sensitive values.

use super::{
    arguments::{ManifestArguments, OverrideArguments, ServiceArguments},
    exit::Exit,
    failure::Failure,
    manifest,
    output::Output,
    render::style::clean,
};
use crate::{
    compose::{Fault, project::Project, render},
    load::{self, Sources},
    model::{desired::Overrides, names::ServiceName},
};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Show the resolved Compose model, as `docker compose config` prints it, secrets included
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    #[command(flatten)]
    pub services_named: ServiceArguments,
    /// How the model is written
    #[arg(long, value_enum, default_value_t)]
    pub format: ModelFormat,
    #[command(flatten)]
    pub only: Only,
    /// Checks the files and prints nothing
    #[arg(short, long)]
    pub quiet: bool,
    /// Writes to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Leaves unchecked what refers to what
    #[arg(long)]
    pub no_consistency: bool,
    #[command(flatten)]
    pub unbuilt: Unbuilt,
}

/// A part of the model instead of the whole.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct Only {
    /// Only the config hash of a service, or of all with '*'
    #[arg(long, value_name = "SERVICE")]
    pub hash: Option<String>,
    /// Only the names of the services
    #[arg(id = "only_services", long = "services")]
    pub services: bool,
    /// Only the images
    #[arg(long)]
    pub images: bool,
    /// Only the profiles
    #[arg(long)]
    pub profiles: bool,
    /// Only the networks that are used
    #[arg(long)]
    pub networks: bool,
    /// Only the volumes that are used
    #[arg(long)]
    pub volumes: bool,
    /// Only the language models that are used
    #[arg(long)]
    pub models: bool,
    /// Only the interpolation variables and their defaults
    #[arg(long)]
    pub variables: bool,
    /// Only what interpolation variables can have as values
    #[arg(long)]
    pub environment: bool,
}

impl Only {
    fn is_given(&self) -> bool {
        let flags = [
            self.services,
            self.images,
            self.profiles,
            self.networks,
            self.volumes,
            self.models,
            self.variables,
            self.environment,
        ];
        self.hash.is_some() || flags.contains(&true)
    }
}

/// What docker compose has and evenkeel does not: refused by name.
#[derive(Debug, Args)]
pub struct Unbuilt {
    #[arg(long, hide = true)]
    no_interpolate: bool,
    #[arg(long, hide = true)]
    no_normalize: bool,
    #[arg(long, hide = true)]
    no_path_resolution: bool,
    #[arg(long, hide = true)]
    no_env_resolution: bool,
    #[arg(long, hide = true)]
    resolve_image_digests: bool,
    #[arg(long, hide = true)]
    lock_image_digests: bool,
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
    arguments.unbuilt.refuse()?;
    let named = named.and(&arguments.manifest);
    let mut sources = manifest::sources(&named, &OverrideArguments::default(), Overrides::default())?;
    sources.consistency = !arguments.no_consistency;
    sources.env_files = !arguments.only.is_given();
    let text = text(arguments, &sources, output)?;
    let text = if text.is_empty() || text.ends_with('\n') { text } else { format!("{text}\n") };
    match &arguments.output {
        _ if arguments.quiet => {}
        Some(file) => std::fs::write(file, text)
            .map_err(|error| Failure::usage(format!("could not write `{}`: {error}", file.display())))?,
        None => drop(output.data(&text)),
    }
    Ok(Exit::Done)
}

fn text(arguments: &Arguments, sources: &Sources<'_>, output: &Output) -> Result<String, Failure> {
    let refused = |error: load::LoadError| manifest::refused(&error, output);
    let only = &arguments.only;
    if only.variables {
        return load::used_variables(sources).map(|used| render::variables(&used)).map_err(refused);
    }
    if only.environment {
        return load::load_environment(sources).map(|variables| render::environment(&variables)).map_err(refused);
    }
    let loaded = load::load_project(sources).map_err(refused)?;
    for warning in &loaded.warnings {
        output.talk(&format!("warning: {}\n", clean(&warning.message)));
    }
    let project = &loaded.project;
    let unwritable =
        |fault: Fault| Failure::rendered(Exit::Usage, load::diagnostics::render(&[fault], output.talk_style.colour));
    Ok(match only {
        Only { hash: Some(selected), .. } => hashes(project, selected)?,
        Only { services: true, .. } => render::services(project),
        Only { profiles: true, .. } => render::profiles(project),
        Only { networks: true, .. } => render::networks(project),
        Only { volumes: true, .. } => render::volumes(project),
        Only { models: true, .. } => render::models(project),
        Only { images: true, .. } => render::images(&selected(project, &arguments.services_named)?),
        _ => {
            let project = selected(project, &arguments.services_named)?;
            match arguments.format {
                ModelFormat::Json => render::json(&project).map_err(unwritable)?,
                ModelFormat::Yaml => render::yaml(&project),
            }
        }
    })
}

fn hashes(project: &Project, selected: &str) -> Result<String, Failure> {
    let unknown = selected.split(',').find(|name| selected != "*" && !project.services.contains_key(*name));
    match unknown {
        Some(unknown) => Err(no_service(unknown)),
        None => Ok(render::hashes(project, selected)),
    }
}

/// The project, or what is named of it and what that depends on.
fn selected(project: &Project, named: &ServiceArguments) -> Result<Project, Failure> {
    match named.services.as_slice() {
        [] => Ok(project.clone()),
        names => project.selected(names.iter().map(ServiceName::as_str)).map_err(no_service),
    }
}

fn no_service(name: &str) -> Failure {
    Failure::usage(format!("there is no service `{name}`")).hint("`--services` lists them")
}

impl Unbuilt {
    fn refuse(&self) -> Result<(), Failure> {
        let given = [
            (self.no_interpolate, "no-interpolate"),
            (self.no_normalize, "no-normalize"),
            (self.no_path_resolution, "no-path-resolution"),
            (self.no_env_resolution, "no-env-resolution"),
            (self.resolve_image_digests, "resolve-image-digests"),
            (self.lock_image_digests, "lock-image-digests"),
        ];
        match given.into_iter().find(|(given, _)| *given) {
            Some((_, name)) => Err(Failure::usage(format!("not built yet: config --{name}"))),
            None => Ok(()),
        }
    }
}

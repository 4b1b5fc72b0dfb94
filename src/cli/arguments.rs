//! What several verbs take: the manifest, services, overrides, the lock, who asks. Each verb's own arguments are in its
//! file. What was typed is here; what it means is decided elsewhere.

use crate::{
    controllers::stack::BuildWish,
    model::{
        desired::Overrides,
        names::{ImageReference, ServiceName},
        units::Millis,
        value::Value,
    },
    observe::PullWish,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{collections::BTreeSet, path::PathBuf};

use super::{
    apply, completions, config, diff, down, events, explain, history, init, leave, logs, pause, restart, resume,
    rollback, run, schema, start, status, stop, unbuilt, validate,
};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "evenkeel",
    version,
    about = "Keeps a Docker host at the state that one manifest declares",
    after_help = "Data goes to stdout, talk to stderr. What an exit code or a word in a plan means: evenkeel explain",
    max_term_width = 100,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub struct CommandLine {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// The engine of another machine
    #[arg(short = 'H', long = "host", value_name = "URL", hide = true)]
    pub host: Option<String>,
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    Init(init::Arguments),
    Validate(validate::Arguments),
    Config(config::Arguments),
    Diff(diff::Arguments),
    Apply(Box<apply::Arguments>),
    Run(run::Arguments),
    Status(status::Arguments),
    History(history::Arguments),
    Rollback(rollback::Arguments),
    Restart(restart::Arguments),
    Pause(pause::Arguments),
    Resume(resume::Arguments),
    Stop(stop::Arguments),
    Start(start::Arguments),
    Down(down::Arguments),
    Leave(leave::Arguments),
    Logs(logs::Arguments),
    Events(events::Arguments),
    Schema(schema::Arguments),
    Explain(explain::Arguments),
    Completions(completions::Arguments),
    #[command(flatten)]
    Unbuilt(unbuilt::Verb),
}

/// Which manifest.
#[derive(Clone, Debug, Default, Args)]
pub struct ManifestArguments {
    /// The manifest, or a Compose file; several Compose files are merged in this order [default: evenkeel.yaml,
    /// else compose.yaml, docker-compose.yml in this folder]
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

impl ManifestArguments {
    /// Those given before the verb and those given after it.
    pub fn and(&self, after: &ManifestArguments) -> ManifestArguments {
        ManifestArguments { files: self.files.iter().chain(&after.files).cloned().collect() }
    }
}

/// Which services.
#[derive(Clone, Debug, Default, Args)]
pub struct ServiceArguments {
    /// Only these services, with what they need [default: all]
    #[arg(value_name = "SERVICE", value_parser = service_name)]
    pub services: Vec<ServiceName>,
}

impl ServiceArguments {
    /// Those named; `None`: all.
    pub fn selected(&self) -> Option<BTreeSet<ServiceName>> {
        (!self.services.is_empty()).then(|| self.services.iter().cloned().collect())
    }
}

/// Which services, where all of them must be said.
#[derive(Clone, Debug, Default, Args)]
#[group(required = true, multiple = false)]
pub struct NamedServiceArguments {
    /// These services
    #[arg(value_name = "SERVICE", value_parser = service_name)]
    pub services: Vec<ServiceName>,
    /// All services
    #[arg(long)]
    pub all: bool,
}

impl NamedServiceArguments {
    /// Those named; `None`: all.
    pub fn selected(&self) -> Option<BTreeSet<ServiceName>> {
        (!self.all).then(|| self.services.iter().cloned().collect())
    }
}

/// What the command line changes of the manifest.
#[derive(Clone, Debug, Default, Args)]
pub struct OverrideArguments {
    /// Runs this image instead of the declared one, from now on
    #[arg(long = "image", value_name = "SERVICE=REF", value_parser = image_override)]
    pub images: Vec<(ServiceName, ImageReference)>,
    /// Sets an interpolation variable, from now on
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = variable_override)]
    pub variables: Vec<(String, Value)>,
    /// Ends an earlier --image of this service or --set of this variable
    #[arg(long = "unset", value_name = "SERVICE|NAME")]
    pub unset: Vec<String>,
    /// Asks the registries again what the tags stand for: of all services, or of one
    #[arg(long, value_name = "SERVICE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub pull: Vec<String>,
    /// Builds images anew, where the Compose file says how: of all services, or of one
    #[arg(long, value_name = "SERVICE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub build: Vec<String>,
    /// Takes these files for a second stack, though they run as one of another name
    #[arg(long)]
    pub new: bool,
}

impl OverrideArguments {
    /// What `--image` and `--set` say.
    pub fn given(&self) -> Overrides {
        Overrides { images: self.images.iter().cloned().collect(), variables: self.variables.iter().cloned().collect() }
    }

    /// What `--build` asks for.
    pub fn build(&self) -> BuildWish {
        match self.build.as_slice() {
            [] => BuildWish::Needed,
            names if names.iter().any(String::is_empty) => BuildWish::All,
            names => BuildWish::Services(names.iter().map(|name| ServiceName::from(name.as_str())).collect()),
        }
    }

    /// What `--pull` asks for.
    pub fn pull(&self) -> PullWish {
        match self.pull.as_slice() {
            [] => PullWish::ByPolicy,
            names if names.iter().any(String::is_empty) => PullWish::All,
            names => PullWish::Services(names.iter().map(|name| ServiceName::from(name.as_str())).collect()),
        }
    }
}

/// How long to wait for another apply.
#[derive(Clone, Debug, Args)]
pub struct LockArguments {
    /// Waits so long for another apply to end, then gives up with exit code 6
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub lock_wait: Millis,
}

/// Who asks, and why; recorded in the revision and the events.
#[derive(Clone, Debug, Default, Args)]
pub struct OriginArguments {
    /// Who does this [default: from the CI's variables, else user@host]
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// The commit that the manifest is from [default: from the CI's variables]
    #[arg(long, value_name = "HASH")]
    pub commit: Option<String>,
    /// Why this is done; shown by `history`, `events` and, as long as it holds, `status`
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub reason: Option<String>,
}

/// For data: for people or for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// Reads a service's name: it is not empty and no option.
pub fn service_name(text: &str) -> Result<ServiceName, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if text.is_empty() || !text.chars().all(good) {
        return Err("a service's name has letters, digits, `.`, `_` and `-`".to_owned());
    }
    Ok(ServiceName::from(text))
}

/// Reads the number of a revision.
pub fn revision(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "a revision is a number, as `evenkeel history` lists them".to_owned())
}

/// Reads why something is done: a line, for it is shown in one.
fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a reason says something".to_owned()),
        text if text.contains(char::is_control) => Err("a reason is one line".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// Reads how many are wanted.
pub fn count(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "it is a number from 1 on".to_owned())
}

/// Reads a duration such as `10m`.
pub fn duration(text: &str) -> Result<Millis, crate::model::units::UnitError> {
    text.parse()
}

/// Reads a duration that is not zero.
pub fn span(text: &str) -> Result<Millis, String> {
    match duration(text) {
        Ok(Millis(0)) => Err("it is more than zero".to_owned()),
        Ok(span) => Ok(span),
        Err(error) => Err(error.to_string()),
    }
}

fn image_override(text: &str) -> Result<(ServiceName, ImageReference), String> {
    match text.split_once('=') {
        Some((service, reference)) if !reference.is_empty() && !reference.contains(char::is_whitespace) => {
            Ok((service_name(service)?, ImageReference::new(reference)))
        }
        _ => Err("an image is given as SERVICE=REF, such as `core=ghcr.io/us/core:9be02`".to_owned()),
    }
}

/// A variable's value is as sensitive as everything that comes from interpolation.
fn variable_override(text: &str) -> Result<(String, Value), String> {
    let name_good = |name: &str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && name_good(name) => Ok((name.to_owned(), Value::sensitive(value))),
        _ => Err("a variable is given as NAME=VALUE, such as `TAG=9be02`".to_owned()),
    }
}

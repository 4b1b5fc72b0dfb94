//! `schema`: the JSON Schemas of what evenkeel reads and writes, generated from the types.

use super::{exit::Exit, failure::Failure, output::Output};
use crate::load;
use clap::{Args, ValueEnum};

/// Print a JSON Schema
#[derive(Debug, Args)]
pub struct Arguments {
    /// Of what
    #[arg(value_enum)]
    pub of: Of,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Of {
    /// The manifest.
    Stack,
    /// What `diff --format json` prints.
    Plan,
    /// A line of `events --format json`.
    Event,
    /// What `status --format json` prints.
    Status,
}

/// Prints the schema.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Exit, Failure> {
    let name = match arguments.of {
        Of::Stack => "stack",
        Of::Plan => "plan",
        Of::Event => "event",
        Of::Status => "status",
    };
    match load::schema::schema(name) {
        Some(schema) => output.json(&schema),
        None => return Err(Failure::new(Exit::Bug, format!("there is no schema `{name}`"))),
    };
    Ok(Exit::Done)
}

//! `schema`: the JSON Schemas of what evenkeel reads and writes, generated from the types.

use super::{exit::Exit, failure::Failure, output::Output};
use crate::model::{event::Event, plan::Plan, status::StackStatus};
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
    Plan,
    Event,
    Status,
}

/// Prints the schema.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Exit, Failure> {
    output.json(&schema(arguments.of));
    Ok(Exit::Done)
}

/// The schema of one document.
pub fn schema(of: Of) -> schemars::Schema {
    match of {
        Of::Plan => schemars::schema_for!(Plan),
        Of::Event => schemars::schema_for!(Event),
        Of::Status => schemars::schema_for!(StackStatus),
    }
}

//! `events`: what happened, the newest last.

use super::{
    arguments::{Format, ManifestArguments, count, service_name},
    exit::Exit,
    failure::Failure,
    output::Output,
    render::events::event_line,
    session,
};
use crate::{home::EventQuery, model::names::ServiceName};
use clap::Args;

/// List what happened, the newest last
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Only those of this service
    #[arg(long, value_name = "SERVICE", value_parser = service_name)]
    pub service: Option<ServiceName>,
    /// At most so many
    #[arg(long, value_name = "COUNT", value_parser = count, default_value_t = 100)]
    pub last: u64,
    /// How they are written; JSON is one object a line
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Lists them.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let name = session::stack_name(&named.and(&arguments.manifest), output)?;
    let home = session::known_home(&name)?;
    let query = EventQuery { service: arguments.service.clone(), limit: Some(arguments.last), ..EventQuery::default() };
    for event in session::of_home(home.events(&query))? {
        let read = match arguments.format {
            Format::Text => output.data(&format!("{}\n", event_line(&event, output.data_style))),
            Format::Json => output.json_line(&event),
        };
        if !read {
            break;
        }
    }
    Ok(Exit::Done)
}

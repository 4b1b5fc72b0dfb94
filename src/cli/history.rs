//! `history`: the revisions, the newest first.

use super::{
    arguments::{Format, ManifestArguments, count},
    exit::Exit,
    failure::Failure,
    output::Output,
    render::history::{HistoryEntry, history_text},
    session,
};
use crate::engine::clock::{Clock, SystemClock};
use clap::Args;

/// List the revisions, the newest first
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// At most so many
    #[arg(long, value_name = "COUNT", value_parser = count, default_value_t = 20)]
    pub last: u64,
    /// How they are written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Lists them.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let name = session::stack_name(&named.and(&arguments.manifest), output)?;
    let home = session::known_home(&name)?;
    let mut entries = HistoryEntry::of_all(session::of_home(home.list())?);
    entries.truncate(usize::try_from(arguments.last).unwrap_or(usize::MAX));
    match arguments.format {
        Format::Text => output.data(&history_text(&entries, SystemClock::start().now(), output.data_style)),
        Format::Json => output.json(&entries),
    };
    Ok(Exit::Done)
}

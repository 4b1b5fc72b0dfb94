//! `status`: the stack at a glance.

use super::{
    arguments::{Format, ManifestArguments, OverrideArguments},
    exit::Exit,
    failure::Failure,
    output::Output,
    render::{
        progress::{Mode, Progress},
        status::status_text,
    },
    session,
};
use crate::execute::Cancel;
use crate::model::{
    desired::Desired,
    status::StackStatus,
    units::{Millis, Timestamp},
};
use clap::Args;
use std::sync::Arc;

/// Between two looks with `--watch`.
const LOOK_EVERY: Millis = Millis::seconds(2);

/// Show what is desired, ready, drifted and held
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Shows it again every two seconds, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// How it is written; JSON with --watch is one object a line
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Looks, once or until nobody looks any more.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let declared = session::for_acting(&named.and(&arguments.manifest), &OverrideArguments::default(), output)?;
    session::wait_for(async {
        let clock = crate::engine::clock::SystemClock::start();
        loop {
            let (status, now) = look(&declared, output).await?;
            if !show(&status, now, arguments, output) || !arguments.watch {
                return Ok(Exit::Done);
            }
            crate::engine::clock::Clock::sleep(&clock, LOOK_EVERY).await;
        }
    })
}

async fn look(declared: &Desired, output: &Output) -> Result<(StackStatus, Timestamp), Failure> {
    let home = session::read_home(&declared.stack)?.map(Arc::new);
    let (events, _progress) = Progress::start(Mode::Lines, output.talk_style);
    let stack = session::stack(declared, home, events, Cancel::default()).await?;
    let status = stack.status(Some(declared)).await.map_err(|error| session::stack_failure(&error))?;
    Ok((status, stack.clock.now()))
}

/// `false`: nobody reads any more.
fn show(status: &StackStatus, now: Timestamp, arguments: &Arguments, output: &Output) -> bool {
    match arguments.format {
        Format::Json if arguments.watch => output.json_line(status),
        Format::Json => output.json(status),
        Format::Text => {
            let text = status_text(status, now, output.data_style);
            // The screen anew, from its first line.
            let start = if arguments.watch && output.data_is_terminal { "\x1b[2J\x1b[H" } else { "" };
            output.data(&format!("{start}{text}"))
        }
    }
}

//! `down`: removes what evenkeel made; asks for the stack's name first.

use super::{
    acting::{self, ActingArguments},
    arguments::ManifestArguments,
    ask::asked,
    exit::Exit,
    failure::Failure,
    output::Output,
    render::{
        plan::plan_text,
        progress::{Mode, Progress},
    },
    session,
};
use crate::{controllers::stack::DownRequest, execute::Cancel, model::plan::Plan};
use clap::Args;
use std::sync::Arc;

/// Remove what was made: containers, networks, and with --volumes the data
#[derive(Debug, Args)]
pub struct Arguments {
    /// Doesn't ask for the stack's name
    #[arg(long)]
    pub yes: bool,
    /// Removes the volumes and the data in them too
    #[arg(long)]
    pub volumes: bool,
    #[command(flatten)]
    pub acting: ActingArguments,
}

/// Shows what goes, asks for the stack's name, removes.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let desired = arguments.acting.declared(named, output)?;
    let request = DownRequest {
        desired,
        volumes: arguments.volumes,
        origin: arguments.acting.origin(),
        lock_wait: arguments.acting.lock_wait(),
    };
    if !arguments.yes {
        let name = &request.desired.stack;
        output.data(&plan_text(&plan(&request, output)?, output.data_style));
        let question =
            format!("type the name of the stack to remove it{}: ", if request.volumes { " and its data" } else { "" });
        if asked(&question, "say `--yes` where nobody can be asked", output)? != name.as_str() {
            return Err(Failure::new(Exit::Interrupted, format!("that is not `{name}`, nothing was changed")));
        }
    }
    acting::act(&request.desired, None, output, async |stack| stack.down(&request).await)
}

fn plan(request: &DownRequest, output: &Output) -> Result<Plan, Failure> {
    session::wait_for(async {
        let home = session::read_home(&request.desired.stack)?.map(Arc::new);
        let (events, _progress) = Progress::start(Mode::Lines, output.talk_style);
        let stack = session::stack(&request.desired, home, events, Cancel::default()).await?;
        stack.plan_down(request).await.map_err(|error| session::stack_failure(&error))
    })
}

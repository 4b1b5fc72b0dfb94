//! `apply`: makes it so, with live progress, and waits.

use super::{
    acting,
    arguments::{LockArguments, ManifestArguments, OriginArguments, OverrideArguments, ServiceArguments},
    ask::asked,
    diff,
    exit::Exit,
    failure::Failure,
    origin,
    output::Output,
    render::plan::{counts, plan_text},
    session,
};
use crate::controllers::stack::{Request, SavedPlan, StackError};
use clap::Args;
use std::path::{Path, PathBuf};

/// Make it so, service by service behind health gates, and wait
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: ServiceArguments,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    #[command(flatten)]
    pub overrides: OverrideArguments,
    /// Exactly this plan, saved by `diff --out` with the same --image and --set; exit code 7 when it is stale
    #[arg(long, value_name = "FILE", conflicts_with_all = ["services", "pull", "build"])]
    pub plan: Option<PathBuf>,
    /// Shows the plan and asks before the first step
    #[arg(long)]
    pub confirm: bool,
    /// Removes even most of the services at once, where `prune` is on
    #[arg(long, conflicts_with = "confirm")]
    pub yes: bool,
    #[command(flatten)]
    pub lock: LockArguments,
    #[command(flatten)]
    pub origin: OriginArguments,
}

/// What is declared is loaded anew so many times where others change the overrides in force.
const RELOADS_MAX: usize = 10;

const WITHOUT_TERMINAL: &str =
    "leave out `--confirm` where nobody can be asked, or apply a plan that was reviewed: `--plan FILE`";

/// Applies.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let named = named.and(&arguments.manifest);
    let (declared, home) = session::declared_to_act(&named, &arguments.overrides, output)?;
    let mut request = Request {
        desired: declared.desired.into(),
        overrides: arguments.overrides.given(),
        unset: arguments.overrides.unset.clone(),
        notes: declared.notes,
        selected: arguments.services.selected(),
        pull: arguments.overrides.pull(),
        build: arguments.overrides.build(),
        origin: origin::of_process(&arguments.origin),
        lock_wait: arguments.lock.lock_wait,
        yes: arguments.yes,
        new_stack: arguments.overrides.new,
        unattended: false,
        saved: arguments.plan.as_deref().map(saved).transpose()?,
    };
    if arguments.confirm {
        let plan = diff::plan(&request, output)?;
        output.data(&plan_text(&plan, output.data_style));
        // What was agreed to, and nothing else.
        if request.saved.is_none() {
            request.saved = Some(diff::saved(&plan)?);
        }
        // Without a step nothing that runs is touched: the rest, and what forbids it all, is as without asking.
        let question = format!("apply these {}? [y/N] ", counts(&plan));
        if !plan.steps.is_empty() && !asked(&question, WITHOUT_TERMINAL, output)?.eq_ignore_ascii_case("y") {
            return Err(Failure::new(Exit::Interrupted, "not agreed to, nothing was changed"));
        }
    }
    acting::act(&request.desired.clone(), home, output, async |stack| {
        for _ in 0..RELOADS_MAX {
            match stack.apply(&request).await {
                Err(StackError::Overtaken) => {}
                ended => return ended,
            }
            // While the lock was waited for. What is wrong with it now is told by who applies it again.
            let again = session::declared(&named, &arguments.overrides, output).map_err(|_| StackError::Overtaken)?;
            (request.desired, request.notes) = (again.desired.into(), again.notes);
        }
        stack.apply(&request).await
    })
}

fn saved(path: &Path) -> Result<SavedPlan, Failure> {
    let refused = |why: String| {
        Failure::usage(format!("could not read the saved plan `{}`: {why}", path.display()))
            .hint("`evenkeel diff --out FILE` writes one")
    };
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| refused(error.to_string()))
}

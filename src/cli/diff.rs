//! `diff`: what the same `apply` would do. Changes nothing, claims nothing, needs no home.

use super::{
    arguments::{ManifestArguments, OverrideArguments, ServiceArguments},
    exit::Exit,
    failure::Failure,
    origin,
    output::Output,
    render::{
        markdown::plan_markdown,
        plan::plan_text,
        progress::{Mode, Progress},
    },
    session,
};
use crate::{
    controllers::stack::{Request, SavedPlan},
    execute::Cancel,
    model::{
        plan::{NoteCode, Plan},
        units::Millis,
    },
};
use clap::{Args, ValueEnum};
use std::{
    fs::{OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Show what would change, field by field, and the steps
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub services: ServiceArguments,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    #[command(flatten)]
    pub overrides: OverrideArguments,
    /// How the plan is written
    #[arg(long, value_enum, default_value_t)]
    pub format: PlanFormat,
    /// Saves the plan for `apply --plan`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Ends with exit code 1 when there are changes or something is held; to adopt what runs as it is changes nothing
    #[arg(long)]
    pub exit_code: bool,
}

/// How a plan is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    #[default]
    Text,
    Json,
    /// For a comment on a pull request.
    Markdown,
}

/// Plans, and prints the plan.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let declared = session::declared(&named.and(&arguments.manifest), &arguments.overrides, output)?;
    let request = Request {
        desired: declared.desired.into(),
        overrides: arguments.overrides.given(),
        unset: arguments.overrides.unset.clone(),
        notes: declared.notes,
        selected: arguments.services.selected(),
        pull: arguments.overrides.pull(),
        build: arguments.overrides.build(),
        origin: origin::of_process(&Default::default()),
        lock_wait: Millis(0),
        yes: false,
        new_stack: arguments.overrides.new,
        saved: None,
        unattended: false,
    };
    let plan = plan(&request, output)?;
    if let Some(path) = &arguments.out {
        save(&plan, path)?;
    }
    match arguments.format {
        PlanFormat::Text => output.data(&plan_text(&plan, output.data_style)),
        PlanFormat::Json => output.json(&plan.masked()),
        PlanFormat::Markdown => output.data(&plan_markdown(&plan)),
    };
    let differs = plan.differences().next().is_some() || !plan.held.is_empty();
    Ok(if arguments.exit_code && differs { Exit::Changes } else { Exit::Done })
}

/// The plan of a request; reads only.
pub fn plan(request: &Request, output: &Output) -> Result<Plan, Failure> {
    session::wait_for(async {
        let home = session::read_home(&request.desired.stack).unwrap_or_else(|failure| {
            output.talk(&format!("warning: causes are unknown: {}\n", failure.sentence));
            None
        });
        let (events, _progress) = Progress::start(Mode::Lines, output.talk_style);
        let stack = session::stack(&request.desired, home.map(Arc::new), events, Cancel::default()).await?;
        stack.diff(request).await.map_err(|error| session::stack_failure(&error))
    })
}

/// The plan as a commitment. It names each image by its id, so one that is still to be built can't be in it.
pub fn saved(plan: &Plan) -> Result<SavedPlan, Failure> {
    match plan.notes.iter().find(|note| note.code == NoteCode::ToBeBuilt) {
        Some(note) => {
            Err(Failure::usage(format!("a plan with an image to be built can't be agreed to: {}", note.text))
                .hint("build it first with `docker compose build`, or apply without a saved plan"))
        }
        None => Ok(SavedPlan::of(plan)),
    }
}

/// Only its owner reads it: commitments of weak secrets could be guessed with the salt beside them.
fn save(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(&saved(plan)?).unwrap_or_default();
    write_private(path, &format!("{json}\n"))
        .map_err(|error| Failure::usage(format!("could not write the plan to `{}`: {error}", path.display())))
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    // One that was there keeps its mode; what is no file, such as a pipe, has readers of its own.
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_plan_is_its_owners_alone_though_the_file_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        std::fs::write(&path, "a longer text of before").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        write_private(&path, "{}\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        write_private(Path::new("/dev/null"), "{}\n").unwrap();
        assert_eq!(std::fs::metadata("/dev/null").unwrap().permissions().mode() & 0o777, 0o666);
    }
}

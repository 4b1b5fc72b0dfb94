//! What `init` can't take, and what to do.

use super::folder_of;
use crate::{
    cli::failure::Failure,
    init::{Choice, Inline, Project, Unclear},
    model::{
        names::StackName,
        plan::{Change, Plan},
    },
};
use std::{collections::BTreeMap, path::PathBuf};

/// A file that nobody said to write over.
pub(super) fn there_already(path: &str) -> Failure {
    Failure::usage(format!("`{path}` is there already"))
        .hint("`--force` writes over it, `-o FILE` writes another file, `-o -` prints it")
}

/// A file that `init` would only write.
pub(super) fn is_manifest_already(path: &str) -> Failure {
    Failure::usage(format!("`{path}` is a manifest already"))
        .hint("`evenkeel diff` shows what it would change; `init` takes Compose files")
}

/// Neither files nor a project are named, and none are here.
pub(super) fn no_files(running: &BTreeMap<StackName, Project>) -> Failure {
    let failure = Failure::usage("there is no Compose file in this folder");
    if running.is_empty() {
        return failure.hint("name one with `-f`");
    }
    let runs = names(running.keys());
    failure.hint(format!("name one with `-f`, or with `--project` a project that runs here: {runs}"))
}

/// The project that is meant can't be said.
pub(super) fn unclear_project(
    unclear: Unclear,
    running: &BTreeMap<StackName, Project>,
    unasked: Option<&Failure>,
) -> Failure {
    match (unclear, unasked) {
        (Unclear::NotThere(_), Some(unasked)) => unasked.clone(),
        (Unclear::NotThere(name), None) => {
            let failure = Failure::usage(format!("no project `{name}` runs here"));
            match running.is_empty() {
                true => failure.hint("name its Compose files with `-f`"),
                false => failure.hint(format!("there is {}", names(running.keys()))),
            }
        }
        (Unclear::Several(several), _) => {
            let all = names(several.iter());
            Failure::usage(format!("several projects run from this folder: {all}"))
                .hint("say which one: `evenkeel init --project NAME`")
        }
    }
}

/// Services without their files are written only where a plan finds nothing to change; else the fields are named that
/// would.
pub(super) fn certain(name: &StackName, inline: &Inline, plan: &Result<Plan, Failure>) -> Result<(), Failure> {
    let plan = plan.as_ref().map_err(Clone::clone)?;
    let fields = |change: &Change| {
        let fields: Vec<&str> = change.fields.iter().map(|field| field.path.as_str()).collect();
        format!(
            "{}: {}",
            change.resource,
            if fields.is_empty() { change.reason.to_string() } else { fields.join(", ") }
        )
    };
    let held = plan.held.iter().map(|held| format!("{}: {}", held.resource, held.reason));
    let unsaid: Vec<String> = inline.unsaid.iter().cloned().chain(plan.differences().map(fields)).chain(held).collect();
    if unsaid.is_empty() {
        return Ok(());
    }
    let files = format!("the Compose files of `{name}` are not here, and what runs does not say for certain");
    Err(Failure::usage(format!("{files}:\n  {}", unsaid.join("\n  ")))
        .hint("nothing is written; bring the files back, or name others with `-f`"))
}

/// docker compose can be told another folder than that of the first file; a manifest can't.
pub(super) fn fits_folder(choice: &Choice, files: &[PathBuf]) -> Result<(), Failure> {
    let Some(project) = choice.project.as_ref().filter(|project| project.config_files == files) else {
        return Ok(());
    };
    if project.working_dir == folder_of(files) {
        return Ok(());
    }
    let folder = project.working_dir.display();
    Err(Failure::usage(format!(
        "not built yet: `{}` runs with the project directory `{folder}`, which is not that of its first Compose file",
        choice.name
    ))
    .hint(format!(
        "move the file to `{folder}`, or name files with `-f` whose paths mean the same from their own folder"
    )))
}

fn names<'a>(names: impl Iterator<Item = &'a StackName>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

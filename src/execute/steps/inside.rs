//! What is done inside of a container: a file is written, a command is run.

use super::{
    super::stage::{Stage, StepError, failed},
    Attempt,
    container::{done, target},
};
use crate::model::step::{Exec, Put};

/// So many of the last lines of a failed command are told.
const LINES_MAX: usize = 5;

/// Writes a file. Doing it twice is doing it once.
pub(super) async fn put(stage: &Stage<'_>, put: &Put, attempt: Attempt) -> Result<(), StepError> {
    let Some(id) = target(stage, &put.container, attempt).await? else { return Ok(()) };
    let content = stage.effects.secrets.reveal(&put.file.content);
    let content = content
        .ok_or_else(|| failed(format!("the content of `{}` is not the one that the plan was made with", put.path)))?;
    let file = crate::model::container::WrittenFile { content, ..put.file.clone() };
    done(stage, &put.container, stage.effects.engine.put_file(&id, &put.path, &file).await)
}

/// Runs a command. One whose answer was lost may have run, and is not run twice.
pub(super) async fn exec(stage: &Stage<'_>, exec: &Exec, attempt: Attempt) -> Result<(), StepError> {
    let Some(id) = target(stage, &exec.container, attempt).await? else { return Ok(()) };
    if attempt.doubt {
        return Err(failed(format!("the engine's answer was lost, so `{}` may have run or not", exec.hook.in_words())));
    }
    let hook = exec.hook.revealed(&stage.effects.secrets);
    let hook =
        hook.ok_or_else(|| failed("a sensitive value of the hook is not the one that the plan was made with"))?;
    let answer = match stage.effects.engine.run_hook(&id, &hook).await {
        Ok(answer) => answer,
        Err(error) => return done(stage, &exec.container, Err(error)),
    };
    if answer.exit_code == 0 {
        return Ok(());
    }
    let lines: Vec<&str> = answer.output.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let said = lines[lines.len().saturating_sub(LINES_MAX)..].join(" / ");
    let said = if said.is_empty() { "it said nothing".to_owned() } else { format!("it said: {said}") };
    Err(failed(format!("`{}` exited with {}; {said}", exec.hook.in_words(), answer.exit_code)))
}

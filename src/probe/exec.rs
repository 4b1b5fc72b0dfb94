//! A command in the container: exit 0 is success.

use super::Answer;
use crate::{
    engine::Engine,
    model::{observed::ObservedContainer, policy::ExecProbe, value::Value},
};

/// So much of its output is shown, in characters.
const SHOWN_MAX: usize = 200;

/// Runs the command once.
pub(super) async fn attempt(engine: &dyn Engine, probe: &ExecProbe, container: &ObservedContainer) -> Answer {
    let command: Vec<String> = probe.command.iter().map(|word| word.reveal().to_owned()).collect();
    match engine.exec(&container.id, &command).await {
        Ok(answer) if answer.exit_code == 0 => Answer::yes("exit 0"),
        Ok(answer) => {
            let output = masked(&answer.output, &probe.command);
            match output.lines().rev().map(str::trim).find(|line| !line.is_empty()) {
                Some(line) => Answer::no(format!("exit {}: {}", answer.exit_code, shortened(line))),
                None => Answer::no(format!("exit {}", answer.exit_code)),
            }
        }
        Err(error) => Answer::no(shortened(&error.message)),
    }
}

/// A command that fails likes to print its own words.
fn masked(output: &str, command: &[Value]) -> String {
    let secrets = command.iter().filter(|word| word.is_sensitive() && word.reveal().len() >= 6);
    secrets.fold(output.to_owned(), |output, secret| output.replace(secret.reveal(), "***"))
}

fn shortened(text: &str) -> String {
    text.chars().take(SHOWN_MAX).collect()
}

//! Commands in simulated containers. Only a handful mean something; any other succeeds while the process serves.

use super::container::Container;
use crate::{engine::ExecAnswer, model::units::Timestamp};

/// The exit code of a command that has the same one in every container: `true`, `false`, `sh -c 'exit 3'`.
pub(super) fn fixed_exit(command: &[&str]) -> Option<i64> {
    match command {
        ["true"] | ["/bin/true"] => Some(0),
        ["false"] | ["/bin/false"] => Some(1),
        ["sh" | "/bin/sh", "-c", line] => fixed_exit(&line.split_whitespace().collect::<Vec<_>>()),
        ["exit", code] => code.parse().ok(),
        [line] if line.contains(' ') => fixed_exit(&line.split_whitespace().collect::<Vec<_>>()),
        _ => None,
    }
}

/// The answer of a command in a container that runs.
pub(super) fn answer(container: &Container, command: &[String], now: Timestamp) -> ExecAnswer {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    if let Some(exit_code) = fixed_exit(&words) {
        return ExecAnswer { exit_code, output: String::new() };
    }
    match words[..] {
        ["cat", path] => match container.files.get(path).or_else(|| container.written.get(path)) {
            Some(content) => ExecAnswer { exit_code: 0, output: content.clone() },
            None => ExecAnswer { exit_code: 1, output: format!("cat: {path}: No such file or directory\n") },
        },
        _ if container.serves(now) => ExecAnswer { exit_code: 0, output: String::new() },
        _ => ExecAnswer { exit_code: 1, output: "not ready\n".to_owned() },
    }
}

//! A question to the user, where there is one.

use super::{failure::Failure, output::Output};
use std::io::{self, BufRead, IsTerminal};

/// The answer that was typed, without the spaces around it. `otherwise` is what to do where nobody can be asked.
///
/// # Errors
/// There is no terminal to ask on.
pub fn asked(question: &str, otherwise: &str, output: &Output) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("there is no terminal to ask on").hint(otherwise));
    }
    output.talk(question);
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(_) => Ok(answer.trim().to_owned()),
        Err(error) => Err(Failure::usage(format!("could not read the answer: {error}"))),
    }
}

//! `completions`: what a shell needs to complete evenkeel's command line.

use super::{arguments::CommandLine, exit::Exit, failure::Failure, output::Output};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print the completions for a shell
#[derive(Debug, Args)]
pub struct Arguments {
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Prints them.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut CommandLine::command(), "evenkeel", &mut script);
    output.data(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}

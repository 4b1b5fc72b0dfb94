//! The command line: one file a verb, rendering, exit codes. Holds no rules: what a verb does, a controller does.
//!
//! Data goes to stdout, talk to stderr. Every error is one sentence and a hint, and ends with one of the exit codes.

pub mod acting;
pub mod apply;
pub mod arguments;
pub mod ask;
pub mod completions;
pub mod config;
pub mod diff;
pub mod down;
pub mod events;
pub mod exit;
pub mod explain;
pub mod failure;
pub mod follow;
pub mod history;
pub mod init;
pub mod interrupt;
pub mod leave;
pub mod logs;
pub mod manifest;
pub mod origin;
pub mod output;
pub mod pause;
pub mod render;
pub mod restart;
pub mod resume;
pub mod rollback;
pub mod run;
pub mod schema;
pub mod session;
pub mod start;
pub mod status;
pub mod stop;
pub mod suspend;
pub mod unbuilt;
pub mod usage;
pub mod validate;

use arguments::{CommandLine, Verb};
use clap::{CommandFactory, Parser};
use exit::Exit;
use failure::Failure;
use output::Output;
use std::process::ExitCode;

/// Reads the command line of this process, does what it says, prints the error where there is one.
pub fn main() -> ExitCode {
    let output = Output::of_process();
    report_bugs(output);
    // A provider that is there already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    trace();
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => return refused(&error, &output).into(),
    };
    let exit = match run(command_line, &output) {
        Ok(exit) => exit,
        Err(failure) => {
            output.talk(&failure.text(output.talk_style));
            failure.exit
        }
    };
    exit.into()
}

fn run(command_line: CommandLine, output: &Output) -> Result<Exit, Failure> {
    if command_line.host.is_some() {
        return Err(Failure::usage("not built yet: -H").hint("run evenkeel on the engine's own host"));
    }
    let named = &command_line.manifest;
    match command_line.verb {
        Verb::Explain(arguments) => explain::run(&arguments, output),
        Verb::Schema(arguments) => schema::run(&arguments, output),
        Verb::Completions(arguments) => completions::run(&arguments, output),
        Verb::Unbuilt(verb) => Err(verb.refuse()),
        Verb::Init(arguments) => init::run(&arguments, named, output),
        Verb::Validate(arguments) => validate::run(&arguments, named, output),
        Verb::Config(arguments) => config::run(&arguments, named, output),
        Verb::Diff(arguments) => diff::run(&arguments, named, output),
        Verb::Apply(arguments) => apply::run(&arguments, named, output),
        Verb::Status(arguments) => status::run(&arguments, named, output),
        Verb::History(arguments) => history::run(&arguments, named, output),
        Verb::Rollback(arguments) => rollback::run(&arguments, named, output),
        Verb::Restart(arguments) => restart::run(&arguments, named, output),
        Verb::Pause(arguments) => pause::run(&arguments, named, output),
        Verb::Resume(arguments) => resume::run(&arguments, named, output),
        Verb::Stop(arguments) => stop::run(&arguments, named, output),
        Verb::Start(arguments) => start::run(&arguments, named, output),
        Verb::Down(arguments) => down::run(&arguments, named, output),
        Verb::Leave(arguments) => leave::run(&arguments, named, output),
        Verb::Run(arguments) => run::run(&arguments, named, output),
        Verb::Logs(arguments) => logs::run(&arguments, named, output),
        Verb::Events(arguments) => events::run(&arguments, named, output),
    }
}

/// What clap has to say: help and version are data, all else is a wrong usage.
fn refused(error: &clap::Error, output: &Output) -> Exit {
    use clap::error::ErrorKind;
    let words: Vec<String> = std::env::args().skip(1).collect();
    let verbs = CommandLine::command();
    let verb = verbs.get_subcommands().map(|verb| verb.get_name()).find(|name| words.iter().any(|word| word == name));
    match usage::failure(error, verb) {
        Some(_) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            output.talk(&error.render().to_string());
            Exit::Usage
        }
        Some(failure) => {
            output.talk(&failure.text(output.talk_style));
            failure.exit
        }
        None => {
            let text = error.render();
            output.data(&if output.data_style.colour { text.ansi().to_string() } else { text.to_string() });
            Exit::Done
        }
    }
}

/// A panic, on whatever thread, is a sentence and exit code 70: leaving at once is safe, the next apply observes again.
fn report_bugs(output: Output) {
    std::panic::set_hook(Box::new(move |panic| {
        let what = panic.payload();
        let what =
            what.downcast_ref::<&str>().map(|text| (*text).to_owned()).or(what.downcast_ref::<String>().cloned());
        let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
        let sentence = format!("this is a bug in evenkeel: {}{place}", what.unwrap_or_else(|| "unknown".to_owned()));
        let version = env!("CARGO_PKG_VERSION");
        let hint = format!(
            "report it with this line and version {version}; the next `evenkeel apply` recovers what was begun"
        );
        output.talk(&Failure::new(Exit::Bug, sentence).hint(hint).text(output.talk_style));
        std::process::exit(i32::from(Exit::Bug.code()));
    }));
}

/// `EVENKEEL_LOG=debug` (error, warn, info, debug, trace) tells what happens inside, on stderr; without it nothing does.
fn trace() {
    let level = std::env::var("EVENKEEL_LOG").ok().and_then(|level| level.parse::<tracing::Level>().ok());
    if let Some(level) = level {
        use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};
        // The engine's client library logs whole requests, environments included.
        let targets = Targets::new().with_default(level).with_target("bollard", tracing::metadata::LevelFilter::OFF);
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(targets);
        tracing_subscriber::registry().with(lines).init();
    }
}

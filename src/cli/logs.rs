//! `logs`: what a failed container left behind. For the logs of what runs, docker compose is the tool, and is named.

use super::{
    acting::{mask, mask_texts, masks},
    arguments::{Format, ManifestArguments, OverrideArguments, service_name},
    exit::Exit,
    failure::Failure,
    output::Output,
    render::evidence::evidence_text,
    session,
};
use crate::{
    engine::clock::{Clock, SystemClock},
    model::names::ServiceName,
};
use clap::Args;

/// Show what a failed container left behind
#[derive(Debug, Args)]
pub struct Arguments {
    /// The service
    #[arg(value_parser = service_name)]
    pub service: ServiceName,
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// The kept log, probe answers and state of the last failed container
    #[arg(long)]
    pub failed: bool,
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Shows it, or the line to type.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let desired = session::for_acting(&named.and(&arguments.manifest), &OverrideArguments::default(), output)?;
    let (name, service) = (&desired.stack, &arguments.service);
    if !arguments.failed {
        output.talk("docker compose shows the logs of what runs; of what failed: `--failed`\n");
        output.data(&format!("docker compose -p {name} logs --follow {service}\n"));
        return Ok(Exit::Done);
    }
    let home = session::known_home(name)?;
    let Some(mut evidence) = session::of_home(home.evidence_of(service))? else {
        return Err(Failure::usage(format!("no failed container of `{service}` is kept"))
            .hint(format!("`docker compose -p {name} logs {service}` shows the log of what runs")));
    };
    let masks = masks(&desired, &home);
    evidence.log = mask(&masks, &evidence.log);
    evidence.error = mask(&masks, &evidence.error);
    evidence.answers = evidence.answers.iter().map(|answer| mask(&masks, answer)).collect();
    mask_texts(&masks, &mut evidence.inspect);
    match arguments.format {
        Format::Text => output.data(&evidence_text(&evidence, SystemClock::start().now(), output.data_style)),
        Format::Json => output.json(&evidence),
    };
    Ok(Exit::Done)
}

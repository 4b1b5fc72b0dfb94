//! `validate`: everything that can be checked without an engine.

use super::{
    arguments::{Format, ManifestArguments, OverrideArguments},
    exit::Exit,
    failure::Failure,
    manifest,
    output::Output,
    render::plan::notes_text,
};
use crate::{
    load::{self, LoadError},
    model::{
        desired::{Desired, Overrides},
        plan::Note,
    },
};
use clap::Args;

/// Check everything that can be checked without an engine
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Checks, and prints what is worth knowing.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let named = named.and(&arguments.manifest);
    let sources = manifest::sources(&named, &OverrideArguments::default(), Overrides::default())?;
    match (load::load(&sources), arguments.format) {
        (Ok((desired, notes)), Format::Text) => output.data(&valid_text(&desired, &notes, output)),
        (Ok((desired, notes)), Format::Json) => output.json(&serde_json::json!({
            "valid": true,
            "stack": desired.stack,
            "services": desired.services.keys().collect::<Vec<_>>(),
            "notes": notes,
        })),
        (Err(error), Format::Text) => return Err(manifest::refused(&error, output)),
        (Err(error), Format::Json) => {
            output.json(&faults(&error));
            return Ok(Exit::Usage);
        }
    };
    Ok(Exit::Done)
}

/// The notes, and the last line.
fn valid_text(desired: &Desired, notes: &[Note], output: &Output) -> String {
    let count = |count: usize, one: &str| match count {
        0 => format!("no {one}s"),
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    };
    let notes_part = match notes {
        [] => String::new(),
        notes => format!("{}\n", notes_text(notes, output.data_style)),
    };
    let services = count(desired.services.len(), "service");
    format!("{notes_part}{} is valid: {services}, {}\n", desired.stack, count(notes.len(), "note"))
}

fn faults(error: &LoadError) -> serde_json::Value {
    let fault = |fault: &crate::compose::Fault| {
        let mut tree = serde_json::Map::new();
        if let Some(code) = fault.code {
            tree.insert("code".into(), code.into());
        }
        if !fault.file.is_empty() {
            tree.insert("file".into(), fault.file.as_str().into());
        }
        if fault.line > 0 {
            tree.insert("line".into(), fault.line.into());
            tree.insert("column".into(), fault.column.into());
        }
        tree.insert("message".into(), fault.message.as_str().into());
        if let Some(hint) = &fault.hint {
            tree.insert("hint".into(), hint.as_str().into());
        }
        serde_json::Value::Object(tree)
    };
    serde_json::json!({"valid": false, "faults": error.faults.iter().map(fault).collect::<Vec<_>>()})
}

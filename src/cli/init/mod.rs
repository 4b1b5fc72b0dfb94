//! `init`: a manifest for Compose files, or for what runs of them. Writes one file, and changes nothing that runs; the
//! words of the manifest are those of the module `init` beside the command line.

mod refused;
mod summary;
mod wanted;

use super::{
    arguments::ManifestArguments, diff, exit::Exit, failure::Failure, manifest, origin, output::Output, session,
};
use crate::{
    compose,
    controllers::stack::{BuildWish, Request},
    init::{Choice, Source},
    model::{
        desired::{Desired, Overrides},
        names::StackName,
        plan::Note,
        units::Millis,
    },
    observe::PullWish,
};
use clap::Args;
use refused::{certain, there_already};
use std::{
    collections::BTreeMap,
    fs::{OpenOptions, Permissions},
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use summary::summary;
use wanted::Wanted;

/// The manifest's name.
const MANIFEST: &str = "evenkeel.yaml";
/// The mode of a file that may hold secrets.
const ONLY_ITS_OWNER: u32 = 0o600;

/// Write a manifest for Compose files, or for what runs of them
#[derive(Debug, Args)]
pub struct Arguments {
    /// A Compose file; several are merged in this order [default: those that the project runs from, else those that
    /// docker compose finds here]
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The Compose project that is meant, as `docker compose ls` lists it [default: the one of the Compose files]
    #[arg(long, value_name = "NAME", value_parser = project_name)]
    pub project: Option<StackName>,
    /// Where to write it; `-` is stdout [default: evenkeel.yaml beside the Compose files]
    #[arg(short = 'o', long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Writes over a manifest that is there
    #[arg(long)]
    pub force: bool,
}

fn project_name(text: &str) -> Result<StackName, String> {
    match compose::normalize_name(text) == text && !text.is_empty() {
        true => Ok(StackName::from(text)),
        false => Err("a project's name has lower-case letters, digits, `-` and `_`".to_owned()),
    }
}

/// What shall be written, and from what.
struct Meant {
    choice: Choice,
    /// Where the manifest goes.
    path: PathBuf,
    source: Source,
    /// The Compose files; none where services are written from what runs.
    files: Vec<PathBuf>,
}

/// A manifest to be written.
struct Written {
    meant: Meant,
    text: String,
    desired: Desired,
    notes: Vec<Note>,
    /// Why no engine was asked.
    unasked: Option<Failure>,
}

/// Writes it, holds it to what `validate` and `diff` say, and tells what to type next.
pub fn run(arguments: &Arguments, named: &ManifestArguments, output: &Output) -> Result<Exit, Failure> {
    let files = named.files.iter().chain(&arguments.files).cloned().collect();
    let (current, environment) = (manifest::current_folder()?, manifest::environment());
    let wanted = Wanted { files, arguments, current, environment };
    let written = session::wait_for(wanted.manifest(output))?;
    let plan = match &written.unasked {
        Some(unasked) => Err(unasked.clone()),
        None => diff::plan(&request(&written), output),
    };
    if let Source::Inline(inline) = &written.meant.source {
        certain(&written.meant.choice.name, inline, &plan)?;
    }
    if wanted.is_printed() {
        output.data(&written.text);
    } else {
        write_all(&written, arguments.force)?;
    }
    output.talk(&summary(&written, &plan, wanted.is_printed(), &wanted.current, output.talk_style));
    Ok(Exit::Done)
}

/// Writes the manifest and what stands beside it.
fn write_all(written: &Written, force: bool) -> Result<(), Failure> {
    for (path, text) in to_write(&written.meant) {
        write(&path, &text, ONLY_ITS_OWNER, force)?;
    }
    write(&written.meant.path, &written.text, 0o666, force)
}

/// A file that was not there a moment ago may be there now: it stays all the same.
fn write(path: &Path, text: &str, mode: u32, force: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!force).mode(mode);
    let written = options.open(path).and_then(|mut file| {
        if mode == ONLY_ITS_OWNER {
            // One that was there may have been for everybody.
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        file.write_all(text.as_bytes())
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => there_already(&path.display().to_string()),
        _ => Failure::usage(format!("could not write `{}`: {error}", path.display())),
    })
}

/// What is written beside the manifest.
fn to_write(meant: &Meant) -> BTreeMap<PathBuf, String> {
    let Source::Inline(inline) = &meant.source else { return BTreeMap::new() };
    let folder = meant.path.parent().unwrap_or(Path::new("/"));
    inline.env_files.iter().map(|(name, text)| (folder.join(name), text.clone())).collect()
}

/// What `diff` would be asked.
fn request(written: &Written) -> Request {
    Request {
        desired: written.desired.clone().into(),
        overrides: Overrides::default(),
        unset: Vec::new(),
        notes: Vec::new(),
        selected: None,
        pull: PullWish::ByPolicy,
        build: BuildWish::Needed,
        origin: origin::of_process(&Default::default()),
        lock_wait: Millis(0),
        yes: false,
        new_stack: false,
        saved: None,
        unattended: false,
    }
}

fn folder_of(files: &[PathBuf]) -> &Path {
    files.first().and_then(|file| file.parent()).unwrap_or(Path::new("/"))
}

/// Relative to a folder where it is in it.
fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

//! A manifest that is followed: loaded again and again by the code that every verb loads with, and watched in between.

use super::{
    arguments::{ManifestArguments, OverrideArguments},
    failure::Failure,
    manifest,
};
use crate::{
    compose::{Disk, Reader},
    controllers::Manifest,
    daemon::files::Files,
    load::{self, Fault, diagnostics},
    model::{
        desired::{Desired, Overrides},
        names::StackName,
        plan::Note,
    },
};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// See the head of this file.
pub struct Followed {
    /// The stack that it declared at the start.
    pub stack: StackName,
    pub named: ManifestArguments,
    pub files: Arc<Files>,
}

impl Manifest for Followed {
    fn load(&self, in_force: &Overrides) -> Result<(Desired, Vec<Note>), String> {
        let asked = Asked::default();
        let typed = OverrideArguments::default();
        let loaded = manifest::sources_on(&asked, &self.named, &typed, in_force.clone())
            .map_err(|failure| sentence(&failure))
            .and_then(|sources| {
                asked
                    .0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(sources.files.iter().map(|file| sources.working_dir.join(file)));
                load::load(&sources).map_err(|error| told(&error.faults, &sources.files))
            })
            .and_then(|loaded| self.of_this_stack(loaded));
        // Of a wrong manifest too: it is about to be mended.
        self.files.watch(asked.0.into_inner().unwrap_or_else(PoisonError::into_inner));
        loaded
    }
}

impl Followed {
    /// A manifest that is renamed declares another stack, which is not taken over without a word.
    fn of_this_stack(&self, loaded: (Desired, Vec<Note>)) -> Result<(Desired, Vec<Note>), String> {
        let (declared, followed) = (&loaded.0.stack, &self.stack);
        if declared == followed {
            return Ok(loaded);
        }
        Err(format!("the manifest declares the stack `{declared}`, and `{followed}` is followed; start `run` anew"))
    }
}

/// A line for a log, and under it all faults as `validate` shows them.
fn told(faults: &[Fault], files: &[PathBuf]) -> String {
    let is_placed = faults.first().is_some_and(|fault| !fault.file.is_empty());
    let place = files.first().filter(|_| !is_placed).map(|file| format!("{}: ", file.display())).unwrap_or_default();
    format!("{place}{}\n{}", diagnostics::line(faults), diagnostics::render(faults, false).trim_end())
}

fn sentence(failure: &Failure) -> String {
    match &failure.hint {
        Some(hint) => format!("{}; {hint}", failure.sentence),
        None => failure.sentence.clone(),
    }
}

/// The file system, with a record of what was looked for in it.
#[derive(Default)]
struct Asked(Mutex<BTreeSet<PathBuf>>);

impl Asked {
    fn note(&self, path: &Path) {
        if path.is_absolute() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
        }
    }
}

impl Reader for Asked {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.note(path);
        Disk.read(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.note(path);
        Disk.is_file(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        Disk.is_folder(path)
    }

    fn mode_and_owner(&self, path: &Path) -> Option<(u32, u32, u32)> {
        Disk.mode_and_owner(path)
    }

    fn follow_link(&self, path: &Path) -> Option<PathBuf> {
        Disk.follow_link(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        controllers::Wake,
        engine::clock::{SystemClock, within},
        model::units::Millis,
    };
    use std::fs;

    const COMPOSE: &str = "services: {web: {image: web:1, env_file: [web.env]}}\n";

    fn followed(folder: &Path) -> Followed {
        let named = ManifestArguments { files: vec![folder.join("compose.yaml")] };
        Followed { stack: "shop".into(), named, files: Arc::new(Files::start().unwrap()) }
    }

    #[tokio::test]
    async fn every_file_that_loading_read_is_watched() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("compose.yaml"), format!("name: shop\n{COMPOSE}")).unwrap();
        let followed = followed(folder.path());
        let error = followed.load(&Overrides::default()).unwrap_err();
        assert!(error.contains("web.env"), "{error}");
        let (wake, clock) = (Wake::default(), SystemClock::start());
        // The file that is missing, and the one that names it.
        for (name, text) in [("web.env", "A=1\n"), ("compose.yaml", &format!("name: shop\n\n{COMPOSE}"))] {
            fs::write(path(name), text).unwrap();
            let woken = tokio::select! {
                woken = within(&clock, Millis::seconds(10), wake.woken()) => woken,
                () = followed.files.ring(&wake, &clock) => None,
            };
            assert!(woken.is_some(), "{name}");
            let (desired, _) = followed.load(&Overrides::default()).unwrap();
            assert_eq!(desired.services.len(), 1);
        }
    }

    #[test]
    fn a_fault_is_told_in_one_line_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("compose.yaml");
        let told = |text: &str| {
            fs::write(&file, text).unwrap();
            let error = followed(folder.path()).load(&Overrides::default()).unwrap_err();
            error.lines().next().unwrap().replace(&*file.to_string_lossy(), "FILE")
        };
        assert_eq!(
            told("name: shop\nservices: {web: {imgae: web:1}, db: {imgae: db:1}}\n"),
            "FILE:2:18: unknown field 'imgae' in services.web; did you mean 'image'? (and 1 more: `evenkeel validate` \
             shows all)"
        );
        assert_eq!(told(""), "FILE: empty compose file");
        fs::remove_file(&file).unwrap();
        let error = followed(folder.path()).load(&Overrides::default()).unwrap_err();
        assert!(
            error.lines().next().unwrap().contains("compose.yaml: could not read the file: No such file"),
            "{error}"
        );
    }

    #[test]
    fn another_stack_is_not_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("web.env"), "").unwrap();
        fs::write(folder.path().join("compose.yaml"), format!("name: blog\n{COMPOSE}")).unwrap();
        let error = followed(folder.path()).load(&Overrides::default()).unwrap_err();
        assert!(error.contains("declares the stack `blog`, and `shop` is followed"), "{error}");
    }
}

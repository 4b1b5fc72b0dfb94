//! Images are built before a plan is made, and by `apply` alone: a plan is about images that there are. What has to be built
//! is what the engine lacks, what `pull_policy: build` says, and what the user asks for. A build that fails ends the apply
//! before its first step.

use super::{Stack, StackError, round::Aim};
use crate::{
    engine::build::{BuildError, Order},
    model::{
        event::{EventKind, Severity},
        image::Images,
        names::{ImageReference, ServiceName},
        plan::{Note, NoteCode},
        value::Salt,
    },
};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc;

/// So many lines of progress may wait to be shown.
const LINES_WAITING: usize = 64;

/// Whose images are built anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BuildWish {
    /// Those that have to be.
    #[default]
    Needed,
    /// Those too that `--build SERVICE` names.
    Services(BTreeSet<ServiceName>),
    /// All that can be (`--build`).
    All,
}

impl Stack {
    /// The services whose images an apply builds, given what the references stand for. A saved plan says what runs, so
    /// nothing is built for it.
    pub(super) fn to_build(&self, aim: &Aim, wish: &BuildWish, images: &Images) -> BTreeSet<ServiceName> {
        let named = |name: &ServiceName| match wish {
            BuildWish::Needed => false,
            BuildWish::Services(names) => names.contains(name),
            BuildWish::All => true,
        };
        let services = aim.desired.services.values().filter_map(|service| Some((service, service.build.as_ref()?)));
        let in_scope = services.filter(|(service, _)| {
            aim.saved.is_none() && aim.selected.as_ref().is_none_or(|selected| selected.contains(&service.name))
        });
        let lacking = |reference: &ImageReference| images.get(reference).is_some_and(|image| image.build);
        in_scope
            .filter(|(service, build)| build.always || named(&service.name) || lacking(&service.container.image))
            .map(|(service, _)| service.name.clone())
            .collect()
    }

    /// Builds the images of these services.
    pub(super) async fn build(&self, aim: &Aim, wanted: BTreeSet<ServiceName>) -> Result<(), StackError> {
        let names: Vec<&str> = wanted.iter().map(ServiceName::as_str).collect();
        let names = names.join(", ");
        self.tell(self.event(EventKind::BuildStarted, Severity::Info, format!("build {names}"))).await;
        let known: BTreeMap<_, _> = aim
            .desired
            .services
            .values()
            .filter_map(|service| {
                Some((service.name.clone(), (service.container.image.clone(), service.build.clone()?)))
            })
            .collect();
        let secrets = aim.desired.secrets(&Salt::new(""));
        let (sender, mut lines) = mpsc::channel::<String>(LINES_WAITING);
        let order = Order { known, wanted };
        let showing = async {
            while let Some(line) = lines.recv().await {
                let text = format!("build {}", secrets.mask(&line));
                self.tell(self.event(EventKind::BuildProgress, Severity::Debug, text)).await;
            }
        };
        let building = async {
            let built = self.builder.build(&order, &sender).await;
            drop(sender);
            built
        };
        let (built, ()) = futures::join!(building, showing);
        let masked = built.map_err(|error| match error {
            BuildError::Failed { services, last } => {
                BuildError::Failed { services, last: last.iter().map(|line| secrets.mask(line)).collect() }
            }
            error => error,
        });
        let (kind, severity, text) = match &masked {
            Ok(()) => (EventKind::BuildDone, Severity::Info, format!("built {names}")),
            Err(error) => (EventKind::BuildFailed, Severity::Warning, error.to_string()),
        };
        self.tell(self.event(kind, severity, text)).await;
        Ok(masked?)
    }
}

/// What `diff` says of what an apply would build.
pub(super) fn notes(aim: &Aim, services: &BTreeSet<ServiceName>) -> Vec<Note> {
    let build = |name: &ServiceName| aim.desired.services.get(name)?.build.as_ref();
    let note = |name: &ServiceName| {
        Some(Note {
            code: NoteCode::ToBeBuilt,
            text: format!("{name}: apply builds its image from {}", build(name)?.context),
            hint: None,
        })
    };
    services.iter().filter_map(note).collect()
}

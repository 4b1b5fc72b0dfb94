//! What each reference of a desired state stands for: the image of the revision while it can be had, else the engine's
//! image of that name, else a registry's. Reads only; what must be pulled is said, and pulled by a step.

use crate::{
    engine::{
        self, EngineError, LocalImage, reference,
        registry::{Found, Registries, RegistryError},
    },
    model::{
        desired::{Desired, Service},
        image::{Images, ResolvedImage},
        names::{ImageId, ImageReference, ServiceName},
        observed::Observed,
        plan::{Note, NoteCode},
        policy::PullPolicy,
        units::Millis,
    },
};
use futures::{StreamExt, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// How many references are resolved at once.
const LOOK_UPS_MAX: usize = 16;

/// Whose images are asked of a registry first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PullWish {
    /// Nobody's: the revision is kept as it is (`run`).
    Keep,
    /// Those whose `pull_policy` is `always` (`apply`, `diff`).
    #[default]
    ByPolicy,
    /// Those too that `--pull SERVICE` names.
    Services(BTreeSet<ServiceName>),
    /// Everybody's (`--pull`), but where the policy is `never`.
    All,
}

/// What the references stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    pub images: Images,
    /// `update-available`, in the order of the references.
    pub notes: Vec<Note>,
}

/// Why references could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error(transparent)]
    Engine(EngineError),
    /// All that could not be resolved, in the order of the references.
    #[error("{}", lines(.0))]
    Images(Vec<Unresolved>),
}

impl ResolveError {
    /// What to do, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            ResolveError::Engine(error) => error.hint(),
            ResolveError::Images(unresolved) => unresolved.first().map(Unresolved::hint),
        }
    }
}

/// A reference that stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    pub reference: ImageReference,
    /// The services that use it.
    pub services: Vec<ServiceName>,
    pub why: Why,
}

/// Why a reference stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is not on the engine, and its `pull_policy` is `never`.
    Never,
    /// It is not on the engine (or the registry was to be asked first), and the registry does not give it.
    Registry(RegistryError),
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<&str> = self.services.iter().map(ServiceName::as_str).collect();
        let services = services.join(", ");
        match &self.why {
            Why::Never => {
                write!(
                    f,
                    "{services}: the image `{}` is not on the engine, and its pull_policy is `never`",
                    self.reference
                )
            }
            Why::Registry(error) => write!(f, "{services}: {error}"),
        }
    }
}

impl Unresolved {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match &self.why {
            Why::Never => format!("build or load it first, or `docker pull {}`", self.reference),
            Why::Registry(error) => error.hint(),
        }
    }
}

fn lines(unresolved: &[Unresolved]) -> String {
    unresolved.iter().map(Unresolved::to_string).collect::<Vec<_>>().join("\n")
}

/// Resolves every reference of the desired state. Of the engine only its images are asked. `previous` is what the current revision has.
pub async fn resolve(
    desired: &Desired,
    observed: &Observed,
    previous: &Images,
    engine: &(dyn engine::Images + Send + Sync),
    registries: &dyn Registries,
    pull: &PullWish,
) -> Result<Resolved, ResolveError> {
    let look = &Look { observed, previous, engine, registries };
    let uses = uses(desired, pull);
    let answers: Vec<_> = stream::iter(&uses)
        .map(|(reference, used)| async move { (reference, used, look.resolve(reference, used).await) })
        .buffered(LOOK_UPS_MAX)
        .collect()
        .await;
    let mut resolved = Resolved::default();
    let mut unresolved = Vec::new();
    for (reference, used, answer) in answers {
        match answer {
            Ok((image, note)) => {
                resolved.images.insert(reference.clone(), image);
                resolved.notes.extend(note);
            }
            Err(Failed::Engine(error)) => return Err(ResolveError::Engine(error)),
            Err(Failed::Image(why)) => {
                let services = used.services.clone();
                unresolved.push(Unresolved { reference: reference.clone(), services, why: *why });
            }
        }
    }
    match unresolved.is_empty() {
        true => Ok(resolved),
        false => Err(ResolveError::Images(unresolved)),
    }
}

/// How a reference is used: one answer stands for all of its services.
struct Use {
    services: Vec<ServiceName>,
    platform: Option<String>,
    registry_first: bool,
    /// So old it may get on the engine before the registry is asked.
    every: Option<Millis>,
    /// No service lets it be pulled.
    never: bool,
    /// A service knows how to build it.
    built: bool,
    /// It is built only where no registry gives it.
    pull_first: bool,
}

fn uses(desired: &Desired, pull: &PullWish) -> BTreeMap<ImageReference, Use> {
    let mut uses: BTreeMap<ImageReference, Use> = BTreeMap::new();
    for service in desired.services.values() {
        let reference = service.container.image.clone();
        let used = uses.entry(reference).or_insert_with(|| Use {
            services: Vec::new(),
            platform: service.container.platform.clone(),
            registry_first: false,
            every: None,
            never: true,
            built: false,
            pull_first: false,
        });
        used.services.push(service.name.clone());
        used.registry_first |= asks_first(service, pull);
        used.built |= service.build.is_some();
        used.pull_first |= service.build.as_ref().is_some_and(|build| build.pull_first);
        if let (PullPolicy::Every(span), false) = (service.pull_policy, *pull == PullWish::Keep) {
            used.every = Some(used.every.map_or(span, |other| other.min(span)));
        }
        used.never &= service.pull_policy == PullPolicy::Never;
    }
    uses
}

fn asks_first(service: &Service, pull: &PullWish) -> bool {
    let wished = match pull {
        PullWish::Keep => return false,
        PullWish::ByPolicy => false,
        PullWish::Services(services) => services.contains(&service.name),
        PullWish::All => true,
    };
    match service.pull_policy {
        PullPolicy::Always => true,
        PullPolicy::Missing | PullPolicy::Every(_) => wished,
        PullPolicy::Never => false,
    }
}

enum Failed {
    Engine(EngineError),
    Image(Box<Why>),
}

impl From<EngineError> for Failed {
    fn from(error: EngineError) -> Failed {
        Failed::Engine(error)
    }
}

impl From<RegistryError> for Failed {
    fn from(error: RegistryError) -> Failed {
        Failed::Image(Box::new(Why::Registry(error)))
    }
}

type Answer = Result<(ResolvedImage, Option<Note>), Failed>;

struct Look<'a> {
    observed: &'a Observed,
    previous: &'a Images,
    engine: &'a (dyn engine::Images + Send + Sync),
    registries: &'a dyn Registries,
}

impl Look<'_> {
    async fn resolve(&self, reference: &ImageReference, used: &Use) -> Answer {
        if used.registry_first {
            match self.of_registry(reference, used).await {
                // What is nowhere but here was built here.
                Err(Failed::Image(_)) if used.built => {}
                answer => return Ok((answer?, None)),
            }
        }
        let local = self.engine.inspect_image(reference.as_str()).await?;
        if let (Some(span), Some(local)) = (used.every, &local)
            && local.tagged.is_none_or(|at| self.observed.at.since(at) >= span)
        {
            return Ok((self.of_registry(reference, used).await?, None));
        }
        if let Some(kept) = self.kept(reference, used, local.as_ref()).await? {
            let note =
                local.filter(|local| local.id != kept.id).map(|local| update_available(reference, used, &kept, &local));
            return Ok((kept, note));
        }
        match local {
            Some(local) => Ok((here(reference, local, None), None)),
            None if used.built => Ok((self.of_registry_or_built(reference, used).await?, None)),
            None if used.never => Err(Failed::Image(Box::new(Why::Never))),
            None => Ok((self.of_registry(reference, used).await?, None)),
        }
    }

    /// What the current revision says, while that image is here or can be had again.
    async fn kept(
        &self,
        reference: &ImageReference,
        used: &Use,
        local: Option<&LocalImage>,
    ) -> Result<Option<ResolvedImage>, Failed> {
        let Some(previous) = self.previous.get(reference) else {
            return Ok(None);
        };
        if let Some(local) = local.filter(|local| local.id == previous.id) {
            return Ok(Some(here(reference, local.clone(), previous.digest.clone())));
        }
        if let Some(image) = self.engine.inspect_image(previous.id.as_str()).await? {
            return Ok(Some(here(reference, image, previous.digest.clone())));
        }
        let again = ResolvedImage { pull: true, size: None, ..previous.clone() };
        let Some(digest) = previous.digest.as_deref().filter(|_| !used.never) else {
            // It runs, so nothing needs to be pulled for it until it is replaced.
            return Ok(self.runs(&previous.id).then_some(ResolvedImage { pull: false, ..again }));
        };
        match self.registries.look_up(&by_digest(reference, digest), used.platform.as_deref()).await {
            Ok(found) => Ok(Some(ResolvedImage { size: Some(found.size), ..again })),
            Err(_) if self.runs(&previous.id) => Ok(Some(again)),
            // Gone from the registry as well, or out of reach: then the name is what is left.
            Err(_) => Ok(None),
        }
    }

    async fn of_registry(&self, reference: &ImageReference, used: &Use) -> Result<ResolvedImage, Failed> {
        let found = self.registries.look_up(reference, used.platform.as_deref()).await?;
        let Found { digest, id, size, config } = found;
        let id = if self.observed.engine.images_by_digest { ImageId::new(&digest) } else { id };
        match self.engine.inspect_image(id.as_str()).await? {
            Some(image) => Ok(here(reference, image, Some(digest))),
            None => Ok(ResolvedImage { id, digest: Some(digest), pull: true, build: false, size: Some(size), config }),
        }
    }

    /// What is nowhere and can be built: its id is not known before it is.
    async fn of_registry_or_built(&self, reference: &ImageReference, used: &Use) -> Result<ResolvedImage, Failed> {
        let to_be_built = ResolvedImage { build: true, ..ResolvedImage::default() };
        // A registry that was asked first has nothing to say a second time.
        if !used.pull_first || used.registry_first {
            return Ok(to_be_built);
        }
        match self.of_registry(reference, used).await {
            Err(Failed::Image(_)) => Ok(to_be_built),
            answer => answer,
        }
    }

    fn runs(&self, id: &ImageId) -> bool {
        self.observed.containers.values().any(|container| container.image == *id)
    }
}

/// An image that is on the engine.
fn here(reference: &ImageReference, image: LocalImage, digest: Option<String>) -> ResolvedImage {
    let (name, _) = reference::name_and_tag(reference.as_str());
    let of_name = || {
        // The engine shortens names on Docker Hub as `docker pull` takes them.
        let same =
            |digest: &&String| digest.split_once('@').is_some_and(|(repository, _)| same_repository(repository, name));
        image.digests.iter().find(same).and_then(|digest| reference::digest(digest)).map(str::to_owned)
    };
    let digest = digest.or_else(of_name);
    ResolvedImage { id: image.id, digest, config: image.config, ..ResolvedImage::default() }
}

fn same_repository(one: &str, other: &str) -> bool {
    let plain = |name: &str| {
        let path = if name.contains('/') && reference::host(name) != reference::DOCKER_HUB {
            name
        } else {
            name.trim_start_matches("docker.io/").trim_start_matches("index.docker.io/").trim_start_matches("library/")
        };
        path.to_owned()
    };
    plain(one) == plain(other)
}

fn by_digest(reference: &ImageReference, digest: &str) -> ImageReference {
    let (name, _) = reference::name_and_tag(reference.as_str());
    ImageReference::new(format!("{name}@{digest}"))
}

fn update_available(reference: &ImageReference, used: &Use, kept: &ResolvedImage, local: &LocalImage) -> Note {
    let services: Vec<&str> = used.services.iter().map(ServiceName::as_str).collect();
    Note {
        code: NoteCode::UpdateAvailable,
        text: format!(
            "{}: {reference} names {} here by now; the revision has {}",
            services.join(", "),
            local.id.short(),
            kept.id.short()
        ),
        hint: Some(format!("evenkeel apply --pull {}", services.join(" --pull "))),
    }
}

#[cfg(test)]
mod tests;

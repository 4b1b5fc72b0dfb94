//! One test a rule: what stands for a reference, by what the revision, the engine and the registry say.

use super::*;
use crate::{
    engine::{EngineResult, ErrorKind, Images as EngineImages, PullProgress, Sent},
    model::{
        desired::{Login, Overrides, Source},
        image::ImageConfig,
        observed::ObservedContainer,
        policy::StackPolicy,
        units::{Bytes, Timestamp},
    },
};
use async_trait::async_trait;
use std::sync::Mutex;

/// Images by id and by name; nothing else is asked.
#[derive(Default)]
struct Shelf(BTreeMap<String, LocalImage>);

impl Shelf {
    fn with(mut self, id: &str, tag: Option<&str>) -> Shelf {
        let image = LocalImage {
            id: ImageId::new(id),
            digests: Vec::new(),
            tags: tag.map(ImageReference::from).into_iter().collect(),
            tagged: Some(Timestamp(1_000_000)),
            config: config(id),
        };
        for key in [Some(id), tag].into_iter().flatten() {
            self.0.insert(key.to_owned(), image.clone());
        }
        self
    }
}

fn unasked<T>() -> EngineResult<T> {
    panic!("resolving only inspects images")
}

#[async_trait]
impl EngineImages for Shelf {
    async fn inspect_image(&self, reference: &str) -> EngineResult<Option<LocalImage>> {
        if self.0.contains_key("broken") {
            let kind = ErrorKind::Unreachable;
            return Err(EngineError {
                call: "inspect image",
                target: reference.into(),
                kind,
                sent: Sent::NotSent,
                message: "gone".into(),
            });
        }
        Ok(self.0.get(reference).cloned())
    }
    async fn pull_image(
        &self,
        _: &ImageReference,
        _: Option<&str>,
        _: Option<&Login>,
        _: &PullProgress,
    ) -> EngineResult<()> {
        unasked()
    }
    async fn tag_image(&self, _: &ImageId, _: &ImageReference) -> EngineResult<()> {
        unasked()
    }
    async fn untag_image(&self, _: &ImageReference) -> EngineResult<()> {
        unasked()
    }
    async fn list_tags(&self) -> EngineResult<BTreeMap<ImageReference, ImageId>> {
        unasked()
    }
}

/// A registry that has some images, and remembers what it was asked.
#[derive(Default)]
struct Remote {
    images: BTreeMap<String, &'static str>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Registries for Remote {
    async fn look_up(&self, reference: &ImageReference, _: Option<&str>) -> Result<Found, RegistryError> {
        self.asked.lock().unwrap().push(reference.to_string());
        match self.images.get(reference.as_str()) {
            Some(id) => Ok(Found {
                digest: format!("sha256:d-{id}"),
                id: ImageId::new(*id),
                size: Bytes(7),
                config: config(id),
            }),
            None => Err(RegistryError::NotFound { host: "docker.io".into(), reference: reference.clone() }),
        }
    }
}

fn config(id: &str) -> ImageConfig {
    ImageConfig { environment: [("ID".to_owned(), id.to_owned())].into(), ..ImageConfig::default() }
}

fn remote(images: &[(&str, &'static str)]) -> Remote {
    Remote { images: images.iter().map(|(name, id)| (name.to_string(), *id)).collect(), ..Remote::default() }
}

fn desired(services: &[(&str, &str, PullPolicy)]) -> Desired {
    let service = |(name, image, pull_policy): &(&str, &str, PullPolicy)| {
        let service: Service = serde_json::from_value(serde_json::json!({
            "name": name, "container": {"image": image, "networkMode": "networks"}, "replicas": 1,
            "rollout": crate::model::policy::RolloutPolicy::default(), "configHash": "",
        }))
        .unwrap();
        (ServiceName::from(*name), Service { pull_policy: *pull_policy, ..service })
    };
    Desired {
        stack: "webkit".into(),
        services: services.iter().map(service).collect(),
        networks: BTreeMap::new(),
        volumes: BTreeMap::new(),
        policy: StackPolicy::default(),
        source: Source::default(),
        overrides: Overrides::default(),
        registries: BTreeMap::new(),
    }
}

fn revision(id: &str, digest: Option<&str>) -> Images {
    let image = ResolvedImage {
        id: ImageId::new(id),
        digest: digest.map(str::to_owned),
        config: config(id),
        ..Default::default()
    };
    [(ImageReference::new("core:1"), image)].into()
}

fn running(id: &str) -> Observed {
    let container: ObservedContainer = serde_json::from_value(serde_json::json!({
        "id": "c1", "name": "webkit-core-1", "image": id, "created": "2026-01-01T00:00:00Z", "state": {},
        "spec": {"image": "core:1", "networkMode": "networks"},
    }))
    .unwrap();
    Observed { containers: [(container.name.clone(), container)].into(), ..Observed::default() }
}

struct Case {
    policy: PullPolicy,
    wish: PullWish,
    previous: Images,
    observed: Observed,
    shelf: Shelf,
    remote: Remote,
}

impl Default for Case {
    fn default() -> Case {
        Case {
            policy: PullPolicy::Missing,
            wish: PullWish::ByPolicy,
            previous: Images::new(),
            observed: Observed::default(),
            shelf: Shelf::default(),
            remote: Remote::default(),
        }
    }
}

impl Case {
    async fn resolve(&self) -> Result<Resolved, ResolveError> {
        let desired = desired(&[("core", "core:1", self.policy)]);
        resolve(&desired, &self.observed, &self.previous, &self.shelf, &self.remote, &self.wish).await
    }

    /// `id`, `pull`, and what the registry was asked.
    async fn answer(&self) -> (String, bool, Vec<String>) {
        let resolved = self.resolve().await.unwrap();
        let image = &resolved.images[&ImageReference::new("core:1")];
        assert_eq!(image.config.environment["ID"], image.id.as_str(), "the config is that of the image");
        (image.id.to_string(), image.pull, self.remote.asked.lock().unwrap().clone())
    }
}

fn expected(id: &str, pull: bool, asked: &[&str]) -> (String, bool, Vec<String>) {
    (id.to_owned(), pull, asked.iter().map(|text| text.to_string()).collect())
}

#[tokio::test]
async fn a_new_reference_is_the_engines_image_of_that_name() {
    let case = Case { shelf: Shelf::default().with("a", Some("core:1")), ..Case::default() };
    assert_eq!(case.answer().await, expected("a", false, &[]));
}

#[tokio::test]
async fn what_the_engine_does_not_have_is_the_registrys() {
    let case = Case { remote: remote(&[("core:1", "r")]), ..Case::default() };
    assert_eq!(case.answer().await, expected("r", true, &["core:1"]));
    let image = case.resolve().await.unwrap().images.into_values().next().unwrap();
    assert_eq!((image.digest.as_deref(), image.size), (Some("sha256:d-r"), Some(Bytes(7))));
}

#[tokio::test]
async fn the_revisions_image_stays_when_the_tag_moves_and_a_note_says_so() {
    let shelf = Shelf::default().with("a", None).with("b", Some("core:1"));
    let case = Case { previous: revision("a", Some("sha256:d-a")), shelf, ..Case::default() };
    assert_eq!(case.answer().await, expected("a", false, &[]));
    let resolved = case.resolve().await.unwrap();
    assert_eq!(resolved.images.values().next().unwrap().digest.as_deref(), Some("sha256:d-a"));
    assert_eq!(resolved.notes.len(), 1);
    assert_eq!(resolved.notes[0].code, NoteCode::UpdateAvailable);
    assert_eq!(resolved.notes[0].hint.as_deref(), Some("evenkeel apply --pull core"));
}

#[tokio::test]
async fn the_revisions_image_that_is_gone_is_pulled_by_its_digest() {
    let remote = remote(&[("core@sha256:d-a", "a"), ("core:1", "b")]);
    let case = Case { previous: revision("a", Some("sha256:d-a")), remote, ..Case::default() };
    assert_eq!(case.answer().await, expected("a", true, &["core@sha256:d-a"]));
}

#[tokio::test]
async fn an_image_that_is_gone_for_good_gives_way_to_the_name() {
    let shelf = || Shelf::default().with("b", Some("core:1"));
    let case = Case { previous: revision("a", Some("sha256:d-a")), shelf: shelf(), ..Case::default() };
    assert_eq!(case.answer().await, expected("b", false, &["core@sha256:d-a"]));
    let case = Case { previous: revision("a", None), shelf: shelf(), ..Case::default() };
    assert_eq!(case.answer().await, expected("b", false, &[]));
}

#[tokio::test]
async fn what_runs_is_not_replaced_because_its_image_was_removed() {
    let shelf = || Shelf::default().with("b", Some("core:1"));
    for (digest, pull) in [(None, false), (Some("sha256:d-a"), true)] {
        let case = Case { previous: revision("a", digest), observed: running("a"), shelf: shelf(), ..Case::default() };
        let (id, pulls, _) = case.answer().await;
        assert_eq!((id.as_str(), pulls), ("a", pull), "{digest:?}");
    }
}

#[tokio::test]
async fn a_wish_or_a_policy_asks_the_registry_first() {
    let core = || PullWish::Services(["core".into()].into());
    let other = || PullWish::Services(["other".into()].into());
    let cases = [
        (PullPolicy::Missing, PullWish::ByPolicy, "a"),
        (PullPolicy::Missing, PullWish::All, "r"),
        (PullPolicy::Missing, core(), "r"),
        (PullPolicy::Missing, other(), "a"),
        (PullPolicy::Always, PullWish::ByPolicy, "r"),
        (PullPolicy::Always, other(), "r"),
        (PullPolicy::Always, PullWish::Keep, "a"),
        (PullPolicy::Never, PullWish::All, "a"),
        (PullPolicy::Every(Millis(0)), PullWish::Keep, "a"),
        (PullPolicy::Every(Millis::minutes(1)), PullWish::All, "r"),
        (PullPolicy::Every(Millis::minutes(1)), PullWish::ByPolicy, "a"),
        (PullPolicy::Every(Millis::seconds(50)), PullWish::ByPolicy, "r"),
    ];
    for (policy, wish, id) in cases {
        let shelf = Shelf::default().with("a", Some("core:1"));
        let remote = remote(&[("core:1", "r")]);
        // A bit less than a minute after it was tagged.
        let observed = Observed { at: Timestamp(1_055_000), ..Observed::default() };
        let previous = revision("a", None);
        let case = Case { policy, wish: wish.clone(), previous, shelf, remote, observed };
        assert_eq!(case.answer().await.0, id, "{policy:?} {wish:?}");
    }
}

#[tokio::test]
async fn what_the_registry_names_and_the_engine_has_needs_no_pull() {
    let shelf = Shelf::default().with("r", None);
    let case = Case { wish: PullWish::All, shelf, remote: remote(&[("core:1", "r")]), ..Case::default() };
    assert_eq!(case.answer().await, expected("r", false, &["core:1"]));
}

#[tokio::test]
async fn an_engine_that_names_images_by_digest_is_asked_for_the_digest() {
    let mut observed = Observed::default();
    observed.engine.images_by_digest = true;
    let case = Case { observed, remote: remote(&[("core:1", "r")]), ..Case::default() };
    let image = case.resolve().await.unwrap().images.into_values().next().unwrap();
    assert_eq!(image.id.as_str(), "sha256:d-r");
}

#[tokio::test]
async fn never_and_missing_is_an_error_that_asks_no_registry() {
    let case = Case { policy: PullPolicy::Never, remote: remote(&[("core:1", "r")]), ..Case::default() };
    let error = case.resolve().await.unwrap_err();
    assert_eq!(error.to_string(), "core: the image `core:1` is not on the engine, and its pull_policy is `never`");
    assert!(case.remote.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn every_reference_that_stands_for_nothing_is_named_at_once() {
    let desired = desired(&[
        ("admin", "nothing:1", PullPolicy::Missing),
        ("core", "nothing:1", PullPolicy::Missing),
        ("web", "none:2", PullPolicy::Missing),
    ]);
    let (observed, previous, wish) = (Observed::default(), Images::new(), PullWish::default());
    let (shelf, remote) = (Shelf::default(), Remote::default());
    let error = resolve(&desired, &observed, &previous, &shelf, &remote, &wish).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "web: the registry `docker.io` has no `none:2`\nadmin, core: the registry `docker.io` has no `nothing:1`"
    );
    let ResolveError::Images(unresolved) = error else { panic!("{error}") };
    assert!(unresolved.iter().all(|image| !image.hint().is_empty()));
}

#[tokio::test]
async fn an_engine_that_fails_is_the_engines_error() {
    let case = Case { shelf: Shelf::default().with("broken", None), ..Case::default() };
    assert!(
        matches!(case.resolve().await.unwrap_err(), ResolveError::Engine(error) if error.kind == ErrorKind::Unreachable)
    );
}

#[test]
fn the_digest_of_an_image_on_the_engine_is_found_under_its_name() {
    let image = |digest: &str| LocalImage {
        id: ImageId::new("a"),
        digests: vec![digest.into()],
        tags: Vec::new(),
        tagged: None,
        config: config("a"),
    };
    let digest = |reference: &str, of: &str| here(&reference.into(), image(of), None).digest;
    assert_eq!(digest("redis:7", "redis@sha256:1").as_deref(), Some("sha256:1"));
    assert_eq!(digest("docker.io/library/redis:7", "redis@sha256:1").as_deref(), Some("sha256:1"));
    assert_eq!(digest("ghcr.io/us/core", "ghcr.io/us/core@sha256:1").as_deref(), Some("sha256:1"));
    assert_eq!(digest("ghcr.io/us/core", "ghcr.io/us/mirror@sha256:1"), None);
}

/// Whoever has an engine can resolve with it.
const _: for<'a> fn(&'a dyn engine::Engine) -> &'a (dyn engine::Images + Send + Sync) = |engine| engine;

/// What stands for the image of a service that has a build: its id (empty: to be built), whether it is pulled, and what the
/// registry was asked.
async fn answer_of_built(pull_first: bool, policy: PullPolicy, case: Case) -> (String, bool, usize) {
    let mut desired = desired(&[("core", "core:1", policy)]);
    let build = serde_json::json!({"context": ".", "pullFirst": pull_first, "target": "{}"});
    let service = desired.services.values_mut().next().unwrap();
    service.build = Some(serde_json::from_value(build).unwrap());
    let resolved =
        resolve(&desired, &case.observed, &case.previous, &case.shelf, &case.remote, &case.wish).await.unwrap();
    let image = &resolved.images[&ImageReference::new("core:1")];
    assert_eq!(image.build, image.id.as_str().is_empty());
    (image.id.to_string(), image.pull, case.remote.asked.lock().unwrap().len())
}

#[tokio::test]
async fn what_is_built_has_no_id_where_it_is_nowhere() {
    let missing = PullPolicy::Missing;
    let answer = answer_of_built(false, missing, Case { remote: remote(&[("core:1", "a")]), ..Case::default() }).await;
    assert_eq!(answer, (String::new(), false, 0), "without a name of its own no registry is asked");
    let shelf = || Shelf::default().with("b", Some("core:1"));
    let answer = answer_of_built(false, missing, Case { shelf: shelf(), ..Case::default() }).await;
    assert_eq!(answer, ("b".into(), false, 0));
    let here = Case { shelf: Shelf::default().with("c", None), previous: revision("c", None), ..Case::default() };
    assert_eq!(answer_of_built(false, missing, here).await, ("c".into(), false, 0), "the revision's image stays");
}

#[tokio::test]
async fn what_is_built_under_a_name_is_asked_of_its_registry_first() {
    let there = || Case { remote: remote(&[("core:1", "a")]), ..Case::default() };
    assert_eq!(answer_of_built(true, PullPolicy::Missing, there()).await, ("a".into(), true, 1));
    assert_eq!(answer_of_built(true, PullPolicy::Missing, Case::default()).await, (String::new(), false, 1));
    assert_eq!(answer_of_built(true, PullPolicy::Always, Case::default()).await, (String::new(), false, 1));
    let shelf = Shelf::default().with("b", Some("core:1"));
    let only_here = Case { shelf, ..Case::default() };
    assert_eq!(answer_of_built(true, PullPolicy::Always, only_here).await, ("b".into(), false, 1));
}

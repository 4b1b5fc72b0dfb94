//! Images: inspect, pull, and the tags that name them.

use super::{CHANGE, DockerEngine, READ, failure, inspect};
use crate::{
    engine::{
        EngineError, EngineResult, ErrorKind, Images, LocalImage, PullProgress,
        clock::within,
        reference::{self, name_and_tag},
    },
    model::{
        desired::Login,
        image::ImageConfig,
        names::{ImageId, ImageReference},
        units::Millis,
        value::Value,
    },
};
use async_trait::async_trait;
use bollard::{
    auth::DockerCredentials,
    models,
    query_parameters::{CreateImageOptions, ListImagesOptions, RemoveImageOptions, TagImageOptions},
};
use futures::StreamExt;
use std::collections::{BTreeMap, HashMap};

/// A pull that says nothing for so long has stalled.
const PULL_SILENCE: Millis = Millis::minutes(5);
/// What Docker's config writes for a user when the password is an identity token.
const TOKEN_USER: &str = "<token>";

#[async_trait]
impl Images for DockerEngine {
    async fn inspect_image(&self, reference: &str) -> EngineResult<Option<LocalImage>> {
        match self.call("inspect image", reference, READ, self.docker.inspect_image(reference)).await {
            Ok(from) => Ok(Some(local(from))),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn pull_image(
        &self,
        reference: &ImageReference,
        login: Option<&Login>,
        progress: &PullProgress,
    ) -> EngineResult<()> {
        let (name, tag) = name_and_tag(reference.as_str());
        let options =
            CreateImageOptions { from_image: Some(name.to_owned()), tag: Some(tag.to_owned()), ..Default::default() };
        let call = "pull image";
        let mut messages = self.docker.create_image(Some(options), None, login.map(credentials));
        let mut layers = Layers::default();
        loop {
            match within(&*self.clock, PULL_SILENCE, messages.next()).await {
                None => return Err(failure::timed_out(call, reference.as_str(), PULL_SILENCE)),
                Some(None) => return Ok(()),
                Some(Some(Err(error))) => return Err(pull_failed(call, reference, error)),
                Some(Some(Ok(message))) => {
                    if layers.hear(message) {
                        progress(layers.done(), layers.total());
                    }
                }
            }
        }
    }

    async fn tag_image(&self, image: &ImageId, tag: &ImageReference) -> EngineResult<()> {
        let (name, text) = name_and_tag(tag.as_str());
        let options = TagImageOptions { repo: Some(name.to_owned()), tag: Some(text.to_owned()) };
        self.call("tag image", tag, CHANGE, self.docker.tag_image(image.as_str(), Some(options))).await
    }

    async fn untag_image(&self, tag: &ImageReference) -> EngineResult<()> {
        let removed = self.docker.remove_image(tag.as_str(), None::<RemoveImageOptions>, None);
        self.call("remove the tag", tag, CHANGE, removed).await.map(drop)
    }

    async fn list_tags(&self) -> EngineResult<BTreeMap<ImageReference, ImageId>> {
        let listed = self.docker.list_images(None::<ListImagesOptions>);
        let listed = self.call("list", "images", READ, listed).await?;
        let tags = listed.into_iter().flat_map(|image| {
            let id = ImageId::new(image.id);
            image.repo_tags.into_iter().map(move |tag| (ImageReference::new(tag), id.clone()))
        });
        Ok(tags.filter(|(tag, _)| !tag.as_str().contains("<none>")).collect())
    }
}

fn credentials(login: &Login) -> DockerCredentials {
    let (username, password) = (login.username.reveal().to_owned(), login.password.reveal().to_owned());
    match username.as_str() {
        TOKEN_USER => DockerCredentials { identitytoken: Some(password), ..Default::default() },
        _ => DockerCredentials { username: Some(username), password: Some(password), ..Default::default() },
    }
}

fn pull_failed(call: &'static str, reference: &ImageReference, error: bollard::errors::Error) -> EngineError {
    let mut error = failure::from_bollard(call, reference.as_str(), error);
    if error.kind == ErrorKind::Refused {
        let host = reference::host(reference.as_str());
        error.message = format!("{}; is the login for {host} right, and not expired?", error.message);
    }
    error
}

fn local(from: models::ImageInspect) -> LocalImage {
    LocalImage {
        id: ImageId::new(from.id.unwrap_or_default()),
        digests: from.repo_digests.unwrap_or_default(),
        tags: from.repo_tags.unwrap_or_default().into_iter().map(ImageReference::new).collect(),
        config: config(from.config.unwrap_or_default()),
    }
}

fn config(from: models::ImageConfig) -> ImageConfig {
    let text = |text: Option<String>| text.filter(|text| !text.is_empty());
    let words = |words: Option<Vec<String>>| words.filter(|words| !words.is_empty());
    let environment = inspect::environment(from.env.unwrap_or_default());
    ImageConfig {
        entrypoint: words(from.entrypoint),
        command: words(from.cmd),
        environment: environment.into_iter().map(|(name, value): (_, Value)| (name, value.reveal().into())).collect(),
        labels: from.labels.unwrap_or_default().into_iter().collect(),
        working_dir: text(from.working_dir),
        user: text(from.user),
        stop_signal: text(from.stop_signal),
        healthcheck: from.healthcheck.map(|check| {
            inspect::healthcheck(inspect::Check {
                test: check.test.unwrap_or_default(),
                interval: check.interval.unwrap_or_default(),
                timeout: check.timeout.unwrap_or_default(),
                start_period: check.start_period.unwrap_or_default(),
                start_interval: check.start_interval.unwrap_or_default(),
                retries: check.retries.unwrap_or_default(),
            })
        }),
        volumes: from.volumes.unwrap_or_default().into_iter().collect(),
        expose: from.exposed_ports.unwrap_or_default().into_iter().collect(),
    }
}

/// How far each layer of a pull is.
#[derive(Default)]
struct Layers(HashMap<String, Layer>);

#[derive(Default)]
struct Layer {
    done: u64,
    /// Known once its download began.
    total: Option<u64>,
}

impl Layers {
    /// Takes a message of the engine; whether it moved anything.
    fn hear(&mut self, message: models::CreateImageInfo) -> bool {
        let (Some(id), Some(status)) = (message.id, message.status) else {
            return false;
        };
        // Every layer that is not here yet is named with the first of these.
        if !matches!(status.as_str(), "Pulling fs layer" | "Downloading" | "Download complete") {
            return false;
        }
        let layer = self.0.entry(id).or_default();
        let detail = message.progress_detail.unwrap_or_default();
        let number = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).filter(|n| *n > 0);
        layer.total = number(detail.total).or(layer.total);
        layer.done = match status.as_str() {
            "Download complete" => layer.total.unwrap_or(layer.done),
            _ => number(detail.current).unwrap_or(layer.done),
        };
        true
    }

    fn done(&self) -> u64 {
        self.0.values().map(|layer| layer.done).sum()
    }

    /// Known once it is known of every layer.
    fn total(&self) -> Option<u64> {
        self.0.values().map(|layer| layer.total).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_adds_up_over_layers() {
        let message = |id: &str, status: &str, current: i64, total: i64| models::CreateImageInfo {
            id: Some(id.into()),
            status: Some(status.into()),
            progress_detail: Some(models::ProgressDetail { current: Some(current), total: Some(total) }),
            ..Default::default()
        };
        let mut layers = Layers::default();
        assert!(!layers.hear(message("7", "Pulling from library/redis", 0, 0)));
        for id in ["a", "b"] {
            layers.hear(message(id, "Pulling fs layer", 0, 0));
        }
        layers.hear(message("a", "Downloading", 5, 10));
        assert_eq!((layers.done(), layers.total()), (5, None));
        layers.hear(message("b", "Downloading", 10, 100));
        layers.hear(message("a", "Download complete", 0, 0));
        assert!(!layers.hear(message("a", "Extracting", 3, 10)));
        assert_eq!((layers.done(), layers.total()), (20, Some(110)));
    }

    #[test]
    fn a_token_of_dockers_config_is_sent_as_one() {
        let login = |username: &str| Login { username: Value::plain(username), password: Value::sensitive("secret") };
        assert_eq!(credentials(&login("<token>")).identitytoken.as_deref(), Some("secret"));
        assert_eq!(credentials(&login("us")).password.as_deref(), Some("secret"));
    }
}

//! Images: inspect, pull, and the tags that name them.

use super::{CHANGE, DockerEngine, failure, json::ListedImage};
use crate::{
    engine::{
        EngineError, EngineResult, ErrorKind, Images, LocalImage, PullProgress,
        clock::within,
        image_config::{ImageConfigJson, nullable},
        reference::{self, name_and_tag},
    },
    model::{
        desired::Login,
        names::{ImageId, ImageReference},
        units::{Millis, Timestamp},
    },
};
use async_trait::async_trait;
use bollard::{
    auth::DockerCredentials,
    models,
    query_parameters::{CreateImageOptions, RemoveImageOptions, TagImageOptions},
};
use futures::StreamExt;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// A pull that says nothing for so long has stalled.
const PULL_SILENCE: Millis = Millis::minutes(5);
/// What Docker's config writes for a user when the password is an identity token.
const TOKEN_USER: &str = "<token>";

#[async_trait]
impl Images for DockerEngine {
    async fn inspect_image(&self, reference: &str) -> EngineResult<Option<LocalImage>> {
        if !is_reference(reference) {
            return Ok(None);
        }
        match self.read("inspect image", reference, &format!("/images/{reference}/json")).await {
            Ok(from) => Ok(Some(local(from))),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn pull_image(
        &self,
        reference: &ImageReference,
        platform: Option<&str>,
        login: Option<&Login>,
        progress: &PullProgress,
    ) -> EngineResult<()> {
        let (name, tag) = name_and_tag(reference.as_str());
        let options = CreateImageOptions {
            from_image: Some(name.to_owned()),
            tag: Some(tag.to_owned()),
            platform: platform.unwrap_or_default().to_owned(),
            ..Default::default()
        };
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
        let listed: Vec<ListedImage> = self.read("list", "images", "/images/json").await?;
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

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Inspected {
    id: String,
    #[serde(deserialize_with = "nullable")]
    repo_tags: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    repo_digests: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    metadata: Metadata,
    #[serde(deserialize_with = "nullable")]
    config: ImageConfigJson,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Metadata {
    #[serde(deserialize_with = "nullable")]
    last_tag_time: String,
}

fn local(from: Inspected) -> LocalImage {
    LocalImage {
        id: ImageId::new(from.id),
        digests: from.repo_digests,
        // The year 1 is never.
        tagged: Timestamp::parse(&from.metadata.last_tag_time).filter(|at| at.0 > 0),
        tags: from.repo_tags.into_iter().map(ImageReference::new).collect(),
        config: from.config.read(),
    }
}

/// Whether a text can be a reference or an id at all; another could leave its place in the path.
fn is_reference(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/:@+".contains(&byte);
    !text.is_empty() && text.bytes().all(plain) && !text.split('/').any(|part| part.is_empty() || part.starts_with('.'))
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
    use crate::model::value::Value;

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

    #[tokio::test]
    async fn the_platform_that_is_wanted_is_pulled() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let (asked, mut heard) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0_u8; 4096];
                let length = stream.read(&mut request).await.unwrap();
                let line = String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().to_owned();
                asked.send(line).unwrap();
                let answer = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let engine = DockerEngine::connect(&socket).await.unwrap();
        engine.pull_image(&"redis:7".into(), Some("linux/arm64"), None, &|_, _| ()).await.unwrap();
        heard.recv().await.unwrap();
        let line = heard.recv().await.unwrap();
        assert!(line.contains("fromImage=redis&tag=7") && line.contains("platform=linux%2Farm64"), "{line}");
    }

    #[test]
    fn only_a_reference_gets_into_a_path() {
        for text in ["redis", "ghcr.io/us/core:a_b@sha256:77", "sha256:77"] {
            assert!(is_reference(text), "{text}");
        }
        for text in ["", "../info", "a/../../info", "a b", "a?b", "a//b"] {
            assert!(!is_reference(text), "{text}");
        }
    }

    #[test]
    fn a_token_of_dockers_config_is_sent_as_one() {
        let login = |username: &str| Login { username: Value::plain(username), password: Value::sensitive("secret") };
        assert_eq!(credentials(&login("<token>")).identitytoken.as_deref(), Some("secret"));
        assert_eq!(credentials(&login("us")).password.as_deref(), Some("secret"));
    }
}

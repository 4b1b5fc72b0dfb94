//! What a registry says of a reference: which image it names, how to get it, and what it brings with it. Reads only.
//!
//! It pulls no image: the engine does that, with the digest that was found here.

use super::{
    clock::{Clock, SystemClock, within},
    image_config::ImageConfigJson,
    logins::{RegistryLogins, TOKEN_USER},
    reference,
};
use crate::model::{
    desired::Login,
    image::ImageConfig,
    names::{ImageId, ImageReference},
    units::{Bytes, Millis},
};
use async_trait::async_trait;
use futures::TryStreamExt;
use oci_client::{
    Client, Reference, RegistryOperation,
    client::{ClientConfig, ClientProtocol},
    errors::{OciDistributionError, OciErrorCode},
    manifest::{ImageIndexEntry, OciImageManifest, OciManifest},
    secrets::RegistryAuth,
};
use serde::Deserialize;
use std::{borrow::Cow, sync::Arc, time::Duration};

/// How long one look-up may take, whatever the registry does.
const LOOK_UP: Millis = Millis::seconds(60);
/// How long a registry may be silent.
const SILENCE: Duration = Duration::from_secs(20);
/// No image's config is larger; a registry that says so is not believed.
const CONFIG_BYTES_MAX: usize = 8 << 20;
/// The user that registries with identity tokens take one as the password of.
const TOKEN_BASIC_USER: &str = "00000000-0000-0000-0000-000000000000";

/// Registries, as far as resolving a reference needs them.
#[async_trait]
pub trait Registries: Send + Sync {
    /// What the reference's registry says that it names. `platform` is Docker's `os/architecture[/variant]`; absent: that
    /// of this host, which is the engine's.
    async fn look_up(&self, reference: &ImageReference, platform: Option<&str>) -> Result<Found, RegistryError>;
}

/// An image in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Of what the reference names (`sha256:…`): the manifest, or the list of manifests of a multi-platform image.
    pub digest: String,
    /// The digest of the image's config: its id on an engine with the classic image store.
    pub id: ImageId,
    /// What a pull transfers, if nothing of it is there yet.
    pub size: Bytes,
    pub config: ImageConfig,
}

/// Why a registry gave no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// What is written is no reference.
    #[error("`{reference}` is not an image reference: {message}")]
    Reference { reference: ImageReference, message: String },
    /// The registry says no: a login is missing, wrong or expired, or may not read this.
    #[error("the registry `{host}` refused `{reference}`: {message}")]
    Refused { host: String, reference: ImageReference, logged_in: bool, message: String },
    /// There is no such repository or tag.
    #[error("the registry `{host}` has no `{reference}`")]
    NotFound { host: String, reference: ImageReference },
    /// The image exists, but not for this platform.
    #[error("`{reference}` is not made for {platform}, only for {available}")]
    Platform { reference: ImageReference, platform: String, available: String },
    /// No connection, or no answer in time.
    #[error("the registry `{host}` can't be reached: {message}")]
    Unreachable { host: String, message: String },
    /// An answer that makes no sense, or an error of its own.
    #[error("the registry `{host}` gave no usable answer for `{reference}`: {message}")]
    Answer { host: String, reference: ImageReference, message: String },
}

impl RegistryError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            RegistryError::Reference { .. } => "write it as `[host/]name[:tag][@sha256:…]`".to_owned(),
            RegistryError::Refused { host, logged_in: true, .. } => {
                format!(
                    "the login is wrong, expired, or not allowed to read it: `docker login {host}`, or correct `spec.registries`"
                )
            }
            RegistryError::Refused { host, logged_in: false, .. } => {
                format!("it may be private: `docker login {host}`, or add {host} to `spec.registries`")
            }
            RegistryError::NotFound { .. } => "check its name and tag, and that it has been pushed".to_owned(),
            RegistryError::Platform { .. } => "build it for this platform, or set the service's `platform`".to_owned(),
            RegistryError::Unreachable { .. } => {
                "check the network and the name; an image that is on the engine already needs no registry".to_owned()
            }
            RegistryError::Answer { .. } => "try again; if it goes on, pull it by hand to see more".to_owned(),
        }
    }
}

/// Registries over HTTPS, and over plain HTTP on this machine's loopback only, as Docker does.
pub struct OciRegistries {
    https: Client,
    loopback: Client,
    logins: Arc<RegistryLogins>,
    clock: Arc<dyn Clock>,
}

impl OciRegistries {
    /// Registries with these logins. An error when TLS can't be set up on this machine.
    pub fn new(logins: Arc<RegistryLogins>) -> Result<OciRegistries, RegistryError> {
        // Without a provider the HTTP client panics; one that is there already is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = |protocol| {
            let config = ClientConfig {
                protocol,
                connect_timeout: Some(SILENCE),
                read_timeout: Some(SILENCE),
                user_agent: concat!("evenkeel/", env!("CARGO_PKG_VERSION")),
                ..ClientConfig::default()
            };
            Client::try_from(config)
                .map_err(|error| RegistryError::Unreachable { host: "*".to_owned(), message: chain(&error) })
        };
        Ok(OciRegistries {
            https: client(ClientProtocol::Https)?,
            loopback: client(ClientProtocol::Http)?,
            logins,
            clock: Arc::new(SystemClock::start()),
        })
    }

    async fn found(&self, asked: &Asked, reference: &Reference, platform: &str) -> Result<Found, RegistryError> {
        let client = if reference::is_loopback(&asked.host) { &self.loopback } else { &self.https };
        let auth = asked.login.as_ref().map_or(RegistryAuth::Anonymous, authentication);
        client.auth(reference, &auth, RegistryOperation::Pull).await.map_err(|error| asked.failed(error))?;
        let (manifest, digest) = client.pull_manifest(reference, &auth).await.map_err(|error| asked.failed(error))?;
        let manifest = match manifest {
            OciManifest::Image(manifest) => manifest,
            OciManifest::ImageIndex(index) => {
                let entry = asked.entry(&index.manifests, platform)?;
                let reference = reference.clone_with_digest(entry.digest.clone());
                match client.pull_manifest(&reference, &auth).await.map_err(|error| asked.failed(error))? {
                    (OciManifest::Image(manifest), _) => manifest,
                    (OciManifest::ImageIndex(_), _) => return Err(asked.answer("a list of images within a list")),
                }
            }
        };
        let config = self.config(client, asked, reference, &manifest).await?;
        let layers = manifest.layers.iter().chain([&manifest.config]).map(|part| u64::try_from(part.size).unwrap_or(0));
        let size = Bytes(layers.sum());
        Ok(Found { digest, id: ImageId::new(manifest.config.digest), size, config })
    }

    async fn config(
        &self,
        client: &Client,
        asked: &Asked,
        reference: &Reference,
        manifest: &OciImageManifest,
    ) -> Result<ImageConfig, RegistryError> {
        let blob = client.pull_blob_stream(reference, &manifest.config).await.map_err(|error| asked.failed(error))?;
        let bytes = blob.stream.try_fold(Vec::new(), async |mut all: Vec<u8>, part| {
            if all.len() + part.len() > CONFIG_BYTES_MAX {
                return Err(std::io::Error::other("the image's config is too large"));
            }
            all.extend_from_slice(&part);
            Ok(all)
        });
        let bytes = bytes.await.map_err(|error| asked.answer(error))?;
        let blob: ConfigBlob = serde_json::from_slice(&bytes).map_err(|error| asked.answer(error))?;
        Ok(blob.config.unwrap_or_default().read())
    }
}

#[async_trait]
impl Registries for OciRegistries {
    async fn look_up(&self, reference: &ImageReference, platform: Option<&str>) -> Result<Found, RegistryError> {
        let parsed: Reference = reference.as_str().parse().map_err(|error: oci_client::ParseError| {
            RegistryError::Reference { reference: reference.clone(), message: error.to_string() }
        })?;
        let logins = self.logins.clone();
        let of = reference.clone();
        // A credential helper is a program that is waited for.
        let login = tokio::task::spawn_blocking(move || logins.login(&of)).await.unwrap_or_default();
        let asked = Asked { host: reference::host(reference.as_str()).to_owned(), reference: reference.clone(), login };
        let platform = platform.map_or_else(this_platform, str::to_owned);
        match within(&*self.clock, LOOK_UP, self.found(&asked, &parsed, &platform)).await {
            Some(found) => found,
            None => {
                let message = format!("no answer within {LOOK_UP}");
                Err(RegistryError::Unreachable { host: asked.host, message })
            }
        }
    }
}

/// What is asked of whom, for the errors.
struct Asked {
    host: String,
    reference: ImageReference,
    login: Option<Login>,
}

impl Asked {
    fn failed(&self, error: OciDistributionError) -> RegistryError {
        use OciDistributionError as Oci;
        match error {
            Oci::AuthenticationFailure(message) => self.refused(match one_line(&message) {
                text if text.is_empty() => "the login was not accepted".to_owned(),
                text => text,
            }),
            Oci::UnauthorizedError { .. } => self.refused("not authorised".to_owned()),
            Oci::ImageManifestNotFoundError(_) => self.not_found(),
            Oci::RegistryError { envelope, .. } => {
                let codes = || envelope.errors.iter().map(|error| &error.code);
                let is = |wanted: &[OciErrorCode]| codes().any(|code| wanted.contains(code));
                if is(&[OciErrorCode::Unauthorized, OciErrorCode::Denied]) {
                    self.refused(one_line(&envelope.to_string()))
                } else if is(&[OciErrorCode::ManifestUnknown, OciErrorCode::NameUnknown, OciErrorCode::NotFound]) {
                    self.not_found()
                } else {
                    self.answer(envelope)
                }
            }
            Oci::ServerError { code: 401 | 403, message, .. } => self.refused(one_line(&message)),
            Oci::ServerError { code: 404, .. } => self.not_found(),
            Oci::ServerError { code, message, .. } => self.answer(format!("status {code}: {message}")),
            Oci::RequestError(error) if error.is_connect() || error.is_timeout() || error.is_request() => {
                RegistryError::Unreachable { host: self.host.clone(), message: root(&error) }
            }
            other => self.answer(chain(&other)),
        }
    }

    fn refused(&self, message: String) -> RegistryError {
        RegistryError::Refused {
            host: self.host.clone(),
            reference: self.reference.clone(),
            logged_in: self.login.is_some(),
            message,
        }
    }

    fn not_found(&self) -> RegistryError {
        RegistryError::NotFound { host: self.host.clone(), reference: self.reference.clone() }
    }

    fn answer(&self, message: impl std::fmt::Display) -> RegistryError {
        RegistryError::Answer {
            host: self.host.clone(),
            reference: self.reference.clone(),
            message: one_line(&message.to_string()),
        }
    }

    /// The entry of a multi-platform image that the engine would take.
    fn entry<'a>(&self, entries: &'a [ImageIndexEntry], platform: &str) -> Result<&'a ImageIndexEntry, RegistryError> {
        let name = |entry: &ImageIndexEntry| {
            entry.platform.as_ref().map(|on| match &on.variant {
                Some(variant) => format!("{}/{}/{variant}", on.os, on.architecture),
                None => format!("{}/{}", on.os, on.architecture),
            })
        };
        let exact = entries.iter().find(|entry| name(entry).as_deref() == Some(platform));
        // A variant that nobody asked for is the only one, or the newest, which runs here.
        let prefix = format!("{platform}/");
        let variant = entries.iter().rev().find(|entry| name(entry).is_some_and(|name| name.starts_with(&prefix)));
        // One without a variant runs wherever its architecture does.
        let plain =
            entries.iter().find(|entry| name(entry).is_some_and(|name| platform.starts_with(&format!("{name}/"))));
        exact.or(variant).or(plain).ok_or_else(|| {
            let available = entries.iter().filter_map(name).filter(|name| !name.contains("unknown"));
            RegistryError::Platform {
                reference: self.reference.clone(),
                platform: platform.to_owned(),
                available: available.collect::<Vec<_>>().join(", "),
            }
        })
    }
}

#[derive(Deserialize)]
struct ConfigBlob {
    config: Option<ImageConfigJson>,
}

fn authentication(login: &Login) -> RegistryAuth {
    let user = match login.username.reveal() {
        TOKEN_USER => TOKEN_BASIC_USER,
        user => user,
    };
    RegistryAuth::Basic(user.to_owned(), login.password.reveal().to_owned())
}

/// This host's platform, in Docker's words.
fn this_platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    };
    format!("linux/{architecture}")
}

/// What it comes down to. All that lies above it says only that a request was sent.
fn root(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    one_line(&at.to_string())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(error) = at {
        text = format!("{text}: {error}");
        at = error.source();
    }
    one_line(&text)
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().map(without_query).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// An address without its query: where a registry sends us for a blob, that is what lets anybody have it.
fn without_query(word: &str) -> Cow<'_, str> {
    let Some(at) = word.find('?').filter(|at| word[..*at].contains("://")) else { return word.into() };
    let end = word[at..].find([')', '"', '\'', '`']).map_or(word.len(), |length| at + length);
    format!("{}?…{}", &word[..at], &word[end..]).into()
}

#[cfg(test)]
mod tests;

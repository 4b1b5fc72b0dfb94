//! Who we are to a registry: what the manifest says, else what Docker's own config or its credential helper says. And who
//! the user is to all registries, for a container that speaks to the engine itself.

use super::{
    connect,
    reference::{self, DOCKER_HUB},
};
use crate::model::{desired::Login, names::ImageReference, value::Value};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

/// The name under which Docker's config keeps the login for Docker Hub.
const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";
/// What Docker writes for a user when the password is an identity token.
pub const TOKEN_USER: &str = "<token>";
/// A credential helper is a program of the user's, and may hang.
const HELPER_WAIT: Duration = Duration::from_secs(10);

/// Logins by registry. Docker's config is asked once per registry, until they are declared anew: what is kept there expires.
#[derive(Default)]
pub struct RegistryLogins {
    declared: Mutex<BTreeMap<String, Login>>,
    asked: Mutex<BTreeMap<String, Option<Login>>>,
}

impl RegistryLogins {
    /// Takes the manifest's logins by host; `docker.io`, however it is spelled, is Docker Hub.
    pub fn new(declared: &BTreeMap<String, Login>) -> RegistryLogins {
        let logins = RegistryLogins::default();
        logins.declare(declared);
        logins
    }

    /// Takes others in the place of those; Docker's config is asked anew.
    pub fn declare(&self, declared: &BTreeMap<String, Login>) {
        let declared = declared.iter().map(|(host, login)| (plain_host(host).to_owned(), login.clone())).collect();
        *locked(&self.declared) = declared;
        locked(&self.asked).clear();
    }

    /// The login for a reference's registry; `None` where nobody knows one. Waits at most 10 s for a credential helper.
    pub fn login(&self, reference: &ImageReference) -> Option<Login> {
        let host = reference::host(reference.as_str());
        if let Some(login) = locked(&self.declared).get(host) {
            return Some(login.clone());
        }
        locked(&self.asked).entry(host.to_owned()).or_insert_with(|| of_docker(host)).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn plain_host(host: &str) -> &str {
    let host = host.trim_start_matches("https://").trim_start_matches("http://");
    match host.split('/').next().unwrap_or(host) {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
        host => host,
    }
}

fn of_docker(host: &str) -> Option<Login> {
    let server = if host == DOCKER_HUB { DOCKER_HUB_SERVER } else { host };
    match ask(server) {
        Ok(login) => login,
        Err(why @ Unanswered::Unreadable) => {
            tracing::debug!(host, "{why}");
            None
        }
        Err(why @ Unanswered::Late) => {
            tracing::warn!(host, "{why}");
            None
        }
    }
}

/// Why there is no answer. Never with what a helper printed: that can hold what nobody may see.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("there is no login that could be read")]
    Unreadable,
    #[error("the credential helper did not answer within 10 s")]
    Late,
}

/// What Docker's config, or the helper that it names, has for a server.
fn ask(server: &str) -> Result<Option<Login>, Unanswered> {
    let server = server.to_owned();
    match in_time(move || docker_credential::get_credential(&server)).ok_or(Unanswered::Late)? {
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(login(TOKEN_USER, token))),
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(Some(login(&user, password))),
        Err(CredentialRetrievalError::NoCredentialConfigured | CredentialRetrievalError::ConfigNotFound) => Ok(None),
        Err(_) => Err(Unanswered::Unreadable),
    }
}

/// What a helper says, unless it takes too long.
fn in_time<T: Send + 'static>(helper: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (answer, answered) = mpsc::channel();
    // A thread of its own, so that a helper that hangs holds up nothing but itself.
    thread::spawn(move || answer.send(helper()));
    answered.recv_timeout(HELPER_WAIT).ok()
}

/// The part of Docker's config that is about registries.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DockerConfig {
    auths: BTreeMap<String, Json>,
    creds_store: String,
    cred_helpers: BTreeMap<String, String>,
}

/// A Docker config that holds every login of the user, those that helpers keep too, and nothing else. It is a secret.
/// Waits at most 10 s for each answer of a helper.
///
/// # Errors
/// Docker's config, its store or a login in it can't be read: a sentence without secrets.
pub fn all_of_docker() -> Result<String, String> {
    let file = connect::docker_config(|name| std::env::var(name).ok());
    let config: Option<DockerConfig> = match &file {
        Some(file) => connect::read(file).map_err(|error| error.to_string())?,
        None => None,
    };
    let config = config.unwrap_or_default();
    let stored = match config.creds_store.as_str() {
        "" => config.auths.into_keys().collect(),
        store => listed(store)?,
    };
    let mut auths = BTreeMap::new();
    for server in stored {
        let found = ask(&server).map_err(|why| format!("{why} for `{server}`"))?;
        auths.extend(found.map(|login| (server, auth(&login))));
    }
    // One that has a helper of its own, which fails when the user is not logged in there, is left out, as by docker compose.
    for server in config.cred_helpers.into_keys() {
        match ask(&server) {
            Ok(found) => auths.extend(found.map(|login| (server, auth(&login)))),
            Err(why) => tracing::warn!(server, "left out of the logins for `use_api_socket`: {why}"),
        }
    }
    // With tabs, as Docker writes its config.
    let mut text = Vec::new();
    let tabs = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let written = json!({ "auths": auths }).serialize(&mut serde_json::Serializer::with_formatter(&mut text, tabs));
    written.map_err(|error| error.to_string())?;
    String::from_utf8(text).map_err(|error| error.to_string())
}

/// The servers that a helper keeps logins for.
fn listed(store: &str) -> Result<Vec<String>, String> {
    let program = format!("docker-credential-{store}");
    let mut list = Command::new(&program);
    list.arg("list").stdin(Stdio::null()).stderr(Stdio::null());
    let output = in_time(move || list.output())
        .ok_or_else(|| format!("`{program} list` did not answer within 10 s"))?
        .map_err(|error| format!("`{program}` can't be started: {error}"))?;
    let users: BTreeMap<String, String> = match output.status.success() {
        true => serde_json::from_slice(&output.stdout).map_err(|_| format!("`{program} list` gave no list"))?,
        false => return Err(format!("`{program} list` failed")),
    };
    Ok(users.into_keys().collect())
}

/// A login as it stands in Docker's config.
fn auth(login: &Login) -> Json {
    let password = login.password.reveal();
    match login.username.reveal() {
        TOKEN_USER => json!({ "identitytoken": password }),
        user => json!({ "auth": STANDARD.encode(format!("{user}:{password}")) }),
    }
}

fn login(user: &str, password: String) -> Login {
    Login { username: Value::plain(user), password: Value::sensitive(password) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifests_login_is_found_however_the_host_is_spelled() {
        let declared = [("https://index.docker.io/v1/", "hub"), ("ghcr.io", "us")];
        let declared = declared.map(|(host, user)| (host.to_owned(), login(user, "secret".into())));
        let logins = RegistryLogins::new(&declared.into());
        let user = |reference: &str| logins.login(&reference.into()).unwrap().username;
        assert_eq!(user("redis:7").reveal(), "hub");
        assert_eq!(user("ghcr.io/us/core").reveal(), "us");
    }

    #[test]
    fn those_that_are_declared_later_take_the_place_of_the_first() {
        let of = |password: &str| [("ghcr.io".to_owned(), login("us", password.into()))].into();
        let logins = RegistryLogins::new(&of("old"));
        logins.declare(&of("new"));
        let password = || logins.login(&"ghcr.io/us/core".into()).map(|login| login.password.reveal().to_owned());
        assert_eq!(password().as_deref(), Some("new"));
    }

    #[test]
    fn a_registry_that_nobody_knows_has_no_login() {
        assert_eq!(RegistryLogins::default().login(&"nobody.invalid/x".into()), None);
    }
}

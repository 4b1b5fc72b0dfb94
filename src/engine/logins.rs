//! Who we are to a registry: what the manifest says, else what Docker's own config or its credential helper says.

use super::reference::{self, DOCKER_HUB};
use crate::model::{desired::Login, names::ImageReference, value::Value};
use docker_credential::{CredentialRetrievalError, DockerCredential};
use std::{
    collections::BTreeMap,
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
    let server = if host == DOCKER_HUB { DOCKER_HUB_SERVER } else { host }.to_owned();
    let (answer, answered) = mpsc::channel();
    // A thread of its own, so that a helper that hangs holds up nothing but itself.
    thread::spawn(move || answer.send(docker_credential::get_credential(&server)));
    match answered.recv_timeout(HELPER_WAIT) {
        Ok(Ok(DockerCredential::IdentityToken(token))) => Some(login(TOKEN_USER, token)),
        Ok(Ok(DockerCredential::UsernamePassword(user, password))) => Some(login(&user, password)),
        Ok(Err(CredentialRetrievalError::NoCredentialConfigured | CredentialRetrievalError::ConfigNotFound)) => None,
        // Never with the error itself: it can hold what the helper printed.
        Ok(Err(_)) => {
            tracing::debug!(host, "Docker's config has no login that could be read");
            None
        }
        Err(_) => {
            tracing::warn!(host, "Docker's credential helper did not answer within 10 s");
            None
        }
    }
}

fn login(user: &str, password: String) -> Login {
    Login { username: Value::plain(user), password: Value::Sensitive(password) }
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

//! Which engine: `DOCKER_HOST`, else the Docker context, else Docker's own socket, in docker's order. Only a unix socket
//! will do, because evenkeel executes on the engine's own host. Reads environment and files; connects to nothing.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Where Docker listens when nobody says otherwise.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// The context that stands for the default socket.
const DEFAULT_CONTEXT: &str = "default";

/// Why there is no socket to connect to. `hint` says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// An engine on another machine, or one that is spoken to over the network.
    #[error("the engine `{host}` ({from}) is not on this machine's unix socket")]
    Remote { host: String, from: String },
    /// What was written names no endpoint.
    #[error("`{host}` ({from}) names no engine")]
    Unreadable { host: String, from: String },
    /// There is no such context.
    #[error("the Docker context `{context}` ({from}) does not exist")]
    NoContext { context: String, from: String },
    /// A file of Docker's config can't be read.
    #[error("could not read `{path}`")]
    Config {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl ConnectError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ConnectError::Remote { .. } => "evenkeel runs on the engine's own host: start it there",
            ConnectError::Unreadable { .. } => "write it as `unix:///var/run/docker.sock`",
            ConnectError::NoContext { .. } => "`docker context ls` lists them; unset it for the default engine",
            ConnectError::Config { .. } => "make it readable, or name another folder with DOCKER_CONFIG",
        }
    }
}

/// The path of the engine's socket. `variable` gives an environment variable.
pub fn socket(variable: impl Fn(&str) -> Option<String>) -> Result<PathBuf, ConnectError> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(host) = variable("DOCKER_HOST") {
        return path_of(&host, "DOCKER_HOST");
    }
    let Some(config) = docker_config(variable) else {
        return Ok(DEFAULT_SOCKET.into());
    };
    let (context, from) = match variable("DOCKER_CONTEXT") {
        Some(context) => (context, "DOCKER_CONTEXT".to_owned()),
        None => (current_context(&config)?, config.display().to_string()),
    };
    match context.as_str() {
        "" | DEFAULT_CONTEXT => Ok(DEFAULT_SOCKET.into()),
        name => context_socket(config.parent().unwrap_or(&config), name, &from),
    }
}

/// The file of Docker's config: in `DOCKER_CONFIG`, else in the user's home. `None` where that isn't known.
pub(super) fn docker_config(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let folder = variable("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".docker")))?;
    Some(folder.join("config.json"))
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    current_context: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Context {
    endpoints: BTreeMap<String, Endpoint>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Endpoint {
    host: String,
}

fn current_context(config: &Path) -> Result<String, ConnectError> {
    let config: Option<Config> = read(config)?;
    Ok(config.unwrap_or_default().current_context)
}

fn context_socket(folder: &Path, name: &str, from: &str) -> Result<PathBuf, ConnectError> {
    let key = hex::encode(Sha256::digest(name.as_bytes()));
    let context: Option<Context> = read(&folder.join("contexts/meta").join(key).join("meta.json"))?;
    let Some(context) = context else {
        return Err(ConnectError::NoContext { context: name.to_owned(), from: from.to_owned() });
    };
    let host = context.endpoints.get("docker").map_or("", |endpoint| endpoint.host.as_str());
    path_of(host, &format!("Docker context {name}"))
}

/// The JSON in a file; `None` when there is no such file.
pub(super) fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, ConnectError> {
    let failed = |source: io::Error| ConnectError::Config { path: path.to_owned(), source };
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| failed(io::Error::other(error)))
}

fn path_of(host: &str, from: &str) -> Result<PathBuf, ConnectError> {
    let (host, from) = (host.to_owned(), from.to_owned());
    match host.split_once("://") {
        Some(("unix", path)) if path.starts_with('/') => Ok(path.into()),
        Some(("tcp" | "http" | "https" | "ssh" | "npipe" | "fd", _)) => Err(ConnectError::Remote { host, from }),
        _ => Err(ConnectError::Unreadable { host, from }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<PathBuf, ConnectError> {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        socket(|name| variables.get(name).cloned())
    }

    fn folder(current: &str, contexts: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), format!(r#"{{"auths":{{}},"currentContext":"{current}"}}"#))
            .unwrap();
        for (name, host) in contexts {
            let key = hex::encode(Sha256::digest(name.as_bytes()));
            let meta = folder.path().join("contexts/meta").join(key);
            fs::create_dir_all(&meta).unwrap();
            let json = serde_json::json!({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}});
            fs::write(meta.join("meta.json"), json.to_string()).unwrap();
        }
        folder
    }

    #[test]
    fn the_variable_wins_then_the_context_then_dockers_own() {
        let folder = folder("rootless", &[("rootless", "unix:///run/user/1000/docker.sock"), ("b", "unix:///b.sock")]);
        let config = folder.path().to_str().unwrap();
        let path = |variables: &[(&str, &str)]| with(variables).unwrap().display().to_string();
        assert_eq!(path(&[("DOCKER_HOST", "unix:///x.sock"), ("DOCKER_CONFIG", config)]), "/x.sock");
        assert_eq!(path(&[("DOCKER_CONTEXT", "b"), ("DOCKER_CONFIG", config)]), "/b.sock");
        assert_eq!(path(&[("DOCKER_CONFIG", config)]), "/run/user/1000/docker.sock");
        assert_eq!(path(&[("DOCKER_CONTEXT", "default"), ("DOCKER_CONFIG", config)]), DEFAULT_SOCKET);
        assert_eq!(path(&[("HOME", "/nowhere")]), DEFAULT_SOCKET);
        assert_eq!(path(&[("DOCKER_HOST", "")]), DEFAULT_SOCKET);
    }

    #[test]
    fn an_engine_elsewhere_is_refused_with_what_to_do() {
        for host in ["tcp://10.0.0.1:2375", "ssh://deploy@vps"] {
            let error = with(&[("DOCKER_HOST", host)]).unwrap_err();
            assert!(matches!(error, ConnectError::Remote { .. }), "{error}");
            assert!(error.hint().contains("own host"));
        }
        let folder = folder("vps", &[("vps", "ssh://deploy@vps")]);
        let error = with(&[("DOCKER_CONFIG", folder.path().to_str().unwrap())]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the engine `ssh://deploy@vps` (Docker context vps) is not on this machine's unix socket"
        );
    }

    #[test]
    fn what_names_no_engine_is_refused() {
        assert!(matches!(with(&[("DOCKER_HOST", "docker.sock")]).unwrap_err(), ConnectError::Unreadable { .. }));
        let folder = folder("gone", &[]);
        let config = folder.path().to_str().unwrap();
        assert!(matches!(with(&[("DOCKER_CONFIG", config)]).unwrap_err(), ConnectError::NoContext { .. }));
        fs::write(folder.path().join("config.json"), "{").unwrap();
        assert!(matches!(with(&[("DOCKER_CONFIG", config)]).unwrap_err(), ConnectError::Config { .. }));
    }
}

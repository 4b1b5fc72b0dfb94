//! Images are built by `docker buildx`, the program, and not over the engine's API.
//!
//! Three ways there are. The engine's own `/build` knows no secrets, no ssh, no cache of other places and no named contexts.
//! Speaking BuildKit's session protocol takes what buildx is: files, git, credentials and agents served to the builder, and
//! the user's own builders. And there is buildx itself, which docker compose needs for the same files as well, so
//! whoever has such files has it. `docker buildx bake` takes all fields of a Compose `build` as one JSON on its standard
//! input, shows what it does, and ends a build when it is asked to end. It finds the engine and the logins as docker does.
//!
//! Decides nothing: what is built is said by who calls.

use super::clock::{SystemClock, within};
use crate::model::{
    build::Build,
    names::{ImageReference, ServiceName},
    units::Millis,
};
use async_trait::async_trait;
use serde_json::{Map, Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, Command},
    sync::mpsc,
};

/// The longest that a build may take.
const BUILD_MAX: Millis = Millis::seconds(60 * 60);
/// How much of a failed build's output is kept, in lines.
const LINES_KEPT: usize = 20;
/// A longer line is cut, in bytes.
const LINE_BYTES_MAX: usize = 500;

/// Builds images onto the engine.
#[async_trait]
pub trait Builder: Send + Sync {
    /// Builds what is wanted. `said` takes a line a step of it; whatever it can't take at once is not waited for. When
    /// the future is dropped the build ends.
    async fn build(&self, order: &Order, said: &mpsc::Sender<String>) -> Result<(), BuildError>;
}

/// What is to be built.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Every service of the stack that can be built, with the name its image gets: one may be built from another.
    pub known: BTreeMap<ServiceName, (ImageReference, Build)>,
    /// Those that are built now.
    pub wanted: BTreeSet<ServiceName>,
}

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no buildx.
    #[error("`docker buildx` is not there, and it is what builds images: {0}")]
    Missing(String),
    /// It could not be run.
    #[error("could not run `docker buildx`")]
    Io(#[from] io::Error),
    /// It said no. The last lines of its output come with it.
    #[error("the build of {} failed{}", .services.join(", "), .last.iter().map(|line| format!("\n  | {line}")).collect::<String>())]
    Failed { services: Vec<String>, last: Vec<String> },
    /// It took too long.
    #[error("the build took longer than {BUILD_MAX}")]
    TimedOut,
}

impl BuildError {
    /// What to do, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            BuildError::Missing(_) => Some(
                "install Docker's buildx: the package `docker-buildx-plugin` of Docker's own repository, `docker-buildx` of Debian or Ubuntu; `docker buildx version` shows it"
                    .into(),
            ),
            BuildError::Failed { .. } => Some("nothing was changed; `docker compose build` shows the whole output".into()),
            BuildError::Io(_) | BuildError::TimedOut => None,
        }
    }
}

/// `docker buildx`, on the engine at a socket.
pub struct Buildx {
    socket: PathBuf,
}

impl Buildx {
    /// Of the engine at this socket.
    pub fn new(socket: PathBuf) -> Buildx {
        Buildx { socket }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("docker");
        command.arg("buildx").env("DOCKER_HOST", format!("unix://{}", self.socket.display()));
        command.stdin(Stdio::null());
        command
    }

    /// Docker answers an unknown plugin's name in many ways, and buildx its version in one.
    async fn is_there(&self) -> Result<(), BuildError> {
        let answer = self.command().arg("version").output().await;
        match answer {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                Err(BuildError::Missing(said.lines().next().unwrap_or("it says nothing").to_owned()))
            }
            Err(error) => Err(BuildError::Missing(format!("docker: {error}"))),
        }
    }
}

#[async_trait]
impl Builder for Buildx {
    async fn build(&self, order: &Order, said: &mpsc::Sender<String>) -> Result<(), BuildError> {
        self.is_there().await?;
        let file = bake_file(order);
        let mut command = self.command();
        command.args(["bake", "--file", "-", "--progress", "plain"]);
        command.args(allowed(&file).into_iter().map(|what| format!("--allow={what}")));
        // The paths are those that the Compose file names, wherever they are.
        command.env("BUILDX_BAKE_ENTITLEMENTS_FS", "0");
        let variables = order.known.values().flat_map(|(_, build)| &build.environment);
        command.envs(variables.map(|(name, value)| (name, value.reveal())));
        // A group of its own: docker, and the plugin that it starts.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let group = Group::of(&child);
        let (input, output) = (child.stdin.take(), child.stderr.take());
        let feeding = async {
            if let Some(mut input) = input {
                // One that ends before it has read all of it says why in its output.
                let _ = input.write_all(file.to_string().as_bytes()).await;
            }
        };
        let mut last = VecDeque::new();
        let building = futures::future::join(feeding, follow(&mut child, output, said, &mut last));
        let ended = within(&SystemClock::start(), BUILD_MAX, building).await.map(|((), ended)| ended);
        if matches!(ended, Some(Ok(_))) {
            group.has_ended();
        }
        match ended {
            Some(Ok(status)) if status.success() => Ok(()),
            Some(Ok(_)) => {
                let services = order.wanted.iter().map(ToString::to_string).collect();
                Err(BuildError::Failed { services, last: last.into() })
            }
            Some(Err(error)) => Err(error.into()),
            None => Err(BuildError::TimedOut),
        }
    }
}

/// The processes of a build, asked to end with this value: buildx cancels then what the engine does for it.
struct Group(Option<rustix::process::Pid>);

impl Group {
    fn of(child: &Child) -> Group {
        Group(child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw))
    }

    /// There is nobody to ask any more, and the number may be another's soon.
    fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // One that has ended by now is as well.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
        }
    }
}

/// Reads what is said until it ends. What is built may say anything, texts of no encoding included.
async fn follow(
    child: &mut Child,
    output: Option<ChildStderr>,
    said: &mpsc::Sender<String>,
    last: &mut VecDeque<String>,
) -> io::Result<ExitStatus> {
    if let Some(mut output) = output.map(BufReader::new) {
        let mut bytes = Vec::new();
        while output.read_until(b'\n', &mut bytes).await? > 0 {
            let line = String::from_utf8_lossy(&bytes).into_owned();
            bytes.clear();
            let line = line.get(..line.floor_char_boundary(LINE_BYTES_MAX)).unwrap_or_default().trim_end();
            if let Some(step) = step(line) {
                // Progress that nobody takes is not worth waiting for.
                let _ = said.try_send(step.to_owned());
            }
            if !line.is_empty() {
                last.push_back(line.to_owned());
                while last.len() > LINES_KEPT {
                    last.pop_front();
                }
            }
        }
    }
    child.wait().await
}

/// The step that a line of plain progress begins: `#6 [2/2] RUN make` without its number; not what buildx does for itself.
fn step(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix('#')?.split_once(' ')?;
    let own = number.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with('[');
    (own && !rest.starts_with("[internal]")).then_some(rest)
}

/// The name of a service's target: bake takes no dots.
fn target_name(service: &ServiceName) -> String {
    service.as_str().replace('.', "_")
}

/// All that can be built, and the group of what is.
pub fn bake_file(order: &Order) -> Json {
    let mut targets = Map::new();
    for (name, (_, build)) in &order.known {
        let mut target: Json = serde_json::from_str(build.target.reveal()).unwrap_or_default();
        if !build.args.is_empty() {
            let args = build.args.iter().map(|(name, value)| (name.clone(), Json::from(value.reveal())));
            target["args"] = Json::Object(args.collect());
        }
        targets.insert(target_name(name), literal(target));
    }
    let wanted: Vec<String> = order.wanted.iter().map(target_name).collect();
    json!({"group": {"default": {"targets": wanted}}, "target": targets})
}

/// Texts that bake reads no variables out of.
fn literal(value: Json) -> Json {
    match value {
        Json::String(text) => Json::String(text.replace("${", "$${").replace("%{", "%%{")),
        Json::Array(items) => items.into_iter().map(literal).collect(),
        Json::Object(map) => Json::Object(map.into_iter().map(|(key, value)| (key, literal(value))).collect()),
        value => value,
    }
}

/// What bake has to be allowed: the file says it, and the file is the user's.
fn allowed(file: &Json) -> BTreeSet<String> {
    let targets = file["target"].as_object().into_iter().flatten().map(|(_, target)| target);
    let mut allowed = BTreeSet::new();
    for target in targets {
        let named = target["entitlements"].as_array().into_iter().flatten().filter_map(Json::as_str);
        allowed.extend(named.map(str::to_owned));
        if target.get("ssh").is_some() {
            allowed.insert("ssh".to_owned());
        }
        if target["network"] == "host" {
            allowed.insert("network.host".to_owned());
        }
    }
    allowed
}

#[cfg(test)]
mod tests;

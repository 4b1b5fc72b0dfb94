//! A stack of one test: the built evenkeel in a folder of its own with a home of its own, against the engine under test or
//! a private one. Whatever the test does, nothing of the stack is left after it.

use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The program under test.
pub const EVENKEEL: &str = env!("CARGO_BIN_EXE_evenkeel");

/// What `scripts/setup` says of this machine.
pub fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: eval \"$(scripts/setup)\""))
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Ran {
    pub line: String,
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(line: String, output: Output) -> Ran {
        Ran {
            line,
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Holds it to an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "`{}`\n--- stdout\n{}--- stderr\n{}", self.line, self.out, self.err);
        self
    }

    /// Both streams.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// Holds it to have said something.
    #[track_caller]
    pub fn says(self, text: &str) -> Ran {
        assert!(self.all().contains(text), "no `{text}` in `{}`\n{}", self.line, self.all());
        self
    }

    pub fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.all()))
    }
}

/// An engine: the machine's own, or a private one in its network namespace.
#[derive(Clone, Debug)]
pub struct Place {
    pub host: String,
    pub namespace: Option<String>,
}

impl Place {
    /// The engine that `DOCKER_HOST` names.
    pub fn here() -> Place {
        Place { host: setting("DOCKER_HOST"), namespace: None }
    }

    /// A program there, with the environment of this process.
    pub fn command(&self, program: &str) -> Command {
        let mut command = match &self.namespace {
            Some(namespace) => {
                let mut command = Command::new("nsenter");
                command.args([&format!("--net={namespace}"), "--", program]);
                command
            }
            None => Command::new(program),
        };
        command.env("DOCKER_HOST", &self.host).env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    /// What a docker command prints; it must succeed.
    #[track_caller]
    pub fn docker(&self, words: &[&str]) -> String {
        let ran = self.try_docker(words).exits(0);
        ran.out.trim_end().to_owned()
    }

    pub fn try_docker(&self, words: &[&str]) -> Ran {
        let output = self.command(&setting("EVENKEEL_TEST_DOCKER")).args(words).output().unwrap();
        Ran::of(format!("docker {}", words.join(" ")), output)
    }
}

/// One container of the stack, as inspect tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    pub image: String,
    pub state: String,
    pub policy: String,
}

/// See the head of this file.
pub struct Stack {
    pub name: String,
    pub folder: TempDir,
    pub place: Place,
    pub variables: BTreeMap<String, String>,
}

impl Stack {
    /// A new name on the engine under test. `what` names the test.
    pub fn new(what: &str) -> Stack {
        Stack::at(what, Place::here())
    }

    pub fn at(what: &str, place: Place) -> Stack {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("e2e{}x{count}-{what}", std::process::id());
        let folder = tempfile::Builder::new().prefix(&format!("{name}.")).tempdir().unwrap();
        let home = folder.path().join("home").display().to_string();
        // What the machine's owner has configured must not decide a test.
        let variables = [("EVENKEEL_STATE_DIR".to_owned(), home)].into();
        Stack { name, folder, place, variables }
    }

    /// The folder that holds the stack's files.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The state directory.
    pub fn home(&self) -> PathBuf {
        PathBuf::from(&self.variables["EVENKEEL_STATE_DIR"])
    }

    /// Writes a file of the stack; `NAME` in it is the stack's name.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("NAME", &self.name)).unwrap();
    }

    /// Writes the manifest and its compose.yaml; `spec` is what the manifest's spec holds beside `compose`, in
    /// YAML's flow style.
    pub fn declare(&self, compose: &str, spec: &str) {
        self.write("compose.yaml", compose);
        let comma = if spec.is_empty() { "" } else { ", " };
        self.write(
            "evenkeel.yaml",
            &format!(
                "apiVersion: evenkeel.dev/v1\nkind: Stack\nmetadata: {{name: NAME}}\n\
                 spec: {{compose: {{files: [compose.yaml]}}{comma}{spec}}}\n"
            ),
        );
    }

    /// An evenkeel that is not started yet, in the stack's folder.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = self.place.command(EVENKEEL);
        command.current_dir(self.folder.path()).args(words).envs(&self.variables);
        command
    }

    /// Runs evenkeel to its end.
    pub fn evenkeel(&self, words: &[&str]) -> Ran {
        finish(words, self.start(words))
    }

    /// Starts evenkeel; `finish` waits for it.
    pub fn start(&self, words: &[&str]) -> Child {
        self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs docker compose 2.40 on the stack's Compose file.
    pub fn compose(&self, words: &[&str]) -> Ran {
        let mut command = self.place.command(&setting("EVENKEEL_TEST_COMPOSE"));
        command.current_dir(self.folder.path()).envs(&self.variables).args(["-p", &self.name]).args(words);
        Ran::of(format!("docker compose {}", words.join(" ")), command.output().unwrap())
    }

    /// Runs docker.
    #[track_caller]
    pub fn docker(&self, words: &[&str]) -> String {
        self.place.docker(words)
    }

    /// Whether the engine keeps a network on which nothing is: before 25 it counts an endpoint twice at times, where several
    /// come at once, and then says so of the network until it is restarted.
    pub fn is_miscounted(&self, down: &Ran) -> bool {
        let networks = self.docker(&["network", "ls", "-q", "--filter", &self.label()]);
        let is_empty = |id: &str| self.docker(&["network", "inspect", "-f", "{{len .Containers}}", id]) == "0";
        down.all().contains("has active endpoints") && self.ids().is_empty() && networks.lines().all(is_empty)
    }

    /// The stack's containers by name, the stack's own name taken off its front.
    pub fn containers(&self) -> BTreeMap<String, Container> {
        let ids = self.docker(&["ps", "-aq", "--no-trunc", "--filter", &self.label()]);
        let mut found = BTreeMap::new();
        for id in ids.lines() {
            let form = "{{.Name}} {{.Config.Image}} {{.State.Status}} {{.HostConfig.RestartPolicy.Name}}";
            let ran = self.place.try_docker(&["inspect", "--type", "container", "--format", form, id]);
            // It may have gone since it was listed.
            let words: Vec<&str> = ran.out.split_whitespace().collect();
            let [name, image, state, policy] = words.as_slice() else { continue };
            let name = name.trim_start_matches('/').replacen(&format!("{}-", self.name), "", 1);
            let container = Container {
                id: id.to_owned(),
                image: image.to_string(),
                state: state.to_string(),
                policy: policy.to_string(),
            };
            found.insert(name, container);
        }
        found
    }

    /// Their ids.
    pub fn ids(&self) -> BTreeMap<String, String> {
        self.containers().into_iter().map(|(name, container)| (name, container.id)).collect()
    }

    /// Inspect of one container, named without the stack.
    pub fn inspect(&self, container: &str) -> Json {
        let all = self.docker(&["inspect", "--type", "container", &self.full(container)]);
        serde_json::from_str::<Json>(&all).unwrap()[0].clone()
    }

    /// A container's whole name.
    pub fn full(&self, container: &str) -> String {
        format!("{}-{container}", self.name)
    }

    /// What a command in a container prints.
    #[track_caller]
    pub fn exec(&self, container: &str, words: &[&str]) -> String {
        let mut line = vec!["exec"];
        let name = self.full(container);
        line.push(&name);
        line.extend(words);
        self.docker(&line)
    }

    /// Waits until a container answers so to `GET path`, seen from inside it.
    #[track_caller]
    pub fn answers(&self, container: &str, path: &str) -> String {
        self.exec(container, &["wget", "-qO-", &format!("http://127.0.0.1:8080{path}")])
    }

    fn label(&self) -> String {
        format!("label=com.docker.compose.project={}", self.name)
    }

    fn clean(&self) {
        let all = |words: &[&str]| -> BTreeSet<String> {
            self.place.try_docker(words).out.split_whitespace().map(str::to_owned).collect()
        };
        let (label, named) = (self.label(), format!("name={}", self.name));
        for _ in 0..3 {
            let containers: BTreeSet<String> =
                [&label, &named].iter().flat_map(|filter| all(&["ps", "-aq", "--filter", filter])).collect();
            for id in &containers {
                let form = "{{range .Mounts}}{{if eq .Type \"volume\"}}{{println .Name}}{{end}}{{end}}";
                let mounted = all(&["inspect", "--type", "container", "-f", form, id]);
                self.place.try_docker(&["rm", "-fv", id]);
                // A carried anonymous volume has a name by now, so `-v` leaves it.
                for volume in mounted {
                    self.place.try_docker(&["volume", "rm", &volume]);
                }
            }
            if containers.is_empty() {
                break;
            }
        }
        for kind in ["network", "volume"] {
            for filter in [&label, &named] {
                for id in all(&[kind, "ls", "-q", "--filter", filter]) {
                    self.place.try_docker(&[kind, "rm", &id]);
                }
            }
        }
        let reference = format!("reference=evenkeel.local/{}/*", self.name);
        for tag in all(&["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", &reference]) {
            self.place.try_docker(&["rmi", &tag]);
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.clean();
    }
}

/// Waits for an evenkeel that was started; one that does not end is a failure.
#[track_caller]
pub fn finish(words: &[&str], mut child: Child) -> Ran {
    let read = |stream: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            stream.map(|mut stream| stream.read_to_string(&mut text)).transpose().unwrap();
            text
        })
    };
    let out = read(child.stdout.take().map(|stream| Box::new(stream) as _));
    let err = read(child.stderr.take().map(|stream| Box::new(stream) as _));
    let deadline = Instant::now() + Duration::from_secs(180);
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if Instant::now() > deadline => break None,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    if status.is_none() {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let (out, err) = (out.join().unwrap(), err.join().unwrap());
    let line = format!("evenkeel {}", words.join(" "));
    let Some(status) = status else { panic!("`{line}` does not end\n{out}{err}") };
    Ran { line, code: status.code().unwrap_or(-1), out, err }
}

/// Asks until it is so; a minute at most.
#[track_caller]
pub fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < deadline, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A port of this machine's loopback that nothing holds now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The status and body of `GET path`, or why there is none.
pub fn get(port: u16, path: &str) -> Result<(u16, String), String> {
    let told = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(told)?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(told)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").map_err(told)?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).map_err(told)?;
    let status = reply.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("an empty reply")?;
    let body = reply.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok((status, body))
}

/// Whether some file under a folder holds these bytes.
pub fn holds(folder: &Path, bytes: &[u8]) -> Option<PathBuf> {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = if path.is_dir() {
            holds(&path, bytes)
        } else {
            let content = fs::read(&path).unwrap_or_default();
            content.windows(bytes.len()).any(|window| window == bytes).then(|| path.clone())
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

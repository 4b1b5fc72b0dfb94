//! The parts of a service that say how it runs: healthcheck, hooks, logging, dependencies, env files, block devices.

use serde_json::{Map as JsonMap, Value as Json};

use super::record::{Extensions, Field, Form, Reading, extensions, read_or_default, record, write_extensions};
use super::values::{Assignments, Bytes, Command, Duration, HealthTest, MultiOptions, Pairs};
use crate::compose::yaml::Node;

record! {
    /// A healthcheck.
    pub struct HealthCheck {
        /// The test; empty: the image's.
        "test" => test: HealthTest,
        /// How long one attempt may take.
        "timeout" => timeout: Option<Duration>,
        /// The time between attempts.
        "interval" => interval: Option<Duration>,
        /// Failures in a row until unhealthy.
        "retries" => retries: Option<u64>,
        /// The time in which failures do not count.
        "start_period" => start_period: Option<Duration>,
        /// The time between attempts in the start period.
        "start_interval" => start_interval: Option<Duration>,
        /// Switches the image's off.
        "disable" => disable: bool,
    }
}

record! {
    /// A command run in the container at a point of its life.
    pub struct Hook {
        /// The command.
        "command" => command: Command,
        /// The user.
        "user" => user: String,
        /// Extended privileges.
        "privileged" => privileged: bool,
        /// The working directory.
        "working_dir" => working_dir: String,
        /// The environment.
        "environment" => environment: Assignments,
    }
}

record! {
    /// The log driver and its options.
    pub struct Logging {
        /// The driver.
        "driver" => driver: String,
        /// Its options.
        "options" => options: Pairs,
    }
}

record! {
    /// A provider that stands for a service outside of the engine.
    pub struct Provider {
        /// The provider's program.
        "type" => kind: String,
        /// Its options.
        "options" => options: MultiOptions,
    }
}

record! {
    /// How a service uses a language model.
    pub struct ServiceModel {
        /// The variable that gets the endpoint.
        "endpoint_var" => endpoint_var: String,
        /// The variable that gets the model's name.
        "model_var" => model_var: String,
    }
}

record! {
    /// The credential spec of a managed service account (Windows).
    pub struct CredentialSpec {
        /// A config.
        "config" => config: String,
        /// A file.
        "file" => file: String,
        /// A registry value.
        "registry" => registry: String,
    }
}

record! {
    /// Limits of block devices.
    pub struct BlkioConfig {
        /// Relative weight, 10 to 1000.
        "weight" => weight: u16,
        /// Weight per device.
        "weight_device" => weight_device: Vec<WeightDevice>,
        /// Bytes read per second.
        "device_read_bps" => device_read_bps: Vec<ThrottleDevice>,
        /// Reads per second.
        "device_read_iops" => device_read_iops: Vec<ThrottleDevice>,
        /// Bytes written per second.
        "device_write_bps" => device_write_bps: Vec<ThrottleDevice>,
        /// Writes per second.
        "device_write_iops" => device_write_iops: Vec<ThrottleDevice>,
    }
}

/// A device and its weight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeightDevice {
    /// The device.
    pub path: String,
    /// Its weight.
    pub weight: u16,
}

/// A device and its rate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThrottleDevice {
    /// The device.
    pub path: String,
    /// Bytes or operations a second.
    pub rate: Bytes,
}

/// Reads a field of a mapping, by its key.
fn part<T: Field>(node: &Node, key: &str, reading: &mut Reading) -> T {
    node.get(key).map(|node| reading.under(key, |r| read_or_default(node, r))).unwrap_or_default()
}

/// Two fields that docker compose always writes, with capitals in JSON (its types have no JSON names there).
fn pair(names: [&str; 2], values: [Json; 2], form: Form) -> Json {
    let name = |name: &str| match form {
        Form::Json => name.to_owned(),
        Form::Yaml => name.to_ascii_lowercase(),
    };
    Json::Object(names.into_iter().map(name).zip(values).collect())
}

impl Field for WeightDevice {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        Self { path: part(node, "path", reading), weight: part(node, "weight", reading) }
    }

    fn tree(&self, form: Form) -> Json {
        pair(["Path", "Weight"], [self.path.tree(form), self.weight.tree(form)], form)
    }

    fn is_unset(&self, _: Form) -> bool {
        false
    }
}

impl Field for ThrottleDevice {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        Self { path: part(node, "path", reading), rate: part(node, "rate", reading) }
    }

    fn tree(&self, form: Form) -> Json {
        pair(["Path", "Rate"], [self.path.tree(form), self.rate.tree(form)], form)
    }

    fn is_unset(&self, _: Form) -> bool {
        false
    }
}

/// What a dependency waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// The other service has started.
    #[default]
    Started,
    /// It is healthy.
    Healthy,
    /// It has ended with exit code 0.
    CompletedSuccessfully,
}

impl Condition {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "service_started",
            Self::Healthy => "service_healthy",
            Self::CompletedSuccessfully => "service_completed_successfully",
        }
    }
}

/// A dependency on another service.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependency {
    /// What is waited for.
    pub condition: Condition,
    /// Whether a restart of the other restarts this one.
    pub restart: bool,
    /// False: the other may be disabled by its profiles, or fail.
    pub required: bool,
    /// The fields that begin with `x-`.
    pub extensions: Extensions,
}

impl Default for Dependency {
    fn default() -> Self {
        Self { condition: Condition::Started, restart: false, required: true, extensions: Extensions::new() }
    }
}

impl Field for Dependency {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        let condition = match node.get("condition").and_then(Node::as_str) {
            Some("service_healthy") => Condition::Healthy,
            Some("service_completed_successfully") => Condition::CompletedSuccessfully,
            _ => Condition::Started,
        };
        let extensions = node.as_map().map(extensions).unwrap_or_default();
        Self {
            condition,
            restart: part(node, "restart", reading),
            required: part(node, "required", reading),
            extensions,
        }
    }

    fn tree(&self, form: Form) -> Json {
        let mut out = JsonMap::new();
        out.insert("condition".to_owned(), Json::from(self.condition.as_str()));
        if self.restart {
            out.insert("restart".to_owned(), Json::Bool(true));
        }
        out.insert("required".to_owned(), Json::Bool(self.required));
        write_extensions(&mut out, &self.extensions, form);
        Json::Object(out)
    }

    fn is_unset(&self, _: Form) -> bool {
        false
    }
}

/// A file of variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvFile {
    /// The file, absolute.
    pub path: String,
    /// Whether it must exist.
    pub required: bool,
    /// The format; empty for `.env` rules, `raw` for none.
    pub format: String,
}

impl Field for EnvFile {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        Self {
            path: part(node, "path", reading),
            required: part(node, "required", reading),
            format: part(node, "format", reading),
        }
    }

    fn tree(&self, form: Form) -> Json {
        if self.required {
            return Json::from(self.path.as_str());
        }
        let mut out = JsonMap::new();
        if !self.path.is_empty() || form == Form::Yaml {
            out.insert("path".to_owned(), Json::from(self.path.as_str()));
        }
        out.insert("required".to_owned(), Json::Bool(false));
        if !self.format.is_empty() && form == Form::Json {
            out.insert("format".to_owned(), Json::from(self.format.as_str()));
        }
        Json::Object(out)
    }

    fn is_unset(&self, _: Form) -> bool {
        false
    }
}

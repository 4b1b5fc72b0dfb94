//! `deploy`: replicas, resources, restart policy, and the parts that only Swarm reads.

use serde_json::{Map as JsonMap, Value as Json};

use super::record::{Extensions, Field, Form, Reading, extensions, read_or_default, record, write_extensions};
use super::values::{Bytes, Cpus, DeviceCount, Duration, Pairs};
use crate::compose::yaml::Node;

record! {
    /// A service's deployment.
    pub struct Deploy {
        /// `replicated`, `global`, …
        "mode" => mode: String,
        /// How many containers.
        "replicas" => replicas: Option<i64>,
        /// Labels of the (Swarm) service.
        "labels" => labels: Pairs,
        /// How updates go (Swarm).
        "update_config" => update_config: Option<Update>,
        /// How rollbacks go (Swarm).
        "rollback_config" => rollback_config: Option<Update>,
        /// Limits and reservations.
        "resources" => resources: Resources,
        /// When it restarts.
        "restart_policy" => restart_policy: Option<RestartPolicy>,
        /// Where it runs (Swarm).
        "placement" => placement: Placement,
        /// `vip` or `dnsrr` (Swarm).
        "endpoint_mode" => endpoint_mode: String,
    }
}

record! {
    /// How an update or rollback goes.
    pub struct Update {
        /// How many at once.
        "parallelism" => parallelism: Option<u64>,
        /// The time between them.
        "delay" => delay: Duration,
        /// What a failure does.
        "failure_action" => failure_action: String,
        /// How long each is watched.
        "monitor" => monitor: Duration,
        /// The share that may fail.
        "max_failure_ratio" => max_failure_ratio: f32,
        /// `start-first` or `stop-first`.
        "order" => order: String,
    }
}

record! {
    /// Limits and reservations.
    pub struct Resources {
        /// What it may use.
        "limits" => limits: Option<Resource>,
        /// What is kept for it.
        "reservations" => reservations: Option<Resource>,
    }
}

record! {
    /// Amounts of resources.
    pub struct Resource {
        /// Processors.
        "cpus" => cpus: Cpus,
        /// Memory.
        "memory" => memory: Bytes,
        /// Processes.
        "pids" => pids: i64,
        /// Devices (reservations).
        "devices" => devices: Vec<DeviceRequest>,
        /// Resources that the user defined (Swarm).
        "generic_resources" => generic_resources: Vec<GenericResource>,
    }
}

record! {
    /// A request for devices of a driver, such as GPUs.
    pub struct DeviceRequest {
        /// What they must be able to do.
        "capabilities" => capabilities: Vec<String>,
        /// The driver.
        "driver" => driver: String,
        /// How many; −1 for all.
        "count" => count: DeviceCount,
        /// Which ones.
        "device_ids" => device_ids: Vec<String>,
        /// Options of the driver.
        "options" => options: Pairs,
    }
}

record! {
    /// A resource that the user defined.
    pub struct GenericResource {
        /// A counted one.
        "discrete_resource_spec" => discrete_resource_spec: Option<DiscreteResource>,
    }
}

/// A counted resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiscreteResource {
    /// Its kind.
    pub kind: String,
    /// How many.
    pub value: i64,
    /// The fields that begin with `x-`.
    pub extensions: Extensions,
}

impl Field for DiscreteResource {
    fn read(node: &Node, reading: &mut Reading) -> Self {
        let kind = node.get("kind").map(|node| read_or_default(node, reading)).unwrap_or_default();
        let value = node.get("value").map(|node| read_or_default(node, reading)).unwrap_or_default();
        Self { kind, value, extensions: node.as_map().map(extensions).unwrap_or_default() }
    }

    fn tree(&self, form: Form) -> Json {
        let fields = [("kind", self.kind.tree(form)), ("value", self.value.tree(form))];
        let mut out: JsonMap<_, _> = fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        write_extensions(&mut out, &self.extensions, form);
        Json::Object(out)
    }

    fn is_unset(&self, _: Form) -> bool {
        false
    }
}

record! {
    /// When a container is started again.
    pub struct RestartPolicy {
        /// `none`, `on-failure`, `any`.
        "condition" => condition: String,
        /// The time before a restart.
        "delay" => delay: Option<Duration>,
        /// How many restarts.
        "max_attempts" => max_attempts: Option<u64>,
        /// The time in which they count.
        "window" => window: Option<Duration>,
    }
}

record! {
    /// Where containers run (Swarm).
    pub struct Placement {
        /// What a node must have.
        "constraints" => constraints: Vec<String>,
        /// What is preferred.
        "preferences" => preferences: Vec<Preference>,
        /// How many on one node.
        "max_replicas_per_node" => max_replicas_per_node: u64,
    }
}

record! {
    /// A preference of placement.
    pub struct Preference {
        /// The label over whose values containers spread.
        "spread" => spread: String,
    }
}

//! Services written in the manifest itself: which of a service's fields are Compose's and which are ours. Compose's are
//! only named here, so that an editor completes them and a typing error finds its neighbour; `compose` reads them.

use super::service::ServicePolicy;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;

/// The fields under `services.*` that Compose knows.
pub const COMPOSE_FIELDS: [&str; 91] = [
    "annotations",
    "attach",
    "blkio_config",
    "build",
    "cap_add",
    "cap_drop",
    "cgroup",
    "cgroup_parent",
    "command",
    "configs",
    "container_name",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "cpus",
    "cpuset",
    "credential_spec",
    "depends_on",
    "deploy",
    "develop",
    "device_cgroup_rules",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "external_links",
    "extra_hosts",
    "gpus",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "isolation",
    "label_file",
    "labels",
    "links",
    "logging",
    "mac_address",
    "mem_limit",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "models",
    "network_mode",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "ports",
    "post_start",
    "pre_stop",
    "privileged",
    "profiles",
    "provider",
    "pull_policy",
    "read_only",
    "restart",
    "runtime",
    "scale",
    "secrets",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "storage_opt",
    "sysctls",
    "tmpfs",
    "tty",
    "ulimits",
    "use_api_socket",
    "user",
    "userns_mode",
    "uts",
    "volumes",
    "volumes_from",
    "working_dir",
];

/// Whether a field under `services.*` is Compose's.
pub fn is_compose_field(name: &str) -> bool {
    COMPOSE_FIELDS.binary_search(&name).is_ok() || name.starts_with("x-")
}

/// For the schema: a service's policy and, where it is inline, its Compose fields.
pub struct ServiceEntry;

impl JsonSchema for ServiceEntry {
    fn schema_name() -> Cow<'static, str> {
        "Service".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = ServicePolicy::json_schema(generator);
        if let Some(serde_json::Value::Object(properties)) = schema.get_mut("properties") {
            for field in COMPOSE_FIELDS {
                properties.insert(field.to_owned(), serde_json::json!({"description": "As in a Compose file."}));
            }
        }
        schema.insert("patternProperties".to_owned(), serde_json::json!({"^x-": true}));
        schema.insert(
            "description".to_owned(),
            "One service: its policy and, where it is inline, its Compose fields.".into(),
        );
        schema
    }
}

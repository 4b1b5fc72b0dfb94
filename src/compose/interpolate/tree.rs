//! Interpolation of a whole tree, and the fields whose text becomes a number or boolean by it.

use super::interpolate_within;
use crate::compose::path::Path;
use crate::compose::warning::Warnings;
use crate::compose::yaml::{Fault, Faults, Node, Origin, Value};

/// What a text at a path is turned into.
enum Cast {
    Int,
    Float,
    Float32,
    Bool,
}

/// Puts variables into every text of a tree (keys are left), and casts the fields that have a number or boolean.
/// Variables may be no longer than `budget` together, in bytes; gives how long they were.
pub(crate) fn interpolate_tree(
    node: &mut Node,
    lookup: &dyn Fn(&str) -> Option<String>,
    budget: usize,
    faults: &mut Faults,
    warnings: &mut Warnings,
) -> usize {
    let mut walk = Walk { lookup, left: budget, faults, warnings };
    walk.node(node, &Path::root());
    budget - walk.left
}

struct Walk<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    left: usize,
    faults: &'a mut Faults,
    warnings: &'a mut Warnings,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut Node, path: &Path<'_>) {
        match &mut node.value {
            Value::String(_) => self.text(node, path),
            Value::Seq(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.node(item, &path.child(&index.to_string()));
                }
            }
            Value::Map(map) => {
                for (key, entry) in map.iter_mut() {
                    self.node(&mut entry.node, &path.child(key));
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, node: &mut Node, path: &Path<'_>) {
        let Value::String(text) = &mut node.value else {
            return;
        };
        if node.mark == crate::compose::yaml::Mark::Timestamp {
            return;
        }
        if text.contains('$') {
            match interpolate_within(text, self.lookup, &mut self.left) {
                Ok(out) => {
                    *text = out.text;
                    if out.changed {
                        node.origin = Origin::Interpolated;
                    }
                    for name in out.unset {
                        self.warnings.unset(&name, &node.at);
                    }
                }
                Err(error) => {
                    let message = format!("error while interpolating {path}: {error}");
                    self.faults.push(Fault::at(&node.at, message).code("interpolation"));
                    return;
                }
            }
        }
        if let Some(cast) = cast_of(path) {
            match cast_text(text, &cast) {
                Some(value) => node.value = value,
                None => {
                    let message = format!("error while interpolating {path}: failed to cast `{text}` to expected type");
                    self.faults.push(Fault::at(&node.at, message).code("interpolation"));
                }
            }
        }
    }
}

fn cast_text(text: &str, cast: &Cast) -> Option<Value> {
    match cast {
        Cast::Int => text.strip_prefix('+').unwrap_or(text).parse().ok().map(Value::Int),
        Cast::Float => text.parse().ok().map(Value::Float),
        Cast::Float32 => text.parse::<f32>().ok().and_then(|value| value.to_string().parse().ok()).map(Value::Float),
        Cast::Bool => boolean(text).map(Value::Bool),
    }
}

/// A boolean as Compose reads it from a text, the old words of YAML included.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "y" | "yes" | "on" => Some(true),
        "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn cast_of(path: &Path<'_>) -> Option<Cast> {
    let parts = path.parts();
    Some(match parts.as_slice() {
        ["services", _, field] => match *field {
            "cpu_count" | "cpu_period" | "cpu_quota" | "cpu_rt_period" | "cpu_rt_runtime" | "cpu_shares"
            | "oom_score_adj" | "pids_limit" | "scale" => Cast::Int,
            "cpu_percent" => Cast::Float,
            "cpus" => Cast::Float32,
            "init" | "oom_kill_disable" | "privileged" | "read_only" | "stdin_open" | "tty" => Cast::Bool,
            _ => return None,
        },
        ["services", _, "deploy", "replicas"]
        | ["services", _, "deploy", "update_config" | "rollback_config", "parallelism"]
        | ["services", _, "deploy", "restart_policy", "max_attempts"]
        | ["services", _, "deploy", "placement", "max_replicas_per_node"]
        | ["services", _, "healthcheck", "retries"]
        | ["services", _, "ports", _, "target"]
        | ["services", _, "ulimits", _]
        | ["services", _, "ulimits", _, "hard" | "soft"] => Cast::Int,
        ["services", _, "deploy", "update_config" | "rollback_config", "max_failure_ratio"] => Cast::Float,
        ["services", _, "healthcheck", "disable"]
        | ["services", _, "volumes", _, "read_only"]
        | ["services", _, "volumes", _, "volume", "nocopy"]
        | ["networks", _, "external" | "internal" | "attachable" | "enable_ipv4" | "enable_ipv6"]
        | ["volumes" | "secrets" | "configs", _, "external"] => Cast::Bool,
        _ => return None,
    })
}

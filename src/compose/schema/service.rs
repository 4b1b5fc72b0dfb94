//! The fields of a service.

use super::deploy::{DEPLOY, GPUS};
use super::nested::{
    ATTACHMENT, BLKIO, BUILD, COMMAND, DEPENDENCY, DEVELOP, DEVICE, ENV_FILE, EXTRA_HOSTS, FILE_MOUNTS, HEALTHCHECK,
    HOOK, LOGGING, MOUNT, PORT, PROVIDER, SERVICE_MODEL, ULIMITS,
};
use super::rules::*;

/// A service.
pub(super) static SERVICE: Rule = Rule::Object(&fields(&[
    ("develop", DEVELOP),
    ("deploy", DEPLOY),
    ("annotations", PAIRS),
    ("attach", FLAG),
    ("build", BUILD),
    ("blkio_config", BLKIO),
    ("cap_add", UNIQUE_TEXTS),
    ("cap_drop", UNIQUE_TEXTS),
    ("cgroup", Rule::Words(&["host", "private"])),
    ("cgroup_parent", TEXT),
    ("command", COMMAND),
    ("configs", FILE_MOUNTS),
    ("container_name", Rule::Text(container_name, "a container name (letters, digits, '_', '.', '-')")),
    ("cpu_count", Rule::Range(0.0, f64::INFINITY)),
    ("cpu_percent", Rule::Range(0.0, 100.0)),
    ("cpu_shares", NUMBER_OR_TEXT),
    ("cpu_quota", NUMBER_OR_TEXT),
    ("cpu_period", NUMBER_OR_TEXT),
    ("cpu_rt_period", NUMBER_OR_TEXT),
    ("cpu_rt_runtime", NUMBER_OR_TEXT),
    ("cpus", NUMBER_OR_TEXT),
    ("cpuset", TEXT),
    ("credential_spec", Rule::Object(&fields(&[("config", TEXT), ("file", TEXT), ("registry", TEXT)]))),
    ("depends_on", Rule::OneOf(&[UNIQUE_TEXTS, Rule::Dict { key: name, value: &DEPENDENCY, open: false }])),
    ("device_cgroup_rules", UNIQUE_TEXTS),
    ("devices", Rule::List { item: &DEVICE, unique: false }),
    ("dns", TEXT_OR_TEXTS),
    ("dns_opt", UNIQUE_TEXTS),
    ("dns_search", TEXT_OR_TEXTS),
    ("domainname", TEXT),
    ("entrypoint", COMMAND),
    ("env_file", Rule::OneOf(&[TEXT, Rule::List { item: &ENV_FILE, unique: false }])),
    ("label_file", Rule::OneOf(&[TEXT, TEXTS])),
    ("environment", PAIRS),
    ("expose", NUMBERS),
    ("extends", Rule::OneOf(&[TEXT, Rule::Object(&closed(&[("service", TEXT), ("file", TEXT)], &["service"]))])),
    ("provider", PROVIDER),
    ("external_links", UNIQUE_TEXTS),
    ("extra_hosts", EXTRA_HOSTS),
    ("gpus", GPUS),
    ("group_add", NUMBERS),
    ("healthcheck", HEALTHCHECK),
    ("hostname", TEXT),
    ("image", TEXT),
    ("init", FLAG),
    ("ipc", TEXT),
    ("isolation", TEXT),
    ("labels", PAIRS),
    ("links", UNIQUE_TEXTS),
    ("logging", LOGGING),
    ("mac_address", TEXT),
    ("mem_limit", NUMBER_OR_TEXT),
    ("mem_reservation", INT_OR_TEXT),
    ("mem_swappiness", INT_OR_TEXT),
    ("memswap_limit", NUMBER_OR_TEXT),
    ("network_mode", TEXT),
    ("models", Rule::OneOf(&[UNIQUE_TEXTS, Rule::Dict { key: name, value: &SERVICE_MODEL, open: true }])),
    ("networks", Rule::OneOf(&[UNIQUE_TEXTS, Rule::Dict { key: name, value: &ATTACHMENT, open: false }])),
    ("oom_kill_disable", FLAG),
    ("oom_score_adj", Rule::Range(-1000.0, 1000.0)),
    ("pid", Rule::Scalar(&[Kind::Text, Kind::Null])),
    ("pids_limit", NUMBER_OR_TEXT),
    ("platform", TEXT),
    ("ports", Rule::List { item: &PORT, unique: true }),
    ("post_start", Rule::List { item: &HOOK, unique: false }),
    ("pre_stop", Rule::List { item: &HOOK, unique: false }),
    ("privileged", FLAG),
    ("profiles", UNIQUE_TEXTS),
    (
        "pull_policy",
        Rule::Text(
            pull_policy,
            "always, never, build, if_not_present, missing, refresh, daily, weekly or every_<duration>",
        ),
    ),
    ("pull_refresh_after", TEXT),
    ("read_only", FLAG),
    ("restart", TEXT),
    ("runtime", TEXT),
    ("scale", INT_OR_TEXT),
    ("security_opt", UNIQUE_TEXTS),
    ("shm_size", NUMBER_OR_TEXT),
    ("secrets", FILE_MOUNTS),
    ("sysctls", PAIRS),
    ("stdin_open", FLAG),
    ("stop_grace_period", TEXT),
    ("stop_signal", TEXT),
    ("storage_opt", Rule::Dict { key: filled, value: &Rule::Any, open: true }),
    ("tmpfs", TEXT_OR_TEXTS),
    ("tty", FLAG),
    ("ulimits", ULIMITS),
    ("use_api_socket", BOOL),
    ("user", TEXT),
    ("uts", TEXT),
    ("userns_mode", TEXT),
    ("volumes", Rule::List { item: &MOUNT, unique: true }),
    ("volumes_from", UNIQUE_TEXTS),
    ("working_dir", TEXT),
]));

/// The specification's pattern is not anchored: two fitting characters in a row are enough.
fn container_name(text: &str) -> bool {
    let follows = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    text.as_bytes().windows(2).any(|pair| pair[0].is_ascii_alphanumeric() && follows(pair[1]))
}

/// Not anchored either.
fn pull_policy(text: &str) -> bool {
    const WORDS: [&str; 8] = ["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"];
    let every = text.match_indices("every_").any(|(at, word)| {
        let rest = text[at + word.len()..].trim_start_matches(|c: char| c.is_ascii_digit());
        rest.len() < text.len() - at - word.len() && rest.starts_with(['w', 'd', 'h', 'm', 's'])
    });
    every || WORDS.iter().any(|word| text.contains(word))
}

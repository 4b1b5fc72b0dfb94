//! The fields of a service.

use super::deploy::{DEPLOY, GPUS};
use super::rules::*;

const COMMAND: Rule = Rule::OneOf(&[NULL, TEXT, TEXTS]);

const FILE_MOUNT: Rule = Rule::OneOf(&[
    TEXT,
    Rule::Object(&fields(&[
        ("source", TEXT),
        ("target", TEXT),
        ("uid", TEXT),
        ("gid", TEXT),
        ("mode", NUMBER_OR_TEXT),
    ])),
]);
const FILE_MOUNTS: Rule = Rule::List { item: &FILE_MOUNT, unique: false };

const ULIMIT: Rule = Rule::OneOf(&[
    INT_OR_TEXT,
    Rule::Object(&needing(&[("hard", INT_OR_TEXT), ("soft", INT_OR_TEXT)], &["soft", "hard"])),
]);
const ULIMITS: Rule = Rule::Dict { key: lower_case, value: &ULIMIT, open: true };

const EXTRA_HOSTS: Rule =
    Rule::OneOf(&[Rule::Dict { key: filled, value: &Rule::OneOf(&[TEXT, TEXTS]), open: false }, UNIQUE_TEXTS]);

const BUILD: Rule = Rule::OneOf(&[
    TEXT,
    Rule::Object(&fields(&[
        ("context", TEXT),
        ("dockerfile", TEXT),
        ("dockerfile_inline", TEXT),
        ("entitlements", TEXTS),
        ("args", PAIRS),
        ("ssh", PAIRS),
        ("labels", PAIRS),
        ("cache_from", TEXTS),
        ("cache_to", TEXTS),
        ("no_cache", FLAG),
        ("additional_contexts", PAIRS),
        ("network", TEXT),
        ("provenance", FLAG),
        ("sbom", FLAG),
        ("pull", FLAG),
        ("target", TEXT),
        ("shm_size", INT_OR_TEXT),
        ("extra_hosts", EXTRA_HOSTS),
        ("isolation", TEXT),
        ("privileged", FLAG),
        ("secrets", FILE_MOUNTS),
        ("tags", TEXTS),
        ("ulimits", ULIMITS),
        ("platforms", TEXTS),
    ])),
]);

const HOOK: Rule = Rule::Object(&needing(
    &[("command", COMMAND), ("user", TEXT), ("privileged", FLAG), ("working_dir", TEXT), ("environment", PAIRS)],
    &["command"],
));

const TRIGGER: Rule = Rule::Object(&needing(
    &[
        ("ignore", TEXT_OR_TEXTS),
        ("include", TEXT_OR_TEXTS),
        ("path", TEXT),
        ("action", Rule::Words(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"])),
        ("target", TEXT),
        ("exec", HOOK),
        ("initial_sync", BOOL),
    ],
    &["path", "action"],
));

const DEVELOP: Rule =
    Rule::OneOf(&[NULL, Rule::Object(&fields(&[("watch", Rule::List { item: &TRIGGER, unique: false })]))]);

const BLKIO_LIMITS: Rule =
    Rule::List { item: &Rule::Object(&closed(&[("path", TEXT), ("rate", INT_OR_TEXT)], &[])), unique: false };

const BLKIO: Rule = Rule::Object(&closed(
    &[
        ("device_read_bps", BLKIO_LIMITS),
        ("device_read_iops", BLKIO_LIMITS),
        ("device_write_bps", BLKIO_LIMITS),
        ("device_write_iops", BLKIO_LIMITS),
        ("weight", INT_OR_TEXT),
        (
            "weight_device",
            Rule::List { item: &Rule::Object(&closed(&[("path", TEXT), ("weight", INT_OR_TEXT)], &[])), unique: false },
        ),
    ],
    &[],
));

const DEPENDENCY: Rule = Rule::Object(&needing(
    &[
        ("restart", FLAG),
        ("required", BOOL),
        ("condition", Rule::Words(&["service_started", "service_healthy", "service_completed_successfully"])),
    ],
    &["condition"],
));

const ENV_FILE: Rule =
    Rule::OneOf(&[TEXT, Rule::Object(&closed(&[("path", TEXT), ("format", TEXT), ("required", FLAG)], &["path"]))]);

const HEALTHCHECK: Rule = Rule::Object(&fields(&[
    ("disable", FLAG),
    ("interval", TEXT),
    ("retries", NUMBER_OR_TEXT),
    ("test", Rule::OneOf(&[TEXT, TEXTS])),
    ("timeout", TEXT),
    ("start_period", TEXT),
    ("start_interval", TEXT),
]));

const LOGGING: Rule = Rule::Object(&fields(&[
    ("driver", TEXT),
    ("options", Rule::Dict { key: filled, value: &Rule::Scalar(&[Kind::Text, Kind::Number, Kind::Null]), open: true }),
]));

const PROVIDER_OPTION: Rule = Rule::Scalar(&[Kind::Text, Kind::Number, Kind::Bool]);
const PROVIDER: Rule = Rule::Object(&needing(
    &[
        ("type", TEXT),
        (
            "options",
            Rule::Dict {
                key: filled,
                value: &Rule::OneOf(&[PROVIDER_OPTION, Rule::List { item: &PROVIDER_OPTION, unique: false }]),
                open: true,
            },
        ),
    ],
    &["type"],
));

const ATTACHMENT: Rule = Rule::OneOf(&[
    NULL,
    Rule::Object(&fields(&[
        ("aliases", UNIQUE_TEXTS),
        ("interface_name", TEXT),
        ("ipv4_address", TEXT),
        ("ipv6_address", TEXT),
        ("link_local_ips", UNIQUE_TEXTS),
        ("mac_address", TEXT),
        ("driver_opts", OPTIONS),
        ("priority", NUMBER),
        ("gw_priority", NUMBER),
    ])),
]);

const SERVICE_MODEL: Rule = Rule::OneOf(&[NULL, Rule::Object(&fields(&[("endpoint_var", TEXT), ("model_var", TEXT)]))]);

const PORT: Rule = Rule::OneOf(&[
    NUMBER_OR_TEXT,
    Rule::Object(&fields(&[
        ("name", TEXT),
        ("mode", TEXT),
        ("host_ip", TEXT),
        ("target", INT_OR_TEXT),
        ("published", INT_OR_TEXT),
        ("protocol", TEXT),
        ("app_protocol", TEXT),
    ])),
]);

const MOUNT: Rule = Rule::OneOf(&[
    TEXT,
    Rule::Object(&needing(
        &[
            ("type", Rule::Words(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"])),
            ("source", TEXT),
            ("target", TEXT),
            ("read_only", FLAG),
            ("consistency", TEXT),
            (
                "bind",
                Rule::Object(&fields(&[
                    ("propagation", TEXT),
                    ("create_host_path", FLAG),
                    ("recursive", Rule::Words(&["enabled", "disabled", "writable", "readonly"])),
                    ("selinux", Rule::Words(&["z", "Z"])),
                ])),
            ),
            ("volume", Rule::Object(&fields(&[("labels", PAIRS), ("nocopy", FLAG), ("subpath", TEXT)]))),
            ("tmpfs", Rule::Object(&fields(&[("size", Rule::Range(0, i64::MAX)), ("mode", NUMBER_OR_TEXT)]))),
            ("image", Rule::Object(&fields(&[("subpath", TEXT)]))),
        ],
        &["type"],
    )),
]);

const DEVICE: Rule = Rule::OneOf(&[
    TEXT,
    Rule::Object(&needing(&[("source", TEXT), ("target", TEXT), ("permissions", TEXT)], &["source"])),
]);

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
    ("cpu_count", Rule::Range(0, i64::MAX)),
    ("cpu_percent", Rule::Range(0, 100)),
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
    ("oom_score_adj", Rule::Range(-1000, 1000)),
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

fn lower_case(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase())
}

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

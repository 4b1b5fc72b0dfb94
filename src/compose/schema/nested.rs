//! The mappings and lists in a service.

use super::rules::*;

pub(super) const COMMAND: Rule = Rule::OneOf(&[NULL, TEXT, TEXTS]);

pub(super) const FILE_MOUNT: Rule = Rule::OneOf(&[
    TEXT,
    Rule::Object(&fields(&[
        ("source", TEXT),
        ("target", TEXT),
        ("uid", TEXT),
        ("gid", TEXT),
        ("mode", NUMBER_OR_TEXT),
    ])),
]);
pub(super) const FILE_MOUNTS: Rule = Rule::List { item: &FILE_MOUNT, unique: false };

pub(super) const ULIMIT: Rule = Rule::OneOf(&[
    INT_OR_TEXT,
    Rule::Object(&needing(&[("hard", INT_OR_TEXT), ("soft", INT_OR_TEXT)], &["soft", "hard"])),
]);
pub(super) const ULIMITS: Rule = Rule::Dict { key: lower_case, value: &ULIMIT, open: true };

pub(super) const EXTRA_HOSTS: Rule =
    Rule::OneOf(&[Rule::Dict { key: filled, value: &Rule::OneOf(&[TEXT, TEXTS]), open: false }, UNIQUE_TEXTS]);

pub(super) const BUILD: Rule = Rule::OneOf(&[
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

pub(super) const HOOK: Rule = Rule::Object(&needing(
    &[("command", COMMAND), ("user", TEXT), ("privileged", FLAG), ("working_dir", TEXT), ("environment", PAIRS)],
    &["command"],
));

pub(super) const TRIGGER: Rule = Rule::Object(&needing(
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

pub(super) const DEVELOP: Rule =
    Rule::OneOf(&[NULL, Rule::Object(&fields(&[("watch", Rule::List { item: &TRIGGER, unique: false })]))]);

pub(super) const BLKIO_LIMITS: Rule =
    Rule::List { item: &Rule::Object(&closed(&[("path", TEXT), ("rate", INT_OR_TEXT)], &[])), unique: false };

pub(super) const BLKIO: Rule = Rule::Object(&closed(
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

pub(super) const DEPENDENCY: Rule = Rule::Object(&needing(
    &[
        ("restart", FLAG),
        ("required", BOOL),
        ("condition", Rule::Words(&["service_started", "service_healthy", "service_completed_successfully"])),
    ],
    &["condition"],
));

pub(super) const ENV_FILE: Rule =
    Rule::OneOf(&[TEXT, Rule::Object(&closed(&[("path", TEXT), ("format", TEXT), ("required", FLAG)], &["path"]))]);

pub(super) const HEALTHCHECK: Rule = Rule::Object(&fields(&[
    ("disable", FLAG),
    ("interval", TEXT),
    ("retries", NUMBER_OR_TEXT),
    ("test", Rule::OneOf(&[TEXT, TEXTS])),
    ("timeout", TEXT),
    ("start_period", TEXT),
    ("start_interval", TEXT),
]));

pub(super) const LOGGING: Rule = Rule::Object(&fields(&[
    ("driver", TEXT),
    ("options", Rule::Dict { key: filled, value: &Rule::Scalar(&[Kind::Text, Kind::Number, Kind::Null]), open: true }),
]));

pub(super) const PROVIDER_OPTION: Rule = Rule::Scalar(&[Kind::Text, Kind::Number, Kind::Bool]);
pub(super) const PROVIDER: Rule = Rule::Object(&needing(
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

pub(super) const ATTACHMENT: Rule = Rule::OneOf(&[
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

pub(super) const SERVICE_MODEL: Rule =
    Rule::OneOf(&[NULL, Rule::Object(&fields(&[("endpoint_var", TEXT), ("model_var", TEXT)]))]);

pub(super) const PORT: Rule = Rule::OneOf(&[
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

pub(super) const MOUNT: Rule = Rule::OneOf(&[
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
            ("tmpfs", Rule::Object(&fields(&[("size", Rule::Range(0.0, f64::INFINITY)), ("mode", NUMBER_OR_TEXT)]))),
            ("image", Rule::Object(&fields(&[("subpath", TEXT)]))),
        ],
        &["type"],
    )),
]);

pub(super) const DEVICE: Rule = Rule::OneOf(&[
    TEXT,
    Rule::Object(&needing(&[("source", TEXT), ("target", TEXT), ("permissions", TEXT)], &["source"])),
]);

fn lower_case(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase())
}

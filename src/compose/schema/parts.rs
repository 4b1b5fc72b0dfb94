//! The top of a file, and what is in it beside services.

use super::rules::*;
use super::service::SERVICE;

/// A whole file.
pub(super) static FILE: Rule = Rule::Object(&fields(&[
    ("version", TEXT),
    ("name", TEXT),
    ("include", Rule::List { item: &INCLUDE, unique: false }),
    ("services", Rule::Dict { key: name, value: &SERVICE, open: false }),
    ("models", Rule::Dict { key: name, value: &MODEL, open: true }),
    ("networks", Rule::Dict { key: name, value: &NETWORK, open: true }),
    ("volumes", Rule::Dict { key: name, value: &VOLUME, open: false }),
    ("secrets", Rule::Dict { key: name, value: &SECRET, open: false }),
    ("configs", Rule::Dict { key: name, value: &CONFIG, open: false }),
]));

const INCLUDE: Rule = Rule::OneOf(&[
    TEXT,
    Rule::Object(&closed(&[("path", TEXT_OR_TEXTS), ("env_file", TEXT_OR_TEXTS), ("project_directory", TEXT)], &[])),
]);

const EXTERNAL: Rule = Rule::OneOf(&[FLAG, Rule::Object(&fields(&[("name", TEXT)]))]);
const OPEN_EXTERNAL: Rule = Rule::OneOf(&[
    FLAG,
    Rule::Object(&Object { fields: &[("name", TEXT)], required: &[], extensions: true, open: true }),
]);

const TEXT_PAIRS: Rule = Rule::Dict { key: filled, value: &TEXT, open: false };

const IPAM_POOL: Rule =
    Rule::Object(&fields(&[("subnet", TEXT), ("ip_range", TEXT), ("gateway", TEXT), ("aux_addresses", TEXT_PAIRS)]));

const IPAM: Rule = Rule::Object(&fields(&[
    ("driver", TEXT),
    ("config", Rule::List { item: &IPAM_POOL, unique: false }),
    ("options", TEXT_PAIRS),
]));

static NETWORK: Rule = Rule::OneOf(&[
    NULL,
    Rule::Object(&fields(&[
        ("name", TEXT),
        ("driver", TEXT),
        ("driver_opts", OPTIONS),
        ("ipam", IPAM),
        ("external", EXTERNAL),
        ("internal", FLAG),
        ("enable_ipv4", FLAG),
        ("enable_ipv6", FLAG),
        ("attachable", FLAG),
        ("labels", PAIRS),
    ])),
]);

static VOLUME: Rule = Rule::OneOf(&[
    NULL,
    Rule::Object(&fields(&[
        ("name", TEXT),
        ("driver", TEXT),
        ("driver_opts", OPTIONS),
        ("external", EXTERNAL),
        ("labels", PAIRS),
    ])),
]);

static SECRET: Rule = Rule::Object(&fields(&[
    ("name", TEXT),
    ("environment", TEXT),
    ("file", TEXT),
    ("external", OPEN_EXTERNAL),
    ("labels", PAIRS),
    ("driver", TEXT),
    ("driver_opts", OPTIONS),
    ("template_driver", TEXT),
]));

static CONFIG: Rule = Rule::Object(&fields(&[
    ("name", TEXT),
    ("content", TEXT),
    ("environment", TEXT),
    ("file", TEXT),
    ("external", OPEN_EXTERNAL),
    ("labels", PAIRS),
    ("template_driver", TEXT),
]));

static MODEL: Rule = Rule::Object(&needing(
    &[("name", TEXT), ("model", TEXT), ("context_size", INT), ("runtime_flags", TEXTS)],
    &["model"],
));

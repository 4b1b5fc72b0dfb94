//! `deploy`, `gpus` and the devices in them.

use super::rules::*;

const ORDER: Rule = Rule::Words(&["start-first", "stop-first"]);

const UPDATE: Rule = Rule::Object(&fields(&[
    ("parallelism", INT_OR_TEXT),
    ("delay", TEXT),
    ("failure_action", TEXT),
    ("monitor", TEXT),
    ("max_failure_ratio", NUMBER_OR_TEXT),
    ("order", ORDER),
]));

const DEVICE_FIELDS: &[(&str, Rule)] = &[
    ("capabilities", UNIQUE_TEXTS),
    ("count", INT_OR_TEXT),
    ("device_ids", UNIQUE_TEXTS),
    ("driver", TEXT),
    ("options", PAIRS),
];
const DEVICE: Rule = Rule::Object(&needing(DEVICE_FIELDS, &["capabilities"]));
const GPU: Rule = Rule::Object(&Object { fields: DEVICE_FIELDS, required: &[], extensions: true, open: true });

/// The GPUs of a service.
pub(super) const GPUS: Rule = Rule::OneOf(&[Rule::Words(&["all"]), Rule::List { item: &GPU, unique: false }]);

const GENERIC: Rule = Rule::Object(&fields(&[(
    "discrete_resource_spec",
    Rule::Object(&fields(&[("kind", TEXT), ("value", NUMBER_OR_TEXT)])),
)]));

const LIMITS: Rule = Rule::Object(&fields(&[("cpus", NUMBER_OR_TEXT), ("memory", TEXT), ("pids", INT_OR_TEXT)]));

const RESERVATIONS: Rule = Rule::Object(&fields(&[
    ("cpus", NUMBER_OR_TEXT),
    ("memory", TEXT),
    ("generic_resources", Rule::List { item: &GENERIC, unique: false }),
    ("devices", Rule::List { item: &DEVICE, unique: false }),
]));

const RESTART: Rule =
    Rule::Object(&fields(&[("condition", TEXT), ("delay", TEXT), ("max_attempts", INT_OR_TEXT), ("window", TEXT)]));

const PREFERENCE: Rule = Rule::Object(&fields(&[("spread", TEXT)]));

const PLACEMENT: Rule = Rule::Object(&fields(&[
    ("constraints", TEXTS),
    ("preferences", Rule::List { item: &PREFERENCE, unique: false }),
    ("max_replicas_per_node", INT_OR_TEXT),
]));

/// The deployment of a service.
pub(super) const DEPLOY: Rule = Rule::OneOf(&[
    NULL,
    Rule::Object(&fields(&[
        ("mode", TEXT),
        ("endpoint_mode", TEXT),
        ("replicas", INT_OR_TEXT),
        ("labels", PAIRS),
        ("rollback_config", UPDATE),
        ("update_config", UPDATE),
        ("resources", Rule::Object(&fields(&[("limits", LIMITS), ("reservations", RESERVATIONS)]))),
        ("restart_policy", RESTART),
        ("placement", PLACEMENT),
    ])),
]);

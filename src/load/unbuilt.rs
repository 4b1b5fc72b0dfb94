//! What the design has and this version does not: refused by name, never ignored.

/// The name of a manifest field that is not built yet, or `None` for one that does not exist at all.
///
/// `parent` is the path of the mapping that the field is in.
pub fn manifest_field(parent: &[&str], name: &str) -> Option<String> {
    const OF_SPEC: [&str; 5] = ["backups", "monitors", "notify", "edge", "jobs"];
    const OF_ROLLOUT: [&str; 3] = ["before", "after", "requireBackup"];
    const OF_SERVICE: [&str; 1] = ["routes"];
    let inner = match parent {
        ["spec", "defaults", inner @ ..] | ["spec", "services", _, inner @ ..] => Some(inner),
        _ => None,
    };
    match (parent, inner) {
        (["spec"], _) if OF_SPEC.contains(&name) => Some(name.to_owned()),
        (_, Some([])) if OF_SERVICE.contains(&name) => Some(name.to_owned()),
        (_, Some(["rollout"])) if OF_ROLLOUT.contains(&name) => Some(format!("rollout.{name}")),
        _ => None,
    }
}

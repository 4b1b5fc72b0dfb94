//! Which file is meant when none is named.

/// The manifest's own names, before Compose's.
const MANIFESTS: [&str; 2] = ["evenkeel.yaml", "evenkeel.yml"];

/// docker compose's default names, in its order.
const COMPOSE_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// The file that is meant, and the Compose files that lie beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub file: String,
    pub others: Vec<String>,
}

/// Chooses from the names of the files in a folder: `evenkeel.yaml`, else the first of docker compose's default names.
/// `None` when there is neither.
pub fn find_manifest<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Found> {
    let names: std::collections::BTreeSet<&str> = names.into_iter().collect();
    let file = MANIFESTS.iter().chain(&COMPOSE_FILES).find(|name| names.contains(**name))?;
    let others = names.iter().filter(|name| *name != file && looks_like_compose(name));
    Some(Found { file: (*file).to_owned(), others: others.map(|name| (*name).to_owned()).collect() })
}

/// Whether a file's name is one that Compose files have: `compose.yaml`, `docker-compose.production.yml`.
pub fn looks_like_compose(name: &str) -> bool {
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
    let rest = stem.and_then(|stem| stem.strip_prefix("docker-compose").or_else(|| stem.strip_prefix("compose")));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_comes_before_compose_files_and_those_in_composes_order() {
        let found = find_manifest(["compose.yaml", "README.md", "evenkeel.yaml"]).unwrap();
        assert_eq!((found.file.as_str(), found.others), ("evenkeel.yaml", vec!["compose.yaml".to_owned()]));
        let found =
            find_manifest(["docker-compose.yml", "docker-compose.prod.yml", "compose.yml", "composer.yml"]).unwrap();
        assert_eq!(found.file, "compose.yml");
        assert_eq!(found.others, ["docker-compose.prod.yml", "docker-compose.yml"]);
        assert_eq!(find_manifest(["Dockerfile"]), None);
    }
}

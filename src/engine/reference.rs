//! Image references, taken apart as Docker does: which registry, which repository, which tag or digest.

/// What Docker calls its own registry in references, logins and its config.
pub const DOCKER_HUB: &str = "docker.io";

/// The registry's host (with its port) that a reference names; `docker.io` where it names none.
pub fn host(reference: &str) -> &str {
    match reference.split_once('/') {
        // Only a dot, a port or `localhost` makes the first part a host: `library/redis` is on Docker Hub.
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => match host {
            "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
            host => host,
        },
        _ => DOCKER_HUB,
    }
}

/// A reference as the engine's API wants it: name, and tag or digest. The digest wins, as in `docker pull`; without
/// either it is the tag `latest`.
pub fn name_and_tag(reference: &str) -> (&str, &str) {
    let (named, digest) = match reference.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (reference, None),
    };
    // A colon before the last slash is a registry's port.
    let (name, tag) = match named.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (named, "latest"),
    };
    (name, digest.unwrap_or(tag))
}

/// The digest that a reference ends with, `sha256:…`.
pub fn digest(reference: &str) -> Option<&str> {
    reference.split_once('@').map(|(_, digest)| digest)
}

/// Whether it is on this machine: there Docker, and so evenkeel, speaks plain HTTP to a registry.
pub fn is_loopback(host: &str) -> bool {
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_the_first_part_only_when_it_looks_like_one() {
        let cases = [
            ("redis:7", "docker.io"),
            ("library/redis", "docker.io"),
            ("index.docker.io/library/redis", "docker.io"),
            ("ghcr.io/us/core:abc", "ghcr.io"),
            ("localhost/x", "localhost"),
            ("registry:5000/x@sha256:77", "registry:5000"),
        ];
        for (reference, expected) in cases {
            assert_eq!(host(reference), expected, "{reference}");
        }
    }

    #[test]
    fn a_reference_is_taken_apart_as_docker_pull_does() {
        let cases = [
            ("redis", ("redis", "latest")),
            ("redis:7", ("redis", "7")),
            ("localhost:5000/a/b", ("localhost:5000/a/b", "latest")),
            ("localhost:5000/a/b:1", ("localhost:5000/a/b", "1")),
            ("ghcr.io/us/core:abc@sha256:77", ("ghcr.io/us/core", "sha256:77")),
        ];
        for (reference, expected) in cases {
            assert_eq!(name_and_tag(reference), expected);
        }
        assert_eq!(digest("ghcr.io/us/core:abc@sha256:77"), Some("sha256:77"));
        assert_eq!(digest("redis:7"), None);
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:1", "127.1.2.3"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["docker.io", "10.0.0.1:5000", "localhost.example.com", "128.0.0.1"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}

//! What a container's memory comes to, from the kernel's own counters. The engine reads the same ones, but waits for its
//! next round of measuring, up to a second for each question; so it is asked only where the counters are out of sight.

use crate::model::{names::ContainerId, units::Bytes};
use std::{
    fs,
    path::{Component, Path, PathBuf},
};

const HIERARCHIES: &str = "/sys/fs/cgroup";

/// The memory that a container uses now, without the page cache that can be dropped at once. `pid` is that of its first
/// process. `None` where this host is not the engine's, or shows its control groups elsewhere.
pub(super) fn used(pid: u32, container: &ContainerId) -> Option<Bytes> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    counted(&group(&groups, container.as_str(), Path::new(HIERARCHIES))?)
}

/// The folder of the container's group. Only a group named after the container is its own: a number of a process may by
/// now be another's, or that of another namespace.
fn group(groups: &str, container: &str, hierarchies: &Path) -> Option<PathBuf> {
    let (mut unified, mut memory) = (None, None);
    for line in groups.lines() {
        let (_, (controllers, path)) = line.split_once(':').and_then(|(id, rest)| Some((id, rest.split_once(':')?)))?;
        match controllers {
            "" => unified = Some(path),
            _ if controllers.split(',').any(|controller| controller == "memory") => memory = Some(path),
            _ => {}
        }
    }
    let (root, path) = match (memory, unified) {
        (Some(path), _) => (hierarchies.join("memory"), path),
        (None, Some(path)) => (hierarchies.to_owned(), path),
        (None, None) => return None,
    };
    own(Path::new(path), container).map(|path| root.join(path))
}

/// The path down to the container's group: a process may sit deeper, in one that the container made.
fn own(path: &Path, container: &str) -> Option<PathBuf> {
    let mut own = PathBuf::new();
    for part in path.components() {
        match part {
            Component::RootDir => {}
            Component::Normal(name) => {
                own.push(name);
                if !container.is_empty() && name.to_str()?.contains(container) {
                    return Some(own);
                }
            }
            _ => return None,
        }
    }
    None
}

fn counted(group: &Path) -> Option<Bytes> {
    let read = |name: &str| fs::read_to_string(group.join(name)).ok();
    let (usage, droppable) = match read("memory.current") {
        Some(usage) => (usage, "inactive_file"),
        None => (read("memory.usage_in_bytes")?, "total_inactive_file"),
    };
    let stat = read("memory.stat")?;
    let cache = stat.lines().find_map(|line| line.strip_prefix(droppable)?.trim().parse().ok()).unwrap_or(0_u64);
    Some(Bytes(usage.trim().parse::<u64>().ok()?.saturating_sub(cache)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "c0c59ff5845282";

    #[test]
    fn the_group_of_a_container_is_found_in_either_hierarchy() {
        let found = |groups: &str| group(groups, ID, Path::new("/g")).map(|path| path.display().to_string());
        let first = format!("9:name=systemd:/docker/{ID}\n4:cpu,memory:/docker/{ID}\n0::/docker/{ID}\n");
        assert_eq!(found(&first), Some(format!("/g/memory/docker/{ID}")));
        let unified = format!("0::/system.slice/docker-{ID}.scope/init.scope\n");
        assert_eq!(found(&unified), Some(format!("/g/system.slice/docker-{ID}.scope")));
    }

    #[test]
    fn a_group_of_somebody_else_is_not_taken_for_it() {
        for groups in ["0::/system.slice/ssh.service\n", "4:memory:/docker/77\n", "0::/../c0c59ff5845282\n", "", "x"] {
            assert_eq!(group(groups, ID, Path::new("/g")), None, "{groups:?}");
        }
        assert_eq!(own(Path::new("/docker"), ""), None);
    }

    #[test]
    fn cache_that_can_go_is_not_used_memory() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(counted(folder.path()), None);
        write("memory.usage_in_bytes", "100\n");
        write("memory.stat", "inactive_file 10\ntotal_inactive_file 30\n");
        assert_eq!(counted(folder.path()), Some(Bytes(70)));
        write("memory.current", "200\n");
        write("memory.stat", "inactive_file 10\n");
        assert_eq!(counted(folder.path()), Some(Bytes(190)));
    }
}

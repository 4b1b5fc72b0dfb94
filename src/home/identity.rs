//! Which home this is: what the claim of a stack on its engine carries, so that a second home is refused and named.

use std::path::{Path, PathBuf};

/// A home and the machine that it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `EVENKEEL_HOME_ID`, else the path of the state directory as the host has it.
    pub home: String,
    /// `/etc/machine-id`; `None` where there is none, then the engine's own id stands for it.
    pub machine: Option<String>,
}

impl Identity {
    /// Of a state directory on this machine.
    pub(super) fn of(state_dir: &Path) -> Identity {
        let home = std::env::var("EVENKEEL_HOME_ID")
            .ok()
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| on_this_host(state_dir).display().to_string());
        let machine = std::fs::read_to_string("/etc/machine-id").ok().as_deref().and_then(machine_id);
        Identity { home, machine }
    }
}

/// Where a folder of this process is on the host, for the engine to mount.
pub(super) fn on_this_host(folder: &Path) -> PathBuf {
    let path = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let in_container = ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists());
    // On a host with many containers it is long, and slow to read.
    let mounts = || std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    if in_container { on_host(&path, &mounts()) } else { path }
}

fn machine_id(text: &str) -> Option<String> {
    let id = text.trim();
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

/// Where a container's path is on the host, as far as the kernel tells: the folder that is mounted there, seen from the
/// root of its file system. Where that file system is not the host's root this is another path than a process on the
/// host would say; `EVENKEEL_HOME_ID` is for that.
fn on_host(path: &Path, mountinfo: &str) -> PathBuf {
    mountinfo
        .lines()
        .filter_map(|line| {
            // 36 35 98:0 /folder /mount/point rw,noatime shared:1 - ext4 /dev/root rw
            let mut words = line.split(' ').skip(3);
            Some((unescaped(words.next()?), unescaped(words.next()?)))
        })
        .filter_map(|(root, point)| Some((path.strip_prefix(&point).ok()?, root, point)))
        // Of two on one point the later one lies on top.
        .max_by_key(|(_, _, point)| point.components().count())
        .filter(|(_, root, _)| root != Path::new("/"))
        .map_or_else(|| path.to_owned(), |(rest, root, _)| root.join(rest).components().collect())
}

/// The kernel writes spaces, tabs, line ends and backslashes as three octal digits.
fn unescaped(text: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| byte == b'\\').and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 8).ok()
        });
        bytes.push(octal.unwrap_or(byte));
        rest = if octal.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
600 500 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/l
601 600 0:51 / /proc rw - proc proc rw
602 600 8:1 /srv/my\\040state /var/lib/evenkeel rw,relatime - ext4 /dev/sda1 rw
603 600 8:1 /etc/hosts /etc/hosts rw - ext4 /dev/sda1 rw
";

    #[test]
    fn a_mounted_state_directory_is_named_as_on_the_host() {
        assert_eq!(on_host(Path::new("/var/lib/evenkeel"), MOUNTS), Path::new("/srv/my state"));
        assert_eq!(on_host(Path::new("/var/lib/evenkeel/sub"), MOUNTS), Path::new("/srv/my state/sub"));
        assert_eq!(on_host(Path::new("/var/lib/other"), MOUNTS), Path::new("/var/lib/other"));
        assert_eq!(on_host(Path::new("/srv"), ""), Path::new("/srv"));
    }

    #[test]
    fn what_is_no_machine_id_is_none() {
        assert_eq!(
            machine_id("0123456789abcdef0123456789abcdef\n").as_deref(),
            Some("0123456789abcdef0123456789abcdef")
        );
        assert_eq!(machine_id("uninitialized\n"), None);
        assert_eq!(machine_id(""), None);
    }
}

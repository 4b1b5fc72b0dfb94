//! Which home this is: what the claim of a stack on its engine carries, so that a second home is refused and named.

use rustix::fs::{Mode, OFlags, open};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

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
        let machine = fs::read_to_string("/etc/machine-id").ok().as_deref().and_then(machine_id);
        Identity { home, machine }
    }
}

/// Where a folder of this process is on the host, for the engine to mount.
pub(super) fn on_this_host(folder: &Path) -> PathBuf {
    let path = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let in_container = ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists());
    match in_container.then(|| mount_of(&path)).flatten() {
        Some(mount) => on_host(&path, &mount),
        None => path,
    }
}

/// What `/proc/self/mountinfo` says of the mount that a path is on, or would be on.
fn mount_of(path: &Path) -> Option<String> {
    let opened =
        path.ancestors().find_map(|folder| open(folder, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok())?;
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", opened.as_raw_fd())).ok()?;
    let id = info.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim();
    // The table of a host with many containers is long, and the kernel slow to write it: no further than to that line.
    let mounts = BufReader::new(File::open("/proc/self/mountinfo").ok()?);
    mounts.lines().map_while(Result::ok).find(|line| line.split(' ').next() == Some(id))
}

fn machine_id(text: &str) -> Option<String> {
    let id = text.trim();
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

/// Where a container's path is on the host, as far as the kernel tells: the folder that is mounted there, seen from the
/// root of its file system. Where that file system is not the host's root this is another path than a process on the
/// host would say; `EVENKEEL_HOME_ID` is for that.
fn on_host(path: &Path, mount: &str) -> PathBuf {
    // 36 35 98:0 /folder /mount/point rw,noatime shared:1 - ext4 /dev/root rw
    let mut words = mount.split(' ').skip(3).map(unescaped);
    let (root, point) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match path.strip_prefix(point) {
        Ok(rest) if root.is_absolute() && root != Path::new("/") => root.join(rest).components().collect(),
        _ => path.to_owned(),
    }
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

    #[test]
    fn a_mounted_state_directory_is_named_as_on_the_host() {
        let root = "600 500 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/l";
        let mounted = "602 600 8:1 /srv/my\\040state /var/lib/evenkeel rw,relatime - ext4 /dev/sda1 rw";
        assert_eq!(on_host(Path::new("/var/lib/evenkeel"), mounted), Path::new("/srv/my state"));
        assert_eq!(on_host(Path::new("/var/lib/evenkeel/sub"), mounted), Path::new("/srv/my state/sub"));
        assert_eq!(on_host(Path::new("/var/lib/other"), root), Path::new("/var/lib/other"));
        assert_eq!(on_host(Path::new("/srv"), ""), Path::new("/srv"));
    }

    #[test]
    fn the_mount_of_a_path_is_found_though_the_path_is_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let mount = mount_of(folder.path()).unwrap();
        let point = unescaped(mount.split(' ').nth(4).unwrap());
        assert!(folder.path().canonicalize().unwrap().starts_with(point), "{mount}");
        assert_eq!(mount_of(&folder.path().join("not/yet")), Some(mount.clone()));
        assert!(mount_of(Path::new("/proc/self")).unwrap().contains(" /proc "));
        assert_ne!(mount_of(Path::new("/proc/self")), Some(mount));
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

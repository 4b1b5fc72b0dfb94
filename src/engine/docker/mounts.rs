//! Mounts, in both directions. docker compose asks for them in three places, and so do we: `Binds` where an entry of the
//! short form says it all, the map of tmpfs, and `Mounts` for what needs options.

use super::json::{AskedMount, Inspected, MountPoint};
use crate::model::{
    container::{Mount, MountSource},
    names::VolumeName,
    units::Bytes,
};
use bollard::models;
use std::collections::{BTreeMap, HashMap};

/// Where a create request says its mounts.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub binds: Vec<String>,
    pub mounts: Vec<models::Mount>,
    pub tmpfs: HashMap<String, String>,
}

/// What to ask for; an error names the option that the engine does not know.
pub(super) fn asked(mounts: &BTreeMap<String, Mount>) -> Result<Asked, String> {
    let mut asked = Asked::default();
    for (target, mount) in mounts {
        match &mount.source {
            // The short form has no place for the other options of a bind.
            MountSource::Bind(path)
                if mount.create_host_path && mount.propagation.is_none() && mount.recursive.is_none() =>
            {
                asked.binds.push(bind(path, target, mount));
            }
            MountSource::Volume(name) if mount.subpath.is_none() && !mount.no_copy => {
                asked.binds.push(bind(name.as_str(), target, mount));
            }
            MountSource::Tmpfs if mount.tmpfs_options.is_some() => {
                asked.tmpfs.insert(target.clone(), mount.tmpfs_options.clone().unwrap_or_default());
            }
            _ => asked.mounts.push(with_options(target, mount)?),
        }
    }
    Ok(asked)
}

/// The mounts of an inspected container: what is mounted, and the options that were asked for. Those that came with
/// `volumes_from` are the other container's and not listed.
pub(super) fn observed(from: &Inspected) -> BTreeMap<String, Mount> {
    let host = &from.host_config;
    let binds: BTreeMap<&str, &str> = host.binds.iter().filter_map(|bind| target_and_options(bind)).collect();
    let asked: BTreeMap<&str, &AskedMount> = host.mounts.iter().map(|mount| (mount.target.as_str(), mount)).collect();
    let own = |point: &&MountPoint| {
        let target = point.destination.as_str();
        host.volumes_from.is_empty()
            || binds.contains_key(target)
            || asked.contains_key(target)
            || from.config.volumes.contains_key(target)
    };
    let mut mounts = BTreeMap::new();
    for point in from.mounts.iter().filter(own) {
        let target = point.destination.as_str();
        let mut mount = Mount { read_only: !point.rw, ..Mount::of(source(point)) };
        if let Some(options) = binds.get(target) {
            mount.create_host_path = matches!(mount.source, MountSource::Bind(_));
            read_short_options(options, &mut mount);
        }
        if let Some(asked) = asked.get(target) {
            read_options(asked, &mut mount);
        }
        mounts.insert(target.to_owned(), mount);
    }
    // Older engines do not list every tmpfs among what is mounted.
    for asked in host.mounts.iter().filter(|mount| mount.r#type == "tmpfs") {
        mounts.entry(asked.target.clone()).or_insert_with(|| {
            let mut mount = Mount { read_only: asked.read_only, ..Mount::of(MountSource::Tmpfs) };
            read_options(asked, &mut mount);
            mount
        });
    }
    for (target, options) in &host.tmpfs {
        let tmpfs_options = Some(options.clone());
        mounts.insert(target.clone(), Mount { tmpfs_options, ..Mount::of(MountSource::Tmpfs) });
    }
    mounts
}

/// `source:target:rw,…`, as docker compose writes it.
fn bind(source: &str, target: &str, mount: &Mount) -> String {
    let mut options = vec![if mount.read_only { "ro" } else { "rw" }];
    options.extend(mount.selinux.as_deref());
    format!("{source}:{target}:{}", options.join(","))
}

fn with_options(target: &str, mount: &Mount) -> Result<models::Mount, String> {
    let (kind, source) = match &mount.source {
        MountSource::Bind(path) => (models::MountType::BIND, Some(path.clone())),
        MountSource::Volume(name) => (models::MountType::VOLUME, Some(name.to_string())),
        MountSource::Anonymous(name) => (models::MountType::VOLUME, name.as_ref().map(VolumeName::to_string)),
        MountSource::Tmpfs => (models::MountType::TMPFS, None),
        MountSource::Image(reference) => (models::MountType::IMAGE, Some(reference.clone())),
        MountSource::Pipe(path) => (models::MountType::NPIPE, Some(path.clone())),
    };
    let propagation = mount.propagation.as_deref().map(super::create::word).transpose()?;
    let recursive = |word: &str| (mount.recursive.as_deref() == Some(word)).then_some(true);
    let bind_options = matches!(mount.source, MountSource::Bind(_)).then(|| models::MountBindOptions {
        propagation,
        create_mountpoint: mount.create_host_path.then_some(true),
        non_recursive: recursive("disabled"),
        read_only_non_recursive: recursive("writable"),
        read_only_force_recursive: recursive("readonly"),
    });
    let image_options = (matches!(mount.source, MountSource::Image(_)) && mount.subpath.is_some())
        .then(|| models::MountImageOptions { subpath: mount.subpath.clone() });
    let of_volume = matches!(mount.source, MountSource::Volume(_) | MountSource::Anonymous(_));
    let volume_options =
        (of_volume && (mount.no_copy || mount.subpath.is_some())).then(|| models::MountVolumeOptions {
            no_copy: mount.no_copy.then_some(true),
            subpath: mount.subpath.clone(),
            ..Default::default()
        });
    let is_tmpfs = mount.tmpfs_size.is_some() || mount.tmpfs_mode.is_some();
    let tmpfs_options = is_tmpfs.then(|| models::MountTmpfsOptions {
        size_bytes: mount.tmpfs_size.map(|size| super::create::signed(size.0)),
        mode: mount.tmpfs_mode.map(i64::from),
        ..Default::default()
    });
    Ok(models::Mount {
        target: Some(target.to_owned()),
        source,
        typ: Some(kind),
        read_only: mount.read_only.then_some(true),
        bind_options,
        image_options,
        volume_options,
        tmpfs_options,
        ..Default::default()
    })
}

fn source(point: &MountPoint) -> MountSource {
    match point.r#type.as_str() {
        "volume" if is_anonymous(&point.name) => MountSource::Anonymous(Some(VolumeName::new(&point.name))),
        "volume" | "cluster" => MountSource::Volume(VolumeName::new(&point.name)),
        "tmpfs" => MountSource::Tmpfs,
        "image" => MountSource::Image(point.name.clone()),
        "npipe" => MountSource::Pipe(point.source.clone()),
        _ => MountSource::Bind(point.source.clone()),
    }
}

/// The engine names a volume that it was given no name for with 64 hex digits.
fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn read_options(asked: &AskedMount, mount: &mut Mount) {
    let set = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    match asked.r#type.as_str() {
        "bind" => {
            mount.propagation = set(&asked.bind_options.propagation);
            mount.create_host_path = asked.bind_options.create_mountpoint;
            let options = &asked.bind_options;
            let recursive = [
                (options.non_recursive, "disabled"),
                (options.read_only_non_recursive, "writable"),
                (options.read_only_force_recursive, "readonly"),
            ];
            mount.recursive = recursive.into_iter().find(|(is, _)| *is).map(|(_, word)| word.to_owned());
        }
        "volume" => {
            mount.no_copy = asked.volume_options.no_copy;
            mount.subpath = set(&asked.volume_options.subpath);
        }
        "image" => {
            // As it was asked for: what is mounted may be said by its id.
            mount.source = MountSource::Image(asked.source.clone());
            mount.subpath = set(&asked.image_options.subpath);
        }
        "tmpfs" => {
            let options = &asked.tmpfs_options;
            mount.tmpfs_size = u64::try_from(options.size_bytes).ok().filter(|size| *size > 0).map(Bytes);
            mount.tmpfs_mode = (options.mode > 0).then_some(options.mode);
        }
        _ => {}
    }
}

fn read_short_options(options: &str, mount: &mut Mount) {
    for option in options.split(',') {
        match option {
            "z" | "Z" => mount.selinux = Some(option.to_owned()),
            "nocopy" => mount.no_copy = true,
            "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave" => {
                mount.propagation = Some(option.to_owned());
            }
            _ => {}
        }
    }
}

/// Target and options of `source:target[:options]`.
fn target_and_options(bind: &str) -> Option<(&str, &str)> {
    let (_, rest) = bind.split_once(':')?;
    Some(rest.split_once(':').unwrap_or((rest, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(kind: &str, name: &str, source: &str, target: &str) -> serde_json::Value {
        serde_json::json!({"Type": kind, "Name": name, "Source": source, "Destination": target, "RW": true})
    }

    #[test]
    fn what_came_with_volumes_from_is_not_its_own() {
        let mounts = |volumes_from: &[&str]| {
            let from = serde_json::from_value(serde_json::json!({
                "HostConfig": {"Binds": ["data:/data:rw"], "VolumesFrom": volumes_from},
                "Config": {"Volumes": {"/image": {}}},
                "Mounts": [
                    point("volume", "data", "/v/data", "/data"),
                    point("volume", &"a".repeat(64), "/v/a", "/image"),
                    point("volume", "theirs", "/v/theirs", "/theirs"),
                ],
            }));
            observed(&from.unwrap()).into_keys().collect::<Vec<_>>()
        };
        assert_eq!(mounts(&[]), ["/data", "/image", "/theirs"]);
        assert_eq!(mounts(&["other"]), ["/data", "/image"]);
    }

    #[test]
    fn only_a_bind_that_makes_its_folder_is_written_in_short_form() {
        let bind = Mount::of(MountSource::Bind("/srv".into()));
        let makes = Mount { create_host_path: true, read_only: true, selinux: Some("z".into()), ..bind.clone() };
        let asked = asked(&[("/a".to_owned(), bind), ("/b".to_owned(), makes)].into()).unwrap();
        assert_eq!(asked.binds, ["/srv:/b:ro,z"]);
        assert_eq!(asked.mounts[0].target.as_deref(), Some("/a"));
    }
}

//! The steps of a course. Names in them are short; each engine sees them with the test's own prefix.

use evenkeel::model::{
    container::{Attachment, ContainerSpec, HostPort, Limits, Mount, MountSource, NetworkMode, RestartPolicy},
    names::{ContainerId, NetworkName, VolumeName},
    observed::{Health, Status},
    units::Bytes,
    value::Value,
};

/// One step.
#[derive(Clone, Debug)]
pub enum Operation {
    CreateNetwork(&'static str, Option<&'static str>),
    RemoveNetwork(&'static str),
    /// With a label.
    CreateVolume(&'static str, &'static str),
    RemoveVolume(&'static str),
    Create(&'static str, Box<ContainerSpec>),
    /// From an image that is not there.
    CreateFromNothing(&'static str),
    Connect(&'static str, &'static str),
    Start(&'static str),
    Unpause(&'static str),
    /// Starts one that will not stay so; nothing is compared after it.
    Begin(&'static str),
    /// With a grace in seconds.
    Stop(&'static str, u64),
    /// By force, and with its volumes.
    Remove(&'static str, bool, bool),
    Rename(&'static str, &'static str),
    Update(&'static str, Box<Limits>, Option<RestartPolicy>),
    Exec(&'static str, &'static [&'static str]),
    /// A file with this content, at this path.
    Put(&'static str, &'static str, &'static str),
    Log(&'static str),
    Tag(&'static str, &'static str),
    Untag(&'static str),
    /// By hand, past evenkeel.
    Kill(&'static str),
    Pause(&'static str),
    Restart(&'static str),
    Disconnect(&'static str, &'static str),
    /// The new content of the host's file `app.conf`, as an editor writes it: a new file under the old name.
    Write(&'static str),
    RestartEngine,
    /// Waits until a container is so; nothing is compared after it.
    Await(&'static str, Until),
}

/// What a course waits for.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    Status(Status),
    Health(Health),
    /// The engine has started it again so often.
    Restarts(u32),
}

/// A web server that runs until it is asked to stop.
pub fn web() -> ContainerSpec {
    let network_mode = NetworkMode::Bridge;
    ContainerSpec { image: crate::support::IMAGE.into(), network_mode, ..ContainerSpec::default() }
}

/// One whose image declares a volume.
pub fn with_image_volume() -> ContainerSpec {
    ContainerSpec { image: "evenkeel-test/web:volume".into(), ..web() }
}

/// A shell script, and the behaviour that stands for it on the simulated engine.
pub fn script(text: &str, behaviour: &str) -> ContainerSpec {
    let mut spec = web();
    spec.command = Some(["/bin/sh", "-c", text].map(Value::plain).into());
    spec.environment.insert("SIMULATE".into(), Value::plain(behaviour));
    spec
}

pub fn restarts(spec: ContainerSpec, restart: RestartPolicy) -> ContainerSpec {
    ContainerSpec { restart, ..spec }
}

pub fn on(network: &str, address: Option<&str>) -> ContainerSpec {
    let attachment = Attachment { ipv4: address.map(str::to_owned), ..Attachment::default() };
    let networks = [(NetworkName::from(network), attachment)].into_iter().collect();
    ContainerSpec { networks, network_mode: NetworkMode::Networks, ..web() }
}

pub fn shares(parent: &str) -> ContainerSpec {
    // No second server on the parent's port.
    let network_mode = NetworkMode::Container(ContainerId::from(parent));
    ContainerSpec { network_mode, ..script("sleep 10000", "stop=never") }
}

pub fn mounts(source: MountSource) -> ContainerSpec {
    ContainerSpec { mounts: [("/data".to_owned(), Mount::of(source))].into(), ..web() }
}

pub fn volume(name: &str) -> ContainerSpec {
    mounts(MountSource::Volume(VolumeName::from(name)))
}

pub fn publishes(address: &str, port: &str) -> ContainerSpec {
    let on = HostPort { address: address.into(), port: port.into() };
    ContainerSpec { ports: [("8080/tcp".to_owned(), vec![on])].into(), ..web() }
}

pub fn limited(limits: Limits) -> ContainerSpec {
    ContainerSpec { limits, ..web() }
}

pub fn memory(mebibytes: u64, swap: Option<i64>) -> Limits {
    Limits { memory: Some(Bytes::mebi(mebibytes)), memory_swap: swap.map(|swap| swap << 20), ..Limits::default() }
}

/// A spec with its names made the test's own.
pub fn prefixed(spec: &ContainerSpec, prefix: &str, folder: &str) -> ContainerSpec {
    let mut spec = spec.clone();
    spec.networks = std::mem::take(&mut spec.networks)
        .into_iter()
        .map(|(name, attachment)| (NetworkName::new(format!("{prefix}{name}")), attachment))
        .collect();
    for mount in spec.mounts.values_mut() {
        match &mut mount.source {
            MountSource::Volume(name) => *name = VolumeName::new(format!("{prefix}{name}")),
            MountSource::Bind(path) => *path = format!("{folder}{path}"),
            _ => {}
        }
    }
    if let NetworkMode::Container(parent) = &spec.network_mode {
        spec.network_mode = NetworkMode::Container(ContainerId::new(format!("{prefix}{parent}")));
    }
    for source in &mut spec.volumes_from {
        *source = format!("{prefix}{source}");
    }
    spec
}

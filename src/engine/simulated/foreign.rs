//! What somebody else does to the engine, past evenkeel: a colleague with `docker`, the kernel, another tool.

use super::{
    no::Answer,
    world::{Key, World},
};
use crate::model::{
    container::{Attachment, ContainerSpec, Limits, RestartPolicy},
    names::{ContainerName, ImageReference, NetworkName, VolumeName},
};

/// One action of somebody else; it takes no time and asks for no faults.
#[derive(Clone, Debug, PartialEq)]
pub enum Foreign {
    /// `docker create --name`: makes a container from an image that is here, and does not start it.
    Create(ContainerName, Box<ContainerSpec>),
    /// `docker run -d --name`: makes and starts a container from an image that is here.
    Run(ContainerName, Box<ContainerSpec>),
    /// `docker start`.
    Start(ContainerName),
    /// `docker stop`, done at once.
    Stop(ContainerName),
    /// `docker kill`: the restart policy does not act.
    Kill(ContainerName),
    /// `docker pause`.
    Pause(ContainerName),
    /// `docker unpause`.
    Unpause(ContainerName),
    /// Its process dies with this code: the restart policy acts.
    Die(ContainerName, i64),
    /// The kernel kills it for its memory.
    OutOfMemory(ContainerName),
    /// `docker restart`.
    Restart(ContainerName),
    /// `docker rm -f`, with `-v`.
    Remove(ContainerName, bool),
    /// `docker rename`.
    Rename(ContainerName, ContainerName),
    /// `docker update`.
    Update(ContainerName, Box<Limits>, Option<RestartPolicy>),
    /// `docker network connect`.
    Connect(ContainerName, NetworkName),
    /// `docker network disconnect`.
    Disconnect(ContainerName, NetworkName),
    /// `docker network rm`.
    RemoveNetwork(NetworkName),
    /// `docker volume rm`.
    RemoveVolume(VolumeName),
    /// `docker tag`: the second reference now names the image of the first.
    Tag(ImageReference, ImageReference),
    /// Another process takes a port of the host on every address (`tcp`).
    TakePort(u16),
    /// The new content of a file on the host.
    Write(String, String),
}

impl World {
    /// Does it; an `Err` says why not, and nothing happened then.
    pub fn meddle(&mut self, action: &Foreign) -> Answer<()> {
        match action {
            Foreign::Create(name, spec) => self.create_for(name, spec).map(|_| ()),
            Foreign::Run(name, spec) => {
                let key = self.create_for(name, spec)?;
                self.start(key)
            }
            Foreign::Start(name) => self.start(self.key(name.as_str())?),
            Foreign::Stop(name) => self.stop_at_once(name),
            Foreign::Kill(name) => self.kill(self.key(name.as_str())?),
            Foreign::Pause(name) => self.pause(self.key(name.as_str())?),
            Foreign::Unpause(name) => self.unpause(self.key(name.as_str())?),
            Foreign::Die(name, code) => self.die(self.key(name.as_str())?, *code, false),
            Foreign::OutOfMemory(name) => self.die(self.key(name.as_str())?, 137, true),
            Foreign::Restart(name) => {
                self.stop_at_once(name)?;
                self.start(self.key(name.as_str())?)
            }
            Foreign::Remove(name, volumes) => self.remove(self.key(name.as_str())?, true, *volumes),
            Foreign::Rename(name, to) => self.rename(self.key(name.as_str())?, to),
            Foreign::Update(name, limits, restart) => self.update(self.key(name.as_str())?, limits, *restart),
            Foreign::Connect(name, network) => self.connect(self.key(name.as_str())?, network, &Attachment::default()),
            Foreign::Disconnect(name, network) => self.disconnect(self.key(name.as_str())?, network),
            Foreign::RemoveNetwork(name) => self.remove_network(name),
            Foreign::RemoveVolume(name) => self.remove_volume(name),
            Foreign::Tag(from, to) => {
                let image = self.image(from.as_str()).map(|image| image.id);
                self.tag(&image.unwrap_or_default(), to)
            }
            Foreign::TakePort(port) => {
                self.foreign_ports.insert((*port, "tcp".to_owned(), String::new()));
                Ok(())
            }
            Foreign::Write(path, content) => {
                self.missing_paths.remove(path);
                self.files.insert(path.clone(), content.clone());
                Ok(())
            }
        }
    }

    fn create_for(&mut self, name: &ContainerName, spec: &ContainerSpec) -> Answer<Key> {
        let image = self.image(spec.image.as_str()).map(|image| image.id);
        Ok(self.create(name, &image.unwrap_or_default(), spec)?.0)
    }

    fn stop_at_once(&mut self, name: &ContainerName) -> Answer<()> {
        let key = self.key(name.as_str())?;
        if self.begin_stop(key, None)?.is_some() {
            self.end_now(key);
        }
        Ok(())
    }
}

//! Simulated volumes and images.

use super::{
    behaviour::Behaviour,
    networks::texts,
    no::{Answer, No},
    world::{RegistryImage, SimulatedImage, SimulatedVolume, World},
};
use crate::{
    engine::LocalImage,
    model::{
        desired::{Login, Volume},
        image::ImageConfig,
        names::{ImageId, ImageReference, VolumeName},
        observed::ObservedVolume,
        units::Bytes,
    },
};
use std::collections::BTreeSet;

impl World {
    /// Get-or-create: an existing volume answers as it is, whatever was asked for.
    pub fn create_volume(&mut self, name: &VolumeName, volume: &Volume) -> Answer<ObservedVolume> {
        let mut definition = volume.definition.clone();
        let driver = definition.driver.get_or_insert_with(|| "local".to_owned()).clone();
        if driver != "local" {
            return Err(No::missing(format!(
                "create {name}: error looking up volume plugin {driver}: plugin \"{driver}\" not found"
            )));
        }
        self.volumes.entry(name.clone()).or_insert_with(|| SimulatedVolume {
            definition,
            labels: texts(&volume.labels),
            users: BTreeSet::new(),
        });
        self.observed_volume(name).ok_or_else(|| No::missing(format!("get {name}: no such volume")))
    }

    /// Removes a volume that no container has.
    pub fn remove_volume(&mut self, name: &VolumeName) -> Answer<()> {
        match self.volumes.get(name) {
            None => Err(No::missing(format!("get {name}: no such volume"))),
            Some(volume) if !volume.users.is_empty() => {
                let users: Vec<&str> = volume
                    .users
                    .iter()
                    .filter_map(|key| self.containers.get(key))
                    .map(|container| container.id.as_str())
                    .collect();
                Err(No::conflict(format!("remove {name}: volume is in use - [{}]", users.join(", "))))
            }
            Some(volume) => {
                let labels = volume.labels.clone();
                self.volumes.remove(name);
                self.tell_of_thing(&labels, format!("destroy {name}"));
                Ok(())
            }
        }
    }

    /// One volume.
    pub fn observed_volume(&self, name: &VolumeName) -> Option<ObservedVolume> {
        self.volumes.get(name).map(|volume| ObservedVolume {
            name: name.clone(),
            definition: volume.definition.clone(),
            labels: volume.labels.clone(),
        })
    }

    /// Puts an image on the engine under a reference, which another one may have had before.
    pub fn add_image(&mut self, reference: &ImageReference, config: ImageConfig, behaviour: Behaviour) -> ImageId {
        let id = ImageId::new(format!("sha256:{}", self.draw_id("image")));
        self.images.insert(id.clone(), SimulatedImage { config, behaviour, digests: Vec::new(), users: 0 });
        self.tags.insert(with_tag(reference), id.clone());
        id
    }

    /// The image of a reference, an id, the beginning of an id, or `repository@digest`.
    pub fn image(&self, reference: &str) -> Option<LocalImage> {
        let id = self.image_id(reference)?;
        let image = self.images.get(&id)?;
        Some(LocalImage {
            digests: image.digests.clone(),
            tags: self.tags.iter().filter(|(_, named)| **named == id).map(|(tag, _)| tag.clone()).collect(),
            tagged: None,
            config: image.config.clone(),
            id,
        })
    }

    fn image_id(&self, reference: &str) -> Option<ImageId> {
        if let Some(id) = self.tags.get(&with_tag(&ImageReference::from(reference))) {
            return Some(id.clone());
        }
        let id = ImageId::from(reference);
        if self.images.contains_key(&id) {
            return Some(id);
        }
        if let Some((repository, digest)) = reference.split_once('@') {
            let wanted = format!("{}@{digest}", without_tag(repository));
            let found = self.images.iter().find(|(_, image)| image.digests.contains(&wanted));
            return found.map(|(id, _)| id.clone());
        }
        let is_hex = |text: &str| text.len() >= 12 && text.chars().all(|letter| letter.is_ascii_hexdigit());
        let hex = reference.trim_start_matches("sha256:");
        let starts = |id: &&ImageId| id.as_str().trim_start_matches("sha256:").starts_with(hex);
        if is_hex(hex) { self.images.keys().find(starts).cloned() } else { None }
    }

    /// What a pull transfers; the image is there afterwards.
    pub fn pull(&mut self, reference: &ImageReference, login: Option<&Login>) -> Answer<Bytes> {
        let tag = with_tag(reference);
        let Some(image) = self.published(&tag).cloned() else {
            return Err(No::missing(format!("manifest for {tag} not found: manifest unknown: manifest unknown")));
        };
        if image.login.is_some() && image.login.as_ref() != login {
            return Err(No::refused(format!("pull access denied for {tag}: unauthorized: authentication required")));
        }
        let digest = format!("{}@{}", without_tag(tag.as_str()), image.digest);
        let here = self.images.entry(image.id.clone()).or_insert_with(|| SimulatedImage {
            config: image.config.clone(),
            behaviour: image.behaviour.clone(),
            digests: Vec::new(),
            users: 0,
        });
        if !here.digests.contains(&digest) {
            here.digests.push(digest);
        }
        if !tag.as_str().contains('@') {
            self.tags.insert(tag, image.id);
        }
        Ok(image.size)
    }

    /// What a registry has under a tag, or under the digest of any of its tags.
    fn published(&self, reference: &ImageReference) -> Option<&RegistryImage> {
        let Some((repository, digest)) = reference.as_str().split_once('@') else {
            return self.registry.get(reference);
        };
        let of_it = |tag: &ImageReference| without_tag(tag.as_str()) == without_tag(repository);
        self.registry.iter().find(|(tag, image)| of_it(tag) && image.digest == digest).map(|(_, image)| image)
    }

    /// Gives an image one more tag; the tag's old image loses it.
    pub fn tag(&mut self, image: &ImageId, tag: &ImageReference) -> Answer<()> {
        if !self.images.contains_key(image) {
            return Err(No::missing(format!("No such image: {image}")));
        }
        self.tags.insert(with_tag(tag), image.clone());
        Ok(())
    }

    /// Takes a tag away; not the last one of an image that a container was made from.
    pub fn untag(&mut self, tag: &ImageReference) -> Answer<()> {
        let tag = with_tag(tag);
        let Some(id) = self.tags.get(&tag).cloned() else {
            return Err(No::missing(format!("No such image: {tag}")));
        };
        let last = self.tags.values().filter(|named| **named == id).count() == 1;
        let used = self.images.get(&id).is_some_and(|image| image.users > 0);
        if last && used {
            return Err(No::conflict(format!(
                "conflict: unable to remove repository reference \"{tag}\" (must force) - a container is using its \
                 referenced image {}",
                id.short()
            )));
        }
        self.tags.remove(&tag);
        if last {
            self.images.remove(&id);
        }
        Ok(())
    }
}

/// A reference with the tag that silence means.
pub(super) fn with_tag(reference: &ImageReference) -> ImageReference {
    let text = reference.as_str();
    let name = text.rsplit('/').next().unwrap_or(text);
    if name.contains(':') || name.contains('@') {
        reference.clone()
    } else {
        ImageReference::new(format!("{text}:latest"))
    }
}

/// A reference's repository.
fn without_tag(reference: &str) -> &str {
    let start = reference.rfind('/').map_or(0, |slash| slash + 1);
    let end = reference[start..].find([':', '@']).map_or(reference.len(), |colon| start + colon);
    &reference[..end]
}

//! Volumes.

use super::{CHANGE, DockerEngine};
use crate::{
    engine::{EngineResult, Volumes},
    model::{
        desired::{Volume, VolumeDefinition},
        names::VolumeName,
        observed::ObservedVolume,
        value::Value,
    },
};
use async_trait::async_trait;
use bollard::{models, query_parameters::RemoveVolumeOptions};
use std::collections::{BTreeMap, HashMap};

#[async_trait]
impl Volumes for DockerEngine {
    async fn list_volumes(&self) -> EngineResult<Vec<ObservedVolume>> {
        let listed: models::VolumeListResponse = self.read("list", "volumes", "/volumes").await?;
        let mut volumes: Vec<ObservedVolume> = listed.volumes.unwrap_or_default().into_iter().map(observed).collect();
        volumes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(volumes)
    }

    async fn create_volume(&self, name: &VolumeName, volume: &Volume) -> EngineResult<ObservedVolume> {
        let request = models::VolumeCreateRequest {
            name: Some(name.to_string()),
            driver: volume.definition.driver.clone(),
            driver_opts: Some(revealed(&volume.definition.options)).filter(|options| !options.is_empty()),
            labels: Some(revealed(&volume.labels)),
            ..Default::default()
        };
        self.call("create volume", name, CHANGE, self.docker.create_volume(request)).await.map(observed)
    }

    async fn remove_volume(&self, name: &VolumeName) -> EngineResult<()> {
        let removed = self.docker.remove_volume(name.as_str(), None::<RemoveVolumeOptions>);
        self.call("remove volume", name, CHANGE, removed).await
    }
}

fn observed(from: models::Volume) -> ObservedVolume {
    ObservedVolume {
        name: VolumeName::new(from.name),
        definition: VolumeDefinition {
            driver: Some(from.driver).filter(|driver| !driver.is_empty()),
            options: from.options.into_iter().map(|(name, option)| (name, Value::plain(option))).collect(),
        },
        labels: from.labels.into_iter().collect(),
    }
}

fn revealed(entries: &BTreeMap<String, Value>) -> HashMap<String, String> {
    entries.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect()
}

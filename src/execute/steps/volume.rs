//! Making and removing volumes. The engine's create is get-or-create and answers well with somebody else's volume, so the
//! answer is compared with what was asked.

use super::super::{
    stage::{Stage, StepError, failed},
    tell::target,
};
use crate::{
    engine::ErrorKind,
    model::{desired::Volume, names::VolumeName, observed::ObservedVolume, step::Step, value::Value},
};

/// The driver that an absent one means.
const DRIVER: &str = "local";

/// Makes a volume.
pub(super) async fn create(stage: &Stage<'_>, step: &Step, volume: &Volume) -> Result<(), StepError> {
    let name = VolumeName::new(target(step));
    let mut asked = volume.clone();
    for value in asked.labels.values_mut().chain(asked.definition.options.values_mut()) {
        let revealed = stage.effects.secrets.reveal(value);
        *value = revealed.ok_or_else(|| failed(format!("a sensitive value of the volume `{name}` is unknown")))?;
    }
    let made = stage.effects.engine.create_volume(&name, &asked).await?;
    match difference(&asked, &made) {
        None => Ok(()),
        Some(what) => Err(failed(format!(
            "changed by somebody else: the volume `{name}` was there already, with {what} than declared"
        ))),
    }
}

/// Removes a volume and its data; one that is gone is no fault.
pub(super) async fn remove(stage: &Stage<'_>, name: &VolumeName) -> Result<(), StepError> {
    match stage.effects.engine.remove_volume(name).await {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind == ErrorKind::Conflict => {
            Err(failed(format!("the volume `{name}` is in use: {}", error.message)))
        }
        result => Ok(result?),
    }
}

fn difference(asked: &Volume, made: &ObservedVolume) -> Option<&'static str> {
    let driver = |driver: &Option<String>| driver.clone().unwrap_or_else(|| DRIVER.to_owned());
    let texts = |values: &std::collections::BTreeMap<String, Value>| -> Vec<(String, String)> {
        values.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect()
    };
    if driver(&asked.definition.driver) != driver(&made.definition.driver) {
        return Some("another driver");
    }
    if texts(&asked.definition.options) != texts(&made.definition.options) {
        return Some("other driver options");
    }
    let labelled =
        asked.labels.iter().all(|(name, value)| made.labels.get(name).is_some_and(|label| label == value.reveal()));
    (!labelled).then_some("other labels")
}

//! Making and removing networks, one at a time.

use super::super::{
    stage::{Stage, StepError, failed},
    tell::target,
};
use crate::{
    engine::ErrorKind,
    model::{desired::Network, labels, names::NetworkName, observed::ObservedNetwork, step::Step},
};

/// Makes a network. One of its name and of this stack counts as made: docker compose may have made it meanwhile, or an
/// earlier call whose reply was lost. It is looked for first each time, because the engine makes twins.
pub(super) async fn create(stage: &Stage<'_>, step: &Step, network: &Network) -> Result<(), StepError> {
    let _one_at_a_time = stage.networks.lock().await;
    let name = NetworkName::new(target(step));
    if there(stage, &name).await? {
        return Ok(());
    }
    let mut network = network.clone();
    for label in network.labels.values_mut() {
        let revealed = stage.effects.secrets.reveal(label);
        *label = revealed.ok_or_else(|| failed(format!("a sensitive label of the network `{name}` is unknown")))?;
    }
    match stage.effects.engine.create_network(&name, &network).await {
        Err(error) if error.kind == ErrorKind::Conflict && there(stage, &name).await? => Ok(()),
        result => Ok(result?),
    }
}

/// Removes a network; one that is gone is no fault.
pub(super) async fn remove(stage: &Stage<'_>, name: &NetworkName) -> Result<(), StepError> {
    match stage.effects.engine.remove_network(name).await {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        result => Ok(result?),
    }
}

async fn there(stage: &Stage<'_>, name: &NetworkName) -> Result<bool, StepError> {
    let networks = stage.effects.engine.list_networks(&[name.clone()].into()).await?;
    let Some(network) = networks.iter().find(|network| network.name == *name && !network.ids.is_empty()) else {
        return Ok(false);
    };
    if is_ours(stage, network) {
        return Ok(true);
    }
    Err(failed(format!("changed by somebody else: a network `{name}` that is not of this stack was made")))
}

fn is_ours(stage: &Stage<'_>, network: &ObservedNetwork) -> bool {
    [labels::compose::PROJECT, labels::ours::STACK]
        .iter()
        .any(|label| network.labels.get(*label).is_some_and(|stack| stack == stage.plan.stack.as_str()))
}

//! Which stacks there are to keep: those that have a current revision in a home here, and those whose claim on the engine
//! names this home, be it that the home was lost. A controller like any other.

use super::fleet::Fleet;
use crate::{
    controllers::{Controller, ControllerError, Requeue, stack::StackError},
    engine::{Engine, EngineError, clock::Clock},
    home::{self, Home, Identity},
    model::{labels::ours, names::StackName, units::Millis},
    observe::claim_volume,
};
use async_trait::async_trait;
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

/// Before a stack is tried again that could not be kept.
const TRY_AGAIN: Millis = Millis::seconds(10);

/// Somebody who wants to know which stacks are kept.
pub type Told = dyn Fn(&BTreeSet<StackName>) + Send + Sync;

/// Finds stacks for the fleet.
pub struct Finder {
    pub state_dir: PathBuf,
    pub engine: Arc<dyn Engine>,
    pub clock: Arc<dyn Clock>,
    pub fleet: Arc<Fleet>,
    /// Kept whether or not they are found.
    pub always: BTreeSet<StackName>,
    /// Told the stacks that are kept.
    pub told: Box<Told>,
}

#[async_trait(?Send)]
impl Controller for Finder {
    async fn reconcile(&mut self) -> Result<Requeue, ControllerError> {
        let mut wanted = self.always.clone();
        wanted.extend(self.at_home().map_err(StackError::Home)?);
        let claimed = self.claimed().await;
        match &claimed {
            Ok(claimed) => wanted.extend(claimed.iter().cloned()),
            // What is not known is no reason to let anybody go.
            Err(_) => wanted.extend(self.fleet.names()),
        }
        let whole = self.fleet.keep(&wanted).await;
        (self.told)(&self.fleet.names());
        claimed.map_err(StackError::Engine)?;
        Ok(if whole { Requeue::Idle } else { Requeue::At(self.clock.now().plus(TRY_AGAIN)) })
    }
}

impl Finder {
    /// Stacks with something to keep in their home. One whose home can't be read is among them: keeping it says why.
    fn at_home(&self) -> Result<Vec<StackName>, home::HomeError> {
        let has_something = |name: &StackName| match Home::read(&self.state_dir, name) {
            Ok(None) => false,
            Ok(Some(home)) => home.has_something().unwrap_or(true),
            Err(_) => true,
        };
        Ok(home::stacks(&self.state_dir)?.into_iter().filter(has_something).collect())
    }

    /// Stacks that this home has claimed on the engine.
    async fn claimed(&self) -> Result<BTreeSet<StackName>, EngineError> {
        let Identity { home, machine } = home::identity(&self.state_dir);
        let volumes = self.engine.list_volumes().await?;
        let mut claims = Vec::new();
        for volume in volumes {
            let label = |name: &str| volume.labels.get(name).cloned().unwrap_or_default();
            let stack = StackName::new(label(ours::STACK));
            if volume.name == claim_volume(&stack) && label(ours::HOME) == home {
                claims.push((stack, label(ours::MACHINE)));
            }
        }
        let machine = match machine {
            Some(machine) => machine,
            None if claims.is_empty() => return Ok(BTreeSet::new()),
            None => self.engine.facts().await?.id,
        };
        Ok(claims.into_iter().filter(|(_, on)| *on == machine).map(|(stack, _)| stack).collect())
    }
}

#[cfg(test)]
mod tests;

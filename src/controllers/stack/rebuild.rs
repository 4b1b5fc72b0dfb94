//! A home that was lost: a revision is made from what runs, so that it is kept. Nothing is replaced for it, and it is said.

use super::{Stack, StackError, apply::hashes};
use crate::{
    home::{Home, NewRevision},
    model::{
        container::RestartPolicy,
        desired::{Desired, Service},
        event::{EventKind, Severity},
        names::ServiceName,
        observed::{Observed, Status},
        revision::Origin,
    },
    plan::as_it_runs,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

impl Stack {
    /// Makes revision 0 from what runs of this stack, where this home claimed it or evenkeel made it. Gives whether there
    /// was anything.
    pub(super) async fn rebuild(&self, home: &Arc<Home>, by: &Origin) -> Result<bool, StackError> {
        let mut declared = Desired::empty(self.name.clone());
        let observed = self.look(&declared).await?;
        // The claim says that the project is ours, adopted containers without a label of ours included.
        let own = self.claim_of(home, &observed);
        if observed.claim.as_ref().is_some_and(|claim| *claim != own) {
            return Ok(false);
        }
        declared.policy.adopt = observed.claim.is_some();
        let (mut desired, images) = as_it_runs(&declared, &observed);
        desired.services.retain(|name, service| keeps(name, service, &observed));
        if desired.services.is_empty() {
            return Ok(false);
        }
        let text = format!(
            "the home was lost: revision 0 is what runs now, {} services; nothing is replaced, and probes, limits of capacity and order are back with the next apply",
            desired.services.len()
        );
        let hashes = hashes(&desired, &images);
        home.adopt(NewRevision {
            made: self.clock.now(),
            by: by.clone(),
            reason: "made from what runs: the home was lost".into(),
            desired,
            images,
            hashes,
            hold: BTreeMap::new(),
            release: BTreeSet::new(),
        })?;
        self.tell(self.event(EventKind::HomeLost, Severity::Warning, text)).await;
        Ok(true)
    }
}

/// Whether a service is to be kept: one that runs is. One that ended and that the engine would not start again may have
/// done its work: it is not run a second time.
fn keeps(name: &ServiceName, service: &mut Service, observed: &Observed) -> bool {
    let mut own = observed.containers.values().filter(|container| container.service().as_ref() == Some(name));
    let ended = own.all(|container| matches!(container.state.status, Status::Exited | Status::Created | Status::Dead));
    !ended || matches!(service.container.restart, RestartPolicy::Always | RestartPolicy::UnlessStopped)
}

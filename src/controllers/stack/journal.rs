//! What executing puts on record, in the home.

use crate::{
    engine::clock::Clock,
    execute::{Evidence, FailedRollout, Journal, Stopped},
    home::{Home, HomeError},
    model::{
        fields::FieldChange,
        names::{ContainerId, ServiceName},
        revision::Origin,
    },
};
use std::sync::Arc;

/// The home, as one apply writes to it.
pub(super) struct Record {
    pub home: Arc<Home>,
    pub clock: Arc<dyn Clock>,
    /// The revision that was current before this apply.
    pub base: Option<u64>,
    /// Whether services already rolled in this apply go back too.
    pub rollback_stack: bool,
    pub by: Origin,
}

impl Journal for Record {
    fn rollout_failed(&self, failed: &FailedRollout) -> Result<(), HomeError> {
        let now = self.clock.now();
        self.home.rollout_failed(self.base, failed, self.rollback_stack, now, &self.by).map(drop)
    }

    fn stopped(&self, stopped: &Stopped) -> Result<(), HomeError> {
        let services: Vec<ServiceName> = stopped.undone.iter().chain(&stopped.not_begun).cloned().collect();
        self.home.stopped(self.base, &services, &stopped.why, self.clock.now(), &self.by).map(drop)
    }

    fn rollout_done(&self, members: &[ServiceName]) -> Result<(), HomeError> {
        // What is stopped or left alone proves nothing.
        let suspended = self.home.suspended(self.clock.now())?;
        let proven: Vec<ServiceName> = members.iter().filter(|name| !suspended.contains(*name)).cloned().collect();
        self.home.rollout_done(&proven)
    }

    fn rollout_left(&self, members: &[ServiceName]) -> Result<(), HomeError> {
        self.home.rollout_left(members)
    }

    fn completed(&self, service: &ServiceName) -> Result<(), HomeError> {
        match self.home.current_hash(service)? {
            Some(hash) => self.home.completed(service, &hash),
            None => Ok(()),
        }
    }

    fn keep_evidence(&self, evidence: &Evidence) -> Result<(), HomeError> {
        self.home.keep_evidence(evidence)
    }

    fn did_not_take(&self, container: &ContainerId, fields: &[FieldChange]) -> Result<(), HomeError> {
        self.home.did_not_take(container, fields)
    }
}

//! What ends an apply before its first step.

use crate::{engine::EngineError, home::HomeError, model::plan::Plan, observe::ResolveError};

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The engine did not answer, or refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An image could not be resolved.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// The home can't be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Somebody else applies.
    #[error(transparent)]
    Locked(#[from] crate::home::LockError),
    /// There is no home to act on.
    #[error("there is no home for stack `{0}`")]
    NoHome(crate::model::names::StackName),
    /// Another home claimed the stack while this one was about to.
    #[error("the home `{home}` on machine `{machine}` keeps this stack")]
    OtherHome { home: String, machine: String },
    /// The saved plan is not what would be done now.
    #[error("the saved plan is stale: {why}")]
    Stale { why: String, now: Box<Plan> },
    /// The user named a service that does not exist.
    #[error("there is no service `{0}`")]
    NoService(crate::model::names::ServiceName),
    /// What acts on the current revision, before there is one.
    #[error("stack `{0}` has no revision yet")]
    NothingApplied(crate::model::names::StackName),
    /// There is no revision to go back to.
    #[error("{0}")]
    NoRevision(String),
}

impl StackError {
    /// The exit code.
    pub fn exit(&self) -> u8 {
        match self {
            StackError::Engine(_) | StackError::Resolve(_) | StackError::Home(_) => 3,
            StackError::Locked(crate::home::LockError::Held { .. }) => 6,
            StackError::Locked(_) => 3,
            StackError::NoHome(_)
            | StackError::NothingApplied(_)
            | StackError::NoService(_)
            | StackError::NoRevision(_) => 2,
            StackError::OtherHome { .. } => 8,
            StackError::Stale { .. } => 7,
        }
    }

    /// What to do.
    pub fn hint(&self) -> Option<String> {
        match self {
            StackError::Engine(error) => error.hint(),
            StackError::Resolve(error) => error.hint(),
            StackError::Home(error) => error.hint(),
            StackError::Locked(_) => Some("wait for it, or say how long to wait with `--lock-wait`".into()),
            StackError::NoHome(_) => Some("`evenkeel apply` makes one".into()),
            StackError::NothingApplied(_) => Some("`evenkeel apply` makes the first".into()),
            StackError::OtherHome { .. } => Some("work there, or set EVENKEEL_HOME_ID to move the stack here".into()),
            StackError::Stale { .. } => Some("review and save it again: `evenkeel diff --out plan.json`".into()),
            StackError::NoService(_) => Some("`evenkeel status` lists the services".into()),
            StackError::NoRevision(_) => Some("`evenkeel history` lists the revisions".into()),
        }
    }
}

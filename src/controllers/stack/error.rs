//! What ends an apply before its first step.

use crate::{
    engine::{EngineError, build::BuildError},
    home::HomeError,
    model::{
        names::{ImageReference, ServiceName},
        plan::Plan,
        revision::SuspensionKind,
    },
    observe::ResolveError,
};

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The engine did not answer, or refused.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An image could not be resolved.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// An image could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The user asked for a build of what is not built.
    #[error("service `{0}` has no `build`")]
    NoBuild(ServiceName),
    /// There is no such image, and what can build it is not asked to.
    #[error("{}: not built yet", .0.iter().map(|(service, image)| format!("the image `{image}` of `{service}`")).collect::<Vec<_>>().join(", "))]
    Unbuilt(Vec<(ServiceName, ImageReference)>),
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
    /// What was loaded has no more the overrides that are in force.
    #[error("another apply has changed what `--image` and `--set` have in force")]
    Overtaken,
    /// The user named a service that does not exist.
    #[error("there is no service `{name}`")]
    NoService {
        name: ServiceName,
        /// One that may be meant.
        near: Option<String>,
    },
    /// What is wanted of a service contradicts what somebody wants of it already.
    #[error("`{service}` is {}", match kind { SuspensionKind::Paused => "paused, not stopped", SuspensionKind::Stopped => "stopped" })]
    Suspended { service: ServiceName, kind: SuspensionKind },
    /// What acts on the current revision, before there is one.
    #[error("stack `{0}` has no revision yet")]
    NothingApplied(crate::model::names::StackName),
    /// There is no revision to go back to.
    #[error("{0}")]
    NoRevision(String),
}

impl StackError {
    /// A service that is none of these.
    pub fn no_service<'a>(name: &ServiceName, known: impl Iterator<Item = &'a ServiceName>) -> StackError {
        let near = crate::load::nearest(name.as_str(), known.map(ServiceName::as_str)).map(str::to_owned);
        StackError::NoService { name: name.clone(), near }
    }

    /// The exit code.
    pub fn exit(&self) -> u8 {
        match self {
            StackError::Engine(_)
            | StackError::Resolve(_)
            | StackError::Build(_)
            | StackError::Unbuilt(_)
            | StackError::Home(_) => 3,
            StackError::Locked(crate::home::LockError::Held { .. }) | StackError::Overtaken => 6,
            StackError::Locked(_) => 3,
            StackError::NoHome(_)
            | StackError::NoBuild(_)
            | StackError::NoService { .. }
            | StackError::NothingApplied(_)
            | StackError::Suspended { .. }
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
            StackError::Build(error) => error.hint(),
            StackError::NoBuild(_) => Some("`--pull=SERVICE` asks its registry".into()),
            StackError::Unbuilt(_) => Some("`evenkeel apply` builds what it needs, `docker compose build` too".into()),
            StackError::Home(error) => error.hint(),
            StackError::Locked(crate::home::LockError::Home(error)) => error.hint(),
            StackError::Locked(_) => Some("wait for it, or say how long to wait with `--lock-wait`".into()),
            StackError::NoHome(_) => Some("`evenkeel apply` makes one".into()),
            StackError::NothingApplied(_) => Some("`evenkeel apply` makes the first".into()),
            StackError::OtherHome { .. } => Some("work there, or set EVENKEEL_HOME_ID to move the stack here".into()),
            StackError::Overtaken => Some("apply again".into()),
            StackError::Stale { .. } => Some("review and save it again: `evenkeel diff --out plan.json`".into()),
            StackError::NoService { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            StackError::NoService { near: None, .. } => Some("`evenkeel status` lists the services".into()),
            StackError::Suspended { service, kind: SuspensionKind::Paused } => {
                Some(format!("`evenkeel resume {service}` ends the pause"))
            }
            StackError::Suspended { service, kind: SuspensionKind::Stopped } => {
                Some(format!("`evenkeel start {service}` starts it"))
            }
            StackError::NoRevision(_) => Some("`evenkeel history` lists the revisions".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::LockError;

    #[test]
    fn a_lock_that_can_not_be_taken_is_not_waited_for() {
        let full = StackError::Locked(LockError::Home(HomeError::Full { path: "/srv/home".into() }));
        assert_eq!((full.exit(), full.hint().unwrap().starts_with("free some space")), (3, true));
    }
}

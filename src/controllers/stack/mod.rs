//! The stack controller: observe → resolve → plan → execute, once a round. `apply` repeats the round until it has
//! converged, `diff` is the round without its last step, and nothing reaches around it.

mod apply;
mod bookkeeping;
mod build;
mod down;
mod error;
mod journal;
mod keep;
mod leave;
mod liveness;
mod rebuild;
mod recorder;
mod restart;
mod rollback;
mod round;
mod saved;
mod status;
mod suspend;

pub use apply::{Applied, Request};
pub use build::BuildWish;
pub use down::DownRequest;
pub use error::StackError;
pub use keep::{KeepOptions, Keeper};
pub use leave::LeaveRequest;
pub use restart::RestartRequest;
pub use rollback::RollbackRequest;
pub use saved::SavedPlan;
pub use suspend::{SuspendRequest, Suspended, Wish};

use crate::{
    controllers::Patience,
    engine::{Engine, build::Builder, clock::Clock, registry::Registries},
    execute::{Cancel, EventSender, Logins},
    home::Home,
    model::names::{PlanId, ServiceName, StackName},
    model::value::Salt,
    probe::Prober,
};
use std::{collections::BTreeSet, sync::Arc};

/// One stack on one engine, with all that acting on it takes.
pub struct Stack {
    pub name: StackName,
    pub engine: Arc<dyn Engine>,
    pub clock: Arc<dyn Clock>,
    pub prober: Arc<dyn Prober>,
    pub registries: Arc<dyn Registries>,
    pub builder: Arc<dyn Builder>,
    pub logins: Arc<dyn Logins>,
    /// Opened to be written for what acts, to be read for what looks; `None` where there is none to read.
    pub home: Option<Arc<Home>>,
    /// Where progress goes.
    pub events: EventSender,
    pub cancel: Cancel,
    /// Where plan ids and salts come from.
    pub draw: Arc<dyn Draw>,
    /// Whether evenkeel runs as root.
    pub root: bool,
    /// Told how long what goes on may take.
    pub patience: Patience,
}

/// A source of randomness: the operating system's, or a seeded one in a simulation.
pub trait Draw: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's randomness.
pub struct SystemDraw;

impl Draw for SystemDraw {
    fn fill(&self, buffer: &mut [u8]) {
        if getrandom::fill(buffer).is_err() {
            // Without randomness ids still differ by time; a salt only has to differ from plan to plan.
            let now = crate::engine::clock::SystemClock::start();
            let bytes = now.now().0.to_le_bytes();
            buffer.iter_mut().zip(bytes.iter().cycle()).for_each(|(to, from)| *to = *from);
        }
    }
}

/// What is done, with the services that are named: `apply core web`, or `apply` for all.
fn named(verb: &str, selected: Option<&BTreeSet<ServiceName>>) -> String {
    let names = selected.into_iter().flatten().map(ServiceName::as_str);
    std::iter::once(verb).chain(names).collect::<Vec<_>>().join(" ")
}

impl Stack {
    /// A new plan's id and salt.
    fn draw(&self) -> (PlanId, Salt) {
        let (mut id, mut salt) = ([0_u8; 6], [0_u8; 16]);
        self.draw.fill(&mut id);
        self.draw.fill(&mut salt);
        (PlanId::new(format!("p-{}", hex::encode(id))), Salt::new(hex::encode(salt)))
    }
}

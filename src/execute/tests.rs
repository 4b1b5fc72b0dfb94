//! Plans written by hand, executed on the simulated engine.

mod faults;
mod interruptions;
mod rollouts;
mod scene;
mod steps;

use super::{Effects, EventSender, execute};
use crate::model::plan::Plan;

/// Controllers run it in a task of its own.
#[test]
fn executing_can_move_between_threads() {
    fn is_send(_: impl Send) {}
    fn check(plan: &Plan, effects: &Effects, events: &EventSender) {
        is_send(execute(plan, effects, events));
    }
    let _ = check;
}

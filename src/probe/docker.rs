//! Docker's own health check: read from inspect, so it costs nothing.

use super::Answer;
use crate::model::observed::{Health, ObservedContainer};

/// Whether Docker says `healthy`.
pub(super) fn attempt(container: &ObservedContainer) -> Answer {
    match container.state.health {
        Health::Healthy => Answer::yes("Docker says healthy"),
        Health::Starting => Answer::no("Docker says starting"),
        Health::Unhealthy => Answer::no("Docker says unhealthy"),
        Health::None => Answer::no("it has no health check"),
    }
}

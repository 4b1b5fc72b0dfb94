//! How often a service is restarted without a person: as often as its budget allows at once, then each time later than
//! before, doubling up to a bound, and never a last time. A service that ran for its budget's span starts afresh.

use crate::model::{
    desired::Service,
    policy::Budget,
    revision::Restarts,
    units::{Millis, Timestamp},
};

/// The first wait when the budget is spent (Kubernetes begins there too), and the longest.
const WAIT_FIRST: Millis = Millis::seconds(10);
const WAIT_MAX: Millis = Millis::minutes(5);

/// The budget that a service's restarts are counted against.
pub fn of(service: &Service) -> Budget {
    service.liveness.as_ref().map(|liveness| liveness.budget).unwrap_or_default()
}

/// From when on the next restart may be.
pub(super) fn not_before(restarts: &Restarts, budget: Budget, now: Timestamp) -> Timestamp {
    let Some(last) = restarts.times.last().filter(|_| !is_over(restarts, budget, now)) else { return now };
    if restarts.over == 0 && in_span(restarts, budget, now) < budget.restarts {
        return now;
    }
    let doubled = WAIT_FIRST.0.saturating_mul(1_u64.checked_shl(restarts.over).unwrap_or(u64::MAX));
    last.plus(Millis(doubled.min(WAIT_MAX.0)))
}

/// The record after one more restart.
pub fn spent(restarts: &Restarts, budget: Budget, now: Timestamp) -> Restarts {
    let mut after = match is_over(restarts, budget, now) {
        true => Restarts::default(),
        false => restarts.clone(),
    };
    if after.over > 0 || in_span(&after, budget, now) >= budget.restarts {
        after.over = after.over.saturating_add(1);
    }
    after.times.push(now);
    // What is older than the span counts no more, but for the newest, which the waits are counted from.
    let counted = |time: &Timestamp| now.since(*time) < budget.per;
    after.times.retain(counted);
    let kept_max = usize::try_from(budget.restarts).unwrap_or(usize::MAX).saturating_add(1);
    let surplus = after.times.len().saturating_sub(kept_max);
    after.times.drain(..surplus);
    after
}

/// Whether the next restart would be the first that has to wait: a person should know.
pub fn is_spent(restarts: &Restarts, budget: Budget, now: Timestamp) -> bool {
    not_before(restarts, budget, now) > now
}

/// It has run long enough since its last restart.
fn is_over(restarts: &Restarts, budget: Budget, now: Timestamp) -> bool {
    restarts.times.last().is_none_or(|last| now.since(*last) >= Millis(budget.per.0.max(WAIT_MAX.0)))
}

fn in_span(restarts: &Restarts, budget: Budget, now: Timestamp) -> u32 {
    let count = restarts.times.iter().filter(|time| now.since(**time) < budget.per).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_795_000_000_000;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(START).plus(Millis::seconds(seconds))
    }

    /// Restarts as soon as it may, so often; the seconds at which it did.
    fn as_soon_as_allowed(budget: Budget, count: usize) -> Vec<u64> {
        let (mut restarts, mut now, mut seen) = (Restarts::default(), at(0), Vec::new());
        for _ in 0..count {
            now = now.max(not_before(&restarts, budget, now));
            seen.push(now.since(at(0)).0 / 1000);
            restarts = spent(&restarts, budget, now);
            now = now.plus(Millis::seconds(1));
        }
        seen
    }

    #[test]
    fn within_the_budget_at_once_then_later_each_time_up_to_five_minutes() {
        let seconds = as_soon_as_allowed(Budget::default(), 13);
        assert_eq!(seconds, [0, 1, 2, 3, 4, 14, 34, 74, 154, 314, 614, 914, 1214]);
    }

    #[test]
    fn a_small_budget_is_spent_sooner() {
        let seconds = as_soon_as_allowed(Budget { restarts: 1, per: Millis::minutes(1) }, 4);
        assert_eq!(seconds, [0, 10, 30, 70]);
    }

    #[test]
    fn slow_failures_never_spend_it() {
        let budget = Budget { restarts: 2, per: Millis::minutes(10) };
        let mut restarts = Restarts::default();
        for round in 0..50 {
            let now = at(round * 301);
            assert_eq!(not_before(&restarts, budget, now), now, "{round}");
            restarts = spent(&restarts, budget, now);
            assert!(restarts.over == 0 || round > 1, "{round}");
            if round % 2 == 1 {
                // A quiet ten minutes.
                restarts = Restarts::default();
            }
        }
    }

    #[test]
    fn running_well_for_the_span_starts_it_afresh() {
        let budget = Budget::default();
        let mut restarts = Restarts::default();
        for second in [0, 1, 2, 3, 4, 14, 34] {
            restarts = spent(&restarts, budget, at(second));
        }
        assert_eq!(restarts.over, 2);
        assert!(is_spent(&restarts, budget, at(35)));
        assert!(!is_spent(&restarts, budget, at(34 + 600)));
        assert_eq!(spent(&restarts, budget, at(34 + 600)), Restarts { times: vec![at(634)], over: 0 });
    }

    #[test]
    fn the_record_stays_small() {
        let budget = Budget { restarts: 3, per: Millis::minutes(60) };
        let mut restarts = Restarts::default();
        for second in 0..1000 {
            restarts = spent(&restarts, budget, at(second));
        }
        assert_eq!(restarts.times.len(), 4);
        assert_eq!(not_before(&restarts, budget, at(1000)), at(999 + 300));
    }
}

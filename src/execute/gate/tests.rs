//! Each sentence of the design's "The clock" on its own, then that a gate always ends in time.

use super::*;
use crate::model::{
    policy::{ProbeHost, TcpProbe},
    step::{ContainerRef, OnDeadline},
};
use proptest::prelude::*;

const T0: Timestamp = Timestamp(1_000_000);
const DEADLINE: Millis = Millis(60_000);

fn at(millis: u64) -> Timestamp {
    T0.plus(Millis(millis))
}

fn tcp() -> Probe {
    Probe::of(ProbeKind::Tcp(TcpProbe { port: 80, host: ProbeHost::Container }))
}

fn gate(startup: Option<Probe>, readiness: Option<Probe>, docker: bool, min_ready: Millis) -> Gate {
    Gate {
        service: "web".into(),
        container: ContainerRef::Made { by: "web/create".into() },
        proof: Proof::Ready { startup, readiness, docker },
        min_ready,
        on_deadline: OnDeadline::Undo,
    }
}

fn one_shot() -> Gate {
    Gate { proof: Proof::Completed {}, ..gate(None, None, false, Millis(0)) }
}

fn state_of(gate: &Gate) -> GateState<'_> {
    GateState::new(gate, T0, DEADLINE, Some(0))
}

fn running() -> ContainerState {
    ContainerState { status: Status::Running, started_at: Some(T0), pid: 1, ..ContainerState::default() }
}

fn with_health(health: Health) -> ContainerState {
    ContainerState { health, ..running() }
}

fn exited(exit_code: i64) -> ContainerState {
    ContainerState { status: Status::Exited, exit_code, ..running() }
}

fn answer(ok: bool) -> Answer {
    Answer { ok, text: if ok { "open in 1 ms".into() } else { "connection refused".into() } }
}

impl GateState<'_> {
    /// Sees it running, tries the due probe and sees it again.
    fn turn(&mut self, millis: u64, ok: bool) -> Verdict {
        self.observed(at(millis), &running());
        if let Some((which, _)) = self.ask(at(millis)) {
            self.answered(at(millis), which, &answer(ok));
        }
        self.observed(at(millis), &running());
        self.verdict(at(millis))
    }
}

fn reason(verdict: Verdict) -> String {
    match verdict {
        Verdict::Failed { reason, by_deadline: false } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_probe_or_healthcheck_running_for_min_ready_is_proof() {
    let gate = gate(None, None, false, Millis(5000));
    let mut state = state_of(&gate);
    assert_eq!(state.turn(10, true), Verdict::Pending);
    assert_eq!(state.turn(5000, true), Verdict::Pending);
    assert_eq!(state.turn(5010, true), Verdict::Passed);
}

#[test]
fn min_ready_must_be_seen_and_not_only_pass() {
    let gate = gate(None, None, false, Millis(5000));
    let mut state = state_of(&gate);
    state.turn(0, true);
    assert_eq!(state.verdict(at(5001)), Verdict::Pending, "nobody has looked since");
    state.observed(at(5001), &exited(0));
    assert_eq!(reason(state.verdict(at(5001))), "exited with 0");
}

#[test]
fn the_first_answer_passes_at_once_when_nothing_more_is_asked() {
    let gate = gate(None, Some(tcp()), false, Millis(0));
    let mut state = state_of(&gate);
    assert_eq!(state.turn(3, true), Verdict::Passed);
}

#[test]
fn ready_is_so_many_successes_in_a_row_at_the_probes_pace() {
    let gate = gate(None, Some(Probe { successes: 3, ..tcp() }), false, Millis(0));
    let mut state = state_of(&gate);
    assert_eq!(state.turn(0, true), Verdict::Pending);
    assert_eq!(state.turn(500, true), Verdict::Pending, "no attempt is due");
    assert_eq!(state.turn(1000, true), Verdict::Pending);
    assert_eq!(state.turn(2000, false), Verdict::Pending, "the row is broken");
    assert_eq!(state.turn(3000, true), Verdict::Pending);
    assert_eq!(state.turn(4000, true), Verdict::Pending);
    assert_eq!(state.turn(5000, true), Verdict::Passed);
}

#[test]
fn not_ready_is_so_many_failures_in_a_row_and_restarts_min_ready() {
    let gate = gate(None, Some(tcp()), false, Millis(5000));
    let mut state = state_of(&gate);
    for (second, ok) in [(0, true), (1, true), (2, false), (3, false), (4, true)] {
        assert_eq!(state.turn(second * 1000, ok), Verdict::Pending, "second {second}");
    }
    assert_eq!(state.turn(5000, true), Verdict::Passed, "two failures are not three");

    let mut state = state_of(&gate);
    for (second, ok) in [(0, true), (1, false), (2, false), (3, false), (4, true), (5, true), (8, true)] {
        assert_eq!(state.turn(second * 1000, ok), Verdict::Pending, "second {second}");
    }
    assert_eq!(state.turn(9000, true), Verdict::Passed, "five seconds after it was ready again");
}

#[test]
fn startup_is_tried_until_its_first_success_and_readiness_only_after_it() {
    let gate = gate(Some(tcp()), Some(tcp()), false, Millis(0));
    let mut state = state_of(&gate);
    state.observed(at(0), &running());
    for turn in 0..20 {
        let (which, _) = state.ask(at(turn * 1000)).unwrap();
        assert_eq!(which, Which::Startup);
        state.answered(at(turn * 1000), which, &answer(false));
    }
    assert_eq!(state.verdict(at(20_000)), Verdict::Pending, "it is only waited for");
    let (which, _) = state.ask(at(20_000)).unwrap();
    state.answered(at(20_000), which, &answer(true));
    let (which, _) = state.ask(at(20_000)).unwrap();
    assert_eq!(which, Which::Readiness);
    state.answered(at(20_001), which, &answer(true));
    state.observed(at(20_001), &running());
    assert_eq!(state.verdict(at(20_001)), Verdict::Passed);
}

#[test]
fn docker_must_say_healthy_where_it_is_asked() {
    let gate = gate(None, None, true, Millis(0));
    let mut state = state_of(&gate);
    for health in [Health::None, Health::Starting, Health::Unhealthy] {
        state.observed(at(1), &with_health(health));
        assert_eq!(state.verdict(at(1)), Verdict::Pending, "{health:?}");
    }
    state.observed(at(2), &with_health(Health::Healthy));
    assert_eq!(state.verdict(at(2)), Verdict::Passed);
}

#[test]
fn dockers_unhealthy_restarts_min_ready_even_where_it_is_not_asked() {
    let gate = gate(None, None, false, Millis(5000));
    let mut state = state_of(&gate);
    for (millis, health) in [(0, Health::Starting), (4000, Health::Unhealthy), (6000, Health::Healthy)] {
        state.observed(at(millis), &with_health(health));
        assert_eq!(state.verdict(at(millis)), Verdict::Pending);
    }
    state.observed(at(11_000), &with_health(Health::Healthy));
    assert_eq!(state.verdict(at(11_000)), Verdict::Passed);
}

#[test]
fn a_crash_fails_at_once() {
    let gate = gate(None, Some(tcp()), false, Millis(5000));
    let cases = [
        (ContainerState { status: Status::Restarting, exit_code: 1, ..running() }, "exited with 1 and is restarting"),
        (ContainerState { restart_count: 1, ..running() }, "crashed and was restarted 1 time"),
        (ContainerState { oom_killed: true, ..exited(137) }, "exited with 137, out of memory"),
        (exited(0), "exited with 0"),
        (ContainerState { status: Status::Dead, ..running() }, "is dead"),
        (
            ContainerState { error: "port is taken".into(), ..ContainerState::default() },
            "could not start: port is taken",
        ),
    ];
    for (seen, expected) in cases {
        let mut state = state_of(&gate);
        state.turn(0, true);
        state.observed(at(1000), &seen);
        assert_eq!(reason(state.verdict(at(1000))), expected);
    }
}

#[test]
fn the_restarts_of_a_container_that_ran_before_are_no_crash() {
    let gate = gate(None, None, false, Millis(0));
    let mut state = GateState::new(&gate, T0, DEADLINE, None);
    state.observed(at(1), &ContainerState { restart_count: 4, ..running() });
    assert_eq!(state.verdict(at(1)), Verdict::Passed);
}

#[test]
fn a_restart_by_hand_begins_anew() {
    let gate = gate(None, Some(tcp()), false, Millis(5000));
    let mut state = state_of(&gate);
    state.turn(0, true);
    state.observed(at(4000), &ContainerState { started_at: Some(at(3900)), ..running() });
    assert!(state.ask(at(4000)).is_some(), "it is asked at once");
    state.answered(at(4000), Which::Readiness, &answer(true));
    state.observed(at(8999), &ContainerState { started_at: Some(at(3900)), ..running() });
    assert_eq!(state.verdict(at(8999)), Verdict::Pending);
    state.observed(at(9000), &ContainerState { started_at: Some(at(3900)), ..running() });
    assert_eq!(state.verdict(at(9000)), Verdict::Passed);
}

#[test]
fn a_one_shot_passes_with_exit_0_and_fails_with_any_other() {
    let gate = one_shot();
    let mut state = state_of(&gate);
    state.observed(at(1), &running());
    assert_eq!(state.verdict(at(1)), Verdict::Pending);
    state.observed(at(2), &exited(0));
    assert_eq!(state.verdict(at(2)), Verdict::Passed);
    let mut state = state_of(&gate);
    state.observed(at(1), &exited(3));
    assert_eq!(reason(state.verdict(at(1))), "exited with 3");
}

#[test]
fn the_deadline_says_what_was_missing() {
    let late = |state: &GateState| match state.verdict(T0.plus(DEADLINE)) {
        Verdict::Failed { reason, by_deadline: true } => reason,
        other => panic!("{other:?}"),
    };
    let probed = gate(None, Some(tcp()), false, Millis(0));
    let mut state = state_of(&probed);
    assert_eq!(late(&state), "could not be inspected within 1m");
    state.turn(0, false);
    assert_eq!(late(&state), "was not ready within 1m: last answer: connection refused");
    let healthy = gate(None, None, true, Millis(0));
    let mut state = state_of(&healthy);
    state.observed(at(1), &with_health(Health::Starting));
    assert_eq!(late(&state), "was not ready within 1m: its health check has not answered yet");
    state.observed(at(2), &with_health(Health::Unhealthy));
    assert_eq!(late(&state), "was not ready within 1m: Docker says unhealthy");
    state.observed(at(3), &ContainerState { status: Status::Paused, ..running() });
    assert_eq!(late(&state), "was not ready within 1m: it is paused");
    let gate = gate(None, None, false, Millis(50_000));
    let mut state = state_of(&gate);
    state.turn(30_000, true);
    assert_eq!(late(&state), "was not ready within 1m: ready for 30s of 50s");
    let gate = one_shot();
    let mut state = state_of(&gate);
    state.observed(at(1), &running());
    assert_eq!(late(&state), "had not exited within 1m");
}

#[test]
fn attempts_come_quickly_at_first_and_then_at_the_probes_pace() {
    let gate = gate(None, Some(tcp()), false, Millis(0));
    let mut state = state_of(&gate);
    state.observed(at(0), &running());
    let mut asked = Vec::new();
    for millis in 0..4000 {
        if let Some((which, _)) = state.ask(at(millis)) {
            asked.push(millis);
            state.answered(at(millis), which, &answer(false));
        }
    }
    assert_eq!(asked, [0, 50, 150, 350, 750, 1550, 2550, 3550]);
}

#[test]
fn quick_failures_do_not_count_more_than_the_pace_allows() {
    let probe = Probe { failures: 2, ..tcp() };
    let gate = gate(None, Some(probe.clone()), false, Millis(10_000));
    let mut state = state_of(&gate);
    state.failed(at(0), &probe, Millis(1000));
    state.failed(at(50), &probe, Millis(1000));
    assert_eq!(state.failures, 1);
    state.failed(at(1000), &probe, Millis(1000));
    assert_eq!(state.failures, 2);
}

fn any_state() -> impl Strategy<Value = ContainerState> {
    let status = prop_oneof![30 => Just(Status::Running), 2 => Just(Status::Paused), 1 => Just(Status::Created)];
    let health = prop_oneof![
        1 => Just(Health::None),
        1 => Just(Health::Starting),
        6 => Just(Health::Healthy),
        1 => Just(Health::Unhealthy)
    ];
    (status, health, prop::bool::weighted(0.02), prop::bool::weighted(0.02)).prop_map(
        |(status, health, restarted, by_hand)| ContainerState {
            status,
            health,
            restart_count: u32::from(restarted),
            started_at: Some(if by_hand { T0.plus(Millis(1)) } else { T0 }),
            ..ContainerState::default()
        },
    )
}

fn any_probe() -> impl Strategy<Value = Option<Probe>> {
    prop::option::of((0_u64..3000, 0_u32..4, 0_u32..4).prop_map(|(period, successes, failures)| Probe {
        period: Millis(period),
        successes,
        failures,
        ..tcp()
    }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The gate is driven as the executor does it: inspect, try what is due, wait as long as it says.
    #[test]
    fn a_gate_ends_by_its_deadline_and_passes_only_what_stayed_ready(
        (startup, readiness, docker) in (any_probe(), any_probe(), any::<bool>()),
        min_ready in 0_u64..20_000,
        seen in prop::collection::vec((any_state(), any::<bool>(), 0_u64..2500), 1..200),
    ) {
        let gate = gate(startup, readiness, docker, Millis(min_ready));
        let mut state = state_of(&gate);
        let mut now = T0;
        let mut ready_all_along: Option<Timestamp> = None;
        let mut turns = 0;
        let mut seen = seen.into_iter().cycle();
        loop {
            turns += 1;
            prop_assert!(turns < 20_000, "it is busy");
            let Some((container, ok, takes)) = seen.next() else { break };
            let well = container.status == Status::Running && container.restart_count == 0
                && container.health != Health::Unhealthy && (!docker || container.health == Health::Healthy);
            ready_all_along = if well { ready_all_along.or(Some(now)) } else { None };
            state.observed(now, &container);
            match state.verdict(now) {
                Verdict::Pending => prop_assert!(now < T0.plus(DEADLINE), "pending after the deadline"),
                Verdict::Passed => {
                    let since = ready_all_along.map(|since| now.since(since));
                    prop_assert!(since.is_some_and(|since| since >= Millis(min_ready)), "{:?}", since);
                    break;
                }
                Verdict::Failed { by_deadline, .. } => {
                    prop_assert!(!by_deadline || now >= T0.plus(DEADLINE));
                    break;
                }
            }
            let wait = state.wait(now);
            if let Some((which, _)) = state.ask(now) {
                now = now.plus(Millis(takes));
                state.answered(now, which, &answer(ok));
                continue;
            }
            now = now.plus(wait);
        }
    }
}

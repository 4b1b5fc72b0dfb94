//! The status text compared whole.

use super::*;
use crate::model::{
    names::{ContainerId, Resource},
    plan::HeldCode,
    status::{LastRollout, NotDeclared},
    units::Bytes,
};

fn service(name: &str, ready: u32) -> ServiceStatus {
    let container = ContainerStatusLine {
        id: ContainerId::new("8c1f0a1b2c3d"),
        name: format!("webkit-{name}-1").as_str().into(),
        state: Status::Running,
        health: Health::None,
        ready: ready > 0,
        started_at: Some(Timestamp(0)),
        restarts: 0,
        connected_by_hand: Default::default(),
        limits: Limits { memory: Some(Bytes::mebi(512)), cpus: Some("1".parse().unwrap()), ..Limits::default() },
    };
    ServiceStatus {
        name: name.into(),
        desired: 1,
        ready,
        image: "ghcr.io/us/core:9be02".into(),
        drift: Vec::new(),
        held: None,
        suspension: None,
        containers: vec![container],
        last_rollout: Some(LastRollout { at: Timestamp(3_600_000), result: "done".into(), text: String::new() }),
    }
}

fn status(services: Vec<ServiceStatus>) -> StackStatus {
    StackStatus {
        under_way: None,
        stack: "webkit".into(),
        converged: services.iter().all(|service| mark(service).0 == "✓"),
        revision: Some(15),
        services,
        not_declared: Vec::new(),
        drift: Vec::new(),
        held: Vec::new(),
        backups: Vec::new(),
        monitors: Vec::new(),
    }
}

#[test]
fn a_healthy_stack_is_a_line_a_service() {
    let text = status_text(&status(vec![service("core", 1), service("web", 1)]), Timestamp(7_200_000), Style::PLAIN);
    let expected = "\
webkit  revision 15, converged

  SERVICE  READY  UP  LIMITS        IMAGE                  LAST ROLLOUT
✓ core     1/1    2h  512Mi, 1 CPU  ghcr.io/us/core:9be02  done 1h ago
✓ web      1/1    2h  512Mi, 1 CPU  ghcr.io/us/core:9be02  done 1h ago
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn what_is_wrong_is_below_its_service() {
    let mut down = service("admin", 0);
    down.containers[0].state = Status::Restarting;
    down.containers[0].restarts = 5;
    down.last_rollout = Some(LastRollout {
        at: Timestamp(6_900_000),
        result: "failed".into(),
        text: "admin/1/gate: not ready within 30s".into(),
    });
    let mut differs = service("gotenberg", 1);
    differs.drift = vec!["limits.memory".into()];
    let held = Held {
        resource: Resource::Service("postgres".into()),
        code: HeldCode::RolledBack,
        reason: "taken back to revision 12".into(),
        hint: "evenkeel apply postgres".into(),
    };
    let mut waits = service("postgres", 1);
    waits.held = Some(held.clone());
    let mut stack = status(vec![down, differs, waits]);
    stack.held = vec![
        held,
        Held {
            resource: Resource::Volume("webkit_data".into()),
            code: HeldCode::VolumeChanged,
            reason: "driver differs".into(),
            hint: "evenkeel explain volume-changed".into(),
        },
    ];
    stack.drift = vec!["network/webkit_old: no longer declared".into()];
    let expected = "\
webkit  revision 15, 3 of 3 services not as declared

  SERVICE    READY  UP  LIMITS        IMAGE                  LAST ROLLOUT
✗ admin      0/1    -   512Mi, 1 CPU  ghcr.io/us/core:9be02  failed 5m ago
    webkit-admin-1 restarting, 5 restarts
    admin/1/gate: not ready within 30s
~ gotenberg  1/1    2h  512Mi, 1 CPU  ghcr.io/us/core:9be02  done 1h ago
    differs: limits.memory
! postgres   1/1    2h  512Mi, 1 CPU  ghcr.io/us/core:9be02  done 1h ago
    held: rolled-back: taken back to revision 12
    hint: evenkeel apply postgres

~ network/webkit_old: no longer declared
! volume/webkit_data held: volume-changed: driver differs
    hint: evenkeel explain volume-changed
";
    let text = status_text(&stack, Timestamp(7_200_000), Style::PLAIN);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn what_was_left_at_its_deadline_is_not_as_declared_though_it_runs() {
    let mut left = service("postgres", 1);
    left.last_rollout = Some(LastRollout {
        at: Timestamp(6_900_000),
        result: "failed".into(),
        text: "postgres: not ready within 30s; it is left as it is, the next apply waits for it again".into(),
    });
    let expected = "\
webkit  revision 15, 1 of 1 services not as declared

  SERVICE   READY  UP  LIMITS        IMAGE                  LAST ROLLOUT
! postgres  1/1    2h  512Mi, 1 CPU  ghcr.io/us/core:9be02  failed 5m ago
    postgres: not ready within 30s; it is left as it is, the next apply waits for it again
";
    let text = status_text(&status(vec![left]), Timestamp(7_200_000), Style::PLAIN);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn who_changes_it_just_now_is_told_first() {
    let mut stack = status(vec![]);
    stack.under_way = Some(UnderWay { doing: "apply".into(), actor: "ann@ci".into(), since: Timestamp(7_188_000) });
    let expected = "\
webkit  revision 15, declares nothing
… apply: under way for 12s, by ann@ci
";
    let text = status_text(&stack, Timestamp(7_200_000), Style::PLAIN);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_service_that_is_paused_or_stopped_says_who_wants_it() {
    let suspension = |kind, until, reason: Option<&str>| Suspension {
        kind,
        since: Timestamp(3_600_000),
        until,
        actor: "ann@ci".into(),
        reason: reason.map(str::to_owned),
    };
    let mut paused = service("core", 1);
    paused.suspension = Some(suspension(SuspensionKind::Paused, Some(Timestamp(9_000_000)), Some("looking at a leak")));
    paused.held = Some(Held {
        resource: Resource::Service("core".into()),
        code: HeldCode::Paused,
        reason: "paused by ann@ci".into(),
        hint: "`evenkeel resume core` ends the pause".into(),
    });
    let mut stopped = service("web", 0);
    stopped.suspension = Some(suspension(SuspensionKind::Stopped, None, None));
    stopped.containers[0].state = Status::Exited;
    let expected = "\
webkit  revision 15, 2 of 2 services not as declared

  SERVICE  READY  UP  LIMITS        IMAGE                  LAST ROLLOUT
! core     1/1    2h  512Mi, 1 CPU  ghcr.io/us/core:9be02  done 1h ago
    paused by ann@ci since 1970-01-01 01:00:00Z, until 1970-01-01 02:30:00Z: \"looking at a leak\"
    hint: `evenkeel resume core` ends the pause
! web      0/1    -   512Mi, 1 CPU  ghcr.io/us/core:9be02  done 1h ago
    webkit-web-1 exited
    stopped by ann@ci since 1970-01-01 01:00:00Z
";
    let text = status_text(&status(vec![paused, stopped]), Timestamp(7_200_000), Style::PLAIN);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn what_has_run_once_is_done() {
    let mut migrate = service("migrate", 1);
    migrate.containers[0].state = Status::Exited;
    migrate.containers[0].ready = false;
    let mut stack = status(vec![migrate]);
    (stack.revision, stack.converged) = (None, false);
    let expected = "\
webkit  no revision, not applied yet

  SERVICE  READY  UP  LIMITS        IMAGE                  LAST ROLLOUT
✓ migrate  1/1    -   512Mi, 1 CPU  ghcr.io/us/core:9be02  done 1h ago
";
    let text = status_text(&stack, Timestamp(7_200_000), Style::PLAIN);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn what_is_left_alone_is_shown_and_is_no_fault() {
    let mut debugged = service("core", 1);
    debugged.containers[0].connected_by_hand = ["debug".into()].into();
    let mut old = service("worker", 1).containers;
    old[0].state = Status::Exited;
    let mut stack = status(vec![debugged]);
    stack.not_declared = vec![NotDeclared { name: "worker".into(), containers: old }];
    let expected = "\
webkit  revision 15, converged

  SERVICE  READY  UP  LIMITS        IMAGE                  LAST ROLLOUT
✓ core     1/1    2h  512Mi, 1 CPU  ghcr.io/us/core:9be02  done 1h ago
    webkit-core-1 is on network `debug`, connected by hand

? worker is not declared any more, and is there: webkit-worker-1 exited
    hint: an apply with `spec.prune: true` removes it, else do so by hand
";
    let text = status_text(&stack, Timestamp(7_200_000), Style::PLAIN);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn what_a_stack_that_was_let_go_runs_is_taken_up_by_an_apply() {
    let left = |name: &str| NotDeclared { name: name.into(), containers: service(name, 1).containers };
    let mut stack = status(Vec::new());
    stack.not_declared = vec![left("core"), left("web")];
    let expected = "\
webkit  revision 15, declares nothing

? core runs, and nobody keeps it: webkit-core-1 running
? web runs, and nobody keeps it: webkit-web-1 running
    hint: `evenkeel apply` takes it up again
";
    let text = status_text(&stack, Timestamp(7_200_000), Style::PLAIN);
    assert_eq!(text, expected, "\n{text}");
}

//! The plan's text compared whole: the design's own example, and the corners.

use super::*;
use crate::model::{
    capacity::{Amount, Budget},
    container::{ContainerSpec, Limits},
    fields::FieldChange,
    image::{Images, ResolvedImage},
    names::{ContainerId, ContainerName, ImageId, PlanId, Resource, ServiceName, StepId},
    plan::{API_VERSION, Action, Change, HeldCode, NoteCode, Reason, Rollout, SavedContext, Undo},
    policy::{HttpProbe, Probe, ProbeHost, ProbeKind, Strategy},
    step::{AnonymousVolumes, ContainerRef, Create, Does, Gate, OnDeadline, Proof, Pull, Remove, Step, Stop, Update},
    units::{Bytes, Millis, Timestamp},
    value::{Salt, Value},
};
use std::collections::BTreeMap;

const OLD: &str = "8c1f0a1b2c3d4e5f";

/// A plan with nothing in it, of revision 14.
pub(in crate::cli::render) fn empty() -> Plan {
    Plan {
        api_version: API_VERSION.into(),
        kind: "Plan".into(),
        stack: "webkit".into(),
        context: SavedContext {
            plan: PlanId::new("p-0123456789ab"),
            time: Timestamp(0),
            salt: Salt::new("00"),
            manifest_hash: String::new(),
            images: Images::new(),
            selected: None,
            revision: Some(14),
        },
        changes: Vec::new(),
        rollouts: Vec::new(),
        steps: Vec::new(),
        notes: Vec::new(),
        held: Vec::new(),
        capacity: None,
        changes_at: None,
    }
}

/// The design's example: an image and an environment changed, a limit in place, a network new, a volume held.
pub(in crate::cli::render) fn example() -> Plan {
    let mut plan = empty();
    let new_image = "ghcr.io/us/core:9be02";
    let id = ImageId::new(format!("sha256:77ab{}", "0".repeat(60)));
    plan.context.images.insert(new_image.into(), ResolvedImage { id: id.clone(), ..ResolvedImage::default() });
    plan.changes = vec![
        change("core", Action::Replace, Reason::ImageChanged, Some(Strategy::StartFirst), core_fields()),
        change(
            "gotenberg",
            Action::Update,
            Reason::LimitChanged,
            None,
            vec![field("limits.memory", Some("1Gi"), Some("1536Mi"))],
        ),
        Change {
            resource: Resource::Network("webkit_edge".into()),
            action: Action::Create,
            reason: Reason::New,
            cause: Cause::Manifest,
            strategy: None,
            fields: Vec::new(),
        },
    ];
    plan.steps = steps(&id);
    plan.rollouts = vec![core_rollout(), gotenberg_rollout()];
    plan.notes = vec![Note {
        code: NoteCode::SlowGate,
        text: "client: its healthcheck interval of 30s makes every rollout wait 30s".into(),
        hint: Some("add start_period and start_interval: 1s".into()),
    }];
    plan.held = vec![Held {
        resource: Resource::Volume("webkit_postgres_data".into()),
        code: HeldCode::VolumeChanged,
        reason: "driver_opts differ".into(),
        hint: "evenkeel explain volume-changed".into(),
    }];
    plan.capacity = Some(CapacityReport {
        declared: Amount { memory: Bytes::mebi(9421), ..Amount::default() },
        peak: Amount { memory: Bytes::mebi(9933), ..Amount::default() },
        budget: Some(Budget { memory: Some(Bytes::mebi(14 << 10)), ..Budget::default() }),
    });
    plan
}

fn change(
    service: &str,
    action: Action,
    reason: Reason,
    strategy: Option<Strategy>,
    fields: Vec<FieldChange>,
) -> Change {
    let resource = Resource::Service(service.into());
    Change { resource, action, reason, cause: Cause::Manifest, strategy, fields }
}

fn field(path: &str, from: Option<&str>, to: Option<&str>) -> FieldChange {
    FieldChange { path: path.into(), from: from.map(Value::plain), to: to.map(Value::plain) }
}

fn core_fields() -> Vec<FieldChange> {
    let committed = |text: &str| Some(Value::Committed(Salt::new("00").commit(text).into()));
    vec![
        FieldChange { path: "environment.DATABASE_URL".into(), from: committed("a"), to: committed("b") },
        field("environment.LOG_LEVEL", Some("info"), Some("debug")),
        FieldChange { path: "environment.TOKEN".into(), from: None, to: committed("c") },
        field("image", Some("ghcr.io/us/core:3f2c1"), Some("ghcr.io/us/core:9be02")),
    ]
}

fn step(id: &str, after: &[&str], target: Resource, does: Does) -> Step {
    let after = after.iter().map(|id| StepId::from(*id)).collect();
    Step { id: id.into(), after, does, target, cause: Cause::Manifest, deadline: Millis::minutes(5) }
}

fn old() -> ContainerRef {
    ContainerRef::Existing { id: ContainerId::new(OLD), name: "webkit-core-1".into() }
}

fn next() -> ContainerRef {
    ContainerRef::Made { by: "core/1/create".into() }
}

fn container(name: &str) -> Resource {
    Resource::Container(ContainerName::from(name))
}

fn removed(container: ContainerRef, keep_evidence: bool) -> Does {
    let volumes = AnonymousVolumes::RemoveExcept { carried: Vec::new() };
    Does::Remove(Remove { container, keep_evidence, force: keep_evidence, volumes })
}

fn steps(image: &ImageId) -> Vec<Step> {
    let core = || container("webkit-core-1");
    let probe = Probe::of(ProbeKind::Http(HttpProbe {
        port: 4001,
        path: "/health".into(),
        headers: BTreeMap::new(),
        host: ProbeHost::Container,
    }));
    let pull = Pull {
        reference: "ghcr.io/us/core:9be02".into(),
        digest: None,
        platform: None,
        image: image.clone(),
        size: Some(Bytes(41_250_000)),
    };
    let create = Create {
        service: "core".into(),
        name: ContainerName::new(format!("{}_webkit-core-1", &OLD[..12])),
        image: image.clone(),
        spec: ContainerSpec::default(),
        config_text: None,
        parents: BTreeMap::new(),
    };
    let gate = Gate {
        service: "core".into(),
        container: next(),
        proof: Proof::Ready { startup: None, readiness: Some(probe), docker: false },
        min_ready: Millis::seconds(10),
        on_deadline: OnDeadline::Undo,
    };
    let limits = Limits { memory: Some(Bytes::mebi(1536)), ..Limits::default() };
    let update = Update {
        container: ContainerRef::Existing { id: ContainerId::new("77"), name: "webkit-gotenberg-1".into() },
        limits,
        restart: None,
    };
    vec![
        step(
            "network:webkit_edge/create",
            &[],
            Resource::Network("webkit_edge".into()),
            Does::CreateNetwork(Default::default()),
        ),
        step("core/pull", &[], Resource::Image("ghcr.io/us/core:9be02".into()), Does::Pull(pull)),
        step("core/1/create", &["network:webkit_edge/create", "core/pull"], core(), Does::Create(Box::new(create))),
        step("core/1/start", &["core/1/create"], core(), Does::Start { container: next(), instead_of: None }),
        step("core/1/gate", &["core/1/start"], core(), Does::Gate(Box::new(gate))),
        step(
            "core/1/stop",
            &["core/1/gate"],
            core(),
            Does::Stop(Stop { container: old(), grace: Some(Millis::seconds(10)) }),
        ),
        step("core/1/remove", &["core/1/stop"], core(), removed(old(), false)),
        step("gotenberg/1/update", &["core/1/remove"], container("webkit-gotenberg-1"), Does::Update(Box::new(update))),
    ]
}

fn core_rollout() -> Rollout {
    let undo = |from: &str| Undo {
        from: from.into(),
        steps: vec![step(&format!("{from}/undo/1"), &[], container("webkit-core-1"), removed(next(), true))],
    };
    Rollout {
        id: "core".into(),
        service: "core".into(),
        members: vec![ServiceName::from("core")],
        strategy: Some(Strategy::StartFirst),
        why: "nothing that only one can have".into(),
        replaces: true,
        serving: true,
        spends: Vec::new(),
        repairs: false,
        steps: ["pull", "1/create", "1/start", "1/gate", "1/stop", "1/remove"]
            .map(|step| StepId::new(format!("core/{step}")))
            .to_vec(),
        undo: vec![undo("core/1/start"), undo("core/1/gate")],
    }
}

fn gotenberg_rollout() -> Rollout {
    Rollout {
        id: "gotenberg".into(),
        service: "gotenberg".into(),
        members: vec![ServiceName::from("gotenberg")],
        strategy: None,
        why: "in place".into(),
        replaces: true,
        serving: true,
        spends: Vec::new(),
        repairs: false,
        steps: vec!["gotenberg/1/update".into()],
        undo: Vec::new(),
    }
}

#[test]
fn the_designs_example() {
    let expected = "\
webkit  revision 14 → 15                                                  3 changes, 1 held

~ service/core                 replace, start-first: no downtime          image changed
    environment
      DATABASE_URL             *** (before) → *** (after)
      LOG_LEVEL                info → debug
      TOKEN                    (unset) → ***
    image                      ghcr.io/us/core:3f2c1 → ghcr.io/us/core:9be02 (sha256:77ab00000000…)
~ service/gotenberg            update in place                            limit changed
    limits.memory              1Gi → 1536Mi
+ network/webkit_edge          create                                     new

steps
  network:webkit_edge/create   network webkit_edge
  core                         start-first: nothing that only one can have
    core/pull                  ghcr.io/us/core:9be02, 41.2 MB
    core/1/create              webkit-core-1 (next)                       after network:webkit_edge/create, core/pull
    core/1/start
    core/1/gate                http :4001/health, ready for 10s within 5m
    core/1/stop                webkit-core-1 (8c1f0a1b2c3d), killed after 10s
    core/1/remove              webkit-core-1 (8c1f0a1b2c3d) with its anonymous volumes
    if start or gate fails: remove webkit-core-1 (next) with its anonymous volumes, its log kept; the old one never stopped
  gotenberg/1/update           memory 1536Mi                              after core/1/remove

notes
  slow-gate                    client: its healthcheck interval of 30s makes every rollout wait 30s
                               hint: add start_period and start_interval: 1s
held
  volume/webkit_postgres_data  volume-changed: driver_opts differ
                               hint: evenkeel explain volume-changed
capacity                       9.2 of 14 GiB, 9.7 at the peak of this rollout

3 changes, 1 held
";
    let text = plan_text(&example(), Style::PLAIN);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn colour_adds_sequences_only() {
    let coloured = plan_text(&example(), Style::COLOUR);
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some(start) = rest.find("\x1b[") {
        plain.push_str(&rest[..start]);
        let end = rest[start..].find('m').map_or(rest.len(), |end| start + end + 1);
        rest = &rest[end..];
    }
    plain.push_str(rest);
    assert_ne!(coloured, plain);
    assert_eq!(plain, plan_text(&example(), Style::PLAIN));
}

#[test]
fn a_plan_without_anything_is_one_line() {
    let mut plan = empty();
    let line = format!("webkit  revision 14{}no changes\n", " ".repeat(47));
    assert_eq!(plan_text(&plan, Style::PLAIN), line);
    plan.context.revision = None;
    assert!(plan_text(&plan, Style::PLAIN).starts_with("webkit  no revision "));
}

#[test]
fn a_note_alone_ends_with_the_counts() {
    let mut plan = empty();
    plan.notes = example().notes;
    let text = plan_text(&plan, Style::PLAIN);
    assert!(text.ends_with("\n\nno changes\n"), "{text}");
    assert!(!text.contains("\n\n\n"), "{text}");
}

#[test]
fn drift_makes_no_revision_and_says_so() {
    let mut plan = empty();
    plan.changes = vec![Change {
        cause: Cause::Drift,
        ..change("core", Action::Replace, Reason::ConfigurationChanged, Some(Strategy::StopFirst), Vec::new())
    }];
    let text = plan_text(&plan, Style::PLAIN);
    assert!(text.starts_with("webkit  revision 14  "), "{text}");
    assert!(text.contains("replace, stop-first: a short downtime"), "{text}");
    assert!(text.contains("configuration changed (drift)"), "{text}");
    assert!(text.ends_with("\n1 change\n"), "{text}");
}

#[test]
fn what_is_taken_over_as_it_is_is_no_change() {
    let mut plan = empty();
    plan.changes = ["core", "web"].map(|name| change(name, Action::Adopt, Reason::New, None, Vec::new())).into();
    assert_eq!(counts(&plan), "no changes, 2 to adopt untouched");
    plan.changes.push(change("db", Action::Update, Reason::LimitChanged, None, Vec::new()));
    plan.held = example().held;
    assert_eq!(counts(&plan), "1 change, 2 to adopt untouched, 1 held");
}

#[test]
fn a_long_field_stands_on_two_lines_and_cannot_break_them() {
    let mut plan = empty();
    let fields = vec![field("command", Some(&"a".repeat(90)), Some("b\n\x1b[2Jc")), field("user", Some("1"), None)];
    plan.changes = vec![change("core", Action::Replace, Reason::ConfigurationChanged, None, fields)];
    plan.changes[0].fields[0].to = Some(Value::plain(format!("{}\n\x1b[2Jc", "b".repeat(20))));
    let text = plan_text(&plan, Style::PLAIN);
    let expected = format!(
        "    command{}- {}\n{}+ {}\\n\\u{{1b}}[2Jc\n    user{}1 → (unset)\n",
        " ".repeat(12),
        "a".repeat(90),
        " ".repeat(23),
        "b".repeat(20),
        " ".repeat(15)
    );
    assert!(text.contains(&expected), "{text}");
}

#[test]
fn several_replicas_keep_their_numbers_and_a_stop_is_not_denied() {
    let mut plan = example();
    let rollout = &mut plan.rollouts[0];
    rollout.steps.push("core/2/create".into());
    rollout.undo.push(Undo { from: "core/1/stop".into(), steps: rollout.undo[0].steps.clone() });
    let lines = steps::undo_in_words(&plan.rollouts[0], &Words::of(&plan));
    let remove = "remove webkit-core-1 (next) with its anonymous volumes, its log kept";
    assert_eq!(
        lines,
        [
            format!("if 1/start or 1/gate fails: {remove}; the old one never stopped"),
            format!("if 1/stop fails: {remove}")
        ]
    );
}

#[test]
fn no_commitment_is_ever_printed() {
    for text in [plan_text(&example(), Style::PLAIN), super::super::markdown::plan_markdown(&example())] {
        assert!(!text.contains("hmac:"), "{text}");
    }
}

#[test]
fn capacity_says_what_is_declared_and_what_the_budget_is() {
    let mut report = CapacityReport::default();
    assert!(capacity_in_words(&report).is_empty());
    report.declared = Amount { memory: Bytes::mebi(512), cpus: "1.5".parse().unwrap(), pids: 100 };
    report.peak = report.declared;
    assert_eq!(capacity_in_words(&report), ["0.5 GiB", "1.5 CPUs"]);
    report.budget = Some(Budget { cpus: Some("4".parse().unwrap()), pids: Some(500), memory: None });
    report.peak.cpus = "2".parse().unwrap();
    assert_eq!(
        capacity_in_words(&report),
        ["0.5 GiB", "1.5 of 4 CPUs, 2 at the peak of this rollout", "100 of 500 processes"]
    );
}

#[test]
fn published_ports_and_aliases_are_written_as_people_do() {
    let mut plan = empty();
    let one = r#"[{"address":"127.0.0.1","port":"8090"}]"#;
    let two = r#"[{"address":"127.0.0.1","port":"8095"},{"port":"9000-9010"},{}]"#;
    let fields = vec![
        field("networks.shop_front.aliases", Some(r#"["web","www"]"#), None),
        field("networks.shop_front.mac", Some("a6:10:e1:df:e9:a9"), None),
        field("networks.shop_back.mac", Some("a6:10:e1:df:e9:a9"), None),
        field("ports.80/tcp", Some(one), Some(two)),
    ];
    plan.changes =
        vec![change("core", Action::Replace, Reason::ConfigurationChanged, Some(Strategy::StopFirst), fields)];
    let text = plan_text(&plan, Style::PLAIN);
    let expected = "    networks
      shop_front.aliases  web, www → (unset)
      shop_back.mac       a6:10:e1:df:e9:a9 → (unset)
    ports
      80/tcp              127.0.0.1:8090 → 127.0.0.1:8095, 9000-9010, any port
";
    assert!(text.contains(expected), "\n{text}");
}

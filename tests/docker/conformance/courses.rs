//! Written courses, one for each surprise.

use super::operations::{Operation::*, *};
use evenkeel::model::{
    container::{ContainerSpec, Healthcheck, Limits, MountSource, NetworkMode, RestartPolicy},
    observed::{Health, Status},
    units::{Bytes, Millis, NanoCpus},
    value::Value,
};

fn create(name: &'static str, spec: ContainerSpec) -> Operation {
    Create(name, Box::new(spec))
}

fn update(name: &'static str, limits: Limits) -> Operation {
    Update(name, Box::new(limits), None)
}

pub fn a_second_connect() -> Vec<Operation> {
    let mut two = on("one", None);
    two.networks.insert("two".into(), Default::default());
    vec![
        CreateNetwork("one", None),
        CreateNetwork("two", None),
        create("both", two),
        create("web", on("one", None)),
        Connect("web", "one"),
        Connect("web", "two"),
        Connect("none", "one"),
        Start("web"),
        Connect("web", "two"),
        Connect("web", "nowhere"),
        create("host", ContainerSpec { network_mode: NetworkMode::Host, ..web() }),
        Connect("host", "one"),
        Start("host"),
        Connect("host", "one"),
        create("alone", ContainerSpec { network_mode: NetworkMode::None, ..web() }),
        Start("alone"),
        Connect("alone", "one"),
        create("plain", web()),
        Start("plain"),
        Connect("plain", "one"),
        Disconnect("web", "two"),
        Disconnect("web", "two"),
        Connect("web", "two"),
        Stop("web", 5),
        Disconnect("web", "one"),
        Start("web"),
    ]
}

pub fn networks_in_use() -> Vec<Operation> {
    vec![
        CreateNetwork("net", None),
        CreateNetwork("net", None),
        create("web", on("net", None)),
        create("early", on("later", None)),
        Start("early"),
        CreateNetwork("later", None),
        Start("early"),
        Start("web"),
        RemoveNetwork("net"),
        Stop("web", 5),
        RemoveNetwork("net"),
        RemoveNetwork("net"),
        Start("web"),
        CreateNetwork("net", None),
        Start("web"),
        Remove("web", false, false),
        create("web", on("net", None)),
        RemoveNetwork("net"),
        Start("web"),
        CreateNetwork("net", None),
        Start("web"),
    ]
}

pub fn fixed_addresses() -> Vec<Operation> {
    vec![
        CreateNetwork("net", Some("10.213.99.0/24")),
        CreateNetwork("auto", None),
        create("first", on("net", Some("10.213.99.9"))),
        create("second", on("net", Some("10.213.99.9"))),
        Start("first"),
        Start("second"),
        Stop("first", 5),
        Start("second"),
        Start("first"),
        create("third", on("auto", Some("10.213.98.9"))),
        Start("third"),
    ]
}

pub fn hostnames() -> Vec<Operation> {
    let named = |name: &str| ContainerSpec { hostname: Some(name.into()), ..on("one", None) };
    vec![
        CreateNetwork("one", None),
        CreateNetwork("two", None),
        create("web", named("core")),
        create("same", named("same")),
        create("plain", on("one", None)),
        Connect("web", "two"),
        Connect("web", "later"),
        CreateNetwork("later", None),
        Start("web"),
        Start("same"),
        Start("plain"),
        Connect("same", "two"),
        Connect("plain", "bridge"),
    ]
}

pub fn busy_ports() -> Vec<Operation> {
    vec![
        create("first", publishes("", "39171")),
        create("second", restarts(publishes("", "39171"), RestartPolicy::Always)),
        create("local", publishes("127.0.0.1", "39171")),
        create("range", publishes("", "39171-39173")),
        create("any", publishes("", "")),
        Start("first"),
        Start("second"),
        Start("local"),
        Start("range"),
        Start("any"),
        Stop("first", 5),
        Start("second"),
        Start("first"),
        Remove("second", true, false),
        Start("first"),
    ]
}

pub fn updates() -> Vec<Operation> {
    let zeros = Limits { memory: Some(Bytes(0)), cpus: Some(NanoCpus(0)), ..Limits::default() };
    let swap = |swap: i64| Limits { memory_swap: Some(swap), ..Limits::default() };
    let cpus = |cpus: u64| Limits { cpus: Some(NanoCpus(cpus)), ..Limits::default() };
    let pids = |pids: i64| Limits { pids: Some(pids), ..Limits::default() };
    let reservation = |size: u64| Limits { memory_reservation: Some(Bytes::mebi(size)), ..Limits::default() };
    let quota = Limits { cpu_quota: Some(50_000), ..Limits::default() };
    let fat = "dd if=/dev/zero of=/fat/file bs=1M count=100 2>/dev/null; touch /fat/done; exec /bin/web";
    let fat = ContainerSpec {
        mounts: [("/fat".to_owned(), evenkeel::model::container::Mount::of(MountSource::Tmpfs))].into(),
        healthcheck: Some(Healthcheck {
            test: ["CMD-SHELL", "test -e /fat/done"].map(Value::plain).into(),
            interval: Some(Millis(200)),
            retries: Some(1000),
            ..Healthcheck::default()
        }),
        ..script(fat, "memory=100Mi stop-code=0")
    };
    vec![
        create("web", web()),
        create("set", limited(memory(64, None))),
        create("quota", limited(quota.clone())),
        Start("web"),
        Start("set"),
        update("web", memory(64, None)),
        update("web", memory(64, Some(128))),
        update("set", memory(128, None)),
        update("set", memory(256, None)),
        update("set", memory(256, Some(512))),
        update("set", zeros),
        update("set", memory(1, Some(2))),
        update("set", memory(64, Some(32))),
        update("set", swap(-1)),
        update("set", memory(128, None)),
        update("set", cpus(500_000_000)),
        update("set", cpus(900_000_000_000)),
        update("set", quota),
        update("quota", cpus(500_000_000)),
        update("set", pids(100)),
        update("set", pids(-1)),
        update("set", pids(0)),
        update("set", reservation(32)),
        update("set", reservation(0)),
        update("set", reservation(1024)),
        Update("set", Box::default(), Some(RestartPolicy::OnFailure(4))),
        Update("set", Box::default(), Some(RestartPolicy::No)),
        update("none", pids(5)),
        Stop("set", 5),
        update("set", memory(8, Some(16))),
        create("fat", fat),
        Start("fat"),
        Await("fat", Until::Health(Health::Healthy)),
        update("fat", memory(256, Some(512))),
        update("fat", memory(32, Some(64))),
        Remove("fat", true, false),
    ]
}

pub fn limits_at_creation() -> Vec<Operation> {
    let limits = |limits: Limits| Box::new(limited(limits));
    let check = Healthcheck {
        test: vec![Value::plain("CMD"), Value::plain("true")],
        start_interval: Some(Millis::seconds(1)),
        ..Healthcheck::default()
    };
    vec![
        Create("small", limits(memory(1, None))),
        Create("swap", limits(Limits { memory_swap: Some(64 << 20), ..Limits::default() })),
        Create("below", limits(memory(64, Some(32)))),
        Create("cpus", limits(Limits { cpus: Some(NanoCpus(900_000_000_000)), ..Limits::default() })),
        Create("weight", limits(Limits { blkio_weight: Some(300), ..Limits::default() })),
        Create("pids", limits(Limits { pids: Some(-1), ..Limits::default() })),
        Create("zeros", limits(Limits { memory: Some(Bytes(0)), cpus: Some(NanoCpus(0)), ..Limits::default() })),
        Create("rich", limits(Limits { cpus: Some(NanoCpus(1_000_000_000)), pids: Some(9), ..memory(64, None) })),
        create("check", ContainerSpec { healthcheck: Some(check), ..web() }),
        create("grace", ContainerSpec { stop_grace: Some(Millis(2700)), ..web() }),
        create("entry", ContainerSpec { entrypoint: Some(vec![Value::plain("/bin/web")]), ..web() }),
        create("silent", ContainerSpec { network_mode: NetworkMode::Networks, ..web() }),
        create("named", ContainerSpec { hostname: Some("me".into()), ..shares("rich") }),
        create("bind", mounts(MountSource::Bind("nowhere".into()))),
    ]
}

pub fn volumes() -> Vec<Operation> {
    vec![
        CreateVolume("data", "one"),
        CreateVolume("data", "two"),
        create("web", volume("data")),
        create("other", volume("made-by-it")),
        RemoveVolume("data"),
        Start("web"),
        RemoveVolume("data"),
        Remove("web", true, true),
        RemoveVolume("data"),
        RemoveVolume("data"),
        Remove("other", false, true),
        RemoveVolume("made-by-it"),
    ]
}

pub fn anonymous_volumes() -> Vec<Operation> {
    let from = |name: &str| ContainerSpec { volumes_from: vec![name.to_owned()], ..web() };
    vec![
        create("one", mounts(MountSource::Anonymous(None))),
        create("two", with_image_volume()),
        Remove("one", false, false),
        create("three", from("two")),
        Remove("three", false, true),
        create("three", from("two")),
        Remove("two", false, true),
        Remove("three", false, true),
        create("four", with_image_volume()),
        Start("four"),
        Remove("four", true, true),
    ]
}

pub fn names_and_removal() -> Vec<Operation> {
    vec![
        create("web", web()),
        create("web", web()),
        CreateFromNothing("nothing"),
        create("we b", web()),
        create("other", web()),
        Rename("other", "web"),
        Rename("other", "other"),
        Rename("other", "ot/her"),
        Rename("none", "some"),
        Start("web"),
        Start("web"),
        Rename("web", "kept"),
        Rename("other", "web"),
        Exec("web", &["true"]),
        Exec("kept", &["sh", "-c", "exit 3"]),
        Exec("none", &["true"]),
        Log("web"),
        Remove("kept", false, false),
        Stop("kept", 5),
        Stop("kept", 5),
        Remove("kept", false, false),
        Remove("kept", true, false),
        Start("kept"),
        Stop("kept", 1),
        Stop("web", 1),
        Kill("web"),
        Remove("web", true, true),
    ]
}

pub fn kills_and_deaths() -> Vec<Operation> {
    let crash = || script("exit 3", "exit=3@1ms");
    vec![
        create("killed", restarts(web(), RestartPolicy::Always)),
        Start("killed"),
        Kill("killed"),
        Start("killed"),
        create("crash", restarts(crash(), RestartPolicy::Always)),
        Begin("crash"),
        Await("crash", Until::Restarts(6)),
        Await("crash", Until::Status(Status::Restarting)),
        Remove("crash", false, false),
        Exec("crash", &["true"]),
        Stop("crash", 1),
        Remove("crash", false, false),
        create("deaf", script("trap '' TERM; while :; do sleep 1; done", "stop=never")),
        Start("deaf"),
        Stop("deaf", 1),
        create("polite", script("trap 'exit 5' TERM; touch /tmp/set; while :; do sleep 0.05; done", "stop-code=5")),
        Start("polite"),
        Exec("polite", &["sh", "-c", "exit 0"]),
        Stop("polite", 5),
    ]
}

pub fn pauses() -> Vec<Operation> {
    let check = Healthcheck {
        test: ["CMD", "true"].map(Value::plain).into(),
        interval: Some(Millis(300)),
        ..Healthcheck::default()
    };
    let checked = || ContainerSpec { healthcheck: Some(check.clone()), ..restarts(web(), RestartPolicy::Always) };
    vec![
        CreateNetwork("net", None),
        CreateNetwork("other", None),
        create("web", on("net", None)),
        Pause("web"),
        Unpause("web"),
        Start("web"),
        Unpause("web"),
        Pause("web"),
        Pause("web"),
        Start("web"),
        Exec("web", &["true"]),
        Log("web"),
        Rename("web", "frozen"),
        Connect("frozen", "other"),
        Disconnect("frozen", "other"),
        Update("frozen", Box::default(), Some(RestartPolicy::Always)),
        Remove("frozen", false, false),
        Unpause("frozen"),
        Exec("frozen", &["true"]),
        Pause("frozen"),
        Stop("frozen", 5),
        Unpause("frozen"),
        Start("frozen"),
        Pause("frozen"),
        Restart("frozen"),
        Pause("frozen"),
        Kill("frozen"),
        Start("frozen"),
        Pause("frozen"),
        Remove("frozen", true, true),
        create("checked", checked()),
        Start("checked"),
        Await("checked", Until::Health(Health::Healthy)),
        Pause("checked"),
        Stop("checked", 5),
        create("crash", restarts(script("exit 3", "exit=3@1ms"), RestartPolicy::Always)),
        Begin("crash"),
        Await("crash", Until::Restarts(6)),
        Await("crash", Until::Status(Status::Restarting)),
        Pause("crash"),
        Unpause("crash"),
        Remove("crash", true, false),
        Unpause("nobody"),
        Pause("nobody"),
    ]
}

pub fn one_shots() -> Vec<Operation> {
    let oom = ContainerSpec { limits: memory(16, Some(16)), ..script("FAIL=oom exec /bin/web", "memory=32Mi") };
    vec![
        create("fails", restarts(script("exit 7", "exit=7@1ms"), RestartPolicy::OnFailure(2))),
        Begin("fails"),
        Await("fails", Until::Restarts(2)),
        Await("fails", Until::Status(Status::Exited)),
        create("succeeds", restarts(script("exit 0", "exit=0@1ms"), RestartPolicy::OnFailure(0))),
        Begin("succeeds"),
        Await("succeeds", Until::Status(Status::Exited)),
        create("ends", script("exit 9", "exit=9@1ms")),
        Begin("ends"),
        Await("ends", Until::Status(Status::Exited)),
        create("oom", oom),
        Begin("oom"),
        Await("oom", Until::Status(Status::Exited)),
        Log("oom"),
    ]
}

pub fn a_shared_network() -> Vec<Operation> {
    vec![
        CreateNetwork("net", None),
        create("parent", on("net", None)),
        create("child", shares("parent")),
        create("early", shares("parent")),
        Connect("early", "nowhere"),
        Connect("early", "net"),
        Connect("early", "nowhere"),
        Start("child"),
        Start("parent"),
        Start("child"),
        Connect("child", "net"),
        Start("early"),
        Stop("parent", 5),
        Start("parent"),
        Remove("parent", true, false),
        Start("child"),
        Stop("child", 5),
        Start("child"),
        create("orphan", shares("nobody")),
        Start("orphan"),
    ]
}

pub fn content_of_a_bound_file() -> Vec<Operation> {
    let mut web = web();
    let mount = evenkeel::model::container::Mount::of(MountSource::Bind("app.conf".into()));
    web.mounts.insert("/etc/app.conf".into(), mount);
    vec![
        Write("one"),
        create("web", web),
        Start("web"),
        Exec("web", &["cat", "/etc/app.conf"]),
        Write("two"),
        Exec("web", &["cat", "/etc/app.conf"]),
        Stop("web", 5),
        Start("web"),
        Exec("web", &["cat", "/etc/app.conf"]),
    ]
}

pub fn files_that_are_written() -> Vec<Operation> {
    let read = || Exec("web", &["cat", "/run/secrets/deep/token"]);
    vec![
        create("web", web()),
        Put("web", "/run/secrets/deep/token", "one"),
        Start("web"),
        read(),
        Put("web", "/run/secrets/deep/token", "two"),
        read(),
        Stop("web", 5),
        Put("web", "/run/secrets/deep/token", "three"),
        Start("web"),
        read(),
        Put("none", "/run/secrets/token", "one"),
        create("closed", ContainerSpec { read_only: true, ..web() }),
        Put("closed", "/run/secrets/token", "one"),
        create("unset", ContainerSpec { unset: ["VERSION".to_owned()].into(), ..web() }),
        Start("unset"),
    ]
}

pub fn health() -> Vec<Operation> {
    let check = |test: &str, interval: u64| Healthcheck {
        test: vec![Value::plain("CMD"), Value::plain(test)],
        interval: Some(Millis(interval)),
        retries: Some(2),
        ..Healthcheck::default()
    };
    let checked = |check| ContainerSpec { healthcheck: Some(check), ..web() };
    vec![
        create("slow", checked(check("true", 600_000))),
        Start("slow"),
        Kill("slow"),
        create("good", checked(check("true", 300))),
        Start("good"),
        Await("good", Until::Health(Health::Healthy)),
        Exec("good", &["true"]),
        Stop("good", 5),
        create("bad", checked(check("false", 300))),
        Start("bad"),
        Await("bad", Until::Health(Health::Unhealthy)),
        Exec("bad", &["true"]),
        Remove("bad", true, false),
        create("off", checked(Healthcheck { test: vec![Value::plain("NONE")], ..Healthcheck::default() })),
        Start("off"),
    ]
}

pub fn image_tags() -> Vec<Operation> {
    vec![
        Tag(crate::support::IMAGE, "kept:1"),
        Tag("evenkeel-test/web:2", "kept:1"),
        Tag("evenkeel-test/no:1", "kept:2"),
        create("web", web()),
        Untag("kept:1"),
        Untag("kept:1"),
    ]
}

pub fn restarts_of_the_engine() -> Vec<Operation> {
    let mut course = Vec::new();
    let policies = [
        (["running-no", "stopped-no", "created-no"], RestartPolicy::No),
        (["running-always", "stopped-always", "created-always"], RestartPolicy::Always),
        (["running-unless", "stopped-unless", "created-unless"], RestartPolicy::UnlessStopped),
        (["running-failure", "stopped-failure", "created-failure"], RestartPolicy::OnFailure(0)),
    ];
    for ([running, stopped, created], policy) in policies {
        // A code other than 0, which on-failure takes for a failure even when it was stopped by hand.
        let spec = || restarts(script("sleep 10000", "stop=never"), policy);
        course.extend([create(running, spec()), create(stopped, spec()), create(created, spec())]);
        course.extend([Start(running), Start(stopped), Stop(stopped, 0)]);
    }
    course.extend([
        create("killed", restarts(web(), RestartPolicy::Always)),
        create("killed-unless", restarts(web(), RestartPolicy::UnlessStopped)),
        create("polite", restarts(web(), RestartPolicy::OnFailure(0))),
        create("changed", restarts(web(), RestartPolicy::Always)),
        create("paused", restarts(web(), RestartPolicy::Always)),
        create("paused-no", web()),
        create("given-up", restarts(script("exit 1", "exit=1@1ms"), RestartPolicy::OnFailure(1))),
        Start("killed"),
        Start("killed-unless"),
        Start("polite"),
        Start("changed"),
        Start("paused"),
        Start("paused-no"),
        Pause("paused"),
        Pause("paused-no"),
        Kill("killed"),
        Kill("killed-unless"),
        // What a stopFirst rollout does, so that the old container stays down.
        Update("changed", Box::default(), Some(RestartPolicy::No)),
        Stop("changed", 5),
        Begin("given-up"),
        Await("given-up", Until::Restarts(1)),
        Await("given-up", Until::Status(Status::Exited)),
        Log("given-up"),
        RestartEngine,
        // The engine answers before it has started all of them.
        Await("running-always", Until::Status(Status::Running)),
        Await("stopped-always", Until::Status(Status::Running)),
        Await("running-unless", Until::Status(Status::Running)),
        Await("running-failure", Until::Status(Status::Running)),
        Await("stopped-failure", Until::Status(Status::Running)),
        Await("killed", Until::Status(Status::Running)),
        Await("paused", Until::Status(Status::Running)),
        Log("killed"),
        Update("changed", Box::default(), Some(RestartPolicy::Always)),
        Start("changed"),
    ]);
    course
}

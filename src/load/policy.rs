//! What the manifest says beside Compose, with every default filled in: `defaults`, over them the service's own.

use super::{
    manifest::{
        Stack,
        scalars::Duration,
        service::{
            Budget as WrittenBudget, HeaderValue, Limits, Liveness as WrittenLiveness, Probe as WrittenProbe,
            ProbeHost as WrittenHost, Probes as WrittenProbes, Rollout, ServicePolicy,
        },
    },
    project::Read,
    registries::Keeper,
    sensitive, tree, windows,
};
use crate::{
    compose::{Text, yaml::Faults},
    model::{
        container,
        names::ServiceName,
        policy::{
            Budget, Capacity, ExecProbe, HttpProbe, Liveness, Probe, ProbeHost, ProbeKind, Probes, RolloutPolicy,
            StackPolicy, TcpProbe,
        },
        units::Millis,
    },
};

/// Between two attempts of a liveness probe, where nothing is written.
const LIVENESS_PERIOD: Millis = Millis::seconds(10);

/// The policy of the stack as a whole.
pub fn stack(manifest: &Stack, order: Vec<Vec<ServiceName>>) -> StackPolicy {
    let spec = &manifest.spec;
    let rollout = spec.rollout.clone().unwrap_or_default();
    let capacity = spec.capacity.as_ref().map(|capacity| Capacity {
        memory: capacity.memory.map(|size| size.0),
        cpus: capacity.cpus.map(|cpus| cpus.0),
        pids: capacity.pids,
        require_limits: capacity.require_limits,
    });
    StackPolicy {
        protect: manifest.metadata.protect,
        adopt: spec.adopt,
        prune: spec.prune,
        order,
        max_parallel: rollout.max_parallel.unwrap_or(1),
        on_failure: rollout.on_failure.unwrap_or_default(),
        capacity,
    }
}

/// The written policy of one service: its own over the defaults, field by field.
pub fn written(read: &Read, service: &str) -> ServicePolicy {
    let spec = &read.stack.spec;
    let below = spec.defaults.clone().unwrap_or_default();
    let own = spec.services.get(service).cloned().unwrap_or_default();
    let (below_limits, limits) = (below.limits.unwrap_or_default(), own.limits.unwrap_or_default());
    let (below_rollout, rollout) = (below.rollout.unwrap_or_default(), own.rollout.unwrap_or_default());
    let (below_probes, probes) = (below.probes.unwrap_or_default(), own.probes.unwrap_or_default());
    ServicePolicy {
        limits: Some(Limits {
            memory: limits.memory.or(below_limits.memory),
            cpus: limits.cpus.or(below_limits.cpus),
            pids: limits.pids.or(below_limits.pids),
        }),
        rollout: Some(Rollout {
            strategy: rollout.strategy.or(below_rollout.strategy),
            min_ready: rollout.min_ready.or(below_rollout.min_ready),
            deadline: rollout.deadline.or(below_rollout.deadline),
            drain: rollout.drain.or(below_rollout.drain),
            shared_volumes: rollout.shared_volumes.or(below_rollout.shared_volumes),
            apply: rollout.apply.or(below_rollout.apply),
            window: windows::over(rollout.window, below_rollout.window),
            limits: rollout.limits.or(below_rollout.limits),
        }),
        probes: Some(WrittenProbes {
            startup: probe_over(probes.startup, below_probes.startup),
            readiness: probe_over(probes.readiness, below_probes.readiness),
            liveness: liveness_over(probes.liveness, below_probes.liveness),
        }),
    }
}

/// One probe over its default; a kind of its own replaces the default's.
fn probe_over(own: Option<WrittenProbe>, below: Option<WrittenProbe>) -> Option<WrittenProbe> {
    let (own, mut below) = match (own, below) {
        (Some(own), Some(below)) => (own, below),
        (own, below) => return own.or(below),
    };
    if !own.kinds().is_empty() {
        below = WrittenProbe { http: None, tcp: None, exec: None, docker: None, ..below };
    }
    Some(WrittenProbe {
        http: own.http.or(below.http),
        tcp: own.tcp.or(below.tcp),
        exec: own.exec.or(below.exec),
        docker: own.docker.or(below.docker),
        period: own.period.or(below.period),
        timeout: own.timeout.or(below.timeout),
        successes: own.successes.or(below.successes),
        failures: own.failures.or(below.failures),
    })
}

/// The same of a liveness probe, its budget included.
fn liveness_over(own: Option<WrittenLiveness>, below: Option<WrittenLiveness>) -> Option<WrittenLiveness> {
    let (own, below) = match (own, below) {
        (Some(own), Some(below)) => (own, below),
        (own, below) => return own.or(below),
    };
    let probe = probe_over(Some(own.probe()), Some(below.probe()))?;
    let WrittenProbe { http, tcp, exec, docker, period, timeout, successes: _, failures } = probe;
    let (budget, below) = (own.budget.unwrap_or_default(), below.budget.unwrap_or_default());
    let budget = WrittenBudget { restarts: budget.restarts.or(below.restarts), per: budget.per.or(below.per) };
    Some(WrittenLiveness { http, tcp, exec, docker, period, timeout, failures, budget: Some(budget) })
}

/// The manifest's limits, which win over those of the Compose file.
pub fn limit(written: &ServicePolicy, limits: &mut container::Limits) {
    let Some(own) = &written.limits else {
        return;
    };
    limits.memory = own.memory.map(|size| size.0).or(limits.memory);
    limits.cpus = own.cpus.map(|cpus| cpus.0).or(limits.cpus);
    limits.pids = own.pids.map(i64::from).or(limits.pids);
}

/// How a service's containers are replaced. A deadline that no container can meet is a fault.
pub fn rollout(
    read: &Read,
    service: &str,
    written: &ServicePolicy,
    one_shot: bool,
    faults: &mut Faults,
) -> RolloutPolicy {
    let own = written.rollout.clone().unwrap_or_default();
    let default = RolloutPolicy::default();
    let policy = RolloutPolicy {
        window: windows::of(read, service, &own, faults),
        apply: own.apply.unwrap_or(default.apply),
        strategy: own.strategy,
        min_ready: own.min_ready.map_or(default.min_ready, |span| span.0),
        deadline: own.deadline.map_or(if one_shot { Millis::minutes(60) } else { default.deadline }, |span| span.0),
        drain: own.drain.map_or(default.drain, |span| span.0),
        shared_volumes: own.shared_volumes.unwrap_or(default.shared_volumes),
        limits: own.limits.unwrap_or(default.limits),
    };
    if policy.deadline <= policy.min_ready {
        let place = ["deadline", "minReady"].iter().flat_map(|field| {
            [vec!["spec", "services", service, "rollout", *field], vec!["spec", "defaults", "rollout", *field]]
        });
        let place = place.into_iter().find(|path| tree::node(&read.tree, path).is_some()).unwrap_or_default();
        let message = format!(
            "{service}: its deadline of {} must be longer than its minReady of {}",
            policy.deadline, policy.min_ready
        );
        let fault = read.fault_at_value(&place, message).code("range");
        faults.push(fault.hint("a container must be ready, and stay so for `minReady`, before the deadline"));
    }
    policy
}

/// The probes that a gate asks.
pub fn probes(read: &Read, service: &str, written: &ServicePolicy, keeper: &Keeper<'_>, faults: &mut Faults) -> Probes {
    let mut probes = Probes::default();
    for (kind, written) in written.probes.iter().flat_map(WrittenProbes::each) {
        match kind {
            "startup" => probes.startup = probe(read, service, kind, &written, keeper, faults),
            "readiness" => probes.readiness = probe(read, service, kind, &written, keeper, faults),
            _ => {}
        }
    }
    probes
}

/// The probe that is asked all the time. What ends by itself is not kept alive.
pub fn liveness(
    read: &Read,
    service: &str,
    written: &ServicePolicy,
    one_shot: bool,
    keeper: &Keeper<'_>,
    faults: &mut Faults,
) -> Option<Liveness> {
    let own = written.probes.as_ref()?.liveness.as_ref()?;
    if one_shot {
        let path = ["spec", "services", service, "probes", "liveness"];
        if tree::node(&read.tree, &path).is_some_and(|node| !node.is_null()) {
            let message = format!("`{}` is of a service that ends by itself", tree::shown(&path));
            let hint = "drop it, or write `restart: unless-stopped`; a service that another awaits the end of, or whose \
                        restart policy is `no` or `on-failure`, is run once";
            faults.push(read.fault(&path, message).code("conflict").hint(hint));
        }
        return None;
    }
    let asked = WrittenProbe { period: own.period.or(Some(Duration(LIVENESS_PERIOD))), ..own.probe() };
    let probe = probe(read, service, "liveness", &asked, keeper, faults)?;
    let (budget, default) = (own.budget.clone().unwrap_or_default(), Budget::default());
    let budget = Budget {
        restarts: budget.restarts.unwrap_or(default.restarts),
        per: budget.per.map_or(default.per, |span| span.0),
    };
    Some(Liveness { probe, budget })
}

/// One probe. A default without a kind says only how often; a service's own must have a kind in the end.
fn probe(
    read: &Read,
    service: &str,
    kind: &str,
    written: &WrittenProbe,
    keeper: &Keeper<'_>,
    faults: &mut Faults,
) -> Option<Probe> {
    let path = ["spec", "services", service, "probes", kind];
    if let Some(attempt) = attempt(written, &path, keeper, faults) {
        return Some(with_times(Probe::of(attempt), written));
    }
    if tree::node(&read.tree, &path).is_some_and(|node| !node.is_null()) {
        let fault = read.fault(&path, format!("`{}` does not say what to ask", tree::shown(&path)));
        faults.push(fault.code("missing").hint("add one of `http`, `tcp`, `exec`, `docker`"));
    }
    None
}

fn with_times(mut probe: Probe, written: &WrittenProbe) -> Probe {
    probe.period = written.period.map_or(probe.period, |span| span.0);
    probe.timeout = written.timeout.map_or(probe.timeout, |span| span.0);
    probe.successes = written.successes.unwrap_or(probe.successes);
    probe.failures = written.failures.unwrap_or(probe.failures);
    probe
}

fn attempt(probe: &WrittenProbe, path: &[&str], keeper: &Keeper<'_>, faults: &mut Faults) -> Option<ProbeKind> {
    let host =
        |host: Option<WrittenHost>| host.map_or(ProbeHost::Container, |WrittenHost::Loopback| ProbeHost::Loopback);
    if let Some(http) = &probe.http {
        let mut headers = std::collections::BTreeMap::new();
        for (name, value) in &http.headers {
            let value = match value {
                HeaderValue::Text(text) => sensitive::option(name, &Text::literal(text)),
                HeaderValue::Secret(source) => {
                    let path: Vec<&str> = path.iter().copied().chain(["http", "headers", name]).collect();
                    keeper.take(source, &path, faults)
                }
            };
            headers.insert(name.clone(), value);
        }
        let path = http.path.clone().unwrap_or_else(|| "/".to_owned());
        return Some(ProbeKind::Http(HttpProbe { port: http.port, path, headers, host: host(http.host) }));
    }
    if let Some(tcp) = &probe.tcp {
        return Some(ProbeKind::Tcp(TcpProbe { port: tcp.port, host: host(tcp.host) }));
    }
    if let Some(exec) = &probe.exec {
        let command = exec.command.iter().map(|word| sensitive::word(&Text::literal(word))).collect();
        return Some(ProbeKind::Exec(ExecProbe { command }));
    }
    probe.docker.as_ref().map(|_| ProbeKind::Docker {})
}

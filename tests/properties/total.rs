//! The planner takes anything: what runs and what is declared need not fit, and the plan is whole all the same.

use crate::{
    course,
    seed::{Seed, seeds},
    stacks::Sketch,
    story::request,
};
use evenkeel::{
    model::{
        container::{NetworkMode, RestartPolicy},
        desired::Desired,
        image::{Images, ResolvedImage},
        names::{ContainerName, ServiceName},
        observed::{Health, Observed, Status},
        plan::{CurrentRevision, Facts, Plan, PlanContext, Purpose},
        units::Timestamp,
        value::{Salt, Value},
    },
    observe::{Wanted, observe},
    plan::plan,
};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn whatever_runs_there_is_a_whole_plan() {
    for number in seeds(4_000_000, 25) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(case(number));
    }
}

async fn case(number: u64) {
    let mut seed = Seed::new(number);
    let (from, to) = (Sketch::fine(&mut seed), Sketch::fine(&mut seed));
    let mut host = course::host().await;
    let before = request(&mut host, &from);
    host.stack().apply(&before).await.unwrap();
    let before = Desired::clone(&before.desired);
    let desired = Desired::clone(&request(&mut host, &to).desired);
    let stack = before.stack.clone();
    let observed = observe(&host.engine, &stack, &Wanted::of([&before, &desired]), Timestamp(0)).await.unwrap();
    let images = images(&observed, &[&before, &desired]);
    for round in 0..40 {
        let (mut observed, mut desired) = (observed.clone(), desired.clone());
        mangle(&mut seed, &mut observed);
        twist(&mut seed, &mut desired);
        let context = context(&mut seed, &before, &images);
        let first = plan(&desired, &observed, &context);
        let again = plan(&desired, &observed, &context);
        assert!(
            first.canonical_bytes() == again.canonical_bytes(),
            "EVENKEEL_SEED={number} {round}: not the same twice"
        );
        if let Some(fault) = fault(&first) {
            panic!("EVENKEEL_SEED={number} {round}: {fault}\n{first:#?}");
        }
    }
}

fn images(observed: &Observed, all: &[&Desired]) -> Images {
    let mut images = Images::new();
    for (at, service) in all.iter().flat_map(|desired| desired.services.values()).enumerate() {
        let found = observed.containers.values().find(|there| there.spec.image == service.container.image);
        let id = found.map_or_else(|| format!("sha256:{at:064}").as_str().into(), |there| there.image.clone());
        let config = observed.images.get(&id).cloned().unwrap_or_default();
        images.insert(
            service.container.image.clone(),
            ResolvedImage { id, pull: at % 3 == 0, config, ..ResolvedImage::default() },
        );
    }
    images
}

fn context(seed: &mut Seed, before: &Desired, images: &Images) -> PlanContext {
    let mut facts = Facts::default();
    if seed.percent(60) {
        let desired = before.clone().into();
        facts.current = Some(CurrentRevision { number: 1, made: Timestamp(0), desired, images: images.clone() });
    }
    if seed.percent(30) {
        facts.not_started.insert("a".into());
    }
    let mut images = images.clone();
    if seed.percent(20) {
        images.pop_first();
    }
    let named: BTreeSet<ServiceName> = ["a", "b", "nobody"].into_iter().map(ServiceName::from).collect();
    PlanContext {
        plan: "p-000000000000".into(),
        now: Timestamp(0),
        salt: Salt::new("00"),
        images,
        selected: seed.percent(30).then_some(named),
        purpose: seed.pick(&[
            Purpose::Apply,
            Purpose::Apply,
            Purpose::Keep,
            Purpose::Restart,
            Purpose::Rollback,
            Purpose::Down { volumes: true },
        ]),
        yes: seed.percent(50),
        second_stack: seed.percent(50),
        dropped: BTreeSet::new(),
        root: seed.percent(50),
        attended: false,
        unwell: BTreeMap::new(),
        facts,
    }
}

/// Makes nonsense of what was observed.
fn mangle(seed: &mut Seed, observed: &mut Observed) {
    let mut containers = std::mem::take(&mut observed.containers);
    let names: Vec<ContainerName> = containers.keys().cloned().collect();
    for name in names {
        let Some(mut there) = containers.remove(&name) else { continue };
        match seed.below(14) {
            0 => continue,
            1 => there.state.status = seed.pick(&[Status::Created, Status::Exited, Status::Dead, Status::Removing]),
            2 => there.state.status = seed.pick(&[Status::Paused, Status::Restarting]),
            3 => there.state.health = seed.pick(&[Health::Unhealthy, Health::Starting]),
            4 => there.name = ContainerName::new(format!("{}_{}", there.id.short(), there.name)),
            5 => there.name = ContainerName::new(format!("0123456789ab_{}", there.name)),
            6 => there.spec.labels.insert("com.docker.compose.container-number".into(), Value::plain("many")),
            7 => there.spec.labels.insert("com.docker.compose.service".into(), Value::plain("")),
            8 => there.spec.networks.clear(),
            9 => there.spec.network_mode = NetworkMode::Container("gone".into()),
            10 => there.spec.restart = RestartPolicy::No,
            11 => there.state.error = "it could not".into(),
            12 => there.spec.labels = Default::default(),
            _ => {}
        }
        if seed.percent(15) {
            let mut double = there.clone();
            double.id = format!("{:016x}", seed.next()).repeat(4).as_str().into();
            double.name = ContainerName::new(format!("{}_{}", there.id.short(), there.name));
            observed.containers.insert(double.name.clone(), double);
        }
        observed.containers.insert(there.name.clone(), there);
    }
    if seed.percent(20) {
        observed.networks.clear();
    }
    if seed.percent(20) {
        observed.images.clear();
    }
    if seed.percent(10) {
        observed.volumes.clear();
    }
}

/// Makes nonsense of what is declared: what no loader would give.
fn twist(seed: &mut Seed, desired: &mut Desired) {
    let names: Vec<ServiceName> = desired.services.keys().cloned().collect();
    let Some(service) = desired.services.get_mut(&seed.pick(&names)) else { return };
    match seed.below(9) {
        0 => service.replicas = seed.pick(&[0, 40]),
        1 => drop(service.shares.insert(seed.pick(&names))),
        2 => drop(service.shares.insert("nobody".into())),
        3 => service.container_name = Some("shop-a-1".into()),
        4 => service.container.network_mode = NetworkMode::Service("nobody".into()),
        5 => desired.policy.order = vec![names.clone(), names],
        6 => desired.policy.max_parallel = 0,
        7 => desired.services.clear(),
        _ => {}
    }
}

/// What makes a plan one that can't be executed.
fn fault(plan: &Plan) -> Option<String> {
    let mut places = BTreeMap::new();
    for (at, step) in plan.steps.iter().enumerate() {
        if places.insert(&step.id, at).is_some() {
            return Some(format!("two steps are {}", step.id));
        }
    }
    for step in &plan.steps {
        if let Some(missing) = step.after.iter().find(|id| !places.contains_key(id)) {
            return Some(format!("{} comes after {missing}, which is not there", step.id));
        }
    }
    let mut done: BTreeSet<_> = BTreeSet::new();
    while done.len() < plan.steps.len() {
        let ready = |step: &&evenkeel::model::step::Step| {
            !done.contains(&step.id) && step.after.iter().all(|id| done.contains(id))
        };
        match plan.steps.iter().find(ready) {
            Some(step) => done.insert(step.id.clone()),
            None => return Some("its steps wait for each other".into()),
        };
    }
    for rollout in &plan.rollouts {
        let own = |id: &evenkeel::model::names::StepId| places.contains_key(id) && rollout.steps.contains(id);
        if let Some(id) = rollout.steps.iter().find(|id| !places.contains_key(id)) {
            return Some(format!("rollout {} has {id}, which is not there", rollout.id));
        }
        if let Some(undo) = rollout.undo.iter().find(|undo| !own(&undo.from)) {
            return Some(format!("an undo is from {}, which is not there", undo.from));
        }
    }
    None
}

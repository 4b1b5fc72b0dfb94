//! The other verbs, disturbed: what `apply SERVICE`, `restart`, `rollback` and `down` promise, wherever they are cut off.

use crate::{
    course::{self, is_meddled},
    seed::{Seed, seeds},
    shape::{Shape, foreign, is_of_stack},
    stacks::Sketch,
    story::{
        Ended, Judged, act, apply, container_names, converge, for_each, kept_all, request, request_of, require,
        running, runs_like, settled, some, story, write,
    },
    support::Host,
    watch::Watch,
};
use evenkeel::{
    controllers::stack::{DownRequest, RestartRequest, RollbackRequest, StackError},
    engine::{Containers, Networks, Volumes, clock::Clock, simulated::Fault},
    model::{container::MountSource, desired::Desired, names::ServiceName, revision::Origin, units::Millis},
};
use std::collections::{BTreeMap, BTreeSet};

fn origin() -> Origin {
    Origin { actor: "ann".into(), ..Origin::default() }
}

fn named(names: &[&str]) -> BTreeSet<ServiceName> {
    names.iter().map(|name| ServiceName::from(*name)).collect()
}

/// The ids of the containers of these services, by name.
fn ids(host: &Host, services: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let snapshot = host.engine.snapshot();
    let of_them = |seen: &&evenkeel::engine::simulated::Seen| {
        is_of_stack(seen) && seen.service.as_ref().is_some_and(|service| services.contains(service.as_str()))
    };
    let line =
        |seen: &evenkeel::engine::simulated::Seen| (seen.name.to_string(), format!("{} {}", seen.id, seen.status));
    snapshot.containers.iter().filter(of_them).map(line).collect()
}

/// Up to two things that go wrong at one of the first calls, or none.
fn faults(seed: &mut Seed, calls: usize, names: &[String]) -> Vec<Fault> {
    (0..seed.pick(&[0, 1, 1, 1, 2])).map(|_| course::fault(seed, calls, names)).collect()
}

/// Those named are as the manifest says, all others as they were, and the whole manifest then ends as if it had been
/// applied at once.
async fn selected(number: u64) -> Judged {
    let mut seed = Seed::new(number);
    let from = Sketch::fine(&mut seed);
    let to = from.changed(&mut seed);
    let names: Vec<&str> = to.parts.keys().copied().collect();
    let names = some(&mut seed, &names);
    let told = |why: String| format!("apply {names:?}: {why}\n{}", story(&[&from, &to]));
    // Whoever shares a namespace with one of them, before or after, may go with it.
    let mut touched: BTreeSet<&str> = names.iter().copied().collect();
    for _ in 0..to.parts.len() {
        touched = touched.iter().flat_map(|name| from.unit(name).into_iter().chain(to.unit(name))).collect();
        touched.extend(names.iter().copied());
    }
    let others: BTreeSet<&str> = from.parts.keys().copied().filter(|name| !touched.contains(name)).collect();

    let (mut host, watch) = running(&from).await.map_err(told)?;
    watch.expect(&from, &to);
    let before = ids(&host, &others);
    let asked = request_of(&mut host, &to, &names);
    let calls = host.engine.mutations();
    let ended = apply(&mut host, &asked, Vec::new(), false).await;
    let calls = host.engine.mutations() - calls;
    require(ended.exit() == Some(0), || told(ended.told()))?;
    settled(&host, &asked, "after the apply of some").await.map_err(told)?;
    require(ids(&host, &others) == before, || told("others were touched".into()))?;
    watch.proven(&host.engine);
    kept_all(&host, &watch).await.map_err(told)?;
    let wanted = Shape::of(&host).await;

    let (mut host, watch) = running(&from).await.map_err(told)?;
    watch.expect(&from, &to);
    let beside = foreign(&host).await;
    let asked = request_of(&mut host, &to, &names);
    let faults = faults(&mut seed, calls, &[]);
    let told = |why: String| format!("{faults:?} {}", told(why));
    let ended = apply(&mut host, &asked, faults.clone(), false).await;
    host.clock.sleep(Millis::minutes(2)).await;
    let again = apply(&mut host, &asked, Vec::new(), false).await;
    require(again.exit() == Some(0), || told(format!("it ended {}, then {}", ended.told(), again.told())))?;
    settled(&host, &asked, "after the apply of some").await.map_err(told)?;
    watch.proven(&host.engine);
    kept_all(&host, &watch).await.map_err(told)?;
    let mut is = Shape::of(&host).await;
    if faults.iter().any(|fault| matches!(fault, Fault::Fail(..))) {
        is.left_over = wanted.left_over;
    }
    require(is == wanted, || told(format!("another end state:\n{is:#?}\nnot\n{wanted:#?}")))?;
    require(foreign(&host).await == beside, || told("what is not ours was touched".into()))?;
    converge(&mut host, &watch, &to, "all of it").await.map_err(told)?;
    let (alone, _) = running(&to).await.map_err(told)?;
    runs_like(&host, &alone, &to).await.map_err(told)
}

/// Every container of those named is another one, equal to the one before, and no revision is made of it.
async fn restarted(number: u64) -> Judged {
    let mut seed = Seed::new(number);
    let sketch = Sketch::fine(&mut seed);
    let names: Vec<&str> = sketch.parts.keys().copied().collect();
    let names = some(&mut seed, &names);
    let selected = seed.percent(60).then(|| named(&names));
    let restart = RestartRequest { selected: selected.clone(), origin: origin(), lock_wait: Millis(0) };
    let told = |why: String| format!("restart {selected:?}: {why}\n{}", sketch.manifest());

    let (mut host, watch) = running(&sketch).await.map_err(told)?;
    watch.expect(&sketch, &sketch);
    let all: BTreeSet<&str> = match &selected {
        None => sketch.parts.keys().copied().collect(),
        Some(_) => names.iter().copied().collect(),
    };
    let (before, shape, revision) = (ids(&host, &all), Shape::of(&host).await, host.home.current().unwrap());
    let calls = host.engine.mutations();
    let ended = act(&mut host, Vec::new(), false, async |stack| stack.restart(&restart).await).await;
    let calls = host.engine.mutations() - calls;
    require(ended.exit() == Some(0), || told(ended.told()))?;
    let after = ids(&host, &all);
    let same = before.iter().find(|(name, id)| after.get(*name).is_none_or(|now| now == *id));
    require(same.is_none() && before.len() == after.len(), || told(format!("{before:?} became {after:?}")))?;
    let is = Shape::of(&host).await;
    require(is == shape, || told(format!("another state:\n{is:#?}\nnot\n{shape:#?}")))?;
    let now = host.home.current().unwrap().map(|revision| revision.number);
    require(now == revision.map(|revision| revision.number), || told("it made a revision".into()))?;
    converge(&mut host, &watch, &sketch, "after the restart").await.map_err(told)?;

    let (mut host, watch) = running(&sketch).await.map_err(told)?;
    watch.expect(&sketch, &sketch);
    let beside = foreign(&host).await;
    let names = container_names(&host);
    let (faults, wipe) = (faults(&mut seed, calls, &names), seed.percent(50));
    let told = |why: String| format!("{faults:?} wipe {wipe} {}", told(why));
    let ended = act(&mut host, faults.clone(), wipe, async |stack| stack.restart(&restart).await).await;
    host.clock.sleep(Millis::minutes(2)).await;
    let forgotten = wipe && matches!(ended, Ended::Killed);
    if !forgotten {
        let again = act(&mut host, Vec::new(), false, async |stack| stack.restart(&restart).await).await;
        require(again.exit() == Some(0), || told(format!("it ended {}, then {}", ended.told(), again.told())))?;
    }
    converge(&mut host, &watch, &sketch, "after the disturbed restart").await.map_err(told)?;
    require(foreign(&host).await == beside, || told("what is not ours was touched".into()))?;
    let (mut is, mut wanted) = (Shape::of(&host).await, shape);
    if forgotten || faults.iter().any(is_meddled) {
        // A one-shot that is gone is not run again.
        (is, wanted) = (is.without(&sketch.jobs()), wanted.without(&sketch.jobs()));
    }
    if faults.iter().any(|fault| is_meddled(fault) || matches!(fault, Fault::Fail(..))) {
        is.left_over = wanted.left_over;
    }
    require(is == wanted, || told(format!("another end state:\n{is:#?}\nnot\n{wanted:#?}")))
}

/// What ran before runs again, the next apply does not bring the trouble back, and the way forward is open.
async fn rolled_back(number: u64) -> Judged {
    let mut seed = Seed::new(number);
    let from = Sketch::fine(&mut seed);
    let to = from.changed(&mut seed);
    // Somebody may have put the files back before.
    let put_back = seed.percent(30);
    let today = |host: &mut Host| {
        let mut files = to.files();
        if put_back {
            files.extend(from.files().into_iter().filter(|(path, _)| to.files().contains_key(path)));
        }
        write(host, files);
        let declared = host.load(&to.manifest()).0;
        RollbackRequest { selected: None, to: None, declared, origin: origin(), lock_wait: Millis(0) }
    };
    let told = |why: String| format!("rollback, files put back {put_back}: {why}\n{}", story(&[&from, &to]));
    let go = async || -> Result<(Host, Watch), String> {
        let (mut host, watch) = running(&from).await?;
        watch.expect(&from, &to);
        converge(&mut host, &watch, &to, "the second apply").await?;
        Ok((host, watch))
    };
    let (mut host, watch) = go().await.map_err(told)?;
    let calls = host.engine.mutations();
    let rollback = today(&mut host);
    let ended = act(&mut host, Vec::new(), false, async |stack| stack.rollback(&rollback).await).await;
    let calls = host.engine.mutations() - calls;
    if let Ended::Refused(StackError::NoRevision(_)) = ended {
        // Nothing that a service is changed.
        return kept_all(&host, &watch).await.map_err(told);
    }
    require(ended.exit() == Some(0), || told(ended.told()))?;
    kept_all(&host, &watch).await.map_err(told)?;
    let (alone, _) = running(&from).await.map_err(told)?;
    let mut common = from.clone();
    common.parts.retain(|name, _| to.parts.contains_key(name));
    runs_like(&host, &alone, &common).await.map_err(told)?;
    copies_of_changed(&host, &common).await.map_err(told)?;
    // It writes the files as they are declared, which is none of evenkeel's doing.
    let again = request(&mut host, &to);
    let shape = Shape::of(&host).await;
    let held = apply(&mut host, &again, Vec::new(), false).await;
    require(matches!(held.exit(), Some(0 | 9)), || told(format!("the same again: {}", held.told())))?;
    require(Shape::of(&host).await == shape, || told("the next apply brought it back".into()))?;
    converge(&mut host, &watch, &from, "the first one again").await.map_err(told)?;

    let (mut host, watch) = go().await.map_err(told)?;
    let beside = foreign(&host).await;
    let names = container_names(&host);
    let (faults, wipe) = (faults(&mut seed, calls, &names), seed.percent(30));
    let told = |why: String| format!("{faults:?} wipe {wipe} {}", told(why));
    let rollback = today(&mut host);
    act(&mut host, faults.clone(), wipe, async |stack| stack.rollback(&rollback).await).await;
    host.clock.sleep(Millis::minutes(2)).await;
    converge(&mut host, &watch, &from, "after the disturbed rollback").await.map_err(told)?;
    require(foreign(&host).await == beside, || told("what is not ours was touched".into()))?;
    runs_like(&host, &alone, &from).await.map_err(told)
}

/// Each file of what was rolled back is mounted itself where it holds what it held, and else a copy.
async fn copies_of_changed(host: &Host, from: &Sketch) -> Judged {
    let files = from.files();
    for seen in host.engine.snapshot().containers.iter().filter(|seen| is_of_stack(seen)) {
        let Some(path) = seen.service.as_ref().map(|service| format!("/srv/shop/{service}.conf")) else { continue };
        let Some(held) = files.get(&path) else { continue };
        let mounts = host.engine.inspect_container(seen.id.as_str()).await.unwrap().spec.mounts;
        let sources: Vec<String> = mounts
            .into_values()
            .filter_map(|mount| match mount.source {
                MountSource::Bind(source) => Some(source),
                _ => None,
            })
            .collect();
        let same = host.files.get(&path) == Some(held);
        require(sources.len() == 1 && same == (sources[0] == path), || {
            format!("{} mounts {sources:?}, and {path} is as it was: {same}", seen.name)
        })?;
    }
    Ok(())
}

/// What evenkeel made is gone and nothing else, data only where it was named; what was down can come up again.
async fn down(number: u64) -> Judged {
    let mut seed = Seed::new(number);
    let sketch = Sketch::fine(&mut seed);
    let next = sketch.changed(&mut seed);
    let (volumes, unfinished) = (seed.percent(40), seed.percent(40));
    let told =
        |why: String| format!("down, volumes {volumes}, unfinished {unfinished}: {why}\n{}", story(&[&sketch, &next]));
    let (mut host, watch) = running(&sketch).await.map_err(told)?;
    watch.expect(&sketch, &next);
    let beside = foreign(&host).await;
    if unfinished {
        let half = request(&mut host, &next);
        let at = 1 + seed.below(12) as u64;
        apply(&mut host, &half, vec![Fault::KillAfter(at)], false).await;
    }
    watch.going_down();
    let before = Shape::of(&host).await;
    let names = container_names(&host);
    let (faults, wipe) = (faults(&mut seed, 12, &names), seed.percent(30));
    let told = |why: String| format!("{faults:?} wipe {wipe} {}", told(why));
    let desired = request(&mut host, if unfinished { &next } else { &sketch }).desired;
    let request = DownRequest { desired: Desired::clone(&desired), volumes, origin: origin(), lock_wait: Millis(0) };
    act(&mut host, faults.clone(), wipe, async |stack| stack.down(&request).await).await;
    host.clock.sleep(Millis::minutes(2)).await;
    let ended = act(&mut host, Vec::new(), false, async |stack| stack.down(&request).await).await;
    require(ended.exit() == Some(0), || told(ended.told()))?;
    let after = Shape::of(&host).await;
    require(after.containers.is_empty(), || told(format!("left: {:?}", after.containers)))?;
    let ours = |name: &&String| name.starts_with("shop_");
    require(!after.networks.iter().any(|name| ours(&name)), || told(format!("left: {:?}", after.networks)))?;
    let data = |shape: &Shape| shape.volumes.iter().filter(ours).cloned().collect::<BTreeSet<String>>();
    let (was, is) = (data(&before), data(&after));
    match volumes {
        // Those that only the stack before declared are not named.
        true => require(is.is_subset(&was) && (unfinished || is.is_empty()), || told(format!("left: {is:?}")))?,
        false => {
            require(is == was, || told(format!("{is:?} of {was:?}")))?;
            kept_all(&host, &watch).await.map_err(told)?;
        }
    }
    require(foreign(&host).await == beside, || told("what is not ours was touched".into()))?;
    require(host.engine.list_networks(&BTreeSet::new()).await.is_ok(), || told("the engine is away".into()))?;
    let claim = host.engine.list_volumes().await.unwrap();
    let claim = claim.iter().any(|volume| volume.name.as_str().starts_with("evenkeel_home"));
    require(!claim, || told("the stack is still claimed".into()))?;
    let up = Watch::over(&host);
    up.expect(&sketch, &sketch);
    converge(&mut host, &up, &sketch, "up again").await.map_err(told)
}

#[test]
fn an_apply_of_some_leaves_the_others() {
    for_each(seeds(5_000_000, 90), selected);
}

#[test]
fn a_restart_changes_nothing_but_the_containers() {
    for_each(seeds(6_000_000, 70), restarted);
}

#[test]
fn a_rollback_goes_back_and_stays() {
    for_each(seeds(7_000_000, 80), rolled_back);
}

#[test]
fn down_leaves_nothing_but_data() {
    for_each(seeds(8_000_000, 60), down);
}

//! A random stack becomes another one while things go wrong, and what evenkeel promises is checked along the way.

use crate::{
    course::{self, is_meddled},
    part::Part,
    seed::{Seed, seeds},
    shape::{Shape, foreign},
    stacks::Sketch,
    story::{
        Judged, apply, container_names, converge, for_each, kept_all, request, require, running, runs_like, same_twice,
        settled, story,
    },
    support::Host,
    watch::Watch,
};
use evenkeel::{
    engine::{clock::Clock, simulated::Fault},
    model::units::Millis,
};

/// The same story without anything going wrong: what is there at its end, and how many mutating calls it took.
async fn undisturbed(from: &Sketch, to: &Sketch) -> Result<(Shape, usize, Host, Watch), String> {
    let (mut host, watch) = running(from).await?;
    let first = request(&mut host, from);
    settled(&host, &first, "after the first apply").await?;
    watch.expect(from, to);
    let second = request(&mut host, to);
    same_twice(&host, &second).await?;
    let before = host.engine.mutations();
    let ended = apply(&mut host, &second, Vec::new(), false).await;
    let calls = host.engine.mutations() - before;
    if !to.breaks() {
        require(ended.exit() == Some(0), || format!("the second apply: {}", ended.told()))?;
        settled(&host, &second, "after the second apply").await?;
        watch.proven(&host.engine);
        kept_all(&host, &watch).await?;
    } else {
        require(matches!(ended.exit(), Some(0 | 4 | 5)), || format!("a broken apply: {}", ended.told()))?;
        require(watch.faults().is_empty(), || format!("undisturbed: {:?}", watch.faults()))?;
    }
    Ok((Shape::of(&host).await, calls, host, watch))
}

/// Faults in an apply, then the same apply again: it ends as if nothing had been.
async fn disturbed(number: u64) -> Judged {
    let mut seed = Seed::new(number);
    let from = Sketch::fine(&mut seed);
    let to = from.changed(&mut seed);
    let told = |why: String| format!("{why}\n{}", story(&[&from, &to]));
    let (wanted, calls, _, _) = undisturbed(&from, &to).await.map_err(told)?;

    let (mut host, watch) = running(&from).await.map_err(told)?;
    let beside = foreign(&host).await;
    let second = request(&mut host, &to);
    let names = container_names(&host);
    let count = seed.pick(&[1, 1, 1, 2]);
    let faults: Vec<Fault> = (0..count).map(|_| course::fault(&mut seed, calls, &names)).collect();
    let wipe = seed.percent(50);
    let told = |why: String| format!("{faults:?} wipe {wipe}: {why}\n{}", story(&[&from, &to]));
    watch.expect(&from, &to);
    let ended = apply(&mut host, &second, faults.clone(), wipe).await;
    host.clock.sleep(Millis::minutes(2)).await;
    let what = format!("it ended {}, then", ended.told());
    converge(&mut host, &watch, &to, &what).await.map_err(told)?;
    require(foreign(&host).await == beside, || told("what is not ours was touched".into()))?;
    let (mut is, mut wanted) = (Shape::of(&host).await, wanted);
    if faults.iter().any(is_meddled) {
        // A one-shot that somebody removed is not run again, and what is not declared is nobody's.
        let gone = from.parts.keys().copied().filter(|name| !to.parts.contains_key(name));
        let loose: Vec<&str> = to.jobs().into_iter().chain(gone).collect();
        (is, wanted) = (is.without(&loose), wanted.without(&loose));
    }
    if faults.iter().any(|fault| is_meddled(fault) || matches!(fault, Fault::Fail(..))) {
        // What served in between may have left data, which `kept_all` has judged.
        is.left_over = wanted.left_over;
    }
    require(is == wanted, || told(format!("another end state:\n{is:#?}\nnot\n{wanted:#?}\n{what}")))
}

/// A stack with a part that never gets ready: what ran before runs again, and the way back is open.
async fn broken(number: u64) -> Judged {
    let mut seed = Seed::new(number);
    let from = Sketch::fine(&mut seed);
    let to = from.changed(&mut seed).broken(&mut seed);
    let told = |why: String| format!("{why}\n{}", story(&[&from, &to]));
    let (_, calls, mut host, watch) = undisturbed(&from, &to).await.map_err(told)?;
    let before = host.engine.mutations();
    let status = host.stack().status(None).await.map_err(|error| told(error.to_string()))?;
    require(host.engine.mutations() == before, || told("status changed something".into()))?;
    // A stateful one is not killed at its deadline.
    let left = host.containers().iter().any(|line| line.contains(":broken running"));
    if !left {
        let only_failed = status.held.iter().all(|held| held.code.as_str() == "failed-before");
        let drifts = status.services.iter().any(|service| !service.drift.is_empty() && service.held.is_none());
        require(only_failed && !drifts && status.drift.is_empty(), || {
            told(format!("no fixpoint: {:?} {:#?}", status.held, host.containers()))
        })?;
        for (name, part) in to.parts.iter().filter(|(_, part)| part.breaks() && !part.is_job()) {
            serves_as_before(&host, &from, name, part).map_err(told)?;
        }
    }
    back(&mut host, &watch, &from).await.map_err(told)?;

    // The same with faults in it.
    let (mut host, watch) = running(&from).await.map_err(told)?;
    let second = request(&mut host, &to);
    let faults = vec![course::fault(&mut seed, calls, &[])];
    let told = |why: String| format!("{faults:?}: {why}\n{}", story(&[&from, &to]));
    watch.expect(&from, &to);
    apply(&mut host, &second, faults.clone(), seed.percent(50)).await;
    host.clock.sleep(Millis::minutes(2)).await;
    back(&mut host, &watch, &from).await.map_err(told)
}

/// An apply is cut off, and the next one asks for something third: it ends as if the second had never been.
async fn overtaken(number: u64) -> Judged {
    let mut seed = Seed::new(number);
    let from = Sketch::fine(&mut seed);
    let second = from.changed(&mut seed);
    let third = if seed.percent(80) { second.changed(&mut seed) } else { from.clone() };
    let at = 1 + seed.below(16) as u64;
    let fault = seed.pick(&[Fault::KillBefore(at), Fault::KillAfter(at), Fault::KillAfter(at)]);
    let (wipe, wait) = (seed.percent(30), seed.pick(&[Millis(0), Millis(700), Millis::seconds(5)]));
    let told = |why: String| format!("{fault:?} wipe {wipe}: {why}\n{}", story(&[&from, &second, &third]));
    let (mut host, watch) = running(&from).await.map_err(told)?;
    let beside = foreign(&host).await;
    watch.expect(&from, &second);
    let cut_off = request(&mut host, &second);
    apply(&mut host, &cut_off, vec![fault.clone()], wipe).await;
    host.clock.sleep(wait).await;
    // The third one fails nowhere and is never gone back on: its strategies alone count.
    watch.expect(&third, &third);
    converge(&mut host, &watch, &third, "the third one").await.map_err(told)?;
    require(foreign(&host).await == beside, || told("what is not ours was touched".into()))?;
    let (alone, _) = running(&third).await.map_err(told)?;
    runs_like(&host, &alone, &third).await.map_err(told)
}

/// The failed service runs as before.
fn serves_as_before(host: &Host, from: &Sketch, name: &str, part: &Part) -> Judged {
    let lines: Vec<String> =
        host.containers().into_iter().filter(|line| line.starts_with(&format!("shop-{name}-"))).collect();
    match from.parts.get(name) {
        Some(before) if !before.is_job() => {
            let serves = lines.len() == before.replicas as usize
                && lines.iter().all(|line| line.contains(&format!(" {} running", before.image)));
            require(serves, || format!("{name} ({}) does not run as before: {lines:?}", part.image))
        }
        _ => require(lines.iter().all(|line| !line.contains(part.image)), || format!("{name} is left: {lines:?}")),
    }
}

/// The first manifest again: everything is as it was.
async fn back(host: &mut Host, watch: &Watch, from: &Sketch) -> Judged {
    converge(host, watch, from, "the way back").await?;
    let (alone, _) = running(from).await?;
    runs_like(host, &alone, from).await
}

#[test]
fn faults_change_no_end_state() {
    for_each(seeds(0, 230), disturbed);
}

#[test]
fn faults_change_no_end_state_either() {
    for_each(seeds(1_000_000, 230), disturbed);
}

#[test]
fn what_is_broken_is_taken_back() {
    for_each(seeds(2_000_000, 140), broken);
}

#[test]
fn what_is_cut_off_can_become_something_else() {
    for_each(seeds(9_000_000, 100), overtaken);
}

//! How stories are told: hosts, the verbs with what goes wrong in them, and judgements that are the same for all.

use crate::{course, seed::Seed, shape::Shape, stacks::Sketch, support::Host, watch::Watch};
use evenkeel::{
    cli::render::{plan::plan_text, style::Style},
    controllers::stack::{Applied, Request, SavedPlan, Stack, StackError},
    engine::simulated::{Fault, Foreign},
};
use std::collections::BTreeMap;

/// What is wrong; `Ok` where nothing is.
pub type Judged = Result<(), String>;

/// How a verb ended.
pub enum Ended {
    Applied(Box<Applied>),
    Refused(StackError),
    Killed,
}

impl Ended {
    /// In a line.
    pub fn told(&self) -> String {
        match self {
            Ended::Applied(applied) => format!("exit {} {:?} {:?}", applied.exit, applied.left, applied.held),
            Ended::Refused(error) => error.to_string(),
            Ended::Killed => "killed".to_owned(),
        }
    }

    /// Its exit code; `None`: it was killed.
    pub fn exit(&self) -> Option<u8> {
        match self {
            Ended::Applied(applied) => Some(applied.exit),
            Ended::Refused(_) => Some(3),
            Ended::Killed => None,
        }
    }
}

/// Runs a case for each seed and says which failed.
pub fn for_each(seeds: impl IntoIterator<Item = u64>, case: impl AsyncFn(u64) -> Judged) {
    let (mut run, mut failed) = (0, Vec::new());
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        run += 1;
        if let Err(why) = runtime.block_on(case(seed)) {
            failed.push(format!("EVENKEEL_SEED={seed}: {why}"));
        }
        if failed.len() >= 5 {
            break;
        }
    }
    assert!(failed.is_empty(), "{} of {run} cases failed:\n\n{}", failed.len(), failed.join("\n\n"));
}

pub fn require(holds: bool, why: impl FnOnce() -> String) -> Judged {
    if holds { Ok(()) } else { Err(why()) }
}

/// The manifests of a story, one after the other.
pub fn story(of: &[&Sketch]) -> String {
    of.iter().map(|sketch| sketch.manifest()).collect::<Vec<_>>().join("\n--- becomes\n")
}

/// What `apply [SERVICE…]` asks for, once the manifest and its files are written.
pub fn request_of(host: &mut Host, sketch: &Sketch, services: &[&str]) -> Request {
    write(host, sketch.files());
    let request = Request { yes: true, ..host.request(&sketch.manifest(), services) };
    // A home in memory writes no copies: the engine finds them where a home on disk would have put them.
    for content in request.desired.services.values().flat_map(|service| &service.contents) {
        let source = content.source.as_ref().and_then(|source| host.files.get(source));
        if let Some(text) = source {
            host.engine.meddle(&Foreign::Write(host.home.copy_of(content), text.clone())).unwrap();
        }
    }
    request
}

/// Writes the files beside the manifest.
pub fn write(host: &mut Host, files: BTreeMap<String, String>) {
    host.files = files;
    for (path, content) in &host.files {
        host.engine.meddle(&Foreign::Write(path.clone(), content.clone())).unwrap();
    }
}

/// What `apply` asks for.
pub fn request(host: &mut Host, sketch: &Sketch) -> Request {
    request_of(host, sketch, &[])
}

/// Does something with these faults in it. After a kill the engine answers again; with `wipe` the home is a new one then.
pub async fn act(
    host: &mut Host,
    faults: Vec<Fault>,
    wipe: bool,
    act: impl AsyncFnOnce(&Stack) -> Result<Applied, StackError>,
) -> Ended {
    match host.disturbed(faults, wipe, act).await {
        Some(Ok(applied)) => Ended::Applied(Box::new(applied)),
        Some(Err(error)) => Ended::Refused(error),
        None => Ended::Killed,
    }
}

/// Applies with these faults.
pub async fn apply(host: &mut Host, request: &Request, faults: Vec<Fault>, wipe: bool) -> Ended {
    act(host, faults, wipe, async |stack| stack.apply(request).await).await
}

/// A host on which a stack runs, and what watches it from there on.
pub async fn running(sketch: &Sketch) -> Result<(Host, Watch), String> {
    let mut host = course::host().await;
    let first = request(&mut host, sketch);
    let ended = apply(&mut host, &first, Vec::new(), false).await;
    require(ended.exit() == Some(0), || format!("the first apply: {}", ended.told()))?;
    let watch = Watch::over(&host);
    Ok((host, watch))
}

/// Planned twice it is the same, planning changes nothing, and there is nothing left to do.
pub async fn settled(host: &Host, request: &Request, what: &str) -> Judged {
    let before = host.engine.mutations();
    let plan = host.stack().diff(request).await.map_err(|error| format!("{what}: {error}"))?;
    host.stack().status(None).await.map_err(|error| format!("{what}: {error}"))?;
    require(host.engine.mutations() == before, || format!("{what}: a look changed something"))?;
    let text = || format!("{what}: not settled\n{}", plan_text(&plan, Style::PLAIN));
    require(plan.steps.is_empty() && plan.changes.is_empty(), text)
}

/// Two plans of one moment are the same bytes but for what their ids and salts are.
pub async fn same_twice(host: &Host, request: &Request) -> Judged {
    let first = host.stack().diff(request).await.map_err(|error| error.to_string())?;
    let saved = SavedPlan::of(&first);
    let again = Request { saved: Some(saved.clone()), ..request.clone() };
    let second = host.stack().diff(&again).await.map_err(|error| error.to_string())?;
    let differs = saved.differs_from(&second);
    require(differs.is_none(), || format!("planned twice: {differs:?}"))?;
    for step in &first.steps {
        let known = |id: &evenkeel::model::names::StepId| first.steps.iter().any(|other| other.id == *id);
        require(step.after.iter().all(known), || format!("{} waits for what is not there", step.id))?;
        require(first.steps.iter().filter(|other| other.id == step.id).count() == 1, || format!("twice {}", step.id))?;
    }
    Ok(())
}

/// Applies until the stack is as this sketch says, which must succeed at once.
pub async fn converge(host: &mut Host, watch: &Watch, sketch: &Sketch, what: &str) -> Judged {
    let request = request(host, sketch);
    let ended = apply(host, &request, Vec::new(), false).await;
    require(ended.exit() == Some(0), || format!("{what}: {}\n{:#?}", ended.told(), host.containers()))?;
    settled(host, &request, what).await?;
    watch.proven(&host.engine);
    kept_all(host, watch).await
}

/// Nothing was seen that must not be, no data is lost and none is left.
pub async fn kept_all(host: &Host, watch: &Watch) -> Judged {
    require(watch.faults().is_empty(), || format!("{:?}", watch.faults()))?;
    watch.data(host).await
}

/// The same containers, but for one-shots and what is not declared.
pub async fn runs_like(host: &Host, other: &Host, sketch: &Sketch) -> Judged {
    let only = |shape: Shape| {
        let declared = |name: &String| sketch.parts.keys().any(|part| name.contains(&format!("shop-{part}-")));
        let mut shape = shape.without(&sketch.jobs());
        shape.containers.retain(|name, _| declared(name));
        shape.containers
    };
    let (is, wanted) = (only(Shape::of(host).await), only(Shape::of(other).await));
    require(is == wanted, || format!("not as it was:\n{is:#?}\nnot\n{wanted:#?}"))
}

/// The names of the stack's containers.
pub fn container_names(host: &Host) -> Vec<String> {
    let lines = host.containers();
    let names = lines.iter().filter_map(|line| line.split(' ').next());
    names.filter(|name| name.starts_with("shop-")).map(str::to_owned).collect()
}

/// One or two of these.
pub fn some<'a>(seed: &mut Seed, of: &[&'a str]) -> Vec<&'a str> {
    let first = seed.pick(of);
    let second = seed.pick(of);
    let mut names = vec![first];
    if second != first && seed.percent(40) {
        names.push(second);
    }
    names
}

//! Liveness: each container that has such a probe is asked all the time, beside the rounds. What the probes find is a
//! verdict for the next round to plan with; nothing is restarted here.

use crate::{
    controllers::Wake,
    engine::clock::Clock,
    model::{
        desired::Desired,
        names::{ContainerId, ServiceName},
        observed::{Health, Observed, ObservedContainer},
        policy::{self, Probe, ProbeKind},
        units::Timestamp,
        value::{Salt, Secrets},
    },
    probe::Prober,
};
use std::{
    cell::LazyCell,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinHandle;

/// By container: the answer that was one too many.
type Verdicts = Arc<Mutex<BTreeMap<ContainerId, String>>>;

/// By container: when its process began that has started since, as its startup probe says.
type Started = Arc<Mutex<BTreeMap<ContainerId, Timestamp>>>;

/// The probes of one stack's containers.
pub(super) struct Liveness {
    prober: Arc<dyn Prober>,
    clock: Arc<dyn Clock>,
    wake: Wake,
    watched: BTreeMap<ContainerId, Watched>,
    verdicts: Verdicts,
    started: Started,
    told: BTreeSet<ContainerId>,
}

/// One container that is asked, until this is dropped.
struct Watched {
    started: Option<Timestamp>,
    liveness: policy::Liveness,
    startup: Option<Probe>,
    /// It has started, as far as Docker is who says that.
    begun: bool,
    task: Option<JoinHandle<()>>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether Docker's health is to say that it has started, and does not yet. When it does, the engine tells.
fn is_starting(container: &ObservedContainer, startup: Option<&Probe>) -> bool {
    let by_docker = startup.is_some_and(|startup| matches!(startup.attempt, ProbeKind::Docker {}));
    by_docker && container.state.health == Health::Starting
}

impl Liveness {
    pub fn new(prober: Arc<dyn Prober>, clock: Arc<dyn Clock>, wake: Wake) -> Liveness {
        let (watched, told) = (BTreeMap::new(), BTreeSet::new());
        Liveness { prober, clock, wake, watched, verdicts: Verdicts::default(), started: Started::default(), told }
    }

    /// Asks the containers that run now, each as it is declared; one that was started again is asked from the beginning.
    /// `started` is what is on record of that. Gives what was newly found, in words.
    pub fn watch(
        &mut self,
        desired: &Desired,
        observed: &Observed,
        started: &BTreeMap<ContainerId, Timestamp>,
    ) -> BTreeMap<ServiceName, String> {
        for (container, since) in started {
            locked(&self.started).entry(container.clone()).or_insert(*since);
        }
        let mut watched = BTreeMap::new();
        let mut found = BTreeMap::new();
        // What a probe answers is told and put on record, and may say what the container was given.
        let secrets = LazyCell::new(|| Arc::new(desired.secrets(&Salt::new(""))));
        for container in observed.containers.values().filter(|container| container.state.is_running()) {
            let service = container.service().and_then(|name| desired.services.get(&name));
            let Some((service, liveness)) = service.and_then(|service| Some((service, service.liveness.as_ref()?)))
            else {
                continue;
            };
            let startup = service.probes.startup.clone();
            let before = self.watched.remove(&container.id).filter(|before| {
                before.started == container.state.started_at
                    && before.liveness == *liveness
                    && before.startup == startup
            });
            if before.is_none() {
                self.forget(&container.id);
            }
            let mut one = before.unwrap_or_else(|| Watched {
                started: container.state.started_at,
                liveness: liveness.clone(),
                startup,
                begun: false,
                task: None,
            });
            if !one.begun && !is_starting(container, one.startup.as_ref()) {
                one.begun = true;
                one.task = self.ask(container, liveness.probe.clone(), one.startup.clone(), &secrets);
            }
            if one.begun && matches!(liveness.probe.attempt, ProbeKind::Docker {}) {
                self.believe_docker(container);
            }
            watched.insert(container.id.clone(), one);
            let answer = self.verdicts().get(&container.id).cloned();
            if let Some(answer) = answer.filter(|_| self.told.insert(container.id.clone())) {
                let text = format!("{} failed its liveness probe: {answer}", container.name);
                found.insert(service.name.clone(), text);
            }
        }
        let gone: Vec<ContainerId> = self.watched.keys().cloned().collect();
        gone.iter().for_each(|id| self.forget(id));
        self.watched = watched;
        found
    }

    /// Which of these containers have started and are not on record for it.
    pub fn newly_started(
        &self,
        observed: &Observed,
        known: &BTreeMap<ContainerId, Timestamp>,
    ) -> BTreeMap<ContainerId, Timestamp> {
        let mut started = locked(&self.started);
        let is_there: BTreeSet<&ContainerId> = observed.containers.values().map(|container| &container.id).collect();
        started.retain(|id, _| is_there.contains(id));
        started.iter().filter(|(id, since)| known.get(*id) != Some(*since)).map(|(id, at)| (id.clone(), *at)).collect()
    }

    /// The containers that failed as often in a row as they may, with the last answer.
    pub fn unwell(&self) -> BTreeMap<ContainerId, String> {
        self.verdicts().clone()
    }

    /// Counts from zero: a rollout went on, and what answered badly meanwhile says nothing.
    pub fn begin_anew(&mut self) {
        self.watched.clear();
        self.told.clear();
        self.verdicts().clear();
    }

    fn forget(&mut self, id: &ContainerId) {
        self.verdicts().remove(id);
        self.told.remove(id);
    }

    fn verdicts(&self) -> MutexGuard<'_, BTreeMap<ContainerId, String>> {
        locked(&self.verdicts)
    }

    /// Docker counts its own health check's failures.
    fn believe_docker(&mut self, container: &ObservedContainer) {
        match container.state.health {
            Health::Unhealthy => {
                self.verdicts().insert(container.id.clone(), "Docker says unhealthy".into());
            }
            _ => self.forget(&container.id),
        }
    }

    fn ask(
        &self,
        container: &ObservedContainer,
        probe: Probe,
        startup: Option<Probe>,
        secrets: &Arc<Secrets>,
    ) -> Option<JoinHandle<()>> {
        if matches!(probe.attempt, ProbeKind::Docker {}) {
            return None;
        }
        let (prober, clock, wake) = (self.prober.clone(), self.clock.clone(), self.wake.clone());
        let (verdicts, container, secrets) = (self.verdicts.clone(), container.clone(), secrets.clone());
        let (started, since) = (self.started.clone(), container.state.started_at);
        // Once is enough: what hangs when evenkeel is started, or after a rollout of others, is asked whether it lives.
        let has_started = since.is_some() && locked(&started).get(&container.id).copied() == since;
        let startup = startup.filter(|startup| !matches!(startup.attempt, ProbeKind::Docker {}) && !has_started);
        Some(tokio::spawn(async move {
            if let Some(startup) = startup {
                while !prober.attempt(&startup, &container).await.ok {
                    clock.sleep(startup.period).await;
                }
                locked(&started).extend(since.map(|since| (container.id.clone(), since)));
            }
            let mut failures = 0_u32;
            loop {
                clock.sleep(probe.period).await;
                let answer = prober.attempt(&probe, &container).await;
                let mut verdicts = locked(&verdicts);
                if answer.ok {
                    failures = 0;
                    verdicts.remove(&container.id);
                    continue;
                }
                failures = failures.saturating_add(1);
                if failures >= probe.failures {
                    let is_new = verdicts.insert(container.id.clone(), secrets.mask(&answer.text)).is_none();
                    drop(verdicts);
                    if is_new {
                        wake.up(format!("liveness of {}", container.name));
                    }
                }
            }
        }))
    }
}

//! Limits on the simulated engine: what a create and an update check, and what an update changes. It is full of
//! surprises, each of them Docker 20.10's.

use super::{
    no::{Answer, No},
    world::{Key, World},
};
use crate::model::{
    container::{Limits, RestartPolicy},
    observed::EngineFacts,
    units::{Bytes, NanoCpus},
};

/// Less memory than this is refused.
const MEMORY_MIN: Bytes = Bytes::mebi(6);

impl World {
    /// Changes limits and restart policy where a container is.
    pub fn update(&mut self, key: Key, limits: &Limits, restart: Option<RestartPolicy>) -> Answer<()> {
        check(limits, &self.facts)?;
        let now = self.now;
        let container = self.at_mut(key)?;
        let cannot = |why: &str| format!("Cannot update container {}: {why}", container.id);
        let changed = changed(&container.spec.limits, limits).map_err(|why| No::conflict(cannot(why)))?;
        let used = container.memory_used(now);
        if let Some(memory) = set(limits.memory)
            && container.running().is_some()
            && memory < used
        {
            return Err(No::internal(cannot(&format!(
                "unable to set memory limit to {} (current usage: {}, peak usage: {})",
                memory.0, used.0, used.0
            ))));
        }
        container.spec.limits = changed;
        if let Some(restart) = restart {
            container.spec.restart = restart;
        }
        self.tell_of(key, "update");
        Ok(())
    }
}

/// Checks the limits of a new container and puts in what the engine adds. Gives its warnings.
pub(super) fn check_new(limits: &mut Limits, facts: &EngineFacts) -> Answer<Vec<String>> {
    check(limits, facts)?;
    let mut warnings = Vec::new();
    if !facts.supports.blkio_weight && limits.blkio_weight.take().is_some_and(|weight| weight > 0) {
        warnings.push(
            "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.".to_owned(),
        );
    }
    if !facts.supports.blkio_weight && !std::mem::take(&mut limits.blkio_weight_device).is_empty() {
        warnings.push(
            "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded."
                .to_owned(),
        );
    }
    limits.memory = set(limits.memory);
    limits.cpus = set(limits.cpus);
    limits.memory_reservation = set(limits.memory_reservation);
    limits.pids = limits.pids.filter(|count| *count > 0);
    limits.memory_swap = limits.memory_swap.filter(|swap| *swap != 0);
    if let (Some(memory), None) = (limits.memory, limits.memory_swap) {
        limits.memory_swap = i64::try_from(memory.0.saturating_mul(2)).ok();
    }
    Ok(warnings)
}

fn check(limits: &Limits, facts: &EngineFacts) -> Answer<()> {
    let memory = set(limits.memory);
    if memory.is_some_and(|memory| memory < MEMORY_MIN) {
        return Err(No::rejected("Minimum memory limit allowed is 6MB"));
    }
    if let Some(swap) = limits.memory_swap.filter(|swap| *swap > 0) {
        match memory {
            None => {
                return Err(No::rejected(
                    "You should always set the Memory limit when using Memoryswap limit, see usage",
                ));
            }
            Some(memory) if i64::try_from(memory.0).unwrap_or(i64::MAX) > swap => {
                return Err(No::rejected("Minimum memoryswap limit should be larger than memory limit, see usage"));
            }
            Some(_) => {}
        }
    }
    if let (Some(memory), Some(reservation)) = (memory, set(limits.memory_reservation))
        && memory < reservation
    {
        return Err(No::rejected("Minimum memory limit can not be less than memory reservation limit, see usage"));
    }
    let range = NanoCpus(10_000_000)..=facts.cpus;
    if set(limits.cpus).is_some_and(|cpus| !range.contains(&cpus)) {
        let most = facts.cpus;
        return Err(No::rejected(format!(
            "Range of CPUs is from 0.01 to {most}, as there are only {most} CPUs available"
        )));
    }
    if set(limits.cpus).is_some() && (limits.cpu_quota.is_some_and(|quota| quota > 0)) {
        return Err(No::rejected("Conflicting options: Nano CPUs and CPU Quota cannot both be set"));
    }
    Ok(())
}

/// The limits after an update: zeros change nothing, memory alone must fit under the swap that is set already.
fn changed(before: &Limits, update: &Limits) -> Result<Limits, &'static str> {
    let mut after = before.clone();
    if set(update.cpus).is_some() && before.cpu_period.is_some_and(|period| period > 0) {
        return Err("Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set");
    }
    if set(update.cpus).is_some() && before.cpu_quota.is_some_and(|quota| quota > 0) {
        return Err("Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set");
    }
    if update.cpu_quota.is_some_and(|quota| quota > 0) && before.cpus.is_some() {
        return Err("Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set");
    }
    if let Some(memory) = set(update.memory) {
        let swap = before.memory_swap.unwrap_or(0);
        let fits = i64::try_from(memory.0).is_ok_and(|memory| memory <= swap);
        if !fits && update.memory_swap.unwrap_or(0) == 0 {
            return Err(
                "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the \
                        same time",
            );
        }
        after.memory = Some(memory);
    }
    after.memory_swap = update.memory_swap.filter(|swap| *swap != 0).or(after.memory_swap);
    after.memory_reservation = set(update.memory_reservation).or(after.memory_reservation);
    after.cpus = set(update.cpus).or(after.cpus);
    after.cpu_quota = update.cpu_quota.filter(|quota| *quota != 0).or(after.cpu_quota);
    after.cpu_period = update.cpu_period.filter(|period| *period != 0).or(after.cpu_period);
    after.cpu_shares = update.cpu_shares.filter(|shares| *shares != 0).or(after.cpu_shares);
    after.cpuset = update.cpuset.clone().filter(|set| !set.is_empty()).or(after.cpuset);
    if let Some(pids) = update.pids {
        after.pids = Some(pids).filter(|count| *count > 0);
    }
    Ok(after)
}

/// A limit that says something: the engine takes 0 for silence.
fn set<T: Default + PartialOrd>(limit: Option<T>) -> Option<T> {
    limit.filter(|limit| *limit > T::default())
}

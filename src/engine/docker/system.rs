//! The engine and its host.

use super::DockerEngine;
use crate::{
    engine::{EngineEvents, EngineResult, System},
    model::{
        observed::{EngineFacts, Supports},
        units::{Bytes, Millis, NanoCpus, Timestamp},
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use std::sync::PoisonError;
use tokio::task::JoinHandle;

/// Facts that were asked for ahead are taken when that was no longer ago.
const FRESH: Millis = Millis::seconds(1);

/// Facts that are on their way, and since when.
pub(super) struct Ahead {
    asked: Timestamp,
    answer: JoinHandle<EngineResult<EngineFacts>>,
}

#[async_trait]
impl System for DockerEngine {
    async fn facts(&self) -> EngineResult<EngineFacts> {
        let ahead = self.facts_ahead.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Ahead { asked, answer }) = ahead
            && self.clock.now().since(asked) <= FRESH
            && let Ok(Ok(facts)) = answer.await
        {
            return Ok(facts);
        }
        self.read_facts().await
    }

    async fn watch(&self) -> EngineResult<EngineEvents> {
        self.events().await
    }
}

impl DockerEngine {
    /// Asks for the facts now, for the look that is about to come: the engine starts programs to know its own versions,
    /// and is slow over it. Must be called within a tokio runtime.
    pub fn ask_for_facts(&self) {
        let engine = self.clone();
        let answer = tokio::spawn(async move { engine.read_facts().await });
        let ahead = Ahead { asked: self.clock.now(), answer };
        *self.facts_ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
    }

    async fn read_facts(&self) -> EngineResult<EngineFacts> {
        let info: Info = self.read("read the facts of", "the engine", "/info").await?;
        let mut facts = facts(info, self.api());
        // Of the older hierarchy the engine does not say it before a create.
        facts.supports.blkio_weight &= facts.cgroup_version != 1 || has_blkio_weight();
        Ok(facts)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Info {
    #[serde(rename = "ID")]
    id: String,
    server_version: String,
    name: String,
    mem_total: u64,
    #[serde(rename = "NCPU")]
    cpus: u64,
    logging_driver: String,
    cgroup_version: String,
    memory_limit: bool,
    swap_limit: bool,
    cpu_cfs_period: bool,
    cpu_cfs_quota: bool,
    #[serde(rename = "CPUShares")]
    cpu_shares: bool,
    #[serde(rename = "CPUSet")]
    cpu_set: bool,
    pids_limit: bool,
    oom_kill_disable: bool,
    /// Absent, or null, where there is nothing to warn of.
    warnings: Option<Vec<String>>,
    driver_status: Option<Vec<Vec<String>>>,
}

/// Whether the kernel of this host, which is the engine's, weighs the input and output of control groups of version 1.
fn has_blkio_weight() -> bool {
    let folder = std::path::Path::new("/sys/fs/cgroup/blkio");
    !folder.is_dir() || folder.join("blkio.weight").exists()
}

fn facts(info: Info, api: (u32, u32)) -> EngineFacts {
    let unified = info.cgroup_version == "2";
    let warns = |of: &str| info.warnings.iter().flatten().any(|warning| warning.contains(of));
    let snapshotter =
        |pair: &Vec<String>| pair.get(1).is_some_and(|value| value.starts_with("io.containerd.snapshotter"));
    EngineFacts {
        supports: Supports {
            memory: info.memory_limit,
            swap: info.swap_limit,
            reservation: info.memory_limit,
            // There is no such thing in the unified hierarchy.
            swappiness: info.memory_limit && !unified,
            cpus: info.cpu_cfs_period && info.cpu_cfs_quota,
            cpu_shares: info.cpu_shares,
            cpuset: info.cpu_set,
            pids: info.pids_limit,
            blkio_weight: !warns("No blkio weight support") && !warns("No io.weight support"),
            oom_kill_disable: info.oom_kill_disable,
        },
        images_by_digest: info.driver_status.iter().flatten().any(snapshotter),
        id: info.id,
        version: info.server_version,
        api,
        host_name: info.name,
        memory: Bytes(info.mem_total),
        cpus: NanoCpus(info.cpus.saturating_mul(1_000_000_000)),
        logging_driver: info.logging_driver,
        // Engines before 20.10 do not say it, and know only the first.
        cgroup_version: if unified { 2 } else { 1 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_cannot_hold_is_known() {
        let info = r#"{"MemoryLimit":true,"CgroupVersion":"1","Warnings":["WARNING: No blkio weight support"]}"#;
        let facts = facts(serde_json::from_str(info).unwrap(), (1, 41));
        assert!(facts.supports.memory && facts.supports.swappiness);
        assert!(!facts.supports.blkio_weight && !facts.supports.pids);
        assert!(!facts.images_by_digest);
    }
}

//! What a container may use: the service's own fields, then `deploy.resources` over them, as docker compose does it.

use super::{bytes, number, set};
use crate::{
    compose::project::{BlkioConfig, Service, ThrottleDevice},
    model::{container::Limits, units::NanoCpus},
};
use std::collections::BTreeMap;

/// The limits of a service, without the manifest's.
pub fn limits(service: &Service) -> Limits {
    let mut limits = Limits {
        memory: bytes(service.mem_limit.0),
        memory_swap: number(service.memswap_limit.0),
        memory_reservation: bytes(service.mem_reservation.0),
        memory_swappiness: number(service.mem_swappiness.0),
        cpus: cpus(service.cpus),
        pids: number(service.pids_limit),
        cpu_shares: number(service.cpu_shares),
        cpu_period: number(service.cpu_period),
        cpu_quota: number(service.cpu_quota),
        cpu_rt_period: number(service.cpu_rt_period),
        cpu_rt_runtime: number(service.cpu_rt_runtime),
        cpuset: set(&service.cpuset),
        cpu_count: number(service.cpu_count),
        cpu_percent: percent(service.cpu_percent),
        blkio_weight: service.blkio_config.as_ref().map(|blkio| blkio.weight).filter(|weight| *weight != 0),
        blkio_weight_device: service
            .blkio_config
            .iter()
            .flat_map(|blkio| blkio.weight_device.iter().map(|one| (one.path.clone(), one.weight)))
            .collect(),
        blkio_read_bytes: rates(service, |blkio| &blkio.device_read_bps),
        blkio_read_operations: rates(service, |blkio| &blkio.device_read_iops),
        blkio_write_bytes: rates(service, |blkio| &blkio.device_write_bps),
        blkio_write_operations: rates(service, |blkio| &blkio.device_write_iops),
        oom_kill_disable: service.oom_kill_disable.then_some(true),
        oom_score_adj: number(service.oom_score_adj),
    };
    let resources = service.deploy.as_ref().map(|deploy| &deploy.resources);
    if let Some(most) = resources.and_then(|resources| resources.limits.as_ref()) {
        limits.memory = bytes(most.memory.0).or(limits.memory);
        limits.cpus = cpus(most.cpus.0).or(limits.cpus);
        limits.pids = number(most.pids).filter(|pids| *pids > 0).or(limits.pids);
    }
    if let Some(least) = resources.and_then(|resources| resources.reservations.as_ref()) {
        limits.memory_reservation = bytes(least.memory.0).or(limits.memory_reservation);
    }
    limits
}

fn rates(service: &Service, of: impl Fn(&BlkioConfig) -> &Vec<ThrottleDevice>) -> BTreeMap<String, u64> {
    let rate = |device: &ThrottleDevice| (device.path.clone(), u64::try_from(device.rate.0).unwrap_or_default());
    service.blkio_config.iter().flat_map(|blkio| of(blkio).iter().map(rate)).collect()
}

/// docker compose multiplies in 32 bits; so do we, or an adopted container would differ by a few billionths.
fn cpus(cpus: f32) -> Option<NanoCpus> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "fractions of a billionth are cut")]
    let nano = (cpus * 1e9_f32) as u64;
    (nano > 0).then_some(NanoCpus(nano))
}

fn percent(percent: f32) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the engine takes whole hundredths")]
    number((percent * 100.0) as i64)
}

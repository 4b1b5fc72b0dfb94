//! How much to allow a service that uses so much now.

use crate::model::{
    desired::Service,
    units::{Bytes, Millis},
};

/// The least limit that is suggested.
const LEAST: Bytes = Bytes::mebi(64);
/// Docker's own defaults of a health check.
const CHECK_INTERVAL: Millis = Millis::seconds(30);
const CHECK_TIMEOUT: Millis = Millis::seconds(30);
const CHECK_RETRIES: u64 = 3;

/// A memory limit with room above what is used now: at least twice as much, a power of two up to 1Gi, whole Gi above.
pub fn limit_for(used: Bytes) -> Bytes {
    let gibibyte = 1_u64 << 30;
    let twice = used.0.saturating_mul(2).max(LEAST.0);
    if twice <= gibibyte {
        return Bytes(twice.next_power_of_two());
    }
    Bytes(twice.div_ceil(gibibyte).saturating_mul(gibibyte))
}

/// Whether so much of a limit is used that there is little room.
pub fn is_tight(used: Bytes, limit: Bytes) -> bool {
    used.0 > limit.0 / 100 * 85
}

/// What a host of this size can give to all services together: a tenth, and at least 256Mi, is left to the rest.
pub fn capacity_of(host: Bytes) -> Option<Bytes> {
    let step = if host.0 > 4 << 30 { 1_u64 << 30 } else { 256 << 20 };
    let left = host.0.saturating_sub((host.0 / 10).max(256 << 20));
    let whole = left / step * step;
    (whole > 0).then_some(Bytes(whole))
}

/// `41 MiB`, `1.5 GiB`: as people say it.
pub fn shown(size: Bytes) -> String {
    let mebi = size.0.div_ceil(1 << 20);
    if mebi < 1024 {
        return format!("{mebi} MiB");
    }
    let tenths = mebi.saturating_mul(10).div_ceil(1024);
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

/// A deadline that a health check can meet, where the default one is too short for it: Docker says `unhealthy` only after
/// its start period and its retries.
pub fn deadline_for(service: &Service) -> Option<Millis> {
    let check = service.container.healthcheck.as_ref().filter(|check| !check.is_none() && !check.test.is_empty())?;
    let or = |span: Option<Millis>, default: Millis| span.filter(|span| span.0 > 0).unwrap_or(default).0;
    let retries = check.retries.filter(|count| *count > 0).map_or(CHECK_RETRIES, u64::from);
    let one = or(check.interval, CHECK_INTERVAL).saturating_add(or(check.timeout, CHECK_TIMEOUT).min(CHECK_TIMEOUT.0));
    let verdict = check.start_period.unwrap_or(Millis(0)).0.saturating_add(one.saturating_mul(retries));
    let needed = verdict.saturating_add(service.rollout.min_ready.0);
    if service.one_shot || needed <= service.rollout.deadline.0 {
        return None;
    }
    let minute = Millis::minutes(1).0;
    Some(Millis(needed.div_ceil(minute).saturating_mul(minute)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_leaves_room_and_is_round() {
        let limit = |mebi| limit_for(Bytes::mebi(mebi)).to_string();
        let limits: Vec<String> = [0, 3, 33, 64, 180, 512, 513, 3000].map(limit).into();
        assert_eq!(limits, ["64Mi", "64Mi", "128Mi", "128Mi", "512Mi", "1Gi", "2Gi", "6Gi"]);
        assert!(is_tight(Bytes::mebi(60), Bytes::mebi(64)) && !is_tight(Bytes::mebi(40), Bytes::mebi(64)));
    }

    #[test]
    fn a_host_keeps_a_part_for_itself() {
        let of = |mebi| capacity_of(Bytes::mebi(mebi)).map(|size| size.to_string());
        assert_eq!(of(7800).as_deref(), Some("6Gi"));
        assert_eq!(of(2000).as_deref(), Some("1536Mi"));
        assert_eq!(of(300), None);
    }

    #[test]
    fn sizes_are_said_as_people_say_them() {
        assert_eq!(
            [1, 41 << 20, 1 << 30, 3 << 29].map(|size| shown(Bytes(size))).join(" "),
            "1 MiB 41 MiB 1.0 GiB 1.5 GiB"
        );
    }
}

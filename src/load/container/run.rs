//! How a container runs: restart policy, health check, logging, time to stop.

use super::{Translation, set};
use crate::{
    compose::project::{self, Duration, HealthCheck, Service},
    load::sensitive,
    model::{
        container::{Healthcheck, Logging, RestartPolicy},
        units::Millis,
        value::Value,
    },
};

/// The engine keeps stop timeouts in whole seconds, and docker compose cuts the rest.
pub fn whole_seconds(duration: Duration) -> Millis {
    Millis::seconds(duration.as_std().as_secs())
}

fn millis(duration: Duration) -> Millis {
    Millis(u64::try_from(duration.as_std().as_millis()).unwrap_or(u64::MAX))
}

/// A health check as the engine takes it.
pub fn healthcheck(check: &HealthCheck) -> Healthcheck {
    let test = match check.disable {
        true => vec![Value::plain("NONE")],
        false => check.test.0.iter().map(sensitive::word).collect(),
    };
    Healthcheck {
        test,
        interval: check.interval.map(millis),
        timeout: check.timeout.map(millis),
        start_period: check.start_period.map(millis),
        start_interval: check.start_interval.map(millis),
        retries: check.retries.map(|retries| u32::try_from(retries).unwrap_or(u32::MAX)),
    }
}

/// Where the log goes.
pub fn logging(logging: &project::Logging) -> Logging {
    let options = logging.options.0.iter().map(|(name, text)| (name.clone(), sensitive::option(name, text)));
    Logging { driver: set(&logging.driver), options: options.collect() }
}

/// The restart policy in the engine's words, and the path of the field that gives it. `deploy.restart_policy` wins over
/// `restart` even when it says nothing, as in docker compose.
fn written(service: &Service) -> Option<(String, u64, &'static [&'static str])> {
    let word = |condition: &str| match condition {
        "none" => "no".to_owned(),
        "any" => "always".to_owned(),
        other => other.to_owned(),
    };
    if let Some(policy) = service.deploy.as_ref().and_then(|deploy| deploy.restart_policy.as_ref()) {
        let times = policy.max_attempts.unwrap_or(0);
        return Some((word(&policy.condition), times, &["deploy", "restart_policy", "condition"]));
    }
    let (condition, times) = match service.restart.split_once(':') {
        Some((condition, times)) => (condition, times.parse().unwrap_or(0)),
        None => (service.restart.as_str(), 0),
    };
    (!condition.is_empty()).then(|| (word(condition), times, ["restart"].as_slice()))
}

/// The restart policy of a service.
///
/// # Errors
/// The words for what is wrong with it.
fn restart(service: &Service) -> Result<RestartPolicy, String> {
    let Some((condition, times, _)) = written(service) else {
        return Ok(RestartPolicy::No);
    };
    let policy = condition.parse::<RestartPolicy>().map_err(|error| error.to_string())?;
    let times = u32::try_from(times).unwrap_or(u32::MAX);
    match policy {
        RestartPolicy::OnFailure(_) => Ok(RestartPolicy::OnFailure(times)),
        // The engine refuses a count with any other policy; `no` never restarts, so a count says nothing there.
        RestartPolicy::Always | RestartPolicy::UnlessStopped if times > 0 => {
            Err(format!("the engine counts restarts with `on-failure` only, not with `{policy}`"))
        }
        policy => Ok(policy),
    }
}

/// Whether a restart policy stands in the file at all.
pub fn restart_is_written(service: &Service) -> bool {
    written(service).is_some_and(|(condition, ..)| !condition.is_empty())
}

impl Translation<'_> {
    /// The restart policy; what the engine would refuse is a fault.
    pub(super) fn restart(&mut self, name: &str, service: &Service) -> RestartPolicy {
        restart(service).unwrap_or_else(|message| {
            let field = written(service).map_or(&["restart"] as &[_], |(_, _, field)| field);
            let path: Vec<&str> = ["services", name].into_iter().chain(field.iter().copied()).collect();
            let fault = self.project.fault(&path, format!("`{}`: {message}", path.join(".")));
            self.faults.push(fault.code("restart"));
            RestartPolicy::No
        })
    }
}

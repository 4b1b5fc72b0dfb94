//! `rollout.apply` and `rollout.window`: what they mean together, and every way in which they can mean nothing.

use super::{
    check,
    manifest::service::{Rollout, ServicePolicy, Window as Written},
    project::Read,
    tree,
};
use crate::{
    compose::yaml::Faults,
    model::policy::{ApplyPolicy, Window},
    plan::window,
};

/// A window over its default, field by field.
pub fn over(own: Option<Written>, below: Option<Written>) -> Option<Written> {
    let (own, below) = match (own, below) {
        (Some(own), Some(below)) => (own, below),
        (own, below) => return own.or(below),
    };
    Some(Written {
        cron: own.cron.or(below.cron),
        duration: own.duration.or(below.duration),
        timezone: own.timezone.or(below.timezone),
    })
}

/// What is wrong with a window where it is written: under a service or `defaults`, at this path.
pub fn check(read: &Read, path: &[&str], policy: &ServicePolicy, faults: &mut Faults) {
    let Some(window) = policy.rollout.as_ref().and_then(|rollout| rollout.window.as_ref()) else { return };
    let window_path: Vec<&str> = path.iter().copied().chain(["rollout", "window"]).collect();
    let at = |field| [window_path.as_slice(), &[field]].concat();
    check::more_than_zero(read, &window_path, "duration", window.duration, faults);
    if let Some(Err(why)) = window.cron.as_ref().map(|cron| window::check_cron(cron)) {
        let path = at("cron");
        let fault = read.fault_at_value(&path, format!("`{}` is no cron expression: {why}", tree::shown(&path)));
        faults.push(
            fault.code("type").hint("minute, hour, day of month, month, day of week: `0 2 * * *` is 02:00 every day"),
        );
    }
    if let Some(name) = window.timezone.as_ref().filter(|name| !window::is_timezone(name)) {
        let path = at("timezone");
        let fault = read.fault_at_value(&path, format!("`{}`: there is no time zone `{name}`", tree::shown(&path)));
        faults.push(fault.code("undefined").hint(match nearest_timezone(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "an IANA name, such as `Australia/Sydney`".to_owned(),
        }));
    }
}

/// A window under `defaults` that no service can use.
pub fn check_default(read: &Read, faults: &mut Faults) {
    let spec = &read.stack.spec;
    let Some(defaults) = spec.defaults.as_ref().and_then(|defaults| defaults.rollout.as_ref()) else { return };
    let uses = |rollout: &Rollout| rollout.apply == Some(ApplyPolicy::Window);
    let used = uses(defaults) || spec.services.values().filter_map(|policy| policy.rollout.as_ref()).any(uses);
    if defaults.window.is_some() && !used {
        unused(read, &["spec", "defaults", "rollout", "window"], faults);
    }
}

/// The window of a service, where it has `apply: window`. Takes what is written of it over the defaults.
pub fn of(read: &Read, service: &str, written: &Rollout, faults: &mut Faults) -> Option<Window> {
    let own = ["spec", "services", service, "rollout", "window"];
    if written.apply != Some(ApplyPolicy::Window) {
        if tree::node(&read.tree, &own).is_some_and(|node| !node.is_null()) {
            unused(read, &own, faults);
        }
        return None;
    }
    let Some(window) = &written.window else {
        let path = first_written(read, service, "apply");
        let fault =
            read.fault_at_value(&path, format!("`{}` is `window`, but no window is written", tree::shown(&path)));
        faults.push(fault.code("missing").hint("add `window: {cron: \"0 2 * * *\", duration: 2h}` beside it"));
        return None;
    };
    let path = first_written(read, service, "window");
    for (field, lacks) in [("cron", window.cron.is_none()), ("duration", window.duration.is_none())] {
        if lacks {
            let fault = read.fault(&path, format!("`{}` lacks `{field}`", tree::shown(&path)));
            faults.push(fault.code("missing").hint("for example `{cron: \"0 2 * * *\", duration: 2h}`"));
        }
    }
    Some(Window {
        cron: window.cron.clone()?,
        duration: window.duration?.0,
        timezone: window.timezone.clone().unwrap_or_else(|| "UTC".to_owned()),
    })
}

fn unused(read: &Read, path: &[&str], faults: &mut Faults) {
    let fault = read.fault(path, format!("`{}` means nothing without `apply: window`", tree::shown(path)));
    faults.push(fault.code("conflict").hint("add `apply: window` beside it"));
}

/// Where a field of `rollout` is written: under the service, else under `defaults`.
fn first_written<'a>(read: &Read, service: &'a str, field: &'a str) -> Vec<&'a str> {
    let own = vec!["spec", "services", service, "rollout", field];
    match tree::node(&read.tree, &own) {
        Some(node) if !node.is_null() => own,
        _ => vec!["spec", "defaults", "rollout", field],
    }
}

/// The time zone whose name, or whose city, is near enough to be meant.
fn nearest_timezone(name: &str) -> Option<String> {
    let all = window::timezones();
    let names = || all.iter().map(String::as_str);
    let city = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let typed = city(&name.replace(' ', "_"));
    let same_city = || names().find(|known| known.contains('/') && city(known) == typed);
    tree::nearest(name, names()).or_else(same_city).map(str::to_owned)
}

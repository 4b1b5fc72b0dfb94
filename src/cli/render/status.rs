//! The state of a stack at a glance: a line a service, with a mark whose shape and not only colour says how it is, and
//! what is wrong below it.

use super::{
    plan::hint_text,
    quantities::{age, image, moment},
    sheet::Table,
    style::{Style, Text, Tone},
};
use crate::model::{
    container::Limits,
    observed::{Health, Status},
    plan::{Held, HeldCode},
    revision::{Suspension, SuspensionKind},
    status::{ContainerStatusLine, ServiceStatus, StackStatus, UnderWay},
    units::Timestamp,
};

/// The status as text, every line ended; ages are counted up to `now`.
pub fn status_text(status: &StackStatus, now: Timestamp, style: Style) -> String {
    let mut table = Table::default();
    table.whole(head(status));
    if let Some(UnderWay { doing, actor, since }) = &status.under_way {
        let text = format!("{doing}: under way for {}, by {actor}", age(*since, now));
        table.whole(Text::toned(Tone::Change, "…").space(1).plain(text));
    }
    if !status.services.is_empty() {
        table.whole("");
        let titles = ["  SERVICE", "READY", "UP", "LIMITS", "IMAGE", "LAST ROLLOUT"];
        table.row(titles.iter().map(|title| Text::toned(Tone::Quiet, title)).collect());
    }
    for service in &status.services {
        write_service(service, now, &mut table);
    }
    if !status.not_declared.is_empty() {
        table.whole("");
    }
    let (what, hint) = match declares_nothing(status) {
        true => ("runs, and nobody keeps it", "`evenkeel apply` takes it up again"),
        false => (
            "is not declared any more, and is there",
            "an apply with `spec.prune: true` removes it, else do so by hand",
        ),
    };
    for service in &status.not_declared {
        let containers: Vec<String> = service.containers.iter().map(container_in_words).collect();
        table.whole(
            Text::toned(Tone::Change, "?")
                .space(1)
                .and(Tone::Strong, service.name.as_str())
                .space(1)
                .plain(format!("{what}: {}", containers.join("; "))),
        );
    }
    if !status.not_declared.is_empty() {
        table.whole(Text::new().space(4).append(hint_text(hint)));
    }
    let of_services: Vec<&Held> = status.services.iter().filter_map(|service| service.held.as_ref()).collect();
    let others: Vec<&Held> = status.held.iter().filter(|held| !of_services.contains(held)).collect();
    if !others.is_empty() || !status.drift.is_empty() {
        table.whole("");
    }
    for drift in &status.drift {
        table.whole(Text::toned(Tone::Change, "~").space(1).plain(drift));
    }
    for held in others {
        table.whole(
            Text::toned(Tone::Change, "!")
                .space(1)
                .and(Tone::Strong, held.resource.to_string())
                .space(1)
                .append(words(held)),
        );
        if !held.hint.is_empty() {
            table.whole(Text::new().space(4).append(hint_text(&held.hint)));
        }
    }
    table.paint(style)
}

fn head(status: &StackStatus) -> Text {
    let revision = match status.revision {
        Some(revision) => format!("revision {revision}"),
        None => "no revision".to_owned(),
    };
    let waiting = status.services.iter().filter(|service| mark(service).0 != "✓").count();
    let state = match (status.converged, waiting) {
        (true, _) if declares_nothing(status) => Text::toned(Tone::Change, "declares nothing"),
        (true, _) => Text::toned(Tone::Good, "converged"),
        (false, 0) if status.revision.is_none() => Text::toned(Tone::Change, "not applied yet"),
        (false, 0) => Text::toned(Tone::Change, "not converged"),
        (false, waiting) => {
            Text::toned(Tone::Change, format!("{waiting} of {} services not as declared", status.services.len()))
        }
    };
    Text::toned(Tone::Strong, status.stack.as_str()).space(2).plain(revision).plain(", ").append(state)
}

/// After `leave` nothing is declared, and what runs is meant to run.
fn declares_nothing(status: &StackStatus) -> bool {
    status.revision.is_some() && status.services.is_empty()
}

/// `✗` not ready, `!` held, paused, stopped or not proven, `~` differs, `✓` as declared.
fn mark(service: &ServiceStatus) -> (&'static str, Tone) {
    let stopped = service.suspension.as_ref().is_some_and(|one| one.kind == SuspensionKind::Stopped);
    let unproven = service.last_rollout.as_ref().is_some_and(|last| last.result == "failed");
    if service.ready < service.desired && !stopped {
        ("✗", Tone::Bad)
    } else if service.held.is_some() || service.suspension.is_some() || unproven {
        ("!", Tone::Change)
    } else if !service.drift.is_empty() {
        ("~", Tone::Change)
    } else {
        ("✓", Tone::Good)
    }
}

fn write_service(service: &ServiceStatus, now: Timestamp, table: &mut Table) {
    let (sign, tone) = mark(service);
    let started = service.containers.iter().filter(|one| one.ready).filter_map(|one| one.started_at).max();
    let last = service.last_rollout.as_ref().map(|last| {
        let tone = if last.result == "done" { Tone::Plain } else { Tone::Bad };
        Text::toned(tone, &last.result).plain(format!(" {} ago", age(last.at, now)))
    });
    table.row(vec![
        Text::toned(tone, sign).space(1).and(Tone::Strong, service.name.as_str()),
        format!("{}/{}", service.ready, service.desired).into(),
        started.map_or_else(|| "-".to_owned(), |then| age(then, now)).into(),
        service.containers.first().map_or_else(|| "-".to_owned(), |one| limits(&one.limits)).into(),
        image(&service.image).into(),
        last.unwrap_or_else(|| "-".into()),
    ]);
    let below = |text: Text| Text::new().space(4).append(text);
    // Of what has run once and ended well there is nothing to say.
    let ended = |one: &ContainerStatusLine| one.state == Status::Exited;
    let is_done = service.ready >= service.desired && service.containers.iter().all(ended);
    for container in service.containers.iter().filter(|one| (!one.ready && !is_done) || one.restarts > 0) {
        table.whole(below(container_in_words(container).into()));
    }
    for container in &service.containers {
        for network in &container.connected_by_hand {
            table.whole(below(format!("{} is on network `{network}`, connected by hand", container.name).into()));
        }
    }
    if !service.drift.is_empty() {
        table.whole(below(Text::toned(Tone::Change, "differs:").space(1).plain(service.drift.join(", "))));
    }
    if let Some(suspension) = &service.suspension {
        table.whole(below(suspension_in_words(suspension)));
    }
    if let Some(held) = &service.held {
        // Who paused it was just said.
        if held.code != HeldCode::Paused || service.suspension.is_none() {
            table.whole(below(words(held)));
        }
        if !held.hint.is_empty() {
            table.whole(below(hint_text(&held.hint)));
        }
    }
    if let Some(last) = service.last_rollout.as_ref().filter(|last| last.result != "done" && !last.text.is_empty()) {
        table.whole(below(Text::from(last.text.lines().next().unwrap_or_default())));
    }
}

fn words(held: &Held) -> Text {
    Text::toned(Tone::Change, "held:").space(1).plain(format!("{}: {}", held.code, held.reason))
}

/// `paused by ann@ci since 2026-11-25 14:02:11Z, until 2026-11-25 15:02:11Z: "looking at a leak"`.
fn suspension_in_words(suspension: &Suspension) -> Text {
    let what = match suspension.kind {
        SuspensionKind::Paused => "paused",
        SuspensionKind::Stopped => "stopped",
    };
    let until = suspension.until.map(|until| format!(", until {}", moment(until))).unwrap_or_default();
    let why = suspension.reason.as_ref().map(|reason| format!(": \"{reason}\"")).unwrap_or_default();
    let since = moment(suspension.since);
    Text::toned(Tone::Change, what).plain(format!(" by {} since {since}{until}{why}", suspension.actor))
}

/// `webkit-admin-1 restarting, 5 restarts`.
fn container_in_words(container: &ContainerStatusLine) -> String {
    let health = match container.health {
        Health::Unhealthy => ", unhealthy",
        Health::Starting if container.state == Status::Running => ", health starting",
        _ => "",
    };
    let restarts = match container.restarts {
        0 => String::new(),
        1 => ", 1 restart".to_owned(),
        many => format!(", {many} restarts"),
    };
    format!("{} {}{health}{restarts}", container.name, container.state)
}

/// `512Mi, 1 CPU`, or `-`.
fn limits(limits: &Limits) -> String {
    let memory = limits.memory.map(|memory| memory.to_string());
    let cpus = limits.cpus.map(|cpus| match cpus.to_string() {
        one if one == "1" => "1 CPU".to_owned(),
        many => format!("{many} CPUs"),
    });
    let parts: Vec<String> = memory.into_iter().chain(cpus).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests;

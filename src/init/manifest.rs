//! The page itself. What is live in it changes nothing that runs; what would is a suggestion, commented out.

use super::{
    Draft, Files, Source, Use,
    order::waves,
    page::{Page, Suggestions, list, scalar},
    readiness::{Readiness, readiness},
    room,
};
use crate::{
    model::{
        desired::Service,
        names::{ServiceName, StackName},
        policy::Strategy,
    },
    plan::strategy_of,
};

/// The least that a manifest says: whose services, and what they are.
pub fn skeleton(name: &StackName, source: &Source) -> String {
    let mut page = Page::new(Suggestions::Commented);
    head(&mut page, name, source);
    if let Source::Inline(inline) = source {
        page.line(1, "services:");
        for (name, fields) in &inline.services {
            page.line(2, &format!("{}:", scalar(name)));
            page.block(3, fields);
        }
    }
    resources(&mut page, source);
    page.into_text()
}

/// The manifest, every line ended.
pub fn manifest(draft: &Draft<'_>) -> String {
    text(draft, Suggestions::Commented)
}

pub(super) fn text(draft: &Draft<'_>, suggestions: Suggestions) -> String {
    let mut page = Page::new(suggestions);
    page.remark(0, "What Compose has no words for: when a container is ready, how an update goes, what may be used.");
    page.remark(
        0,
        "Written by `evenkeel init`, and yours from here on. As it stands nothing that runs is changed by it. A line \
         that is commented out is a suggestion: take the `# ` away. `evenkeel diff` shows what a change would do before \
         it is done, `evenkeel schema stack` describes every field.",
    );
    unknown(&mut page, draft);
    head(&mut page, &draft.name, &draft.source);
    defaults(&mut page);
    order(&mut page, draft);
    services(&mut page, draft);
    resources(&mut page, &draft.source);
    capacity(&mut page, draft);
    page.into_text()
}

fn head(page: &mut Page, name: &StackName, source: &Source) {
    page.line(0, "apiVersion: evenkeel.dev/v1");
    page.line(0, "kind: Stack");
    page.line(0, &format!("metadata: {{name: {}}}", scalar(name.as_str())));
    page.line(0, "spec:");
    match source {
        Source::Files(files) => compose(page, files),
        Source::Inline(_) => page.line(1, "adopt: true   # what runs was made from files that are not here"),
    }
}

fn compose(page: &mut Page, files: &Files) {
    let mut fields = vec![format!("files: {}", list(files.files.iter().map(String::as_str)))];
    for (field, texts) in [("envFiles", &files.env_files), ("profiles", &files.profiles)] {
        if !texts.is_empty() {
            fields.push(format!("{field}: {}", list(texts.iter().map(String::as_str))));
        }
    }
    match fields.as_slice() {
        [files] => page.line(1, &format!("compose: {{{files}}}")),
        fields => {
            page.line(1, "compose:");
            fields.iter().for_each(|field| page.line(2, field));
        }
    }
}

/// The networks and volumes of services that stand in the manifest.
fn resources(page: &mut Page, source: &Source) {
    let Source::Inline(inline) = source else { return };
    for (section, entries) in [("networks", &inline.networks), ("volumes", &inline.volumes)] {
        if entries.as_object().is_some_and(|entries| !entries.is_empty()) {
            page.line(1, &format!("{section}:"));
            page.block(2, entries);
        }
    }
}

/// What could not be known.
fn unknown(page: &mut Page, draft: &Draft<'_>) {
    let mut items = Vec::new();
    match draft.seen {
        None => items.push(
            "what the services use, which of their ports answer, and what their images declare: no engine was asked. \
             `evenkeel init --force` on their host finds out"
                .to_owned(),
        ),
        Some(seen) => {
            let down: Vec<&str> = draft
                .desired
                .services
                .values()
                .filter(|service| !service.one_shot && service.replicas > 0)
                .filter(|service| seen.services.get(&service.name).is_none_or(|seen| seen.running == 0))
                .map(|service| service.name.as_str())
                .collect();
            if !down.is_empty() {
                items.push(format!("what {} would use and answer: nothing of it runs here", down.join(", ")));
            }
            if seen.services.values().any(|seen| seen.memory.is_some()) {
                items.push(
                    "what the services use at their busiest: memory is what they use now, and one look at their CPUs \
                     says nothing, so no limit of CPUs is suggested"
                        .to_owned(),
                );
            }
        }
    }
    if let Source::Inline(_) = &draft.source {
        items.push(
            "what the Compose files say that no container tells: comments, variables, profiles, builds, and services \
             that were never started. Below is what runs, field by field"
                .to_owned(),
        );
        items.push(
            "which values are secret: environments stand in files beside this one that only their owner can read, and \
             commands and labels below, as they run: look through them before this file goes anywhere"
                .to_owned(),
        );
    }
    if !draft.from_shell.is_empty() {
        let names: Vec<&str> = draft.from_shell.iter().map(String::as_str).collect();
        items.push(format!(
            "where others get {} from: it is set in the shell that ran `evenkeel init`, and whoever applies needs it \
             too (a file under `compose.envFiles` would keep it)",
            names.join(", ")
        ));
    }
    for (service, profiles) in &draft.disabled {
        items.push(format!(
            "whether {service} is wanted: it is left out unless `compose.profiles` names {}",
            profiles.join(" or ")
        ));
    }
    if !items.is_empty() {
        page.remark(0, "");
        page.remark(0, "What could not be known:");
        items.iter().for_each(|item| page.item(0, item));
    }
}

fn defaults(page: &mut Page) {
    page.gap();
    page.remark(
        1,
        "For every service, unless it says otherwise. An update starts the new container beside the old one, waits until \
         it is ready and stays so for `minReady`, and only then stops the old one. One that is not ready within \
         `deadline` is taken back, and what ran before serves on. These are the built-in values:",
    );
    page.suggestion(1, "defaults: {rollout: {minReady: 5s}}", "`deadline` is 5m, of what runs once 1h");
}

fn order(page: &mut Page, draft: &Draft<'_>) {
    let waves = waves(draft.desired);
    let count = draft.desired.services.len();
    if count < 2 {
        return;
    }
    page.gap();
    let data = |name: &ServiceName| draft.desired.services.get(name).is_some_and(|s| s.volumes().next().is_some());
    let suggested: Vec<Vec<&ServiceName>> = match waves.as_slice() {
        [all] => {
            page.remark(
                1,
                "No `depends_on` says which service waits for which, so all of them start at once. Waves would give an \
                 order, as in `rollout: {order: [[db, cache], [api]]}`: each service of one waits until those of the one \
                 before are ready.",
            );
            let (first, rest): (Vec<_>, Vec<_>) = all.iter().copied().partition(|name| data(name));
            [first, rest].into_iter().filter(|wave| !wave.is_empty()).collect()
        }
        _ => {
            page.remark(
                1,
                "Services start, and are updated, in the order of their `depends_on`, which holds without a word here. \
                 Waves are stricter: each service of one waits until those of the one before are ready.",
            );
            waves
        }
    };
    if suggested.len() < 2 {
        return;
    }
    page.suggestion(1, "rollout:", "");
    page.suggestion(1, "  order:", "");
    for wave in suggested {
        page.suggestion(1, &format!("    - {}", list(wave.into_iter().map(ServiceName::as_str))), "");
    }
}

fn services(page: &mut Page, draft: &Draft<'_>) {
    page.gap();
    page.remark(
        1,
        "When is a container ready? Without a probe or a health check: when it has run for `minReady`. `tcp` asks whether a \
         port takes a connection; `http: {port: 8080, path: /health}` asks a page, `exec: {command: [redis-cli, ping]}` \
         a command in the container, and both know more. A probe that never answers would have every update taken back, \
         so what is not known to answer is commented out.",
    );
    page.line(1, "services:");
    for name in waves(draft.desired).into_iter().flatten() {
        let Some(service) = draft.desired.services.get(name) else { continue };
        let seen = draft.seen.and_then(|seen| seen.services.get(name));
        page.line(2, &format!("{}:", scalar(name.as_str())));
        if let Source::Inline(inline) = &draft.source
            && let Some(fields) = inline.services.get(name.as_str())
        {
            page.block(3, fields);
        }
        how_it_is_ready(page, draft, service, seen);
        how_it_is_updated(page, service, seen);
        what_it_may_use(page, service, seen);
    }
}

fn how_it_is_ready(page: &mut Page, draft: &Draft<'_>, service: &Service, seen: Option<&Use>) {
    match readiness(service, seen) {
        Readiness::RunsOnce => page.remark(3, "It runs once, and has done its work when it ends with exit code 0."),
        Readiness::Healthcheck { of_image, unhealthy } => {
            let whose = match (of_image, &draft.source) {
                (true, _) => "the health check of its image",
                (false, Source::Files(_)) => "the health check in the Compose file",
                (false, Source::Inline(_)) => "its health check",
            };
            page.remark(3, &format!("It is ready when {whose} says so."));
            if unhealthy {
                page.remark(3, "The check fails now: put that right first, or its next update is taken back.");
            }
            page.suggestion(3, "probes: {liveness: {docker: {}}}", "`evenkeel run` restarts it while the check fails");
        }
        Readiness::Answers(port) => {
            page.line(3, "probes:");
            page.line(
                4,
                &format!("readiness: {{tcp: {{port: {port}}}}}   # it took a connection when this was written"),
            );
        }
        Readiness::Silent(port) => {
            let probe = format!("probes: {{readiness: {{tcp: {{port: {port}}}}}}}");
            page.suggestion(3, &probe, "took no connection when this was written");
        }
        Readiness::Untried(port) => {
            page.suggestion(3, &format!("probes: {{readiness: {{tcp: {{port: {port}}}}}}}"), "if it serves there");
        }
        Readiness::Unknown => page.remark(3, "No port of it is known that could be asked."),
    }
}

fn how_it_is_updated(page: &mut Page, service: &Service, seen: Option<&Use>) {
    if service.one_shot {
        return;
    }
    let image = seen.and_then(|seen| seen.image.clone()).unwrap_or_default();
    let choice = strategy_of(service, &image, None);
    if choice.strategy == Strategy::StopFirst {
        page.remark(
            3,
            &format!("An update stops the old container before it starts the new one, because {}.", choice.why),
        );
    }
    if let Some(deadline) = room::deadline_for(service) {
        page.remark(3, "Docker may take longer than the built-in deadline of 5m to say that it is healthy.");
        page.line(3, &format!("rollout: {{deadline: {deadline}}}"));
    }
}

fn what_it_may_use(page: &mut Page, service: &Service, seen: Option<&Use>) {
    let Some(used) = seen.and_then(|seen| seen.memory) else { return };
    match service.container.limits.memory {
        None => page.suggestion(
            3,
            &format!("limits: {{memory: {}}}", room::limit_for(used)),
            &format!("uses {} now, and has no limit; it is set without a restart", room::shown(used)),
        ),
        Some(limit) if room::is_tight(used, limit) => {
            page.remark(3, &format!("It uses {} of its {limit} now, which leaves it little room.", room::shown(used)));
        }
        Some(_) => {}
    }
}

fn capacity(page: &mut Page, draft: &Draft<'_>) {
    let Some(memory) = draft.seen.and_then(|seen| room::capacity_of(seen.memory)) else { return };
    page.gap();
    page.remark(
        1,
        "What all services together may use; more is refused before anything starts. With `requireLimits: true` each of \
         them must have a limit.",
    );
    let host = draft.seen.map(|seen| room::shown(seen.memory)).unwrap_or_default();
    page.suggestion(1, &format!("capacity: {{memory: {memory}}}"), &format!("this host has {host}"));
}

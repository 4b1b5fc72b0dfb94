//! Pulling an image, by its digest where that is known, and checking that what came is what was planned.

use super::super::{
    progress::Item,
    stage::{Stage, StepError, failed, locked},
};
use crate::model::{
    event::{EventKind, Severity},
    image::ImageConfig,
    names::ImageReference,
    step::Pull,
    units::Bytes,
};
use std::sync::Mutex;

/// Where the size of a pull is unknown, progress is told in steps of this.
const PROGRESS_STEP: u64 = 8 << 20;

/// Pulls an image.
pub(super) async fn pull(stage: &Stage<'_>, item: Item, pull: &Pull) -> Result<(), StepError> {
    let engine = &stage.effects.engine;
    let from = by_digest(pull);
    let login = stage.effects.logins.login(&pull.reference);
    let progress = progress(stage, item, pull);
    engine.pull_image(&from, pull.platform.as_deref(), login.as_ref(), &progress).await?;
    let Some(image) = engine.inspect_image(from.as_str()).await? else {
        return Err(failed(format!("`{}` was pulled and is not there: was it removed meanwhile?", pull.reference)));
    };
    if image.id != pull.image {
        return Err(failed(format!(
            "`{}` is now {} and not {} as planned: it was pushed again meanwhile; plan again",
            pull.reference,
            image.id.short(),
            pull.image.short()
        )));
    }
    let planned = stage.plan.context.images.get(&pull.reference).map(|resolved| &resolved.config);
    if let Some(what) = planned.and_then(|planned| difference(planned, &image.config)) {
        return Err(failed(format!("`{}` declares other {what} than its registry said; plan again", pull.reference)));
    }
    if from != pull.reference && !pull.reference.as_str().contains('@') {
        engine.tag_image(&image.id, &pull.reference).await?;
    }
    Ok(())
}

/// `name@digest`: exactly the image that was planned, whatever the tag names by now.
fn by_digest(pull: &Pull) -> ImageReference {
    let reference = pull.reference.as_str();
    let Some(digest) = pull.digest.as_deref().filter(|_| !reference.contains('@')) else {
        return pull.reference.clone();
    };
    let digest = digest.rsplit_once('@').map_or(digest, |(_, digest)| digest);
    // A colon before the last slash is a registry's port.
    let name = match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => reference,
    };
    ImageReference::new(format!("{name}@{digest}"))
}

fn difference(planned: &ImageConfig, came: &ImageConfig) -> Option<&'static str> {
    if planned.volumes != came.volumes {
        return Some("volumes");
    }
    (planned.healthcheck != came.healthcheck).then_some("health checks")
}

/// Tells the bytes that came, a percent at a time. It drops what there is no room for: the next one says more.
fn progress(stage: &Stage<'_>, item: Item, pull: &Pull) -> impl Fn(u64, Option<u64>) + Send + Sync + 'static {
    let template = stage.event(EventKind::StepProgress, Severity::Debug, Some(item), String::new());
    let (events, clock, reference) = (stage.sender(), stage.effects.clock.clone(), pull.reference.clone());
    let last = Mutex::new(None);
    move |bytes, total| {
        let known = total.filter(|total| *total > 0);
        let part = known.map_or(bytes / PROGRESS_STEP, |total| bytes.saturating_mul(100) / total);
        if locked(&last).replace(part) == Some(part) {
            return;
        }
        let mut event = template.clone();
        event.time = clock.now();
        let of = total.map(|total| format!(" of {}", megabytes(total))).unwrap_or_default();
        event.text = format!("pull {reference}: {}{of}", megabytes(bytes));
        event.data.insert("bytes".into(), bytes.into());
        event.data.extend(total.map(|total| ("total".to_owned(), total.into())));
        let _ = events.try_send(event);
    }
}

fn megabytes(bytes: u64) -> String {
    match Bytes(bytes) {
        Bytes(0..1_000_000) => format!("{} kB", bytes / 1000),
        Bytes(bytes) => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_replaced_by_the_digest_and_a_port_is_no_tag() {
        let cases = [
            ("redis:7", Some("sha256:77"), "redis@sha256:77"),
            ("redis", Some("redis@sha256:77"), "redis@sha256:77"),
            ("host:5000/core", Some("sha256:77"), "host:5000/core@sha256:77"),
            ("host:5000/core:abc", Some("sha256:77"), "host:5000/core@sha256:77"),
            ("core:abc@sha256:11", Some("sha256:77"), "core:abc@sha256:11"),
            ("core:abc", None, "core:abc"),
        ];
        for (reference, digest, expected) in cases {
            let digest = digest.map(str::to_owned);
            let pull =
                Pull { reference: reference.into(), digest, platform: None, image: "sha256:1".into(), size: None };
            assert_eq!(by_digest(&pull).as_str(), expected);
        }
    }
}

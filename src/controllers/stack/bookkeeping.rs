//! What evenkeel does for itself, outside of any plan: the claim that makes this home the stack's only one, the tags that
//! keep the images of kept revisions from being pruned, and the copies of files that none of them needs any more. All of
//! it is idempotent, and done again by the next apply.

use super::{Stack, StackError};
use crate::{
    engine::{EngineError, ErrorKind, Sent, clock::within},
    model::{
        desired::Volume,
        event::{EventKind, Severity},
        labels::ours,
        names::{ImageId, ImageReference},
        observed::Observed,
        units::Millis,
        value::Value,
    },
    observe::claim_volume,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
};

/// The claim is quick, and so are the tags all together. Neither stands in a plan with a deadline, so an engine that does
/// not answer is not waited for longer.
const PATIENCE: Millis = Millis::seconds(15);

/// Every tag on the engine and the image it names.
pub(super) type Tags = BTreeMap<ImageReference, ImageId>;

impl Stack {
    /// Claims the stack for this home. Creating a volume is get-or-create and answers with the winner's labels, so of
    /// two homes that try at once one is told.
    pub(super) async fn claim(&self, observed: &Observed) -> Result<(), StackError> {
        let Some(home) = &self.home else { return Err(StackError::NoHome(self.name.clone())) };
        if observed.claim.is_some() {
            // Another home's was refused by the plan.
            return Ok(());
        }
        let claim = self.claim_of(home, observed);
        let labels = [(ours::STACK, claim.stack.as_str()), (ours::HOME, &claim.home), (ours::MACHINE, &claim.machine)];
        let volume = Volume {
            labels: labels.into_iter().map(|(key, text)| (key.to_owned(), Value::plain(text))).collect(),
            ..Volume::default()
        };
        let name = claim_volume(&self.name);
        let created = within(self.clock.as_ref(), PATIENCE, self.engine.create_volume(&name, &volume)).await;
        let answer = created.unwrap_or_else(|| {
            Err(EngineError {
                call: "create volume",
                target: name.to_string(),
                kind: ErrorKind::TimedOut,
                sent: Sent::MaybeSent,
                message: format!("no answer within {PATIENCE}"),
            })
        })?;
        let said = |key: &str| answer.labels.get(key).cloned().unwrap_or_default();
        if said(ours::HOME) != claim.home || said(ours::MACHINE) != claim.machine {
            return Err(StackError::OtherHome { home: said(ours::HOME), machine: said(ours::MACHINE) });
        }
        Ok(())
    }

    /// Tags the images of kept revisions with a tag of ours, and takes the tags of forgotten ones away. `tags` are the
    /// engine's, where they are known.
    pub(super) async fn keep_images(&self, tags: Option<Tags>) {
        self.bounded(async {
            let tags = match tags {
                Some(tags) => tags,
                None => self.engine.list_tags().await?,
            };
            let (tags, wanted) = self.tagged(tags).await?;
            for tag in tags.keys().filter(|tag| tag.as_str().starts_with(&self.tag_prefix()) && !wanted.contains(*tag))
            {
                self.engine.untag_image(tag).await?;
            }
            Ok(())
        })
        .await;
    }

    /// Only tags them. Gives the engine's tags then, `None` where they are not known.
    pub(super) async fn tag_images(&self, tags: Option<Tags>) -> Option<Tags> {
        let tags = tags?;
        self.bounded(async { Ok(self.tagged(tags).await?.0) }).await
    }

    /// What fails is told and tried again next time: it endangers a way back, not what runs.
    async fn bounded<T>(&self, keeping: impl Future<Output = Result<T, StackError>>) -> Option<T> {
        let why = match within(self.clock.as_ref(), PATIENCE, keeping).await {
            Some(Ok(kept)) => return Some(kept),
            Some(Err(error)) => error.to_string(),
            None => format!("the engine did not answer within {PATIENCE}"),
        };
        let text = format!("the images of older revisions could not be kept from pruning: {why}");
        self.tell(self.event(EventKind::Warning, Severity::Warning, text)).await;
        None
    }

    /// Puts the tags on that are missing. Gives all tags then, and which of them are wanted.
    async fn tagged(&self, mut tags: Tags) -> Result<(Tags, BTreeSet<ImageReference>), StackError> {
        let Some(home) = &self.home else { return Ok((tags, BTreeSet::new())) };
        let prefix = self.tag_prefix();
        let local: BTreeSet<_> = tags.values().cloned().collect();
        let mut wanted = BTreeSet::new();
        // One tag keeps an image for all services that use it.
        let by_image: BTreeMap<_, _> =
            home.kept_images()?.into_iter().rev().map(|(service, image)| (image, service)).collect();
        for (image, service) in by_image {
            let name = service.as_str().to_ascii_lowercase();
            let tag = ImageReference::new(format!("{prefix}{name}:{}", image.short()));
            let there = local.contains(&image) || self.engine.inspect_image(image.as_str()).await?.is_some();
            if there && tags.get(&tag) != Some(&image) {
                self.engine.tag_image(&image, &tag).await?;
                tags.insert(tag.clone(), image);
            }
            wanted.insert(tag);
        }
        Ok((tags, wanted))
    }

    fn tag_prefix(&self) -> String {
        format!("evenkeel.local/{}/", self.name)
    }

    /// Takes the copies away that only forgotten revisions mounted. What fails is told and tried again next time.
    pub(super) async fn remove_unused_copies(&self) {
        if let Some(Err(error)) = self.home.as_ref().map(|home| home.remove_unused_copies()) {
            let text = format!("copies of files that no revision needs any more could not be removed: {error}");
            self.tell(self.event(EventKind::Warning, Severity::Warning, text)).await;
        }
    }

    /// Takes all our tags and the claim away: the stack is gone, or somebody else's. Gives the tags that stay, for what
    /// runs has no other.
    pub(super) async fn let_go(&self) -> Result<Vec<ImageReference>, StackError> {
        let mut stay = Vec::new();
        for tag in self.engine.list_tags().await?.keys().filter(|tag| tag.as_str().starts_with(&self.tag_prefix())) {
            match self.engine.untag_image(tag).await {
                Err(error) if error.kind == ErrorKind::Conflict => stay.push(tag.clone()),
                untagged => untagged?,
            }
        }
        match self.engine.remove_volume(&claim_volume(&self.name)).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(stay),
        }
    }
}

//! What the verbs that act have in common: the home to write, progress while it goes on, Ctrl-C,
//! and the last words.

use super::{
    arguments::{LockArguments, ManifestArguments, OriginArguments, OverrideArguments},
    exit::Exit,
    failure::Failure,
    interrupt, origin,
    output::Output,
    render::{
        applied::{Told, applied_text},
        outcome::Left,
        plan::plan_text,
        progress::{Mode, Progress},
        style::Style,
    },
    session,
};
use crate::{
    controllers::stack::{Applied, Stack, StackError},
    engine::clock::{SystemClock, within},
    execute::Cancel,
    home::Home,
    model::{
        desired::Desired,
        names::ServiceName,
        outcome::{Outcome, RolloutResult},
        plan::Plan,
        revision::Origin,
        units::{Millis, Timestamp},
        value::{Salt, Secrets},
    },
};
use clap::Args;
use std::{collections::BTreeSet, sync::Arc};

/// After leaving at once, progress that is still to be shown gets so long.
const LEAVING: Millis = Millis::seconds(1);

/// What a verb takes that acts on a stack as it was applied: whose, how long it waits for others, who asks.
#[derive(Debug, Args)]
pub struct ActingArguments {
    #[command(flatten)]
    manifest: ManifestArguments,
    #[command(flatten)]
    lock: LockArguments,
    #[command(flatten)]
    origin: OriginArguments,
}

impl ActingArguments {
    /// What is declared, by the files `named` before the verb and by its own.
    pub fn declared(&self, named: &ManifestArguments, output: &Output) -> Result<Desired, Failure> {
        session::for_acting(&named.and(&self.manifest), &OverrideArguments::default(), output)
    }

    /// Who asks.
    pub fn origin(&self) -> Origin {
        origin::of_process(&self.origin)
    }

    /// How long to wait for another apply.
    pub fn lock_wait(&self) -> Millis {
        self.lock.lock_wait
    }
}

/// Connects, opens the home where it is not open yet, does the work, and says what became of it.
///
/// # Errors
/// What ended it before its first step, or the user's leaving at once.
pub fn act(
    desired: &Desired,
    home: Option<Home>,
    output: &Output,
    work: impl AsyncFnOnce(&Stack) -> Result<Applied, StackError>,
) -> Result<Exit, Failure> {
    session::wait_for(async {
        let cancel = Cancel::default();
        let mode = if output.talk_is_terminal { Mode::Live } else { Mode::Lines };
        let (events, progress) = Progress::start(mode, output.talk_style);
        let doing = async {
            let engine = session::engine().await?;
            engine.ask_for_facts();
            let home = match home {
                Some(home) => home,
                None => session::open_home_beside(&desired.stack, output).await?,
            };
            let home = Arc::new(home);
            let stack = session::stack_on(engine, desired, Some(home.clone()), events, cancel.clone());
            say_who_holds_the_lock(&home, output);
            let began = stack.clock.now();
            Ok((work(&stack).await, began, home))
        };
        let done = interrupt::guard(doing, &cancel, &progress.watch()).await;
        // With the work its senders are gone, so this ends when all is shown.
        match &done {
            Ok(_) => progress.finish().await,
            Err(_) => drop(within(&SystemClock::start(), LEAVING, progress.finish()).await),
        }
        let (result, began, home) = done?;
        match result {
            Ok(applied) => {
                let done_is_shown = mode == Mode::Live;
                output.data(&last_words(&applied, desired, &home, began, done_is_shown, output.data_style));
                Ok(Exit::from_code(applied.exit))
            }
            Err(error) => Err(failed(&error, output)),
        }
    })
}

/// Before it is waited for: who, since when, doing what.
fn say_who_holds_the_lock(home: &Home, output: &Output) {
    // What can't be read is told when the lock itself is asked for.
    if let Ok(Some(held)) = home.holder() {
        let (actor, doing, since) = (&held.holder.actor, &held.holder.doing, held.since);
        output.talk(&format!("waiting: `{actor}` holds the lock since {since}: {doing}\n"));
    }
}

/// What became of it, as text: `began` is when, and `done_is_shown` whether its progress showed already what is done.
pub fn last_words(
    applied: &Applied,
    desired: &Desired,
    home: &Home,
    began: Timestamp,
    done_is_shown: bool,
    style: Style,
) -> String {
    let left = what_failed_left(applied, desired, home, began);
    applied_text(applied, &Told { done_is_shown, left: &left }, style)
}

/// A stale plan is shown as it would be now; every other error is its sentence.
fn failed(error: &StackError, output: &Output) -> Failure {
    if let StackError::Stale { now, .. } = error {
        output.data(&plan_text(now, output.data_style));
    }
    session::stack_failure(error)
}

/// What the containers that failed in this apply left behind, masked.
fn what_failed_left(applied: &Applied, desired: &Desired, home: &Home, began: Timestamp) -> Vec<Left> {
    let failed: BTreeSet<&ServiceName> = applied.rounds.iter().flat_map(failed_services).collect();
    if failed.is_empty() {
        return Vec::new();
    }
    let masks = masks(desired, home);
    let kept = failed.into_iter().filter_map(|service| home.evidence_of(service).ok().flatten());
    kept.filter(|evidence| evidence.at >= began)
        .map(|evidence| Left {
            answers: evidence.answers.iter().map(|answer| mask(&masks, answer)).collect(),
            log: mask(&masks, &evidence.log),
            container: evidence.name.to_string(),
            service: Some(evidence.service),
        })
        .collect()
}

fn failed_services((plan, outcome): &(Plan, Outcome)) -> Vec<&ServiceName> {
    let failed = |id: &str| {
        outcome.rollouts.iter().any(|one| one.id == id && matches!(one.result, RolloutResult::Failed { .. }))
    };
    plan.rollouts.iter().filter(|rollout| failed(&rollout.id)).flat_map(|rollout| &rollout.members).collect()
}

/// So many older revisions' secrets are masked in a log beside today's.
const REVISIONS_MASKED: usize = 10;

/// The secrets that a kept log may hold: of what is declared, and of the newest revisions.
pub fn masks(desired: &Desired, home: &Home) -> Vec<Secrets> {
    let salt = Salt::new("");
    let numbers = home.list().unwrap_or_default().into_iter().map(|revision| revision.number).take(REVISIONS_MASKED);
    let older = numbers.filter_map(|number| home.revision(number).ok().flatten());
    let older = older.map(|revision| revision.desired.secrets(&salt));
    std::iter::once(desired.secrets(&salt)).chain(older).collect()
}

/// A tree in whose texts all of them are `***`; what it is made of stays as it is.
pub fn mask_texts(masks: &[Secrets], tree: &mut serde_json::Value) {
    match tree {
        serde_json::Value::String(text) => *text = mask(masks, text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| mask_texts(masks, item)),
        serde_json::Value::Object(entries) => entries.values_mut().for_each(|value| mask_texts(masks, value)),
        _ => {}
    }
}

/// A text with all of them as `***`.
pub fn mask(masks: &[Secrets], text: &str) -> String {
    masks.iter().fold(text.to_owned(), |text, secrets| secrets.mask(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::value::Value;

    #[test]
    fn a_secret_that_json_escapes_is_hidden_and_the_names_beside_it_stay() {
        let mut secrets = Secrets::default();
        for text in ["two\nlines", "environment"] {
            secrets.keep(&Salt::new(""), &Value::sensitive(text));
        }
        let mut tree = serde_json::json!({"environment": {"KEY": "two\nlines"}, "state": ["the environment"]});
        mask_texts(&[secrets], &mut tree);
        assert_eq!(tree, serde_json::json!({"environment": {"KEY": "***"}, "state": ["the ***"]}));
    }
}

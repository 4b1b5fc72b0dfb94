//! How the process of a simulated container behaves: when it is ready, when it exits, what it answers. Everything follows
//! from this and from the time since its start, so that the same scenario gives the same course.

use crate::model::units::{Bytes, Millis};
use std::collections::BTreeMap;

/// The environment variable and the label that change the behaviour of one container; see `Behaviour::with`.
pub const SIMULATE: &str = "SIMULATE";

/// The behaviour of a process, from its start. The default is ready at once, stays, and stops at once when asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// It answers probes and passes its health check from then on; `None`: never.
    pub ready_after: Option<Millis>,
    /// Up to so much is added to `ready_after`, another amount at each start, drawn from the engine's seed.
    pub jitter: Millis,
    /// It runs on but answers nothing from then on.
    pub unwell_after: Option<Millis>,
    /// It ends by itself.
    pub exit: Option<Exit>,
    /// What it uses once it is ready. More than its limit is an OOM kill then.
    pub memory: Bytes,
    /// How long it takes to end when it is asked to; `None`: it ignores the signal and is killed after the grace.
    pub stop_takes: Option<Millis>,
    /// Its exit code when it ends because it was asked to.
    pub stop_code: i64,
    /// HTTP status by port and path. Empty: 200 everywhere. Otherwise another path of a listed port is 404, and another
    /// port refuses connections.
    pub answers: BTreeMap<(u16, String), u16>,
    /// What it writes at each start.
    pub log: String,
}

/// An end without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// After its start.
    pub after: Millis,
    pub code: i64,
    /// Only so many of its first starts end so; `None`: each.
    pub times: Option<u32>,
    /// The kernel killed it because it used too much memory.
    pub out_of_memory: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Behaviour {
            ready_after: Some(Millis(0)),
            jitter: Millis(0),
            unwell_after: None,
            exit: None,
            memory: Bytes::mebi(16),
            stop_takes: Some(Millis(0)),
            stop_code: 143,
            answers: BTreeMap::new(),
            log: String::new(),
        }
    }
}

impl Behaviour {
    /// Ready after so long, otherwise the default.
    pub fn ready_after(span: Millis) -> Behaviour {
        Behaviour { ready_after: Some(span), ..Behaviour::default() }
    }

    /// Runs but is never ready.
    pub fn never_ready() -> Behaviour {
        Behaviour { ready_after: None, ..Behaviour::default() }
    }

    /// Ends by itself after each start: a one-shot with code 0, a crash loop with another.
    pub fn exits(after: Millis, code: i64) -> Behaviour {
        let exit = Exit { after, code, times: None, out_of_memory: false };
        Behaviour { exit: Some(exit), ..Behaviour::default() }
    }

    /// Is killed by the kernel so long after each start.
    pub fn out_of_memory(after: Millis) -> Behaviour {
        let exit = Exit { after, code: 137, times: None, out_of_memory: true };
        Behaviour { exit: Some(exit), ..Behaviour::default() }
    }

    /// Ignores the stop signal, so that a stop takes its whole grace.
    pub fn ignores_stop() -> Behaviour {
        Behaviour { stop_takes: None, ..Behaviour::default() }
    }

    /// This behaviour, changed by words such as `ready=500ms ready=never jitter=1s unwell=1m exit=1@2s exit=0@1s*3 oom=2s
    /// memory=64Mi stop=1s stop=never stop-code=0 answer=8080/health:503`. The error names the word that means nothing.
    pub fn with(mut self, words: &str) -> Result<Behaviour, String> {
        for word in words.split_whitespace() {
            self.change(word).ok_or_else(|| format!("`{word}` is no behaviour"))?;
        }
        Ok(self)
    }

    fn change(&mut self, word: &str) -> Option<()> {
        let (name, value) = word.split_once('=')?;
        let span = |text: &str| text.parse::<Millis>().ok();
        let span_or_never = |text: &str| if text == "never" { Some(None) } else { span(text).map(Some) };
        match name {
            "ready" => self.ready_after = span_or_never(value)?,
            "jitter" => self.jitter = span(value)?,
            "unwell" => self.unwell_after = span_or_never(value)?,
            "exit" => {
                let (value, times) = match value.split_once('*') {
                    Some((value, times)) => (value, Some(times.parse().ok()?)),
                    None => (value, None),
                };
                let (code, after) = value.split_once('@')?;
                let code = code.parse().ok()?;
                self.exit = Some(Exit { after: span(after)?, code, times, out_of_memory: false });
            }
            "oom" => self.exit = Behaviour::out_of_memory(span(value)?).exit,
            "memory" => self.memory = value.parse().ok()?,
            "stop" => self.stop_takes = span_or_never(value)?,
            "stop-code" => self.stop_code = value.parse().ok()?,
            "answer" => {
                let (place, status) = value.rsplit_once(':')?;
                let slash = place.find('/')?;
                self.answers.insert((place[..slash].parse().ok()?, place[slash..].to_owned()), status.parse().ok()?);
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_change_a_behaviour() {
        let changed = Behaviour::default()
            .with("ready=500ms exit=3@2s*2 memory=64Mi stop=never stop-code=0 answer=8080/health:503")
            .unwrap();
        assert_eq!(changed.ready_after, Some(Millis(500)));
        assert_eq!(
            changed.exit,
            Some(Exit { after: Millis::seconds(2), code: 3, times: Some(2), out_of_memory: false })
        );
        assert_eq!((changed.memory, changed.stop_takes, changed.stop_code), (Bytes::mebi(64), None, 0));
        assert_eq!(changed.answers.get(&(8080, "/health".to_owned())), Some(&503));
    }

    #[test]
    fn a_word_that_means_nothing_is_named() {
        assert_eq!(Behaviour::default().with("ready=1s sleepy=yes"), Err("`sleepy=yes` is no behaviour".to_owned()));
        assert!(Behaviour::default().with("ready=soon").is_err());
    }
}

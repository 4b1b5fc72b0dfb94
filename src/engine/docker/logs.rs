//! The end of a container's log, in bounded memory: the engine is asked for few lines first, and for more only where
//! those were short.

use super::{DockerEngine, READ};
use crate::{engine::EngineResult, model::names::ContainerId};
use bollard::query_parameters::LogsOptions;
use futures::StreamExt;

/// How many lines are asked for first. One entry of a log is at most 16 KiB long.
const LINES_FIRST: usize = 1000;
/// By how much more each time; then what comes is about so many times what is kept, whatever the log holds.
const LINES_FACTOR: usize = 8;

impl DockerEngine {
    /// The last `bytes_max` bytes of the log.
    pub(super) async fn tail_of_log(&self, container: &ContainerId, bytes_max: usize) -> EngineResult<String> {
        let mut lines = LINES_FIRST.min(bytes_max.max(1));
        loop {
            let tail = self.last_lines(container, lines, bytes_max);
            let tail = self.call("read the log of container", container.short(), READ, tail).await?;
            // As many lines as bytes are more than enough: a line has at least one.
            if tail.seen >= bytes_max || tail.lines < lines || lines >= bytes_max {
                return Ok(tail.into_text());
            }
            lines = lines.saturating_mul(LINES_FACTOR).min(bytes_max);
        }
    }

    async fn last_lines(
        &self,
        container: &ContainerId,
        lines: usize,
        bytes_max: usize,
    ) -> Result<Tail, bollard::errors::Error> {
        let options = LogsOptions { stdout: true, stderr: true, tail: lines.to_string(), ..Default::default() };
        let mut output = self.docker.logs(container.as_str(), Some(options));
        let mut tail = Tail::new(bytes_max);
        while let Some(part) = output.next().await {
            tail.push(part?.as_ref());
        }
        Ok(tail)
    }
}

/// Keeps the end of what is pushed.
pub(super) struct Tail {
    bytes: Vec<u8>,
    bytes_max: usize,
    /// How many bytes were pushed.
    seen: usize,
    /// How many of them end a line.
    lines: usize,
}

impl Tail {
    pub(super) fn new(bytes_max: usize) -> Tail {
        Tail { bytes: Vec::new(), bytes_max, seen: 0, lines: 0 }
    }

    pub(super) fn push(&mut self, part: &[u8]) {
        self.seen += part.len();
        self.lines += part.iter().filter(|byte| **byte == b'\n').count();
        self.bytes.extend_from_slice(part);
        // Cut seldom, so that pushing stays linear.
        if self.bytes.len() > self.bytes_max.saturating_mul(2).saturating_add(65_536) {
            self.cut();
        }
    }

    /// The end, as text; what is no UTF-8 is replaced, and a character cut in two is dropped.
    pub(super) fn into_text(mut self) -> String {
        self.cut();
        let broken = self.bytes.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
        let broken = if self.seen > self.bytes_max { broken } else { 0 };
        String::from_utf8_lossy(&self.bytes[broken..]).into_owned()
    }

    fn cut(&mut self) {
        let surplus = self.bytes.len().saturating_sub(self.bytes_max);
        self.bytes.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_is_kept() {
        let mut tail = Tail::new(6);
        for part in ["one\n", "two\n", "three\n"] {
            tail.push(part.as_bytes());
        }
        assert_eq!((tail.seen, tail.lines), (14, 3));
        assert_eq!(tail.into_text(), "three\n");
    }

    #[test]
    fn memory_stays_bounded_however_much_comes() {
        let mut tail = Tail::new(100);
        for _ in 0..1000 {
            tail.push(&[b'x'; 1000]);
            assert!(tail.bytes.len() <= 100 * 2 + 65_536 + 1000);
        }
        assert_eq!(tail.into_text(), "x".repeat(100));
    }

    #[test]
    fn a_character_is_not_cut_in_two() {
        let mut tail = Tail::new(3);
        tail.push("aéb".as_bytes());
        assert_eq!(tail.into_text(), "éb");
        let mut tail = Tail::new(2);
        tail.push("aéb".as_bytes());
        assert_eq!(tail.into_text(), "b");
    }
}

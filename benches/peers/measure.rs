//! Runs a command to its end and says what it took: seconds by the clock, seconds of the processor, and the most memory
//! that it held.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

/// What one run took.
#[derive(Clone, Copy)]
pub struct Run {
    pub seconds: f64,
    /// Of all processors, user and system, without the engine's.
    pub processor: f64,
    pub megabytes: f64,
}

/// What several runs took.
#[derive(Default)]
pub struct Figures(Vec<Run>);

impl Figures {
    pub fn add(&mut self, run: Run) {
        self.0.push(run);
    }

    pub fn seconds(&self) -> Spread {
        Spread::of(self.0.iter().map(|run| run.seconds))
    }

    pub fn processor(&self) -> Spread {
        Spread::of(self.0.iter().map(|run| run.processor))
    }

    /// The most of any run.
    pub fn megabytes(&self) -> f64 {
        self.0.iter().map(|run| run.megabytes).fold(0.0, f64::max)
    }
}

/// Several measurements of one thing.
#[derive(Clone, Copy)]
pub struct Spread {
    pub least: f64,
    pub median: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(measured: impl IntoIterator<Item = f64>) -> Spread {
        let mut all: Vec<f64> = measured.into_iter().collect();
        all.sort_by(f64::total_cmp);
        Spread { least: all[0], median: all[all.len() / 2], most: all[all.len() - 1] }
    }
}

/// Runs a command, which must succeed.
#[allow(clippy::zombie_processes, reason = "it is waited for with wait4, which counts its memory too")]
pub fn once(mut command: Command) -> Run {
    let begin = Instant::now();
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let id = child.id();
    let mut errors = child.stderr;
    let mut talk = String::new();
    if let Some(errors) = &mut errors {
        let _ = std::io::Read::read_to_string(errors, &mut talk);
    }
    let (code, processor, megabytes) = measured_end(id);
    assert_eq!(code, 0, "{command:?} failed: {talk}");
    Run { seconds: begin.elapsed().as_secs_f64(), processor, megabytes }
}

/// Runs two commands in turn, so that both meet the same machine.
pub fn alternate(runs: usize, a: impl Fn() -> Command, b: impl Fn() -> Command) -> [Figures; 2] {
    let mut figures = [Figures::default(), Figures::default()];
    for _ in 0..runs {
        figures[0].add(once(a()));
        figures[1].add(once(b()));
    }
    figures
}

/// Waits for a child and reads what the kernel counted for it: exit code, seconds of the processor, megabytes.
fn measured_end(id: u32) -> (i32, f64, f64) {
    let mut status = 0;
    // SAFETY: both pointers are to values that live through the call, and zero is a valid `rusage`.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::wait4(id as libc::pid_t, &mut status, 0, &mut usage);
        usage
    };
    let code = if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -1 };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    (code, seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss as f64 / 1024.0)
}

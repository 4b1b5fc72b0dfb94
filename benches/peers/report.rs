//! What the benches print: each figure, the bound that it is held to, and the verdict. Time and memory are only judged in
//! words, for machines are noisy; what must be so everywhere fails the run.

use crate::measure::Figures;
use std::sync::atomic::{AtomicBool, Ordering};

static FAILED: AtomicBool = AtomicBool::new(false);

/// Whether something was seen that no machine excuses.
pub fn failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}

/// A figure and the most that it may be.
pub fn held_to(what: &str, figure: f64, unit: &str, bound: f64) {
    let verdict = if figure <= bound { "within" } else { "OVER" };
    println!("  {what:<46} {figure:>8.3}{unit}  (at most {bound}{unit}: {verdict})");
}

/// What must be so on any machine.
pub fn must(what: &str, is_so: bool) {
    if !is_so {
        FAILED.store(true, Ordering::Relaxed);
    }
    println!("  {what:<46} {}", if is_so { "yes" } else { "NO" });
}

/// What two commands took beside each other.
pub fn beside(ours: (&str, &Figures), theirs: (&str, &Figures)) {
    for (name, figures) in [ours, theirs] {
        let (clock, processor) = (figures.seconds(), figures.processor());
        println!(
            "  {name:<24} median {:.3} s (least {:.3}, most {:.3}), processor {:.3} s, {:.1} MB",
            clock.median,
            clock.least,
            clock.most,
            processor.median,
            figures.megabytes()
        );
    }
}

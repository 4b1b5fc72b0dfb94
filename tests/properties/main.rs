//! Properties: random stacks, faults and meddling against the simulated engine, judged by the promises that evenkeel
//! makes. A failing case prints its seed; `EVENKEEL_SEED=<seed>` runs that one alone. The ordinary run tells a thousand
//! stories; `EVENKEEL_STORIES=<n>` sets how many the properties tell together, and a long run (20,000) is for a night.

#[allow(dead_code, reason = "what the scenarios use and the properties do not")]
#[path = "../scenarios/support.rs"]
mod support;

mod course;
mod manifest;
mod part;
mod promises;
mod quiet;
mod seed;
mod shape;
mod stacks;
mod story;
mod total;
mod verbs;
mod watch;

//! Properties: random stacks, faults and meddling against the simulated engine, judged by the promises that evenkeel
//! makes. A failing case prints its seed; `EVENKEEL_SEED=<seed>` runs that one alone, `EVENKEEL_CASES=<n>` sets how many
//! cases each property runs: the ordinary run is short, a long one (`EVENKEEL_CASES=1000`) is for a night.

#[allow(dead_code, reason = "what the scenarios use and the properties do not")]
#[path = "../scenarios/support.rs"]
mod support;

mod course;
mod promises;
mod quiet;
mod seed;
mod shape;
mod stacks;
mod total;
mod watch;

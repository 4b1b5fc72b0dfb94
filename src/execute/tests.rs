//! Plans written by hand, executed on the simulated engine.

mod faults;
mod interruptions;
mod rollouts;
mod scene;
mod steps;

//! Scenarios: whole manifests against the simulated engine, through the same controller that the command line uses. Each
//! compares the plan as people read it and ends at the fixpoint: applied, then planned again, there is nothing to do.

mod support;

mod building;
mod capacity;
mod contents;
mod failures;
mod first_apply;
mod going_back;
mod hooks;
mod keeping;
mod kills;
mod leaving;
mod making_room;
mod observed;
mod overrides;
mod records;
mod recovery;
mod removing;
mod renaming;
mod replacing;
mod saved;
mod suspensions;
mod taking_over;
mod third;
mod units;

//! What the user sees: pure functions from the model's types to text. Nothing here writes, reads a clock or decides
//! anything.

pub mod applied;
pub mod events;
pub mod evidence;
pub mod history;
pub mod markdown;
pub mod outcome;
pub mod plan;
pub mod progress;
pub mod quantities;
pub mod sheet;
pub mod status;
pub mod style;

//! The command line: one file a verb, rendering, exit codes. Holds no rules: what a verb does, a controller does.

pub mod exit;
pub mod failure;
pub mod output;
pub mod render;

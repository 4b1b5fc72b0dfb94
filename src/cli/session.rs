//! What the verbs need to reach the stack: the engine, the manifest, the home. The only file of the command line that
//! knows how they are put together.

use super::failure::Failure;

/// The refusal of a verb that has nothing to call.
pub fn not_built(verb: &str) -> Failure {
    Failure::usage(format!("not built yet: {verb}"))
}

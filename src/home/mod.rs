//! The state directory on the engine's own host: revisions, events, facts, evidence, the lock and the sealing key. Knows
//! nothing of Docker.

/// What can go wrong in the home.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The folder or a file in it can't be read or written.
    #[error("could not use the home `{path}`")]
    Files {
        path: String,
        #[source]
        source: std::io::Error,
    },
}

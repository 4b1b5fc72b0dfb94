//! What a service extends; the loader resolves it, so a loaded service has none.

use super::record::record;

record! {
    /// A reference to another service.
    pub struct Extends {
        /// The file; empty for the same one.
        "file" => file: String,
        /// The service.
        "service" => service: String,
    }
}

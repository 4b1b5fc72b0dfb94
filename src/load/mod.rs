//! wip
pub mod manifest;
pub mod schema;

//! wip
pub mod diagnostics;
pub mod manifest;
pub mod schema;
mod sensitive;
mod tree;
mod unbuilt;
mod validate;
